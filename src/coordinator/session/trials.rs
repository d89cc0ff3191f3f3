//! One trial of a session: its topics and producers, its processes, its judgement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Session;
use crate::coordinator::arrivals::{Arrivals, ArrivalsError};
use crate::coordinator::calibration::Calibrations;
use crate::coordinator::cluster::Cluster;
use crate::coordinator::dataset::Dataset;
use crate::coordinator::drive::{self, Amount, Outcome, Surroundings};
use crate::coordinator::events::Observer;
use crate::coordinator::existing::ReadAgain;
use crate::coordinator::fixed_group::{self, GroupError, wait_until_empty};
use crate::coordinator::fleet::{Fleet, Launch, ProcessFleet};
use crate::coordinator::host::HostSample;
use crate::coordinator::processes::with_their_groups;
use crate::coordinator::run::RunError;
use crate::coordinator::spec::{Limits, LoadSpec, TrialSpec};
use crate::coordinator::trial::Phase;
use crate::kafka::GroupDescription;
use crate::kafka::admin::Admin;
use crate::kafka::client::ClientProperties;
use crate::kafka::names;
use crate::measure::DeliveredTopics;
use crate::measure::clock;
use crate::measure::judge::judge;
use crate::measure::{Failure, FailureKind, Status, TRIAL_SCHEMA_VERSION, Trial, TrialKind, TrialOrder};
use crate::protocol::TopicTarget;
use crate::scenario::{Commit, Configuration, Mode, Place};

/// How long a search waits, beyond its objective's limit, for what has arrived to be read.
const SEARCH_DRAIN: Duration = Duration::from_secs(1);

