//! Workers that were killed as planned: their results are gone. What readers had reported is known, and what they may have
//! read beside it is not.

use crate::measure::{Act, MemberMeasurement, OffsetRun, Participant, PartitionMeasurement, TopicPartition};
use crate::protocol::{Capability, partitions_of};
use crate::trial::cast::{AnyActor, Life, ReaderStage};
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
        let mut spans: Vec<(i64, i64)> = Vec::new();
        let mut last_ns = None;
        for span in machine.spans((reader, life), partition) {
            spans.push(span.offsets);
            last_ns = Some(span.at_ns);
        }
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

/// What could not be observed because of planned acts; `unknown` offsets may have been read by who was killed.
pub(super) fn not_observed(machine: &TrialMachine, unknown: u64) -> Vec<String> {
    let killed = machine.planned().into_iter().filter(|act| act.act == Act::Kill);
    let mut sentences: Vec<String> = killed
        .filter_map(|act| match act.who {
            Participant::Reader { .. } => Some(format!(
                "{} was killed: what it read is known by its reports, its resources are not",
                act.who
            )),
            Participant::Producer(_) => Some(format!("{} was killed: what it sent is not known", act.who)),
            Participant::Broker(_) => None,
        })
        .collect();
    if unknown > 0 {
        sentences.push(format!(
            "whether {unknown} offsets were read: a reader that was killed may have read them before its first report or \
             after its last"
        ));
    }
    let readers = machine.cast.readers.iter();
    let mut uncounted = readers.filter(|reader| !reader.can(Capability::Ledger));
    if let (false, Some(reader)) = (machine.terms.script.steps.is_empty(), uncounted.next()) {
        sentences.push(format!(
            "whether every record was read, and none twice: {} keeps no ledger, and what is read again after a planned act \
             cannot be told from it",
            reader.name()
        ));
    }
    sentences
}
