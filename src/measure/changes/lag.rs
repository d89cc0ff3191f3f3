//! When readers had made up for a change: the lag is what it was before.

use crate::measure::Measurement;

/// The lag before an act is that of so long before it.
const BEFORE_NS: u64 = 3_000_000_000;
/// So many records more than before are no lag: positions come that late.
const MORE_RECORDS: u64 = 10;

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
