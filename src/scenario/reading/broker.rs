//! Reads `[cluster.broker]`: server properties of brokers that tandem starts. Kafka has no list of them that holds for every
//! version, so names are not checked, but for those without which a cluster would not be one.

use std::collections::BTreeMap;

use crate::scenario::client::{dotted_name, read_value, without_quotes};
use crate::scenario::document::{Entry, entries, table};
use crate::scenario::model::PropertyValue;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::secrets::is_suspicious;

/// Properties that tandem sets by itself, or all that begin so, with what to use instead.
const OWNED: [(&str, &str); 20] = [
    ("node.id", "brokers are numbered from 1"),
    ("broker.id", "brokers are numbered from 1"),
    ("broker.id.generation.enable", "brokers are numbered from 1"),
    (
        "process.roles",
        "the first broker, or the first three, are controllers too",
    ),
    (
        "controller.quorum.",
        "the first broker, or the first three, are controllers too",
    ),
    (
        "controller.listener.names",
        "the first broker, or the first three, are controllers too",
    ),
    (
        "quorum.voters",
        "the first broker, or the first three, are controllers too",
    ),
    ("listeners", "use `listener` of a [[place]]"),
    ("listener.name.", "use `listener` of a [[place]]"),
    ("listener.security.protocol.map", "use `listener` of a [[place]]"),
    ("advertised.listeners", "use `listener` of a [[place]]"),
    ("inter.broker.listener.name", "use `listener` of a [[place]]"),
    ("security.inter.broker.protocol", "use `listener` of a [[place]]"),
    ("control.plane.listener.name", "use `listener` of a [[place]]"),
    ("port", "use `port` in [cluster]"),
    ("host.name", "brokers serve this machine"),
    (
        "log.dirs",
        "the data of a run has a folder of its own, which is removed with it",
    ),
    (
        "log.dir",
        "the data of a run has a folder of its own, which is removed with it",
    ),
    (
        "metadata.log.dir",
        "the data of a run has a folder of its own, which is removed with it",
    ),
    ("zookeeper.connect", "use `zookeeper` in [cluster]"),
];

/// True for a property that tandem sets by itself.
fn owned(name: &str) -> Option<&'static str> {
    let is_it = |(owned, _): &&(&str, &str)| name == *owned || owned.ends_with('.') && name.starts_with(owned);
    OWNED.iter().find(is_it).map(|(_, instead)| *instead)
}

/// The properties of the table.
pub(super) fn read_broker(entry: &Entry<'_>, problems: &mut Problems) -> BTreeMap<String, String> {
    let is_number = entry.value.get_ref().as_integer().is_some();
    let meant = is_number.then(|| "did you mean `brokers`?".to_owned());
    let table = problems.keep(table(entry).map_err(|problem| problem.maybe_help(meant)));
    let properties = table.map(entries).unwrap_or_default().into_iter();
    let read = properties.filter_map(|property| problems.keep(read(&property)));
    read.collect()
}

fn read(property: &Entry<'_>) -> Result<(String, String), Problem> {
    let name = property.key;
    let at_key = |message: String, allowed: &str| Err(Problem::new(property.key_span.clone(), message, allowed));
    if let Some((name, end)) = dotted_name(property) {
        return Err(without_quotes(property, &name, end).help(format!("write \"{name}\" = ...")));
    }
    if let Some(instead) = owned(name) {
        let message = format!("`{name}` of brokers is set by tandem");
        return at_key(message, "must be left out").map_err(|problem| problem.help(instead));
    }
    if is_suspicious(name) {
        let message = format!("`{name}` may be a secret and cannot stand in the file");
        return at_key(
            message,
            "must be left out: brokers that tandem starts serve this machine alone",
        );
    }
    match read_value(None, name, property.value)? {
        PropertyValue::Literal(value) => Ok((name.to_owned(), value)),
        PropertyValue::Environment { .. } | PropertyValue::File { .. } => {
            let message = format!("`{name}` of brokers cannot come from outside of the scenario");
            let allowed = "must be written out: the report lists it";
            Err(Problem::new(property.value.span(), message, allowed))
        }
    }
}
