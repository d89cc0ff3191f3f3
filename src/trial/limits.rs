//! How long each phase of a trial may take.

use std::time::Duration;

/// How long each phase of a trial may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the start of a process to its introduction.
    pub hello: Duration,
    /// From then until its consumers have reached the cluster.
    pub ready: Duration,
    /// From subscribing until the barrier is passed.
    pub join: Duration,
    /// Without any progress while reading.
    pub stall: Duration,
    /// All of the reading.
    pub read: Duration,
    /// From the end of a load until what it sent is read, where it is shorter than the load's own time for it.
    pub drain: Duration,
    /// From a planned act until what it causes is over, beyond the session timeout of the readers: one that is killed is
    /// missed when its session ends, and then partitions are divided anew. Nothing that waits for the reading to go on
    /// ends before that.
    pub settle: Duration,
    /// Until the cluster has said which broker has a role to which something is to be done.
    pub find: Duration,
    /// From `stop` until the results are here.
    pub result: Duration,
    /// From `exit` until the process is gone.
    pub exit: Duration,
}

/// Processes and members for which the limits hold as they are.
const FEW_PROCESSES: u32 = 20;
const FEW_MEMBERS: u32 = 200;

/// What each further process may take until it has introduced itself, and each further member until it is connected and
/// until it has its partitions.
const FURTHER_PROCESS: Duration = Duration::from_millis(500);
const FURTHER_MEMBER: Duration = Duration::from_millis(100);

impl Limits {
    /// The limits of a trial whose readers are missed after so long.
    #[must_use]
    pub fn of_session(self, session: Duration) -> Self {
        Limits {
            settle: self.settle.saturating_add(session),
            ..self
        }
    }

    /// The limits of a trial with so many processes and members, which share one machine.
    #[must_use]
    pub fn of_many(self, processes: u32, members: u32) -> Self {
        let processes = FURTHER_PROCESS * processes.saturating_sub(FEW_PROCESSES);
        let members = FURTHER_MEMBER * members.saturating_sub(FEW_MEMBERS);
        Limits {
            hello: self.hello.saturating_add(processes),
            ready: self.ready.saturating_add(processes).saturating_add(members),
            join: self.join.saturating_add(members),
            result: self.result.saturating_add(processes).saturating_add(members),
            exit: self.exit.saturating_add(processes / 5),
            ..self
        }
    }
}

/// A time so long after another, at most the last that there is.
pub(super) fn after(now_ns: u64, delay: Duration) -> u64 {
    now_ns.saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX))
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            hello: Duration::from_secs(15),
            ready: Duration::from_secs(30),
            join: Duration::from_secs(60),
            stall: Duration::from_secs(20),
            read: Duration::from_secs(1800),
            drain: Duration::MAX,
            settle: Duration::from_secs(20),
            find: Duration::from_secs(15),
            result: Duration::from_secs(15),
            exit: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_for_few_and_grow_with_many() {
        let few = Limits::default();
        assert_eq!(few.of_many(20, 200), few);
        let many = few.of_many(100, 1_000);
        assert_eq!(many.hello, few.hello + Duration::from_secs(40));
        assert_eq!(many.join, few.join + Duration::from_secs(80));
        assert_eq!(many.stall, few.stall);
    }
}
