//! What one member of a group recorded: its assignments, and what it read of each partition.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::flow::Flow;
use super::interruption::Stretch;
use super::latency::Latencies;
use super::reading::{ClientStatistics, ReadingTime};

/// What one member recorded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemberMeasurement {
    /// The group, from 0.
    pub group: u32,
    /// The process within the group, from 0.
    pub process: u32,
    /// The consumer within the process, from 0.
    pub consumer: u32,
    /// How often its process had been started before: 0, and more where a planned act started it again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub life: u32,
    /// Its process was killed as planned: only what it had reported is known of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_killed: bool,
    /// True of a member that is known by its assignment alone: the members of its group carry one name, so `process` only
    /// counts them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_nameless: bool,
    /// Partitions it held when the barrier was passed.
    pub assigned: Vec<TopicPartition>,
    /// It was assigned (its last assignment before the start); `None` for one that never got any.
    pub assigned_ns: Option<u64>,
    /// The first record was handed over.
    pub first_record_ns: Option<u64>,
    /// Its last record was finished.
    pub last_record_ns: Option<u64>,
    /// Sum of the time in work, where work is done and observed.
    pub work_ns: Option<u64>,
    /// What it did with the store, where its records end there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreUse>,
    /// Records in transactions whose commit the store did not answer, once for each such transaction: each may have one row
    /// more than was reported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unanswered: Vec<OffsetSpan>,
    /// Records in the client's queue at the start; anything but 0 excludes the trial.
    pub queued_at_start: Option<u64>,
    /// Commits sent.
    pub commits: u64,
    /// What its reading threads did with their time; `None` where that was not observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<ReadingTime>,
    /// Statistics of the client library about fetching; `None` if there were none within the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientStatistics>,
    /// Assignments and revocations, in order.
    pub rebalances: Vec<Rebalance>,
    /// When its client had sent heartbeats to the group's coordinator; empty if that was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heartbeats: Vec<u64>,
    /// From when until when it waited for the answers to commits that were late; empty if that was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slow_commits: Vec<Stretch>,
    /// What it read of each partition.
    pub partitions: Vec<PartitionMeasurement>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(life: &u32) -> bool {
    *life == 0
}

impl MemberMeasurement {
    /// Records read, all partitions.
    pub fn records(&self) -> u64 {
        self.partitions.iter().map(|p| p.records).sum()
    }

    /// Partitions that it held at the common start or was given after it. What it had for a moment while the group formed
    /// is not among them.
    pub fn held_since(&self, start_ns: u64) -> BTreeSet<TopicPartition> {
        let is_later = |change: &&Rebalance| change.kind == RebalanceKind::Assigned && change.at_ns >= start_ns;
        let later = self
            .rebalances
            .iter()
            .filter(is_later)
            .flat_map(|change| &change.partitions);
        self.assigned.iter().chain(later).copied().collect()
    }

    /// How long its records of the window waited; `None` where that was not measured.
    pub fn latencies(&self) -> Option<Latencies> {
        Latencies::merged(
            self.partitions
                .iter()
                .filter_map(|partition| partition.latencies.as_ref()),
        )
    }

    /// `group 1, process 2, consumer 1`, counted from 1 as people do.
    pub fn name(&self) -> String {
        if self.is_nameless {
            return format!("group {}, member {}", self.group + 1, self.process + 1);
        }
        let name = member_name(self.group, self.process, self.consumer);
        match self.life {
            0 => name,
            life => format!("{name}, life {}", life + 1),
        }
    }
}

/// The name of a member for people, from indices counted from 0.
pub fn member_name(group: u32, process: u32, consumer: u32) -> String {
    format!(
        "group {}, process {}, consumer {}",
        group + 1,
        process + 1,
        consumer + 1
    )
}

/// What a member did with the store of its trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoreUse {
    /// Transactions that the store has committed.
    pub transactions: u64,
    /// Rows in them.
    pub rows: u64,
    /// Tries that failed and were followed by another one.
    pub retries: u64,
}

