//! Reads tables that have keys and nothing else.

use toml::de::DeTable;

use crate::scenario::document::entries;
use crate::scenario::keys::{Table, TableKeys, unknown_key};
use crate::scenario::problem::Problems;

/// The keys of a table that has no others.
pub(super) fn read_keys<T: TableKeys>(table: &DeTable<'_>, stands_in: Table, problems: &mut Problems) -> T {
    let mut keys = T::default();
    for entry in entries(table) {
        if !keys.read_entry(stands_in, &entry, problems) {
            problems.add(unknown_key(&entry, stands_in));
        }
    }
    keys
}
