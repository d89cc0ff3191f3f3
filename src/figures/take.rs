//! How each figure is taken of the measurement of one trial.

use crate::measure::changes::{self, Episode};
use crate::measure::latency::LatencyRecorder;
use crate::measure::{
    LoadMeasurement, Measurement, MemberMeasurement, ProcessMeasurement, ProcessUsage, Series, StoreAccount,
};

const NS_PER_SECOND: f64 = 1e9;
pub(super) const NS_PER_MS: f64 = 1e6;
const NS_PER_US: f64 = 1e3;
const BYTES_PER_MIB: f64 = 1_048_576.0;
/// The fewest buckets of a series that make a tenth of a member's reading.
const TENTH_BUCKETS: u64 = 2;

/// The input of a figure.
pub(super) struct TrialInput<'a> {
    pub(super) measurement: &'a Measurement,
    /// Whether there was work to do for each record.
    pub(super) has_work: bool,
}

/// Start to last record, seconds. A trial is never shorter than the clock's step.
pub fn read_seconds(measurement: &Measurement) -> f64 {
    measurement.read_ns().max(1) as f64 / NS_PER_SECOND
}

/// First process started to last record, seconds.
pub fn stopwatch_seconds(measurement: &Measurement) -> f64 {
    measurement.stopwatch_ns().max(1) as f64 / NS_PER_SECOND
}

/// A percentile in milliseconds, if the trial has enough records. 0 ns becomes 1 ns, because a logarithm is taken and
/// no clock resolves the difference.
pub fn percentile_ms(latency: &LatencyRecorder, share: f64) -> Option<f64> {
    Some(latency.percentile_ns(share)?.max(1) as f64 / NS_PER_MS)
}

/// True where the trial's latencies are those of the load that was asked for and of readers that kept up.
pub fn is_meaningful(measurement: &Measurement) -> bool {
    measurement.load.as_ref().is_some_and(LoadMeasurement::is_meaningful)
}

/// From the producers' start until backlog and arrivals had been read for the first time, seconds.
pub fn catch_up_seconds(measurement: &Measurement) -> Option<f64> {
    let load = measurement.load.as_ref()?;
    Some(load.caught_up_ns?.saturating_sub(load.start_ns).max(1) as f64 / NS_PER_SECOND)
}

pub(super) fn seconds(ns: u64) -> f64 {
    ns as f64 / NS_PER_SECOND
}

/// The least accurate comparison of another host's clock with the coordinator's; `None` where all is one host.
pub(super) fn clock_bound_ms(input: &TrialInput) -> Option<f64> {
    let bounds = input.measurement.clocks.0.iter().map(|clock| clock.bound_ns);
    bounds.max().map(|bound_ns| bound_ns as f64 / NS_PER_MS)
}

/// Start to last record; not of readers that nothing holds until the start.
pub(super) fn read_time(input: &TrialInput) -> Option<f64> {
    let measurement = input.measurement;
    measurement.has_read_time().then(|| seconds(measurement.read_ns()))
}

/// What the account of every record shows; `None` of readers that keep none.
pub(super) fn accounted(measurement: &Measurement, records: u64) -> Option<u64> {
    measurement.outside.is_none().then_some(records)
}

/// What was counted in the store; `None` where no record ends in one.
pub(super) fn stored(measurement: &Measurement) -> Option<StoreAccount> {
    measurement.store.as_ref()?.account
}

pub(super) fn commit_interval_ms(input: &TrialInput) -> Option<f64> {
    let interval_ns = input.measurement.outside.as_ref()?.commit_interval_ns?;
    Some(interval_ns as f64 / NS_PER_MS)
}

/// `None` of readers whose records nobody sees.
pub(super) fn record_bytes(input: &TrialInput) -> Option<[f64; 2]> {
    let measurement = input.measurement;
    let is_seen = measurement.outside.is_none();
    is_seen.then(|| [measurement.bytes() as f64, measurement.records() as f64])
}

