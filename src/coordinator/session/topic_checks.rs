//! The topics of trials: whether they are still what was found, or filled, when the run began.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use crate::coordinator::cluster::Cluster;
use crate::coordinator::dataset::Dataset;
use crate::coordinator::existing::ReadAgain;
use crate::kafka::admin::AdminError;
use crate::measure::{DeliveredTopics, FailureKind, Status, Trial};
use crate::protocol::TopicTarget;
use crate::scenario::Configuration;
use crate::trial::{Existing, topic_sizes};

/// Readers that go on without a stall but slower than this are not waited for.
const SLOWEST_BYTES_PER_SECOND: u64 = 1 << 20;

impl Session<'_> {
    /// Cuts from the targets of a trial what the cluster has removed of existing topics since they were found.
    pub(super) async fn existing(
        &self,
        cluster: &Cluster,
        delivered: &Arc<DeliveredTopics>,
        topics: &mut [TopicTarget],
    ) -> Result<Existing, (FailureKind, String)> {
        let sizes = topic_sizes(topics);
        let asked = |error: AdminError| (FailureKind::Cluster, error.to_string());
        let changed = |cause| (FailureKind::TopicsChanged, cause);
        check_sizes(&sizes, &cluster.admin.topic_sizes().await.map_err(asked)?).map_err(changed)?;
        let low = cluster.admin.start_offsets(&sizes).await.map_err(asked)?;
        let high = cluster.admin.end_offsets(&sizes).await.map_err(asked)?;
        for (target, high) in topics.iter().zip(&high) {
            for ((partition, range), high) in (0..).zip(&target.partitions).zip(high) {
                if *high < range.end {
                    return Err(changed(format!(
                        "{} [{partition}] ends at offset {high} now and reached {} when the run began: it was made anew, or \
                         cut off; begin a new run",
                        target.name, range.end
                    )));
                }
            }
        }
        Ok(Existing::new(Arc::clone(delivered), topics, &low))
    }

    /// How long a trial of existing topics may go on reading at most.
    pub(super) fn longest_reading(&self, configuration: &Configuration) -> Duration {
        let existing = self.plan.scenario.datasets[configuration.dataset].existing();
        let bytes = existing
            .and_then(|existing| existing.found.as_ref())
            .map_or(0, |found| found.bytes);
        Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND)
    }

    /// What has become of the topics of a failed trial, where the run cannot go on without them.
    pub(super) async fn lost_topics(
        &self,
        trial: Option<&Trial>,
        configuration: &Configuration,
        datasets: &[Dataset],
    ) -> Option<String> {
        if let Some(Status::Failed(failure)) = trial.map(|trial| &trial.status)
            && failure.kind == FailureKind::TopicsChanged
        {
            return Some(failure.message.clone());
        }
        let dataset = &datasets[configuration.dataset];
        let current_sizes = self.cluster(configuration).admin.topic_sizes().await.ok()?;
        check_sizes(&topic_sizes(&dataset.topics), &current_sizes).err()
    }

    /// What reads again which offsets the cluster delivers of existing topics; `None` where they were filled.
    pub(super) fn again(&self, cluster: &Cluster, configuration: &Configuration) -> Option<ReadAgain> {
        let (scenario, dataset) = (&self.plan.scenario, configuration.dataset);
        scenario.datasets[dataset].existing()?;
        Some(ReadAgain::of(
            cluster,
            scenario,
            dataset,
            &self.prefix,
            self.interrupt.flag(),
        ))
    }
}

/// Fails where a topic is gone or has gained partitions: these would be given to members, and are none of the run's.
fn check_sizes(expected: &[(String, u32)], there: &[(String, u32)]) -> Result<(), String> {
    for (topic, before) in expected {
        match there.iter().find(|(name, _)| name == topic) {
            Some((_, now)) if now == before => {}
            Some((_, now)) => {
                return Err(format!(
                    "{topic} has {now} partitions now and had {before} when the run began; begin a new run"
                ));
            }
            None => {
                return Err(format!(
                    "{topic} is no longer there, or may no longer be seen: it was deleted since the run began; begin a \
                     new run"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::check_sizes;

    #[test]
    fn a_topic_that_is_gone_or_has_gained_partitions_is_named_with_both_counts() {
        let sizes = |sizes: &[(&str, u32)]| -> Vec<(String, u32)> {
            sizes.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect()
        };
        let found = sizes(&[("orders", 2), ("payments", 1)]);
        let check = |there: &[(&str, u32)]| check_sizes(&found, &sizes(there));
        assert_eq!(check(&[("orders", 2), ("other", 9), ("payments", 1)]), Ok(()));
        let grown = check(&[("orders", 3), ("payments", 1)]).unwrap_err();
        assert!(
            grown.starts_with("orders has 3 partitions now and had 2 when"),
            "{grown}"
        );
        let gone = check(&[("orders", 2)]).unwrap_err();
        assert!(gone.starts_with("payments is no longer there"), "{gone}");
    }
}
