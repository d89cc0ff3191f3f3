//! The barrier: every group has its members, workers and cluster agree on what each holds, and every partition has exactly
//! one owner if the course asks for that. Pure; the state machine asks it.

use std::collections::{BTreeMap, BTreeSet};

use crate::measure::ledger::partition_name;
use crate::measure::{GroupDescription, GroupMember, TopicPartition, overlaps};
use crate::wording::plural;

/// Who may hold a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// One member of each group, and every partition needs one.
    One,
    /// Any members of a group, none of them needed: each gets some records.
    Shared,
}

/// How the members of a group are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// Each by the `client.id` that it was given.
    ByName,
    /// By it where all carry theirs; otherwise only their number is known, as of a program with a name of its own.
    ByNumber,
}

/// What the members of a group hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Checked {
    /// In the order of the members.
    pub held: Vec<Vec<TopicPartition>>,
    /// False where the members were only counted, so that the order says nothing: those that hold partitions come first.
    pub by_name: bool,
}

/// What is known of one member of a group at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView<'a> {
    /// Its `client.id`.
    pub client_id: &'a str,
    /// For people.
    pub name: &'a str,
    /// What it says that it holds; `None` where its worker cannot say.
    pub own: Option<&'a [TopicPartition]>,
}

/// Why the barrier is not passed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Something is still settling.
    Unsettled(String),
    /// One member is not where it should be.
    Member {
        /// Who.
        who: String,
        /// A sentence.
        message: String,
    },
    /// Two members hold one partition.
    Overlap {
        /// Who.
        who: String,
        /// A sentence.
        message: String,
    },
}

impl Obstacle {
    fn unsettled(message: impl Into<String>) -> Self {
        Obstacle::Unsettled(message.into())
    }

    fn member(who: &str, message: impl Into<String>) -> Self {
        Obstacle::Member {
            who: who.to_owned(),
            message: message.into(),
        }
    }
}

