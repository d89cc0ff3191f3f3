//! Where worker processes can be started.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::app::App;
use crate::scenario::secrets::{HIDDEN, secrets_of_command, serialize_command};

/// The name of the place that always exists: this machine.
pub(crate) const HERE: &str = "here";

/// A place where worker processes can be started: how they are started there, and under which limits. What runs there is
/// an [`App`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// As `place = "..."` names it; `here` is this machine.
    pub name: String,
    /// Command that starts a worker speaking the protocol on its standard streams; `{tandem}` stands for this
    /// program. Empty for this program itself. The role (`consumer`) is added as the last argument. Secrets in it are not
    /// stored ([`Place::lacks_secrets`]).
    #[serde(serialize_with = "serialize_command")]
    pub launcher: Vec<String>,
    /// The host, as OpenSSH names it; `None` for this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<String>,
    /// Path of this program there; `None` for a copy of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tandem: Option<String>,
    /// Processors to run on ([`processors`]).
    pub cpus: Option<String>,
    /// What each worker process may use at most.
    #[serde(flatten)]
    pub limits: PlaceLimits,
    /// Name of the brokers' listener whose address the workers use.
    pub listener: Option<String>,
}

/// Limits of each worker process of a place, as a container has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlaceLimits {
    /// CPU quota in thousandths of a core; `None` for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_millicores: Option<u32>,
    /// Memory in bytes; `None` for all that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

impl PlaceLimits {
    /// True where there is none.
    pub fn is_empty(self) -> bool {
        self == PlaceLimits::default()
    }
}

/// The processors in a list such as `0`, `0,2` or `0-3`; `None` for any other text.
pub fn processors(list: &str) -> Option<BTreeSet<u32>> {
    let number = |part: &str| {
        let plain = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse().ok()).flatten()
    };
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (number(first)?, number(last)?);
        (first <= last).then_some(first..=last)
    };
    let ranges: Option<Vec<_>> = list.split(',').map(range).collect();
    Some(ranges?.into_iter().flatten().collect())
}

impl Place {
    /// What runs here: tandem's own worker, or the program that the launcher names.
    pub fn app(&self) -> App<'_> {
        App::of_launcher(&self.name, &self.launcher)
    }

    /// The processors to run on; `None` for all.
    pub fn processors(&self) -> Option<BTreeSet<u32>> {
        processors(self.cpus.as_deref()?)
    }

    /// The secrets in the launcher: values of variables and options with such names.
    pub fn secrets(&self) -> Vec<String> {
        secrets_of_command(&self.launcher)
    }

    /// True where the launcher was read from a file that keeps no secrets, so that it cannot be started.
    pub fn lacks_secrets(&self) -> bool {
        self.launcher.iter().any(|word| word.contains(HIDDEN))
    }
}
