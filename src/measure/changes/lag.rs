//! When readers had made up for a change: the lag is what it was before. And when the lag could not be asked for.

use crate::measure::{Measurement, Stretch};

/// The lag before an act is that of so long before it.
const BEFORE_NS: u64 = 3_000_000_000;
/// So many records more than before are no lag: positions come that late.
const MORE_RECORDS: u64 = 10;

/// From one question for the lag to the next it may take so much longer than usual.
const LATE_NS: u64 = 50_000_000;

/// When brokers, or the machine, must have stood still: the question for the lag is asked again and again, a while after each
/// answer, and the next one came late.
pub(super) fn standstills(measurement: &Measurement) -> Vec<Stretch> {
    let at_ns = measurement.load.as_ref().map_or(&[][..], |load| &load.lag.at_ns);
    let apart = || at_ns.windows(2).map(|pair| Stretch::new(pair[0], pair[1]));
    let mut distances_ns: Vec<u64> = apart().map(|stretch| stretch.length_ns()).collect();
    distances_ns.sort_unstable();
    let usual_ns = distances_ns.get(distances_ns.len() / 2).copied().unwrap_or(0);
    let is_late = |stretch: &Stretch| stretch.length_ns() >= usual_ns.saturating_add(LATE_NS);
    apart().filter(is_late).collect()
}

/// When the lag was again no higher than in the seconds before an act, once all partitions were being read; `None` where
/// nothing arrives, and where that never came.
pub(super) fn caught_up_ns(measurement: &Measurement, number: usize, flowing_ns: u64) -> Option<u64> {
    let load = measurement.load.as_ref()?;
    let act_ns = measurement.acts[number].at_ns;
    let totals = load.lag.totals();
    let samples = || load.lag.at_ns.iter().copied().zip(totals.iter().copied());
    let before = samples().filter(|(at_ns, _)| (act_ns.saturating_sub(BEFORE_NS)..act_ns).contains(at_ns));
    let usual = before.map(|(_, lag)| lag).max()? + MORE_RECORDS;
    let after = || samples().filter(|(at_ns, _)| *at_ns >= act_ns);
    let (caught_up_ns, _) = after().find(|(at_ns, lag)| *at_ns >= flowing_ns && *lag <= usual)?;
    let rose = after().any(|(at_ns, lag)| at_ns < caught_up_ns && lag > usual);
    Some(if rose { caught_up_ns } else { act_ns })
}
