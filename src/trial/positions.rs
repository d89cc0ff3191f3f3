//! How far each group has read each partition, as its members report it.

use std::collections::{BTreeMap, BTreeSet};

use crate::measure::TopicPartition;
use crate::protocol::{OffsetRange, Position, TopicTarget, partitions_of};

/// The next offset to read, by group and partition.
#[derive(Debug)]
pub struct Positions {
    by_group: Vec<BTreeMap<TopicPartition, i64>>,
}

impl Positions {
    /// Of so many groups that have read nothing.
    pub fn new(groups: usize) -> Self {
        Positions {
            by_group: vec![BTreeMap::new(); groups],
        }
    }

    /// Takes in what a member of a group reports; true where one advanced.
    pub fn note(&mut self, group: usize, reported: &[Position]) -> bool {
        let mut has_advanced = false;
        for position in reported {
            let known = self.by_group[group]
                .entry(position.topic_partition())
                .or_insert(i64::MIN);
            has_advanced |= position.offset > *known;
            *known = position.offset.max(*known);
        }
        has_advanced
    }

    /// Moves every group that is before the end of a partition to it.
    pub fn pass(&mut self, partition: TopicPartition, OffsetRange { low, end }: OffsetRange) {
        for positions in &mut self.by_group {
            let position = positions.entry(partition).or_insert(low);
            *position = (*position).max(end);
        }
    }

    /// Where a group is in a partition; `None` if no member has reported.
    pub fn of(&self, group: usize, partition: TopicPartition) -> Option<i64> {
        self.by_group[group].get(&partition).copied()
    }

    /// Partitions, by group, whose end nobody has reached.
    pub fn unread(
        &self,
        topics: &[TopicTarget],
        end_of: impl Fn(TopicPartition, OffsetRange) -> i64,
    ) -> BTreeSet<(usize, TopicPartition)> {
        let mut unread = BTreeSet::new();
        for (partition, range) in partitions_of(topics) {
            let end = end_of(partition, range);
            if range.low >= end {
                continue;
            }
            let groups = (0..self.by_group.len()).map(|group| (group, partition));
            unread.extend(groups.filter(|(group, _)| self.of(*group, partition).unwrap_or(range.low) < end));
        }
        unread
    }

    /// True where every group has reached every end. Stops at the first partition that is unread: it is asked after each
    /// report of each process.
    pub fn has_read(&self, topics: &[TopicTarget], end_of: impl Fn(TopicPartition, OffsetRange) -> i64) -> bool {
        let is_read = |(partition, range): (TopicPartition, OffsetRange)| {
            let end = end_of(partition, range);
            let has_read = |group| self.of(group, partition).unwrap_or(range.low) >= end;
            range.low >= end || (0..self.by_group.len()).all(has_read)
        };
        partitions_of(topics).all(is_read)
    }

    /// Offsets passed, over all groups. A worker may report anything: no more counts than there is.
    pub fn passed(&self, topics: &[TopicTarget]) -> u64 {
        let passed = |positions: &BTreeMap<TopicPartition, i64>| -> u64 {
            let of_partition = |(partition, OffsetRange { low, end })| {
                let position = positions.get(&partition).copied().unwrap_or(low);
                u64::try_from(position.min(end).saturating_sub(low)).unwrap_or(0)
            };
            partitions_of(topics).map(of_partition).sum()
        };
        self.by_group.iter().map(passed).sum()
    }
}
