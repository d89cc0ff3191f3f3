//! `work = "wait 1ms"`: a sleep for each record, as for a database, and by how much a sleep is too long on this machine.

use std::time::Duration;

use nix::sys::prctl;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};

use super::handler::{Failure, Handler, Record};
use crate::measure::clock;

/// Waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    ns: u64,
    ask: TimeSpec,
}

impl Wait {
    /// A wait of this many nanoseconds. What is asked for is the time less what a sleep is too long here.
    pub(super) fn new(ns: u64, sleep_excess_ns: u64) -> Self {
        let ask_ns = ns.saturating_sub(sleep_excess_ns).max(1);
        Wait {
            ns,
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

    fn record_ns(&self) -> Option<u64> {
        Some(self.ns)
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
