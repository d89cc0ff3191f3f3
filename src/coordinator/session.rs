//! One session of a run on an open cluster: fills the data sets, then runs and stores trial after trial.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::arrivals::{Arrivals, ArrivalsError};
use super::calibration;
use super::cluster::Cluster;
use super::dataset::{self, Dataset, DatasetError};
use super::drive::{self, Outcome, Surroundings};
use super::events::Observer;
use super::fleet::{Fleet, Launch, ProcessFleet};
use super::guardian::Guardian;
use super::host::HostSample;
use super::processes::with_their_groups;
use super::run::{Interrupt, RunEnd, RunError, RunOptions};
use super::spec::{Limits, LoadSpec, TrialSpec};
use super::trial::Phase;
use super::{environment, warm};
use crate::kafka::GroupDescription;
use crate::kafka::admin::Admin;
use crate::kafka::client::ClientProperties;
use crate::measure::clock;
use crate::measure::judge::judge;
use crate::measure::{Failure, FailureKind, Status, TRIAL_SCHEMA_VERSION, Trial, TrialKind, TrialOrder};
use crate::plan::{Next, Plan};
use crate::protocol::{TopicTarget, WorkCalibration};
use crate::scenario::{Configuration, Mode, Place, Work};
use crate::store::RunDir;

/// How long a search waits, beyond its objective's limit, for what has arrived to be read.
const SEARCH_DRAIN: Duration = Duration::from_secs(1);

/// One session of a run on an open cluster.
pub(super) struct Session<'a> {
    pub(super) plan: &'a Plan,
    pub(super) dir: &'a RunDir,
    pub(super) options: &'a RunOptions,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) interrupt: &'a Interrupt,
    pub(super) cluster: Cluster,
    /// Start of the names of topics and groups.
    pub(super) prefix: String,
}

