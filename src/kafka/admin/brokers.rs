//! The brokers of a cluster, and what the user may do there.

use std::time::Duration;

use rdkafka::admin::ResourceSpecifier;
use rdkafka::metadata::Metadata;

use super::connection::{Admin, ENDS_LIMIT, REQUEST_LIMIT, request_options};
use super::error::AdminError;
use crate::kafka::ffi;

/// A broker in the cluster's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// Broker id.
    pub id: i32,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: i32,
}

impl BrokerAddress {
    /// The brokers of the metadata, by id.
    pub(in crate::kafka) fn of_all(metadata: &Metadata) -> Vec<Self> {
        let brokers = metadata.brokers().iter().map(|broker| BrokerAddress {
            id: broker.id(),
            host: broker.host().to_owned(),
            port: broker.port(),
        });
        let mut brokers: Vec<_> = brokers.collect();
        brokers.sort_by_key(|broker| broker.id);
        brokers
    }
}

impl Admin {
    /// The brokers that the cluster reports now, by id.
    pub async fn brokers(&self) -> Result<Vec<BrokerAddress>, AdminError> {
        self.blocking("list the brokers", |admin| admin.brokers_now(REQUEST_LIMIT))
            .await
    }

    /// The brokers that the cluster reports now, by id. Asks for the metadata of one topic where it is given, because those
    /// of all topics may be large. Gives up soon: callers ask repeatedly.
    pub async fn brokers_of(&self, topic: Option<String>) -> Result<Vec<BrokerAddress>, AdminError> {
        self.blocking("list the brokers", move |admin| {
            admin.fetch_brokers(topic.as_deref(), ENDS_LIMIT)
        })
        .await
    }

    /// The release of a broker, where it is known: brokers before 4.0 report it as `inter.broker.protocol.version` (such as
    /// `3.9-IV0`), later ones do not.
    pub async fn broker_version(&self, broker: i32) -> Option<String> {
        let results = self
            .client
            .describe_configs([&ResourceSpecifier::Broker(broker)], &request_options())
            .await
            .ok()?;
        let resource = results.into_iter().next()?.ok()?;
        resource.get("inter.broker.protocol.version")?.value.clone()
    }

    /// The brokers that the cluster reports now; blocks.
    pub(in crate::kafka) fn brokers_now(&self, limit: Duration) -> Result<Vec<BrokerAddress>, AdminError> {
        self.fetch_brokers(None, limit)
    }

    fn fetch_brokers(&self, topic: Option<&str>, limit: Duration) -> Result<Vec<BrokerAddress>, AdminError> {
        let metadata = self.metadata("list the brokers", topic, limit)?;
        Ok(BrokerAddress::of_all(&metadata))
    }

    /// What the user may do with a topic and with the cluster; blocks. The brokers report nothing about the cluster to a user
    /// who may not describe it.
    pub(in crate::kafka) fn operations_now(&self, topic: &str) -> (Result<Vec<String>, String>, Vec<String>) {
        let of_topic = ffi::topic_operations(self.client.inner(), topic, ENDS_LIMIT);
        let of_cluster = ffi::cluster_operations(self.client.inner(), ENDS_LIMIT);
        (of_topic, of_cluster.unwrap_or_default())
    }
}
