//! Interruptions of a trial: a process, a broker or the machine that stood still, and brokers that went away or came.
//! Only the record; `standstill.rs` decides the consequences.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often a process checks that it runs.
pub const BEAT_INTERVAL: Duration = Duration::from_millis(100);

/// Shorter pauses are not recorded: on a busy machine a thread waits for a core.
pub const RECORDED_FROM_NS: u64 = 500_000_000;

/// From one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Stretch {
    pub from_ns: u64,
    pub until_ns: u64,
}

impl Stretch {
    /// From one moment to another.
    pub fn new(from_ns: u64, until_ns: u64) -> Self {
        Stretch { from_ns, until_ns }
    }

    /// Its length.
    pub fn length_ns(&self) -> u64 {
        self.until_ns.saturating_sub(self.from_ns)
    }

    /// The part of it within another.
    #[must_use]
    pub fn within(&self, other: Stretch) -> Stretch {
        Stretch::new(self.from_ns.max(other.from_ns), self.until_ns.min(other.until_ns))
    }

    /// True where at least half of it lies within the other.
    pub fn is_mostly_within(&self, other: Stretch) -> bool {
        2 * self.within(other).length_ns() >= self.length_ns()
    }

    /// The longer one.
    #[must_use]
    pub fn longer(one: Option<Stretch>, other: Option<Stretch>) -> Option<Stretch> {
        one.into_iter().chain(other).max_by_key(Stretch::length_ns)
    }
}

/// What interrupted a trial, as far as it was seen; pauses below [`RECORDED_FROM_NS`] are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Interruptions {
    /// Processes that check that they run: the coordinator, and those workers and producers that can.
    pub processes_checked: u32,
    /// Where one of these did not run.
    pub processes: Vec<ProcessPause>,
    /// Where the machine was suspended.
    pub suspended: Vec<Suspension>,
    /// Where a broker on this machine did not run.
    pub brokers: Vec<BrokerPause>,
    /// Where a cluster elsewhere did not answer the coordinator.
    pub unanswered: Vec<Stretch>,
    /// Brokers that went and came.
    pub changes: Vec<BrokerChange>,
    /// Longest pause between two fetches that the consumers' settings allow (`fetch.wait.max.ms` and
    /// `fetch.queue.backoff.ms`).
    pub fetch_pause_ns: u64,
}

impl Interruptions {
    /// True where there is nothing to store: nothing was checked.
    pub fn is_unknown(&self) -> bool {
        *self == Interruptions::default()
    }

    /// Adds a process that checks that it runs, with its pauses; `None` for one that does not check.
    pub fn add_process(&mut self, name: &str, pauses: Option<&[Stretch]>) {
        let Some(pauses) = pauses else { return };
        self.processes_checked += 1;
        self.processes.extend(pauses.iter().map(|pause| ProcessPause {
            process: name.to_owned(),
            pause: *pause,
        }));
    }

    /// Adds what others have seen of the same trial.
    pub fn add(&mut self, other: Interruptions) {
        self.processes_checked += other.processes_checked;
        self.processes.extend(other.processes);
        self.suspended.extend(other.suspended);
        self.brokers.extend(other.brokers);
        self.unanswered.extend(other.unanswered);
        self.changes.extend(other.changes);
        self.fetch_pause_ns = self.fetch_pause_ns.max(other.fetch_pause_ns);
    }
}

/// A process that did not run for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessPause {
    /// Its name for people, such as `group 1, process 2`.
    pub process: String,
    /// When.
    pub pause: Stretch,
}

/// A broker whose process did not run for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerPause {
    /// Its id.
    pub broker: i32,
    /// When.
    pub pause: Stretch,
}

/// A machine that was suspended. The monotonic clock stands still meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// When it was noticed.
    pub at_ns: u64,
    /// How long it took.
    pub length_ns: u64,
}

/// A broker that went or came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerChange {
    /// Its id.
    pub broker: i32,
    /// The address that it advertises.
    pub address: String,
    /// When that was noticed.
    pub at_ns: u64,
    /// True where it came (back).
    pub came: bool,
}

/// Notices where its thread did not run, from the clocks that it is given at every beat.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    monotonic_ns: u64,
    boot_ns: u64,
}

impl Pulse {
    /// Begins with what `CLOCK_MONOTONIC` and `CLOCK_BOOTTIME` show now.
    pub fn new(monotonic_ns: u64, boot_ns: u64) -> Self {
        Pulse { monotonic_ns, boot_ns }
    }

    /// Takes a beat, which should come [`BEAT_INTERVAL`] after the one before: the pause since then, and how long the
    /// machine was suspended.
    pub fn beat(&mut self, monotonic_ns: u64, boot_ns: u64) -> (Option<Stretch>, Option<Suspension>) {
        #[allow(clippy::cast_possible_truncation, reason = "a tenth of a second")]
        let due_ns = self.monotonic_ns + BEAT_INTERVAL.as_nanos() as u64;
        let pause = Stretch::new(due_ns, monotonic_ns);
        let passed_ns = monotonic_ns.saturating_sub(self.monotonic_ns);
        let suspension = Suspension {
            at_ns: monotonic_ns,
            // Only while the machine is suspended does the one clock go on and the other not.
            length_ns: boot_ns.saturating_sub(self.boot_ns).saturating_sub(passed_ns),
        };
        *self = Pulse::new(monotonic_ns, boot_ns);
        let is_recorded = |length_ns: u64| length_ns >= RECORDED_FROM_NS;
        (
            Some(pause).filter(|pause| is_recorded(pause.length_ns())),
            Some(suspension).filter(|suspension| is_recorded(suspension.length_ns)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_pulse_tells_a_pause_of_its_process_from_a_suspended_machine() {
        let mut pulse = Pulse::new(1_000 * MS, 5_000 * MS);
        assert_eq!(pulse.beat(1_130 * MS, 5_130 * MS), (None, None));
        // Both clocks go on while a process is stopped.
        let pause = Stretch::new(1_230 * MS, 7_130 * MS);
        assert_eq!(pulse.beat(7_130 * MS, 11_130 * MS), (Some(pause), None));
        // The monotonic clock does not while the machine is suspended.
        let suspension = Suspension {
            at_ns: 7_240 * MS,
            length_ns: 30_000 * MS,
        };
        assert_eq!(pulse.beat(7_240 * MS, 41_240 * MS), (None, Some(suspension)));
        assert_eq!(pulse.beat(7_340 * MS, 41_340 * MS), (None, None));
    }

    #[test]
    fn a_thread_that_waits_for_a_core_is_no_pause() {
        let mut pulse = Pulse::new(0, 0);
        assert_eq!(pulse.beat(590 * MS, 590 * MS), (None, None));
        assert!(pulse.beat(1_190 * MS, 1_190 * MS).0.is_some());
    }

    #[test]
    fn a_stretch_is_cut_to_another_and_half_of_it_is_most() {
        let trial = Stretch::new(100, 200);
        assert_eq!(Stretch::new(50, 150).within(trial), Stretch::new(100, 150));
        assert_eq!(Stretch::new(10, 90).within(trial).length_ns(), 0);
        assert!(Stretch::new(50, 150).is_mostly_within(trial));
        assert!(!Stretch::new(40, 150).is_mostly_within(trial));
    }
}
