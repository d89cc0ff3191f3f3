//! Why a cluster cannot be reached or used from here, step by step: names, TCP, TLS, the protocol, authentication, each
//! broker's advertised address, topics, groups, clocks; and what this machine offers. Blocks; every step has a limit.

mod groups;
mod here;
mod network;
mod probe;
mod tls;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::secret::Secret;

pub use here::machine;

/// Limit of one question to the network.
const LIMIT: Duration = Duration::from_secs(3);

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Not looked at, because something before it failed or is not wanted.
    Skipped,
    /// Works, but a reader of the figures should know.
    Warning,
    /// Does not work.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, such as `name kafka.example`.
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found, in a sentence; never a secret.
    pub detail: String,
    /// What would mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Check {
    fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Check::new(name, Outcome::Ok, detail)
    }

    fn warning(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Check::new(name, Outcome::Warning, detail)
    }

    fn failed(name: impl Into<String>, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Check {
            mend: Some(mend.into()),
            ..Check::new(name, Outcome::Failed, detail)
        }
    }

    fn new(name: impl Into<String>, outcome: Outcome, detail: impl Into<String>) -> Self {
        Check {
            name: name.into(),
            outcome,
            detail: detail.into(),
            mend: None,
        }
    }
}

/// The cluster to look at.
#[derive(Debug, Clone)]
pub struct Patient {
    /// Addresses, `host:port,...`.
    pub bootstrap: String,
    /// Client properties, secrets resolved.
    pub properties: BTreeMap<String, Secret>,
    /// Start of the names of the probe's topic and groups.
    pub prefix: String,
    /// The one group to join; `None` for groups of the probe's own.
    pub group: Option<String>,
    /// Whether a topic may be made and deleted to try it.
    pub may_write: bool,
}

impl Patient {
    /// The value of a client property, `None` where it is not set.
    fn property(&self, name: &str) -> Option<&str> {
        self.properties.get(name).map(Secret::reveal)
    }

    /// `security.protocol` in capitals.
    fn security(&self) -> String {
        let protocol = self.property("security.protocol").unwrap_or("plaintext");
        protocol.to_ascii_uppercase()
    }

    fn uses_tls(&self) -> bool {
        matches!(self.security().as_str(), "SSL" | "SASL_SSL")
    }

    fn uses_sasl(&self) -> bool {
        self.security().starts_with("SASL")
    }
}

/// Looks at a cluster, tells each check as it is made, and stops at the first step without which the next cannot work.
pub fn examine(patient: &Patient, tell: &mut dyn FnMut(Check)) {
    if !network::reach_bootstrap(patient, tell) {
        return;
    }
    let Some(client) = probe::connect(patient, tell) else {
        return;
    };
    if network::reach_advertised(patient, &client, tell) {
        probe::records(patient, &client, tell);
    }
}
