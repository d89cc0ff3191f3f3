//! The brokers of a cluster, and what the user may do there.

use std::time::Duration;

use rdkafka::admin::ResourceSpecifier;

use super::connection::{Admin, ENDS_LIMIT, REQUEST_LIMIT, request_options};
use super::error::AdminError;
use crate::kafka::ffi;

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

impl Admin {
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

    /// The brokers that the cluster shows now; blocks.
    pub(in crate::kafka) fn brokers_now(&self, limit: Duration) -> Result<Vec<BrokerAddress>, AdminError> {
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
    pub(in crate::kafka) fn operations_now(&self, topic: &str) -> (Result<Vec<String>, String>, Vec<String>) {
        let of_topic = ffi::topic_operations(self.client.inner(), topic, ENDS_LIMIT);
        let of_cluster = ffi::cluster_operations(self.client.inner(), ENDS_LIMIT);
        (of_topic, of_cluster.unwrap_or_default())
    }
}
