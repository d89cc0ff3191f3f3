//! How long the trials of a search for capacity are. Knows no trial that has run.

use crate::measure::COMMITS_PER_WINDOW;
use crate::measure::latency::SAMPLES_BEYOND;
use crate::scenario::{Capacity, SEARCH_WINDOW_MAX_NS};

/// Below this many records per second there is nothing to look for.
const RATE_MIN: f64 = 0.1;
/// A window is longer than the records for the percentile take by this share, or by so many standard deviations of a
/// Poisson process where those are more: it must not be chance that decides whether there are enough.
const RECORDS_MARGIN: f64 = 0.1;
const RECORDS_MARGIN_DEVIATIONS: f64 = 3.0;
/// Records of each member in a window by which a program that speaks nothing is judged: nobody sees how its work varies, so
/// that it is taken to vary much. With fewer records "holds" could not be distinguished from 5 % too much, and a rate that is
/// 4 % too high would decide nothing.
const OBSERVED_RECORDS: f64 = 16_000.0;
/// The longest window for that at the first try.
const OBSERVED_RECORDS_MAX_NS: u64 = 60_000_000_000;
/// What a program that nobody has seen yet is taken to commit after: the default of Kafka's own clients.
pub const USUAL_COMMIT_INTERVAL_NS: u64 = 5_000_000_000;
/// The same of one that commits often: with a window of [`COMMITS_PER_WINDOW`] of them the plan grows little.
pub const FREQUENT_COMMIT_INTERVAL_NS: u64 = 1_000_000_000;

/// The window of a trial at a rate: as long as the scenario says, or until there are enough records for the
/// percentile where that takes longer, but for that not above [`SEARCH_WINDOW_MAX_NS`].
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time of at most an hour, and what is longer is cut off"
)]
pub(super) fn window_ns(wanted: &Capacity, observed: Option<ObservedWindow>, rate: f64, duration_ns: u64) -> u64 {
    let enough_ns = (records_wanted(wanted) / rate * 1e9).ceil() as u64;
    let of_commits = observed.map_or(0, |observed| observed.least_ns(rate));
    duration_ns.max(enough_ns.min(SEARCH_WINDOW_MAX_NS)).max(of_commits)
}

/// What decides how long a window must be in which programs that speak nothing are judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObservedWindow {
    /// From one commit to the next.
    pub(super) commit_interval_ns: u64,
    /// Members that share the records.
    pub(super) members: u32,
}

impl ObservedWindow {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time of at most a minute, and what is longer is cut off"
    )]
    pub(super) fn least_ns(self, rate: f64) -> u64 {
        let records_ns = (OBSERVED_RECORDS * f64::from(self.members) / rate * 1e9).ceil() as u64;
        let commits_ns = self.commit_interval_ns.saturating_mul(COMMITS_PER_WINDOW);
        records_ns.min(OBSERVED_RECORDS_MAX_NS).max(commits_ns)
    }
}

/// Records that a window should have, so that its percentile is known.
pub(super) fn records_wanted(wanted: &Capacity) -> f64 {
    let Some(limit) = wanted.limit else { return 0.0 };
    let least = (SAMPLES_BEYOND + 1) as f64 / (1.0 - limit.percentile);
    least + (least * RECORDS_MARGIN).max(least.sqrt() * RECORDS_MARGIN_DEVIATIONS)
}

/// The lowest rate at which the longest window has enough records.
pub(super) fn rate_min(wanted: &Capacity) -> f64 {
    (records_wanted(wanted) / (SEARCH_WINDOW_MAX_NS as f64 / 1e9)).max(RATE_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ResponseLimit;

    const WANTED: Capacity = Capacity {
        limit: Some(ResponseLimit {
            percentile: 0.99,
            limit_ns: 50_000_000,
        }),
        precision: 0.05,
        confirm_ns: 30_000_000_000,
        is_quick: false,
    };

    #[test]
    fn a_window_is_as_long_as_the_percentile_needs() {
        let second_ns = 1_000_000_000;
        assert_eq!(window_ns(&WANTED, None, 4_000.0, 10 * second_ns), 10 * second_ns);
        // 11 records beyond p99 are of 1,100, and a tenth more.
        let wanted_ns = 1_210.0 / 72.0 * 1e9;
        let found_ns = window_ns(&WANTED, None, 72.0, 10 * second_ns);
        assert!((found_ns as f64 / wanted_ns - 1.0).abs() < 1e-6, "{found_ns}");
        assert_eq!(window_ns(&WANTED, None, 0.01, 10 * second_ns), 3_600 * second_ns);
        assert_eq!(window_ns(&WANTED, None, 0.01, 7_200 * second_ns), 7_200 * second_ns);
        // Of few records chance takes a larger share.
        let median = Capacity {
            limit: Some(ResponseLimit {
                percentile: 0.5,
                limit_ns: 50_000_000,
            }),
            ..WANTED
        };
        assert!(records_wanted(&median) > 22.0 + 3.0 * 22f64.sqrt() - 1e-6);
    }

    #[test]
    fn a_window_of_a_program_that_speaks_nothing_has_enough_of_its_commits_and_of_its_records() {
        let unlimited = Capacity { limit: None, ..WANTED };
        let second_ns = 1_000_000_000;
        let window = |commit_interval_ns, rate| {
            let members = 2;
            let observed = ObservedWindow {
                commit_interval_ns,
                members,
            };
            window_ns(&unlimited, Some(observed), rate, 10 * second_ns) / second_ns
        };
        assert_eq!(window(second_ns / 10, 100_000.0), 10);
        assert_eq!(window(5 * second_ns, 100_000.0), 100);
        assert_eq!(window(second_ns, 1_000.0), 32);
        // Of a slow program the first window is not that long.
        assert_eq!(window(second_ns, 10.0), 60);
    }
}
