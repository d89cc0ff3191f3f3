//! Topics, their partitions, and where these begin and end.

use std::time::{Duration, Instant};

use rdkafka::admin::{NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::Offset;
use serde::Serialize;

use super::connection::{Admin, ENDS_LIMIT, REQUEST_LIMIT, SETTLE_LIMIT, request_options};
use super::error::AdminError;
use crate::kafka::ffi;

/// Pause between two looks at a topic that settles.
const SETTLE_PAUSE: Duration = Duration::from_millis(20);

/// Added to [`SETTLE_LIMIT`] for each partition of a topic: brokers create and delete them one by one. On two busy cores 500
/// took longer than 30 s.
const PARTITION_LIMIT: Duration = Duration::from_millis(150);

/// A partition in the cluster's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionInfo {
    /// Partition number.
    pub id: i32,
    /// Broker id of the leader; `None` where it has none now.
    pub leader: Option<i32>,
    /// Broker ids of the replicas.
    pub replicas: Vec<i32>,
    /// Broker ids of the replicas in sync.
    pub in_sync: Vec<i32>,
}

impl Admin {
    /// Names of the topics that start with `prefix`, sorted.
    pub async fn topics(&self, prefix: &str) -> Result<Vec<String>, AdminError> {
        let names = self.topic_sizes().await?.into_iter().map(|(name, _)| name);
        Ok(names.filter(|name| name.starts_with(prefix)).collect())
    }

