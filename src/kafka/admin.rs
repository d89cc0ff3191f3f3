//! Topics, watermarks, groups and brokers of a cluster, through one admin client. Every call has a time limit and
//! runs outside the async threads, because the client library blocks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use tokio::task::spawn_blocking;

use super::admin_error::{code_text, connect_cause, settings_cause};
use super::ffi;
use super::group::GroupDescription;
use crate::measure::Setting;
use crate::secret::Secret;

pub use super::admin_error::AdminError;

/// How long [`Admin::connect`] tries.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(9);

/// Limit of one request to the brokers.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Limit of the question for the ends of partitions, which is asked again and again.
const ENDS_LIMIT: Duration = Duration::from_secs(3);

/// How long a new topic may take to have all its leaders, a deleted one to go, and a group to lose its members.
const SETTLE_LIMIT: Duration = Duration::from_secs(20);

/// Pause between two looks at something that settles.
const SETTLE_PAUSE: Duration = Duration::from_millis(20);

/// A broker, as the cluster's metadata show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// Broker id.
    pub id: i32,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: i32,
}

/// A partition, as the cluster's metadata show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionInfo {
    /// Partition number.
    pub id: i32,
    /// Broker id of the leader; `None` where there is none now.
    pub leader: Option<i32>,
    /// Broker ids of the replicas.
    pub replicas: Vec<i32>,
    /// Broker ids of the replicas in sync.
    pub in_sync: Vec<i32>,
}

/// A connection to a cluster for everything but reading and writing records. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    client: Arc<AdminClient<DefaultClientContext>>,
    bootstrap: Arc<str>,
}

impl Admin {
    /// Makes a client with these properties and waits until a broker answers, for at most [`CONNECT_LIMIT`].
    pub async fn connect(bootstrap: &str, properties: &BTreeMap<String, Secret>) -> Result<Self, AdminError> {
        let admin = Self::new(bootstrap, properties)?;
        admin
            .blocking("connect", |admin| admin.wait_for_answer(CONNECT_LIMIT))
            .await?;
        Ok(admin)
    }

    /// Makes a client without waiting for an answer.
    pub(super) fn new(bootstrap: &str, properties: &BTreeMap<String, Secret>) -> Result<Self, AdminError> {
        let mut config = ClientConfig::new();
        for (name, value) in properties {
            config.set(name, value.reveal());
        }
        config.set("bootstrap.servers", bootstrap);
        config.set("client.id", "tandem-admin");
        // To ask for a topic by name must not make it, and the end of a partition is its high watermark. The library calls
        // both settings of consumers, and goes by them all the same.
        config.set("allow.auto.create.topics", "false");
        config.set("isolation.level", "read_uncommitted");
        let client = AdminClient::from_config(&config).map_err(|error| AdminError::Settings(settings_cause(&error)))?;
        Ok(Admin {
            client: Arc::new(client),
            bootstrap: bootstrap.into(),
        })
    }

    /// The addresses this client was made with.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The id that the cluster has given itself; `None` where it does not tell.
    pub async fn cluster_id(&self) -> Option<String> {
        let id = self.blocking("ask for the cluster's id", |admin| {
            Ok(admin.client.inner().fetch_cluster_id(REQUEST_LIMIT))
        });
        id.await.ok().flatten()
    }

    /// The brokers that the cluster shows now, by id.
    pub async fn brokers(&self) -> Result<Vec<BrokerAddress>, AdminError> {
        self.blocking("list the brokers", |admin| admin.brokers_now(REQUEST_LIMIT))
            .await
    }

    /// Names of the topics that start with `prefix`, sorted.
    pub async fn topics(&self, prefix: &str) -> Result<Vec<String>, AdminError> {
        let prefix = prefix.to_owned();
        self.blocking("list the topics", move |admin| {
            let metadata = admin.metadata("list the topics", None, REQUEST_LIMIT)?;
            let names = metadata.topics().iter().map(|topic| topic.name().to_owned());
            let mut names: Vec<_> = names.filter(|name| name.starts_with(&prefix)).collect();
            names.sort();
            Ok(names)
        })
        .await
    }

