//! Topics of chosen names: which a scenario has, and on whose clusters they may be.

use std::path::Path;

use super::ending::RunError;
use super::standing_cluster::StandingFolder;
use crate::scenario::Scenario;

/// Fails where a topic of a chosen name could be somebody's: on a running cluster other than that of `--cluster local`,
/// which `state` knows.
pub fn check_named_topics(scenario: &Scenario, state: &Path) -> Result<(), RunError> {
    let Some(name) = named_topics(scenario).next() else {
        return Ok(());
    };
    let mut running = scenario.clusters().filter_map(|cluster| cluster.bootstrap());
    match running.find(|bootstrap| !is_standing(bootstrap, state)) {
        Some(bootstrap) => Err(RunError::NamedElsewhere {
            name: name.to_owned(),
            bootstrap: bootstrap.to_owned(),
        }),
        None => Ok(()),
    }
}

/// The names that a scenario chose.
pub(super) fn named_topics(scenario: &Scenario) -> impl Iterator<Item = &str> {
    scenario.datasets.iter().filter_map(|dataset| dataset.name.as_deref())
}

/// True for the address of the cluster of `--cluster local`.
pub(super) fn is_standing(bootstrap: &str, state: &Path) -> bool {
    let standing = StandingFolder::beside(state).running().ok().flatten();
    standing.is_some_and(|standing| standing.bootstrap == bootstrap)
}