pub(super) fn records_per_second(input: &TrialInput) -> Option<f64> {
    let measurement = input.measurement;
    (measurement.has_read_time() && measurement.read_ns() > 0).then(|| measurement.records_per_second())
}

pub(super) fn mib_per_second(input: &TrialInput) -> Option<f64> {
    let [bytes, records] = record_bytes(input)?;
    let rate = records_per_second(input).filter(|_| records > 0.0)?;
    Some(rate * bytes / records / BYTES_PER_MIB)
}

/// Of each member that read any.
pub(super) fn first_record_ms(m: &Measurement) -> Vec<f64> {
    let first = m.members.iter().filter_map(|member| member.first_record_ns);
    first
        .map(|at_ns| at_ns.saturating_sub(m.start_ns) as f64 / NS_PER_MS)
        .collect()
}

/// Of each member whose reading can be divided into tenths: its series have buckets of a time that is known.
pub(super) fn rate_change(m: &Measurement) -> Vec<f64> {
    let members = m.members.iter().filter(|_| m.load.is_none() && m.outside.is_none());
    members.filter_map(|member| change_of(member, m.start_ns)).collect()
}

fn change_of(member: &MemberMeasurement, start_ns: u64) -> Option<f64> {
    let first_ns = member.first_record_ns?.saturating_sub(start_ns);
    let ends = member.partitions.iter().filter_map(|partition| partition.last_ns);
    let last_ns = ends.max()?.saturating_sub(start_ns);
    let tenth_ns = last_ns.saturating_sub(first_ns) / 10;
    let series: Vec<&Series> = member
        .partitions
        .iter()
        .filter_map(|partition| partition.series.as_ref())
        .collect();
    // A tenth of fewer buckets is more of the buckets' edges than of the reading.
    let is_fine = series.iter().all(|series| tenth_ns >= TENTH_BUCKETS * series.bucket_ns);
    let read = |stretch: [u64; 2]| -> f64 { series.iter().map(|series| series.between(stretch)).sum() };
    let [early, late] = [[first_ns, first_ns + tenth_ns], [last_ns - tenth_ns, last_ns]].map(read);
    (is_fine && early > 0.0 && late > 0.0).then(|| late / early)
}

/// CPU of all workers; `None` where one did not measure itself.
pub(super) fn cpu(input: &TrialInput, usage: fn(&ProcessMeasurement) -> Option<&ProcessUsage>) -> Option<f64> {
    let processes = input.measurement.processes.iter();
    per_million(
        input,
        processes
            .map(|p| usage(p).map(|usage| usage.cpu_ns))
            .sum::<Option<u64>>()?,
    )
}

pub(super) fn broker_cpu(input: &TrialInput) -> Option<f64> {
    per_million(input, input.measurement.host.brokers_cpu()?)
}

pub(super) fn store_cpu(input: &TrialInput) -> Option<f64> {
    per_million(input, input.measurement.host.store_cpu_ns?)
}

/// The sum of the peaks of all workers; `None` where one did not measure itself.
pub(super) fn client_memory(input: &TrialInput) -> Option<f64> {
    of_all_windows(input, |usage| Some(usage.peak_memory_bytes)).map(|bytes| bytes as f64)
}

/// Time in garbage collection of all workers; `None` where one has no collector.
pub(super) fn client_gc(input: &TrialInput) -> Option<f64> {
    per_million(input, of_all_windows(input, |usage| usage.gc_ns)?)
}

/// Bytes that the runtimes of all workers allocated for each record; `None` where one does not count them.
pub(super) fn client_allocated(input: &TrialInput) -> Option<f64> {
    let bytes = of_all_windows(input, |usage| usage.allocated_bytes)?;
    let records = input.measurement.records();
    (records > 0).then(|| bytes as f64 / records as f64)
}

