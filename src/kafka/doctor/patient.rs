//! The cluster to check, and the client that checks it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::config::ClientConfig;

use super::address::Address;
use crate::kafka::client::{PropertyError, cluster_properties};
use crate::scenario::{ClusterSpec, PropertyValue};
use crate::secret::Secret;

/// The `client.id` of the probe.
pub(super) const CLIENT_ID: &str = "tandem-doctor";

/// The cluster to check.
#[derive(Debug, Clone)]
pub struct Patient {
    /// Addresses, `host:port,...`.
    pub bootstrap: String,
    /// Client properties, secrets resolved.
    pub properties: BTreeMap<String, Secret>,
    /// Start of the names of the probe's topic and groups.
    pub prefix: String,
    /// The one group to join; `None` for groups of the probe's own.
    pub group: Option<String>,
    /// The user's name where it stands in the scenario; one from the environment or a file is left out.
    pub user: Option<String>,
    /// Existing topics to read; without any, one is created for the check.
    pub topics: Vec<String>,
    /// Whether a topic may be created and deleted for the check.
    pub may_write: bool,
    /// Whether the consumer group protocol (KIP-848) is to be used.
    pub needs_consumer_protocol: bool,
    /// Set once nobody waits for the checks: what was created is removed, and no further check begins.
    pub stop: Arc<AtomicBool>,
}

impl Patient {
    /// A cluster with the client properties of a scenario.
    pub fn new(spec: &ClusterSpec, bootstrap: &str) -> Result<Self, PropertyError> {
        let user = match spec.client.get("sasl.username") {
            Some(PropertyValue::Literal(user)) => Some(user.clone()),
            _ => None,
        };
        Ok(Patient {
            bootstrap: bootstrap.to_owned(),
            properties: cluster_properties(spec)?,
            prefix: spec.prefix.clone(),
            group: None,
            user,
            topics: Vec::new(),
            may_write: false,
            needs_consumer_protocol: false,
            stop: Arc::default(),
        })
    }

    /// The same client at another address.
    pub(super) fn at(&self, address: &Address) -> Self {
        Patient {
            bootstrap: address.to_string(),
            ..self.clone()
        }
    }

    /// The bootstrap addresses, one by one.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.bootstrap.split(',').filter(|text| !text.trim().is_empty())
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// The mechanism of authentication; the client library's own default where none is set.
    pub(super) fn mechanism(&self) -> &str {
        let set = self.property("sasl.mechanism").or(self.property("sasl.mechanisms"));
        set.unwrap_or("GSSAPI")
    }

    /// The value of a client property, `None` where it is not set.
    pub(super) fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(Secret::reveal)
    }

    /// `security.protocol` in capitals.
    pub(super) fn security(&self) -> String {
        let protocol = self.property("security.protocol").unwrap_or("plaintext");
        protocol.to_ascii_uppercase()
    }

    pub(super) fn uses_tls(&self) -> bool {
        matches!(self.security().as_str(), "SSL" | "SASL_SSL")
    }

    pub(super) fn uses_sasl(&self) -> bool {
        self.security().starts_with("SASL")
    }

    /// The properties, with short waits between attempts.
    pub(super) fn fast(&self) -> BTreeMap<String, Secret> {
        let mut properties = self.properties.clone();
        for (name, value) in [("reconnect.backoff.ms", "50"), ("reconnect.backoff.max.ms", "500")] {
            properties.insert(name.to_owned(), Secret::new(value));
        }
        properties
    }

    /// A client's configuration.
    pub(super) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in self.fast() {
            config.set(name, value.reveal());
        }
        config.set("bootstrap.servers", &self.bootstrap);
        config.set("client.id", CLIENT_ID);
        config
    }
}
