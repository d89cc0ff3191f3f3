//! Workers that were killed as planned: their results are gone. What readers had reported is known, and what they may have
//! read beside it is not.

use crate::measure::{Act, MemberMeasurement, OffsetRun, PartitionMeasurement, TopicPartition};
use crate::protocol::partitions_of;
use crate::trial::cast::{Life, ReaderStage};
use crate::trial::engine::TrialMachine;

/// The members of one life of a reader, if it was killed.
pub(super) fn members(
    machine: &TrialMachine,
    (reader, life): (usize, u32),
    lived: &Life<ReaderStage>,
) -> Vec<MemberMeasurement> {
    let held = match lived {
        Life::Gone { .. } if lived.result().is_none() => lived.held(),
        _ => return Vec::new(),
    };
    let role = &machine.cast.readers[reader].role;
    let member = |(consumer, held): (u32, &Vec<TopicPartition>)| MemberMeasurement {
        group: u32::try_from(role.group).unwrap_or(u32::MAX),
        process: role.process,
        consumer,
        life,
        was_killed: true,
        assigned: held.clone(),
        ..MemberMeasurement::default()
    };
    let mut members: Vec<MemberMeasurement> = (0u32..).zip(held).map(member).collect();
    for (partition, range) in partitions_of(&machine.terms.topics) {
        let holder = held.iter().position(|held| held.contains(&partition));
        let mut spans: Vec<(i64, i64)> = machine
            .spans((reader, life), partition)
            .map(|span| span.offsets)
            .collect();
        let last_ns = machine.spans((reader, life), partition).map(|span| span.at_ns).last();
        if spans.is_empty() && holder.is_some() {
            // It was killed before its first report.
            spans.push((range.low, range.low));
        }
        // Which consumer of several read what was assigned after the start is not reported.
        let Some(member) = members.get_mut(holder.unwrap_or(0)).filter(|_| !spans.is_empty()) else {
            continue;
        };
        let runs = runs(machine, partition, &spans);
        member.last_record_ns = member.last_record_ns.max(last_ns);
        member.partitions.push(PartitionMeasurement {
            topic: partition.topic,
            partition: partition.partition,
            records: runs.iter().map(|run| (run.end - run.first).unsigned_abs()).sum(),
            last_ns,
            runs: Some(runs),
            ..PartitionMeasurement::default()
        });
    }
    members
}

/// What was read for certain, of existing topics only what holds records; at least an empty run for each span, next to
/// which more may have been read.
fn runs(machine: &TrialMachine, partition: TopicPartition, spans: &[(i64, i64)]) -> Vec<OffsetRun> {
    let reference = machine.course.reference();
    let delivered = reference.and_then(|reference| reference.delivered.of(partition.topic, partition.partition));
    let mut runs = Vec::new();
    for (epoch, &(first, end)) in (1u32..).zip(spans) {
        let run = |(first, end)| OffsetRun { first, end, epoch };
        match delivered {
            Some(delivered) => runs.extend(delivered.within(first, end).map(|found| run((found.first, found.end)))),
            None => runs.push(run((first, end))),
        }
        runs.extend((delivered.is_some()).then(|| run((end, end))));
    }
    runs
}

/// What could not be observed because workers were killed; `unknown` offsets may have been read by one of them.
pub(super) fn not_observed(machine: &TrialMachine, unknown: u64) -> Option<String> {
    let acts = machine.planned().into_iter();
    let killed = acts.filter(|act| act.act == Act::Kill && !act.is_on_broker());
    let names: Vec<String> = killed.map(|act| act.who.to_string()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "what {} did beyond its reports until it was killed; {unknown} offsets may have been read so",
            names.join(" and ")
        )
    })
}
