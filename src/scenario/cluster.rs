//! The table `[cluster]`: running brokers, or those that tandem starts, and what of the two can stand together.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

use super::axes::{check_aliases, properties};
use super::client::{self, Clients};
use super::document::{Entry, entries, table};
use super::draft::{set, value};
use super::error::{Problem, Problems};
use super::kafka_version::{DEFAULT_KAFKA_VERSION, KafkaVersion, MetadataError};
use super::keys::{Brokers, Table, unknown_key};
use super::kinds::{Bootstrap, Prefix, Version};
use super::model::{ClusterSource, ClusterSpec, PropertyValue};
use super::values::{Formed, Switch};

/// Keys of brokers that tandem starts.
pub(super) const LOCAL_KEYS: [&str; 3] = ["brokers", "version", "zookeeper"];

/// What the command line puts in the place of the cluster that the file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// A cluster that runs already: what the file says of its own brokers then forbids nothing.
    Running(String),
    /// The file's brokers in this version, one of `--versions`.
    Version(KafkaVersion),
}

/// The table, each value valid by itself.
#[derive(Debug, Default)]
pub(super) struct DraftCluster {
    brokers: Option<u32>,
    version: Option<KafkaVersion>,
    /// True for one that could not be read, of which nothing follows.
    version_is_wrong: bool,
    zookeeper: Option<(bool, Range<usize>)>,
    bootstrap: Option<(String, Range<usize>)>,
    prefix: Option<String>,
    client: BTreeMap<String, PropertyValue>,
}

pub(super) fn read(table: &DeTable<'_>, problems: &mut Problems) -> DraftCluster {
    let mut draft = DraftCluster::default();
    let mut local = Vec::new();
    for entry in entries(table) {
        let span = || entry.value.span();
        match entry.key {
            "brokers" => draft.brokers = value(&entry, problems).map(Brokers::small),
            "version" => {
                let read = value::<Formed<Version>>(&entry, problems);
                draft.version = read.and_then(|text| text.0.parse().ok());
                draft.version_is_wrong = draft.version.is_none();
            }
            "zookeeper" => draft.zookeeper = value::<Switch>(&entry, problems).map(|on| (on.0, span())),
            "bootstrap" => draft.bootstrap = value::<Formed<Bootstrap>>(&entry, problems).map(|text| (text.0, span())),
            "prefix" => draft.prefix = value::<Formed<Prefix>>(&entry, problems).map(|prefix| prefix.0),
            "client" => draft.client = read_client(&entry, problems),
            _ => problems.add(unknown_key(&entry, Table::Cluster)),
        }
        if LOCAL_KEYS.contains(&entry.key) {
            local.push((entry.key.to_owned(), entry.key_span));
        }
    }
    if table.contains_key("bootstrap") {
        for (key, span) in local {
            let message = format!("`{key}` cannot stand beside `bootstrap`");
            let allowed = "must be left out: with `bootstrap`, a running cluster is used and no broker is started";
            problems.add(Problem::new(span, message, allowed));
        }
    }
    draft
}

fn read_client(entry: &Entry<'_>, problems: &mut Problems) -> BTreeMap<String, PropertyValue> {
    let table = problems.keep(table(entry));
    let properties = table
        .map(|table| properties(table, Clients::All, problems))
        .unwrap_or_default();
    check_aliases(
        properties.iter().map(|entry| (entry.key, entry.key_span.clone())),
        problems,
    );
    let pair = |entry: Entry<'_>| Some((entry.key.to_owned(), client::read_value(entry.key, entry.value)));
    let read = properties.into_iter().filter_map(pair);
    read.filter_map(|(name, value)| problems.keep(value).map(|value| (name, value)))
        .collect()
}

impl DraftCluster {
    /// The cluster that the table names, or the one that the command line puts in its place.
    pub(super) fn spec(&self, instead: Option<&Instead>, problems: &mut Problems) -> ClusterSpec {
        let mut spec = ClusterSpec {
            client: self.client.clone(),
            ..ClusterSpec::default()
        };
        set(&mut spec.prefix, self.prefix.clone());
        spec.source = match (instead, &self.bootstrap) {
            (Some(Instead::Running(bootstrap)), _) | (None, Some((bootstrap, _))) => {
                ClusterSource::Bootstrap(bootstrap.clone())
            }
            (Some(Instead::Version(version)), bootstrap) => {
                if let Some((_, span)) = bootstrap {
                    let message = "`bootstrap` cannot be used with --versions";
                    let allowed = "must be left out: --versions starts a cluster of each version on this machine";
                    problems.add(Problem::new(span.clone(), message, allowed));
                }
                self.started(*version, " of --versions", problems)
            }
            (None, None) if self.version_is_wrong => spec.source,
            (None, None) => self.started(self.version.unwrap_or(DEFAULT_KAFKA_VERSION), "", problems),
        };
        spec
    }

    /// Brokers of this version, which `whose` names where it is not the file's.
    fn started(&self, version: KafkaVersion, whose: &str, problems: &mut Problems) -> ClusterSource {
        let zookeeper = version.on_zookeeper(self.zookeeper.as_ref().map(|(asked, _)| *asked));
        if let (Err(error), Some((asked, span))) = (zookeeper, &self.zookeeper) {
            let message = format!("`zookeeper = {asked}` cannot be used with Apache Kafka {version}{whose}");
            let allowed = match error {
                MetadataError::NoZooKeeper(_) => {
                    "must be left out, or be false: 3.9 is the last version with ZooKeeper"
                }
                MetadataError::NoKRaft(_) => {
                    "must be left out, or be true: without ZooKeeper, Kafka is ready for production from 3.3 on"
                }
            };
            problems.add(Problem::new(span.clone(), message, allowed));
        }
        ClusterSource::Local {
            brokers: self.brokers.unwrap_or(1),
            version,
            zookeeper: zookeeper.unwrap_or_default(),
        }
    }
}
