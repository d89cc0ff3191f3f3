//! The validated scenario: what the user asked for, with every default filled in and nothing invalid left.
//!
//! Values of these types are made by the parser in this room and by nobody else; other rooms read them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::existing::{DataSource, ExistingTopics};
use super::kafka_version::{DEFAULT_KAFKA_VERSION, KafkaVersion};
use super::live::{Capacity, Mode};
use super::masking::{HIDDEN, secrets_of_command, serialize_command};
use super::repetitions::Repetitions;
use super::variants::{Variant, Variants};

/// A scenario file after parsing: the question, the cluster, and every configuration to compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// The file's stem; names the folder of results.
    pub name: String,
    /// The question the scenario answers, in the user's words.
    pub question: String,
    /// Seeds the order of trials and the contents of records.
    pub seed: u64,
    /// Counted blocks.
    pub repetitions: Repetitions,
    /// Blocks run first and not counted.
    pub warmup_blocks: u32,
    /// The practical threshold as a share: 0.03 says that 3 % is not worth a decision.
    pub threshold: f64,
    /// How long a trial is.
    pub trial: TrialLength,
    /// The cluster to run against.
    pub cluster: ClusterSpec,
    /// Where worker processes can be started, the default place `here` first.
    pub places: Vec<Place>,
    /// The matrix' keys in file order, each with its values as text.
    pub axes: Vec<Axis>,
    /// Every key that the file sets anywhere, in file order: the columns that tell configurations apart.
    pub keys_in_use: Vec<String>,
    /// Every combination, in file order: cases outermost, then the matrix' keys, the last one fastest.
    pub configurations: Vec<Configuration>,
    /// Groups of configurations that read the same number of records and may be compared.
    pub families: Vec<Family>,
    /// Distinct data sets that the configurations read.
    pub datasets: Vec<DatasetSpec>,
    /// What a search for capacity looks for, where the scenario is one.
    #[serde(default)]
    pub capacity: Option<Capacity>,
    /// Clusters and builds that everything is run with besides, where they are compared.
    #[serde(default)]
    pub variants: Variants,
    /// What the user should know although it is no error, one sentence each (rounded record counts, too few blocks).
    pub warnings: Vec<String>,
}

/// A key of `[matrix]` and its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// The key as the user wrote it; a property of consumers is prefixed with `client.`, one of producers with
    /// `producer.`.
    pub key: String,
    /// The values as they appear in names, in file order.
    pub values: Vec<String>,
}

/// The length of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialLength {
    /// Wanted read time; a pilot finds the family's record count.
    Seconds(f64),
    /// Records read by each group, over all topics and partitions.
    Records(u64),
    /// All that the data set has.
    Whole,
}

/// One combination of the scenario's cases and axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The case's name, then ` key=value` for each matrix key with more than one value. Unique.
    pub name: String,
    /// The case's name; empty where the scenario has no case.
    pub case: String,
    /// This configuration's value for each of [`Scenario::axes`], in that order.
    pub axis_values: Vec<String>,
    /// The values of [`Scenario::keys_in_use`], in that order, as text.
    pub key_values: Vec<String>,
    /// Index into [`Scenario::families`].
    pub family: usize,
    /// Index into [`Scenario::datasets`].
    pub dataset: usize,
    /// Index of the configuration that this one is compared with; `None` for a baseline.
    pub baseline: Option<usize>,
    /// Consumer groups that each read everything.
    pub groups: u32,
    /// The one group to use, which is the user's and outlives the run; `None` for a fresh one in each trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Worker processes per group.
    pub processes: u32,
    /// Consumers per process.
    pub consumers: u32,
    /// How members get their partitions.
    pub membership: Membership,
    /// When positions are committed.
    pub commit: Commit,
    /// What is done with each record.
    pub work: Work,
    /// Whether the client's buffers are per consumer or shared out.
    pub buffers: Buffers,
    /// How records are taken from the client.
    pub read: Read,
    /// Threads of each consumer on which records are worked; with 1 that is the thread that reads.
    #[serde(default = "one_thread")]
    pub threads: u32,
    /// Which records wait for each other where there are several threads.
    #[serde(default)]
    pub ordering: WorkOrdering,
    /// Index into [`Scenario::places`].
    pub place: usize,
    /// Client settings.
    pub client: ClientSettings,
    /// Whether records lie there, arrive, or both.
    #[serde(default)]
    pub mode: Mode,
    /// The cluster and the build it is run with, where those are compared.
    #[serde(default)]
    pub variant: Variant,
}

