//! One session of a run on an open cluster: fills the data sets, then runs and stores trial after trial.

mod beforehand;
mod existing;
mod prepare;
mod trials;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::dataset::kept::Keeping;
use super::dataset::{self, Dataset, DatasetError, Filling};
use super::ending::{RunEnd, RunError};
use super::environment;
use super::events::Observer;
use super::existing::{Amount, ReadAgain};
use super::fixed_group::wait_until_empty;
use super::guardian::Guardian;
use super::interrupt::Interrupt;
use super::options::RunOptions;
use super::programs::Programs;
use crate::kafka::doctor::is_permission;
use crate::kafka::names;
use crate::measure::{DeliveredTopics, KeptData, Status};
use crate::plan::{Next, Plan};
use crate::scenario::{Configuration, Mode};
use crate::secret::Hidden;
use crate::store::RunDir;

/// How long a broker that went away may take to come back, and how often it is looked for.
const BROKER_RETURN_LIMIT: Duration = Duration::from_secs(30);
const BROKER_RETURN_PAUSE: Duration = Duration::from_millis(500);

/// Pause between two looks at a filling.
const FILLING_LOOK: Duration = Duration::from_millis(200);

/// One session of a run on an open cluster.
pub(super) struct Session<'a> {
    /// With everything in it that only the cluster knows.
    pub(super) plan: &'a Plan,
    /// Which offsets the cluster delivers of each data set of existing topics; empty for one that is filled.
    pub(super) delivered: Vec<Arc<DeliveredTopics>>,
    pub(super) dir: &'a RunDir,
    pub(super) options: &'a RunOptions,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) interrupt: &'a Interrupt,
    /// By [`crate::scenario::Variant::cluster`], the scenario's own first.
    pub(super) clusters: Vec<Cluster>,
    pub(super) programs: Programs,
    /// Start of the names of topics and groups.
    pub(super) prefix: String,
    /// What is masked in what workers say.
    pub(super) hidden: Arc<Hidden>,
}

