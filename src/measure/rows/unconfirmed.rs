//! What members may have stored without reporting it: the store did not answer a commit, or the process was killed before
//! its next report.

use std::collections::BTreeSet;

use crate::measure::member::{MemberMeasurement, OffsetRun, PartitionMeasurement, TopicPartition};

/// Rows that a member may have written beside those that it reported: at most one of each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unconfirmed<'a> {
    /// The member, as it is to be named.
    pub member: &'a str,
    /// The partition.
    pub partition: TopicPartition,
    /// Which records.
    pub records: Records,
}

/// The records of a partition that a member may have stored without reporting them. A killed process stored consecutive
/// records, because each partition is stored in order; how many is seen in the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Records {
    /// Those of a transaction whose commit was not answered: from the first offset to one past the last.
    Within(i64, i64),
    /// From this offset, one past the last that was reported, as far as the process came.
    From(i64),
    /// From where the process began to this offset, the first that is known to be stored.
    UpTo(i64),
    /// The process reported nothing of the partition. If it was given it, its records begin, end or go through a place where
    /// another owner began or ended.
    AtChanges,
}

/// A member and its name.
pub type Named<'a> = (&'a MemberMeasurement, &'a str);

impl<'a> Unconfirmed<'a> {
    /// What the members of a group may have written. `partitions` are those of the trial, with the first offset that it
    /// reads of each; `is_dealt` is true where the group deals them to its members.
    pub fn of_group(members: &[Named<'a>], partitions: &[(TopicPartition, i64)], is_dealt: bool) -> Vec<Self> {
        let mut all: Vec<Self> = members
            .iter()
            .flat_map(|member| of_reports(*member, partitions))
            .collect();
        let mut processes = BTreeSet::new();
        for (killed, name) in members.iter().filter(|(member, _)| member.was_killed && is_dealt) {
            let process = (killed.process, killed.life);
            if !processes.insert(process) {
                continue;
            }
            // Reports are those of a process, for all of its consumers.
            let same = members
                .iter()
                .filter(|(member, _)| (member.process, member.life) == process);
            let reported: BTreeSet<TopicPartition> = same
                .flat_map(|(member, _)| &member.partitions)
                .map(PartitionMeasurement::topic_partition)
                .collect();
            let others = partitions.iter().filter(|(partition, _)| !reported.contains(partition));
            all.extend(others.map(|(partition, _)| Unconfirmed {
                member: name,
                partition: *partition,
                records: Records::AtChanges,
            }));
        }
        all
    }
}

/// What a member may have written of the partitions of which it reported something, or that it held at the start.
fn of_reports<'a>((member, name): Named<'a>, partitions: &[(TopicPartition, i64)]) -> Vec<Unconfirmed<'a>> {
    let may_be = |partition, records| Unconfirmed {
        member: name,
        partition,
        records,
    };
    let unanswered = member.unanswered.iter();
    let mut all: Vec<Unconfirmed<'a>> = unanswered
        .map(|span| may_be(span.partition, Records::Within(span.first, span.end)))
        .collect();
    for read in member.partitions.iter().filter(|_| member.was_killed) {
        let partition = read.topic_partition();
        let low = partitions.iter().find(|(of, _)| *of == partition);
        let runs = read.runs.as_deref().unwrap_or_default();
        let beside = not_reported(runs, low.map_or(0, |(_, low)| *low));
        all.extend(beside.map(|records| may_be(partition, records)));
    }
    all
}

/// What a killed process may have read of a partition beside its reported runs: under each assignment more after the last
/// report, and more before the first unless that begins where the trial does.
fn not_reported(runs: &[OffsetRun], low: i64) -> impl Iterator<Item = Records> + use<'_> {
    let assignments = runs.chunk_by(|one, next| one.epoch == next.epoch);
    assignments.flat_map(move |runs| {
        let first = runs.iter().map(|run| run.first).min().filter(|first| *first > low);
        let end = runs.iter().map(|run| run.end).max();
        [first.map(Records::UpTo), end.map(Records::From)].into_iter().flatten()
    })
}
