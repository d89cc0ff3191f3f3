//! Scenarios: from the TOML that a user wrote to values that cannot be invalid, or to errors that point into the
//! file. Knows nothing of clusters, processes or trials.

mod across;
mod apps;
mod checks;
mod choice;
mod client;
mod comparing;
mod document;
mod draft;
mod error;
mod existing;
mod expand;
mod families;
mod flags;
mod kafka_version;
mod keys;
mod kinds;
mod masking;
mod meaning;
mod model;
mod problem;
mod quick;
mod reading;
mod schema;
mod secrets;
mod select;
mod settings;
mod source;
mod suggest;
#[cfg(test)]
mod tests;
mod topic_settings;
mod variants;

pub(crate) use checks::can;
pub(crate) use client::canonical as canonical_property;
#[cfg(test)]
pub(crate) use client::{built_in_mechanisms, read_property};
pub use error::{LoadError, ScenarioError, ScenarioErrors};
pub use existing::{FoundError, nearest_topics};
pub use flags::{FlagError, GivenFlag, SettingFlag, WrittenScenario, setting_flags};
pub use kafka_version::{DEFAULT_KAFKA_VERSION, Feature, KafkaVersion, MetadataError, UnknownVersion};
pub use keys::{Key, Table, keys};
pub use masking::storable;
pub use meaning::{Meaning, Part};
pub use model::*;
pub use reading::Instead;
pub use schema::json_schema;
pub use select::UnknownName;
pub use source::{SHIPPED, Source, load, parse, shipped};
pub use variants::{BINARY_AXIS, CLUSTER_AXIS, ClusterNeeds, VERSION_AXIS, VariantError};
