//! The settings of the consumers of a configuration's app: what the protocol hands over in librdkafka's names, and what
//! goes to another client in that client's own.

use std::collections::BTreeMap;

use super::pauses::{fetch_pause_ms, heartbeat_ms, session_timeout_ms};
use super::properties::ClientProperties;
use super::secrets::PropertyError;
use crate::clients::ClientKind;
use crate::measure::Setting;
use crate::scenario::{App, Configuration, GroupTimeouts, Scenario};
use crate::secret::Secret;

/// The settings of the consumers of a configuration; no secret is resolved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerSettings {
    kind: ClientKind,
    /// By librdkafka's names: for another client only what the method needs and how the cluster is reached.
    protocol: ClientProperties,
    /// By the names of the app's own client.
    own: ClientProperties,
    /// What the settings of the group decide instead of the client's.
    group: Option<GroupTimeouts>,
}

/// The same with every secret taken from the environment and from files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedSettings {
    /// [`crate::protocol::Prepare::properties`].
    pub properties: BTreeMap<String, Secret>,
    /// [`crate::protocol::Prepare::client_properties`].
    pub own: BTreeMap<String, Secret>,
    /// Milliseconds that may pass between two fetches.
    pub fetch_pause_ms: u64,
    /// Milliseconds after which the group takes a consumer for dead.
    pub session_timeout_ms: u64,
    /// Milliseconds from one heartbeat of a consumer to the next.
    pub heartbeat_ms: u64,
}

impl ConsumerSettings {
    /// The settings of a configuration's consumers, apart from `group.id` and `client.id`; statistics of so many
    /// partitions are reported by tandem's own client.
    pub fn of(scenario: &Scenario, configuration: &Configuration, bootstrap: &str) -> Self {
        let cluster = scenario.cluster_of(configuration);
        let partitions = scenario.datasets[configuration.dataset].partitions_of_all();
        let all = || ClientProperties::of_consumers(cluster, configuration, bootstrap);
        let (kind, protocol, own) = match scenario.app_of(configuration) {
            App::Tandem | App::Launched { .. } => {
                let protocol = all().with_statistics(configuration, partitions);
                (ClientKind::Librdkafka, protocol, ClientProperties::default())
            }
            App::Other(spec) => {
                let mut own = ClientProperties::default();
                if let Some(program) = spec.program() {
                    own.add_own(&program.client, "the scenario's [app.client]");
                }
                match spec.kind() {
                    kind @ ClientKind::Librdkafka => (kind, all(), own),
                    kind @ (ClientKind::Java | ClientKind::FranzGo) => {
                        own.add_own(&configuration.client.properties, "the scenario");
                        own.add_timeouts(kind, configuration);
                        let needed = ClientProperties::needed_by_the_method(cluster, configuration, bootstrap);
                        (kind, needed, own)
                    }
                }
            }
        };
        ConsumerSettings {
            kind,
            protocol,
            own,
            group: configuration.group_timeouts(),
        }
    }

    /// Every property with its value.
    pub fn resolve(&self) -> Result<ResolvedSettings, PropertyError> {
        let (properties, own) = (self.protocol.resolve()?, self.own.resolve()?);
        let by_its_names = match self.kind {
            ClientKind::Librdkafka => &properties,
            ClientKind::Java | ClientKind::FranzGo => &own,
        };
        Ok(ResolvedSettings {
            fetch_pause_ms: fetch_pause_ms(self.kind, by_its_names),
            session_timeout_ms: (self.group.and_then(|group| group.session_ms))
                .unwrap_or_else(|| session_timeout_ms(self.kind, by_its_names)),
            heartbeat_ms: (self.group.and_then(|group| group.heartbeat_ms))
                .unwrap_or_else(|| heartbeat_ms(self.kind, by_its_names)),
            properties,
            own,
        })
    }

    /// The properties that differ from the defaults of the app's client, with the reason; secrets are hidden.
    pub fn deviations(&self) -> Vec<Setting> {
        let mut deviations = self.protocol.deviations(ClientKind::Librdkafka);
        deviations.extend(self.own.deviations(self.kind));
        deviations
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::scenario;

    fn settings(text: &str) -> ResolvedSettings {
        let scenario = scenario(text);
        ConsumerSettings::of(&scenario, &scenario.configurations[0], "h:1")
            .resolve()
            .unwrap()
    }

    fn revealed(properties: &BTreeMap<String, Secret>) -> Vec<(&str, &str)> {
        let pairs = properties.iter();
        pairs.map(|(name, value)| (name.as_str(), value.reveal())).collect()
    }

    #[test]
    fn another_client_gets_its_own_properties_and_of_librdkafkas_only_what_the_method_needs() {
        let java = settings(
            "[cluster.client]\n\"security.protocol\" = \"ssl\"\n[consumer]\napp = \"java\"\n[consumer.client]\n\
             \"max.poll.records\" = 2000\n[consumer.java]\n\"fetch.min.bytes\" = 9",
        );
        let needed = [
            ("auto.offset.reset", "earliest"),
            ("bootstrap.servers", "h:1"),
            ("enable.auto.commit", "false"),
            ("group.protocol", "classic"),
            ("security.protocol", "ssl"),
        ];
        assert_eq!(revealed(&java.properties), needed);
        assert_eq!(
            revealed(&java.own),
            [("fetch.min.bytes", "9"), ("max.poll.records", "2000")]
        );
        assert_eq!((java.fetch_pause_ms, java.session_timeout_ms), (500, 45_000));
    }

    #[test]
    fn python_has_librdkafka_and_gets_what_tandem_gets_without_its_statistics() {
        let [tandem, python] = ["tandem", "python"].map(|app| settings(&format!("[consumer]\napp = \"{app}\"")));
        let mut expected = tandem.properties.clone();
        assert!(expected.remove("statistics.interval.ms").is_some());
        assert_eq!((python.properties, python.own), (expected, BTreeMap::new()));
        assert_eq!(python.fetch_pause_ms, tandem.fetch_pause_ms);
    }

    #[test]
    fn an_apps_own_properties_go_to_it_alone_and_times_are_read_in_the_units_of_its_client() {
        let own = settings(
            "[consumer]\napp = \"mine\"\n[[app]]\nname = \"mine\"\ncommand = [\"./mine\"]\n[app.client]\n\"any.name\" = 5",
        );
        assert_eq!(revealed(&own.own), [("any.name", "5")]);
        assert!(own.properties.contains_key("fetch.queue.backoff.ms"));
        let go =
            settings("[consumer]\napp = \"go\"\n[consumer.client]\nSessionTimeout = \"90s\"\nFetchMaxWait = \"250ms\"");
        assert_eq!((go.fetch_pause_ms, go.session_timeout_ms), (250, 90_000));
    }
}