impl Session<'_> {
    /// Runs trials until the plan is done, the user interrupts or the cluster is gone.
    pub(super) async fn execute(&self) -> Result<RunEnd, RunError> {
        self.check_environment().await?;
        let datasets = match self.fill().await {
            Err(RunError::ClusterLost(cause)) => return Ok(RunEnd::ClusterLost(cause)),
            filled => filled?,
        };
        let calibrations = self.calibrate().await?;
        if self.options.session > 1 || self.plan.scenario.warmup_blocks == 0 {
            self.warm(&datasets).await;
        }
        let mut trials = self.dir.read_trials()?;
        loop {
            let Next::Trial(order) = self.plan.next(&trials, self.options.session) else {
                return Ok(RunEnd::Done);
            };
            let configuration = &self.plan.scenario.configurations[order.configuration];
            self.observer
                .trial_started(&order, &configuration.name, self.plan.progress(&trials));
            let trial = self.trial(&order, configuration, &datasets, &calibrations).await?;
            let Some(trial) = trial else {
                return Ok(RunEnd::Interrupted);
            };
            self.dir.write_trial(&trial)?;
            let failed = matches!(trial.status, Status::Failed(_));
            trials.push(trial);
            if let Some(trial) = trials.last() {
                self.observer.trial_ended(trial, self.plan.progress(&trials));
            }
            if failed && let Some(cause) = self.lost().await {
                return Ok(RunEnd::ClusterLost(cause));
            }
        }
    }

    /// What is wrong with the cluster, if it does not answer.
    async fn lost(&self) -> Option<String> {
        if let Some(dead) = self.cluster.dead_broker() {
            return Some(dead);
        }
        self.cluster.admin.brokers().await.err().map(|error| error.to_string())
    }

    /// Writes the environment of a new run; a resumed one must be in the same.
    async fn check_environment(&self) -> Result<(), RunError> {
        let cluster = self.cluster.describe().await?;
        let now = environment::describe(cluster, environment::client_settings(&self.plan.scenario));
        match self.dir.read_environment()? {
            None => Ok(self.dir.write_environment(&now)?),
            Some(before) => {
                let differences = environment::differences(&before, &now);
                if differences.is_empty() {
                    return Ok(());
                }
                let differences = differences.join("; ");
                if !self.options.force {
                    return Err(RunError::OtherEnvironment(differences));
                }
                self.observer
                    .note(&format!("going on in another environment: {differences}"));
                Ok(())
            }
        }
    }

    async fn fill(&self) -> Result<Vec<Dataset>, RunError> {
        let specs = &self.plan.scenario.datasets;
        let shared = (0..specs.len()).filter(|index| self.is_shared(*index));
        let total: u64 = shared.map(|index| specs[index].records).sum();
        let produced = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let mut datasets = Vec::with_capacity(specs.len());
        for (index, spec) in specs.iter().enumerate() {
            if !self.is_shared(index) {
                // Every trial makes and fills its own.
                datasets.push(Dataset { topics: Vec::new() });
                continue;
            }
            let names: Vec<String> = (1..=spec.topics)
                .map(|topic| format!("{}-d{}-{topic}", self.prefix, index + 1))
                .collect();
            let filling = dataset::fill(
                &self.cluster.admin,
                &self.cluster.properties,
                spec,
                &names,
                self.plan.scenario.seed.wrapping_add(index as u64),
                Arc::clone(&produced),
                Arc::clone(&stop),
            );
            tokio::pin!(filling);
            let mut display = tokio::time::interval(Duration::from_millis(200));
            let dataset = loop {
                tokio::select! {
                    filled = &mut filling => break filled,
                    _ = display.tick() => self.observer.filling(produced.load(Ordering::Relaxed), total),
                }
                let dead = self.cluster.dead_broker();
                if dead.is_some() || self.interrupt.is_set() {
                    stop.store(true, Ordering::Relaxed);
                }
                if let Some(dead) = dead {
                    // The producers would go on trying for minutes; they end by themselves.
                    return Err(RunError::ClusterLost(dead));
                }
            };
            match dataset {
                Ok(dataset) => datasets.push(dataset),
                Err(DatasetError::Interrupted) => return Err(RunError::Interrupted),
                Err(error) => return Err(self.why_not_filled(error).await),
            }
        }
        if total > 0 {
            self.observer.filling(total, total);
        }
        Ok(datasets)
    }

    /// True for a data set that is filled once and read by many trials.
    fn is_shared(&self, dataset: usize) -> bool {
        let reads = |c: &Configuration| c.dataset == dataset && c.mode == Mode::Backlog;
        self.plan.scenario.configurations.iter().any(reads)
    }

    /// A broker that has died explains better why a data set could not be made.
    async fn why_not_filled(&self, error: DatasetError) -> RunError {
        // Its connections close a moment before its process has ended.
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.cluster
            .dead_broker()
            .map_or_else(|| error.into(), RunError::ClusterLost)
    }

    /// What work costs at each place where any is done.
    async fn calibrate(&self) -> Result<Vec<WorkCalibration>, RunError> {
        let scenario = &self.plan.scenario;
        let mut calibrations = Vec::with_capacity(scenario.places.len());
        for (index, place) in scenario.places.iter().enumerate() {
            let needs = |c: &Configuration| c.place == index && c.work != Work::None;
            if !scenario.configurations.iter().any(needs) {
                calibrations.push(WorkCalibration::default());
                continue;
            }
            self.observer.preparing("calibrating the work");
            let mut fleet = ProcessFleet::new(&self.options.run_id);
            let measured = calibration::measure(&mut fleet, &self.launch(place, "consumer")).await;
            let failed = |cause| RunError::Calibration {
                place: place.name.clone(),
                cause,
            };
            // A worker that cannot calibrate does its work by its own lights and says so in its trials.
            calibrations.push(measured.map_err(failed)?.unwrap_or_default());
        }
        Ok(calibrations)
    }

    /// Reads every data set once. What goes wrong here shows again in the trials, and counts there.
    async fn warm(&self, datasets: &[Dataset]) {
        for dataset in datasets.iter().filter(|dataset| !dataset.topics.is_empty()) {
            self.observer
                .preparing("reading the data once, so that it is in memory");
            let (bootstrap, properties) = (
                self.cluster.admin.bootstrap().to_owned(),
                self.cluster.properties.clone(),
            );
            let (group, topics) = (format!("{}-warm", self.prefix), dataset.topics.clone());
            let interrupted = self.interrupt.flag();
            let pass = move || warm::pass(&bootstrap, &properties, &group, &topics, &interrupted);
            if let Ok(Err(error)) = tokio::task::spawn_blocking(pass).await {
                self.observer
                    .note(&format!("the warming pass was not finished: {error}"));
            }
        }
    }

    /// Runs one trial; `None` where the user interrupted it.
    async fn trial(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        datasets: &[Dataset],
        calibrations: &[WorkCalibration],
    ) -> Result<Option<Trial>, RunError> {
        let place = &self.plan.scenario.places[configuration.place];
        let bootstrap = self
            .cluster
            .bootstrap(place.listener.as_deref())
            .ok_or_else(|| RunError::Listener {
                place: place.name.clone(),
                listener: place.listener.clone().unwrap_or_default(),
            })?;
        let settings =
            ClientProperties::of_consumers(&self.plan.scenario.cluster, configuration, &bootstrap).resolve()?;
        let name = format!("{}-t{}", self.prefix, order.number);
        let (topics, load) = match self.arrivals(order, configuration, &name).await {
            Ok(Some((topics, load))) => (topics, Some(load)),
            Ok(None) => (datasets[configuration.dataset].target(order.records), None),
            Err(_) if self.interrupt.is_set() => return Ok(None),
            Err(error) => return Ok(Some(self.not_prepared(order, configuration, &error))),
        };
        let calibration = calibrations[configuration.place];
        let limits = self.limits(order);
        let mut spec = TrialSpec::new(configuration, &name, topics, &settings, calibration, limits);
        let mut launches = vec![self.launch(place, "consumer"); spec.workers.len()];
        if let Some(load) = load {
            let here = &self.plan.scenario.places[0];
            launches.extend(load.producers.iter().map(|_| self.launch(here, "producer")));
            spec = spec.with_load(load);
        }
        let own_topics = spec.load.as_ref().map(LoadSpec::topics).unwrap_or_default();
        let mut fleet = ProcessFleet::new(&self.options.run_id);
        let started_at = jiff::Timestamp::now();
        let around = Around {
            admin: self.cluster.admin.clone(),
            cluster: &self.cluster,
            observer: self.observer.as_ref(),
        };
        let outcome = tokio::select! {
            biased;
            () = self.interrupt.wait() => None,
            outcome = drive::run(spec, &launches, &mut fleet, ProcessFleet::pids, &around) => Some(outcome),
        };
        let Some(outcome) = outcome else {
            // In order, so that the members leave their groups and these can be removed.
            fleet.shutdown(self.options.limits.exit).await;
            return Ok(None);
        };
        self.remove_topics(own_topics.into_iter().map(|(name, _)| name).collect())
            .await;
        let (status, flags) = self.judge(&outcome);
        Ok(Some(Trial {
            schema_version: TRIAL_SCHEMA_VERSION,
            order: order.clone(),
            configuration_name: configuration.name.clone(),
            session: self.options.session,
            started_at,
            status,
            flags,
            measurement: outcome.measurement,
        }))
    }

    /// The topics and producers of a trial in which records arrive; `None` for a backlog trial.
    async fn arrivals(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        trial: &str,
    ) -> Result<Option<(Vec<TopicTarget>, LoadSpec)>, ArrivalsError> {
        let (Some(load), Some(ordered)) = (configuration.mode.load(), order.load) else {
            return Ok(None);
        };
        let scenario = &self.plan.scenario;
        let bootstrap = self.cluster.admin.bootstrap().to_owned();
        let arrivals = Arrivals {
            configuration,
            load,
            ordered,
            topics: &scenario.datasets[configuration.dataset],
            cluster: &scenario.cluster,
            bootstrap: &bootstrap,
            trial,
            // The same arrivals for every configuration of a block.
            seed: scenario.seed.wrapping_add(u64::from(order.block)),
        };
        let (admin, properties) = (&self.cluster.admin, &self.cluster.properties);
        let stop = Arc::new(AtomicBool::new(false));
        let preparing = arrivals.prepare(admin, properties, Arc::clone(&stop));
        tokio::pin!(preparing);
        let mut looks = tokio::time::interval(Duration::from_millis(200));
        loop {
            tokio::select! {
                prepared = &mut preparing => return prepared.map(Some),
                _ = looks.tick() => {}
            }
            let dead = self.cluster.dead_broker();
            if dead.is_some() || self.interrupt.is_set() {
                stop.store(true, Ordering::Relaxed);
            }
            if let Some(dead) = dead {
                // The producers of a backlog would go on trying for minutes; they end by themselves.
                return Err(ArrivalsError::Lost(dead));
            }
        }
    }

    /// The limits of a trial. A search need not wait for what readers left that fell behind: that they did is known.
    fn limits(&self, order: &TrialOrder) -> Limits {
        let mut limits = self.options.limits;
        if let Some(capacity) = self.plan.scenario.capacity.filter(|_| order.kind == TrialKind::Search) {
            limits.drain = limits.drain.min(SEARCH_DRAIN + Duration::from_nanos(capacity.limit_ns));
        }
        limits
    }

    /// A trial that failed before any process was started.
    fn not_prepared(&self, order: &TrialOrder, configuration: &Configuration, error: &ArrivalsError) -> Trial {
        Trial {
            schema_version: TRIAL_SCHEMA_VERSION,
            order: order.clone(),
            configuration_name: configuration.name.clone(),
            session: self.options.session,
            started_at: jiff::Timestamp::now(),
            status: Status::Failed(Failure {
                kind: FailureKind::Cluster,
                who: None,
                message: error.to_string(),
            }),
            flags: Vec::new(),
            measurement: None,
        }
    }

    /// Removes the topics of a trial that made its own: nobody reads them any more.
    async fn remove_topics(&self, names: Vec<String>) {
        // They go with the data of the brokers; asking a dead one would only take its time.
        if self.cluster.dead_broker().is_some() {
            return;
        }
        if let Err(error) = self.cluster.admin.delete_topics(&names).await {
            self.observer.note(&format!(
                "topics of the trial are left until the end of the run: {error}"
            ));
        }
    }

    fn judge(&self, outcome: &Outcome) -> (Status, Vec<crate::measure::Flag>) {
        let (flags, excluded) = match &outcome.measurement {
            Some(measurement) => judge(measurement, &self.plan.exclusion),
            None => (Vec::new(), None),
        };
        let status = match (&outcome.failure, &outcome.measurement, excluded) {
            (Some(failure), _, _) => Status::Failed(failure.clone()),
            (None, Some(_), None) => Status::Complete,
            (None, Some(_), Some(reason)) => Status::Excluded { reason },
            (None, None, _) => Status::Failed(Failure {
                kind: FailureKind::WorkerProtocol,
                who: None,
                message: "the trial ended without a measurement".to_owned(),
            }),
        };
        (status, flags)
    }

    /// The command line of a worker at a place.
    fn launch(&self, place: &Place, role: &str) -> Launch {
        let program = self.options.program.to_string_lossy().into_owned();
        let mut command: Vec<String> = if place.launcher.is_empty() {
            vec![program, "worker".to_owned()]
        } else {
            place
                .launcher
                .iter()
                .map(|part| part.replace("{tandem}", &program))
                .collect()
        };
        if let Some(cpus) = &place.cpus {
            command.splice(0..0, ["taskset".to_owned(), "-c".to_owned(), cpus.clone()]);
        }
        command.push(role.to_owned());
        Launch {
            command,
            log: self.options.log_workers,
        }
    }

    /// Removes what the run made: topics and groups on a cluster that stays, or the brokers with everything.
    pub(super) async fn close(self, guardian: &Guardian) {
        if self.cluster.is_local() {
            if let Err(error) = self.cluster.close().await {
                self.observer.note(&format!("the brokers did not end well: {error}"));
            }
            return;
        }
        let admin = &self.cluster.admin;
        let removed = async {
            let topics = admin.topics(&format!("{}-", self.prefix)).await?;
            admin.delete_topics(&topics).await?;
            let groups = admin.groups(&format!("{}-", self.prefix)).await?;
            admin.delete_groups(&groups).await
        };
        match removed.await {
            Ok(()) => guardian.set_topics(None),
            Err(error) => self.observer.note(&format!(
                "topics and groups that start with {} may be left on {}: {error}; the next run there removes them",
                self.prefix,
                admin.bootstrap()
            )),
        }
    }
}

