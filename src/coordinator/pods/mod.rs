//! Places whose workers run in pods: a Job of idle pods for each, made before the run starts anything and deleted at its end.
//! Workers are started in the pods by `kubectl exec`. Knows nothing of trials.

mod manifest;
mod place;
pub(super) mod probe;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::place::START_LIMIT;
pub(super) use self::place::{OpeningPods, PlacePods};
use self::state::Pod;
use super::guardian::Guardian;
use super::place_error::PlaceError;
use super::reached::{Remote, WayToHost};
use crate::scenario::{AppProgram, Configuration, KubernetesPlace, Place, Reach, Scenario};

pub use self::manifest::HOST_ANNOTATION;

/// How long pods may take that replace others between trials.
const REPLACE_LIMIT: Duration = Duration::from_secs(120);

/// The pods of a run.
pub(super) struct Pods {
    places: BTreeMap<String, PlacePods>,
}

impl Pods {
    /// Makes the pods of all places that a configuration has workers at, and waits until they run. `None` where no place has
    /// pods. Blocks.
    pub(super) fn open(scenario: &Scenario, opening: &OpeningPods<'_>) -> Result<Option<Self>, PlaceError> {
        let mut needed: BTreeMap<&str, (&Place, &KubernetesPlace, usize)> = BTreeMap::new();
        for configuration in &scenario.configurations {
            for place in scenario.places_of(configuration) {
                let Reach::Kubernetes(pods) = place.reach() else {
                    continue;
                };
                let is_here = |process: &u32| scenario.place_of(configuration, *process).name == place.name;
                let processes = (0..configuration.processes).filter(is_here).count();
                let is_beside = configuration.mode.load().is_some_and(|load| load.is_beside);
                let workers = processes * configuration.groups as usize + usize::from(is_beside);
                let (_, _, most) = needed.entry(&place.name).or_insert((place, pods, 0));
                *most = workers.max(*most);
            }
        }
        if needed.is_empty() {
            return Ok(None);
        }
        let mut opened = Pods {
            places: BTreeMap::new(),
        };
        let result = needed.into_values().try_for_each(|(place, spec, workers)| {
            opened.add(place, spec, workers, opening)?;
            opened.check_clients(scenario, place)
        });
        match result {
            Ok(()) => Ok(Some(opened)),
            Err(error) => {
                opened.close(opening.guardian);
                Err(error)
            }
        }
    }

    fn add(
        &mut self,
        place: &Place,
        spec: &KubernetesPlace,
        workers: usize,
        opening: &OpeningPods<'_>,
    ) -> Result<(), PlaceError> {
        let failed = |cause| PlaceError::new(place, cause);
        let pods = PlacePods::begin(place, spec, (workers, self.places.len()), opening).map_err(failed)?;
        let pods = self.places.entry(place.name.clone()).or_insert(pods);
        pods.wait(START_LIMIT, true, opening.progress).map_err(failed)?;
        pods.check_program().map(drop).map_err(failed)
    }

    /// Refuses an image without a ready-made client that a configuration runs at the place.
    fn check_clients(&self, scenario: &Scenario, place: &Place) -> Result<(), PlaceError> {
        let is_here = |each: &&Configuration| scenario.places_of(each).any(|other| other.name == place.name);
        let here = scenario.configurations.iter().filter(is_here);
        let apps: BTreeSet<usize> = here.map(|each| each.app).collect();
        for app in apps.into_iter().map(|app| &scenario.apps[app]) {
            if let (AppProgram::ReadyMade { which, version }, Some(pods)) = (&app.runs, self.places.get(&place.name)) {
                let client = format!("{}-{version}", which.name());
                pods.check_client(client, &app.name)
                    .map_err(|cause| PlaceError::new(place, cause))?;
            }
        }
        Ok(())
    }

    /// The path of tandem's program in the pods of a place; `None` for any other place.
    pub(super) fn program(&self, place: &Place) -> Option<&str> {
        Some(self.places.get(&place.name)?.program())
    }

    /// How the worker of this number at a place is reached.
    pub(super) fn of(&self, place: &Place, number: usize) -> Option<Remote> {
        let pods = self.places.get(&place.name)?;
        let all = pods.lock();
        let pod = all.get(number % all.len().max(1))?;
        Some(pods.remote(&pod.name))
    }

    /// The nodes of a place, each reached by a pod there.
    pub(super) fn nodes(&self, place: &Place) -> Vec<WayToHost> {
        let Some(pods) = self.places.get(&place.name) else {
            return Vec::new();
        };
        let all = pods.lock();
        let mut by_node: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
        for pod in all.iter() {
            by_node.entry(&pod.node).or_default().push(pod);
        }
        let way = |(node, there): (&str, Vec<&Pod>)| WayToHost {
            name: node.to_owned(),
            remote: pods.remote(&there[0].name),
            pods: there.len(),
        };
        by_node.into_iter().map(way).collect()
    }

    /// Sees that all pods of a place run: one that has ended is replaced by its Job. Blocks.
    pub(super) fn reopen(&self, place: &Place) -> Result<(), PlaceError> {
        let waited = self
            .places
            .get(&place.name)
            .map_or(Ok(()), |pods| pods.wait(REPLACE_LIMIT, false, &|_| {}));
        waited.map_err(|cause| PlaceError::new(place, cause))
    }

    /// Deletes the Jobs. What cannot be deleted is left to the guardian.
    pub(super) fn close(self, guardian: &Guardian) {
        for pods in self.places.into_values() {
            if pods.job().delete().is_ok() {
                guardian.unregister_job(pods.job());
            }
        }
    }
}
