//! The keys of a scenario file: `list.rs` declares each of them once.

mod configured;
mod events;
mod key;
mod kubernetes;
mod list;
mod table;
mod unknown;

pub(crate) use configured::Configured;
pub(crate) use events::{EVENT, EventKeys, PlacedEvent, events_text};
pub use key::Key;
pub(crate) use key::{Default, Given, Parsed, Role, Setting, TableKeys};
pub(crate) use kubernetes::{KUBERNETES, KubernetesKeys};
pub use list::keys;
pub(crate) use list::{
    AppKeys, BYTES_PER_MIB, CapacityKeys, CaseKeys, ClusterKeys, PARTITIONS_MAX, PlaceKeys, RECORDS_MAX, RequireKeys,
    Settings, StoreKeys, TopKeys, TrialKeys,
};
pub use table::Table;
pub(crate) use table::{CLIENT, FILL, FILL_TABLE, PRODUCER, TOPIC};
pub(crate) use unknown::unknown_key;
