//! Partitions that several members of a group hold at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::member::{TopicPartition, partition_name};

/// A partition that two members of a group hold at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The partition.
    pub partition: TopicPartition,
    /// The members that hold it, two or more.
    pub members: Vec<String>,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.members.join(" and by ");
        write!(f, "{} is held by {members} at once", partition_name(self.partition))
    }
}

/// Partitions that more than one member of a group holds. A name may come more than once only for one member.
pub fn overlaps(assignments: &[(&str, &[TopicPartition])]) -> Vec<Overlap> {
    let mut holders: BTreeMap<TopicPartition, BTreeSet<&str>> = BTreeMap::new();
    for (member, partitions) in assignments {
        for partition in *partitions {
            holders.entry(*partition).or_default().insert(member);
        }
    }
    let shared = holders.into_iter().filter(|(_, members)| members.len() > 1);
    shared
        .map(|(partition, members)| Overlap {
            partition,
            members: members.into_iter().map(str::to_owned).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const P0: TopicPartition = TopicPartition { topic: 0, partition: 0 };
    const P1: TopicPartition = TopicPartition { topic: 0, partition: 1 };
    const ONE: &str = "group 1, process 1, consumer 1";
    const TWO: &str = "group 1, process 2, consumer 1";

    #[test]
    fn a_partition_held_by_two_members_is_an_overlap() {
        let found = overlaps(&[(ONE, &[P0, P1]), (TWO, &[P1])]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].to_string(),
            "partition 1 of topic 1 is held by group 1, process 1, consumer 1 and by group 1, process 2, consumer 1 at once"
        );
        assert!(overlaps(&[(ONE, &[P0]), (TWO, &[P1])]).is_empty());
    }
}
