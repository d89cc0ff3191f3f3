//! The work that needs nothing but this machine: `none`, `cpu 5us` and `wait 1ms`, and how fast it is here.

use std::hint::black_box;
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};

use super::handler::{Failure, Handler, Record};
use crate::measure::clock;
use crate::protocol::WorkCalibration;

/// Does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Handler for Nothing {
    const IS_NONE: bool = true;

    #[inline]
    fn handle<'r, R: Record + 'r>(&mut self, _: impl Iterator<Item = &'r R>) -> Result<(), Failure> {
        Ok(())
    }
}

/// Computes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compute {
    iterations: u64,
}

impl Compute {
    /// Work of this many nanoseconds where the loop has this speed.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive time times a positive speed"
    )]
    pub(super) fn new(ns: u64, iterations_per_us: f64) -> Self {
        Compute {
            iterations: ((ns as f64 / 1e3 * iterations_per_us) as u64).max(1),
        }
    }
}

impl Handler for Compute {
    #[inline]
    fn handle<'r, R: Record + 'r>(&mut self, records: impl Iterator<Item = &'r R>) -> Result<(), Failure> {
        records.for_each(|_| compute(self.iterations));
        Ok(())
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
pub(super) fn iterations_per_us() -> f64 {
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

/// Waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    ask: TimeSpec,
}

impl Wait {
    /// A wait of this many nanoseconds. What is asked for is the time less what a sleep is too long here.
    pub(super) fn new(ns: u64, sleep_excess_ns: u64) -> Self {
        let ask_ns = ns.saturating_sub(sleep_excess_ns).max(1);
        Wait {
            ask: TimeSpec::from_duration(Duration::from_nanos(ask_ns)),
        }
    }
}

impl Handler for Wait {
    /// Sets the thread's timer slack to 1 ns.
    fn begin(&mut self) {
        // Only Linux before 2.6.28 has no timer slack; the wait is then longer and its mean says so.
        let _ = prctl::set_timerslack(1);
    }

    #[inline]
    fn handle<'r, R: Record + 'r>(&mut self, records: impl Iterator<Item = &'r R>) -> Result<(), Failure> {
        records.for_each(|_| sleep(&self.ask));
        Ok(())
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
pub(super) fn sleep_excess_ns() -> u64 {
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
pub fn calibrate() -> WorkCalibration {
    // In a thread of its own: the timer slack of the caller stays as it is.
    let excess = std::thread::spawn(sleep_excess_ns).join();
    WorkCalibration {
        iterations_per_us: iterations_per_us(),
        sleep_excess_ns: excess.unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computing_is_prepared_as_the_speed_of_the_loop_says() {
        let iterations = |ns| Compute::new(ns, 2_000.0).iterations;
        assert_eq!((iterations(50_000), iterations(1_500)), (100_000, 3_000));
        assert_eq!(iterations(0), 1, "work that was asked for is never none");
    }

    #[test]
    fn computing_costs_cpu_time_in_proportion_to_its_iterations() {
        let cost_ns = |iterations| {
            let from = clock::thread_cpu_ns();
            compute(iterations);
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
    fn a_wait_asks_for_its_time_less_what_a_sleep_is_too_long() {
        let ask_ns = |ns| Duration::from(Wait::new(ns, 50_000).ask).as_nanos();
        assert_eq!((ask_ns(1_000_000), ask_ns(50_001)), (950_000, 1));
        assert_eq!(ask_ns(20_000), 1, "shorter than a sleep can be");
    }

    #[test]
    fn waiting_takes_at_least_the_time_asked_for_and_little_cpu() {
        let mut wait = Wait::new(1_000_000, 50_000);
        wait.begin();
        let (from, cpu_from) = (clock::now_ns(), clock::thread_cpu_ns());
        for _ in 0..100 {
            sleep(&wait.ask);
        }
        let took = clock::now_ns() - from;
        assert!(took >= 95_000_000, "{took} ns for 100 times 0.95 ms");
        assert!(clock::thread_cpu_ns() - cpu_from < took / 5);
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
}
