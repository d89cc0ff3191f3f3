//! The settings of a worker's clients.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;

use crate::secret::Secret;

/// How long the cluster may take to answer a question.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The settings of a client with this name.
pub(super) fn client_config(properties: &BTreeMap<String, Secret>, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in properties {
        config.set(name, value.reveal());
    }
    config.set("client.id", client_id);
    config.set_log_level(RDKafkaLogLevel::Warning);
    config
}

/// Why the client refused its settings. Names the property without its value, which may be a secret.
pub(super) fn refused(error: &KafkaError) -> String {
    let cause = match error {
        KafkaError::ClientConfig(_, description, name, _) => format!("{name}: {description}"),
        other => other.to_string(),
    };
    format!("the client refused its settings: {cause}")
}
