//! From a scenario's cluster and configuration to the properties of its consumers and producers, and which of them differ from the
//! client library's defaults and why. Knows nothing of workers; makes no client.

mod limits;
mod pauses;
mod producers;

use std::collections::BTreeMap;
use std::env;
use std::io::Read as _;

use rdkafka::ClientConfig;

use crate::measure::Setting;
use crate::scenario::{
    Buffers, ClusterSpec, Commit, Configuration, GroupProtocol, Membership, Place, PropertyValue, Scenario,
    canonical_property,
};
use crate::secret::{Hidden, Secret};

pub use limits::with_largest_limits;
pub use pauses::fetch_pause_ms;

/// The library's defaults for the two buffers, for [`Buffers::Total`] where the user sets none.
const QUEUED_MAX_KBYTES: u64 = 65_536;
const QUEUED_MIN_MESSAGES: u64 = 100_000;

/// How often a client tells its statistics, for up to [`STATISTICS_PARTITIONS`] partitions.
const STATISTICS_INTERVAL_MS: u64 = 200;
const STATISTICS_PARTITIONS: u32 = 64;

/// A client property that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// The environment variable that holds the value is not there.
    #[error("client property {property} takes its value from the environment variable {variable}, which is not set")]
    Unset {
        /// The property.
        property: String,
        /// The variable.
        variable: String,
    },
    /// There is nothing in the environment variable.
    #[error("client property {property} takes its value from the environment variable {variable}, which is empty")]
    Empty {
        /// The property.
        property: String,
        /// The variable.
        variable: String,
    },
    /// The value of the environment variable is not text.
    #[error("client property {property}: the environment variable {variable} does not hold UTF-8 text")]
    NotText {
        /// The property.
        property: String,
        /// The variable.
        variable: String,
    },
    /// The file that holds the value cannot be used.
    #[error("client property {property} takes its value from the file {file}: {cause}")]
    Unreadable {
        /// The property.
        property: String,
        /// The file.
        file: String,
        /// Why not.
        cause: String,
    },
}

/// The properties of the consumers or producers of a configuration, with the reason for each; no secret is resolved yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientProperties {
    properties: BTreeMap<String, (PropertyValue, &'static str)>,
}

impl ClientProperties {
    /// The properties of every consumer of `configuration`, apart from `group.id` and `client.id`. What the user set
    /// wins over tandem's defaults, the configuration over the cluster, and what the method needs over all.
    pub fn of_consumers(cluster: &ClusterSpec, configuration: &Configuration, bootstrap: &str) -> Self {
        let mut settings = ClientProperties::default();
        settings.add_defaults(configuration);
        for (name, value) in &cluster.client {
            settings.add(name, value.clone(), "the scenario's [cluster.client]");
        }
        for (name, value) in &configuration.client.properties {
            settings.add(name, value.clone(), "the scenario");
        }
        settings.add_protocol(&configuration.membership);
        settings.split_buffers(configuration);
        settings.add_needs(configuration, bootstrap);
        settings
    }

    /// Has the client tell its own statistics while it reads so many partitions, unless the user said how often, or
    /// wants none of tandem's settings. What it tells grows with the partitions that it knows.
    #[must_use]
    pub fn with_statistics(mut self, configuration: &Configuration, partitions: u32) -> Self {
        const NAME: &str = "statistics.interval.ms";
        if !configuration.client.library_defaults_only && !self.properties.contains_key(NAME) {
            let interval_ms = STATISTICS_INTERVAL_MS * u64::from(partitions.div_ceil(STATISTICS_PARTITIONS).max(1));
            let reason = "the client's own counts say why it is as fast as it is";
            self.add_literal(NAME, interval_ms.to_string(), reason);
        }
        self
    }

    /// Every property with its value, secrets taken from the environment and from files.
    pub fn resolve(&self) -> Result<BTreeMap<String, Secret>, PropertyError> {
        self.properties
            .iter()
            .map(|(name, (value, _))| Ok((name.clone(), resolve_value(name, value)?)))
            .collect()
    }

    /// The properties that differ from the client library's defaults, with the reason; secrets are hidden.
    pub fn deviations(&self) -> Vec<Setting> {
        let mut deviations = Vec::new();
        for (name, (value, reason)) in &self.properties {
            let value = match value {
                _ if name == "bootstrap.servers" => continue,
                PropertyValue::Literal(value) if library_default(name).is_some_and(|default| default == *value) => {
                    continue;
                }
                PropertyValue::Literal(_) if is_sensitive(name) => "(hidden)".to_owned(),
                PropertyValue::Literal(value) => value.clone(),
                PropertyValue::Environment { .. } | PropertyValue::File { .. } => "(hidden)".to_owned(),
            };
            deviations.push(Setting {
                name: name.clone(),
                value,
                reason: (*reason).to_owned(),
            });
        }
        deviations
    }

