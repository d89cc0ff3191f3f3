//! How long a consumer's settings let it pause.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

use crate::secret::Secret;

/// Properties that let a consumer wait although its queue has space and its partitions hold records.
const FETCH_PAUSES: [&str; 2] = ["fetch.wait.max.ms", "fetch.queue.backoff.ms"];

/// Milliseconds that may pass between two fetches of a consumer with these properties, the library's defaults included.
pub fn fetch_pause_ms(properties: &BTreeMap<String, Secret>) -> u64 {
    sum_of(&FETCH_PAUSES, properties)
}

/// Milliseconds after which a group takes a consumer with these properties for dead, the library's default included.
pub fn session_timeout_ms(properties: &BTreeMap<String, Secret>) -> u64 {
    sum_of(&["session.timeout.ms"], properties)
}

fn sum_of(names: &[&str], properties: &BTreeMap<String, Secret>) -> u64 {
    let mut config = ClientConfig::new();
    for name in names {
        if let Some(value) = properties.get(*name) {
            config.set(*name, value.reveal());
        }
    }
    // Properties that the library refuses were reported before the trial.
    let Ok(config) = config.create_native_config() else {
        return 0;
    };
    let value = |name: &&str| config.get(name).ok()?.parse::<u64>().ok();
    names.iter().filter_map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_are_the_library_s_defaults_unless_properties_set_them() {
        assert_eq!(fetch_pause_ms(&BTreeMap::new()), 500 + 1_000);
        let properties = [("fetch.wait.max.ms", "3000"), ("fetch.queue.backoff.ms", "10")];
        let properties = properties
            .map(|(name, value)| (name.to_owned(), Secret::new(value)))
            .into();
        assert_eq!(fetch_pause_ms(&properties), 3_010);
    }
}
