//! The messages between coordinator and worker: one JSON object per line, coordinator to worker on standard input,
//! worker to coordinator on standard output. Types only.
//!
//! Every time is `CLOCK_MONOTONIC` nanoseconds of the worker's host. A worker says in [`Hello`] what it can do
//! and is asked for nothing else; every field that a simple worker may not know is optional. Topics are named by
//! their index in [`Prepare::topics`].

mod capability;
mod observed;
mod producer;
mod result;
mod store;
mod times;
mod topics;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::measure::{OffsetSpan, SecondOfLatency, TopicPartition};
use crate::scenario::{Commit, Read, Work, WorkOrdering, one_thread};

pub use crate::secret::Secret;
pub use capability::{Capability, Without};
pub use observed::{CommittedStep, PROPERTIES_FILE, Program, ProgramResult};
pub use producer::*;
pub use result::{MemberResult, WorkerResult};
pub use store::StoreOrder;
pub use topics::{OffsetRange, TopicTarget, entry_of, partitions_of};

/// Version of the protocol.
pub const PROTOCOL_VERSION: u32 = 2;

/// The versions that workers may speak; others are refused.
pub const PROTOCOL_VERSIONS: RangeInclusive<u32> = 1..=PROTOCOL_VERSION;

/// From this version on, workers name their host. Others are taken to be on the coordinator's.
pub const FIRST_WITH_HOST: u32 = 2;

/// A worker ends after so long without a message.
pub const SILENCE_LIMIT_MS: u64 = 10_000;

/// How often the coordinator says [`ToWorker::Ping`].
pub const PING_INTERVAL_MS: u64 = 2_000;

/// How often a worker reports positions where [`Prepare::flow`] asks for it: a worker that is killed says no more.
pub const FLOW_REPORT_MS: u64 = 20;

/// From the coordinator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// Make the consumers and connect; answer [`FromWorker::Ready`].
    Prepare(Box<Prepare>),
    /// To a producer: make the client and connect; answer [`FromWorker::Ready`].
    PrepareProducer(Box<PrepareProducer>),
    /// Join the groups (or take the manual assignment), but fetch nothing if you can hold.
    Subscribe,
    /// Answer [`FromWorker::Assignments`] (capability `assignment`).
    QueryAssignments {
        /// To be repeated in the answer.
        query: u64,
    },
    /// Begin to read (a producer: to send) at this time; from now on send [`FromWorker::Progress`] or
    /// [`FromWorker::ProducerProgress`].
    Start {
        /// The common start.
        at_ns: u64,
    },
    /// Stop reading or sending and answer [`FromWorker::Result`] or [`FromWorker::ProducerResult`].
    Stop,
    /// Leave the groups and end. The end of input says the same.
    Exit,
    /// Still here.
    Ping,
    /// Measure the work loop and the sleep, and answer [`FromWorker::Calibrated`] (capability `calibrate`).
    Calibrate,
    /// To a worker of another host: answer [`FromWorker::Clock`] at once.
    QueryClock,
}

/// From a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// The first message; lines before it are treated as a log.
    Hello(Hello),
    /// The consumers exist and the cluster answered.
    Ready,
    /// The current assignment of each member, queried from the client and not cached.
    Assignments {
        /// As in the query.
        query: u64,
        /// One entry per member.
        members: Vec<MemberAssignment>,
    },
    /// How far the reading is, ten times a second and whenever a partition's end is reached.
    Progress {
        /// The partitions read since the start.
        positions: Vec<Position>,
    },
    /// A consumer is about to store the first record of a partition since it was assigned to it (capability `store`). Sent
    /// before that record is stored: a killed worker has stored nothing of a partition before it.
    Began {
        /// The consumer, from 0.
        consumer: u32,
        /// Where it begins.
        #[serde(flatten)]
        position: Position,
    },
    /// Response times of finished seconds that were not sent before (capability `stamps`). A second may be sent in
    /// several parts, which are added up.
    Seconds {
        /// By the second in which the work on the record ended, from the producers' start.
        seconds: Vec<SecondOfLatency>,
    },
    /// The commit of a transaction was sent to the store and not answered: each of these records may have a row that no
    /// result counts (capability `store`). Sent before the transaction is tried again, because a killed worker has no result.
    Unanswered {
        /// The consumer, from 0.
        consumer: u32,
        /// The records of the transaction.
        records: Vec<OffsetSpan>,
    },
    /// Everything the worker recorded.
    Result(Box<WorkerResult>),
    /// How far a producer is, ten times a second and when it has finished.
    ProducerProgress(ProducerProgress),
    /// Everything that a producer recorded.
    ProducerResult(Box<ProducerResult>),
    /// The speed of the work loop and of a sleep here.
    Calibrated(WorkCalibration),
    /// What its clock showed at [`ToWorker::QueryClock`].
    Clock(ClockReading),
    /// From an observer: its program printed the line of [`Program::ready`].
    ProgramReady {
        /// When.
        at_ns: u64,
    },
    /// A client reported something that need not end the trial: an error that may pass, a warning, a quota. The trial's
    /// failure says it, if it comes to one.
    Reported {
        /// The consumer, from 0.
        consumer: Option<u32>,
        /// In the client's words.
        message: String,
        /// How often so far. Reports that differ in their numbers alone are one: the latest is kept.
        times: u64,
    },
    /// The worker cannot go on.
    Failed {
        /// The consumer at fault, from 0.
        consumer: Option<u32>,
        /// True where the cluster could not be reached.
        connect: bool,
        /// What happened.
        message: String,
    },
}

