//! From a parsed TOML document to a draft.

mod apps;
mod cluster;
mod file;
mod keys_only;
mod places;
mod properties;
mod settings;

pub use cluster::Instead;
pub(crate) use cluster::LOCAL_KEYS;
pub(crate) use file::{objectives, read};
