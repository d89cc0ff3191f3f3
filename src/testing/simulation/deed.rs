//! What is planned in a simulated trial: acts of its script, which are no failures.

use crate::trial::ActorId;

/// A planned act on an actor of its own.
#[derive(Debug, Clone, Copy)]
pub struct Deed {
    /// When, from when the barrier was passed, nanoseconds.
    pub after_ns: u64,
    pub actor: ActorId,
    pub what: Planned,
}

/// What is planned. Lengths of time are nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// Its process is killed.
    Kill,
    /// It gives its result, leaves its group and ends.
    Leave,
    /// Its process is killed and started again after so long.
    Restart(u64),
    /// Its process stands still for so long.
    Pause(u64),
    /// Its process is started only then.
    StartLate,
}
