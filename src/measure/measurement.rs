//! What one trial recorded: times in `CLOCK_MONOTONIC` nanoseconds of the coordinator's host, counts and bytes as
//! integers, nothing derived that can be computed again.

use serde::{Deserialize, Serialize};

use super::interruption::Interruptions;
use super::latency::{CompactLatencies, Latencies, LatencyPart, LatencyRecorder};
use super::load::LoadMeasurement;
use super::reading::{ClientStatistics, ReadingTime};

/// The figures of one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The common start: the moment all members were told to begin at.
    pub start_ns: u64,
    /// The first process was being started.
    pub spawn_ns: u64,
    /// All members were told to subscribe.
    pub subscribe_ns: u64,
    /// The barrier was passed: every member has its assignment and the cluster agrees.
    pub joined_ns: u64,
    /// The last record of the trial was finished, anywhere.
    pub end_ns: u64,
    /// Records that each group was to read.
    pub records_expected: u64,
    /// Records lost, over all groups.
    pub lost: u64,
    /// Records read twice by one owner, over all groups.
    pub duplicated: u64,
    /// Records read again after a change of owner.
    pub redelivered: u64,
    /// Offsets of what was to be read that hold no record for readers (control records, records of aborted transactions
    /// and compacted ones), over all groups.
    pub not_delivered: u64,
    /// Records that the cluster had removed before they were read, as its retention does, over all groups.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub removed: u64,
    /// Of each worker process.
    pub processes: Vec<ProcessMeasurement>,
    /// Of each member, groups outermost, then processes, then consumers.
    pub members: Vec<MemberMeasurement>,
    /// The machine and its brokers between start and end.
    pub host: HostMeasurement,
    /// What could not be observed, and why; empty for tandem's own workers.
    pub not_observed: Vec<String>,
    /// Of the records that arrived, in live and mixed trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadMeasurement>,
    /// What stood still, went or came meanwhile.
    #[serde(default, skip_serializing_if = "Interruptions::is_unknown")]
    pub interruptions: Interruptions,
    /// Of all partitions together, where [`Measurement::condense`] keeps no more.
    #[serde(skip)]
    pub whole: Option<CompactLatencies>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Measurement {
    /// Keeps of the latencies only those of all partitions together. A histogram takes a hundred kilobytes and a trial
    /// has five for each partition: a report of thousands of trials would need all memory for what it does not show.
    pub fn condense(&mut self) {
        self.whole = self.latencies().as_ref().map(CompactLatencies::from);
        for partition in self.members.iter_mut().flat_map(|member| &mut member.partitions) {
            partition.latencies = None;
        }
    }

    /// Nanoseconds from the common start to the last record finished.
    pub fn read_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }

    /// Nanoseconds from the first process being started to the last record finished.
    pub fn stopwatch_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.spawn_ns)
    }

    /// Nanoseconds from being told to subscribe until the barrier was passed.
    pub fn join_ns(&self) -> u64 {
        self.joined_ns.saturating_sub(self.subscribe_ns)
    }

    /// Records delivered over all groups.
    pub fn records(&self) -> u64 {
        self.members.iter().map(MemberMeasurement::records).sum()
    }

    /// How long the records of the window waited, over all members; `None` where nobody measured it.
    pub fn latencies(&self) -> Option<Latencies> {
        if let Some(whole) = &self.whole {
            return Some(whole.unpack());
        }
        let of_partitions = self.members.iter().flat_map(|member| &member.partitions);
        Latencies::merged(of_partitions.filter_map(|partition| partition.latencies.as_ref()))
    }

    /// One part of [`Measurement::latencies`].
    pub fn latency(&self, part: LatencyPart) -> Option<LatencyRecorder> {
        match &self.whole {
            Some(whole) => Some(whole.unpack_part(part)),
            None => self.latencies().map(|latencies| latencies.part(part).clone()),
        }
    }

    /// Bytes of keys and values delivered over all groups.
    pub fn bytes(&self) -> u64 {
        self.members.iter().flat_map(|m| &m.partitions).map(|p| p.bytes).sum()
    }
}

/// What one worker process recorded of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessMeasurement {
    /// The group it belongs to, from 0.
    pub group: u32,
    /// Its number within the group, from 0.
    pub process: u32,
    /// Process id on its host.
    pub pid: u32,
    /// Client name, such as `librdkafka`.
    pub client: String,
    /// Client version, such as `2.12.1`.
    pub client_version: String,
    /// It was being started.
    pub spawn_ns: u64,
    /// It had introduced itself.
    pub hello_ns: u64,
    /// Its consumers were made and the cluster answered.
    pub ready_ns: u64,
    /// Resources from the common start to its last record (to the end of the trial where it read none).
    pub window: Option<ProcessUsage>,
    /// Resources over its whole life.
    pub stopwatch: Option<ProcessUsage>,
}

/// Resources that a process used over an interval.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProcessUsage {
    /// Length of the interval.
    pub wall_ns: u64,
    /// CPU time of all threads.
    pub cpu_ns: u64,
    /// Voluntary context switches.
    pub voluntary_switches: u64,
    /// Involuntary context switches.
    pub involuntary_switches: u64,
    /// Peak resident memory so far, in bytes.
    pub peak_memory_bytes: u64,
    /// Of each thread that used any CPU.
    pub threads: Vec<ThreadUsage>,
}