impl Session<'_> {
    /// Runs one trial; `None` where the user interrupted it.
    pub(super) async fn trial(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        datasets: &[Dataset],
        calibrations: &Calibrations,
    ) -> Result<Option<Trial>, RunError> {
        let build = configuration.variant.build;
        self.programs.check(build)?;
        let cluster = self.cluster(configuration);
        let place = &self.plan.scenario.places[configuration.place];
        let bootstrap = cluster
            .bootstrap(place.listener.as_deref())
            .ok_or_else(|| RunError::Listener {
                place: place.name.clone(),
                listener: place.listener.clone().unwrap_or_default(),
            })?;
        let spec = self.plan.scenario.cluster_of(configuration);
        let partitions = self.plan.scenario.datasets[configuration.dataset].partitions_of_all();
        let settings = ClientProperties::of_consumers(spec, configuration, &bootstrap)
            .with_statistics(configuration, partitions)
            .resolve()?;
        let ready = tokio::select! {
            biased;
            () = self.interrupt.wait() => return Ok(None),
            ready = self.prepare_group(order, configuration, datasets) => ready,
        };
        if let Err(error) = ready {
            return Ok(Some(self.not_prepared(order, configuration, &error)));
        }
        let name = names::trial(&self.prefix, order.number);
        let (mut topics, load) = match self.arrivals(order, configuration, &name).await {
            Ok(Some((topics, load))) => (topics, Some(load)),
            Ok(None) => (datasets[configuration.dataset].target(order.records), None),
            Err(_) if self.interrupt.is_set() => return Ok(None),
            Err(error) => {
                let topics = self.plan.scenario.datasets[configuration.dataset].topics;
                let names = (1..=topics).map(|topic| names::arrivals_topic(&name, topic)).collect();
                self.remove_topics(cluster, names).await;
                return Ok(Some(self.not_prepared(order, configuration, &error)));
            }
        };
        let calibration = calibrations.of(build, configuration.place);
        let limits = self.limits(order, configuration);
        let reference = match &datasets[configuration.dataset].delivered {
            Some(delivered) => match self.reference(cluster, delivered, &mut topics).await {
                Ok(reference) => Some(reference),
                Err(error) => return Ok(Some(self.not_prepared(order, configuration, &error))),
            },
            None => None,
        };
        let mut spec = TrialSpec::new(configuration, &name, topics, &settings, calibration, limits);
        if let Some(reference) = reference {
            spec = spec.with_reference(reference);
        }
        let mut launches = vec![self.launch(place, build, "consumer"); spec.workers.len()];
        if let Some(load) = load {
            let here = &self.plan.scenario.places[0];
            launches.extend(load.producers.iter().map(|_| self.launch(here, build, "producer")));
            spec = spec.with_load(load);
        }
        let own_topics = spec.load.as_ref().map(LoadSpec::topics).unwrap_or_default();
        let mut fleet = ProcessFleet::new(&self.options.run_id, Arc::clone(&self.hidden));
        let started_at = jiff::Timestamp::now();
        let around = Around {
            admin: cluster.admin.clone(),
            cluster,
            observer: self.observer.as_ref(),
            again: self.again(cluster, configuration),
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
        self.remove_topics(cluster, own_topics.into_iter().map(|(name, _)| name).collect())
            .await;
        let (status, flags) = self.judge(&outcome);
        Ok(Some(Trial {
            flags,
            measurement: outcome.measurement,
            ..self.ended(order, configuration, started_at, status)
        }))
    }

    /// A trial that ended so, without figures.
    fn ended(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        started_at: jiff::Timestamp,
        mut status: Status,
    ) -> Trial {
        if let Status::Failed(failure) = &mut status
            && let Some(mend) = self
                .cluster(configuration)
                .asker
                .mend_refusal(&failure.message, &self.plan.scenario.existing_topics())
        {
            failure.message = format!("{}; to mend it: {mend}", failure.message);
        }
        Trial {
            schema_version: TRIAL_SCHEMA_VERSION,
            order: order.clone(),
            configuration_name: configuration.name.clone(),
            session: self.options.session,
            started_at,
            status,
            flags: Vec::new(),
            measurement: None,
        }
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
        let cluster = self.cluster(configuration);
        let bootstrap = cluster.admin.bootstrap().to_owned();
        let arrivals = Arrivals {
            configuration,
            load,
            ordered,
            topics: &scenario.datasets[configuration.dataset],
            cluster: scenario.cluster_of(configuration),
            bootstrap: &bootstrap,
            trial,
            // The same arrivals for every configuration of a block.
            seed: scenario.seed.wrapping_add(u64::from(order.block)),
        };
        let (admin, properties) = (&cluster.admin, &cluster.properties);
        let stop = Arc::new(AtomicBool::new(false));
        let preparing = arrivals.prepare(admin, properties, Arc::clone(&stop));
        tokio::pin!(preparing);
        let mut looks = tokio::time::interval(Duration::from_millis(200));
        loop {
            tokio::select! {
                prepared = &mut preparing => return prepared.map(Some),
                _ = looks.tick() => {}
            }
            let dead = cluster.dead_broker();
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
    fn limits(&self, order: &TrialOrder, configuration: &Configuration) -> Limits {
        let mut limits = self.options.limits;
        limits.read = limits.read.max(self.longest_reading(configuration));
        if let Some(capacity) = self.plan.scenario.capacity.filter(|_| order.kind == TrialKind::Search) {
            limits.drain = limits.drain.min(SEARCH_DRAIN + Duration::from_nanos(capacity.limit_ns));
        }
        limits
    }

    /// Makes a fixed group ready for a trial: nobody is in it, and what trials before have committed is overwritten
    /// where this one commits too. The topics that a trial makes itself have nothing committed.
    async fn prepare_group(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        datasets: &[Dataset],
    ) -> Result<(), GroupError> {
        let Some(group) = &configuration.group else {
            return Ok(());
        };
        let cluster = self.cluster(configuration);
        wait_until_empty(&cluster.admin, group, &self.prefix).await?;
        if configuration.mode != Mode::Backlog || configuration.commit == Commit::None {
            return Ok(());
        }
        let topics = datasets[configuration.dataset].target(order.records);
        fixed_group::reset(&cluster.admin, &cluster.properties, group, &topics).await
    }

    /// A trial that failed before any process was started.
    fn not_prepared(&self, order: &TrialOrder, configuration: &Configuration, error: &impl ToString) -> Trial {
        let failure = Failure {
            kind: FailureKind::Cluster,
            who: None,
            message: error.to_string(),
        };
        self.ended(order, configuration, jiff::Timestamp::now(), Status::Failed(failure))
    }

    /// Removes the topics of a trial that made its own: nobody reads them any more.
    async fn remove_topics(&self, cluster: &Cluster, names: Vec<String>) {
        // They go with the data of the brokers; asking a dead one would only take its time.
        if cluster.dead_broker().is_some() {
            return;
        }
        if let Err(error) = cluster.admin.delete_topics(&names).await {
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

    /// The command line of a worker of a build at a place.
    pub(super) fn launch(&self, place: &Place, build: usize, role: &str) -> Launch {
        let program = self.programs.path(build).to_string_lossy().into_owned();
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
}

/// What a trial sees of the world.
struct Around<'a> {
    admin: Admin,
    cluster: &'a Cluster,
    observer: &'a dyn Observer,
    /// Reads topics that existed again.
    again: Option<ReadAgain>,
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

    fn delivered_now(
        &self,
        topics: Vec<TopicTarget>,
        amount: Amount,
    ) -> impl Future<Output = Result<DeliveredTopics, String>> + Send + 'static {
        let again = self.again.clone();
        async move {
            let again = again.ok_or("the topics are the run's own")?;
            again.delivered(topics, amount).await.map_err(|error| error.to_string())
        }
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
