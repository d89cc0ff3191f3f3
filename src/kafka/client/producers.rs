//! The properties of the producers of a load.

use super::ClientProperties;
use crate::scenario::{ClusterSpec, Compression, Load};

/// Properties that have to agree with idempotence: who sets one of them decides on idempotence too.
const TIED_TO_IDEMPOTENCE: [&str; 7] = [
    "enable.idempotence",
    "acks",
    "request.required.acks",
    "retries",
    "message.send.max.retries",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
];

impl ClientProperties {
    /// The properties of every producer of a load, apart from `client.id`. What the user set wins over tandem's
    /// defaults, the load over the cluster, and what the method needs over all.
    pub fn of_producers(cluster: &ClusterSpec, load: &Load, compression: Compression, bootstrap: &str) -> Self {
        let mut properties = ClientProperties::default();
        let reason = "the library's 5 would turn any arrivals into batches";
        properties.add_literal("linger.ms", "0", reason);
        let reason = "a key goes where a Java producer would put it";
        properties.add_literal("partitioner", "murmur2_random", reason);
        let users = || cluster.client.iter().chain(&load.properties);
        if !users().any(|(name, _)| TIED_TO_IDEMPOTENCE.contains(&name.as_str())) {
            let reason = "a record that is sent again must not be there twice";
            properties.add_literal("enable.idempotence", "true", reason);
        }
        for (name, value) in &cluster.client {
            properties.add(name, value.clone(), "the scenario's [cluster.client]");
        }
        for (name, value) in &load.properties {
            properties.add(name, value.clone(), "the scenario's load");
        }
        properties.add_literal("compression.type", compression.as_str(), "the data set's compression");
        properties.add_literal("bootstrap.servers", bootstrap, "the cluster");
        properties
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::scenario::{ClusterSource, PropertyValue};

    fn properties(of_load: &[(&str, &str)]) -> BTreeMap<String, String> {
        let cluster = ClusterSpec {
            source: ClusterSource::Bootstrap("host:9092".into()),
            prefix: "tandem-".into(),
            client: BTreeMap::from([("linger.ms".into(), PropertyValue::Literal("3".into()))]),
            ..ClusterSpec::default()
        };
        let of_load = of_load.iter();
        let load = Load {
            properties: of_load
                .map(|(name, value)| ((*name).to_owned(), PropertyValue::Literal((*value).to_owned())))
                .collect(),
            ..crate::testing::load()
        };
        let all = ClientProperties::of_producers(&cluster, &load, Compression::Lz4, "there:1");
        let resolved = all.resolve().unwrap();
        resolved
            .into_iter()
            .map(|(name, value)| (name, value.reveal().to_owned()))
            .collect()
    }

    #[test]
    fn what_the_load_sets_wins_over_the_cluster_and_that_over_the_defaults() {
        assert_eq!(properties(&[])["linger.ms"], "3");
        // Its other name.
        let renamed = properties(&[("queue.buffering.max.ms", "9")]);
        assert_eq!(renamed["queue.buffering.max.ms"], "9");
        assert!(!renamed.contains_key("linger.ms"));
        let set = properties(&[("linger.ms", "7"), ("bootstrap.servers", "elsewhere:1")]);
        assert_eq!(
            (set["linger.ms"].as_str(), set["bootstrap.servers"].as_str()),
            ("7", "there:1")
        );
        assert_eq!(
            (set["compression.type"].as_str(), set["enable.idempotence"].as_str()),
            ("lz4", "true")
        );
    }

    #[test]
    fn who_sets_what_is_tied_to_idempotence_decides_on_it() {
        assert!(!properties(&[("acks", "1")]).contains_key("enable.idempotence"));
        assert_eq!(
            properties(&[("enable.idempotence", "false")])["enable.idempotence"],
            "false"
        );
    }
}
