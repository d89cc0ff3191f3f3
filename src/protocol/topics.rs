//! The topics of a trial, and the partitions in tables by topic and partition.

use serde::{Deserialize, Serialize};

use crate::measure::TopicPartition;

/// A topic and what is to be read of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicTarget {
    /// Its name.
    pub name: String,
    /// For each partition, in order.
    pub partitions: Vec<OffsetRange>,
}

/// Offsets to read: from `low` up to but not including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OffsetRange {
    /// First.
    pub low: i64,
    /// One past the last.
    pub end: i64,
}

impl OffsetRange {
    /// Number of offsets.
    pub fn len(self) -> u64 {
        u64::try_from(self.end - self.low).unwrap_or(0)
    }

    /// True where an offset is one of them.
    #[inline]
    pub fn contains(self, offset: i64) -> bool {
        (self.low..self.end).contains(&offset)
    }

    /// True where there is nothing to read.
    pub fn is_empty(self) -> bool {
        self.end <= self.low
    }
}

/// The partitions of topics with what is to be read of them, in order.
pub fn partitions_of(topics: &[TopicTarget]) -> impl Iterator<Item = (TopicPartition, OffsetRange)> {
    (0u32..).zip(topics).flat_map(|(topic, target)| {
        let ranges = (0i32..).zip(&target.partitions);
        ranges.map(move |(partition, range)| (TopicPartition { topic, partition }, *range))
    })
}

/// What a table by topic and partition has for a partition.
pub fn entry_of<T>(table: &[Vec<T>], partition: TopicPartition) -> Option<&T> {
    let number = usize::try_from(partition.partition).ok()?;
    table.get(partition.topic as usize)?.get(number)
}