/// CPU time of a thread over an interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadUsage {
    /// Its name, as the kernel has it.
    pub name: String,
    /// Nanoseconds running.
    pub cpu_ns: u64,
    /// Nanoseconds ready to run but waiting for a core.
    pub wait_ns: u64,
}

/// What one member recorded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemberMeasurement {
    /// The group, from 0.
    pub group: u32,
    /// The process within the group, from 0.
    pub process: u32,
    /// The consumer within the process, from 0.
    pub consumer: u32,
    /// Partitions it held when the barrier was passed.
    pub assigned: Vec<TopicPartition>,
    /// It was assigned (its last assignment before the start); `None` for one that never got any.
    pub assigned_ns: Option<u64>,
    /// The first record was handed over.
    pub first_record_ns: Option<u64>,
    /// Its last record was finished.
    pub last_record_ns: Option<u64>,
    /// Sum of the time in work, where work is done and observed.
    pub work_ns: Option<u64>,
    /// Records in the client's queue at the start; anything but 0 excludes the trial.
    pub queued_at_start: Option<u64>,
    /// Commits sent.
    pub commits: u64,
    /// What its reading threads did with their time; `None` where that was not observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<ReadingTime>,
    /// What its client library said of its own fetching; `None` where it said nothing within the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientStatistics>,
    /// Assignments and revocations, in order.
    pub rebalances: Vec<Rebalance>,
    /// What it read of each partition.
    pub partitions: Vec<PartitionMeasurement>,
}

impl MemberMeasurement {
    /// Records read, all partitions.
    pub fn records(&self) -> u64 {
        self.partitions.iter().map(|p| p.records).sum()
    }

    /// How long its records of the window waited; `None` where that was not measured.
    pub fn latencies(&self) -> Option<Latencies> {
        Latencies::merged(
            self.partitions
                .iter()
                .filter_map(|partition| partition.latencies.as_ref()),
        )
    }

    /// `group 1, process 2, consumer 1`, counted from 1 as people do.
    pub fn name(&self) -> String {
        member_name(self.group, self.process, self.consumer)
    }
}

/// The name of a member for people, from indices counted from 0.
pub fn member_name(group: u32, process: u32, consumer: u32) -> String {
    format!(
        "group {}, process {}, consumer {}",
        group + 1,
        process + 1,
        consumer + 1
    )
}

/// A partition of one of the data set's topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TopicPartition {
    /// Index of the topic in the data set.
    pub topic: u32,
    /// Partition number.
    pub partition: i32,
}

/// What a member read of one partition.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PartitionMeasurement {
    /// Index of the topic in the data set.
    pub topic: u32,
    /// Partition number.
    pub partition: i32,
    /// Records read.
    pub records: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// The first record was handed over.
    pub first_ns: Option<u64>,
    /// The last record was finished.
    pub last_ns: Option<u64>,
    /// Runs of consecutive offsets in the order of reading, in topics that existed going on over offsets that hold no
    /// record; `None` where the worker keeps no ledger.
    pub runs: Option<Vec<OffsetRun>>,
    /// Records over time from the common start.
    pub series: Option<Series>,
    /// How long the records waited that were intended for the window of a live or mixed trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latencies: Option<Latencies>,
}

/// Consecutive offsets read under one assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetRun {
    /// First offset.
    pub first: i64,
    /// One past the last.
    pub end: i64,
    /// The member's assignment: counts up with every rebalance.
    pub epoch: u32,
}

/// Counts in buckets of equal length from the common start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Series {
    /// Length of a bucket.
    pub bucket_ns: u64,
    /// Records in each bucket.
    pub counts: Vec<u64>,
}

/// A change of a member's assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebalance {
    /// When.
    pub at_ns: u64,
    /// What.
    pub kind: RebalanceKind,
    /// The partitions given or taken.
    pub partitions: Vec<TopicPartition>,
}

/// Direction of a rebalance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum RebalanceKind {
    Assigned,
    Revoked,
    Lost,
}

/// The machine between the common start and the end of a trial.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HostMeasurement {
    /// Length of the interval.
    pub wall_ns: u64,
    /// Logical processors.
    pub cores: u32,
    /// Time of all cores by state (10 ms ticks, as the kernel counts them).
    pub cpu: HostCpu,
    /// CPU time of each broker run here.
    pub brokers_cpu_ns: Vec<u64>,
    /// CPU time of the coordinator itself.
    pub coordinator_cpu_ns: u64,
    /// CPU time of everything that is neither worker, broker nor coordinator.
    pub others_cpu_ns: u64,
    /// Time in which some thread of the machine was ready to run and had no core; `None` where the kernel does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure_ns: Option<u64>,
}

/// Host CPU time by state, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct HostCpu {
    pub user_ns: u64,
    pub nice_ns: u64,
    pub system_ns: u64,
    pub idle_ns: u64,
    pub iowait_ns: u64,
    pub irq_ns: u64,
    pub softirq_ns: u64,
    pub steal_ns: u64,
}

impl HostCpu {
    /// Time in which some core ran something of ours or others'.
    pub fn busy_ns(&self) -> u64 {
        self.user_ns + self.nice_ns + self.system_ns + self.irq_ns + self.softirq_ns
    }
}