/// What a worker's clock showed. That the worker took a while to answer does no harm, because it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    /// When the query came.
    pub received_ns: u64,
    /// When the answer went.
    pub sent_ns: u64,
}

/// Introduction of a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// One of [`PROTOCOL_VERSIONS`].
    pub protocol: u32,
    /// Client name, such as `librdkafka`.
    pub client: String,
    /// Client version.
    pub client_version: String,
    /// Process id.
    pub pid: u32,
    /// What it can do.
    #[serde(default, deserialize_with = "capability::known")]
    pub capabilities: Vec<Capability>,
    /// Names its clock: processes with the same name read the same one. `None` if it does not know.
    #[serde(default)]
    pub host: Option<String>,
}

/// All that a worker needs for a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a field of the protocol")]
pub struct Prepare {
    /// The consumers of this process.
    pub consumers: Vec<ConsumerOrder>,
    /// The topics to read, all of them by every consumer.
    pub topics: Vec<TopicTarget>,
    /// `group.id` of all consumers.
    pub group_id: String,
    /// Client properties, `bootstrap.servers` and the group's protocol among them. Secrets travel only here.
    pub properties: BTreeMap<String, Secret>,
    /// What the user set for this client in its own names, where it is not librdkafka. It wins over the client's defaults and
    /// over [`Prepare::properties`], except for what the method needs. Secrets travel here too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub client_properties: BTreeMap<String, Secret>,
    /// What to do with each record.
    pub work: Work,
    /// Where the work [`Work::Store`] writes, and how. Its address is a secret. Only with capability `store`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreOrder>,
    /// What the work loop and a sleep cost at this place, measured once per run.
    pub calibration: WorkCalibration,
    /// When to commit.
    pub commit: Commit,
    /// How to take records from the client.
    pub read: Read,
    /// Threads of each consumer on which records are worked, at least 1. Only with capability `threads` more than 1.
    #[serde(default = "one_thread")]
    pub threads: u32,
    /// Which records wait for each other where there are several threads.
    #[serde(default)]
    pub ordering: WorkOrdering,
    /// Records that each consumer reads and works after its assignment and before it holds, at most; it goes back to the
    /// beginning of its partitions afterwards, and these records are in no account.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warmup_records: u64,
    /// True where partitions are assigned by hand.
    pub manual: bool,
    /// What to measure if records arrive. Only with capability `stamps`.
    #[serde(default)]
    pub stamps: Option<StampOrder>,
    /// True where the others read already: nothing is held, and each partition is read from where its group is.
    #[serde(default)]
    pub joins_late: bool,
    /// True where the `group.instance.id` of each consumer is its `client_id`. Only with capability `static`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub static_membership: bool,
    /// True where it matters when each partition was read and when not: members record it, and say every
    /// [`FLOW_REPORT_MS`] how far they are. Only with capability `flow`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flow: bool,
    /// To an observer: the program that it starts and watches. It speaks nothing, so what is said above of consumers is
    /// for the program to do or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Prepare {
    /// True where the consumers join by the consumer protocol.
    pub fn has_consumer_protocol(&self) -> bool {
        let protocol = self.properties.get("group.protocol");
        protocol.is_some_and(|protocol| protocol.reveal() == "consumer")
    }

    /// Asks for the times of reading, and of heartbeats as often as the client's statistics can say them.
    pub fn record_flow(&mut self, flow: bool) {
        self.flow = flow;
        if let Some(interval) = self.properties.get_mut(producer::STATISTICS_INTERVAL).filter(|_| flow) {
            *interval = Secret::new("100");
        }
    }
}

/// What a consumer is to measure of records that arrive with a stamp ([`crate::load::Stamp`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StampOrder {
    /// From the common start to the producers' start.
    pub lead_ns: u64,
    /// From the producers' start to the window.
    pub warmup_ns: u64,
    /// Length of the window: latencies are those of the records intended in it.
    pub duration_ns: u64,
    /// The first stamped offset of each partition, by topic. Earlier records are a backlog.
    pub stamped_from: Vec<Vec<i64>>,
    /// What the times of stamps, which are of the coordinator's clock, are ahead of this worker's.
    #[serde(default)]
    pub stamp_offset_ns: i64,
    /// The only producer whose records' latencies are measured: the one beside this worker. `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_producer: Option<u32>,
}

/// What the work loop and a sleep cost on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct WorkCalibration {
    /// Iterations of the work loop that use a microsecond of CPU, for [`Work::Cpu`].
    pub iterations_per_us: f64,
    /// Nanoseconds by which a sleep exceeds its argument, for [`Work::Wait`].
    pub sleep_excess_ns: u64,
}

/// One consumer of a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerOrder {
    /// Its `client.id`, unique in the trial; the barrier finds it in the group by this name.
    pub client_id: String,
    /// Partitions to take by hand; empty in a group.
    pub manual: Vec<TopicPartition>,
}

/// What a member holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberAssignment {
    /// The consumer, from 0.
    pub consumer: u32,
    /// Its partitions.
    pub partitions: Vec<TopicPartition>,
    /// When it got them; `None` before the first assignment.
    pub assigned_ns: Option<u64>,
}

/// How far a partition has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Index of the topic.
    pub topic: u32,
    /// Partition number.
    pub partition: i32,
    /// Next offset to read: one past the last record finished.
    pub offset: i64,
}

impl Position {
    /// The partition.
    pub fn topic_partition(self) -> TopicPartition {
        TopicPartition {
            topic: self.topic,
            partition: self.partition,
        }
    }
}
