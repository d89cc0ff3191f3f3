//! Topics and groups whose names the user chose, for programs in which they are fixed. They are made only on clusters that
//! are tandem's, where nobody else can have used them.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::Session;
use crate::coordinator::cluster::Cluster;
use crate::coordinator::ending::RunError;
use crate::coordinator::standing_cluster::StandingFolder;
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

fn named_topics(scenario: &Scenario) -> impl Iterator<Item = &str> {
    scenario.datasets.iter().filter_map(|dataset| dataset.name.as_deref())
}

/// True for the address of the cluster of `--cluster local`.
fn is_standing(bootstrap: &str, state: &Path) -> bool {
    let standing = StandingFolder::beside(state).running().ok().flatten();
    standing.is_some_and(|standing| standing.bootstrap == bootstrap)
}

impl Session<'_> {
    /// True for brokers that the run started, and for the cluster of `--cluster local`.
    pub(super) fn is_ours(&self, cluster: &Cluster) -> bool {
        cluster.is_local() || is_standing(cluster.admin.bootstrap(), &self.options.state)
    }

    /// Fails where a topic of a chosen name is, or could be, somebody's.
    pub(super) async fn check_named_topics(&self) -> Result<(), RunError> {
        check_named_topics(&self.plan.scenario, &self.options.state)?;
        let names: Vec<&str> = named_topics(&self.plan.scenario).collect();
        for cluster in self.clusters.iter().filter(|_| !names.is_empty()) {
            let there = cluster.admin.topic_sizes().await?;
            if let Some((name, _)) = there.into_iter().find(|(name, _)| names.contains(&name.as_str())) {
                let bootstrap = cluster.admin.bootstrap().to_owned();
                return Err(RunError::NamedExists { name, bootstrap });
            }
        }
        self.named_are_ours.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Removes them from a cluster that stays. Where the run was refused, they are not the run's.
    pub(super) async fn remove_named(&self, cluster: &Cluster) {
        let names: Vec<String> = named_topics(&self.plan.scenario).map(str::to_owned).collect();
        if names.is_empty() || !self.named_are_ours.load(Ordering::Relaxed) {
            return;
        }
        let configurations = self.plan.scenario.configurations.iter();
        let groups: Vec<String> = configurations
            .filter_map(|configuration| configuration.group.clone())
            .collect();
        let topics = cluster.admin.delete_topics(&names).await;
        let removed = match topics {
            Ok(()) => cluster.admin.delete_groups(&groups).await,
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            self.observer
                .note(&format!("{} may be left: {error}", names.join(", ")));
        }
    }
}
