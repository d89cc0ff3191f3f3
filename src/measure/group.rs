//! The brokers' description of a consumer group, and what is recorded of it in the course of a trial.

use serde::{Deserialize, Serialize};

use super::member::TopicPartition;

/// State of a group, as its coordinator reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupState {
    /// The broker gave no state, or one that the client library does not know, such as `Assigning` and `Reconciling` of
    /// the consumer protocol.
    Unknown,
    /// Classic protocol: members are being asked to join again.
    PreparingRebalance,
    /// Classic protocol: the leader's assignment is awaited.
    CompletingRebalance,
    /// Every member has what it should have.
    Stable,
    /// The group does not exist (any more).
    Dead,
    /// The group exists and has no member.
    Empty,
}

/// A group at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// Its state.
    pub state: GroupState,
    /// Its members, in the broker's order.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// The client's `client.id`.
    pub client_id: String,
    /// The host that it connects from, as the broker reports it.
    pub host: String,
    /// Its partitions, as topic name and partition number, sorted.
    pub assignment: Vec<(String, i32)>,
    /// Its target assignment, sorted; `None` in the classic protocol, which has none.
    pub target: Option<Vec<(String, i32)>>,
}

impl GroupDescription {
    /// True where the group is stable and every member holds exactly its target.
    pub fn is_settled(&self) -> bool {
        self.state == GroupState::Stable
            && self
                .members
                .iter()
                .all(|member| member.target.as_ref().is_none_or(|target| *target == member.assignment))
    }
}

/// A member of a group by its place among those who take part, each from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct MemberPlace {
    pub process: u32,
    pub consumer: u32,
}

/// What the coordinator of a group said of it in the course of a trial, where that was not what it had said before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLook {
    /// When it was asked: what it says was so between then and `at_ns`.
    pub asked_ns: u64,
    /// When it answered.
    pub at_ns: u64,
    /// The group, from 0.
    pub group: u32,
    /// Its state.
    pub state: GroupState,
    /// Its members, sorted: one that was killed and started again is there twice while the coordinator waits for the first.
    pub members: Vec<MemberPlace>,
    /// Members with names that tandem did not give.
    #[serde(default)]
    pub others: u32,
    /// The partitions of its members, of programs that are observed: others say themselves what they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldBy>,
}

/// The partitions of a member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBy {
    /// Which member.
    pub member: MemberPlace,
    /// Its partitions.
    pub partitions: Vec<TopicPartition>,
}

impl GroupLook {
    /// True where both say the same of one group.
    pub fn says_the_same(&self, other: &GroupLook) -> bool {
        let said = |look: &GroupLook| (look.group, look.state, look.others);
        said(self) == said(other) && self.members == other.members && self.held == other.held
    }
}

/// The epochs of a group of the consumer protocol, where they were not what had been reported before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEpoch {
    /// When its coordinator was first heard to report them.
    pub at_ns: u64,
    /// The group, from 0.
    pub group: u32,
    /// Rises when the group must divide its partitions anew.
    pub epoch: i32,
    /// The epoch for which it has divided them.
    pub assignment_epoch: i32,
}

#[cfg(test)]
mod tests {
    use super::{GroupDescription, GroupMember, GroupState};

    fn member(held: &[i32], target: Option<&[i32]>) -> GroupMember {
        let named = |partitions: &[i32]| partitions.iter().map(|p| ("t".to_owned(), *p)).collect::<Vec<_>>();
        GroupMember {
            client_id: "c".into(),
            host: "/127.0.0.1".into(),
            assignment: named(held),
            target: target.map(named),
        }
    }

    fn group(state: GroupState, members: Vec<GroupMember>) -> GroupDescription {
        GroupDescription { state, members }
    }

    #[test]
    fn a_stable_group_whose_member_lacks_its_target_is_not_settled() {
        assert!(!group(GroupState::Stable, vec![member(&[0, 1], Some(&[0]))]).is_settled());
        assert!(group(GroupState::Stable, vec![member(&[0], Some(&[0]))]).is_settled());
    }

    #[test]
    fn a_classic_group_is_settled_when_it_is_stable() {
        assert!(group(GroupState::Stable, vec![member(&[0], None)]).is_settled());
        assert!(!group(GroupState::CompletingRebalance, vec![member(&[0], None)]).is_settled());
    }
}