impl std::ops::AddAssign for StoreUse {
    fn add_assign(&mut self, other: Self) {
        self.transactions += other.transactions;
        self.rows += other.rows;
        self.retries += other.retries;
    }
}

/// A partition of one of the data set's topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TopicPartition {
    /// Index of the topic in the data set.
    pub topic: u32,
    /// Partition number.
    pub partition: i32,
}

/// The name of a partition for people. Topics are counted from 1, partitions have Kafka's numbers.
pub fn partition_name(partition: TopicPartition) -> String {
    format!("partition {} of topic {}", partition.partition, partition.topic + 1)
}

/// What a member read of one partition, as its worker reports it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PartitionMeasurement {
    /// Index of the topic in the data set.
    pub topic: u32,
    /// Partition number.
    pub partition: i32,
    /// Records read.
    pub records: u64,
    /// Bytes of keys and values.
    #[serde(default)]
    pub bytes: u64,
    /// The first record was handed over.
    pub first_ns: Option<u64>,
    /// The last record was finished.
    pub last_ns: Option<u64>,
    /// Runs of consecutive offsets in the order of reading; in existing topics a run goes on over offsets without a
    /// record. `None` if the worker keeps no ledger.
    pub runs: Option<Vec<OffsetRun>>,
    /// Records over time from the common start.
    pub series: Option<Series>,
    /// When it was read and when not, assignment by assignment; empty if that was not asked for (capability `flow`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flow: Vec<Flow>,
    /// How long the records waited that were intended for the window of a live or mixed trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latencies: Option<Latencies>,
    /// How that waiting went through the window, in slices of equal length by intended time; empty if it was not
    /// measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<WaitSlice>,
}

/// Slices of a window whose waiting is recorded apart.
pub const WAIT_SLICES: usize = 20;

/// Waiting of the records that were intended for one slice of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitSlice {
    /// Records.
    pub records: u64,
    /// Sum of their times from intended to the start of the work.
    pub waited_ns: u64,
}

impl WaitSlice {
    /// Adds what other threads recorded of the same slice.
    pub fn add(&mut self, other: WaitSlice) {
        self.records += other.records;
        self.waited_ns += other.waited_ns;
    }
}

impl PartitionMeasurement {
    /// Which partition.
    pub fn topic_partition(&self) -> TopicPartition {
        TopicPartition {
            topic: self.topic,
            partition: self.partition,
        }
    }
}

/// Consecutive offsets of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetSpan {
    /// The partition.
    #[serde(flatten)]
    pub partition: TopicPartition,
    /// First offset.
    pub first: i64,
    /// One past the last.
    pub end: i64,
}

/// Consecutive offsets read under one assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetRun {
    /// First offset.
    pub first: i64,
    /// One past the last.
    pub end: i64,
    /// The member's assignment: counts up with every rebalance.
    pub epoch: u32,
}

/// Counts in buckets of equal length from the common start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Series {
    /// Length of a bucket.
    pub bucket_ns: u64,
    /// Records in each bucket.
    pub counts: Vec<u64>,
}

impl Series {
    /// What was counted between two times since the common start; of a bucket that lies there in part, that share.
    pub fn between(&self, [from_ns, end_ns]: [u64; 2]) -> f64 {
        let buckets = (0u64..).zip(&self.counts);
        buckets
            .map(|(bucket, count)| {
                let begin_ns = bucket * self.bucket_ns;
                let inside_ns = end_ns
                    .min(begin_ns + self.bucket_ns)
                    .saturating_sub(from_ns.max(begin_ns));
                *count as f64 * inside_ns as f64 / self.bucket_ns.max(1) as f64
            })
            .sum()
    }
}

/// A change of a member's assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebalance {
    /// When.
    pub at_ns: u64,
    /// What.
    pub kind: RebalanceKind,
    /// The partitions given or taken.
    pub partitions: Vec<TopicPartition>,
}

/// Direction of a rebalance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum RebalanceKind {
    Assigned,
    Revoked,
    Lost,
}
