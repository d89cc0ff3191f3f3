//! What a bottleneck is, in the form in which summaries are stored.

use serde::{Deserialize, Serialize};

/// What keeps a configuration from being faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BottleneckKind {
    /// What members do with each record, or the commits that they wait for.
    ConsumerWork,
    /// One thread of a consumer, the one that reads or one of its client library: it has a full core, or readers wait and
    /// its unpacking is the longest part of the fetching.
    ReaderThread,
    /// The cores of the machine, or those that the consumers may use.
    AllCores,
    /// The brokers, or the way to them.
    Brokers,
    /// A quota of the cluster.
    Quota,
    /// The producers of the load.
    Producers,
    /// When, or how much, the client library fetches.
    FetchSettings,
    /// One member, or one thread of a member, has more to do than the others.
    Skew,
    /// Members without a partition.
    IdleMembers,
    /// A CPU quota that is used up, or memory that has no room for the data in the page cache.
    Limit,
    /// None of these, or too little is known.
    Unknown,
}

impl BottleneckKind {
    /// Every kind, in the order in which the documents explain them.
    pub const ALL: [BottleneckKind; 11] = [
        BottleneckKind::Limit,
        BottleneckKind::Producers,
        BottleneckKind::IdleMembers,
        BottleneckKind::Skew,
        BottleneckKind::ConsumerWork,
        BottleneckKind::Quota,
        BottleneckKind::AllCores,
        BottleneckKind::ReaderThread,
        BottleneckKind::Brokers,
        BottleneckKind::FetchSettings,
        BottleneckKind::Unknown,
    ];

    /// As it stands in `summary.csv`.
    pub fn as_str(self) -> &'static str {
        match self {
            BottleneckKind::ConsumerWork => "consumer-work",
            BottleneckKind::ReaderThread => "reader-thread",
            BottleneckKind::AllCores => "all-cores",
            BottleneckKind::Brokers => "brokers",
            BottleneckKind::Quota => "quota",
            BottleneckKind::Producers => "producers",
            BottleneckKind::FetchSettings => "fetch-settings",
            BottleneckKind::Skew => "skew",
            BottleneckKind::IdleMembers => "idle-members",
            BottleneckKind::Limit => "limit",
            BottleneckKind::Unknown => "unknown",
        }
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
