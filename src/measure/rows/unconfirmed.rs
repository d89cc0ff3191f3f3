//! What members may have stored without reporting it: the store did not answer a commit, or the process was killed before
//! its next report.

use crate::measure::member::{MemberMeasurement, OffsetRun, TopicPartition};

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

/// The records of a partition that a member may have stored without reporting them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Records {
    /// Those of a transaction whose commit was not answered: from the first offset to one past the last.
    Within(i64, i64),
    /// From this offset, one past the last that was reported, as far as the process came before it was killed: it stored
    /// consecutive records, and how many is seen in the rows.
    From(i64),
}

impl<'a> Unconfirmed<'a> {
    /// What a member may have written. A process says where it begins to store a partition before it does: so it has stored
    /// nothing of those of which it reported nothing, and nothing before its first report.
    pub fn of_member(member: &'a MemberMeasurement, name: &'a str) -> impl Iterator<Item = Unconfirmed<'a>> {
        let unanswered = member.unanswered.iter();
        let within = unanswered.map(|span| (span.partition, Records::Within(span.first, span.end)));
        let killed = member.partitions.iter().filter(|_| member.was_killed);
        let after = killed.flat_map(|read| {
            let runs = read.runs.as_deref().unwrap_or_default();
            ends(runs).map(|end| (read.topic_partition(), Records::From(end)))
        });
        within.chain(after).map(move |(partition, records)| Unconfirmed {
            member: name,
            partition,
            records,
        })
    }
}

/// One past the last offset of each assignment.
fn ends(runs: &[OffsetRun]) -> impl Iterator<Item = i64> {
    let assignments = runs.chunk_by(|one, next| one.epoch == next.epoch);
    assignments.filter_map(|runs| runs.iter().map(|run| run.end).max())
}
