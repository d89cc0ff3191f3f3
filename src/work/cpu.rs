//! `work = "cpu 5us"`: a loop that uses so much CPU for each record, and the speed of that loop on this machine.

use std::hint::black_box;

use super::handler::{Failure, Handler, Record};
use crate::measure::clock;

/// Computes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compute {
    ns: u64,
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
        let iterations = ((ns as f64 / 1e3 * iterations_per_us) as u64).max(1);
        Compute { ns, iterations }
    }
}

impl Handler for Compute {
    fn record_ns(&self) -> Option<u64> {
        Some(self.ns)
    }

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
}
