//! What one trial recorded: times in `CLOCK_MONOTONIC` nanoseconds of the coordinator's host, counts and bytes as
//! integers, nothing derived that can be computed again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::interruption::Interruptions;
use super::latency::{CompactLatencies, Latencies, LatencyPart, LatencyRecorder};
use super::limits::{MemoryEffect, Party, QuotaEffect};
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

    /// Seconds from the common start to this time.
    pub fn since_start_s(&self, at_ns: u64) -> f64 {
        at_ns.saturating_sub(self.start_ns) as f64 / 1e9
    }

    /// Nanoseconds from being told to subscribe until the barrier was passed.
    pub fn join_ns(&self) -> u64 {
        self.joined_ns.saturating_sub(self.subscribe_ns)
    }

    /// Members that held no partition when reading began. Where no member of a group is seen with one, its assignment was
    /// not observed, which is not idleness.
    pub fn idle_members(&self) -> impl Iterator<Item = &MemberMeasurement> {
        let is_observed = |group| self.members.iter().any(|m| m.group == group && !m.assigned.is_empty());
        let idle = self.members.iter().filter(|member| member.assigned.is_empty());
        idle.filter(move |member| is_observed(member.group))
    }

    /// Records delivered over all groups.
    pub fn records(&self) -> u64 {
        self.members.iter().map(MemberMeasurement::records).sum()
    }

    /// Records per second over all groups: from the common start to the last record, and where records arrive those
    /// finished in the window over its length. Whatever is drained after it has no part in the rate.
    pub fn records_per_second(&self) -> f64 {
        let whole = || self.records() as f64 / (self.read_ns().max(1) as f64 / 1e9);
        let Some(load) = self.load.as_ref().filter(|load| load.window_ns() > 0) else {
            return whole();
        };
        let window = [load.window_from_ns, load.window_end_ns].map(|at_ns| at_ns.saturating_sub(self.start_ns));
        let partitions = self.members.iter().flat_map(|member| &member.partitions);
        let finished = partitions.map(|p| Some(p.series.as_ref()?.between(window)));
        let finished: Option<f64> = finished.sum();
        finished.map_or_else(whole, |records| records / (load.window_ns() as f64 / 1e9))
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

    /// What brokers here read from storage as a share of what was delivered; `None` where it is not known.
    pub fn storage_share(&self) -> Option<f64> {
        let (read, delivered) = (self.host.brokers_storage_read_bytes?, self.bytes());
        (delivered > 0).then(|| read as f64 / delivered as f64)
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

    /// Partitions that it held at the common start or was given after it. What it had for a moment while the group formed
    /// is not among them.
    pub fn held_since(&self, start_ns: u64) -> BTreeSet<TopicPartition> {
        let is_later = |change: &&Rebalance| change.kind == RebalanceKind::Assigned && change.at_ns >= start_ns;
        let later = self
            .rebalances
            .iter()
            .filter(is_later)
            .flat_map(|change| &change.partitions);
        self.assigned.iter().chain(later).copied().collect()
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
    /// How that waiting went through the window, in slices of equal length by intended time; empty where nobody
    /// measured it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<WaitSlice>,
}

/// Slices of a window whose waiting is recorded apart.
pub const WAIT_SLICES: usize = 20;

/// Waiting of the records that were intended for one slice of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitSlice {
    /// Records.
    pub records: u64,
    /// Sum of their times from intended to the start of the work.
    pub waited_ns: u64,
}

impl WaitSlice {
    /// Adds what other threads recorded of the same slice.
    pub fn add(&mut self, other: WaitSlice) {
        self.records += other.records;
        self.waited_ns += other.waited_ns;
    }
}

impl PartitionMeasurement {
    /// Which partition.
    pub fn topic_partition(&self) -> TopicPartition {
        TopicPartition {
            topic: self.topic,
            partition: self.partition,
        }
    }
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

impl Series {
    /// What was counted between two times since the common start; of a bucket that lies there in part, that share.
    pub fn between(&self, [from_ns, end_ns]: [u64; 2]) -> f64 {
        let buckets = (0u64..).zip(&self.counts);
        buckets
            .map(|(bucket, count)| {
                let begin_ns = bucket * self.bucket_ns;
                let inside_ns = end_ns
                    .min(begin_ns + self.bucket_ns)
                    .saturating_sub(from_ns.max(begin_ns));
                *count as f64 * inside_ns as f64 / self.bucket_ns.max(1) as f64
            })
            .sum()
    }
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
    /// Logical processors that tandem or a worker may run on; before limits were read, all of the machine.
    pub cores: u32,
    /// Logical processors of the machine, where that is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_cores: Option<u32>,
    /// Logical processors that `others_cpu_ns` is of, where brokers may run on more than `cores`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_cores: Option<u32>,
    /// Time of these cores by state (10 ms ticks, as the kernel counts them).
    pub cpu: HostCpu,
    /// CPU time of each broker run here, and of the ZooKeeper that the run started with them.
    pub brokers_cpu_ns: Vec<u64>,
    /// CPU time of the coordinator itself.
    pub coordinator_cpu_ns: u64,
    /// CPU time of everything that is neither worker, broker nor coordinator.
    pub others_cpu_ns: u64,
    /// Time in which some thread of the machine was ready to run and had no core; `None` where the kernel does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure_ns: Option<u64>,
    /// CPU quotas on tandem, workers or brokers, and what they did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<QuotaEffect>,
    /// Memory limits on them, and what they did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory_limits: Vec<MemoryEffect>,
    /// Bytes that the brokers here read from storage, because they were not in the page cache; `None` where that is not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brokers_storage_read_bytes: Option<u64>,
}

impl HostMeasurement {
    /// CPU time of all brokers in nanoseconds; `None` where they do not run on this machine.
    pub fn brokers_cpu(&self) -> Option<u64> {
        (!self.brokers_cpu_ns.is_empty()).then(|| self.brokers_cpu_ns.iter().sum())
    }

    /// The tightest CPU quota on all clients together, where it leaves less than their processors do.
    pub fn quota(&self) -> Option<&QuotaEffect> {
        let whole = self.quotas.iter().filter(|effect| effect.whole);
        whole
            .filter(|effect| effect.quota.cores() < f64::from(self.cores))
            .min_by(|a, b| a.quota.cores().total_cmp(&b.quota.cores()))
    }

    /// The tightest memory limit on brokers here.
    pub fn memory_of_brokers(&self) -> Option<&MemoryEffect> {
        let theirs = self
            .memory_limits
            .iter()
            .filter(|effect| effect.of.contains(&Party::Brokers));
        theirs.min_by_key(|effect| effect.limit.bytes)
    }

    /// Cores that the clients may use: processors, or the quota where that is less.
    pub fn usable_cores(&self) -> f64 {
        self.quota()
            .map_or(f64::from(self.cores), |effect| effect.quota.cores())
    }
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
