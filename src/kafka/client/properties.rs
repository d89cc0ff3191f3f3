//! From a scenario's cluster and configuration to the properties of its consumers, and which of them differ from the
//! client library's defaults and why.

use std::collections::BTreeMap;

use super::secrets::{PropertyError, is_sensitive, resolve_value};
use crate::clients::ClientKind;
use crate::measure::Setting;
use crate::scenario::{
    Buffers, ClusterSpec, Commit, Configuration, GroupProtocol, Membership, PropertyValue, canonical_property,
};
use crate::secret::Secret;

/// The library's defaults for the two buffers, for [`Buffers::Total`] where the user sets none.
const QUEUED_MAX_KBYTES: u64 = 65_536;
const QUEUED_MIN_MESSAGES: u64 = 100_000;

const EARLIEST: &str = "a fresh group reads from the first record";

/// Interval of a client's statistics, which have an entry for every partition of its topics, where all members together have
/// at most [`STATISTICS_ENTRIES`]. 500 members with 500 partitions spent about 1.3 cores on 156,000 entries a second,
/// so 2,560 a second are about 2 % of a core.
const STATISTICS_INTERVAL_MS: u64 = 200;
const STATISTICS_ENTRIES: u64 = 512;

/// The properties of the consumers or producers of a configuration, with the reason for each; no secret is resolved yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientProperties {
    pub(super) properties: BTreeMap<String, (PropertyValue, &'static str)>,
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
        settings.add_timeouts(ClientKind::Librdkafka, configuration);
        settings.split_buffers(configuration);
        settings.add_needs(configuration, bootstrap);
        settings
    }

    /// What the method needs of a consumer whose client is not librdkafka, and how the cluster is reached: the protocol
    /// hands it over by librdkafka's names.
    pub(super) fn needed_by_the_method(cluster: &ClusterSpec, configuration: &Configuration, bootstrap: &str) -> Self {
        let mut settings = ClientProperties::default();
        settings.add_literal("auto.offset.reset", "earliest", EARLIEST);
        for (name, value) in &cluster.client {
            settings.add(name, value.clone(), "the scenario's [cluster.client]");
        }
        settings.add_protocol(&configuration.membership);
        settings.add_literal("bootstrap.servers", bootstrap, "the cluster");
        settings.add_auto_commit(configuration);
        settings
    }

    /// Adds properties by the names of another client.
    pub(super) fn add_own(&mut self, properties: &BTreeMap<String, PropertyValue>, reason: &'static str) {
        let named = properties.iter();
        self.properties
            .extend(named.map(|(name, value)| (name.clone(), (value.clone(), reason))));
    }

    /// Makes the client report its statistics, unless the user set the interval or wants none of tandem's settings. The
    /// interval grows with the members and the partitions, so that the statistics of all cost no more than those of few.
    #[must_use]
    pub fn with_statistics(mut self, configuration: &Configuration, partitions: u32) -> Self {
        const NAME: &str = "statistics.interval.ms";
        if !configuration.client.library_defaults_only && !self.properties.contains_key(NAME) {
            let entries = u64::from(partitions) * u64::from(configuration.members());
            let interval_ms = STATISTICS_INTERVAL_MS * entries.div_ceil(STATISTICS_ENTRIES).max(1);
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

    /// The properties that differ from the defaults of this client, with the reason; secrets are hidden.
    pub fn deviations(&self, kind: ClientKind) -> Vec<Setting> {
        let mut deviations = Vec::new();
        for (name, (value, reason)) in &self.properties {
            let value = match value {
                _ if name == "bootstrap.servers" => continue,
                PropertyValue::Literal(value) if kind.default_of(name).is_some_and(|default| default == *value) => {
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
    pub(super) fn add(&mut self, name: &str, value: PropertyValue, reason: &'static str) {
        let canonical = canonical_property(name);
        self.properties
            .retain(|known, _| canonical_property(known) != canonical);
        self.properties.insert(name.to_owned(), (value, reason));
    }

    pub(super) fn add_literal(&mut self, name: &str, value: impl Into<String>, reason: &'static str) {
        self.add(name, PropertyValue::Literal(value.into()), reason);
    }

    /// tandem's own defaults, which the user can override.
    fn add_defaults(&mut self, configuration: &Configuration) {
        self.add_literal("auto.offset.reset", "earliest", EARLIEST);
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
                    self.add_literal("partition.assignment.strategy", assignor.to_string(), reason);
                }
            }
            Membership::Group(GroupProtocol::Consumer { assignor }) => {
                self.add_literal("group.protocol", "consumer", reason);
                if let Some(assignor) = assignor {
                    self.add_literal("group.remote.assignor", assignor.to_string(), reason);
                }
            }
        }
    }

    /// How a classic group misses a member, by this client's names. The consumer protocol has it in the settings of the group.
    pub(super) fn add_timeouts(&mut self, kind: ClientKind, configuration: &Configuration) {
        if !matches!(
            configuration.membership,
            Membership::Group(GroupProtocol::Classic { .. })
        ) {
            return;
        }
        for (name, value_ms, reason) in [
            (
                "session.timeout.ms",
                configuration.session_timeout_ms,
                "the configuration's session_timeout",
            ),
            (
                "heartbeat.interval.ms",
                configuration.heartbeat_ms,
                "the configuration's heartbeat",
            ),
        ] {
            if let (Some(value_ms), Some(own_name)) = (value_ms, kind.name_of(name)) {
                let unit = if kind == ClientKind::FranzGo { "ms" } else { "" };
                self.add_literal(own_name, format!("{value_ms}{unit}"), reason);
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
            let total = match self.properties.get(name) {
                None => default,
                Some((PropertyValue::Literal(value), _)) => match value.trim().parse() {
                    Ok(value) => value,
                    // Left as it is: the client reports it.
                    Err(_) => continue,
                },
                Some((PropertyValue::Environment { .. } | PropertyValue::File { .. }, _)) => continue,
            };
            self.add_literal(name, (total / members).max(1).to_string(), reason);
        }
    }

    fn add_auto_commit(&mut self, configuration: &Configuration) {
        let auto = (configuration.commit == Commit::Auto).to_string();
        self.add_literal("enable.auto.commit", auto, "the configuration's commit");
    }

    /// Properties that the method needs, whatever the user set.
    fn add_needs(&mut self, configuration: &Configuration, bootstrap: &str) {
        self.add_literal("bootstrap.servers", bootstrap, "the cluster");
        self.add_auto_commit(configuration);
        let reason = "an offset is stored when its record is finished, not when it is handed over";
        self.add_literal("enable.auto.offset.store", "false", reason);
        let reason = "batch reads move the position on end-of-partition entries";
        self.add_literal("enable.partition.eof", "false", reason);
    }
}
