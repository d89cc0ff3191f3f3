//! What holds for everybody who takes part in a trial.

use std::collections::BTreeSet;

use super::limits::Limits;
use super::script::Script;
use crate::measure::{BrokerRole, MembershipTimes, TopicPartition};
use crate::protocol::{TopicTarget, partitions_of};

/// What a trial is to read, and for how long.
#[derive(Debug, Clone)]
pub struct Terms {
    /// `group.id` of each group.
    pub groups: Vec<String>,
    /// True where members assign partitions to themselves.
    pub manual: bool,
    /// What each group reads. Where records arrive, a partition's end is open until the load is over.
    pub topics: Vec<TopicTarget>,
    /// What is done on purpose meanwhile.
    pub script: Script,
    /// Time limits.
    pub limits: Limits,
    /// How long the consumers' settings let them pause between two fetches.
    pub fetch_pause_ns: u64,
    /// How their members show that they live.
    pub membership: Option<MembershipTimes>,
}

impl Terms {
    /// All partitions of the trial, empty ones included.
    pub fn partitions(&self) -> BTreeSet<TopicPartition> {
        partitions_of(&self.topics).map(|(partition, _)| partition).collect()
    }

    /// True where the trial has what a role is named after.
    pub(super) fn has(&self, role: BrokerRole) -> bool {
        match role {
            BrokerRole::LeaderOf(partition) => self.partitions().contains(&partition),
            BrokerRole::Controller => true,
            BrokerRole::CoordinatorOf(group) => (group as usize) < self.groups.len(),
        }
    }

    /// A partition as the cluster calls it.
    pub fn partition_name(&self, partition: TopicPartition) -> String {
        let topic = &self.topics[partition.topic as usize].name;
        format!("{topic} [{}]", partition.partition)
    }
}
