//! The configuration of both clients.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

use crate::secret::Secret;

/// The user's properties over these defaults.
pub(super) fn client_config(
    bootstrap: &str,
    properties: &BTreeMap<String, Secret>,
    defaults: &[(&str, &str)],
) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in defaults {
        config.set(*name, *value);
    }
    for (name, value) in properties {
        config.set(name, value.reveal());
    }
    config.set("bootstrap.servers", bootstrap);
    config.set("allow.auto.create.topics", "false");
    config
}
