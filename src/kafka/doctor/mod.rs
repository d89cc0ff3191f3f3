//! Why a cluster cannot be reached or used from here, step by step: names, TCP, TLS, the protocol, authentication, each
//! broker's advertised address, topics, groups, clocks; and what this machine offers. Blocks; every step has a limit.

mod advertised;
mod credentials;
mod existing;
mod groups;
mod here;
mod listener;
mod login;
mod network;
mod probe;
mod rights;
mod tls;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::client::{PropertyError, cluster_properties};
use crate::scenario::{ClusterSpec, PropertyValue};
use crate::secret::Secret;

pub use here::machine;
pub use login::client_note;
pub use probe::is_permission;
pub use rights::Asker;

/// Limit of one question to the network.
const LIMIT: Duration = Duration::from_secs(3);

/// Column at which details begin.
const DETAIL_COLUMN: usize = 34;

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

impl Outcome {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Skipped => "skipped",
            Outcome::Warning => "warning",
            Outcome::Failed => "FAILED",
        }
    }
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

impl fmt::Display for Check {
    /// `FAILED   TCP kafka:9092      connection refused`, and what would mend it below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7}  {}", self.outcome.word(), self.findings())
    }
}

impl Check {
    /// What was looked at and found, and what would mend it on a line below.
    pub fn findings(&self) -> String {
        let line = format!("{:DETAIL_COLUMN$} {}", self.name, self.detail);
        match &self.mend {
            Some(mend) => format!("{line}\n         mend: {mend}"),
            None => line,
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
    /// The user's name where it stands in the scenario; one from the environment or a file is not told.
    pub user: Option<String>,
    /// Topics that are there, to be read; one is made to try it where there are none.
    pub topics: Vec<String>,
    /// Whether a topic may be made and deleted to try it.
    pub may_write: bool,
    /// Whether the consumer group protocol (KIP-848) is to be used.
    pub needs_consumer_protocol: bool,
    /// Set once nobody waits for the findings any more: what was made is removed, and nothing further tried.
    pub stop: Arc<AtomicBool>,
}

impl Patient {
    /// A cluster with the client properties of a scenario.
    pub fn new(spec: &ClusterSpec, bootstrap: &str) -> Result<Self, PropertyError> {
        let user = match spec.client.get("sasl.username") {
            Some(PropertyValue::Literal(user)) => Some(user.clone()),
            _ => None,
        };
        Ok(Patient {
            bootstrap: bootstrap.to_owned(),
            properties: cluster_properties(spec)?,
            prefix: spec.prefix.clone(),
            group: None,
            user,
            topics: Vec::new(),
            may_write: false,
            needs_consumer_protocol: false,
            stop: Arc::default(),
        })
    }

    /// The same client at another address.
    fn at(&self, address: &network::Address) -> Self {
        Patient {
            bootstrap: address.to_string(),
            ..self.clone()
        }
    }

    /// The bootstrap addresses, one by one.
    fn addresses(&self) -> impl Iterator<Item = &str> {
        self.bootstrap.split(',').filter(|text| !text.trim().is_empty())
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// The mechanism of authentication; the client library's own default where none is set.
    fn mechanism(&self) -> &str {
        let set = self.property("sasl.mechanism").or(self.property("sasl.mechanisms"));
        set.unwrap_or("GSSAPI")
    }

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
    let Some(versions) = reach(patient, usize::MAX, tell) else {
        return;
    };
    if patient.is_stopped() {
        return;
    }
    if patient.topics.is_empty() {
        probe::records(patient, &versions, tell);
    } else {
        existing::read(patient, &versions, tell);
    }
}

/// The part that every run needs, which leaves nothing on the cluster: from the names to the advertised listeners. Gives
/// back the checks that are worth a word though nothing failed; `Err` those that failed.
pub fn reachable(patient: &Patient) -> Result<Vec<Check>, Vec<Check>> {
    let mut checks = Vec::new();
    // A broker that is down, or leads nothing that is read, need not keep a run from its work: it is told.
    let reached = reach(patient, 1, &mut |check| checks.push(check)).is_some();
    if reached {
        for check in checks.iter_mut().filter(|check| check.outcome == Outcome::Failed) {
            check.outcome = Outcome::Warning;
        }
    }
    let worth = if reached { Outcome::Warning } else { Outcome::Failed };
    checks.retain(|check| check.outcome == worth);
    if reached { Ok(checks) } else { Err(checks) }
}

/// From names to the advertised listeners: what requests the brokers know; `None` where something failed.
/// `fewest` is how many brokers have to be reached where there are so many.
fn reach(patient: &Patient, fewest: usize, tell: &mut dyn FnMut(Check)) -> Option<wire::Versions> {
    let versions = network::reach_bootstrap(patient, tell)?;
    let cluster = login::connect(patient, tell)?;
    let advertised = advertised::reach(patient, &cluster, tell);
    (advertised.reached >= advertised.all.min(fewest)).then_some(versions)
}