impl Session<'_> {
    /// Runs trials until the plan is done, the user interrupts or the cluster is gone.
    pub(super) async fn execute(&self) -> Result<RunEnd, RunError> {
        self.check_environment().await?;
        self.check_groups().await?;
        self.check_replication().await?;
        let calibrations = self.calibrate().await?;
        let datasets = match self.fill().await {
            Err(RunError::ClusterLost(cause)) => return Ok(RunEnd::ClusterLost(cause)),
            filled => filled?,
        };
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
            let trial = self.trial(
                &order,
                configuration,
                &datasets[configuration.variant.cluster],
                &calibrations,
            );
            let trial = trial.await?;
            let Some(trial) = trial else {
                return Ok(RunEnd::Interrupted);
            };
            self.dir.write_trial(&trial)?;
            let is_suspect = matches!(trial.status, Status::Failed(_)) || trial.broker_changes().is_some();
            trials.push(trial);
            if let Some(trial) = trials.last() {
                self.observer.trial_ended(trial, self.plan.progress(&trials));
            }
            if is_suspect && let Some(cause) = self.lost().await {
                return Ok(RunEnd::ClusterLost(cause));
            }
            let datasets = &datasets[configuration.variant.cluster];
            if is_suspect && let Some(cause) = self.lost_topics(trials.last(), configuration, datasets).await {
                return Ok(RunEnd::TopicsLost(cause));
            }
        }
    }

    /// The cluster that a configuration is run on.
    fn cluster(&self, configuration: &Configuration) -> &Cluster {
        &self.clusters[configuration.variant.cluster]
    }

    /// An error for want of a right, with what would allow it.
    pub(super) fn explained(&self, error: RunError) -> RunError {
        let on = match &error {
            RunError::DatasetOn { bootstrap, .. } => Some(bootstrap.as_str()),
            _ => None,
        };
        let cluster = self
            .clusters
            .iter()
            .find(|cluster| on == Some(cluster.admin.bootstrap()));
        let asker = &cluster.unwrap_or(&self.clusters[0]).asker;
        match asker.fix_refusal(&error.to_string(), &self.plan.scenario.existing_topics()) {
            Some(fix) => RunError::Denied {
                cause: Box::new(error),
                fix,
            },
            None => error,
        }
    }

    /// What happened to a broker run here that has ended.
    fn dead_broker(&self) -> Option<String> {
        self.clusters.iter().find_map(Cluster::dead_broker)
    }

    /// What is wrong with a cluster, if one does not answer or lacks a broker that it had. A broker that somebody else
    /// runs is given [`BROKER_RETURN_LIMIT`] to come back: the trials after would be of another cluster.
    async fn lost(&self) -> Option<String> {
        let deadline = Instant::now() + BROKER_RETURN_LIMIT;
        for cluster in &self.clusters {
            let mut is_noted = false;
            loop {
                if let Some(dead) = self.dead_broker() {
                    return Some(dead);
                }
                let missing = match cluster.missing_brokers().await {
                    Ok(missing) if missing.is_empty() => break,
                    Ok(missing) => missing.join(" and "),
                    Err(error) => return Some(error.to_string()),
                };
                if Instant::now() > deadline || self.interrupt.is_set() {
                    return Some(format!("{missing} went away and did not come back"));
                }
                if !std::mem::replace(&mut is_noted, true) {
                    let seconds = BROKER_RETURN_LIMIT.as_secs();
                    self.observer.note(&format!(
                        "{missing} went away; waiting up to {seconds} s for it to come back"
                    ));
                }
                tokio::time::sleep(BROKER_RETURN_PAUSE).await;
            }
        }
        None
    }

    /// Groups that the scenario fixes must be empty.
    async fn check_groups(&self) -> Result<(), RunError> {
        let configurations = &self.plan.scenario.configurations;
        let groups: BTreeSet<&String> = configurations.iter().filter_map(|c| c.group.as_ref()).collect();
        for cluster in &self.clusters {
            for group in &groups {
                wait_until_empty(&cluster.admin, group, &self.prefix).await?;
            }
        }
        Ok(())
    }

    /// Writes the environment of a new run; a resumed one must be in the same.
    async fn check_environment(&self) -> Result<(), RunError> {
        let own = self.clusters[0].describe().await?;
        let mut others = Vec::with_capacity(self.clusters.len() - 1);
        for cluster in &self.clusters[1..] {
            others.push(cluster.describe().await?);
        }
        for cluster in std::iter::once(&own).chain(&others) {
            if let Some(cause) = &cluster.settings_unknown {
                let bootstrap = &cluster.bootstrap;
                self.observer.note(&format!(
                    "the report goes without the settings of the brokers of {bootstrap}: {cause}"
                ));
            }
        }
        let builds = self.programs.describe().to_vec();
        let now = environment::describe(own, others, builds, environment::client_settings(&self.plan.scenario));
        match self.dir.read_environment()? {
            None => Ok(self.dir.write_environment(&now)?),
            Some(before) => {
                let differences = before.differences(&now);
                let forbidding = differences.iter().filter(|difference| difference.forbids_mixing);
                let forbidding: Vec<String> = forbidding.map(ToString::to_string).collect();
                if forbidding.is_empty() {
                    return Ok(());
                }
                let differences = forbidding.join("; ");
                if !self.options.force {
                    return Err(RunError::OtherEnvironment(differences));
                }
                self.observer
                    .note(&format!("going on in another environment: {differences}"));
                Ok(())
            }
        }
    }

    /// The data sets of each cluster.
    async fn fill(&self) -> Result<Vec<Vec<Dataset>>, RunError> {
        let specs = &self.plan.scenario.datasets;
        let shared = (0..specs.len()).filter(|index| self.is_shared(*index) && specs[*index].existing().is_none());
        let total = shared.map(|index| specs[index].records).sum::<u64>() * self.clusters.len() as u64;
        let produced = Arc::new(AtomicU64::new(0));
        let mut filled = Vec::with_capacity(self.clusters.len());
        let mut kept = Vec::new();
        for cluster in &self.clusters {
            let mut datasets = Vec::with_capacity(specs.len());
            for (index, spec) in specs.iter().enumerate() {
                let existing = spec.existing().and_then(|existing| existing.found.as_ref());
                datasets.push(if let Some(found) = existing {
                    Dataset::existing(found, Arc::clone(&self.delivered[index]))
                } else if self.is_shared(index) {
                    let (dataset, keeps) = self.fill_one(cluster, index, &produced, total).await?;
                    kept.extend(keeps);
                    dataset
                } else {
                    // Every trial makes and fills its own.
                    Dataset::default()
                });
            }
            filled.push(datasets);
        }
        self.note_kept(kept)?;
        if total > 0 {
            self.observer.filling(total, total);
        }
        Ok(filled)
    }

    /// Writes into the environment which data sets are kept.
    fn note_kept(&self, kept: Vec<KeptData>) -> Result<(), RunError> {
        if kept.is_empty() {
            return Ok(());
        }
        if let Some(mut environment) = self.dir.read_environment()? {
            environment.kept_data.extend(kept);
            self.dir.write_environment(&environment)?;
        }
        Ok(())
    }

    /// Fills a data set on a cluster; `produced` counts the records of all, of which there will be `total`.
    async fn fill_one(
        &self,
        cluster: &Cluster,
        index: usize,
        produced: &Arc<AtomicU64>,
        total: u64,
    ) -> Result<(Dataset, Option<KeptData>), RunError> {
        let spec = &self.plan.scenario.datasets[index];
        let names: Vec<String> = (1..=spec.topics)
            .map(|topic| names::data_topic(&self.prefix, index + 1, topic))
            .collect();
        let stop = Arc::new(AtomicBool::new(false));
        let seed = self.plan.scenario.seed.wrapping_add(index as u64);
        let (admin, properties) = (&cluster.admin, &cluster.properties);
        let filling = async {
            let (produced, interrupted) = (Arc::clone(produced), Arc::clone(&stop));
            if !self.options.keep_data {
                let bootstrap = admin.bootstrap();
                let filling = Filling::new(bootstrap, properties, spec, &names, seed, produced, interrupted);
                return Ok((dataset::fill(admin, filling).await?, None));
            }
            let keeping = Keeping {
                admin,
                properties,
                prefix: &self.plan.scenario.cluster.prefix,
                run: &self.prefix,
                spec,
                seed,
                observer: self.observer.as_ref(),
                produced,
                interrupted,
            };
            let (filled, kept) = keeping.find_or_fill().await?;
            Ok((filled, Some(kept)))
        };
        let show = || self.observer.filling(produced.load(Ordering::Relaxed), total);
        match self
            .guarded(&stop, filling, show)
            .await
            .map_err(RunError::ClusterLost)?
        {
            Ok(filled) => Ok(filled),
            Err(DatasetError::Interrupted) => Err(RunError::Interrupted),
            Err(error) => Err(self.why_not_filled(cluster, error).await),
        }
    }

    /// Waits for a filling, and sets `stop` where a broker run here dies or the user interrupts. The error is what
    /// happened to the broker: the producers would go on trying for minutes, and end by themselves.
    async fn guarded<T>(
        &self,
        stop: &AtomicBool,
        filling: impl Future<Output = T>,
        show: impl Fn(),
    ) -> Result<T, String> {
        tokio::pin!(filling);
        let mut looks = tokio::time::interval(FILLING_LOOK);
        loop {
            tokio::select! {
                filled = &mut filling => return Ok(filled),
                _ = looks.tick() => show(),
            }
            let dead = self.dead_broker();
            if dead.is_some() || self.interrupt.is_set() {
                stop.store(true, Ordering::Relaxed);
            }
            if let Some(dead) = dead {
                return Err(dead);
            }
        }
    }

    /// True for a data set that is filled once and read by many trials.
    fn is_shared(&self, dataset: usize) -> bool {
        let reads = |c: &Configuration| c.dataset == dataset && c.mode == Mode::Backlog;
        self.plan.scenario.configurations.iter().any(reads)
    }

    /// A broker that has died explains better why a data set could not be made.
    async fn why_not_filled(&self, cluster: &Cluster, cause: DatasetError) -> RunError {
        // Its connections close a moment before its process has ended.
        tokio::time::sleep(Duration::from_millis(300)).await;
        match self.dead_broker() {
            Some(dead) => RunError::ClusterLost(dead),
            None if self.clusters.len() == 1 => cause.into(),
            None => RunError::DatasetOn {
                bootstrap: cluster.admin.bootstrap().to_owned(),
                cause,
            },
        }
    }

    /// Reads every data set once. What goes wrong here goes wrong again in the trials, and counts there.
    async fn warm(&self, filled: &[Vec<Dataset>]) {
        let sets = self.clusters.iter().zip(filled);
        let scenario = &self.plan.scenario;
        let sets = sets.flat_map(|(cluster, datasets)| (0..).zip(datasets).map(move |set| (cluster, set)));
        for (cluster, (index, dataset)) in sets.filter(|(_, (_, dataset))| !dataset.topics.is_empty()) {
            // The first session has read what exists to find out what it holds.
            if dataset.delivered.is_some() && self.options.session == 1 {
                continue;
            }
            self.observer
                .preparing("reading the data once, so that it is in memory");
            let again = ReadAgain::of(cluster, scenario, index, &self.prefix, self.interrupt.flag());
            let warmed = again.delivered(dataset.topics.clone(), Amount::All).await;
            if let Err(error) = warmed
                && !self.interrupt.is_set()
            {
                self.observer
                    .note(&format!("the warming pass was not finished: {error}"));
            }
        }
    }

    /// Removes what the run made: topics and groups on clusters that stay, or the brokers with everything.
    pub(super) async fn close(self, guardian: &Guardian) {
        for cluster in self.clusters {
            if cluster.is_local() {
                if let Err(error) = cluster.close().await {
                    self.observer.note(&format!("the brokers did not end well: {error}"));
                }
                continue;
            }
            let admin = &cluster.admin;
            let waiting = |what: &str| self.observer.note(what);
            match admin.delete_named(&format!("{}-", self.prefix), &waiting).await {
                Ok(_) => guardian.unregister_topics(admin.bootstrap()),
                // The next run there has no more rights than this one. Topics came first and are gone.
                Err(error) if is_permission(&error) => {
                    guardian.unregister_topics(admin.bootstrap());
                    self.observer.note(&format!(
                        "what starts with {} stays on {}: {error}; groups expire by themselves",
                        self.prefix,
                        admin.bootstrap()
                    ));
                }
                Err(error) => self.observer.note(&format!(
                    "topics and groups that start with {} may be left on {}: {error}; the next run there removes them",
                    self.prefix,
                    admin.bootstrap()
                )),
            }
        }
    }
}
