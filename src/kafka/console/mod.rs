//! Topics by hand: sends lines as records and reads records one by one, as Kafka's console programs do, without a JVM.
//! Reports through callbacks and prints nothing.

mod read;
mod send;

pub use read::{Reading, Record, Start, read};
pub use send::{Delivered, LineError, Pending, Sender, split_key};

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

use crate::secret::Secret;

/// The user's properties over these defaults.
fn client_config(bootstrap: &str, properties: &BTreeMap<String, Secret>, defaults: &[(&str, &str)]) -> ClientConfig {
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
