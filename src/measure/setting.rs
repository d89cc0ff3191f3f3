//! A setting of a broker, a client or a store that differs from its default.

use serde::{Deserialize, Serialize};

/// A setting that differs from the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The property.
    pub name: String,
    /// Its value; `(hidden)` for a secret.
    pub value: String,
    /// Why it differs.
    pub reason: String,
}
