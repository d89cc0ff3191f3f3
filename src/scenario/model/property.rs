//! Client settings.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Client settings of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientSettings {
    /// True for `client = "defaults"`: tandem's own defaults are left out.
    pub library_defaults_only: bool,
    /// Properties that the user set.
    pub properties: BTreeMap<String, PropertyValue>,
}

/// The value of a client property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PropertyValue {
    /// Written in the file.
    Literal(String),
    /// Held by this environment variable; only its name is ever stored.
    Environment {
        /// Name of the variable.
        env: String,
    },
    /// Held by this file; only its path is ever stored.
    File {
        /// Path of the file; a relative one is looked for where tandem runs.
        file: String,
    },
}

/// As it stands in names; of a secret only where it comes from.
impl fmt::Display for PropertyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PropertyValue::Literal(text) => f.write_str(text),
            PropertyValue::Environment { env } => write!(f, "${env}"),
            PropertyValue::File { file } => write!(f, "@{file}"),
        }
    }
}
