//! Data sets: topics filled once, verified, and read by every trial that can share them; or existing topics.

mod error;
mod filling;
pub mod kept;
mod shares;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use error::DatasetError;
pub use filling::{Filling, producer_settings};

use crate::kafka::admin::Admin;
use crate::measure::{DeliveredOffsets, DeliveredTopics};
use crate::protocol::{OffsetRange, TopicTarget};
use crate::scenario::{DatasetSpec, FoundTopic, FoundTopics, Keys};

/// A data set that is there to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dataset {
    /// Every topic with all of each partition.
    pub topics: Vec<TopicTarget>,
    /// Of existing topics: which of the offsets the cluster delivers. In topics that were filled every offset is a
    /// record.
    pub delivered: Option<Arc<DeliveredTopics>>,
}

impl Dataset {
    /// Existing topics. Each partition is read to its last record: behind that, the position moves past offsets without a
    /// record, and nothing says so.
    pub fn existing(found: &FoundTopics, delivered: Arc<DeliveredTopics>) -> Self {
        let target = |topic: &FoundTopic, offsets: &Vec<DeliveredOffsets>| TopicTarget {
            name: topic.name.clone(),
            partitions: topic
                .partitions
                .iter()
                .zip(offsets)
                .map(|(partition, offsets)| OffsetRange {
                    low: partition.low,
                    end: offsets.end().unwrap_or(partition.low),
                })
                .collect(),
        };
        let topics = found.topics.iter().zip(&delivered.topics);
        Dataset {
            topics: topics.map(|(topic, offsets)| target(topic, offsets)).collect(),
            delivered: Some(delivered),
        }
    }

    /// The part that a trial of `records` records reads: the same share of every partition.
    pub fn target(&self, records: u64) -> Vec<TopicTarget> {
        match &self.delivered {
            Some(delivered) => self.target_of_delivered(delivered, records),
            None => self.target_of_filled(records),
        }
    }

    /// So many records, gaps between them left aside: one more or less in a partition, and exactly so many in all.
    fn target_of_delivered(&self, delivered: &DeliveredTopics, records: u64) -> Vec<TopicTarget> {
        let counts = delivered.topics.iter().flatten().map(DeliveredOffsets::count);
        let total = u128::from(counts.sum::<u64>());
        let mut before = 0;
        // What the partitions up to here have together, so that no rounding adds up.
        let mut share = |count: u64| {
            let part_of = |records_before: u128| records_before * u128::from(records).min(total) / total.max(1);
            let from = part_of(before);
            before += u128::from(count);
            u64::try_from(part_of(before) - from).unwrap_or(u64::MAX)
        };
        let mut targets = self.topics.clone();
        for (target, offsets) in targets.iter_mut().zip(&delivered.topics) {
            for (range, offsets) in target.partitions.iter_mut().zip(offsets) {
                range.end = offsets.end_of(share(offsets.count())).unwrap_or(range.low);
            }
        }
        targets
    }

    fn target_of_filled(&self, records: u64) -> Vec<TopicTarget> {
        let ranges = self.topics.iter().flat_map(|topic| &topic.partitions);
        let total: u64 = ranges.map(|range| range.len()).sum();
        let share = |range: &OffsetRange| {
            let length = u128::from(range.len()) * u128::from(records.min(total)) / u128::from(total.max(1));
            OffsetRange {
                low: range.low,
                end: range.low + i64::try_from(length).unwrap_or(i64::MAX),
            }
        };
        self.topics
            .iter()
            .map(|topic| TopicTarget {
                name: topic.name.clone(),
                partitions: topic.partitions.iter().map(share).collect(),
            })
            .collect()
    }
}

/// Makes the topics of a data set, fills and verifies them.
pub async fn fill(admin: &Admin, filling: Filling) -> Result<Dataset, DatasetError> {
    let spec = &filling.spec;
    let settings = topic_settings(spec);
    for name in &filling.names {
        admin
            .create_topic(name, spec.partitions, spec.replication, &settings)
            .await?;
    }
    if spec.records == 0 {
        return verify(admin, &filling).await;
    }
    let panicked = filling.failed("a producer panicked");
    let filled = tokio::task::spawn_blocking(move || filling.run().map(|()| filling)).await;
    verify(admin, &filled.map_err(|_| panicked)??).await
}

