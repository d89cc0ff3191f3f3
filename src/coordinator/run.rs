//! A run: puts the guardian up, opens the cluster, and hands both to a session.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use super::cluster::{Cluster, ClusterError, Opening, provide};
use super::dataset::DatasetError;
use super::events::Observer;
use super::existing::{self, ExistingError, Resolved};
use super::fixed_group::GroupError;
use super::guardian::Guardian;
use super::leftovers::LeftTopics;
use super::memory::Started;
use super::programs::{BuildError, Programs};
use super::session::Session;
use super::spec::Limits;
use crate::kafka::admin::AdminError;
use crate::kafka::client::PropertyError;
use crate::kafka::local::Keeper;
use crate::measure::limits::{self, Kernel};
use crate::plan::Plan;
use crate::scenario::{ClusterSpec, Scenario};
use crate::store::{RunDir, StoreError};

/// Why a run could not take place, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// There is no cluster to compare with.
    #[error("the cluster of --against, {bootstrap}: {cause}")]
    OtherCluster {
        /// Its address.
        bootstrap: String,
        /// Why.
        cause: ClusterError,
    },
    /// Two addresses are of one cluster.
    #[error("--against {bootstrap} leads to the cluster that the scenario runs on ({id}); name another one")]
    SameCluster {
        /// The second address.
        bootstrap: String,
        /// The id of the cluster.
        id: String,
    },
    /// A build cannot be measured.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The cluster refused something.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A right is missing.
    #[error("{cause}\n         fix: {fix}")]
    Denied {
        /// What was refused.
        cause: Box<RunError>,
        /// What would allow it, in the doctor's words.
        fix: String,
    },
    /// A data set could not be made.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A data set could not be made on one of several clusters.
    #[error("on {bootstrap}: {cause}")]
    DatasetOn {
        /// The cluster's address.
        bootstrap: String,
        /// Why.
        cause: DatasetError,
    },
    /// The group that the scenario fixes cannot be used.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// Topics that exist cannot be read.
    #[error(transparent)]
    Existing(#[from] ExistingError),
    /// A client property has no value.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// The run's folder could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The guardian could not be started.
    #[error("cannot start the guardian: {0}")]
    Guardian(std::io::Error),
    /// The run was begun somewhere else.
    #[error("the run was begun in another environment: {0}; --force goes on all the same")]
    OtherEnvironment(String),
    /// A place's listener does not exist.
    #[error("place {place} uses listener {listener}, which the cluster does not have")]
    Listener {
        /// The place.
        place: String,
        /// The listener.
        listener: String,
    },
    /// A broker ended before there was anything to measure.
    #[error("{0}")]
    ClusterLost(String),
    /// A data set wants more replicas than there are brokers.
    #[error(
        "replication = {replication} in [dataset] needs as many brokers, and the cluster at {bootstrap} has {brokers}; \
         lower it to {brokers} or name a larger cluster"
    )]
    Replication {
        /// The cluster.
        bootstrap: String,
        /// What is wanted.
        replication: u32,
        /// What there is.
        brokers: usize,
    },
    /// Workers cannot do what a configuration asks of them.
    #[error("the worker at place {place} cannot run this scenario: {cause}")]
    Worker {
        /// The place.
        place: String,
        /// What it lacks.
        cause: String,
    },
    /// Work could not be calibrated, and without that its amount would be wrong.
    #[error("cannot calibrate the work at place {place}: {cause}")]
    Calibration {
        /// The place.
        place: String,
        /// What its worker did.
        cause: String,
    },
    /// The user asked to stop before there was anything to keep.
    #[error("interrupted")]
    Interrupted,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// Everything in the plan was run, or given up after repeated failure.
    Done,
    /// The user asked to stop; what has ended is stored.
    Interrupted,
    /// The cluster is gone; the rest was not run.
    ClusterLost(String),
    /// Topics of the run are gone or changed; the rest was not run.
    TopicsLost(String),
}

/// Asks a run to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
    notify: Arc<Notify>,
}

impl Interrupt {
    /// Asks.
    pub fn set(&self) {
        self.flag.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    /// True once asked.
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    /// The flag, for code that cannot wait.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Waits until asked.
    pub async fn wait(&self) {
        let notified = self.notify.notified();
        if !self.is_set() {
            notified.await;
        }
    }
}

/// What a run needs to know besides its plan.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// This program, for workers and the guardian.
    pub program: PathBuf,
    /// Unique name of this session of the run, part of the names of topics and groups.
    pub run_id: String,
    /// 1, and one more for every resumption.
    pub session: u32,
    /// Folder under which brokers keep their data.
    pub data_parent: PathBuf,
    /// Folder of the records of leftovers.
    pub state: PathBuf,
    /// Time limits of trials.
    pub limits: Limits,
    /// Print what workers log.
    pub log_workers: bool,
    /// Go on in another environment.
    pub force: bool,
    /// Keep the data sets for later runs, and use those that earlier ones have kept. The clusters must outlive the run.
    pub keep_data: bool,
}