/// The sum over all workers; `None` where one does not have it.
fn of_all_windows(input: &TrialInput, take: fn(&ProcessUsage) -> Option<u64>) -> Option<u64> {
    let processes = input.measurement.processes.iter();
    processes
        .map(|process| process.window.as_ref().and_then(take))
        .sum::<Option<u64>>()
}

fn per_million(input: &TrialInput, cpu_ns: u64) -> Option<f64> {
    let millions = input.measurement.records() as f64 / 1e6;
    (millions > 0.0).then(|| cpu_ns as f64 / NS_PER_SECOND / millions)
}

/// Time in work of all members that read; `None` where one of them does not observe it.
pub(super) fn work_us(input: &TrialInput) -> Option<[f64; 2]> {
    input.has_work.then_some(())?;
    let readers = input.measurement.members.iter().filter(|member| member.records() > 0);
    let work_ns: u64 = readers
        .map(|member: &MemberMeasurement| member.work_ns)
        .sum::<Option<u64>>()?;
    Some([work_ns as f64 / NS_PER_US, input.measurement.records() as f64])
}

pub(super) fn load<'a>(input: &TrialInput<'a>) -> Option<&'a LoadMeasurement> {
    input.measurement.load.as_ref()
}

/// What each planned act of a trial caused; `None` where nothing was planned, or readers did not say when they read.
fn episodes(input: &TrialInput) -> Option<Vec<Episode>> {
    changes::is_recorded(input.measurement).then(|| changes::episodes(input.measurement))
}

/// The longest gap of a partition.
pub(super) fn unavailable_ms(input: &TrialInput) -> Option<f64> {
    let episodes = episodes(input)?;
    let gaps = episodes.iter().flat_map(|episode| &episode.gaps);
    Some(gaps.map(|gap| gap.stretch.length_ns()).max().unwrap_or(0) as f64 / NS_PER_MS)
}

/// How long at least one partition stood still.
pub(super) fn disturbed_ms(input: &TrialInput) -> Option<f64> {
    Some(changes::disturbed_ns(&episodes(input)?) as f64 / NS_PER_MS)
}

/// The longest gap of a partition that kept its owner.
pub(super) fn collateral_ms(input: &TrialInput) -> Option<f64> {
    let episodes = episodes(input)?;
    let longest_ns = episodes.iter().map(Episode::collateral_ns).max();
    Some(longest_ns.unwrap_or(0) as f64 / NS_PER_MS)
}

/// The longest time until the lag was what it had been.
pub(super) fn catch_up_ms(input: &TrialInput) -> Option<f64> {
    let longest_ns = changes::catch_up_ns(&episodes(input)?)?;
    Some(longest_ns as f64 / NS_PER_MS)
}

/// The longest unexplained time of a gap.
pub(super) fn unexplained_ms(input: &TrialInput) -> Option<f64> {
    Some(changes::unexplained_ns(&episodes(input)?) as f64 / NS_PER_MS)
}

/// The longest time in which a partition acknowledged nothing; `None` where nobody writes.
pub(super) fn unwritten_ms(input: &TrialInput) -> Option<f64> {
    load(input)?;
    let longest_ns = episodes(input)?.iter().map(Episode::unwritten_ns).max();
    Some(longest_ns.unwrap_or(0) as f64 / NS_PER_MS)
}

/// The 99th percentile of the response times in disturbed seconds.
pub(super) fn disturbed_p99_ms(input: &TrialInput) -> Option<f64> {
    p99_ms(&changes::response_through(input.measurement, &episodes(input)?)?.disturbed)
}

/// The same in the other seconds of the window.
pub(super) fn quiet_p99_ms(input: &TrialInput) -> Option<f64> {
    p99_ms(&changes::response_through(input.measurement, &episodes(input)?)?.quiet)
}

fn p99_ms(recorder: &LatencyRecorder) -> Option<f64> {
    recorder.percentile_ns(0.99).map(|ns| ns as f64 / NS_PER_MS)
}
