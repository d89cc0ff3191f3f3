//! The load's part of a measurement: what was offered, sent and acknowledged, and how far the readers were behind.

use std::collections::BTreeMap;

use crate::measure::ledger::{ExpectedRange, partition_name};
use crate::measure::overload::{Observed, Servers, is_seen, judge};
use crate::measure::{
    DeliveryErrors, Failure, FailureKind, LagSeries, LoadMeasurement, MemberMeasurement, ProducerMeasurement,
    TopicPartition,
};
use crate::protocol::{PrepareProducer, ProducerResult, entry_of};
use crate::scenario::{Keys, WorkOrdering};
use crate::trial::cast::{Actor, AnyActor, Cast};
use crate::trial::engine::{LoadState, TrialMachine};
use crate::trial::spec::LoadSpec;

/// Producers that sent less than this share of what the window asked for did not reach the load.
const REACHED_SHARE: f64 = 0.98;
/// As many records may be on their way at the end of a window.
const REACHED_SLACK: f64 = 2.0;

/// What the load was; `None` in a backlog trial.
pub(super) fn measurement(
    machine: &mut TrialMachine,
    unread: u64,
    members: &[MemberMeasurement],
) -> Option<LoadMeasurement> {
    let spec = machine.terms.load.clone()?;
    let servers = servers(machine);
    let state = machine.load.as_mut()?;
    let warmup_ns = u64::try_from(spec.warmup.as_nanos()).unwrap_or(u64::MAX);
    let (window_from_ns, window_end_ns) = (state.start_ns.saturating_add(warmup_ns), state.end_ns);
    let window_ns = window_end_ns.saturating_sub(window_from_ns);
    let seconds = (window_ns as f64 / 1e9).max(f64::MIN_POSITIVE);
    let cast = &machine.cast;
    let sum = |of: fn(&ProducerResult) -> u64| cast.sent().map(of).sum();
    let lag = std::mem::take(&mut state.lag);
    let due_in_window: u64 = sum(|result| result.due_in_window);
    let sent_in_window: u64 = sum(|result| result.sent_in_window);
    // What waits in the producers' queues, or was given up there, has not arrived.
    let arrived = sent_in_window.min(sum(|result| result.acknowledged_in_window));
    let offered_per_second = due_in_window as f64 / seconds;
    let (judgement, overload) = judge(&Observed {
        members,
        lag: &lag,
        window_ns: (window_from_ns, window_end_ns),
        per_second: &per_second(&spec, state, &lag, arrived as f64 / seconds),
        gap_variation: spec.schedule.arrivals().gap_variation(),
        has_keys: cast.producers.iter().any(|producer| producer.role.keys != Keys::None),
        servers,
        has_backlog: spec.has_backlog(),
    });
    Some(LoadMeasurement {
        start_ns: state.start_ns,
        window_from_ns,
        window_end_ns,
        offered_per_second,
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
        caught_up_ns: state.caught_up_ns,
        seconds: state.take_seconds(),
        lag,
        producers: cast.producers.iter().filter_map(producer).collect(),
    })
}

/// What works the records of a member: partitions side by side only where several threads take one each.
fn servers(machine: &TrialMachine) -> Servers {
    let mut orders = machine.cast.readers.iter().map(|reader| &reader.role.prepare);
    if orders.any(|prepare| prepare.threads > 1 && prepare.ordering == WorkOrdering::Partition) {
        Servers::Partitions
    } else {
        Servers::Member
    }
}

/// Records per second that arrived in each partition: its share of all that arrived, in the window.
fn per_second(
    spec: &LoadSpec,
    state: &LoadState,
    lag: &LagSeries,
    all_per_second: f64,
) -> BTreeMap<TopicPartition, f64> {
    let partitions = lag.partitions.iter().filter(|lag| lag.group == 0);
    let arrived: Vec<(TopicPartition, u64)> = partitions
        .map(|lag| {
            let partition = TopicPartition {
                topic: lag.topic,
                partition: lag.partition,
            };
            let end = state.ends.as_ref().map_or(0, |_| state.end_of(partition));
            let records = u64::try_from(end - backlog_end(spec, partition));
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

/// Names the lag as not observed where the cluster said too seldom where its partitions end.
pub(super) fn lag_not_sampled(load: &LoadMeasurement) -> Option<String> {
    let window_ns = (load.window_from_ns, load.window_end_ns);
    (!is_seen(&load.lag, window_ns)).then(|| {
        "how far the readers were behind: the cluster said too seldom in the window where its partitions end".to_owned()
    })
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

/// What a group was to read of each partition, and how many records there are beyond. Where the draining ended before
/// everything was read, what is behind the last record read is unread and not lost.
pub(super) fn expected(machine: &TrialMachine, members: &[&MemberMeasurement]) -> (Vec<ExpectedRange>, u64) {
    let (mut unread, mut ranges) = (0, Vec::new());
    let was_killed = |producer: &Actor<PrepareProducer>| !producer.is_present() && producer.result().is_none();
    let given_up = machine.cast.sent().any(|result| result.failed > 0) || machine.cast.producers.iter().any(was_killed);
    for partition in machine.terms.partitions() {
        let Some(end) = machine.load.as_ref().map(|load| load.end_of(partition)) else {
            continue;
        };
        let read = members.iter().flat_map(|member| &member.partitions);
        let read = read.filter(|read| read.topic_partition() == partition);
        let runs = read.flat_map(|read| read.runs.iter().flatten());
        let furthest = runs.map(|run| run.end).max().unwrap_or(0).max(0);
        // A record that was given up on may be written all the same, after the ends were asked for.
        let end = if given_up { end.max(furthest) } else { end };
        let read_until = furthest.min(end);
        unread += u64::try_from(end - read_until).unwrap_or(0);
        ranges.push(ExpectedRange {
            partition,
            low: 0,
            end: read_until,
        });
    }
    (ranges, unread)
}

/// Records that the cluster acknowledged and does not have.
pub(super) fn vanished(machine: &TrialMachine) -> Option<Failure> {
    let (spec, load) = (machine.terms.load.as_ref()?, machine.load.as_ref()?);
    let mut acknowledged: BTreeMap<TopicPartition, u64> = BTreeMap::new();
    for produced in machine.cast.sent().flat_map(|result| &result.partitions) {
        *acknowledged.entry(produced.topic_partition()).or_default() += produced.acknowledged;
    }
    let missing = acknowledged.into_iter().find_map(|(partition, acknowledged)| {
        let there = load.end_of(partition) - backlog_end(spec, partition);
        let there = u64::try_from(there).unwrap_or(0);
        (there < acknowledged).then(|| {
            format!(
                "the cluster acknowledged {acknowledged} records of {} and has {there}",
                partition_name(partition)
            )
        })
    })?;
    Some(Failure {
        kind: FailureKind::Lost,
        who: None,
        message: missing,
    })
}

fn backlog_end(spec: &LoadSpec, partition: TopicPartition) -> i64 {
    entry_of(&spec.backlog_ends, partition).copied().unwrap_or(0)
}