/// Runs a plan in a run's folder until nothing is left, the user interrupts or the cluster is gone.
pub async fn run(
    plan: &Plan,
    dir: &RunDir,
    options: &RunOptions,
    observer: Arc<dyn Observer>,
    interrupt: &Interrupt,
) -> Result<RunEnd, RunError> {
    let guardian = Guardian::start(&options.program, &options.run_id, dir.path(), &options.state);
    let guardian = Arc::new(guardian.map_err(RunError::Guardian)?);
    let result = execute(plan, dir, options, &observer, interrupt, &guardian).await;
    if let Some(problem) = guardian.problem() {
        observer.note(&problem);
    }
    if let Err(error) = guardian.finish() {
        observer.note(&format!("the guardian did not end well: {error}"));
    }
    result
}

/// Asks the builds who they are, opens the clusters, and runs a session on them.
async fn execute(
    plan: &Plan,
    dir: &RunDir,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
    interrupt: &Interrupt,
    guardian: &Arc<Guardian>,
) -> Result<RunEnd, RunError> {
    let scenario = &plan.scenario;
    existing::check_cluster(scenario)?;
    let asking = Programs::ask(&options.program, scenario, &options.run_id, options.log_workers);
    let programs = tokio::select! {
        asked = asking => asked?,
        () = interrupt.wait() => return Err(RunError::Interrupted),
    };
    let prefix = format!("{}{}", scenario.cluster.prefix, options.run_id);
    let addresses = || scenario.clusters().filter_map(|spec| Some((spec, spec.bootstrap()?)));
    for (spec, bootstrap) in addresses() {
        guardian.register_topics(LeftTopics {
            bootstrap: bootstrap.to_owned(),
            prefix: prefix.clone(),
            client: spec.client.clone(),
        });
    }
    let clusters = match open(scenario, options, observer, interrupt, guardian).await {
        Ok(clusters) => clusters,
        Err(error) => {
            // Nothing was made there yet.
            addresses().for_each(|(_, bootstrap)| guardian.unregister_topics(bootstrap));
            return Err(if interrupt.is_set() {
                RunError::Interrupted
            } else {
                error
            });
        }
    };
    let resolved = existing::resolve(plan, dir, &clusters[0], &prefix, observer.as_ref(), interrupt).await;
    let (resolved, refused) = match resolved {
        Ok(resolved) => (resolved, None),
        Err(error) => (Resolved::unseen(plan), Some(error)),
    };
    let session = Session {
        plan: &resolved.plan,
        delivered: resolved.delivered.clone(),
        dir,
        options,
        observer: Arc::clone(observer),
        interrupt,
        clusters,
        programs,
        prefix,
        hidden: Arc::new(crate::kafka::client::hidden(&resolved.plan.scenario)),
    };
    let ended = match refused {
        None => session.execute().await,
        Some(error) => Err(error),
    };
    let ended = ended.map_err(|error| session.explained(error));
    session.close(guardian).await;
    ended
}

/// The clusters of a scenario, its own first.
async fn open(
    scenario: &Scenario,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
    interrupt: &Interrupt,
    guardian: &Arc<Guardian>,
) -> Result<Vec<Cluster>, RunError> {
    let machine = limits::Limits::of_this_process(&Kernel::running());
    let heap_mib = Started::by(scenario).broker_heap_mib(&machine);
    let open = |index: usize, spec| {
        let keeper: Arc<dyn Keeper> = Arc::<Guardian>::clone(guardian);
        let opening = Opening {
            run_id: options.run_id.clone(),
            data_parent: options.data_parent.clone(),
            heap_mib,
            keeper,
            observer: Arc::clone(observer),
            interrupted: interrupt.flag(),
        };
        Cluster::open(spec, scenario.needs(index), opening)
    };
    if scenario.clusters().count() > 1 {
        let versions = scenario.clusters().filter_map(ClusterSpec::version).collect();
        provide(versions, Arc::clone(observer)).await?;
    }
    // Those that run already first: brokers of our own take their time, and would have to be ended again.
    let mut others = Vec::new();
    for (index, spec) in scenario.variants.clusters.iter().enumerate() {
        others.push(open(index + 1, spec).await.map_err(|cause| match spec.bootstrap() {
            Some(bootstrap) => RunError::OtherCluster {
                bootstrap: bootstrap.to_owned(),
                cause,
            },
            // It names the version itself.
            None => cause.into(),
        })?);
    }
    let own = open(0, &scenario.cluster).await?;
    for other in &others {
        let ids = (own.admin.cluster_id().await, other.admin.cluster_id().await);
        if let (Some(id), Some(same)) = ids
            && id == same
        {
            let bootstrap = other.admin.bootstrap().to_owned();
            return Err(RunError::SameCluster { bootstrap, id });
        }
    }
    Ok(std::iter::once(own).chain(others).collect())
}
