//! Containers in which places with `container` have their worker processes, one each: their engine, the image, and how
//! each is made. Knows nothing of trials.

mod engine;
mod error;
mod image;
mod left;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

pub use self::error::ContainerError;
pub use self::image::{CLIENTS_FOLDER, Examined, Examiner, Made, program};
pub use self::left::{LeftContainers, UsedEngine};
pub use self::worker::{Contained, ContainerLaunch, pids, remove};
use super::guardian::Guardian;
use super::place_error::PlaceError;
use super::started::Started;
use crate::scenario::{ContainerPlace, Place, Scenario};
use crate::server::{Keeper as _, make_directory, remove_owned_directory};

/// The containers of a run.
pub(super) struct Containers {
    run_id: String,
    /// Has a file for each container, whose content is its id.
    folder: PathBuf,
    engines: BTreeSet<UsedEngine>,
    /// What was found of each place that has containers, by its name.
    places: BTreeMap<String, Examined>,
}

impl Containers {
    /// Sees that the containers of all places at which a configuration has workers can be made, with the clients that these
    /// run. `None` where there are none. Blocks.
    pub(super) fn open(
        scenario: &Scenario,
        run_id: &str,
        guardian: &Guardian,
        progress: &dyn Fn(&str),
        interrupted: &AtomicBool,
    ) -> Result<Option<Self>, PlaceError> {
        let places = scenario.configurations.iter().flat_map(|each| scenario.places_of(each));
        let needed: BTreeMap<&str, (&Place, &ContainerPlace)> = places
            .filter_map(|place| Some((place.name.as_str(), (place, place.container.as_ref()?))))
            .collect();
        let Some((first, _)) = needed.values().next() else {
            return Ok(None);
        };
        let folder = make_directory(&std::env::temp_dir(), run_id, "containers", guardian);
        let folder = folder.map_err(|error| PlaceError::new(first, ContainerError::Folder(error.to_string())))?;
        let engines = needed.values().map(|(_, container)| UsedEngine::of(container.engine));
        let mut containers = Containers {
            run_id: run_id.to_owned(),
            folder,
            engines: engines.collect(),
            places: BTreeMap::new(),
        };
        guardian.register_engines(&containers.engines);
        let examiner = Examiner {
            run_id,
            progress,
            interrupted,
        };
        for (place, container) in needed.into_values() {
            let examined = examiner.examine(place, container);
            let examined = examined.and_then(|examined| examined.with_clients(scenario, place, container));
            match examined {
                Ok(examined) => drop(containers.places.insert(place.name.clone(), examined)),
                Err(cause) => {
                    containers.close(guardian);
                    return Err(PlaceError::new(place, cause));
                }
            }
        }
        Ok(Some(containers))
    }

    /// True for a place whose containers run on this machine.
    pub(super) fn is_here(&self, place: &Place) -> bool {
        self.places.get(&place.name).is_some_and(|examined| examined.is_here)
    }

    /// How a worker is started at a place, which is one of these.
    pub(super) fn launch(&self, scenario: &Scenario, place: &Place, started: &Started) -> Option<ContainerLaunch> {
        let container = place.container.as_ref()?;
        let made = Made {
            place,
            container,
            run_id: &self.run_id,
        };
        let number = scenario.places.iter().position(|other| other.name == place.name)?;
        Some(ContainerLaunch::new(
            &made,
            &started.env,
            &started.command,
            &self.folder,
            number,
        ))
    }

    /// The places of the containers that run now, by the ids of these.
    pub(super) fn places_by_id(&self, scenario: &Scenario) -> BTreeMap<String, String> {
        let places = worker::places_by_id(&self.folder).into_iter();
        places
            .filter_map(|(id, place)| Some((id, scenario.places.get(place)?.name.clone())))
            .collect()
    }

    /// Removes what is left of them.
    pub(super) fn close(self, guardian: &Guardian) {
        // What cannot be removed is left to the guardian.
        let removed = self.engines.iter().map(|engine| engine.remove_all(&self.run_id));
        if removed.filter(Result::is_err).count() == 0 {
            guardian.unregister_engines();
        }
        if remove_owned_directory(&self.folder, &self.run_id).is_ok() {
            guardian.directory_removed(&self.folder);
        }
    }
}
