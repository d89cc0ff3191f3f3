//! What a bottleneck is, in the form in which summaries are stored.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// What keeps a configuration from being faster, in the order in which the documents explain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum BottleneckKind {
    /// A CPU quota that is used up, or memory that is too small to keep the data in the page cache.
    Limit,
    /// The producers of the load.
    Producers,
    /// Members without a partition.
    IdleMembers,
    /// One member, or one thread of a member, has more to do than the others.
    Skew,
    /// What members do with each record, or the commits that they wait for.
    ConsumerWork,
    /// The store that members write to, or the way to it.
    Store,
    /// A quota of the cluster.
    Quota,
    /// The cores of the machine, or those that the consumers may use.
    AllCores,
    /// One thread of a consumer, the one that reads or one of its client library: it has a full core, or readers wait and
    /// its unpacking is the longest part of the fetching.
    ReaderThread,
    /// The brokers, or the way to them.
    Brokers,
    /// When, or how much, the client library fetches.
    FetchSettings,
    /// None of these, or too little is known.
    Unknown,
}

impl BottleneckKind {
    /// Every kind.
    pub const ALL: &[BottleneckKind] = BottleneckKind::VARIANTS;

    /// As it stands in `summary.csv`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What limits a configuration, how that is known, and what would change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// Which.
    pub kind: BottleneckKind,
    /// The figures that led to it, medians over the used trials; for an unknown one what was seen, or why nothing was.
    pub evidence: String,
    /// What would change it, and what would not.
    pub remedy: String,
}

impl Bottleneck {
    pub(super) fn new(kind: BottleneckKind, evidence: String, remedy: impl Into<String>) -> Self {
        let remedy = remedy.into();
        Bottleneck { kind, evidence, remedy }
    }

    /// One that cannot be named, and why.
    pub(super) fn unknown(reason: impl Into<String>, remedy: &str) -> Self {
        Bottleneck::new(BottleneckKind::Unknown, reason.into(), remedy)
    }
}

/// Of a summary that was stored before bottlenecks were named.
impl Default for Bottleneck {
    fn default() -> Self {
        Bottleneck::unknown("not looked for by the version that made this summary", "")
    }
}