impl Configuration {
    /// Members over all groups.
    pub fn members(&self) -> u32 {
        self.groups * self.members_per_group()
    }

    /// Members of one group.
    pub fn members_per_group(&self) -> u32 {
        self.processes * self.consumers
    }
}

/// Configurations of equal record size, keys, compression, compressibility, work, mode, rate and arrivals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// What the configurations have in common and other families have not, such as `work=wait 200us`; empty for the
    /// only family.
    pub name: String,
    /// Members, as indices into [`Scenario::configurations`].
    pub configurations: Vec<usize>,
    /// Trials read a multiple of this many records so that every partition of every configuration gives the same.
    pub record_multiple: u64,
    /// The most records a trial can read: the smallest data set of the family.
    pub records_max: u64,
}

/// What a set of topics is filled with, or which topics that exist it is; equal specifications share the topics.
///
/// Of existing topics the numbers are those that were found when the run began, and before that nothing but
/// placeholders ([`DatasetSpec::is_seen`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetSpec {
    /// Where the records come from.
    #[serde(default)]
    pub source: DataSource,
    /// Number of topics.
    pub topics: u32,
    /// Partitions of each topic; the most that one has where topics exist.
    pub partitions: u32,
    /// Records over all topics and partitions; 0 for topics that live trials make and fill.
    pub records: u64,
    /// Bytes of a record's value; the mean of keys and values together where topics exist.
    pub size: Size,
    /// Keys of the records.
    pub keys: Keys,
    /// Share of each partition of a topic, summing to 1; empty for equal shares.
    pub weights: Vec<f64>,
    /// The producer's `compression.type`.
    pub compression: Compression,
    /// How many times shorter a general compressor makes the values, 1 for not at all; `None` for text.
    #[serde(default)]
    pub compression_ratio: Option<f64>,
    /// Replication factor.
    pub replication: u32,
    /// Settings of the topics, by Kafka's names for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

impl DatasetSpec {
    /// Partitions of all topics together.
    pub fn partitions_of_all(&self) -> u32 {
        match self.existing().and_then(|existing| existing.found.as_ref()) {
            Some(found) => u32::try_from(found.partitions().count()).unwrap_or(u32::MAX),
            None => self.topics * self.partitions,
        }
    }

    /// The topics, where they exist and are not filled.
    pub fn existing(&self) -> Option<&ExistingTopics> {
        match &self.source {
            DataSource::Filled => None,
            DataSource::Existing(existing) => Some(existing),
        }
    }

    /// False for existing topics that no run has looked at yet.
    pub fn is_seen(&self) -> bool {
        self.existing().is_none_or(|existing| existing.found.is_some())
    }

    /// Bytes of values in the whole set, before compression and replication.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean size times a count is not negative"
    )]
    pub fn value_bytes(&self) -> u64 {
        (self.size.mean_bytes() * self.records as f64) as u64
    }
}

/// Size of a record's value in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Always the same.
    Fixed(u32),
    /// Any size from `min` to `max` inclusive, equally likely.
    Uniform {
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
    },
    /// exp(N(ln median, sigma^2)), cut at `max`.
    LogNormal {
        /// Median.
        median: u32,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// Larger values become this.
        max: u32,
    },
}

impl Size {
    /// Expected bytes of a value (the cut of a log-normal is not taken into account).
    pub fn mean_bytes(&self) -> f64 {
        match *self {
            Size::Fixed(bytes) => f64::from(bytes),
            Size::Uniform { min, max } => f64::midpoint(f64::from(min), f64::from(max)),
            Size::LogNormal { median, sigma, .. } => f64::from(median) * (sigma * sigma / 2.0).exp(),
        }
    }
}

/// Keys of the records. Records without keys are dealt out so that partition counts are exact.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// No key.
    None,
    /// Every record has its own.
    Unique,
    /// `count` keys of which the k-th is drawn with weight 1 / k^exponent.
    Zipf {
        /// Skew; 0 is uniform.
        exponent: f64,
        /// Number of distinct keys.
        count: u64,
    },
}

