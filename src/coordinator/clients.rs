//! The coordinator's own clients, which are not measured.

use std::collections::BTreeMap;

use rdkafka::config::ClientConfig;

use crate::secret::Secret;

/// The settings of a client with this name and a cluster's properties.
pub(super) fn client_config(bootstrap: &str, properties: &BTreeMap<String, Secret>, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in properties {
        config.set(name, value.reveal());
    }
    config.set("bootstrap.servers", bootstrap);
    config.set("client.id", client_id);
    config
}
