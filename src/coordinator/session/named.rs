//! Topics and groups whose names the user chose, for programs in which they are fixed. They are made only on clusters that
//! are tandem's, where nobody else can have used them.

use std::sync::atomic::Ordering;

use super::Session;
use crate::coordinator::cluster::Cluster;
use crate::coordinator::ending::RunError;
use crate::coordinator::named_topics::{check_named_topics, is_standing, named_topics};

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
