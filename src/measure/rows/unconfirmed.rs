//! What members may have stored without reporting it: the store did not answer a commit, or the process was killed before
//! its next report.

use crate::measure::member::{MemberMeasurement, OffsetRun, TopicPartition};

/// Rows of a member whose number of tries is not known.
const ANY_NUMBER: u64 = u32::MAX as u64;

/// Rows that a member may have written beside those that it reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unconfirmed<'a> {
    /// The member, as it is to be named.
    pub member: &'a str,
    /// The partition.
    pub partition: TopicPartition,
    /// First offset.
    pub first: i64,
    /// One past the last.
    pub end: i64,
    /// Most rows of each.
    pub copies: u64,
}

/// How often a member writes a transaction whose commit is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tries {
    /// It ends then.
    One,
    /// Until it is answered.
    Any,
}

impl<'a> Unconfirmed<'a> {
    /// What a member may have written of its partitions; `name` is the member's, and `low` the first offset that the trial
    /// reads of a partition.
    pub fn of_member(
        member: &MemberMeasurement,
        name: &'a str,
        low: impl Fn(TopicPartition) -> i64,
        tries: Tries,
    ) -> Vec<Self> {
        let mut all = Vec::new();
        for read in &member.partitions {
            let partition = read.topic_partition();
            let rows = |(first, end), copies| Unconfirmed {
                member: name,
                partition,
                first,
                end,
                copies,
            };
            all.extend(read.unanswered.iter().map(|span| rows((span.first, span.end), 1)));
            if member.was_killed {
                let copies = match tries {
                    Tries::One => 1,
                    Tries::Any => ANY_NUMBER,
                };
                let runs = read.runs.as_deref().unwrap_or_default();
                all.extend(not_reported(runs, low(partition)).map(|span| rows(span, copies)));
            }
        }
        all
    }
}

/// What a killed process may have read of a partition beside its reported runs: under each assignment more after the last
/// report, and more before the first unless that begins where the trial does.
fn not_reported(runs: &[OffsetRun], low: i64) -> impl Iterator<Item = (i64, i64)> + use<'_> {
    let assignments = runs.chunk_by(|one, next| one.epoch == next.epoch);
    let around = assignments.flat_map(move |runs| {
        let first = runs.iter().map(|run| run.first).min().unwrap_or(low);
        let end = runs.iter().map(|run| run.end).max().unwrap_or(low);
        [(low, first), (end, i64::MAX)]
    });
    around.filter(|(first, end)| first < end)
}
