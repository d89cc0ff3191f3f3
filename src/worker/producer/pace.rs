//! Waiting for a moment: asleep as far as a sleep can be trusted, so that the cores are left to those who are
//! measured.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};

use crate::measure::clock;

/// The longest sleep without looking whether to stop.
const SLICE_NS: u64 = 50_000_000;
/// What a sleep is too long by, at first, and the most that is believed: on a machine under load single sleeps are
/// much longer, and to wake up for them too early would be paid for in spinning.
const FIRST_EXCESS_NS: u64 = 30_000;
const LARGEST_EXCESS_NS: u64 = 80_000;
/// How far one sleep moves the estimate: many steps make it the median.
const ADJUSTMENT_NS: u64 = 250;

/// Waits for moments, and learns by how much a sleep is too long here.
///
/// A sleep ends that much before its moment; in half of the cases it is then a few microseconds too early, and that
/// rest alone is spent spinning. Where the next moment is nearer than a sleep is short, it sleeps for the shortest
/// time that there is and is late by less than that excess: to spin instead would take a core.
#[derive(Debug)]
pub(super) struct Pace {
    excess_ns: u64,
}

impl Pace {
    /// Prepares the calling thread: its sleeps end as exactly as the kernel can.
    pub(super) fn prepare() -> Self {
        // Only Linux before 2.6.28 has no timer slack; sleeps are then longer and the lateness says so.
        let _ = prctl::set_timerslack(1);
        Pace {
            excess_ns: FIRST_EXCESS_NS,
        }
    }

    /// Waits until `at_ns`. False where `stopped` was set before.
    pub(super) fn wait_until(&mut self, at_ns: u64, stopped: &AtomicBool) -> bool {
        let mut slept = false;
        loop {
            let now_ns = clock::now_ns();
            if now_ns >= at_ns {
                return true;
            }
            if stopped.load(Ordering::Relaxed) {
                return false;
            }
            let ahead_ns = at_ns - now_ns;
            if ahead_ns > self.excess_ns {
                let wake_ns = (at_ns - self.excess_ns).min(now_ns + SLICE_NS);
                self.learn(clock_after_sleep(wake_ns).saturating_sub(wake_ns));
                slept = true;
            } else if slept {
                std::hint::spin_loop();
            } else {
                clock_after_sleep(now_ns + 1);
            }
        }
    }

    fn learn(&mut self, excess_ns: u64) {
        self.excess_ns = if excess_ns > self.excess_ns {
            (self.excess_ns + ADJUSTMENT_NS).min(LARGEST_EXCESS_NS)
        } else {
            self.excess_ns.saturating_sub(ADJUSTMENT_NS)
        };
    }
}

/// Sleeps until a moment and gives the time after it. A signal ends it early, which its callers see by the time.
fn clock_after_sleep(wake_ns: u64) -> u64 {
    let wake = TimeSpec::from_duration(Duration::from_nanos(wake_ns));
    let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &wake);
    clock::now_ns()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_at_its_moment_and_never_before() {
        let mut pace = Pace::prepare();
        let stopped = AtomicBool::new(false);
        for gap_ns in [0, 5_000, 200_000, 2_000_000] {
            let at_ns = clock::now_ns() + gap_ns;
            assert!(pace.wait_until(at_ns, &stopped));
            assert!(clock::now_ns() >= at_ns);
        }
        assert!(pace.wait_until(0, &stopped), "a moment that has passed needs no wait");
    }

    #[test]
    fn waiting_sleeps() {
        let mut pace = Pace::prepare();
        let stopped = AtomicBool::new(false);
        let (from_ns, cpu_from_ns) = (clock::now_ns(), clock::thread_cpu_ns());
        for number in 1..=200 {
            assert!(pace.wait_until(from_ns + number * 1_000_000, &stopped));
        }
        let cpu_ns = clock::thread_cpu_ns() - cpu_from_ns;
        assert!(cpu_ns < 50_000_000, "{cpu_ns} ns of CPU in 200 ms");
    }

    #[test]
    fn a_wait_that_is_stopped_ends_soon() {
        let stopped = AtomicBool::new(true);
        let far_ns = clock::now_ns() + 3_600_000_000_000;
        assert!(!Pace::prepare().wait_until(far_ns, &stopped));
    }
}
