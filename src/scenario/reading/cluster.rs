//! Reads `[cluster]`: running brokers, or those that tandem starts, and what of the two can stand together.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::broker::read_broker;
use super::properties::{check_aliases, properties};
use crate::scenario::client::{Clients, read_value};
use crate::scenario::document::{Entry, entries, table};
use crate::scenario::kafka_version::{KafkaVersion, MetadataError};
use crate::scenario::keys::{ClusterKeys, Table, TableKeys as _, unknown_key};
use crate::scenario::model::{ClusterSource, ClusterSpec, PropertyValue};
use crate::scenario::problem::{Problem, Problems};

/// Keys of brokers that tandem starts.
pub(crate) const LOCAL_KEYS: [&str; 6] = ["brokers", "version", "zookeeper", "port", "address", BROKER];

/// The table of server properties within `[cluster]`.
pub(crate) const BROKER: &str = "broker";

/// What the command line puts in the place of the cluster that the file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// A cluster that runs already: what the file says of its own brokers then forbids nothing.
    Running(String),
    /// The file's brokers in this version, one of `--versions`.
    Version(KafkaVersion),
}

/// The cluster that the table names, or the one that the command line puts in its place.
pub(super) fn spec(table: Option<&DeTable<'_>>, instead: Option<&Instead>, problems: &mut Problems) -> ClusterSpec {
    let mut keys = ClusterKeys::default();
    let mut client = BTreeMap::new();
    let mut broker = BTreeMap::new();
    for entry in table.map(entries).unwrap_or_default() {
        if entry.key == "client" {
            client = read_client(&entry, problems);
        } else if entry.key == BROKER {
            broker = read_broker(&entry, problems);
        } else if !keys.read_entry(Table::Cluster, &entry, problems) {
            problems.add(unknown_key(&entry, Table::Cluster));
        }
        if LOCAL_KEYS.contains(&entry.key) && table.is_some_and(|table| table.contains_key("bootstrap")) {
            let message = format!("`{}` cannot stand beside `bootstrap`", entry.key);
            let allowed = "must be left out: with `bootstrap`, a running cluster is used and no broker is started";
            problems.add(Problem::new(entry.key_span, message, allowed));
        }
    }
    if keys.given("version").is_none() && table.is_some_and(|table| table.contains_key("version")) {
        // Nothing follows from a version that was refused.
        keys.zookeeper = None;
    }
    let source = source(&keys, instead, problems);
    if matches!(source, ClusterSource::Bootstrap(_)) {
        // What the file says of its own brokers is nothing to those of the command line.
        broker.clear();
    }
    ClusterSpec {
        source,
        prefix: keys.prefix,
        client,
        broker,
    }
}

fn read_client(entry: &Entry<'_>, problems: &mut Problems) -> BTreeMap<String, PropertyValue> {
    let table = problems.keep(table(entry));
    let properties = table.map(|table| properties(table, Clients::All, problems));
    let properties = properties.unwrap_or_default();
    let names = properties.iter().map(|entry| (entry.key, entry.key_span.clone()));
    check_aliases(names, problems);
    let read = properties.into_iter().filter_map(|entry| {
        let value = problems.keep(read_value(Some(Clients::All.kind()), entry.key, entry.value))?;
        Some((entry.key.to_owned(), value))
    });
    read.collect()
}

fn source(keys: &ClusterKeys, instead: Option<&Instead>, problems: &mut Problems) -> ClusterSource {
    match (instead, &keys.bootstrap) {
        (Some(Instead::Running(bootstrap)), _) | (None, Some(bootstrap)) => ClusterSource::Bootstrap(bootstrap.clone()),
        (Some(Instead::Version(version)), _) => {
            if let Some(given) = keys.given("bootstrap") {
                let message = "`bootstrap` cannot be used with --versions";
                let allowed = "must be left out: --versions starts a cluster of each version on this machine";
                problems.add(Problem::new(given.span.clone(), message, allowed));
            }
            started(keys, *version, " of --versions", problems)
        }
        (None, None) => started(keys, keys.version, "", problems),
    }
}

/// Brokers of this version, which `whose` names where it is not the file's.
fn started(keys: &ClusterKeys, version: KafkaVersion, whose: &str, problems: &mut Problems) -> ClusterSource {
    let zookeeper = version.on_zookeeper(keys.zookeeper);
    if let (Err(error), Some(given)) = (zookeeper, keys.given("zookeeper")) {
        let message = format!(
            "`zookeeper = {}` cannot be used with Apache Kafka {version}{whose}",
            given.text
        );
        let allowed = match error {
            MetadataError::NoZooKeeper(_) => "must be left out, or be false: 3.9 is the last version with ZooKeeper",
            MetadataError::NoKRaft(_) => {
                "must be left out, or be true: without ZooKeeper, Kafka is ready for production from 3.3 on"
            }
        };
        problems.add(Problem::new(given.span.clone(), message, allowed));
    }
    ClusterSource::Local {
        brokers: keys.brokers,
        version,
        zookeeper: zookeeper.unwrap_or_default(),
        // The key allows no other.
        port: keys.port.and_then(|port| u16::try_from(port).ok()),
        address: keys.address.clone(),
    }
}

impl Default for ClusterSpec {
    /// The cluster of a file without `[cluster]`: brokers started for the run.
    fn default() -> Self {
        let keys = ClusterKeys::default();
        ClusterSpec {
            source: ClusterSource::Local {
                brokers: keys.brokers,
                version: keys.version,
                zookeeper: false,
                port: None,
                address: None,
            },
            prefix: keys.prefix,
            client: BTreeMap::new(),
            broker: BTreeMap::new(),
        }
    }
}
