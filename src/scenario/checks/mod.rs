//! Combinations of settings that cannot be, and those that can be but do not measure what they seem to.

mod all;
mod apps;
mod capacity;
mod combined;
mod events;
mod existing;
mod hosts;
mod load_warnings;
mod loads;
mod metric;
mod polls;
mod repetitions;
mod sessions;
mod settings;
mod store;
mod threads;

pub(crate) use all::{check, warnings};
pub(crate) use apps::{app_named, can};
pub(crate) use combined::{one_name, too_many};
pub(crate) use metric::{metric, no_width, requirements, share};
pub(crate) use repetitions::{check as check_repetitions, obstacle};