    /// Every topic that the cluster shows, by name, with its number of partitions. Asks for all of them at once: no
    /// broker makes a topic of such a question, as it may of one for a name.
    pub async fn topic_sizes(&self) -> Result<Vec<(String, u32)>, AdminError> {
        self.blocking("list the topics", |admin| {
            let metadata = admin.metadata("list the topics", None, REQUEST_LIMIT)?;
            let sized = |topic: &rdkafka::metadata::MetadataTopic| {
                let partitions = u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX);
                (topic.name().to_owned(), partitions)
            };
            let mut topics: Vec<_> = metadata.topics().iter().map(sized).collect();
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

    /// Makes a topic with these topic-level settings and waits until every partition has its leader.
    pub async fn create_topic(
        &self,
        name: &str,
        partitions: u32,
        replication: u32,
        configs: &[(&str, &str)],
    ) -> Result<(), AdminError> {
        let action = format!("create topic {name} ({partitions} partitions, replication factor {replication})");
        let refused = |cause: String| AdminError::Refused {
            action: action.clone(),
            cause,
        };
        let replication = i32::try_from(replication).map_err(|_| refused("replication factor out of range".into()))?;
        let mut topic = NewTopic::new(name, partitions.cast_signed(), TopicReplication::Fixed(replication));
        for (key, value) in configs {
            topic = topic.set(key, value);
        }
        let results = self.client.create_topics([&topic], &request_options()).await;
        for result in results.map_err(|error| self.request_error(&action, &error))? {
            result.map_err(|(_, code)| refused(code_text(code)))?;
        }
        self.wait_for_leaders(name, partitions, &action).await
    }

    async fn wait_for_leaders(&self, topic: &str, partitions: u32, action: &str) -> Result<(), AdminError> {
        let deadline = Instant::now() + SETTLE_LIMIT;
        loop {
            let found = self.partitions(topic).await?.unwrap_or_default();
            let led = found.iter().filter(|partition| partition.leader.is_some()).count();
            let in_sync = found.iter().all(|p| p.in_sync.len() == p.replicas.len());
            // The leaders themselves hear of it a moment after the metadata show them.
            if led == partitions as usize
                && in_sync
                && self.end_offsets(&[(topic.to_owned(), partitions)]).await.is_ok()
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                let seconds = SETTLE_LIMIT.as_secs();
                let cause = format!("only {led} of {partitions} partitions have a leader after {seconds} s");
                return Err(AdminError::Refused {
                    action: action.to_owned(),
                    cause,
                });
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }

    /// Deletes these topics and waits until the cluster no longer shows them. One that does not exist is no error.
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
                    let action = format!("delete topic {name}");
                    return Err(AdminError::Refused {
                        action,
                        cause: code_text(code),
                    });
                }
            }
        }
        let deadline = Instant::now() + SETTLE_LIMIT;
        loop {
            let left: Vec<_> = self
                .topics("")
                .await?
                .into_iter()
                .filter(|topic| names.contains(topic))
                .collect();
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let cause = format!("{} still there after {} s", left.join(", "), SETTLE_LIMIT.as_secs());
                return Err(AdminError::Refused { action, cause });
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

    /// One past the last offset of each partition of these topics (name and number of partitions), asked for at once.
    pub async fn end_offsets(&self, topics: &[(String, u32)]) -> Result<Vec<Vec<i64>>, AdminError> {
        let topics = topics.to_vec();
        self.blocking("read the ends of the partitions", move |admin| {
            let found = ffi::end_offsets(admin.client.inner(), &topics, ENDS_LIMIT);
            found.map_err(|cause| AdminError::Refused {
                action: "read the ends of the partitions".to_owned(),
                cause,
            })
        })
        .await
    }

    /// First offset that each partition of these topics (name and number of partitions) still has, asked for at once.
    pub async fn start_offsets(&self, topics: &[(String, u32)]) -> Result<Vec<Vec<i64>>, AdminError> {
        let topics = topics.to_vec();
        self.blocking("read the beginnings of the partitions", move |admin| {
            let found = ffi::start_offsets(admin.client.inner(), &topics, ENDS_LIMIT);
            found.map_err(|cause| AdminError::Refused {
                action: "read the beginnings of the partitions".to_owned(),
                cause,
            })
        })
        .await
    }

    /// Deletes these groups, waiting a while for members that are still leaving. One that does not exist is no error.
    pub async fn delete_groups(&self, names: &[String]) -> Result<(), AdminError> {
        let mut left: Vec<String> = names.to_vec();
        let deadline = Instant::now() + SETTLE_LIMIT;
        while !left.is_empty() {
            let borrowed: Vec<&str> = left.iter().map(String::as_str).collect();
            let action = format!("delete groups {}", left.join(", "));
            let results = self.client.delete_groups(&borrowed, &request_options()).await;
            let results = results.map_err(|error| self.request_error(&action, &error))?;
            left = still_there(results, Instant::now() > deadline)?;
            if !left.is_empty() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// Names of the groups that start with `prefix`, sorted.
    pub async fn groups(&self, prefix: &str) -> Result<Vec<String>, AdminError> {
        let prefix = prefix.to_owned();
        self.blocking("list the groups", move |admin| {
            let listed = admin.client.inner().fetch_group_list(None, REQUEST_LIMIT);
            let listed = listed.map_err(|error| admin.request_error("list the groups", &error))?;
            let names = listed.groups().iter().map(|group| group.name().to_owned());
            let mut names: Vec<_> = names.filter(|name| name.starts_with(&prefix)).collect();
            names.sort();
            Ok(names)
        })
        .await
    }

    /// State and members of a group; one that does not exist is `Dead`. Made to be called every 20 to 50 ms.
    pub async fn describe_group(&self, group_id: &str) -> Result<GroupDescription, AdminError> {
        let group_id = group_id.to_owned();
        self.blocking("describe a group", move |admin| {
            // Nobody else takes what the library logs while a broker is away; it must not pile up.
            ffi::waiting_messages(admin.client.inner());
            let described = ffi::describe_group(admin.client.inner(), &group_id, REQUEST_LIMIT);
            described.map_err(|cause| AdminError::Refused {
                action: format!("describe group {group_id}"),
                cause,
            })
        })
        .await
    }

    /// Settings of a broker that were set on it or on the cluster; secrets are hidden. The broker may refuse to tell.
    pub async fn broker_settings(&self, broker: i32) -> Result<Vec<Setting>, AdminError> {
        let action = format!("read the settings of broker {broker}");
        let results = self
            .client
            .describe_configs([&ResourceSpecifier::Broker(broker)], &request_options())
            .await;
        let mut settings = Vec::new();
        for result in results.map_err(|error| self.request_error(&action, &error))? {
            let resource = result.map_err(|code| AdminError::Refused {
                action: action.clone(),
                cause: code_text(code),
            })?;
            for entry in resource.entries {
                let Some(reason) = source_reason(&entry.source) else {
                    continue;
                };
                let value = if entry.is_sensitive { None } else { entry.value };
                let value = value.unwrap_or_else(|| "(hidden)".to_owned());
                settings.push(Setting {
                    name: entry.name,
                    value,
                    reason: reason.to_owned(),
                });
            }
        }
        settings.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(settings)
    }

    /// The release of a broker as far as it can be known: brokers before 4.0 say it by
    /// `inter.broker.protocol.version` (such as `3.9-IV0`), later ones do not tell a client.
    pub async fn broker_version(&self, broker: i32) -> Option<String> {
        let results = self
            .client
            .describe_configs([&ResourceSpecifier::Broker(broker)], &request_options())
            .await
            .ok()?;
        let resource = results.into_iter().next()?.ok()?;
        resource.get("inter.broker.protocol.version")?.value.clone()
    }

    /// Runs a blocking call on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        action: &str,
        call: impl FnOnce(&Admin) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let admin = self.clone();
        let ended = spawn_blocking(move || call(&admin)).await;
        ended.unwrap_or_else(|error| {
            Err(AdminError::Refused {
                action: action.to_owned(),
                cause: format!("the call was cut off: {error}"),
            })
        })
    }

    /// Waits until a broker answers.
    pub(super) fn wait_for_answer(&self, limit: Duration) -> Result<(), AdminError> {
        let client = self.client.inner();
        let asked = client.fetch_metadata(None, limit);
        let messages = ffi::waiting_messages(client);
        match asked {
            Ok(_) => Ok(()),
            Err(error) => Err(AdminError::Unreachable {
                bootstrap: self.bootstrap.to_string(),
                cause: connect_cause(&messages, &error, limit),
            }),
        }
    }

    /// The brokers that the cluster shows now; blocks.
    pub(super) fn brokers_now(&self, limit: Duration) -> Result<Vec<BrokerAddress>, AdminError> {
        let metadata = self.metadata("list the brokers", None, limit)?;
        let mut brokers: Vec<_> = metadata
            .brokers()
            .iter()
            .map(|broker| BrokerAddress {
                id: broker.id(),
                host: broker.host().to_owned(),
                port: broker.port(),
            })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        Ok(brokers)
    }

    /// True where the coordinator of a group answers, which the first time makes the brokers create their topic of
    /// offsets; blocks.
    pub(super) fn groups_work_now(&self, limit: Duration) -> bool {
        ffi::waiting_messages(self.client.inner());
        ffi::describe_group(self.client.inner(), "tandem-ready", limit).is_ok()
    }

    /// What the user may do with a topic and with the cluster, as the brokers tell it; blocks. Nothing of the cluster is
    /// told to a user who may not describe it.
    pub(super) fn operations_now(&self, topic: &str) -> (Result<Vec<String>, String>, Vec<String>) {
        let of_topic = ffi::topic_operations(self.client.inner(), topic, ENDS_LIMIT);
        let of_cluster = ffi::cluster_operations(self.client.inner(), ENDS_LIMIT);
        (of_topic, of_cluster.unwrap_or_default())
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
                return Err(AdminError::Refused {
                    action,
                    cause: code_text(code),
                });
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

    fn metadata(&self, action: &str, topic: Option<&str>, limit: Duration) -> Result<Metadata, AdminError> {
        let found = self.client.inner().fetch_metadata(topic, limit);
        found.map_err(|error| self.request_error(action, &error))
    }

    /// Tells a cluster that cannot be reached from one that answers with an error.
    fn request_error(&self, action: &str, error: &KafkaError) -> AdminError {
        let messages = ffi::waiting_messages(self.client.inner());
        match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::Resolve,
            ) => AdminError::Unreachable {
                bootstrap: self.bootstrap.to_string(),
                cause: connect_cause(&messages, error, REQUEST_LIMIT),
            },
            Some(code) => AdminError::Refused {
                action: action.to_owned(),
                cause: code_text(code),
            },
            None => AdminError::Refused {
                action: action.to_owned(),
                cause: error.to_string(),
            },
        }
    }
}

fn request_options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(REQUEST_LIMIT))
        .operation_timeout(Some(REQUEST_LIMIT))
}

