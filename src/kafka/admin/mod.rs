//! Topics, groups and brokers of a cluster, through one admin client. Every call has a time limit and
//! runs outside the async threads, because the client library blocks.

mod groups;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigSource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use tokio::task::spawn_blocking;

use super::admin_error::{code_text, connect_cause, settings_cause};
use super::ffi;
use crate::measure::Setting;
use crate::secret::Secret;

pub use super::admin_error::AdminError;
pub use topics::PartitionInfo;

/// How long [`Admin::connect`] tries.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(9);

/// Why a setting of a topic is not the brokers' own.
const SET_ON_TOPIC: &str = "set on the topic";

/// Limit of one request to the brokers.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Limit of the question for the ends of partitions, which is asked again and again.
const ENDS_LIMIT: Duration = Duration::from_secs(3);

/// How long a new topic may take to have all its leaders, a deleted one to go, and a group to lose its members.
const SETTLE_LIMIT: Duration = Duration::from_secs(20);

/// How long a member that ended without leaving may stay in its group: the default of `session.timeout.ms` and of
/// `group.consumer.session.timeout.ms`, 45 s, and what the brokers need to act on it.
const SESSION_LIMIT: Duration = Duration::from_secs(55);

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

    /// The brokers that the cluster shows now, in what it says of one topic where that is given: of all topics together it
    /// may have much to say. Gives up soon, for whoever asks again and again.
    pub async fn brokers_of(&self, topic: Option<String>) -> Result<Vec<BrokerAddress>, AdminError> {
        self.blocking("list the brokers", move |admin| {
            admin.brokers_shown(topic.as_deref(), ENDS_LIMIT)
        })
        .await
    }

    /// Deletes every topic and every group whose name starts with `prefix`, topics first, until the cluster shows none of
    /// either any more: it may show what it has done only a moment later. Members that ended without leaving are waited
    /// for, which `tell` is told. The number of topics.
    pub async fn delete_named(&self, prefix: &str, tell: &(dyn Fn(&str) + Sync)) -> Result<usize, AdminError> {
        let begin = Instant::now();
        let mut deleted = BTreeSet::new();
        loop {
            let topics = self.topics(prefix).await?;
            self.delete_topics(&topics).await?;
            let groups = self.groups(prefix).await?;
            self.delete_groups_within(&groups, SESSION_LIMIT, tell).await?;
            if topics.is_empty() && groups.is_empty() {
                return Ok(deleted.len());
            }
            if begin.elapsed() > SESSION_LIMIT + SETTLE_LIMIT {
                let left = [topics, groups].concat().join(", ");
                return Err(AdminError::Refused {
                    action: format!("delete what starts with {prefix}"),
                    cause: format!("{left} still there after {} s", begin.elapsed().as_secs()),
                });
            }
            deleted.extend(topics);
        }
    }

    /// Settings of a broker that were set on it or on the cluster; secrets are hidden. The broker may refuse to tell.
    pub async fn broker_settings(&self, broker: i32) -> Result<Vec<Setting>, AdminError> {
        let action = format!("read the settings of broker {broker}");
        self.settings(&ResourceSpecifier::Broker(broker), action).await
    }

    /// Settings that were set on a topic. The broker may refuse to tell.
    pub async fn topic_settings(&self, topic: &str) -> Result<Vec<Setting>, AdminError> {
        let action = format!("read the settings of topic {topic}");
        let mut settings = self.settings(&ResourceSpecifier::Topic(topic), action).await?;
        settings.retain(|setting| setting.reason == SET_ON_TOPIC);
        Ok(settings)
    }

    async fn settings(&self, resource: &ResourceSpecifier<'_>, action: String) -> Result<Vec<Setting>, AdminError> {
        let results = self.client.describe_configs([resource], &request_options()).await;
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
        self.brokers_shown(None, limit)
    }

    fn brokers_shown(&self, topic: Option<&str>, limit: Duration) -> Result<Vec<BrokerAddress>, AdminError> {
        let metadata = self.metadata("list the brokers", topic, limit)?;
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

    /// What the user may do with a topic and with the cluster, as the brokers tell it; blocks. Nothing of the cluster is
    /// told to a user who may not describe it.
    pub(super) fn operations_now(&self, topic: &str) -> (Result<Vec<String>, String>, Vec<String>) {
        let of_topic = ffi::topic_operations(self.client.inner(), topic, ENDS_LIMIT);
        let of_cluster = ffi::cluster_operations(self.client.inner(), ENDS_LIMIT);
        (of_topic, of_cluster.unwrap_or_default())
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

/// Why a setting of a broker or a topic is not the default; `None` where it is, or where the source says nothing.
fn source_reason(source: &ConfigSource) -> Option<&'static str> {
    match source {
        ConfigSource::StaticBroker => Some("set in the broker's file"),
        ConfigSource::DynamicBroker => Some("set on the broker while it ran"),
        ConfigSource::DynamicDefaultBroker => Some("set on the cluster while it ran"),
        ConfigSource::DynamicTopic => Some(SET_ON_TOPIC),
        ConfigSource::Unknown | ConfigSource::Default => None,
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
