//! Brokers: not processes of the trial, but a script may act on those that the run started.

use super::life::Role;
use crate::measure::Participant;
use crate::protocol::ToWorker;
use crate::trial::demands::Demands;

/// A broker that the run started. It does not introduce itself: of its life, only start and end are known.
#[derive(Debug)]
pub struct Broker {
    /// As its cluster names it.
    pub id: u32,
}

impl Role for Broker {
    type Stage = ();

    fn who(&self) -> Participant {
        Participant::Broker(self.id.cast_signed())
    }

    fn demands(&self) -> Demands {
        Demands::default()
    }

    fn order(&self) -> Option<ToWorker> {
        None
    }
}
