//! The account of existing topics: what it is compared with, and what the measurement keeps of it.

use std::collections::BTreeMap;

use crate::measure::ledger;
use crate::measure::{DeliveredTopics, MemberMeasurement, TopicPartition};
use crate::protocol::{OffsetRange, TopicTarget};
use crate::trial::engine::TrialMachine;

/// The trial's topics with these ranges of their partitions, and nothing of the others.
pub(super) fn targets(machine: &TrialMachine, ranges: &BTreeMap<TopicPartition, (i64, i64)>) -> Vec<TopicTarget> {
    let mut topics = machine.terms.topics.clone();
    for (topic, target) in (0u32..).zip(&mut topics) {
        for (partition, range) in (0i32..).zip(&mut target.partitions) {
            let found = ranges.get(&TopicPartition { topic, partition });
            let (low, end) = found.copied().unwrap_or((range.low, range.low));
            *range = OffsetRange { low, end };
        }
    }
    topics
}

/// What the account of existing topics is compared with.
pub(super) fn reference_of(machine: &TrialMachine) -> Option<ledger::Reference<'_>> {
    let reference = machine.terms.reference.as_ref()?;
    Some(ledger::Reference {
        delivered: &reference.delivered,
        still: machine.still.as_ref(),
    })
}

/// Lets the runs of a member go on where only offsets lie between that hold no record: a topic that was compacted has
/// a gap at every second record, and the runs of a trial would be longer than all the rest of it.
pub(super) fn bridge_gaps(member: &mut MemberMeasurement, delivered: &DeliveredTopics) {
    for partition in &mut member.partitions {
        let Some((runs, delivered)) = partition
            .runs
            .as_mut()
            .zip(delivered.of(partition.topic, partition.partition))
        else {
            continue;
        };
        runs.dedup_by(|next, run| {
            let goes_on = next.epoch == run.epoch && next.first >= run.end && delivered.is_gap(run.end, next.first);
            if goes_on {
                run.end = next.end;
            }
            goes_on
        });
    }
}

/// Records that a partition was to give, and how many of them the cluster no longer has.
pub(super) fn counts_of(machine: &TrialMachine, partition: TopicPartition, range: OffsetRange) -> (u64, u64) {
    let Some(reference) = reference_of(machine) else {
        return (range.len(), 0);
    };
    let Some(delivered) = reference.delivered.of(partition.topic, partition.partition) else {
        return (0, 0);
    };
    let expected = delivered.count_within(range.low, range.end);
    let still = reference.still.map_or(expected, |still| {
        let still = still.of(partition.topic, partition.partition);
        still.map_or(0, |still| still.count_within(range.low, range.end))
    });
    (expected, expected.saturating_sub(still))
}
