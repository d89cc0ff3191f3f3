//! Which broker was what in the course of a trial in which something is done to brokers, as the brokers themselves reported
//! it. Only the record.

use serde::{Deserialize, Serialize};

use super::member::TopicPartition;

/// What was reported first, and every change of it, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BrokerRoles {
    /// The active controller.
    pub controllers: Vec<RoleSince>,
    /// The coordinator of each group.
    pub coordinators: Vec<CoordinatorSince>,
    /// The leader of each partition of the trial, and who has all of its records.
    pub partitions: Vec<LeaderSince>,
}

/// A broker that has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSince {
    /// When that was first reported.
    pub at_ns: u64,
    /// Its id; `None` while nobody has the role.
    pub broker: Option<i32>,
}

/// The coordinator of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoordinatorSince {
    /// When that was first reported.
    pub at_ns: u64,
    /// The group, from 0.
    pub group: u32,
    /// The id of its coordinator; `None` while it has none.
    pub broker: Option<i32>,
}

/// The leader of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderSince {
    /// When that was first reported.
    pub at_ns: u64,
    /// The partition.
    pub partition: TopicPartition,
    /// Broker id; `None` while it has none.
    pub leader: Option<i32>,
    /// Counts its leaders.
    pub epoch: i32,
    /// Number of its replicas.
    pub replicas: u32,
    /// Broker ids of the replicas in sync, sorted.
    pub in_sync: Vec<i32>,
}

impl BrokerRoles {
    /// Notes who the active controller is.
    pub fn note_controller(&mut self, at_ns: u64, broker: Option<i32>) {
        let is_new = self.controllers.last().is_none_or(|last| last.broker != broker);
        self.controllers.extend(is_new.then_some(RoleSince { at_ns, broker }));
    }

    /// Notes who coordinates a group.
    pub fn note_coordinator(&mut self, at_ns: u64, group: u32, broker: Option<i32>) {
        let mut before = self.coordinators.iter().rev();
        let is_new = before
            .find(|since| since.group == group)
            .is_none_or(|last| last.broker != broker);
        let since = CoordinatorSince { at_ns, group, broker };
        self.coordinators.extend(is_new.then_some(since));
    }

    /// Notes who leads a partition. Brokers hear of a change one after the other: what an earlier epoch says is old.
    pub fn note_leader(&mut self, since: LeaderSince) {
        let last = self.of(since.partition).next_back();
        let is_new = last.is_none_or(|last| {
            since.epoch >= last.epoch
                && (since.epoch, since.leader, &since.in_sync) != (last.epoch, last.leader, &last.in_sync)
        });
        self.partitions.extend(is_new.then_some(since));
    }

    /// What was reported of a partition, in order.
    pub fn of(&self, partition: TopicPartition) -> impl DoubleEndedIterator<Item = &LeaderSince> {
        self.partitions.iter().filter(move |since| since.partition == partition)
    }

    /// The active controller at a moment.
    pub fn controller_at(&self, at_ns: u64) -> Option<i32> {
        let mut before = self.controllers.iter().rev();
        before.find(|since| since.at_ns <= at_ns)?.broker
    }

    /// The leader of a partition at a moment.
    pub fn leader_at(&self, partition: TopicPartition, at_ns: u64) -> Option<i32> {
        let mut before = self.of(partition).rev();
        before.find(|since| since.at_ns <= at_ns)?.leader
    }

    /// When another broker than the leader of a moment was first reported to lead the partition.
    pub fn elected_ns(&self, partition: TopicPartition, at_ns: u64) -> Option<u64> {
        let leader = self.leader_at(partition, at_ns)?;
        let mut after = self.of(partition).filter(|since| since.at_ns > at_ns);
        let elected = after.find(|since| since.leader.is_some_and(|other| other != leader));
        elected.map(|since| since.at_ns)
    }

    /// When a broker that was in sync with a partition at a moment was first reported not to be any more.
    pub fn out_of_sync_ns(&self, partition: TopicPartition, broker: i32, at_ns: u64) -> Option<u64> {
        let mut before = self.of(partition).rev();
        let known = before.find(|since| since.at_ns <= at_ns)?;
        let mut after = self.of(partition).filter(|since| since.at_ns > at_ns);
        let left = after.find(|since| !since.in_sync.contains(&broker));
        left.filter(|_| known.in_sync.contains(&broker))
            .map(|since| since.at_ns)
    }

    /// When all replicas of a partition were in sync again that were not at some time after a moment; `None` where they always
    /// were, or were not until the end.
    pub fn restored_ns(&self, partition: TopicPartition, at_ns: u64) -> Option<u64> {
        let is_full = |since: &LeaderSince| since.in_sync.len() == since.replicas as usize;
        let mut after = self.of(partition).filter(|since| since.at_ns > at_ns);
        after.find(|since| !is_full(since))?;
        after.find(|since| is_full(since)).map(|since| since.at_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: TopicPartition = TopicPartition { topic: 0, partition: 0 };

    fn leader(at_ns: u64, leader: Option<i32>, epoch: i32, in_sync: &[i32]) -> LeaderSince {
        LeaderSince {
            at_ns,
            partition: P,
            leader,
            epoch,
            replicas: 2,
            in_sync: in_sync.to_vec(),
        }
    }

    #[test]
    fn a_broker_that_has_not_heard_of_the_new_leader_takes_nothing_back() {
        let mut roles = BrokerRoles::default();
        for since in [
            leader(10, Some(1), 4, &[1, 2]),
            leader(20, Some(1), 4, &[1, 2]),
            leader(30, Some(2), 5, &[2]),
            leader(31, Some(1), 4, &[1, 2]),
            leader(60, Some(2), 5, &[1, 2]),
        ] {
            roles.note_leader(since);
        }
        let times: Vec<u64> = roles.of(P).map(|since| since.at_ns).collect();
        assert_eq!(times, [10, 30, 60]);
        assert_eq!((roles.leader_at(P, 25), roles.leader_at(P, 30)), (Some(1), Some(2)));
        assert_eq!((roles.elected_ns(P, 25), roles.elected_ns(P, 40)), (Some(30), None));
        assert_eq!((roles.restored_ns(P, 25), roles.restored_ns(P, 60)), (Some(60), None));
        assert_eq!(roles.leader_at(P, 5), None);
        let out_of_sync = |broker, at_ns| roles.out_of_sync_ns(P, broker, at_ns);
        assert_eq!((out_of_sync(1, 25), out_of_sync(2, 25)), (Some(30), None));
        assert_eq!((out_of_sync(1, 40), out_of_sync(1, 5)), (None, None));
    }

    #[test]
    fn only_changes_of_a_role_are_kept_those_of_each_group_by_themselves() {
        let mut roles = BrokerRoles::default();
        for (at_ns, broker) in [(1, Some(3)), (2, Some(3)), (3, None), (4, Some(1))] {
            roles.note_controller(at_ns, broker);
            roles.note_coordinator(at_ns, 0, broker);
            roles.note_coordinator(at_ns, 1, Some(2));
        }
        assert_eq!(roles.controllers.len(), 3);
        assert_eq!(roles.coordinators.len(), 4);
        assert_eq!((roles.controller_at(2), roles.controller_at(3)), (Some(3), None));
    }
}
