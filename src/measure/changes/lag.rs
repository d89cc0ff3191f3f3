//! When readers had made up for a change: the lag is what it was before.

use super::next_act_ns;
use crate::measure::Measurement;

/// The lag before an act is that of so long before it.
const BEFORE_NS: u64 = 3_000_000_000;
/// So many records more than before are no lag: positions come that late.
const MORE_RECORDS: u64 = 10;

/// When the lag was again no higher than in the seconds before an act, once all partitions were being read; `None` where
/// nothing arrives, and where it was not by the next act.
pub(super) fn caught_up_ns(measurement: &Measurement, number: usize, flowing_ns: u64) -> Option<u64> {
    let load = measurement.load.as_ref()?;
    let act_ns = measurement.acts[number].at_ns;
    let totals = load.lag.totals();
    let samples = || load.lag.at_ns.iter().copied().zip(totals.iter().copied());
    let before = samples().filter(|(at_ns, _)| (act_ns.saturating_sub(BEFORE_NS)..act_ns).contains(at_ns));
    let usual = before.map(|(_, lag)| lag).max()? + MORE_RECORDS;
    let until_ns = next_act_ns(measurement, number);
    let after = || samples().filter(|(at_ns, _)| *at_ns >= act_ns && *at_ns < until_ns);
    let latest_above = after().filter(|(_, lag)| *lag > usual).last();
    let Some((above_ns, _)) = latest_above else {
        return Some(act_ns);
    };
    let caught_up = after().find(|(at_ns, _)| *at_ns > above_ns.max(flowing_ns));
    caught_up.map(|(at_ns, _)| at_ns)
}
