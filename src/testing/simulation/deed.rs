//! What is planned in a simulated trial: acts of its script, which are no failures.

use crate::trial::{ActorId, StepTarget};

/// A planned act on a target of its own.
#[derive(Debug, Clone, Copy)]
pub struct Deed {
    /// When, from when the barrier was passed, nanoseconds.
    pub after_ns: u64,
    pub target: StepTarget,
    pub what: Planned,
}

impl Deed {
    /// True if it is done to this actor, whatever else it has the role of.
    pub fn is_on(&self, actor: ActorId) -> bool {
        self.target == actor.into()
    }

    /// True if it is done to a broker.
    pub fn is_on_broker(&self) -> bool {
        matches!(self.target, StepTarget::Role(_) | StepTarget::Actor(ActorId::Broker(_)))
    }
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
    /// The load has so many records per second from then on; counted from the common start.
    Rate(u64),
}
