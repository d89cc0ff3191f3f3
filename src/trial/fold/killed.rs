//! Workers that were killed as planned: their results are gone. What readers had reported is known, and what they may have
//! read beside it is not.

use super::lives::Lived;
use crate::measure::{
    Act, Flow, FlowBuilder, MemberMeasurement, OffsetRun, PartitionMeasurement, Series, TopicPartition,
};
use crate::protocol::{FLOW_REPORT_MS, partitions_of};
use crate::trial::cast::Reader;
use crate::trial::course::Ended;
use crate::trial::happening::{Happening, Span};

/// Reports this far apart are of one stretch of reading.
const REPORTS_APART_NS: u64 = 3 * FLOW_REPORT_MS * 1_000_000;
/// Buckets of records over time: reports come no more often.
const BUCKET_NS: u64 = FLOW_REPORT_MS * 1_000_000;

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
        unanswered: lived.unanswered_of(consumer),
        assigned: held.clone(),
        ..MemberMeasurement::default()
    };
    let mut members: Vec<MemberMeasurement> = (0u32..).zip(lived.held).map(member).collect();
    let start_ns = ended.log.latest(Happening::try_as_start_set_ref).copied().unwrap_or(0);
    for (partition, range) in partitions_of(&ended.terms.topics) {
        for (consumer, member) in members.iter_mut().enumerate() {
            let is_its = |span: &&Span| (span.partition, span.consumer) == (partition, consumer);
            let of_member = || reported.iter().filter(is_its);
            let mut spans: Vec<(i64, i64)> = of_member().map(|span| (span.first, span.end)).collect();
            if spans.is_empty() && member.assigned.contains(&partition) {
                // It was killed before its first report.
                spans.push((range.low, range.low));
            }
            if spans.is_empty() {
                continue;
            }
            let runs = runs(ended, partition, &spans);
            let last_ns = of_member().next_back().map(|span| span.at_ns);
            member.last_record_ns = member.last_record_ns.max(last_ns);
            member.partitions.push(PartitionMeasurement {
                topic: partition.topic,
                partition: partition.partition,
                records: runs.iter().map(|run| (run.end - run.first).unsigned_abs()).sum(),
                last_ns,
                runs: Some(runs),
                flow: flow(of_member()),
                series: Some(series(of_member(), start_ns)),
                ..PartitionMeasurement::default()
            });
        }
    }
    members
}

/// When it was read, as far as its reports tell.
fn flow<'a>(spans: impl Iterator<Item = &'a Span>) -> Vec<Flow> {
    let mut flow = FlowBuilder::with_pauses_from(REPORTS_APART_NS);
    for (epoch, span) in (1u32..).zip(spans) {
        for (at_ns, _) in &span.reports {
            flow.add(epoch, *at_ns, *at_ns);
        }
    }
    flow.finish()
}

/// What it reported over time.
fn series<'a>(spans: impl Iterator<Item = &'a Span>, start_ns: u64) -> Series {
    let mut counts: Vec<u64> = Vec::new();
    for span in spans {
        let mut reached = span.first;
        for (at_ns, offset) in &span.reports {
            let bucket = usize::try_from(at_ns.saturating_sub(start_ns) / BUCKET_NS).unwrap_or(usize::MAX);
            if bucket >= counts.len() {
                counts.resize(bucket + 1, 0);
            }
            counts[bucket] += u64::try_from(offset - reached).unwrap_or(0);
            reached = *offset;
        }
    }
    Series {
        bucket_ns: BUCKET_NS,
        counts,
    }
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
    (!names.is_empty() && !ended.cast.is_observed()).then(|| {
        format!(
            "what {} did beyond its reports until it was killed; {unknown} offsets may have been read so",
            names.join(" and ")
        )
    })
}
