//! The load's part of a measurement: what was offered, sent and acknowledged, and how far the readers were behind.

use std::collections::BTreeMap;

use super::{Lag, Live, LoadState};
use crate::measure::latency::PackedLatency;
use crate::measure::overload::{Observed, Servers, judge};
use crate::measure::{
    DeliveryErrors, LagSeries, LoadMeasurement, MemberMeasurement, ProducerMeasurement, SecondOfLatency, TopicPartition,
};
use crate::protocol::{ProducerResult, entry_of};
use crate::scenario::{Keys, WorkOrdering};
use crate::trial::cast::{ActorId, Cast};
use crate::trial::course::Ended;
use crate::trial::happening::Happening;
use crate::trial::log::TrialLog;

/// Producers that sent less than this share of what the window asked for did not reach the load.
const REACHED_SHARE: f64 = 0.98;
/// As many records may be on their way at the end of a window.
const REACHED_SLACK: f64 = 2.0;

impl Live {
    /// What the load was.
    pub(super) fn load_measurement(
        &self,
        ended: &Ended<'_>,
        unread: u64,
        members: &[MemberMeasurement],
    ) -> Option<LoadMeasurement> {
        let (spec, load, log) = (&self.spec, self.load.as_ref()?, ended.log);
        let warmup_ns = u64::try_from(spec.warmup.as_nanos()).unwrap_or(u64::MAX);
        let (window_from_ns, window_end_ns) = (load.start_ns.saturating_add(warmup_ns), load.end_ns);
        let window_ns = window_end_ns.saturating_sub(window_from_ns);
        let window_s = (window_ns as f64 / 1e9).max(f64::MIN_POSITIVE);
        let sum = |of: fn(&ProducerResult) -> u64| log.sent().map(of).sum();
        let due_in_window: u64 = sum(|result| result.due_in_window);
        let sent_in_window: u64 = sum(|result| result.sent_in_window);
        // What waits in the producers' queues, or was given up there, has not arrived.
        let arrived = sent_in_window.min(sum(|result| result.acknowledged_in_window));
        let paths = ended.paths();
        let lag = load.lag.series(log, paths.as_ref());
        let (judgement, overload) = judge(&Observed {
            members,
            lag: &lag,
            window_ns: (window_from_ns, window_end_ns),
            per_second: &self.per_second(load, &lag, arrived as f64 / window_s),
            gap_variation: spec.schedule.arrivals().gap_variation(),
            has_keys: ended
                .cast
                .producers
                .iter()
                .any(|producer| producer.role.keys != Keys::None),
            servers: servers(ended.cast),
            has_backlog: spec.has_backlog(),
        });
        Some(LoadMeasurement {
            start_ns: load.start_ns,
            window_from_ns,
            window_end_ns,
            offered_per_second: due_in_window as f64 / window_s,
            sent_per_second: arrived as f64 / window_s,
            reached: arrived as f64 + REACHED_SLACK >= REACHED_SHARE * due_in_window as f64,
            due: sum(|result| result.due),
            sent: sum(|result| result.sent),
            acknowledged: sum(|result| result.acknowledged),
            refused: sum(|result| result.refused),
            failed: sum(|result| result.failed),
            errors: errors(log),
            unread,
            overload,
            judgement: (!spec.has_backlog()).then_some(judgement),
            caught_up_ns: match &paths {
                Some(_) if spec.has_backlog() => Lag::caught_up_ns(spec, &lag),
                _ => log.latest(Happening::try_as_caught_up_ref).copied(),
            },
            seconds: seconds(log),
            is_beside: !spec.beside.is_empty(),
            lag,
            producers: (ended.cast.producer_ids().zip(&ended.cast.producers))
                .filter_map(|(actor, producer)| measured_producer(ended, actor, producer.role.producer))
                .collect(),
        })
    }

    /// Records per second that arrived in each partition: its share of all that arrived, in the window.
    fn per_second(&self, load: &LoadState, lag: &LagSeries, all_per_second: f64) -> BTreeMap<TopicPartition, f64> {
        let partitions = lag.partitions.iter().filter(|lag| lag.group == 0);
        let arrived: Vec<(TopicPartition, u64)> = partitions
            .map(|lag| {
                let partition = TopicPartition {
                    topic: lag.topic,
                    partition: lag.partition,
                };
                let end = load.ends.as_ref().and_then(|ends| entry_of(ends, partition));
                let records = u64::try_from(end.copied().unwrap_or(0) - self.backlog_end(partition));
                (partition, records.unwrap_or(0))
            })
            .collect();
        let all: u64 = arrived.iter().map(|(_, records)| records).sum();
        let rate = |records: u64| all_per_second * records as f64 / all.max(1) as f64;
        arrived
            .into_iter()
            .map(|(partition, records)| (partition, rate(records)))
            .collect()
    }
}

/// Response times by the second, in order.
fn seconds(log: &TrialLog) -> Vec<SecondOfLatency> {
    let mut seconds: BTreeMap<u32, PackedLatency> = BTreeMap::new();
    for part in log.all(Happening::try_as_seconds_ref).flat_map(|(_, part)| part) {
        seconds
            .entry(part.second)
            .and_modify(|known| known.merge(&part.response.unpack()))
            .or_insert_with(|| part.response.clone());
    }
    let seconds = seconds.into_iter();
    seconds
        .map(|(second, response)| SecondOfLatency { second, response })
        .collect()
}

/// What works the records of a member: partitions side by side only where several threads take one each.
fn servers(cast: &Cast) -> Servers {
    let mut orders = cast.readers.iter().map(|reader| &reader.role.prepare);
    if orders.any(|prepare| prepare.threads > 1 && prepare.ordering == WorkOrdering::Partition) {
        Servers::Partitions
    } else {
        Servers::Member
    }
}

/// What was refused or not delivered, by cause, the commonest first.
fn errors(log: &TrialLog) -> Vec<DeliveryErrors> {
    let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
    for error in log.sent().flat_map(|result| &result.errors) {
        *causes.entry(&error.cause).or_default() += error.records;
    }
    let error = |(cause, records): (&str, u64)| DeliveryErrors {
        cause: cause.to_owned(),
        records,
    };
    let mut errors: Vec<DeliveryErrors> = causes.into_iter().map(error).collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.records));
    errors
}

fn measured_producer(
    Ended { log, clocks, .. }: &Ended<'_>,
    actor: ActorId,
    producer: u32,
) -> Option<ProducerMeasurement> {
    let (_, result) = log.of(actor, Happening::try_as_produced_ref)?;
    let (_, hello) = log.of(actor, Happening::try_as_introduced_ref)?;
    Some(ProducerMeasurement {
        producer,
        host: clocks.host_of(actor),
        pid: hello.pid,
        client: hello.client.clone(),
        client_version: hello.client_version.clone(),
        due: result.due,
        sent: result.sent,
        acknowledged: result.acknowledged,
        lateness: result.lateness.clone(),
        series: result.series.clone(),
        last_sent_ns: result.last_sent_ns,
        queue_full_ns: result.queue_full_ns,
        retried: result.retried,
        delays: result.delays.clone(),
        window: result.window.clone(),
        stopwatch: result.stopwatch.clone(),
    })
}
