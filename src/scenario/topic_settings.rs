//! `[dataset.topic]`: settings of the topics that tandem makes, by the names that Kafka has for them.

use schemars::{Schema, json_schema};
use serde_json::{Map, Value};
use toml::de::DeTable;

use super::client::{dotted_name, without_quotes};
use super::client_values::Values::{self, Boolean, Integer, OneOf, Text};
use super::document::{Entry, entries};
use super::error::{Problem, Problems, did_you_mean};
use super::settings::{Given, Setting, Settings, TOPIC};
use super::values::describe;

const LARGEST: i64 = i64::MAX;
const INT_LARGEST: i64 = 2_147_483_647;

/// Settings of topics of Apache Kafka 4.3, sorted by name, with the values that they may have in a data set.
const SETTINGS: &[(&str, Values)] = &[
    ("cleanup.policy", OneOf(&["delete"])),
    ("compression.gzip.level", Integer(-1, 9)),
    ("compression.lz4.level", Integer(1, 17)),
    (
        "compression.type",
        OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
    ),
    ("compression.zstd.level", Integer(-131_072, 22)),
    ("delete.retention.ms", Integer(0, LARGEST)),
    ("file.delete.delay.ms", Integer(0, LARGEST)),
    ("flush.messages", Integer(1, LARGEST)),
    ("flush.ms", Integer(0, LARGEST)),
    ("follower.replication.throttled.replicas", Text),
    ("index.interval.bytes", Integer(0, INT_LARGEST)),
    ("leader.replication.throttled.replicas", Text),
    ("local.retention.bytes", Integer(-2, LARGEST)),
    ("local.retention.ms", Integer(-2, LARGEST)),
    ("max.compaction.lag.ms", Integer(1, LARGEST)),
    ("max.message.bytes", Integer(0, INT_LARGEST)),
    ("message.timestamp.after.max.ms", Integer(0, LARGEST)),
    ("message.timestamp.before.max.ms", Integer(0, LARGEST)),
    ("message.timestamp.type", OneOf(&["CreateTime", "LogAppendTime"])),
    ("min.cleanable.dirty.ratio", Text),
    ("min.compaction.lag.ms", Integer(0, LARGEST)),
    ("min.insync.replicas", Integer(1, INT_LARGEST)),
    ("preallocate", Boolean),
    ("remote.log.copy.disable", Boolean),
    ("remote.log.delete.on.disable", Boolean),
    ("remote.storage.enable", Boolean),
    ("retention.bytes", Integer(-1, LARGEST)),
    ("retention.ms", Integer(-1, LARGEST)),
    ("segment.bytes", Integer(1_048_576, INT_LARGEST)),
    ("segment.index.bytes", Integer(4, INT_LARGEST)),
    ("segment.jitter.ms", Integer(0, LARGEST)),
    ("segment.ms", Integer(1, LARGEST)),
    ("unclean.leader.election.enable", Boolean),
];

const IN_SYNC: &str = "min.insync.replicas";

/// Names of settings of topics.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|(name, _)| *name)
}

/// The settings of the table.
pub(super) fn read(table: &DeTable<'_>, problems: &mut Problems) -> Vec<Given> {
    let entries = entries(table).into_iter();
    entries.filter_map(|entry| problems.keep(read_one(&entry))).collect()
}

fn read_one(entry: &Entry<'_>) -> Result<Given, Problem> {
    let name = entry.key;
    let Some((_, values)) = SETTINGS.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(entry));
    };
    let Some(value) = values.literal(entry.value) else {
        let message = format!("`{name}` of topics cannot be {}", describe(entry.value));
        let problem = Problem::new(entry.value.span(), message, format!("must be {}", values.allowed()));
        let compacted =
            "compaction would take records out of the data set; a compacted topic is read with topic = \"NAME\"";
        return Err(problem.maybe_help((name == "cleanup.policy").then(|| compacted.to_owned())));
    };
    Ok(Given {
        key: format!("{TOPIC}{name}"),
        key_span: entry.key_span.clone(),
        span: entry.value.span(),
        setting: Setting::OfTopic(value),
    })
}

fn unknown(entry: &Entry<'_>) -> Problem {
    if let Some((name, end)) = dotted_name(entry) {
        return without_quotes(entry, &name, end).help(format!("write \"{name}\" = ..."));
    }
    let message = format!("topics of Kafka have no setting `{}`", entry.key);
    let help = did_you_mean(entry.key, names());
    Problem::new(
        entry.key_span.clone(),
        message,
        "no such setting of topics in Apache Kafka 4.3",
    )
    .maybe_help(help)
}

/// Nobody could write to a topic that wants more replicas in sync than it has.
pub(super) fn in_sync(settings: &Settings<'_>) -> Option<Problem> {
    let given = settings.given(&format!("{TOPIC}{IN_SYNC}"))?;
    let wanted: u32 = settings.of_topic.get(IN_SYNC)?.parse().ok()?;
    (wanted > settings.replication).then(|| {
        let message = format!(
            "`{IN_SYNC}` is {wanted}, but topics have {}",
            replicas(settings.replication)
        );
        let problem = Problem::new(given.span.clone(), message, "must be at most `replication`");
        problem.help("else no broker would take a record")
    })
}

fn replicas(count: u32) -> String {
    if count == 1 {
        "1 replica".to_owned()
    } else {
        format!("{count} replicas")
    }
}

/// The schema of the table.
pub(super) fn schema() -> Schema {
    let properties: Map<String, Value> = SETTINGS
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.schema().to_value()))
        .collect();
    json_schema!({
        "type": "object", "description": "Settings of the topics that are made.",
        "properties": properties, "additionalProperties": false
    })
}
