//! Size limits of the clients that read for the run itself: as large as those of any consumer.

use std::collections::BTreeMap;

use super::properties::ClientProperties;
use super::secrets::resolve_value;
use crate::clients::ClientKind;
use crate::scenario::{Scenario, canonical_property};
use crate::secret::Secret;

/// The limits, by their canonical names.
const FETCH: &str = "fetch.max.bytes";
const PARTITION: &str = "fetch.message.max.bytes";
const MESSAGE: &str = "message.max.bytes";
const RECEIVE: &str = "receive.message.max.bytes";

/// Bytes of a response besides its records.
const ANSWER_BYTES: u64 = 512;

/// These properties of a client with the largest limits of the consumers that read a data set.
pub fn with_largest_limits(
    mut properties: BTreeMap<String, Secret>,
    scenario: &Scenario,
    dataset: usize,
) -> BTreeMap<String, Secret> {
    for (name, limit) in largest(scenario, dataset) {
        properties.retain(|given, _| canonical_property(given) != name);
        properties.insert(name.to_owned(), Secret::new(limit.to_string()));
    }
    properties
}

/// The largest limits of the consumers that read a data set, of the limits that some consumer sets. A consumer that does
/// not set one has the library's default.
fn largest(scenario: &Scenario, dataset: usize) -> BTreeMap<&'static str, u64> {
    let mut largest = BTreeMap::new();
    let readers = || scenario.configurations.iter().filter(|each| each.dataset == dataset);
    for name in [FETCH, PARTITION, MESSAGE, RECEIVE] {
        let default = ClientKind::Librdkafka
            .default_of(name)
            .and_then(|value| value.parse().ok());
        let limits: Vec<Option<u64>> = readers()
            .map(|configuration| {
                let properties = ClientProperties::of_consumers(scenario.cluster_of(configuration), configuration, "");
                let mut given = properties.properties.iter();
                let (name, (value, _)) = given.find(|(given, _)| canonical_property(given) == name)?;
                resolve_value(name, value).ok()?.reveal().trim().parse().ok()
            })
            .collect();
        if limits.iter().any(Option::is_some) {
            largest.extend(
                limits
                    .into_iter()
                    .filter_map(|limit| limit.or(default))
                    .max()
                    .map(|max| (name, max)),
            );
        }
    }
    // Each consumer's two limits fit together; the largest of several need not.
    if let Some(fetch) = largest.get(FETCH).map(|fetch| fetch.saturating_add(ANSWER_BYTES)) {
        largest
            .entry(RECEIVE)
            .and_modify(|receive| *receive = fetch.max(*receive));
    }
    largest
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn scenario(text: &str) -> Scenario {
        parse("s", "s.toml", &format!("question = '?'\n{text}")).unwrap()
    }

    fn limits(text: &str) -> Vec<(&'static str, u64)> {
        largest(&scenario(text), 0).into_iter().collect()
    }

    #[test]
    fn the_largest_limit_of_all_consumers_counts_under_whichever_name_and_the_default_of_those_that_set_none() {
        assert_eq!(limits(""), []);
        assert_eq!(
            limits("[consumer.client]\n\"receive.message.max.bytes\" = 200000000\n\"max.partition.fetch.bytes\" = 5"),
            [(PARTITION, 5), (RECEIVE, 200_000_000)]
        );
        let cases = "[[case]]\nname = \"a\"\nclient.\"receive.message.max.bytes\" = 60000000\n[[case]]\nname = \"b\"\n";
        assert_eq!(limits(cases), [(RECEIVE, 100_000_000)], "the default is larger");
    }

    #[test]
    fn the_limits_of_different_consumers_are_made_to_fit_each_other() {
        let cases = "[[case]]\nname = \"a\"\nclient.\"receive.message.max.bytes\" = 1000\nclient.\"fetch.max.bytes\" = 400\n\
                     [[case]]\nname = \"b\"\nclient.\"receive.message.max.bytes\" = 2000\n";
        assert_eq!(
            limits(cases),
            [(FETCH, 52_428_800), (RECEIVE, 52_428_800 + ANSWER_BYTES)]
        );
    }

    #[test]
    fn a_limit_replaces_that_of_the_cluster_under_another_name() {
        let secret = |value: &str| Secret::new(value);
        let cluster = BTreeMap::from([
            ("max.partition.fetch.bytes".to_owned(), secret("5")),
            ("ssl.ca.location".to_owned(), secret("/ca")),
        ]);
        let scenario = scenario("[consumer.client]\n\"fetch.message.max.bytes\" = 7");
        let properties = with_largest_limits(cluster, &scenario, 0);
        let expected = [(PARTITION, "7"), ("ssl.ca.location", "/ca")];
        assert!(
            properties
                .iter()
                .map(|(name, value)| (name.as_str(), value.reveal()))
                .eq(expected)
        );
    }
}
