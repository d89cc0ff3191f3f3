//! A simulated cluster: what lies in its partitions, and what its groups look like. It does nothing by itself.

use std::collections::BTreeMap;

use super::brokers::Brokers;
use super::chance::Chance;
use super::mischief::Deafness;
use crate::measure::{DeliveredOffsets, DeliveredTopics, GroupDescription, GroupMember, GroupState, TopicPartition};
use crate::protocol::{TopicTarget, entry_of};

/// One partition.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Offsets of all records that were ever there, ascending.
    pub offsets: Vec<i64>,
    /// When each can be read.
    visible_ns: Vec<u64>,
    /// Records before it were removed.
    pub low: i64,
}

impl Log {
    /// A partition that has these offsets from the beginning.
    pub fn filled(offsets: Vec<i64>) -> Self {
        let visible_ns = vec![0; offsets.len()];
        Log {
            offsets,
            visible_ns,
            low: 0,
        }
    }

    /// Adds a record that can be read from then on, not before those in front of it. Returns its offset.
    pub fn append(&mut self, visible_ns: u64) -> i64 {
        let offset = self.offsets.last().map_or(0, |last| last + 1);
        self.offsets.push(offset);
        let before_ns = self.visible_ns.last().copied().unwrap_or(0);
        self.visible_ns.push(visible_ns.max(before_ns));
        offset
    }

    /// One past the last record that can be read.
    pub fn end(&self, now_ns: u64) -> i64 {
        let visible = self.visible_ns.partition_point(|visible_ns| *visible_ns <= now_ns);
        visible.checked_sub(1).map_or(0, |last| self.offsets[last] + 1)
    }

    /// Records that a client gets from this offset on, before `end`, at most so many.
    pub fn fetch(&self, now_ns: u64, from: i64, end: i64, most: u64) -> Vec<i64> {
        let first = self.offsets.partition_point(|offset| *offset < from.max(self.low));
        let end = end.min(self.end(now_ns));
        let most = usize::try_from(most).unwrap();
        let records = self.offsets[first..].iter().copied();
        records.take_while(|offset| *offset < end).take(most).collect()
    }

    /// Removes its first records.
    pub fn remove(&mut self, records: u64) {
        let records = usize::try_from(records).unwrap().min(self.offsets.len());
        if let Some(last) = records.checked_sub(1) {
            self.low = self.low.max(self.offsets[last] + 1);
        }
    }

    /// Those that it delivers still.
    fn delivered(&self) -> DeliveredOffsets {
        let kept = self.offsets.iter().copied();
        kept.filter(|offset| *offset >= self.low).collect()
    }
}

/// A member of a group, as the cluster knows it.
#[derive(Debug, Clone)]
pub struct Member {
    pub reader: usize,
    pub consumer: usize,
    pub client_id: String,
    pub assignment: Vec<TopicPartition>,
}

/// A consumer group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    pub members: Vec<Member>,
    /// Counts up with every rebalance.
    pub generation: u32,
    pub is_assigned: bool,
    pub committed: BTreeMap<TopicPartition, i64>,
    /// A foreign member is in the group until then.
    pub stranger_until_ns: u64,
    /// The group does not settle until then.
    pub unsettled_until_ns: u64,
}

impl Group {
    /// Deals the partitions out in turn, beginning with any member.
    pub fn assign(&mut self, partitions: &[TopicPartition], chance: &mut Chance) {
        self.is_assigned = true;
        let count = self.members.len();
        let first = chance.index(count);
        for member in &mut self.members {
            member.assignment.clear();
        }
        for (index, partition) in partitions.iter().enumerate() {
            self.members[(first + index) % count].assignment.push(*partition);
        }
    }
}

/// The cluster.
#[derive(Debug)]
pub struct Cluster {
    pub topics: Vec<String>,
    /// By topic and partition.
    pub logs: Vec<Vec<Log>>,
    pub groups: Vec<Group>,
    /// How it does not answer, until when.
    pub deafness: Vec<(Deafness, u64)>,
    /// Groups have targets.
    pub has_targets: bool,
    pub brokers: Brokers,
}