/// The producer's compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    /// The value of `compression.type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Snappy => "snappy",
            Compression::Lz4 => "lz4",
            Compression::Zstd => "zstd",
        }
    }
}

/// How members get their partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// The group coordinator assigns, by this protocol.
    Group(GroupProtocol),
    /// The coordinator of the trial deals partitions out in turn and members assign them to themselves.
    Manual,
}

/// The group protocol with its assignor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupProtocol {
    /// `group.protocol=classic` with this `partition.assignment.strategy`.
    Classic {
        /// `range`, `roundrobin` or `cooperative-sticky`; `None` leaves the client's default (`range,roundrobin`).
        assignor: Option<String>,
    },
    /// `group.protocol=consumer` (KIP-848) with this `group.remote.assignor`.
    Consumer {
        /// `uniform` or `range`; `None` leaves the broker's default.
        assignor: Option<String>,
    },
}

/// When a member commits the positions of the records it has worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commit {
    /// Never.
    None,
    /// `enable.auto.commit`, every `auto.commit.interval.ms`.
    Auto,
    /// After each batch taken from the client, waiting for the broker's answer.
    PerBatch,
    /// After this many records, waiting for the broker's answer.
    Every(u64),
}

/// What a member does with each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Nothing.
    None,
    /// Computes for this many nanoseconds of CPU.
    Cpu {
        /// Nanoseconds of CPU time per record.
        ns: u64,
    },
    /// Waits this many nanoseconds, as for a database.
    Wait {
        /// Nanoseconds per record.
        ns: u64,
    },
}

impl Work {
    /// Intended nanoseconds per record.
    pub fn ns(self) -> u64 {
        match self {
            Work::None => 0,
            Work::Cpu { ns } | Work::Wait { ns } => ns,
        }
    }
}

/// Whether `queued.max.messages.kbytes` and `queued.min.messages` hold for each consumer or are split among a
/// group's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Buffers {
    Each,
    Total,
}

/// How records are taken from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Read {
    /// Batches from one queue to which all partitions are forwarded.
    Batch,
    /// One record per call from that queue.
    Poll,
    /// The asynchronous stream of the Rust client: `StreamConsumer`.
    Stream,
}

/// Which records wait for each other where a consumer works on several threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkOrdering {
    /// Those of one partition: one at a time, in the order of their offsets.
    #[default]
    Partition,
    /// Those of one key in one partition; records without a key wait for none.
    Key,
    /// None: any free thread takes the next record.
    None,
}

/// The value of [`Configuration::threads`] where nothing is said, as in what was stored before there were threads.
pub(crate) fn one_thread() -> u32 {
    1
}

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

/// The cluster of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// Where it comes from.
    pub source: ClusterSource,
    /// Start of the names of topics and groups.
    pub prefix: String,
    /// Client properties for every client of the run, such as security settings.
    pub client: BTreeMap<String, PropertyValue>,
}

impl Default for ClusterSpec {
    /// One broker, started for the run.
    fn default() -> Self {
        ClusterSpec {
            source: ClusterSource::Local {
                brokers: 1,
                version: DEFAULT_KAFKA_VERSION,
                zookeeper: false,
            },
            prefix: "tandem-".to_owned(),
            client: BTreeMap::new(),
        }
    }
}

/// Where the cluster comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterSource {
    /// Brokers started for the run and ended with it.
    Local {
        /// Number of brokers.
        brokers: u32,
        /// Version of Apache Kafka.
        version: KafkaVersion,
        /// True where they keep their metadata in a ZooKeeper, which is started with them.
        #[serde(default)]
        zookeeper: bool,
    },
    /// A running cluster.
    Bootstrap(String),
}

/// Client settings of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientSettings {
    /// True for `client = "defaults"`: tandem's own defaults are left out.
    pub library_defaults_only: bool,
    /// Properties that the user set.
    pub properties: BTreeMap<String, PropertyValue>,
}

/// The value of a client property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PropertyValue {
    /// Written in the file.
    Literal(String),
    /// Held by this environment variable; only its name is ever stored.
    Environment {
        /// Name of the variable.
        env: String,
    },
    /// Held by this file; only its path is ever stored.
    File {
        /// Path of the file; a relative one is looked for where tandem runs.
        file: String,
    },
}
