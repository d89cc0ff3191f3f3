//! Those of whom a trial has one at most: its store, and its load. They are no processes that speak the protocol: of their
//! lives, only start and end are known.

use super::life::Role;
use crate::measure::Participant;
use crate::protocol::ToWorker;
use crate::trial::demands::Demands;

/// The store that the run started.
#[derive(Debug, Default)]
pub struct Store;

/// All producers of a trial together.
#[derive(Debug, Default)]
pub struct Load;

impl Role for Store {
    type Stage = ();

    fn who(&self) -> Participant {
        Participant::Store
    }

    fn demands(&self) -> Demands {
        Demands::default()
    }

    fn order(&self) -> Option<ToWorker> {
        None
    }
}

impl Role for Load {
    type Stage = ();

    fn who(&self) -> Participant {
        Participant::Load
    }

    fn demands(&self) -> Demands {
        Demands::default()
    }

    fn order(&self) -> Option<ToWorker> {
        None
    }
}
