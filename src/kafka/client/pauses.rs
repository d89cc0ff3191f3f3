//! How long a consumer's settings let it pause.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

use crate::clients::{ClientKind, Counterpart};
use crate::secret::Secret;

/// Properties that let a consumer wait although its queue has space and its partitions hold records.
const FETCH_PAUSES: [&str; 2] = ["fetch.wait.max.ms", "fetch.queue.backoff.ms"];

/// Milliseconds that may pass between two fetches of a consumer of this client with these properties, its defaults
/// included.
pub(super) fn fetch_pause_ms(kind: ClientKind, properties: &BTreeMap<String, Secret>) -> u64 {
    sum(kind, &FETCH_PAUSES, properties)
}

/// Milliseconds after which a group takes a consumer of this client with these properties for dead, its default included.
pub(super) fn session_timeout_ms(kind: ClientKind, properties: &BTreeMap<String, Secret>) -> u64 {
    sum(kind, &["session.timeout.ms"], properties)
}

/// Milliseconds from one heartbeat of a consumer of this client with these properties to the next.
pub(super) fn heartbeat_ms(kind: ClientKind, properties: &BTreeMap<String, Secret>) -> u64 {
    sum(kind, &["heartbeat.interval.ms"], properties)
}

/// The sum of properties that have these names in librdkafka; what a client has nothing like counts as nothing.
fn sum(kind: ClientKind, names: &[&str], properties: &BTreeMap<String, Secret>) -> u64 {
    let own_name = |name: &&str| match kind.instead_of(name) {
        Some((_, Counterpart::Is([own, ..]))) => Some((*own).to_owned()),
        Some((_, Counterpart::IsBut(own, _))) => Some(own.to_owned()),
        Some((_, Counterpart::Is([]) | Counterpart::Key(_) | Counterpart::Nothing(_))) => None,
        None => Some((*name).to_owned()),
    };
    match kind {
        ClientKind::Librdkafka => sum_of(names, properties),
        ClientKind::Java | ClientKind::FranzGo => {
            let value = |name: String| {
                let set = properties.get(&name).map(|value| value.reveal().to_owned());
                milliseconds(&set.or_else(|| kind.default_of(&name))?)
            };
            names.iter().filter_map(own_name).filter_map(value).sum()
        }
    }
}

/// A number of milliseconds, or a time with its unit, such as `5s`.
fn milliseconds(text: &str) -> Option<u64> {
    let number = text.trim().parse().ok();
    number.or_else(|| {
        let time: jiff::SignedDuration = text.parse().ok()?;
        u64::try_from(time.as_millis()).ok()
    })
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
        let kind = ClientKind::Librdkafka;
        assert_eq!(fetch_pause_ms(kind, &BTreeMap::new()), 500 + 1_000);
        let properties = [("fetch.wait.max.ms", "3000"), ("fetch.queue.backoff.ms", "10")];
        let properties = properties
            .map(|(name, value)| (name.to_owned(), Secret::new(value)))
            .into();
        assert_eq!(fetch_pause_ms(kind, &properties), 3_010);
    }
}
