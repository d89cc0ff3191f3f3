//! One trial as it is stored: its order, how it ended, and what it recorded.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::measurement::Measurement;

/// Version of the stored form of [`Trial`].
pub const TRIAL_SCHEMA_VERSION: u32 = 1;

/// What a trial is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialKind {
    /// Finds the record count of a family.
    Pilot,
    /// A step of the search for a configuration's capacity.
    Search,
    /// Belongs to a block that is not counted.
    Warmup,
    /// Counts.
    Counted,
}

impl TrialKind {
    /// `pilot`, `search`, `warmup` or `counted`.
    pub fn as_str(self) -> &'static str {
        match self {
            TrialKind::Pilot => "pilot",
            TrialKind::Search => "search",
            TrialKind::Warmup => "warmup",
            TrialKind::Counted => "counted",
        }
    }
}

/// One configuration to be run once: what the plan asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialOrder {
    /// Position in the run, from 1; names the file.
    pub number: u32,
    /// What it is for.
    pub kind: TrialKind,
    /// The block, from 0 in each kind. A pilot's block counts its attempts.
    pub block: u32,
    /// Place within the block, from 0.
    pub position: u32,
    /// Index into the scenario's configurations.
    pub configuration: usize,
    /// Records that each group reads, over all topics and partitions: those of the data set and those that are to
    /// arrive.
    pub records: u64,
    /// The load of a live or mixed trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<OrderedLoad>,
}

/// At what rate a trial's records are to arrive, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OrderedLoad {
    /// Records per second of all producers together, before the profile.
    pub rate: f64,
    /// Length of the window after the warm-up.
    pub duration_ns: u64,
}

/// A trial that has ended, one way or another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// [`TRIAL_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What was asked for.
    pub order: TrialOrder,
    /// Name of the configuration, so that the file can be read alone.
    pub configuration_name: String,
    /// The session of the run: 1, and one more for every `--resume`.
    pub session: u32,
    /// When it began, UTC.
    pub started_at: jiff::Timestamp,
    /// How it ended.
    pub status: Status,
    /// What was noteworthy; empty for an ordinary trial.
    pub flags: Vec<Flag>,
    /// What was recorded; absent where the trial failed before there was anything.
    pub measurement: Option<Measurement>,
}

impl Trial {
    /// True where the trial's figures may enter estimates: counted, complete, nothing lost or doubled, not excluded.
    pub fn is_used(&self) -> bool {
        self.order.kind == TrialKind::Counted && self.status == Status::Complete
    }

    /// True if the trial has this flag.
    pub fn is_flagged(&self, kind: FlagKind) -> bool {
        self.flags.iter().any(|flag| flag.kind == kind)
    }

    /// Brokers that went away or came during the trial, in a sentence.
    pub fn broker_changes(&self) -> Option<&str> {
        let flag = self.flags.iter().find(|flag| flag.kind == FlagKind::BrokersChanged);
        match &self.status {
            Status::Failed(failure) if failure.kind == FailureKind::BrokerLost => Some(&failure.message),
            _ => flag.map(|flag| flag.evidence.as_str()),
        }
    }
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case", tag = "status")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Everything was read exactly once and the rules of the method held.
    Complete,
    /// Everything was read, but a rule of the method was broken, so the figures take no part in estimates.
    Excluded {
        /// The rule, in a sentence.
        reason: String,
    },
    /// It did not end as it should, or records were lost or counted twice.
    Failed(Failure),
}

impl Status {
    /// `complete`, `excluded` or `failed`.
    pub fn as_str(&self) -> &'static str {
        self.into()
    }
}

/// Why a trial failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which way of failing.
    pub kind: FailureKind,
    /// The member or process that caused it, as `group 1, process 2, consumer 1`; `None` if no single one did.
    pub who: Option<String>,
    /// What happened, in a sentence.
    pub message: String,
}

