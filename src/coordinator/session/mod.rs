//! One session of a run on an open cluster: fills the data sets, then runs and stores trial after trial.

mod beforehand;
mod datasets;
mod named;
mod places;
mod prepare;
mod recording;
mod stored;
mod topic_checks;
mod trials;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::confinement::Confinement;
use super::database::Database;
use super::ending::{RunEnd, RunError};
use super::environment::{self, Clients};
use super::events::Observer;
use super::fixed_group::wait_until_empty;
use super::guardian::Guardian;
use super::interrupt::Interrupt;
use super::options::RunOptions;
use super::places::Places;
use super::programs::Programs;
use super::steps::Steps;
use crate::kafka::doctor::is_permission;
use crate::kafka::local::READY_LIMIT;
use crate::measure::{DeliveredTopics, Measurement, Status, Step};
use crate::plan::{Next, Plan};
use crate::scenario::Configuration;
use crate::secret::Hidden;
use crate::store::RunDir;

/// How long a broker that went away may take to come back, and how often it is looked for.
const BROKER_RETURN_LIMIT: Duration = Duration::from_secs(30);
const BROKER_RETURN_PAUSE: Duration = Duration::from_millis(500);

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
    /// In which records end.
    pub(super) database: Option<Database>,
    pub(super) programs: Programs,
    /// The places that are not this machine.
    pub(super) places: &'a Places,
    /// Where places limit their processes.
    pub(super) confinement: Option<&'a Confinement>,
    /// Start of the names of topics and groups.
    pub(super) prefix: String,
    /// True from when the cluster was seen to have none of the topics that the user named.
    pub(super) named_are_ours: AtomicBool,
    /// What is masked in what workers say.
    pub(super) hidden: Arc<Hidden>,
    pub(super) steps: &'a Steps,
}

impl Session<'_> {
    /// Runs trials until the plan is done, the user interrupts or the cluster is gone.
    pub(super) async fn execute(&self) -> Result<RunEnd, RunError> {
        self.steps.begin(Step::Checking);
        self.check_groups().await?;
        self.check_named_topics().await?;
        self.check_replication().await?;
        for configuration in &self.plan.scenario.configurations {
            for place in self.plan.scenario.places_of(configuration) {
                self.address(configuration, place)?;
            }
        }
        let (calibrations, clients) = self.meet_workers().await?;
        self.check_environment(clients).await?;
        self.steps.begin(Step::Data);
        let datasets = match self.fill().await {
            Err(RunError::ClusterLost(cause)) => return Ok(RunEnd::ClusterLost(cause)),
            filled => filled?,
        };
        if self.options.session > 1 || self.plan.scenario.warmup_blocks == 0 {
            self.warm(&datasets).await;
        }
        self.steps.begin(Step::Trials);
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
            let is_suspect = matches!(trial.status, Status::Failed(_))
                || trial.broker_changes().is_some()
                || trial.measurement.as_ref().is_some_and(Measurement::acted_on_brokers);
            trials.push(trial);
            if let Some(trial) = trials.last() {
                self.observer.trial_ended(trial, self.plan.progress(&trials));
            }
            if is_suspect && let Some(cause) = self.lost().await {
                return Ok(RunEnd::ClusterLost(cause));
            }
            if is_suspect && let Some(cause) = self.lost_store().await {
                return Ok(RunEnd::StoreLost(cause));
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
        self.clusters.iter().find_map(|cluster| cluster.dead_broker(&[]))
    }

    /// What is wrong with a cluster, if one does not answer or lacks a broker that it had. A broker that somebody else
    /// runs is given [`BROKER_RETURN_LIMIT`] to come back, and one that the run has started again as long as at the beginning:
    /// the trials after would be of another cluster.
    async fn lost(&self) -> Option<String> {
        for cluster in &self.clusters {
            let limit = if cluster.own_brokers().is_empty() {
                BROKER_RETURN_LIMIT
            } else {
                READY_LIMIT
            };
            let deadline = Instant::now() + limit;
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
                    let seconds = limit.as_secs();
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
    async fn check_environment(&self, clients: Clients<'_>) -> Result<(), RunError> {
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
        let store = self.database.as_ref().map(Database::describe);
        let now = environment::describe(own, others, store, builds, clients.into_list());
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

    /// Removes what the run made: topics, groups and tables where clusters and databases stay, or servers with everything.
    pub(super) async fn close(mut self, guardian: &Guardian) {
        if let Some(database) = self.database.take() {
            self.close_database(database, guardian).await;
        }
        let longest_session = self.longest_session();
        for cluster in std::mem::take(&mut self.clusters) {
            if cluster.is_local() {
                if let Err(error) = cluster.close().await {
                    self.observer.note(&format!("the brokers did not end well: {error}"));
                }
                continue;
            }
            self.remove_named(&cluster).await;
            let admin = &cluster.admin;
            let waiting = |what: &str| self.observer.note(what);
            match admin
                .delete_named(&format!("{}-", self.prefix), longest_session, &waiting)
                .await
            {
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
