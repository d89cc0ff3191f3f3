//! From a parsed TOML document to a draft.

mod apps;
mod broker;
mod cluster;
mod events;
mod file;
mod keys;
mod places;
mod properties;
mod settings;

pub use cluster::Instead;
pub(crate) use cluster::{BROKER, LOCAL_KEYS};
pub(crate) use file::{objectives, read};