    /// A later value wins, under whichever of its names a property is given.
    fn add(&mut self, name: &str, value: PropertyValue, reason: &'static str) {
        let canonical = canonical_property(name);
        self.properties
            .retain(|known, _| canonical_property(known) != canonical);
        self.properties.insert(name.to_owned(), (value, reason));
    }

    fn add_literal(&mut self, name: &str, value: impl Into<String>, reason: &'static str) {
        self.add(name, PropertyValue::Literal(value.into()), reason);
    }

    /// tandem's own defaults, which the user can override.
    fn add_defaults(&mut self, configuration: &Configuration) {
        self.add_literal(
            "auto.offset.reset",
            "earliest",
            "a fresh group reads from the first record",
        );
        if !configuration.client.library_defaults_only {
            let reason = "the library's 1000 leaves the reader idle for most of the time with its default queue sizes";
            self.add_literal("fetch.queue.backoff.ms", "10", reason);
        }
    }

    fn add_protocol(&mut self, membership: &Membership) {
        let reason = "the configuration's protocol and assignor";
        match membership {
            Membership::Manual => {}
            Membership::Group(GroupProtocol::Classic { assignor }) => {
                self.add_literal("group.protocol", "classic", reason);
                if let Some(assignor) = assignor {
                    self.add_literal("partition.assignment.strategy", assignor, reason);
                }
            }
            Membership::Group(GroupProtocol::Consumer { assignor }) => {
                self.add_literal("group.protocol", "consumer", reason);
                if let Some(assignor) = assignor {
                    self.add_literal("group.remote.assignor", assignor, reason);
                }
            }
        }
    }

    /// With `buffers = "total"` the members of a group share the buffers that one consumer would have.
    fn split_buffers(&mut self, configuration: &Configuration) {
        let members = u64::from(configuration.members_per_group());
        if configuration.buffers == Buffers::Each || members < 2 {
            return;
        }
        let reason = "buffers = \"total\": divided by the members of a group";
        for (name, default) in [
            ("queued.max.messages.kbytes", QUEUED_MAX_KBYTES),
            ("queued.min.messages", QUEUED_MIN_MESSAGES),
        ] {
            let whole = match self.properties.get(name) {
                None => default,
                Some((PropertyValue::Literal(value), _)) => match value.trim().parse() {
                    Ok(value) => value,
                    // Left as it is, for the client to refuse with its own words.
                    Err(_) => continue,
                },
                Some((PropertyValue::Environment { .. } | PropertyValue::File { .. }, _)) => continue,
            };
            self.add_literal(name, (whole / members).max(1).to_string(), reason);
        }
    }

    /// What the method needs, whatever the user set.
    fn add_needs(&mut self, configuration: &Configuration, bootstrap: &str) {
        self.add_literal("bootstrap.servers", bootstrap, "the cluster");
        let auto = if configuration.commit == Commit::Auto {
            "true"
        } else {
            "false"
        };
        self.add_literal("enable.auto.commit", auto, "the configuration's commit");
        let reason = "an offset is stored when its record is finished, not when it is handed over";
        self.add_literal("enable.auto.offset.store", "false", reason);
        let reason = "batch reads move the position on end-of-partition entries";
        self.add_literal("enable.partition.eof", "false", reason);
    }
}

/// The properties of clients that are not measured (admin, filling the data set): those of the cluster alone.
pub fn cluster_properties(cluster: &ClusterSpec) -> Result<BTreeMap<String, Secret>, PropertyError> {
    resolve_all(&cluster.client)
}

/// Properties with their values, secrets taken from the environment and from files.
pub fn resolve_all(properties: &BTreeMap<String, PropertyValue>) -> Result<BTreeMap<String, Secret>, PropertyError> {
    properties
        .iter()
        .map(|(name, value)| Ok((name.clone(), resolve_value(name, value)?)))
        .collect()
}

/// What must not show of a scenario's client properties: passwords, keys and tokens, wherever their values stand. One that
/// is not there is refused where it is used.
pub fn hidden(scenario: &Scenario) -> Hidden {
    let clusters = [&scenario.cluster].into_iter().chain(&scenario.variants.clusters);
    let of_clusters = clusters.map(|cluster| &cluster.client);
    let of_consumers = scenario
        .configurations
        .iter()
        .map(|configuration| &configuration.client.properties);
    let loads = scenario
        .configurations
        .iter()
        .filter_map(|configuration| configuration.mode.load());
    let all = of_clusters
        .chain(of_consumers)
        .chain(loads.map(|load| &load.properties));
    // A user's name is told sparingly, but it may be a word such as "kafka", without which messages make no sense.
    let is_secret = |name: &str| is_sensitive(name) && name != "sasl.username";
    let secret =
        |(name, value): (&String, &PropertyValue)| is_secret(name).then(|| resolve_value(name, value).ok()).flatten();
    let of_launchers = scenario.places.iter().flat_map(Place::secrets).map(Secret::new);
    Hidden::of(all.flatten().filter_map(secret).chain(of_launchers))
}

