//! The cluster of a scenario.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::property::PropertyValue;
use crate::scenario::kafka_version::KafkaVersion;

/// The cluster of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// Where it comes from.
    pub source: ClusterSource,
    /// Start of the names of topics and groups.
    pub prefix: String,
    /// Client properties for every client of the run, such as security settings.
    pub client: BTreeMap<String, PropertyValue>,
    /// Server properties of brokers that are started, by Kafka's names. They win over tandem's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub broker: BTreeMap<String, String>,
}

/// Where the cluster comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterSource {
    /// Brokers started for the run and ended with it.
    Local {
        /// Number of brokers.
        brokers: u32,
        /// Version of Apache Kafka.
        version: KafkaVersion,
        /// True where they keep their metadata in a ZooKeeper, which is started with them.
        #[serde(default)]
        zookeeper: bool,
        /// Port of the first broker, the next ones for the others; any free ones where `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        /// By which workers on other hosts reach them; only this machine's can where `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// A running cluster.
    Bootstrap(String),
}

impl ClusterSpec {
    /// The address of a cluster that runs already.
    pub fn bootstrap(&self) -> Option<&str> {
        match &self.source {
            ClusterSource::Bootstrap(bootstrap) => Some(bootstrap),
            ClusterSource::Local { .. } => None,
        }
    }

    /// By which workers on other hosts reach brokers that tandem starts.
    pub fn address(&self) -> Option<&str> {
        match &self.source {
            ClusterSource::Local { address, .. } => address.as_deref(),
            ClusterSource::Bootstrap(_) => None,
        }
    }

    /// The version of brokers that tandem starts.
    pub fn version(&self) -> Option<KafkaVersion> {
        match &self.source {
            ClusterSource::Local { version, .. } => Some(*version),
            ClusterSource::Bootstrap(_) => None,
        }
    }
}
