//! What runs in workers and which Kafka client it has: the ready-made clients; names, aliases and values of properties,
//! their defaults, and what one client has instead of a property of another. Knows nothing of scenarios and makes no client.

mod counterpart;
mod dialect;
mod go;
mod java;
mod kind;
mod library;
mod librdkafka;
mod property;
mod ready_made;

pub use counterpart::Counterpart;
pub use dialect::Foreign;
pub use kind::ClientKind;
pub(crate) use library::features;
pub(crate) use librdkafka::REFUSED_BY_CONSUMER_PROTOCOL;
pub(crate) use property::{Property, Use, Values, rows};
pub use ready_made::{BuildStep, ReadyMade, Recipe, Tool, is_version};

/// The name of tandem's own worker among the apps.
pub const OWN_APP: &str = "tandem";