/// The library's default of a property.
fn library_default(name: &str) -> Option<String> {
    ClientConfig::new().create_native_config().ok()?.get(name).ok()
}

/// Why the client library refuses this property; `None` where it does not. The value does not appear in the answer.
pub fn property_problem(name: &str, value: &str) -> Option<String> {
    let refused = ClientConfig::new().set(name, value).create_native_config().err()?;
    let description = match refused {
        rdkafka::error::KafkaError::ClientConfig(_, description, _, _) => description,
        other => other.to_string(),
    };
    Some(if value.len() > 3 {
        description.replace(value, "(value)")
    } else {
        description
    })
}

fn resolve_value(property: &str, value: &PropertyValue) -> Result<Secret, PropertyError> {
    let variable = match value {
        PropertyValue::Literal(value) => return Ok(Secret::new(value)),
        PropertyValue::Environment { env } => env,
        PropertyValue::File { file } => return read_secret(property, file),
    };
    let value = env::var(variable);
    let (property, variable) = (property.to_owned(), variable.clone());
    match value {
        Ok(value) if value.is_empty() => Err(PropertyError::Empty { property, variable }),
        Ok(value) => Ok(Secret::new(value)),
        Err(env::VarError::NotPresent) => Err(PropertyError::Unset { property, variable }),
        Err(env::VarError::NotUnicode(_)) => Err(PropertyError::NotText { property, variable }),
    }
}

/// No secret is longer; a key with its chain takes some thousands.
const SECRET_BYTES_MAX: u64 = 65_536;

/// The contents of a file without the end of the line that editors and `echo` put after them.
fn read_secret(property: &str, file: &str) -> Result<Secret, PropertyError> {
    let wrong = |cause: String| PropertyError::Unreadable {
        property: property.to_owned(),
        file: file.to_owned(),
        cause,
    };
    let mut text = String::new();
    let read = std::fs::File::open(file).and_then(|open| open.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text));
    let bytes = read.map_err(|error| wrong(error.to_string()))? as u64;
    if bytes > SECRET_BYTES_MAX {
        return Err(wrong(format!("it has more than {SECRET_BYTES_MAX} bytes")));
    }
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.is_empty() || value.contains('\0') {
        return Err(wrong("it is empty or holds a null character".to_owned()));
    }
    Ok(Secret::new(value))
}