/// Groups of a deletion that still have members.
fn still_there(
    results: Vec<Result<String, (String, RDKafkaErrorCode)>>,
    last: bool,
) -> Result<Vec<String>, AdminError> {
    let mut left = Vec::new();
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound)) => {}
            Err((
                name,
                RDKafkaErrorCode::NonEmptyGroup
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::NotCoordinator,
            )) if !last => left.push(name),
            Err((name, code)) => {
                return Err(AdminError::Refused {
                    action: format!("delete group {name}"),
                    cause: code_text(code),
                });
            }
        }
    }
    Ok(left)
}

/// Why a setting of a broker is not the default; `None` where it is, or where the source says nothing.
fn source_reason(source: &ConfigSource) -> Option<&'static str> {
    match source {
        ConfigSource::StaticBroker => Some("set in the broker's file"),
        ConfigSource::DynamicBroker => Some("set on the broker while it ran"),
        ConfigSource::DynamicDefaultBroker => Some("set on the cluster while it ran"),
        ConfigSource::Unknown | ConfigSource::Default | ConfigSource::DynamicTopic => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeMap;
    use std::time::Instant;

    use super::{Admin, AdminError};
    use crate::secret::Secret;

    #[tokio::test]
    async fn an_unreachable_cluster_is_named_with_the_cause_within_ten_seconds() {
        let began = Instant::now();
        let error = Admin::connect("127.0.0.1:1", &BTreeMap::new()).await.err().unwrap();
        assert!(began.elapsed().as_secs() < 10);
        let message = error.to_string();
        assert!(
            message.contains("127.0.0.1:1") && message.contains("refused"),
            "{message}"
        );
    }

    #[tokio::test]
    async fn a_refused_property_is_named_without_its_value() {
        let properties = BTreeMap::from([("sasl.mechanisms.x".to_owned(), Secret::new("hunter2"))]);
        let error = Admin::connect("127.0.0.1:1", &properties).await.err().unwrap();
        assert!(matches!(error, AdminError::Settings(_)));
        assert!(
            error.to_string().contains("sasl.mechanisms.x") && !error.to_string().contains("hunter2"),
            "{error}"
        );
    }
}
