//! The places of a run that are not this machine: opened before anything is started, and closed at its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::containers::Containers;
use super::guardian::Guardian;
use super::place_error::PlaceError;
use super::pods::{OpeningPods, Pods};
use super::programs::Programs;
use super::reached::{Remote, WayToHost};
use super::remote::Remotes;
use crate::scenario::{Place, Reach, Scenario};

/// What opening the places takes, and who hears of it.
pub(super) struct OpeningPlaces<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) programs: &'a Programs,
    pub(super) run_id: &'a str,
    /// How long the run will probably take.
    pub(super) forecast: Duration,
    pub(super) guardian: &'a Guardian,
    pub(super) progress: &'a dyn Fn(&str),
    pub(super) interrupted: &'a Arc<AtomicBool>,
}

/// Where workers are started that are not started by this program on this machine; each `None` where no configuration has
/// workers there.
pub(super) struct Places {
    /// Other hosts, by ssh.
    pub(super) remotes: Option<Remotes>,
    /// Pods.
    pub(super) pods: Option<Pods>,
    /// Containers of an engine.
    pub(super) containers: Option<Containers>,
}

impl Places {
    /// Opens the places at which a configuration has workers. Blocks.
    pub(super) fn open(opening: &OpeningPlaces<'_>) -> Result<Self, PlaceError> {
        let mut places = Places {
            remotes: None,
            pods: None,
            containers: None,
        };
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
            forecast,
            guardian,
            progress,
            interrupted,
        } = *opening;
        self.remotes = Remotes::open(scenario, programs, run_id, guardian, progress, interrupted)?;
        self.containers = Containers::open(scenario, run_id, guardian, progress, interrupted)?;
        let opening = OpeningPods {
            run_id,
            forecast,
            guardian,
            progress,
            interrupted,
        };
        self.pods = Pods::open(scenario, &opening)?;
        Ok(())
    }

    /// True for a place whose workers run on this machine, as far as that is known before they are started.
    pub(super) fn is_here(&self, place: &Place) -> bool {
        match place.reach() {
            Reach::Here | Reach::Launcher(_) => true,
            // Where pods are is not known before.
            Reach::Ssh(_) | Reach::Kubernetes(_) => false,
            Reach::Container(_) => self
                .containers
                .as_ref()
                .is_some_and(|containers| containers.is_here(place)),
        }
    }

    /// The places of the containers that run now, by the ids of these.
    pub(super) fn of_containers(&self, scenario: &Scenario) -> BTreeMap<String, String> {
        let containers = self.containers.as_ref();
        containers.map_or_else(BTreeMap::new, |containers| containers.places_by_id(scenario))
    }

    /// Sees that a place can be reached before a trial: what has ended is opened again. Blocks.
    pub(super) fn reopen(&self, place: &Place) -> Result<(), PlaceError> {
        match place.reach() {
            Reach::Here | Reach::Launcher(_) | Reach::Container(_) => Ok(()),
            Reach::Ssh(_) => self.remotes.as_ref().map_or(Ok(()), |remotes| remotes.reopen(place)),
            Reach::Kubernetes(_) => self.pods.as_ref().map_or(Ok(()), |pods| pods.reopen(place)),
        }
    }

    /// How the process of this number at a place is reached; `None` where it is a child of this one on this machine.
    pub(super) fn remote(&self, place: &Place, process: usize) -> Option<Remote> {
        match place.reach() {
            Reach::Here | Reach::Launcher(_) | Reach::Container(_) => None,
            Reach::Ssh(_) => self.remotes.as_ref()?.of(place, process),
            Reach::Kubernetes(_) => self.pods.as_ref()?.of(place, process),
        }
    }

    /// The hosts of a place; empty where that is this machine.
    pub(super) fn hosts(&self, place: &Place) -> Vec<WayToHost> {
        match place.reach() {
            Reach::Here | Reach::Launcher(_) | Reach::Container(_) => Vec::new(),
            Reach::Ssh(target) => {
                let remote = self.remotes.as_ref().and_then(|remotes| remotes.of(place, 0));
                let way = remote.map(|remote| WayToHost {
                    name: target.to_owned(),
                    remote,
                    pods: 0,
                });
                way.into_iter().collect()
            }
            Reach::Kubernetes(_) => self.pods.as_ref().map_or_else(Vec::new, |pods| pods.nodes(place)),
        }
    }

    /// The path of tandem's program, or of a build of it, at a place; `None` where that is this machine.
    pub(super) fn program(&self, place: &Place, build: usize) -> Option<&str> {
        match place.reach() {
            Reach::Here | Reach::Launcher(_) | Reach::Container(_) => None,
            Reach::Ssh(_) => self.remotes.as_ref()?.program(place, build),
            Reach::Kubernetes(_) => self.pods.as_ref()?.program(place),
        }
    }

    /// Closes them.
    pub(super) fn close(self, guardian: &Guardian) {
        if let Some(pods) = self.pods {
            pods.close(guardian);
        }
        if let Some(remotes) = self.remotes {
            remotes.close(guardian);
        }
        if let Some(containers) = self.containers {
            containers.close(guardian);
        }
    }
}
