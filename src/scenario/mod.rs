//! Scenarios: from the TOML that a user wrote to values that cannot be invalid, or to errors that point into the
//! file. Knows nothing of clusters, processes or trials.

mod axes;
mod capacity;
mod checks;
mod client;
mod client_properties;
mod client_values;
mod cluster;
mod dataset_kinds;
mod document;
mod draft;
mod error;
mod existing;
mod existing_checks;
mod expand;
mod families;
mod foreign_names;
mod kafka_version;
mod keys;
mod kinds;
mod live;
mod load_kinds;
mod load_warnings;
mod loads;
mod masking;
mod meaning;
mod mechanisms;
mod model;
mod polls;
mod repetitions;
mod schema;
mod secrets;
mod select;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod threads;
mod topic_settings;
mod values;
mod variants;

pub(crate) use client::canonical as canonical_property;
pub use cluster::Instead;
pub use error::{LoadError, ScenarioError, ScenarioErrors};
pub use existing::{
    DataSource, ExistingTopics, FoundError, FoundPartition, FoundTopic, FoundTopics, Isolation, PATTERN_START,
    nearest_topics,
};
pub use kafka_version::{DEFAULT_KAFKA_VERSION, Feature, KafkaVersion, MetadataError, UnknownVersion};
pub use keys::{KEYS, Key, Table};
pub use live::*;
pub use masking::storable;
pub use meaning::{Meaning, Part};
pub use model::*;
pub use repetitions::{Repetitions, Until};
pub use schema::json_schema;
pub use select::UnknownName;
pub use source::{SHIPPED, Source, load, parse, shipped};
pub use variants::{BINARY_AXIS, Build, CLUSTER_AXIS, ClusterNeeds, VERSION_AXIS, Variant, VariantError, Variants};
