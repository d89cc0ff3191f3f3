//! The work that a member does with each record: nothing, computing, or waiting.

use std::hint::black_box;
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};

use crate::measure::clock;
use crate::protocol::WorkCalibration;
use crate::scenario::Work;

/// Work made ready for one thread.
#[derive(Debug)]
pub(super) enum Labour {
    None,
    Cpu { iterations: u64 },
    Wait { ask: TimeSpec },
}

impl Labour {
    /// Prepares the calling thread: for waiting, sets its timer slack to 1 ns. What is asked for is the time less what
    /// a sleep is too long here.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive time times a positive speed"
    )]
    pub(super) fn prepare(work: Work, calibration: WorkCalibration) -> Self {
        match work {
            Work::None => Labour::None,
            Work::Cpu { ns } => Labour::Cpu {
                iterations: ((ns as f64 / 1e3 * calibration.iterations_per_us) as u64).max(1),
            },
            Work::Wait { ns } => {
                // Only Linux before 2.6.28 has no timer slack; the wait is then longer and its mean says so.
                let _ = prctl::set_timerslack(1);
                let ask = ns.saturating_sub(calibration.sleep_excess_ns).max(1);
                Labour::Wait {
                    ask: TimeSpec::from_duration(Duration::from_nanos(ask)),
                }
            }
        }
    }

    /// True where there is nothing to do.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Labour::None)
    }

    /// Does the work for one record.
    #[inline]
    pub(super) fn perform(&self) {
        match self {
            Labour::None => {}
            Labour::Cpu { iterations } => compute(*iterations),
            Labour::Wait { ask } => sleep(ask),
        }
    }
}

/// Sleeps once. A signal ends it early, which a worker without handlers does not see.
fn sleep(ask: &TimeSpec) {
    let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::empty(), ask);
}

/// The median by which a sleep takes longer than asked for with a timer slack of 1 ns, from sleeps of 200 us to 2 ms.
///
/// To be measured once, on a quiet machine, and not by every worker: while others start up a sleep is longer, and
/// asking for that much less would make the work too short.
fn sleep_excess_ns() -> u64 {
    let _ = prctl::set_timerslack(1);
    let mut excess: Vec<u64> = (0..60)
        .map(|round| {
            let trial_ns = [200_000, 1_000_000, 2_000_000][round % 3];
            let ask = TimeSpec::from_duration(Duration::from_nanos(trial_ns));
            let from = clock::now_ns();
            sleep(&ask);
            (clock::now_ns() - from).saturating_sub(trial_ns)
        })
        .collect();
    excess.sort_unstable();
    excess[excess.len() / 2]
}

/// Measures the work loop and the sleep of this machine; takes about a quarter of a second.
pub(super) fn calibrate() -> WorkCalibration {
    // In a thread of its own: the timer slack of the caller stays as it is.
    let excess = std::thread::spawn(sleep_excess_ns).join();
    WorkCalibration {
        iterations_per_us: iterations_per_us(),
        sleep_excess_ns: excess.unwrap_or(0),
    }
}

/// A chain of multiplications that the compiler can neither shorten nor drop; its time is proportional to the count.
fn compute(iterations: u64) {
    let mut x = black_box(0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..iterations {
        x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
    black_box(x);
}

/// Iterations of the work loop per microsecond of *CPU* time of this thread (not of wall time, in which others run):
/// the median of 21 rounds of about 5 ms.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive speed of a few thousand"
)]
fn iterations_per_us() -> f64 {
    let rate = |iterations: u64| {
        let from = clock::thread_cpu_ns();
        compute(iterations);
        iterations as f64 * 1e3 / (clock::thread_cpu_ns() - from).max(1) as f64
    };
    // The first rounds bring the core to speed and say how long a round is.
    let guess = (0..3).map(|_| rate(2_000_000)).fold(1.0, f64::max);
    let mut rates: Vec<f64> = (0..21).map(|_| rate((guess * 5_000.0) as u64)).collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALIBRATION: WorkCalibration = WorkCalibration {
        iterations_per_us: 2_000.0,
        sleep_excess_ns: 50_000,
    };

    #[test]
    fn work_is_prepared_as_the_calibration_says() {
        let iterations = |ns| match Labour::prepare(Work::Cpu { ns }, CALIBRATION) {
            Labour::Cpu { iterations } => iterations,
            other => panic!("{other:?}"),
        };
        assert_eq!((iterations(50_000), iterations(1_500)), (100_000, 3_000));
        assert_eq!(iterations(0), 1, "work that was asked for is never none");
        let ask_ns = |ns| match Labour::prepare(Work::Wait { ns }, CALIBRATION) {
            Labour::Wait { ask } => Duration::from(ask).as_nanos(),
            other => panic!("{other:?}"),
        };
        assert_eq!((ask_ns(1_000_000), ask_ns(50_001)), (950_000, 1));
        assert_eq!(ask_ns(20_000), 1, "shorter than a sleep can be");
        assert!(Labour::prepare(Work::None, CALIBRATION).is_none());
    }

    #[test]
    fn computing_costs_cpu_time_in_proportion_to_its_iterations() {
        let cost_ns = |iterations| {
            let from = clock::thread_cpu_ns();
            Labour::Cpu { iterations }.perform();
            clock::thread_cpu_ns() - from
        };
        // In turns and the least of each: a shared core is half as fast from one moment to the next. A loop that the
        // compiler drops or shortens costs the same whatever its count.
        let (mut short, mut long) = (u64::MAX, u64::MAX);
        for _ in 0..50 {
            short = short.min(cost_ns(20_000));
            long = long.min(cost_ns(400_000));
        }
        assert!(long > short * 5 && long < short * 80, "{short} ns and {long} ns");
    }

    #[test]
    fn the_calibration_is_in_iterations_per_microsecond() {
        // A core does from some tens to some thousands of these in a microsecond: a unit that is wrong is a thousand
        // times off.
        let calibration = calibrate();
        assert!(
            (20.0..10_000.0).contains(&calibration.iterations_per_us),
            "{calibration:?}"
        );
        assert!(calibration.sleep_excess_ns > 0, "{calibration:?}");
    }

    #[test]
    fn waiting_takes_at_least_the_time_asked_for_and_little_cpu() {
        let labour = Labour::prepare(Work::Wait { ns: 1_000_000 }, CALIBRATION);
        let (from, cpu_from) = (clock::now_ns(), clock::thread_cpu_ns());
        for _ in 0..100 {
            labour.perform();
        }
        let took = clock::now_ns() - from;
        assert!(took >= 95_000_000, "{took} ns for 100 times 0.95 ms");
        assert!(clock::thread_cpu_ns() - cpu_from < took / 5);
    }
}