/// Settings of the set's topics: nothing of it may be removed while it is being read, unless the scenario says so.
fn topic_settings(spec: &DatasetSpec) -> Vec<(&str, &str)> {
    let mut settings = BTreeMap::from([("retention.ms", "-1"), ("retention.bytes", "-1")]);
    settings.extend(
        spec.settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    settings.into_iter().collect()
}

async fn verify(admin: &Admin, work: &Filling) -> Result<Dataset, DatasetError> {
    let mut topics = Vec::with_capacity(work.names.len());
    let mut total = 0;
    for (name, counts) in work.names.iter().zip(&work.counts) {
        let mut partitions = Vec::with_capacity(counts.len());
        for (partition, expected) in (0i32..).zip(counts) {
            let (low, end) = admin.watermarks(name, partition).await?;
            let range = OffsetRange { low, end };
            // With keys the partition is the partitioner's choice, and only the sum is known.
            if work.spec.keys == Keys::None && range.len() != *expected {
                let topic = format!("{name} [{partition}]");
                return Err(DatasetError::Watermarks {
                    topic,
                    found: range.len(),
                    expected: *expected,
                });
            }
            total += range.len();
            partitions.push(range);
        }
        topics.push(TopicTarget {
            name: name.clone(),
            partitions,
        });
    }
    if total != work.spec.records {
        let topic = work.names.join(", ");
        return Err(DatasetError::Watermarks {
            topic,
            found: total,
            expected: work.spec.records,
        });
    }
    Ok(Dataset {
        topics,
        delivered: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::FoundPartition;
    use crate::testing::dataset;

    #[test]
    fn topics_have_the_settings_of_the_scenario_and_else_keep_their_records() {
        let mut set = dataset();
        assert_eq!(
            topic_settings(&set),
            [("retention.bytes", "-1"), ("retention.ms", "-1")]
        );
        set.settings = [("min.insync.replicas", "2"), ("retention.ms", "60000")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let settings = [
            ("min.insync.replicas", "2"),
            ("retention.bytes", "-1"),
            ("retention.ms", "60000"),
        ];
        assert_eq!(topic_settings(&set), settings);
    }

    #[test]
    fn a_trial_reads_the_same_share_of_every_partition() {
        let range = |low, end| OffsetRange { low, end };
        let topic = TopicTarget {
            name: "t".into(),
            partitions: vec![range(0, 900), range(5, 105)],
        };
        let set = Dataset {
            topics: vec![topic],
            delivered: None,
        };
        let part = set.target(100);
        assert_eq!(part[0].partitions, [range(0, 90), range(5, 15)]);
    }

    #[test]
    fn a_trial_of_more_records_than_there_are_reads_them_all() {
        let topic = TopicTarget {
            name: "t".into(),
            partitions: vec![OffsetRange { low: 3, end: 10 }],
        };
        let set = Dataset {
            topics: vec![topic],
            delivered: None,
        };
        assert_eq!(set.target(1_000), set.topics);
    }

    /// Three partitions: every second offset is a record, none is, all but the last two are.
    fn existing() -> Dataset {
        let delivered = [
            (10..30).step_by(2).collect(),
            DeliveredOffsets::default(),
            (0..30).collect(),
        ];
        let partition = |low, end, records| FoundPartition { low, end, records };
        let topic = FoundTopic {
            name: "t".into(),
            partitions: vec![partition(10, 30, 10), partition(7, 7, 0), partition(0, 32, 30)],
        };
        let found = FoundTopics {
            topics: vec![topic],
            bytes: 1,
        };
        let topics = vec![delivered.to_vec()];
        Dataset::existing(&found, Arc::new(DeliveredTopics { topics }))
    }

    #[test]
    fn of_topics_that_exist_a_trial_reads_the_same_share_of_the_records_of_every_partition() {
        let range = |low, end| OffsetRange { low, end };
        let set = existing();
        assert_eq!(set.topics[0].partitions, [range(10, 29), range(7, 7), range(0, 30)]);
        assert_eq!(set.target(20)[0].partitions, [range(10, 19), range(7, 7), range(0, 15)]);
        assert_eq!(set.target(1)[0].partitions, [range(10, 10), range(7, 7), range(0, 1)]);
        assert_eq!(set.target(1_000), set.topics);
    }
}