/// What a trial sees of the world.
struct Around<'a> {
    admin: Admin,
    cluster: &'a Cluster,
    observer: &'a dyn Observer,
}

impl Surroundings for Around<'_> {
    fn describe(&self, group_id: &str) -> impl Future<Output = Result<GroupDescription, String>> + Send + 'static {
        let (admin, group_id) = (self.admin.clone(), group_id.to_owned());
        async move { admin.describe_group(&group_id).await.map_err(|error| error.to_string()) }
    }

    fn end_offsets(
        &self,
        topics: &[(String, u32)],
    ) -> impl Future<Output = Result<Vec<Vec<i64>>, String>> + Send + 'static {
        let (admin, topics) = (self.admin.clone(), topics.to_vec());
        async move { admin.end_offsets(&topics).await.map_err(|error| error.to_string()) }
    }

    fn sample_at(&self, at_ns: u64, workers: &[u32]) -> JoinHandle<HostSample> {
        let (brokers, workers) = (self.cluster.broker_pids(), workers.to_vec());
        // A timer of the runtime may be a millisecond late and its threads busy; a sleeping thread is not.
        tokio::task::spawn_blocking(move || {
            // Looked up beforehand: at the start it would cost the readers a millisecond.
            let workers = with_their_groups(&workers);
            std::thread::sleep(Duration::from_nanos(at_ns.saturating_sub(clock::now_ns())));
            HostSample::take(&brokers, &workers)
        })
    }

    fn lost_cluster(&self) -> Option<String> {
        self.cluster.dead_broker()
    }

    fn progress(&self, phase: Phase, done: u64, total: u64) {
        self.observer.trial_progress(phase, done, total);
    }
}
