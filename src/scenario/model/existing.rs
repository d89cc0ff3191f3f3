//! Topics that exist already, and what a run finds when it first looks at them.

use serde::{Deserialize, Serialize};

/// What begins the name of a topic that is a pattern, as it does for Kafka's clients; no name begins so.
pub const PATTERN_START: char = '^';

/// The client property that decides which records of an existing topic consumers are given.
pub(crate) const ISOLATION: &str = "isolation.level";

/// Where the records of a data set come from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// The run fills topics of its own.
    #[default]
    Filled,
    /// Topics that are there, which are read and not changed.
    Existing(ExistingTopics),
}

/// Topics that are there, as they are to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExistingTopics {
    /// Names, and patterns that begin with [`PATTERN_START`], as the file has them.
    pub wanted: Vec<String>,
    /// The last so many records of each partition; `None` for all.
    pub last: Option<u64>,
    /// The clients' `isolation.level`.
    pub isolation: Isolation,
    /// What a run has found there when it began; `None` before.
    pub found: Option<FoundTopics>,
}

/// Which records of transactions consumers are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// All, those of aborted transactions and of open ones too.
    ReadUncommitted,
    /// Those of committed transactions, up to the first open one.
    ReadCommitted,
}

impl Isolation {
    /// The value of `isolation.level`.
    pub fn as_str(self) -> &'static str {
        match self {
            Isolation::ReadUncommitted => "read_uncommitted",
            Isolation::ReadCommitted => "read_committed",
        }
    }
}

/// What a run has found when it looked first; every trial, of every session, reads of this and of nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTopics {
    /// The topics, by name.
    pub topics: Vec<FoundTopic>,
    /// Bytes of keys and values of the records.
    pub bytes: u64,
}

/// One of the topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTopic {
    /// Its name.
    pub name: String,
    /// Its partitions, by number.
    pub partitions: Vec<FoundPartition>,
}

/// The part of a partition that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPartition {
    /// First offset.
    pub low: i64,
    /// One past the last: the high watermark, or the last stable offset where only committed records are read.
    pub end: i64,
    /// Records that the cluster delivers of it; the other offsets hold none.
    pub records: u64,
}

impl FoundTopics {
    /// The partitions of all topics.
    pub fn partitions(&self) -> impl Iterator<Item = &FoundPartition> {
        self.topics.iter().flat_map(|topic| &topic.partitions)
    }

    /// Records that the cluster delivers, of all partitions.
    pub fn records(&self) -> u64 {
        self.partitions().map(|partition| partition.records).sum()
    }

    /// Offsets that are read, delivered or not.
    pub fn offsets(&self) -> u64 {
        let length = |partition: &FoundPartition| u64::try_from(partition.end - partition.low).unwrap_or(0);
        self.partitions().map(length).sum()
    }

    /// Offsets that the cluster delivers no record for.
    pub fn not_delivered(&self) -> u64 {
        self.offsets().saturating_sub(self.records())
    }
}
