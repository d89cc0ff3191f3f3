//! The limits that places set for their worker processes: the control groups of a run, and the one of each process.

use std::sync::Arc;

use super::guardian::Guardian;
use crate::measure::limits::{Allowance, Kernel, ProcessGroup, RunGroups};
pub(super) use crate::measure::limits::{MEMORY_KILL, memory_kill};
use crate::scenario::{Place, Reach, Scenario};
use crate::trial::ActorId;

/// Why the limits of a place cannot be set here.
#[derive(Debug, thiserror::Error)]
#[error(
    "the limits of place {place} cannot be set: {cause}; `cpu_limit` and `memory_limit` need control groups that tandem may \
     make: run it as root or in a scope of your own (systemd-run --user --scope tandem run ...), or leave them out"
)]
pub struct LimitsError {
    /// The place.
    place: String,
    /// What was refused.
    cause: String,
}

/// The control groups of a run.
pub(super) struct Confinement(Arc<RunGroups>);

impl Confinement {
    /// Makes them, where a configuration has workers at a place with limits. The guardian knows of them first.
    pub(super) fn open(scenario: &Scenario, run_id: &str, guardian: &Guardian) -> Result<Option<Self>, LimitsError> {
        let places = scenario.configurations.iter().flat_map(|each| scenario.places_of(each));
        let limited: Vec<&Place> = places.filter(|place| is_confined(place)).collect();
        let Some(first) = limited.first() else {
            return Ok(None);
        };
        let all = limited.iter().map(|place| allowance(place));
        let refused = |cause| LimitsError {
            place: first.name.clone(),
            cause,
        };
        let all = all.reduce(Allowance::and).unwrap_or_default();
        let groups = RunGroups::find(&Kernel::running(), run_id, all).map_err(refused)?;
        guardian.register_groups(groups.folders());
        let made = groups.make();
        let confinement = Confinement(Arc::new(groups));
        if let Err(cause) = made {
            confinement.close(guardian);
            return Err(refused(cause));
        }
        Ok(Some(confinement))
    }

    /// The limits of a process at this place.
    pub(super) fn of(&self, place: &Place) -> Option<Confined> {
        is_confined(place).then(|| Confined {
            groups: Arc::clone(&self.0),
            place: place.name.clone(),
            allowance: allowance(place),
        })
    }

    /// Removes the groups; what cannot be removed is left to the guardian.
    pub(super) fn close(self, guardian: &Guardian) {
        if self.0.remove().is_empty() {
            guardian.unregister_groups(self.0.folders());
        }
    }
}

/// True for a place whose limits are set on this machine, by this process. An engine sets those of its containers, and
/// tandem's program on another host those of the processes there.
fn is_confined(place: &Place) -> bool {
    match place.reach() {
        Reach::Here | Reach::Launcher(_) => !place.limits.is_empty(),
        Reach::Ssh(_) | Reach::Container(_) | Reach::Kubernetes(_) => false,
    }
}

/// The limits of a place, for its control groups.
pub(super) fn allowance(place: &Place) -> Allowance {
    Allowance {
        cpu_millicores: place.limits.cpu_millicores,
        memory_bytes: place.limits.memory_bytes,
    }
}

/// What a process of a place may use, and where its control group is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confined {
    groups: Arc<RunGroups>,
    place: String,
    allowance: Allowance,
}

impl Confined {
    /// Makes the control group of this actor's process.
    pub(super) fn open(&self, actor: ActorId) -> Result<ProcessGroup, String> {
        let number = match actor {
            ActorId::Reader(reader) => reader + 1,
            ActorId::Producer(_) | ActorId::Broker(_) | ActorId::Store | ActorId::Load => 0,
        };
        let group = self.groups.of_process(&self.place, number, self.allowance);
        group.map_err(|error| format!("cannot limit it: {error}"))
    }

    /// That the memory limit was why a process of the place ended.
    pub(super) fn memory_kill(&self) -> String {
        memory_kill(&self.place, self.allowance.memory_bytes)
    }
}
