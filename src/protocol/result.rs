//! What a worker recorded in a trial.

use serde::{Deserialize, Serialize};

use super::observed::ProgramResult;
use crate::measure::{ClientStatistics, PartitionMeasurement, ProcessUsage, ReadingTime, Rebalance, StoreUse, Stretch};

/// What a worker recorded in a trial.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct WorkerResult {
    /// One entry per consumer, in the order of [`super::Prepare::consumers`].
    pub members: Vec<MemberResult>,
    /// Resources from the start to the last record.
    #[serde(default)]
    pub window: Option<ProcessUsage>,
    /// Resources since the process began.
    #[serde(default)]
    pub stopwatch: Option<ProcessUsage>,
    /// Times of half a second or more in which the process did not run; `None` if it does not check.
    #[serde(default)]
    pub pauses: Option<Vec<Stretch>>,
    /// What an observer saw of its program; `None` of other workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramResult>,
}

/// What one consumer recorded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemberResult {
    /// What it read of each partition that it held.
    pub partitions: Vec<PartitionMeasurement>,
    /// Sum of the time in work.
    #[serde(default)]
    pub work_ns: Option<u64>,
    /// What it did with the store (capability `store`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreUse>,
    /// Records in the client's queue at the start.
    #[serde(default)]
    pub queued_at_start: Option<u64>,
    /// Commits sent.
    #[serde(default)]
    pub commits: u64,
    /// What its reading threads did with their time (capability `reading`).
    #[serde(default)]
    pub reading: Option<ReadingTime>,
    /// What its client library counted itself (capability `statistics`).
    #[serde(default)]
    pub client: Option<ClientStatistics>,
    /// Assignments and revocations in order.
    #[serde(default)]
    pub rebalances: Vec<Rebalance>,
    /// Heartbeats that its client sent to the group's coordinator, as late as the client's statistics come; only where
    /// [`super::Prepare::flow`] asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heartbeats: Vec<u64>,
    /// Commits that it waited for a twentieth of a second or more for, from when until when; only where
    /// [`super::Prepare::flow`] asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slow_commits: Vec<Stretch>,
}
