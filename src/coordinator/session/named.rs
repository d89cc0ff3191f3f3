//! Topics and groups whose names the user chose, for programs in which they are fixed. They are made only on clusters that
//! are tandem's, where nobody else can have used them.

use std::sync::atomic::Ordering;

use super::Session;
use crate::coordinator::cluster::Cluster;
use crate::coordinator::ending::RunError;
use crate::coordinator::standing_cluster::StandingFolder;

impl Session<'_> {
    /// True for brokers that the run started, and for the cluster of `--cluster local`.
    pub(super) fn is_ours(&self, cluster: &Cluster) -> bool {
        let standing = || StandingFolder::beside(&self.options.state).running().ok().flatten();
        cluster.is_local() || standing().is_some_and(|standing| standing.bootstrap == cluster.admin.bootstrap())
    }

    fn named_topics(&self) -> Vec<String> {
        let datasets = self.plan.scenario.datasets.iter();
        datasets.filter_map(|dataset| dataset.name.clone()).collect()
    }

    /// Fails where a topic of a chosen name could be somebody's.
    pub(super) async fn check_named_topics(&self) -> Result<(), RunError> {
        let names = self.named_topics();
        for cluster in self.clusters.iter().filter(|_| !names.is_empty()) {
            let bootstrap = cluster.admin.bootstrap().to_owned();
            if !self.is_ours(cluster) {
                let name = names[0].clone();
                return Err(RunError::NamedElsewhere { name, bootstrap });
            }
            let there = cluster.admin.topic_sizes().await?;
            if let Some((name, _)) = there.into_iter().find(|(name, _)| names.contains(name)) {
                return Err(RunError::NamedExists { name, bootstrap });
            }
        }
        self.named_are_ours.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Removes them from a cluster that stays. Where the run was refused, they are not the run's.
    pub(super) async fn remove_named(&self, cluster: &Cluster) {
        let names = self.named_topics();
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
