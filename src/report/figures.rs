//! The figures of one trial, derived from what it recorded. The same definitions as the summary's, for one trial.

use crate::measure::{HostMeasurement, Measurement, MemberMeasurement, ProcessMeasurement, ProcessUsage};

const NS_PER_SECOND: f64 = 1e9;
const BYTES_PER_MIB: f64 = 1_048_576.0;

/// What the columns and charts say of a trial.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrialFigures {
    /// Deliveries over all groups.
    pub(super) records: u64,
    /// Members that held no partition when reading began.
    pub(super) idle_members: usize,
    /// Mean bytes of key and value.
    pub(super) record_bytes: Option<f64>,
    pub(super) records_per_second: Option<f64>,
    pub(super) mib_per_second: Option<f64>,
    pub(super) read_seconds: f64,
    pub(super) join_seconds: f64,
    pub(super) stopwatch_seconds: f64,
    /// Start to a member's first record, median over the members that read.
    pub(super) first_record_ms: Option<f64>,
    pub(super) client_cpu_seconds_per_million: Option<f64>,
    pub(super) client_cpu_seconds_per_million_stopwatch: Option<f64>,
    pub(super) broker_cpu_seconds_per_million: Option<f64>,
    pub(super) work_us_mean: Option<f64>,
}

impl TrialFigures {
    pub(super) fn of(m: &Measurement) -> Self {
        let records = m.records();
        let read_seconds = m.read_ns() as f64 / NS_PER_SECOND;
        let per_record = |total: f64| (records > 0).then(|| total / records as f64);
        let records_per_second = (read_seconds > 0.0).then(|| m.records_per_second());
        let record_bytes = per_record(m.bytes() as f64);
        let per_million = |ns: f64| per_record(ns / NS_PER_SECOND * 1e6);
        TrialFigures {
            records,
            idle_members: m.members.iter().filter(|m| m.assigned.is_empty()).count(),
            record_bytes,
            records_per_second,
            mib_per_second: records_per_second
                .zip(record_bytes)
                .map(|(rate, bytes)| rate * bytes / BYTES_PER_MIB),
            read_seconds,
            join_seconds: m.join_ns() as f64 / NS_PER_SECOND,
            stopwatch_seconds: m.stopwatch_ns() as f64 / NS_PER_SECOND,
            first_record_ms: median(first_record_ms(m)),
            client_cpu_seconds_per_million: client_cpu_ns(m, |p| p.window.as_ref()).and_then(per_million),
            client_cpu_seconds_per_million_stopwatch: client_cpu_ns(m, |p| p.stopwatch.as_ref()).and_then(per_million),
            broker_cpu_seconds_per_million: brokers_cpu_ns(&m.host).and_then(per_million),
            work_us_mean: work_ns(&m.members).and_then(|ns| per_record(ns / 1e3)),
        }
    }
}

/// Milliseconds from the start to the first record of each member that read any.
fn first_record_ms(m: &Measurement) -> Vec<f64> {
    m.members
        .iter()
        .filter_map(|member| Some(since_start_s(m, member.first_record_ns?) * 1e3))
        .collect()
}

/// Seconds from the common start.
pub(super) fn since_start_s(m: &Measurement, at_ns: u64) -> f64 {
    at_ns.saturating_sub(m.start_ns) as f64 / NS_PER_SECOND
}

/// CPU of all workers in nanoseconds; `None` where one did not measure itself.
fn client_cpu_ns<'a>(
    m: &'a Measurement,
    usage: impl Fn(&'a ProcessMeasurement) -> Option<&'a ProcessUsage>,
) -> Option<f64> {
    m.processes.iter().map(|p| usage(p).map(|u| u.cpu_ns as f64)).sum()
}

/// CPU of all brokers in nanoseconds; `None` where they do not run on this machine.
pub(super) fn brokers_cpu_ns(host: &HostMeasurement) -> Option<f64> {
    (!host.brokers_cpu_ns.is_empty()).then(|| host.brokers_cpu_ns.iter().sum::<u64>() as f64)
}

/// Time in work of all members; `None` where one that read does not observe it.
fn work_ns(members: &[MemberMeasurement]) -> Option<f64> {
    members
        .iter()
        .filter(|m| m.records() > 0)
        .map(|m| m.work_ns.map(|ns| ns as f64))
        .sum()
}

/// The median; `None` of nothing.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|v| v.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;
    use crate::measure::Series;

    #[test]
    fn the_median_is_the_middle_and_of_nothing_there_is_none() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn a_rate_is_all_records_over_the_common_window() {
        let fixture = Fixture::one_vs_two();
        let m = fixture.trials.iter().find_map(|t| t.measurement.as_ref()).unwrap();
        let figures = TrialFigures::of(m);
        let expected = figures.records as f64 / ((m.end_ns - m.start_ns) as f64 / 1e9);
        assert!((figures.records_per_second.unwrap() / expected - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_rate_of_a_live_trial_is_that_of_its_window_and_not_of_the_draining() {
        let fixture = Fixture::latency();
        let mut live = fixture.trials.iter().filter(|t| t.order.configuration == 0);
        let mut m = live.find_map(|t| t.measurement.clone()).unwrap();
        let partitions: Vec<_> = m.members.iter_mut().flat_map(|member| &mut member.partitions).collect();
        let steady = 7.0 * partitions.len() as f64;
        for partition in partitions {
            partition.series = Some(Series {
                bucket_ns: 1_000_000_000,
                counts: vec![7; 600],
            });
        }
        let rate = |m: &Measurement| TrialFigures::of(m).records_per_second.unwrap();
        assert!((rate(&m) / steady - 1.0).abs() < 1e-9, "{} of {steady}", rate(&m));
        m.end_ns += 20_000_000_000;
        assert!((rate(&m) / steady - 1.0).abs() < 1e-9, "a longer draining");
        // Of a worker that says nothing of its records over time only the whole is known.
        m.members[0].partitions[0].series = None;
        let whole = m.records() as f64 / (m.read_ns() as f64 / 1e9);
        assert!((rate(&m) / whole - 1.0).abs() < 1e-9);
    }

    #[test]
    fn cpu_is_unknown_where_one_process_did_not_measure_itself() {
        let fixture = Fixture::one_vs_two();
        let mut m = fixture.trials.iter().find_map(|t| t.measurement.clone()).unwrap();
        assert!(TrialFigures::of(&m).client_cpu_seconds_per_million.is_some());
        m.processes[0].window = None;
        assert_eq!(TrialFigures::of(&m).client_cpu_seconds_per_million, None);
    }
}
