//! How a run ends: with the plan done, early, or with an error.

use super::cluster::ClusterError;
use super::confinement::LimitsError;
use super::database::NoDatabase;
use super::dataset::DatasetError;
use super::existing::ExistingError;
use super::fixed_group::GroupError;
use super::place_error::PlaceError;
use super::programs::BuildError;
use super::ready_made::ClientError;
use crate::kafka::admin::AdminError;
use crate::kafka::client::PropertyError;
use crate::store::StoreError;

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
    /// The store is gone; the rest was not run.
    StoreLost(String),
}

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
    /// There is no store.
    #[error(transparent)]
    Database(#[from] NoDatabase),
    /// A ready-made client is not there.
    #[error(transparent)]
    Client(#[from] ClientError),
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
    /// A topic of a chosen name on a cluster of somebody else's.
    #[error(
        "name = {name:?} in [dataset] is for clusters that tandem starts and for --cluster local: at {bootstrap} the topic \
         may be somebody's; leave `name` out, or read a topic that exists by topic = {name:?}"
    )]
    NamedElsewhere {
        /// The topic.
        name: String,
        /// The cluster.
        bootstrap: String,
    },
    /// A topic of a chosen name is there.
    #[error("name = {name:?} in [dataset]: {bootstrap} has a topic of that name; delete it, or choose another name")]
    NamedExists {
        /// The topic.
        name: String,
        /// The cluster.
        bootstrap: String,
    },
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
    /// The limits of a place cannot be set here.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// The workers of a place cannot be started.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Brokers that tandem starts cannot be reached from another host.
    #[error(
        "place {place}, as in {configuration:?}, is another machine, and the brokers that tandem starts are at 127.0.0.1: \
         add address = \"...\" to [cluster], a name or address of this machine that the other one reaches"
    )]
    OutOfReach {
        /// The place.
        place: String,
        /// A configuration with workers there.
        configuration: String,
    },
    /// The PostgreSQL that tandem starts cannot be reached from another host.
    #[error(
        "place {place}, as in {configuration:?}, is another machine, and the PostgreSQL that tandem starts is at 127.0.0.1: \
         give one that the other machine reaches by `url` in [store]"
    )]
    StoreOutOfReach {
        /// The place.
        place: String,
        /// A configuration with workers there.
        configuration: String,
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
        /// As the scenario has it.
        replication: u32,
        /// What there is.
        brokers: usize,
    },
    /// Workers cannot do what a configuration asks of them.
    #[error("{worker} cannot run this scenario: {cause}")]
    Worker {
        /// What was met, and where.
        worker: String,
        /// What it lacks, and for which configuration.
        cause: String,
    },
    /// Work could not be calibrated, and without that its amount would be wrong.
    #[error("cannot calibrate the work of {worker}: {cause}")]
    Calibration {
        /// What was met, and where.
        worker: String,
        /// What its worker did.
        cause: String,
    },
    /// The user asked to stop before there was anything to keep.
    #[error("interrupted")]
    Interrupted,
}