    /// Every topic that the cluster reports, by name, with its number of partitions. Asks for all topics at once: a
    /// request for one name may create the topic.
    pub async fn topic_sizes(&self) -> Result<Vec<(String, u32)>, AdminError> {
        self.blocking("list the topics", |admin| {
            let metadata = admin.metadata("list the topics", None, REQUEST_LIMIT)?;
            let size = |topic: &MetadataTopic| {
                let partitions = u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX);
                (topic.name().to_owned(), partitions)
            };
            let mut topics: Vec<_> = metadata.topics().iter().map(size).collect();
            topics.sort();
            Ok(topics)
        })
        .await
    }

    /// The partitions of a topic, by number; `None` where there is no such topic.
    pub async fn partitions(&self, topic: &str) -> Result<Option<Vec<PartitionInfo>>, AdminError> {
        let topic = topic.to_owned();
        self.blocking("describe a topic", move |admin| admin.partitions_now(&topic))
            .await
    }

    /// Creates a topic with these settings and waits until every partition has its leader. Waits for the deletion of an
    /// earlier topic of the same name.
    pub async fn create_topic(
        &self,
        name: &str,
        partitions: u32,
        replication: u32,
        configs: &[(&str, &str)],
    ) -> Result<(), AdminError> {
        let settings: Vec<String> = configs.iter().map(|(key, value)| format!(", {key}={value}")).collect();
        let settings = settings.concat();
        let action =
            format!("create topic {name} ({partitions} partitions, replication factor {replication}{settings})");
        let refused = |cause: String| AdminError::refused(action.clone(), &cause);
        let replication = i32::try_from(replication).map_err(|_| refused("replication factor out of range".into()))?;
        let mut topic = NewTopic::new(name, partitions.cast_signed(), TopicReplication::Fixed(replication));
        for (key, value) in configs {
            topic = topic.set(key, value);
        }
        let deadline = Instant::now() + SETTLE_LIMIT;
        loop {
            let results = self.client.create_topics([&topic], &request_options()).await;
            let results = results.map_err(|error| self.request_error(&action, &error))?;
            let Some((_, code)) = results.into_iter().find_map(Result::err) else {
                break;
            };
            // With ZooKeeper, a deleted topic exists for a moment longer than the brokers report it.
            let is_going = code == RDKafkaErrorCode::TopicAlreadyExists
                && Instant::now() < deadline
                && !self.topics(name).await?.iter().any(|topic| topic == name);
            if !is_going {
                return Err(refused(code.to_string()));
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
        self.wait_for_leaders(name, partitions, &action).await
    }

    async fn wait_for_leaders(&self, topic: &str, partitions: u32, action: &str) -> Result<(), AdminError> {
        let begin = Instant::now();
        let limit = SETTLE_LIMIT + PARTITION_LIMIT * partitions;
        loop {
            let asked = Instant::now();
            let found = self.partitions(topic).await?.unwrap_or_default();
            let led = found.iter().filter(|partition| partition.leader.is_some()).count();
            let in_sync = found.iter().all(|p| p.in_sync.len() == p.replicas.len());
            let settled = if led < partitions as usize {
                Err(format!("only {led} of {partitions} partitions have a leader"))
            } else if !in_sync {
                Err("not all of its replicas are in sync".to_owned())
            } else {
                // The leaders themselves learn of it a moment later than the metadata.
                let ends = self.end_offsets(&[(topic.to_owned(), partitions)]).await;
                ends.map(drop).map_err(|error| error.to_string())
            };
            let Err(cause) = settled else { return Ok(()) };
            if begin.elapsed() > limit {
                return Err(AdminError::refused(
                    action,
                    &format!("after {} s {cause}", limit.as_secs()),
                ));
            }
            // A broker that is busy with many partitions is not kept from them by questions.
            tokio::time::sleep(SETTLE_PAUSE.max(asked.elapsed())).await;
        }
    }

    /// Deletes these topics and waits until the cluster no longer reports them. One that does not exist is no error.
    pub async fn delete_topics(&self, names: &[String]) -> Result<(), AdminError> {
        if names.is_empty() {
            return Ok(());
        }
        let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
        let action = format!("delete topics {}", names.join(", "));
        let results = self.client.delete_topics(&borrowed, &request_options()).await;
        for result in results.map_err(|error| self.request_error(&action, &error))? {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) => {}
                Err((name, code)) => {
                    return Err(AdminError::refused(format!("delete topic {name}"), &code));
                }
            }
        }
        let (begin, mut limit) = (Instant::now(), None);
        loop {
            let mut left = self.topic_sizes().await?;
            left.retain(|(topic, _)| names.contains(topic));
            if left.is_empty() {
                return Ok(());
            }
            let partitions = left.iter().map(|(_, partitions)| partitions).sum::<u32>();
            let limit = *limit.get_or_insert(SETTLE_LIMIT + PARTITION_LIMIT * partitions);
            if begin.elapsed() > limit {
                let left: Vec<String> = left.into_iter().map(|(topic, _)| topic).collect();
                let cause = format!("{} still there after {} s", left.join(", "), limit.as_secs());
                return Err(AdminError::refused(action, &cause));
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }

    /// First offset and the one past the last of a partition.
    pub async fn watermarks(&self, topic: &str, partition: i32) -> Result<(i64, i64), AdminError> {
        let topic = topic.to_owned();
        self.blocking("read the watermarks", move |admin| {
            let found = admin.client.inner().fetch_watermarks(&topic, partition, REQUEST_LIMIT);
            let action = || format!("read the watermarks of {topic} partition {partition}");
            found.map_err(|error| admin.request_error(&action(), &error))
        })
        .await
    }

    /// One past the last offset of each partition of these topics (name and number of partitions), in one request.
    pub async fn end_offsets(&self, topics: &[(String, u32)]) -> Result<Vec<Vec<i64>>, AdminError> {
        self.offsets(topics, Offset::End, "read the ends of the partitions")
            .await
    }

    /// First offset that each partition of these topics (name and number of partitions) still has, in one request.
    pub async fn start_offsets(&self, topics: &[(String, u32)]) -> Result<Vec<Vec<i64>>, AdminError> {
        self.offsets(topics, Offset::Beginning, "read the beginnings of the partitions")
            .await
    }

    async fn offsets(
        &self,
        topics: &[(String, u32)],
        position: Offset,
        action: &'static str,
    ) -> Result<Vec<Vec<i64>>, AdminError> {
        let topics = topics.to_vec();
        self.blocking(action, move |admin| {
            let offsets = ffi::offsets(admin.client.inner(), &topics, position, ENDS_LIMIT);
            offsets.map_err(|cause| AdminError::refused(action, &cause))
        })
        .await
    }

    fn partitions_now(&self, name: &str) -> Result<Option<Vec<PartitionInfo>>, AdminError> {
        let action = format!("describe topic {name}");
        let metadata = self.metadata(&action, Some(name), REQUEST_LIMIT)?;
        let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else {
            return Ok(None);
        };
        match topic.error().map(RDKafkaErrorCode::from) {
            None | Some(RDKafkaErrorCode::LeaderNotAvailable) => {}
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => return Ok(None),
            Some(code) => {
                return Err(AdminError::refused(action, &code));
            }
        }
        let mut partitions: Vec<_> = topic
            .partitions()
            .iter()
            .map(|partition| PartitionInfo {
                id: partition.id(),
                leader: (partition.leader() >= 0).then(|| partition.leader()),
                replicas: partition.replicas().to_vec(),
                in_sync: partition.isr().to_vec(),
            })
            .collect();
        partitions.sort_by_key(|partition| partition.id);
        Ok(Some(partitions))
    }
}
