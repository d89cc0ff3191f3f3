//! What cluster to run here.

use std::path::PathBuf;
use std::time::Duration;

use super::properties::{BrokerSettings, ListenerSpec};

/// How long the brokers may take until a client sees them all.
pub const READY_LIMIT: Duration = Duration::from_secs(60);

/// What cluster to run.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Number of brokers, at least 1; without ZooKeeper the first is a controller too, or the first three if there are
    /// so many.
    pub brokers: u32,
    /// True for a cluster that keeps its metadata in a ZooKeeper, started with it; the version must be able to.
    pub zookeeper: bool,
    /// Heap of each broker in MiB.
    pub heap_mib: u32,
    /// Port of the first broker's internal listener, the next ones for the others; any free ones where `None`.
    pub port: Option<u16>,
    /// Listeners beside the internal one.
    pub listeners: Vec<ListenerSpec>,
    /// Folder in which the cluster's own folder is made.
    pub data_parent: PathBuf,
    /// What the brokers' settings are to be.
    pub settings: BrokerSettings,
    /// Id of the run, part of the folder's name and mark of all processes.
    pub run_id: String,
}
