//! `[dataset.topic]`: settings of the topics that tandem makes, by the names that Kafka has for them.

use serde_json::{Map, Value, json};

use super::client::Values::{self, Boolean, Integer, OneOf, Text};

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

/// Names of settings of topics.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|(name, _)| *name)
}

/// The values that a setting takes; `None` for one that does not exist.
pub(super) fn values(name: &str) -> Option<Values> {
    let entry = SETTINGS.iter().find(|(known, _)| *known == name);
    entry.map(|(_, values)| *values)
}

/// The schema of the table.
pub(super) fn schema() -> Value {
    let properties: Map<String, Value> = SETTINGS
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.schema()))
        .collect();
    json!({
        "type": "object", "description": "Settings of the topics that are made.",
        "properties": properties, "additionalProperties": false
    })
}