/// Every way a trial can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// A worker could not be started or did not introduce itself.
    WorkerStart,
    /// A worker ended before the coordinator asked it to.
    WorkerDied,
    /// A worker broke the protocol.
    WorkerProtocol,
    /// A worker reported that it could not continue.
    WorkerFailed,
    /// A worker could not reach the cluster.
    Connect,
    /// Members did not all get their assignment in time.
    Assignment,
    /// No record was read for the stall limit.
    Stall,
    /// The trial exceeded its time limit.
    Timeout,
    /// Records are missing.
    Lost,
    /// Records were counted more than once.
    Duplicated,
    /// Two members of a group held one partition at once.
    Overlap,
    /// The cluster did not answer.
    Cluster,
    /// Topics that the run reads were deleted or changed since it began.
    TopicsChanged,
    /// A broker went away.
    BrokerLost,
    /// A planned act could not be carried out, or the trial ended before it.
    NotAsPlanned,
    /// The store of the trial did not answer, or refused what the run needs.
    Store,
    /// Records that were reported as stored, or committed to Kafka, have no row.
    RowsLost,
    /// Records have more rows than what was written explains.
    RowsTwice,
    /// The values in the rows of a partition have other lengths in all than those that were read.
    RowsAltered,
    /// The store has rows of records that no member reported as stored.
    RowsOutside,
}

impl FailureKind {
    /// Words for people, such as `a worker died`.
    pub fn describe(self) -> &'static str {
        match self {
            FailureKind::WorkerStart => "a worker did not start",
            FailureKind::WorkerDied => "a worker died",
            FailureKind::WorkerProtocol => "a worker broke the protocol",
            FailureKind::WorkerFailed => "a worker could not go on",
            FailureKind::Connect => "a worker could not reach the cluster",
            FailureKind::Assignment => "members did not get their partitions",
            FailureKind::Stall => "reading stalled",
            FailureKind::Timeout => "the trial took too long",
            FailureKind::Lost => "records were lost",
            FailureKind::Duplicated => "records were counted twice",
            FailureKind::Overlap => "two members held one partition",
            FailureKind::Cluster => "the cluster did not answer",
            FailureKind::TopicsChanged => "the topics changed",
            FailureKind::BrokerLost => "a broker went away",
            FailureKind::NotAsPlanned => "a planned act was not carried out",
            FailureKind::Store => "the store did not do its part",
            FailureKind::RowsLost => "stored records have no row",
            FailureKind::RowsTwice => "records were stored twice",
            FailureKind::RowsAltered => "stored values are not those that were read",
            FailureKind::RowsOutside => "the store has rows of no record",
        }
    }
}

/// Something a reader of the figures should know about one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Which.
    #[serde(rename = "name")]
    pub kind: FlagKind,
    /// The evidence, in a sentence.
    pub evidence: String,
}

/// What a trial can be flagged for, in the order in which flags are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum FlagKind {
    /// A broker went away or came meanwhile.
    BrokersChanged,
    /// The trial stood still for a while.
    Standstill,
    /// Other programs used the machine.
    Disturbed,
    /// Partitions changed their owner.
    Rebalance,
    /// A member waited long for its first record.
    LateStart,
    /// Records were read again by another owner.
    Redelivered,
    /// Transactions with the store were tried again.
    StoreRetried,
    /// The cluster throttled a client.
    Throttled,
    /// A limit of a container was reached.
    Limited,
    /// The cluster removed records that were to be read.
    Removed,
    /// The worker could not observe something.
    NotObserved,
    /// The producers did not keep to the schedule.
    LoadNotReached,
    /// The readers fell behind.
    Overloaded,
    /// The window is too short for a verdict on the load.
    CannotSay,
    /// Records of a load were left unread.
    Unread,
    /// Records of a load were not delivered.
    DeliveryErrors,
}

impl FlagKind {
    /// All of them.
    pub const ALL: &[FlagKind] = FlagKind::VARIANTS;

    /// Its name in files and columns, as it is stored.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Evidence in one text; `None` without any.
pub(super) fn join(evidence: &[String]) -> Option<String> {
    (!evidence.is_empty()).then(|| evidence.join("; "))
}
