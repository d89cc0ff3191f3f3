//! The part of a trial in which records lay before the readers: the reading of a backlog behind which more arrives, and
//! what a burst leaves. Figures over all of such a trial would be those of the time in which there was little to do.

use super::of_trial::ratio;
use super::thresholds::{BEHIND_SECONDS_MIN, LAG_SECONDS, NEARLY_ALL};
use crate::measure::{LoadMeasurement, Measurement};
use crate::stats::median;

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
    let intervals: Vec<Behind> = trials.iter().filter_map(|m| of_trial(m, m.load.as_ref()?)).collect();
    let of_each = |figure: fn(&Behind) -> f64| median(&intervals.iter().map(figure).collect::<Vec<f64>>());
    let found = Behind {
        seconds: of_each(|behind| behind.seconds)?,
        time: of_each(|behind| behind.time)?,
        records: of_each(|behind| behind.records)?,
    };
    (found.seconds >= BEHIND_SECONDS_MIN && found.time < NEARLY_ALL).then_some(found)
}

fn of_trial(m: &Measurement, load: &LoadMeasurement) -> Option<Behind> {
    let spans = spans(m, load);
    let length_ns: u64 = spans.iter().map(|[from_ns, until_ns]| until_ns - from_ns).sum();
    let read = m.members.iter().flat_map(|member| &member.partitions);
    let within: f64 = read
        .filter_map(|partition| partition.series.as_ref())
        .map(|series| spans.iter().map(|span| series.between(*span)).sum::<f64>())
        .sum();
    Some(Behind {
        seconds: length_ns as f64 / 1e9,
        time: ratio(length_ns as f64, m.read_ns() as f64)?,
        records: ratio(within, m.records() as f64)?.min(1.0),
    })
}

/// From and until, in nanoseconds from the common start.
fn spans(m: &Measurement, load: &LoadMeasurement) -> Vec<[u64; 2]> {
    let from_start = |at_ns: u64| at_ns.clamp(m.start_ns, m.end_ns) - m.start_ns;
    let much = load.offered_per_second * LAG_SECONDS;
    let samples = load.lag.at_ns.iter().zip(load.lag.totals());
    let samples: Vec<(u64, bool)> = samples
        .map(|(at_ns, lag)| (from_start(*at_ns), lag as f64 > much))
        .collect();
    let pairs = samples.windows(2).filter(|pair| pair[0].1 && pair[1].1);
    pairs.map(|pair| [pair[0].0, pair[1].0]).collect()
}
