//! Where worker processes can be started.

use serde::{Deserialize, Serialize};

use crate::scenario::secrets::{HIDDEN, secrets_of_command, serialize_command};

/// The name of the place that always exists: this machine.
pub(crate) const HERE: &str = "here";

/// A place where worker processes can be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// As `place = "..."` names it; `here` is this machine.
    pub name: String,
    /// Command that starts a worker speaking the protocol on its standard streams; `{tandem}` stands for this
    /// program. Empty for this program itself. The role (`consumer`) is added as the last argument. Secrets in it are not
    /// stored ([`Place::lacks_secrets`]).
    #[serde(serialize_with = "serialize_command")]
    pub launcher: Vec<String>,
    /// Processors to run on, as `taskset -c` takes them.
    pub cpus: Option<String>,
    /// Name of the brokers' listener whose address the workers use.
    pub listener: Option<String>,
}

impl Place {
    /// The secrets in the launcher: values of variables and options with such names.
    pub fn secrets(&self) -> Vec<String> {
        secrets_of_command(&self.launcher)
    }

    /// True where the launcher was read from a file that keeps no secrets, so that it cannot be started.
    pub fn lacks_secrets(&self) -> bool {
        self.launcher.iter().any(|word| word.contains(HIDDEN))
    }
}