/// True for properties whose value is a secret even where it stands in the file.
fn is_sensitive(name: &str) -> bool {
    [
        "password",
        "secret",
        "sasl.username",
        "sasl.jaas",
        "ssl.key.pem",
        "oauthbearer.config",
        "token",
    ]
    .iter()
    .any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeMap;

    use super::{ClientProperties, PropertyError, cluster_properties, property_problem};
    use crate::scenario::{Buffers, ClusterSource, ClusterSpec, Commit, GroupProtocol, Membership, PropertyValue};
    use crate::testing::configuration;

    fn cluster(client: &[(&str, PropertyValue)]) -> ClusterSpec {
        ClusterSpec {
            source: ClusterSource::Bootstrap("host:9092".into()),
            prefix: "tandem-".into(),
            client: client
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        }
    }

    fn literal(value: &str) -> PropertyValue {
        PropertyValue::Literal(value.to_owned())
    }

    fn revealed(settings: &ClientProperties) -> BTreeMap<String, String> {
        settings
            .resolve()
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name, value.reveal().to_owned()))
            .collect()
    }

    #[test]
    fn the_library_defaults_leave_out_what_tandem_would_set() {
        let mut configuration = configuration();
        let own = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(own["fetch.queue.backoff.ms"], "10");
        configuration.client.library_defaults_only = true;
        let library = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert!(!library.contains_key("fetch.queue.backoff.ms"));
        assert_eq!(library["enable.auto.offset.store"], "false");
    }

    #[test]
    fn a_configuration_wins_over_the_cluster_and_the_method_over_both() {
        let mut configuration = configuration();
        configuration
            .client
            .properties
            .insert("fetch.min.bytes".into(), literal("7"));
        configuration
            .client
            .properties
            .insert("enable.partition.eof".into(), literal("true"));
        let cluster = cluster(&[
            ("fetch.min.bytes", literal("5")),
            ("fetch.queue.backoff.ms", literal("3")),
        ]);
        let properties = revealed(&ClientProperties::of_consumers(&cluster, &configuration, "h:1"));
        assert_eq!(properties["fetch.min.bytes"], "7");
        assert_eq!(properties["fetch.queue.backoff.ms"], "3");
        assert_eq!(properties["enable.partition.eof"], "false");
        assert_eq!(properties["bootstrap.servers"], "h:1");
    }

    #[test]
    fn total_buffers_are_divided_by_the_members_of_a_group_and_never_zero() {
        let mut configuration = configuration();
        (configuration.groups, configuration.processes, configuration.consumers) = (5, 2, 4);
        configuration.buffers = Buffers::Total;
        configuration
            .client
            .properties
            .insert("queued.min.messages".into(), literal("3"));
        let properties = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(properties["queued.max.messages.kbytes"], "8192");
        assert_eq!(properties["queued.min.messages"], "1");
    }

    #[test]
    fn the_protocol_and_its_assignor_become_the_properties_that_the_protocol_accepts() {
        let mut configuration = configuration();
        configuration.membership = Membership::Group(GroupProtocol::Consumer {
            assignor: Some("range".into()),
        });
        let properties = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(properties["group.protocol"], "consumer");
        assert_eq!(properties["group.remote.assignor"], "range");
        assert!(!properties.contains_key("partition.assignment.strategy"));
        assert!(!properties.contains_key("session.timeout.ms"));
    }

    #[test]
    fn auto_commit_follows_the_commit_of_the_configuration() {
        let mut configuration = configuration();
        configuration.commit = Commit::Auto;
        let properties = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(properties["enable.auto.commit"], "true");
        configuration.commit = Commit::PerBatch;
        let properties = revealed(&ClientProperties::of_consumers(&cluster(&[]), &configuration, "h:1"));
        assert_eq!(properties["enable.auto.commit"], "false");
    }

    #[test]
    fn deviations_leave_out_the_defaults_and_hide_secrets() {
        let mut configuration = configuration();
        configuration
            .client
            .properties
            .insert("fetch.min.bytes".into(), literal("1"));
        let secret = PropertyValue::Environment { env: "PATH".into() };
        let cluster = cluster(&[("sasl.password", literal("hunter2")), ("ssl.key.password", secret)]);
        let settings = ClientProperties::of_consumers(&cluster, &configuration, "h:1");
        let deviations = settings.deviations();
        let names: Vec<_> = deviations.iter().map(|setting| setting.name.as_str()).collect();
        assert!(
            !names.contains(&"fetch.min.bytes") && !names.contains(&"enable.partition.eof"),
            "{names:?}"
        );
        assert!(
            names.contains(&"fetch.queue.backoff.ms") && names.contains(&"sasl.password"),
            "{names:?}"
        );
        assert!(!format!("{deviations:?}").contains("hunter2"));
        let resolved = settings.resolve().unwrap();
        assert!(!format!("{resolved:?}").contains(&std::env::var("PATH").unwrap()));
    }

    #[test]
    fn an_unset_environment_variable_is_named_with_its_property() {
        let cluster = cluster(&[(
            "sasl.password",
            PropertyValue::Environment {
                env: "TANDEM_NO_SUCH_VARIABLE".into(),
            },
        )]);
        let error = cluster_properties(&cluster).unwrap_err();
        assert!(matches!(error, PropertyError::Unset { .. }));
        let message = error.to_string();
        assert!(
            message.contains("sasl.password") && message.contains("TANDEM_NO_SUCH_VARIABLE"),
            "{message}"
        );
    }

    #[test]
    fn a_file_gives_its_contents_without_the_end_of_the_line_and_is_named_where_it_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let of = |contents: &str| {
            let file = folder.path().join("secret");
            std::fs::write(&file, contents).unwrap();
            let file = file.display().to_string();
            cluster_properties(&cluster(&[("sasl.password", PropertyValue::File { file })]))
        };
        assert_eq!(of("hunter 2\n").unwrap()["sasl.password"].reveal(), "hunter 2");
        assert_eq!(of("hunter2\r\n").unwrap()["sasl.password"].reveal(), "hunter2");
        assert_eq!(of("two\nlines").unwrap()["sasl.password"].reveal(), "two\nlines");
        assert!(of("\n").unwrap_err().to_string().contains("it is empty"));
        let nowhere = PropertyValue::File {
            file: "/nowhere/secret".into(),
        };
        let error = cluster_properties(&cluster(&[("sasl.password", nowhere)])).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("sasl.password") && message.contains("/nowhere/secret"),
            "{message}"
        );
    }

    #[test]
    fn an_unknown_property_and_a_bad_value_are_problems_and_a_good_one_is_not() {
        assert_eq!(property_problem("fetch.min.bytes", "10"), None);
        assert!(
            property_problem("fetch.min.byte", "10")
                .unwrap()
                .contains("No such configuration property")
        );
        assert!(property_problem("fetch.min.bytes", "many").is_some());
    }
}