impl Cluster {
    pub fn log(&self, partition: TopicPartition) -> &Log {
        entry_of(&self.logs, partition).unwrap()
    }

    pub fn log_mut(&mut self, partition: TopicPartition) -> &mut Log {
        &mut self.logs[partition.topic as usize][usize::try_from(partition.partition).unwrap()]
    }

    /// All partitions.
    pub fn partitions(&self) -> Vec<TopicPartition> {
        let topics = (0u32..).zip(&self.logs);
        let partitions = topics.flat_map(|(topic, logs)| {
            let numbers = (0i32..).take(logs.len());
            numbers.map(move |partition| TopicPartition { topic, partition })
        });
        partitions.collect()
    }

    /// True if it does not answer in this way now.
    pub fn is_deaf(&self, way: Deafness, now_ns: u64) -> bool {
        self.deafness
            .iter()
            .any(|(deaf, until_ns)| *deaf == way && now_ns < *until_ns)
    }

    /// The number of the role of a partition's leader.
    pub fn role_of(partition: TopicPartition) -> usize {
        partition.topic as usize + usize::try_from(partition.partition).unwrap()
    }

    /// True if a partition has a leader now.
    pub fn is_led(&self, partition: TopicPartition, now_ns: u64) -> bool {
        self.brokers.serve(Self::role_of(partition), now_ns)
    }

    /// True if every partition has one.
    pub fn are_led(&self, now_ns: u64) -> bool {
        self.partitions()
            .into_iter()
            .all(|partition| self.is_led(partition, now_ns))
    }

    /// The end of every partition.
    pub fn ends(&self, now_ns: u64) -> Vec<Vec<i64>> {
        let ends = |logs: &Vec<Log>| logs.iter().map(|log| log.end(now_ns)).collect();
        self.logs.iter().map(ends).collect()
    }

    /// Which of these offsets it delivers, or only the first ones.
    pub fn delivered_of(&self, targets: &[TopicTarget], first_only: bool) -> DeliveredTopics {
        let of_topic = |(logs, target): (&Vec<Log>, &TopicTarget)| {
            let partitions = logs.iter().zip(&target.partitions);
            let partitions = partitions.map(|(log, range)| {
                let kept = log.delivered().cut(range.low, range.end);
                let first = kept.within(range.low, range.end).next();
                match first.filter(|_| first_only) {
                    Some(first) => (first.first..=first.first).collect(),
                    None => kept,
                }
            });
            partitions.collect()
        };
        DeliveredTopics {
            topics: self.logs.iter().zip(targets).map(of_topic).collect(),
        }
    }

    /// A group as the cluster describes it; `held` is what each member has confirmed to hold.
    pub fn describe(
        &self,
        group: usize,
        now_ns: u64,
        held: impl Fn(&Member) -> Vec<TopicPartition>,
    ) -> GroupDescription {
        let group = &self.groups[group];
        let named = |partitions: &[TopicPartition]| {
            let name =
                |partition: &TopicPartition| (self.topics[partition.topic as usize].clone(), partition.partition);
            let mut named: Vec<(String, i32)> = partitions.iter().map(name).collect();
            named.sort();
            named
        };
        let is_settled = group.is_assigned && now_ns >= group.unsettled_until_ns;
        let state = match (is_settled, group.members.is_empty()) {
            (_, true) => GroupState::Empty,
            (true, false) => GroupState::Stable,
            (false, false) => GroupState::PreparingRebalance,
        };
        let member = |member: &Member| {
            let (assignment, target) = if self.has_targets {
                (named(&held(member)), Some(named(&member.assignment)))
            } else {
                (named(&member.assignment), None)
            };
            GroupMember {
                client_id: member.client_id.clone(),
                host: "/10.0.0.1".to_owned(),
                assignment,
                target,
            }
        };
        let stranger = (now_ns < group.stranger_until_ns).then(|| GroupMember {
            client_id: "console-consumer".to_owned(),
            host: "/10.0.0.2".to_owned(),
            assignment: Vec::new(),
            target: None,
        });
        let members = group.members.iter().map(member).chain(stranger).collect();
        GroupDescription { state, members }
    }
}
