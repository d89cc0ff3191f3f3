//! Whether readers kept up with what arrived: by the lag's growth over the window, not by its size, which a single
//! pause can make.

use super::{LagSeries, Overload};

/// The lag must grow by this share of the offered rate before readers count as falling behind, or by so many times what
/// is needed at least: little by little over a long window.
const GROWTH_SHARE_MIN: f64 = 0.01;
const GROWTH_TIMES_ENOUGH: f64 = 4.0;
/// The least lag of the window's second half must be above that of the first by the arrivals of this time: positions are
/// told every 100 ms, so that the lag seen is too large by up to that. A burst that is made up for does not raise it.
const GROWTH_SECONDS_MIN: f64 = 0.25;
/// And by so many records, whatever the rate.
const GROWTH_RECORDS_MIN: f64 = 20.0;
/// Samples below which nothing can be said of growth.
const SAMPLES_MIN: usize = 8;

/// True where the samples of a window are enough to see readers fall behind.
pub fn is_seen(lag: &LagSeries, window_ns: (u64, u64)) -> bool {
    let (from_ns, end_ns) = window_ns;
    let inside = lag.at_ns.iter().filter(|at_ns| (from_ns..=end_ns).contains(at_ns));
    inside.count() >= SAMPLES_MIN
}

/// Says by how much readers fell behind in a window; `None` where they kept up or where the samples do not tell.
///
/// The growth is the slope of the least-squares line through the lag over time (all partitions and groups together).
pub fn overload(lag: &LagSeries, window_ns: (u64, u64), offered_per_second: f64) -> Option<Overload> {
    let (from_ns, end_ns) = window_ns;
    let samples: Vec<(f64, f64)> = (lag.at_ns.iter().zip(lag.totals()))
        .filter(|(at_ns, _)| (from_ns..=end_ns).contains(at_ns))
        .map(|(at_ns, lag)| ((at_ns - from_ns) as f64 / 1e9, lag as f64))
        .collect();
    if samples.len() < SAMPLES_MIN {
        return None;
    }
    let growth = slope(&samples);
    let (first, second) = samples.split_at(samples.len() / 2);
    let least = |part: &[(f64, f64)]| part.iter().map(|(_, lag)| *lag).fold(f64::INFINITY, f64::min);
    let grown = least(second) - least(first);
    let grown_min = (offered_per_second * GROWTH_SECONDS_MIN).max(GROWTH_RECORDS_MIN);
    let is_fast = growth >= offered_per_second * GROWTH_SHARE_MIN;
    let is_overload = growth > 0.0 && grown >= grown_min && (is_fast || grown >= grown_min * GROWTH_TIMES_ENOUGH);
    is_overload.then(|| Overload {
        lag_growth_per_second: growth,
        lag_at_end: samples.last().map_or(0, |(_, lag)| whole(*lag)),
    })
}

/// Slope of the least-squares line through points; 0 where all lie at one moment.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (mean_x, mean_y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (x, y) in points {
        covariance += (x - mean_x) * (y - mean_y);
        variance += (x - mean_x) * (x - mean_x);
    }
    if variance > 0.0 { covariance / variance } else { 0.0 }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count that was made from one"
)]
fn whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::PartitionLag;

    /// The lag in samples every 100 ms from 1 s on.
    fn series(lag: impl Fn(u64) -> u64) -> LagSeries {
        let numbers = 0..100u64;
        LagSeries {
            at_ns: numbers
                .clone()
                .map(|number| 1_000_000_000 + number * 100_000_000)
                .collect(),
            partitions: vec![PartitionLag {
                group: 0,
                topic: 0,
                partition: 0,
                lag: numbers.map(lag).collect(),
            }],
        }
    }

    const WINDOW: (u64, u64) = (1_000_000_000, 11_000_000_000);

    #[test]
    fn readers_whose_lag_grows_all_the_time_are_overloaded_by_that_much() {
        let found = overload(&series(|number| 40 + number * 10), WINDOW, 1_100.0);
        let found = found.unwrap_or_else(|| panic!("not seen"));
        assert!((found.lag_growth_per_second - 100.0).abs() < 1e-6, "{found:?}");
        assert_eq!(found.lag_at_end, 1_030);
    }

    #[test]
    fn a_steady_lag_a_pause_and_noise_are_no_overload() {
        assert_eq!(overload(&series(|_| 90), WINDOW, 1_000.0), None);
        // A second's stop in the middle, and the second in which it was made up for.
        let pause = |number| match number {
            50..60 => (number - 50) * 100,
            60..70 => (70 - number) * 100,
            _ => 0,
        };
        assert_eq!(overload(&series(pause), WINDOW, 1_000.0), None);
        assert_eq!(overload(&series(|number| number * 7919 % 100), WINDOW, 1_000.0), None);
    }

    #[test]
    fn a_burst_that_is_made_up_for_is_no_overload_wherever_it_lies() {
        for from in [0, 30, 60, 80, 90] {
            let burst = |number: u64| {
                if (from..from + 10).contains(&number) {
                    (number - from) * 250
                } else {
                    0
                }
            };
            assert_eq!(overload(&series(burst), WINDOW, 1_000.0), None, "from {from}");
        }
    }

    #[test]
    fn readers_that_fall_behind_slowly_over_a_long_window_are_overloaded() {
        let slow = |number| 90 + number * 12;
        assert!(overload(&series(slow), WINDOW, 15_000.0).is_none());
        assert!(overload(&series(slow), WINDOW, 500.0).is_some());
        // Nine in a thousand, of which a long window makes more than an answer's delay explains.
        let hours = LagSeries {
            at_ns: (0..600).map(|second| second * 1_000_000_000).collect(),
            partitions: vec![PartitionLag {
                group: 0,
                topic: 0,
                partition: 0,
                lag: (0..600).map(|second| second * 9).collect(),
            }],
        };
        assert!(overload(&hours, (0, 600_000_000_000), 1_000.0).is_some());
    }

    #[test]
    fn growth_outside_of_the_window_does_not_count() {
        let late = |number: u64| number.saturating_sub(25) * 100;
        let window = (WINDOW.0, WINDOW.0 + 2_500_000_000);
        assert_eq!(overload(&series(late), window, 1_000.0), None);
        assert!(overload(&series(late), WINDOW, 1_000.0).is_some());
    }

    #[test]
    fn too_few_samples_say_nothing() {
        assert_eq!(
            overload(
                &series(|number| number * 1_000),
                (WINDOW.0, WINDOW.0 + 600_000_000),
                10.0
            ),
            None
        );
    }
}
