//! Where a worker writes the records that it reads, and how.

use serde::{Deserialize, Serialize};

use super::Secret;
use crate::scenario::{Configuration, StoreErrors, StoreSpec, StoreWrite};

/// The store of a group's workers, with [`crate::scenario::Work::Store`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreOrder {
    /// Address of the database in libpq's form of a URI, with user, password and database.
    pub url: Secret,
    /// The group's table, quoted as an identifier of SQL.
    pub table: String,
    /// How rows are written.
    pub write: StoreWrite,
    /// Most rows of one transaction, at least 1.
    pub rows: u32,
    /// What to do when the store fails.
    pub on_error: StoreErrors,
}

impl StoreOrder {
    /// The order for a group of this configuration, whose table this is.
    pub fn new(store: &StoreSpec, configuration: &Configuration, url: Secret, table: String) -> Self {
        StoreOrder {
            url,
            table,
            write: store.write,
            rows: configuration.store_batch,
            on_error: store.on_error,
        }
    }
}
