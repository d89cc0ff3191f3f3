//! The part of a trial in which records lay before the readers: the reading of a backlog behind which more arrives, and
//! what a burst leaves. Figures over the whole of such a trial would be those of the time in which there was little to do.

use super::observed::{Observed, ratio};
use super::threads::BusyThread;
use crate::measure::{LoadMeasurement, Measurement, Series};
use crate::stats::median;

/// Records lie before the readers where there are more than arrive in this time. Positions are reported every 100 ms, so
/// that the lag seen is too large by up to what arrives meanwhile.
const LAG_SECONDS: f64 = 0.25;
/// Less of this than the whole of a trial is worth a word.
pub(super) const BEHIND_SECONDS_MIN: f64 = 0.5;
/// Where it is more than this share, the figures of the whole trial are those of this time.
const NEARLY_ALL: f64 = 0.95;

/// The time in which records lay before the readers; medians over the trials.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Behind {
    /// How long it was together.
    pub(super) seconds: f64,
    /// Its share of the time from the start to the last record.
    pub(super) time: f64,
    /// Share of all records that were read in it.
    pub(super) records: f64,
}

/// `None` where there was hardly any such time, or hardly another.
pub(super) fn behind(trials: &[&Measurement]) -> Option<Behind> {
    let seen: Vec<Behind> = trials.iter().filter_map(|m| of_trial(m, m.load.as_ref()?)).collect();
    let of_each = |figure: fn(&Behind) -> f64| median(&seen.iter().map(figure).collect::<Vec<f64>>());
    let found = Behind {
        seconds: of_each(|behind| behind.seconds)?,
        time: of_each(|behind| behind.time)?,
        records: of_each(|behind| behind.records)?,
    };
    (found.seconds >= BEHIND_SECONDS_MIN && found.time < NEARLY_ALL).then_some(found)
}

fn of_trial(m: &Measurement, load: &LoadMeasurement) -> Option<Behind> {
    let spans = spans(m, load);
    let length_ns: u64 = spans.iter().map(|(from_ns, until_ns)| until_ns - from_ns).sum();
    let read = m.members.iter().flat_map(|member| &member.partitions);
    let within: f64 = read
        .filter_map(|partition| partition.series.as_ref())
        .map(|series| spans.iter().map(|span| counted(series, *span)).sum::<f64>())
        .sum();
    Some(Behind {
        seconds: length_ns as f64 / 1e9,
        time: ratio(length_ns as f64, m.read_ns() as f64)?,
        records: ratio(within, m.records() as f64)?.min(1.0),
    })
}

/// From and until, in nanoseconds from the common start.
fn spans(m: &Measurement, load: &LoadMeasurement) -> Vec<(u64, u64)> {
    let from_start = |at_ns: u64| at_ns.clamp(m.start_ns, m.end_ns) - m.start_ns;
    let much = load.offered_per_second * LAG_SECONDS;
    let samples = load.lag.at_ns.iter().zip(load.lag.totals());
    let samples: Vec<(u64, bool)> = samples
        .map(|(at_ns, lag)| (from_start(*at_ns), lag as f64 > much))
        .collect();
    let pairs = samples.windows(2).filter(|pair| pair[0].1 && pair[1].1);
    pairs.map(|pair| (pair[0].0, pair[1].0)).collect()
}

/// Records of a series between two moments; a bucket counts by the part of it that lies between.
fn counted(series: &Series, (from_ns, until_ns): (u64, u64)) -> f64 {
    let bucket_ns = series.bucket_ns.max(1);
    let part = |(begin_ns, count): (u64, &u64)| {
        let part_ns = until_ns.min(begin_ns + bucket_ns).saturating_sub(from_ns.max(begin_ns));
        *count as f64 * part_ns as f64 / bucket_ns as f64
    };
    let begins = (0u64..).map(|index| index * bucket_ns);
    begins.zip(&series.counts).map(part).sum()
}

impl Observed {
    /// The figures of the time in which records lay before the readers. Work, commits and the CPU time of threads go with
    /// the records, and a quota holds back nobody who has little to fetch. What else is known of the whole trial alone is
    /// left out.
    pub(super) fn while_behind(&self) -> Option<Observed> {
        let behind = self.behind?;
        let times = ratio(behind.records, behind.time)?;
        let scaled = |share: Option<f64>| share.map(|share| (share * times).min(1.0));
        let thread = |thread: &Option<BusyThread>| {
            let mut thread = thread.clone()?;
            thread.running = (thread.running * times).min(1.0);
            thread.wanting = (thread.wanting * times).min(1.0);
            Some(thread)
        };
        let mut seen = Observed {
            seconds: Some(behind.seconds),
            machine: None,
            working: scaled(self.working),
            committing: scaled(self.committing),
            waiting: None,
            thread: thread(&self.thread),
            fetcher: thread(&self.fetcher),
            awaited: None,
            throttled: self.throttled.map(|share| (share / behind.time).min(1.0)),
            behind: None,
            limits: self.limits.without_what_was_left(),
            ..self.clone()
        };
        if let Some(load) = &mut seen.load {
            load.behind = true;
        }
        if let Some(in_order) = &mut seen.in_order {
            in_order.working = (in_order.working * times).min(1.0);
        }
        let members = seen.skew.iter_mut().flat_map(|skew| &mut skew.working);
        members.for_each(|(share, _)| *share = (*share * times).min(1.0));
        Some(seen)
    }
}
