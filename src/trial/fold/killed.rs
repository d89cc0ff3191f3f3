//! Workers that were killed as planned: their results are gone. What readers had reported is known, and what they may have
//! read beside it is not.

use super::lives::Lived;
use crate::measure::{Act, MemberMeasurement, OffsetRun, PartitionMeasurement, TopicPartition};
use crate::protocol::partitions_of;
use crate::trial::cast::Reader;
use crate::trial::course::Ended;

/// The members of one life of a reader, if it was killed.
pub(super) fn members(ended: &Ended<'_>, role: &Reader, life: u32, lived: &Lived<'_>) -> Vec<MemberMeasurement> {
    let (Some(reported), None) = (lived.gone, lived.result) else {
        return Vec::new();
    };
    let member = |(consumer, held): (u32, &Vec<TopicPartition>)| MemberMeasurement {
        group: u32::try_from(role.group).unwrap_or(u32::MAX),
        process: role.process,
        consumer,
        life,
        was_killed: true,
        assigned: held.clone(),
        ..MemberMeasurement::default()
    };
    let mut members: Vec<MemberMeasurement> = (0u32..).zip(lived.held).map(member).collect();
    for (partition, range) in partitions_of(&ended.terms.topics) {
        let holder = lived.held.iter().position(|held| held.contains(&partition));
        let of_partition = || reported.iter().filter(|span| span.partition == partition);
        let mut spans: Vec<(i64, i64)> = of_partition().map(|span| (span.first, span.end)).collect();
        let last_ns = of_partition().next_back().map(|span| span.at_ns);
        if spans.is_empty() && holder.is_some() {
            // It was killed before its first report.
            spans.push((range.low, range.low));
        }
        // Which consumer of several read what was assigned after the start is not reported.
        let Some(member) = members.get_mut(holder.unwrap_or(0)).filter(|_| !spans.is_empty()) else {
            continue;
        };
        let runs = runs(ended, partition, &spans);
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
fn runs(ended: &Ended<'_>, partition: TopicPartition, spans: &[(i64, i64)]) -> Vec<OffsetRun> {
    let reference = ended.course.reference(ended.log);
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
pub(super) fn not_observed(ended: &Ended<'_>, unknown: u64) -> Option<String> {
    let acts = ended.planned().into_iter();
    let killed = acts.filter(|act| act.act == Act::Kill && !act.is_on_broker() && !act.is_on_store());
    let names: Vec<String> = killed.map(|act| act.who.to_string()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "what {} did beyond its reports until it was killed; {unknown} offsets may have been read so",
            names.join(" and ")
        )
    })
}
