//! What the rows of a group are, and what they are compared with.

use super::unconfirmed::Unconfirmed;
use crate::measure::delivered::DeliveredTopics;
use crate::measure::ledger::Reading;
use crate::measure::member::TopicPartition;

/// Consecutive offsets of a partition with equally many rows each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRun {
    /// The partition.
    pub partition: TopicPartition,
    /// First offset.
    pub first: i64,
    /// One past the last.
    pub end: i64,
    /// Rows of each, at least 1.
    pub copies: u64,
    /// Bytes of the values of all these rows.
    pub bytes: u64,
}

/// How many bytes the values have that a member read of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValuesRead {
    /// The partition.
    pub partition: TopicPartition,
    /// Records, each as often as it was read.
    pub records: u64,
    /// Bytes of their values; `None` where that is not known.
    pub bytes: Option<u64>,
}

/// Offsets of a partition that a group has committed to Kafka: from the first that was to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The partition.
    pub partition: TopicPartition,
    /// The first offset.
    pub low: i64,
    /// What is committed: one past the last.
    pub end: i64,
}

/// What the rows of a group are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// What its members report as stored.
    pub readings: &'a [Reading<'a>],
    /// What is committed to Kafka: all of it must be stored.
    pub committed: &'a [Committed],
    /// Which offsets of existing topics hold a record; `None` where every offset does.
    pub delivered: Option<&'a DeliveredTopics>,
    /// What they may have stored without reporting it.
    pub unconfirmed: &'a [Unconfirmed<'a>],
    /// True if members store the records of a partition in the order of their offsets.
    pub in_order: bool,
    /// True if rows of the same record take each other's place.
    pub one_per_record: bool,
    /// What the values had that they read.
    pub values: &'a [ValuesRead],
    /// True if all values have the same length.
    pub same_length: bool,
}
