//! The places of a run that are not this machine: opened before anything is started, and closed at its end.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::guardian::Guardian;
use super::place_error::PlaceError;
use super::programs::Programs;
use super::remote::Remotes;
use crate::scenario::{Place, Reach, Scenario};

/// What opening the places takes, and who hears of it.
pub(super) struct OpeningPlaces<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) programs: &'a Programs,
    pub(super) run_id: &'a str,
    pub(super) guardian: &'a Guardian,
    pub(super) progress: &'a dyn Fn(&str),
    pub(super) interrupted: &'a Arc<AtomicBool>,
}

/// Where workers are started that are not started by this program on this machine; each `None` where no configuration has
/// workers there.
pub(super) struct Places {
    /// Other hosts, by ssh.
    pub(super) remotes: Option<Remotes>,
}

impl Places {
    /// Opens the places at which a configuration has workers. Blocks.
    pub(super) fn open(opening: &OpeningPlaces<'_>) -> Result<Self, PlaceError> {
        let mut places = Places { remotes: None };
        if let Err(error) = places.open_all(opening) {
            places.close(opening.guardian);
            return Err(error);
        }
        Ok(places)
    }

    fn open_all(&mut self, opening: &OpeningPlaces<'_>) -> Result<(), PlaceError> {
        let OpeningPlaces {
            scenario,
            programs,
            run_id,
            guardian,
            progress,
            interrupted,
        } = *opening;
        self.remotes = Remotes::open(scenario, programs, run_id, guardian, progress, interrupted)?;
        Ok(())
    }

    /// Sees that a place can be reached before a trial: what has ended is opened again. Blocks.
    pub(super) fn reopen(&self, place: &Place) -> Result<(), PlaceError> {
        match place.reach() {
            Reach::Here | Reach::Launcher(_) | Reach::Container(_) => Ok(()),
            Reach::Ssh(_) => self.remotes.as_ref().map_or(Ok(()), |remotes| remotes.reopen(place)),
        }
    }

    /// Closes them.
    pub(super) fn close(self, guardian: &Guardian) {
        if let Some(remotes) = self.remotes {
            remotes.close(guardian);
        }
    }
}
