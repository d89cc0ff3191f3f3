//! The load's part of a measurement: what was offered, sent and acknowledged, and how far the readers were behind.

use std::collections::BTreeMap;

use super::{Live, LoadState};
use crate::measure::overload::{Observed, Servers, judge};
use crate::measure::{
    DeliveryErrors, LoadMeasurement, MemberMeasurement, ProducerMeasurement, SecondOfLatency, TopicPartition,
};
use crate::protocol::{PrepareProducer, ProducerResult, entry_of};
use crate::scenario::{Keys, WorkOrdering};
use crate::trial::cast::{Actor, AnyActor, Cast};
use crate::trial::course::Ended;

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
        let (spec, load, cast) = (&self.spec, self.load.as_ref()?, ended.cast);
        let warmup_ns = u64::try_from(spec.warmup.as_nanos()).unwrap_or(u64::MAX);
        let (window_from_ns, window_end_ns) = (load.start_ns.saturating_add(warmup_ns), load.end_ns);
        let window_ns = window_end_ns.saturating_sub(window_from_ns);
        let seconds = (window_ns as f64 / 1e9).max(f64::MIN_POSITIVE);
        let sum = |of: fn(&ProducerResult) -> u64| cast.sent().map(of).sum();
        let due_in_window: u64 = sum(|result| result.due_in_window);
        let sent_in_window: u64 = sum(|result| result.sent_in_window);
        // What waits in the producers' queues, or was given up there, has not arrived.
        let arrived = sent_in_window.min(sum(|result| result.acknowledged_in_window));
        let (judgement, overload) = judge(&Observed {
            members,
            lag: &load.lag.series,
            window_ns: (window_from_ns, window_end_ns),
            per_second: &self.per_second(load, arrived as f64 / seconds),
            gap_variation: spec.schedule.arrivals().gap_variation(),
            has_keys: cast.producers.iter().any(|producer| producer.role.keys != Keys::None),
            servers: servers(cast),
            has_backlog: spec.has_backlog(),
        });
        Some(LoadMeasurement {
            start_ns: load.start_ns,
            window_from_ns,
            window_end_ns,
            offered_per_second: due_in_window as f64 / seconds,
            sent_per_second: arrived as f64 / seconds,
            reached: arrived as f64 + REACHED_SLACK >= REACHED_SHARE * due_in_window as f64,
            due: sum(|result| result.due),
            sent: sum(|result| result.sent),
            acknowledged: sum(|result| result.acknowledged),
            refused: sum(|result| result.refused),
            failed: sum(|result| result.failed),
            errors: errors(cast),
            unread,
            overload,
            judgement: (!spec.has_backlog()).then_some(judgement),
            caught_up_ns: load.lag.caught_up_ns,
            seconds: load.seconds(),
            lag: load.lag.series.clone(),
            producers: cast.producers.iter().filter_map(producer).collect(),
        })
    }

    /// Records per second that arrived in each partition: its share of all that arrived, in the window.
    fn per_second(&self, load: &LoadState, all_per_second: f64) -> BTreeMap<TopicPartition, f64> {
        let partitions = load.lag.series.partitions.iter().filter(|lag| lag.group == 0);
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

impl LoadState {
    /// Response times by the second, in order.
    pub(super) fn seconds(&self) -> Vec<SecondOfLatency> {
        let seconds = self
            .seconds
            .iter()
            .map(|(second, response)| (*second, response.clone()));
        seconds
            .map(|(second, response)| SecondOfLatency { second, response })
            .collect()
    }
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
fn errors(cast: &Cast) -> Vec<DeliveryErrors> {
    let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
    for error in cast.sent().flat_map(|result| &result.errors) {
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

fn producer(producer: &Actor<PrepareProducer>) -> Option<ProducerMeasurement> {
    let (result, hello) = (producer.result()?, &producer.introduction()?.hello);
    Some(ProducerMeasurement {
        producer: producer.role.producer,
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
        window: result.window.clone(),
        stopwatch: result.stopwatch.clone(),
    })
}