/// Checks one group and returns what each member holds, in the order of `members`.
///
/// `description` is the cluster's view, `None` for members that assign themselves; `topics` are the names behind the
/// topic indices, `partitions` all of the trial.
pub fn check(
    members: &[MemberView<'_>],
    description: Option<&GroupDescription>,
    topics: &[String],
    partitions: &BTreeSet<TopicPartition>,
    (ownership, recognised): (Ownership, Recognised),
) -> Result<Checked, Obstacle> {
    let by_name = recognised == Recognised::ByName || description.is_none_or(|group| all_named(members, group));
    let assigned = description
        .map(|group| {
            if by_name {
                cluster_view(members, group, topics)
            } else {
                counted_view(members, group, topics)
            }
        })
        .transpose()?;
    // Before anything else: two members that each say they hold a partition will both read it, whatever the cluster
    // believes.
    let claims: Vec<&[TopicPartition]> = members.iter().map(|member| member.own.unwrap_or_default()).collect();
    one_owner_at_most(members, &claims, ownership)?;
    let mut held = Vec::with_capacity(members.len());
    for (index, member) in members.iter().enumerate() {
        let by_cluster = assigned.as_ref().map(|assigned| assigned[index].as_slice());
        match (member.own, by_cluster) {
            (Some(own), None) => held.push(sorted(own)),
            (None, Some(cluster)) => held.push(sorted(cluster)),
            (Some(own), Some(cluster)) => held.push(agreed(member.name, own, cluster)?),
            (None, None) => {
                let message = format!("neither the worker nor the cluster says what {} holds", member.name);
                return Err(Obstacle::member(member.name, message));
            }
        }
    }
    let holdings: Vec<&[TopicPartition]> = held.iter().map(Vec::as_slice).collect();
    one_owner_at_most(members, &holdings, ownership)?;
    all_owned(&held, partitions, ownership)?;
    // Where there is one member, it is known whatever its name.
    let by_name = by_name || members.len() == 1;
    Ok(Checked { held, by_name })
}

/// True where a group has every member under its name.
fn all_named(members: &[MemberView<'_>], group: &GroupDescription) -> bool {
    let found: BTreeSet<&str> = group.members.iter().map(|found| found.client_id.as_str()).collect();
    members.iter().all(|member| found.contains(member.client_id))
}

/// What the members of a settled group hold that has as many as it should; those that hold something first.
fn counted_view(
    members: &[MemberView<'_>],
    group: &GroupDescription,
    topics: &[String],
) -> Result<Vec<Vec<TopicPartition>>, Obstacle> {
    let (found, wanted) = (group.members.len(), members.len());
    if found == 0 {
        return Err(Obstacle::unsettled(
            "no member has joined the group: the program must use the group, the topic and the address that it is given",
        ));
    }
    if found > wanted && group.is_settled() {
        return Err(Obstacle::unsettled(format!(
            "the group has {found} members of {}: each process must join with one consumer (a listener's concurrency must be 1)",
            plural(wanted, "process")
        )));
    }
    if found != wanted || !group.is_settled() {
        return Err(Obstacle::unsettled(format!(
            "the group is {:?} with {found} of {wanted} members",
            group.state
        )));
    }
    let held = group.members.iter().map(|member| resolved(member, topics));
    let mut held: Vec<Vec<TopicPartition>> = held.collect::<Result<_, _>>()?;
    held.sort_by_key(|partitions| (partitions.is_empty(), partitions.first().copied()));
    Ok(held)
}

/// What the cluster says each member holds, once the group is complete and settled.
fn cluster_view(
    members: &[MemberView<'_>],
    group: &GroupDescription,
    topics: &[String],
) -> Result<Vec<Vec<TopicPartition>>, Obstacle> {
    if !group.is_settled() {
        return Err(Obstacle::unsettled(format!(
            "the group is {:?} with {} of {} members",
            group.state,
            group.members.len(),
            members.len()
        )));
    }
    let expected: BTreeSet<&str> = members.iter().map(|member| member.client_id).collect();
    let mut found: BTreeMap<&str, Vec<&GroupMember>> = BTreeMap::new();
    for member in &group.members {
        found.entry(&member.client_id).or_default().push(member);
    }
    let mut in_group = group.members.iter();
    let stranger = in_group.find(|found| !expected.contains(found.client_id.as_str()));
    if let Some(stranger) = stranger {
        return Err(Obstacle::unsettled(format!(
            "an unexpected member is in the group: {}",
            stranger.client_id
        )));
    }
    members
        .iter()
        .map(|member| {
            let Some([in_group]) = found.get(member.client_id).map(Vec::as_slice) else {
                let message = format!("{} is not in the group exactly once", member.name);
                return Err(Obstacle::member(member.name, message));
            };
            resolved(in_group, topics)
        })
        .collect()
}

fn resolved(member: &GroupMember, topics: &[String]) -> Result<Vec<TopicPartition>, Obstacle> {
    let assignment = member.assignment.iter();
    assignment
        .map(|(topic, partition)| resolve(topics, topic, *partition))
        .collect()
}

fn resolve(topics: &[String], topic: &str, partition: i32) -> Result<TopicPartition, Obstacle> {
    let index = topics.iter().position(|name| name == topic);
    let index = index.and_then(|index| u32::try_from(index).ok());
    let topic = index.ok_or_else(|| Obstacle::unsettled(format!("the group holds a foreign topic: {topic}")))?;
    Ok(TopicPartition { topic, partition })
}

fn sorted(partitions: &[TopicPartition]) -> Vec<TopicPartition> {
    let mut partitions = partitions.to_vec();
    partitions.sort_unstable();
    partitions
}

fn agreed(name: &str, own: &[TopicPartition], cluster: &[TopicPartition]) -> Result<Vec<TopicPartition>, Obstacle> {
    let (own, cluster) = (sorted(own), sorted(cluster));
    if own == cluster {
        return Ok(own);
    }
    let list = |partitions: &[TopicPartition]| match partitions {
        [] => "nothing".to_owned(),
        some => some.iter().map(|p| partition_name(*p)).collect::<Vec<_>>().join(", "),
    };
    let message = format!(
        "{name} says it holds {}, the cluster says {}",
        list(&own),
        list(&cluster)
    );
    Err(Obstacle::member(name, message))
}

fn one_owner_at_most(
    members: &[MemberView<'_>],
    held: &[&[TopicPartition]],
    ownership: Ownership,
) -> Result<(), Obstacle> {
    if ownership == Ownership::Shared {
        return Ok(());
    }
    let named: Vec<(&str, &[TopicPartition])> = members
        .iter()
        .zip(held)
        .map(|(member, held)| (member.name, *held))
        .collect();
    let Some(overlap) = overlaps(&named).into_iter().next() else {
        return Ok(());
    };
    let who = overlap.members.join(" and ");
    let message = format!("{} is held by {who} at once", partition_name(overlap.partition));
    Err(Obstacle::Overlap { who, message })
}

fn all_owned(
    held: &[Vec<TopicPartition>],
    partitions: &BTreeSet<TopicPartition>,
    ownership: Ownership,
) -> Result<(), Obstacle> {
    let covered: BTreeSet<TopicPartition> = held.iter().flatten().copied().collect();
    let mut wrong = partitions.symmetric_difference(&covered);
    let is_wrong = |partition: &&TopicPartition| ownership == Ownership::One || covered.contains(partition);
    match wrong.find(is_wrong) {
        None => Ok(()),
        Some(partition) if covered.contains(partition) => Err(Obstacle::unsettled(format!(
            "{} is held but not part of the trial",
            partition_name(*partition)
        ))),
        Some(partition) => Err(Obstacle::unsettled(format!(
            "{} has no owner",
            partition_name(*partition)
        ))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "barrier_tests.rs"]
mod tests;
