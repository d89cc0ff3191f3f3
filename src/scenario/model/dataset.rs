//! What configurations read: topics that are filled, or that exist.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::existing::{DataSource, ExistingTopics};
use crate::scenario::choice::Choice;

/// What a set of topics is filled with, or which topics that exist it is; equal specifications share the topics.
///
/// Of existing topics the numbers are those that were found when the run began, and before that nothing but
/// placeholders ([`DatasetSpec::is_seen`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetSpec {
    /// Where the records come from.
    #[serde(default)]
    pub source: DataSource,
    /// The name of its one topic, where the user chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Number of topics.
    pub topics: u32,
    /// Partitions of each topic; the most that one has where topics exist.
    pub partitions: u32,
    /// Records over all topics and partitions; 0 for topics that live trials make and fill.
    pub records: u64,
    /// Bytes of a record's value; the mean of keys and values together where topics exist.
    pub size: Size,
    /// Keys of the records.
    pub keys: Keys,
    /// Share of each partition of a topic, summing to 1; empty for equal shares.
    pub weights: Vec<f64>,
    /// The producer's `compression.type`.
    pub compression: Compression,
    /// How many times shorter a general compressor makes the values, 1 for not at all; `None` for text.
    #[serde(default)]
    pub compression_ratio: Option<f64>,
    /// Replication factor.
    pub replication: u32,
    /// Settings of the topics, by Kafka's names for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Properties of the producers that fill the topics, by the library's own names. They decide how large batches are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub client: BTreeMap<String, String>,
}

impl DatasetSpec {
    /// Partitions of all topics together.
    pub fn partitions_of_all(&self) -> u32 {
        match self.existing().and_then(|existing| existing.found.as_ref()) {
            Some(found) => u32::try_from(found.partitions().count()).unwrap_or(u32::MAX),
            None => self.topics * self.partitions,
        }
    }

    /// The names of its topics; `made` names those that the user does not, by number from 1.
    pub fn topic_names(&self, made: impl Fn(u32) -> String) -> Vec<String> {
        match &self.name {
            Some(name) => vec![name.clone()],
            None => (1..=self.topics).map(made).collect(),
        }
    }

    /// The topics, where they exist and are not filled.
    pub fn existing(&self) -> Option<&ExistingTopics> {
        match &self.source {
            DataSource::Filled => None,
            DataSource::Existing(existing) => Some(existing),
        }
    }

    /// False for existing topics that no run has looked at yet.
    pub fn is_seen(&self) -> bool {
        self.existing().is_none_or(|existing| existing.found.is_some())
    }

    /// The properties of the producers that fill it, as they stand in names of families.
    pub(in crate::scenario) fn client_text(&self) -> String {
        if self.client.is_empty() {
            return "default".to_owned();
        }
        let properties = self.client.iter().map(|(name, value)| format!("{name} {value}"));
        properties.collect::<Vec<_>>().join(", ")
    }

    /// Bytes of all values, before compression and replication.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean size times a count is not negative"
    )]
    pub fn value_bytes(&self) -> u64 {
        (self.size.mean_bytes() * self.records as f64) as u64
    }
}

/// Size of a record's value in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Always the same.
    Fixed(u32),
    /// Any size from `min` to `max` inclusive, equally likely.
    Uniform {
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
    },
    /// exp(N(ln median, sigma^2)), cut at `max`.
    LogNormal {
        /// Median.
        median: u32,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// Larger values become this.
        max: u32,
    },
}

impl Size {
    /// Expected bytes of a value (the cut of a log-normal is not taken into account).
    pub fn mean_bytes(&self) -> f64 {
        match *self {
            Size::Fixed(bytes) => f64::from(bytes),
            Size::Uniform { min, max } => f64::midpoint(f64::from(min), f64::from(max)),
            Size::LogNormal { median, sigma, .. } => f64::from(median) * (sigma * sigma / 2.0).exp(),
        }
    }
}

/// Keys of the records. Records without keys are dealt out so that partition counts are exact.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// No key.
    None,
    /// Every record has its own.
    Unique,
    /// `count` keys of which the k-th is drawn with weight 1 / k^exponent.
    Zipf {
        /// Skew; 0 is uniform.
        exponent: f64,
        /// Number of distinct keys.
        count: u64,
    },
}

/// The producer's compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Choice for Compression {
    const ALL: &'static [(&'static str, Self)] = &[
        ("none", Compression::None),
        ("gzip", Compression::Gzip),
        ("snappy", Compression::Snappy),
        ("lz4", Compression::Lz4),
        ("zstd", Compression::Zstd),
    ];
}

impl Compression {
    /// The value of `compression.type`.
    pub fn as_str(self) -> &'static str {
        self.name()
    }
}
