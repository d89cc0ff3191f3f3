//! What a configuration is made of: single settings as the file gives them, and all of them together with the
//! defaults.

use std::collections::BTreeMap;
use std::ops::Range;

use super::dataset_kinds::{keys_text, ratio_text, size_text, weights_text};
use super::kinds::{Assignment, Assignor, ClientDefaults, Protocol, commit_text, name_of, work_text};
use super::live::{Load, Mode, Shape};
use super::load_kinds::{ModeName, number_text, time_text};
use super::loads::is_load_key;
use super::model::{Buffers, Commit, Compression, Keys, PropertyValue, Read, Size, Work, WorkOrdering};
use crate::load::Arrivals;

/// Start of the name of a property of the measured consumers among keys.
pub(super) const CLIENT: &str = "client.";
/// Start of the name of a setting of topics among keys.
pub(super) const TOPIC: &str = "topic.";
/// Start of the name of a property of the producers of load among keys.
pub(super) const PRODUCER: &str = "producer.";

const BYTES_PER_MIB: f64 = 1_048_576.0;
const SECOND_NS: u64 = 1_000_000_000;
static CONSTANT: Shape = Shape::Constant;

/// The value of one key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Setting {
    Partitions(u32),
    Topics(u32),
    Records(u64),
    Size(Size),
    Keys(Keys),
    Weights(Vec<f64>),
    Compression(Compression),
    CompressionRatio(f64),
    Replication(u32),
    Topic(Vec<String>),
    OfTopic(String),
    Last(u64),
    Processes(u32),
    Consumers(u32),
    Groups(u32),
    Group(String),
    Assignment(Assignment),
    Protocol(Protocol),
    Assignor(Assignor),
    Commit(Commit),
    Work(Work),
    Buffers(Buffers),
    Read(Read),
    Threads(u32),
    Ordering(WorkOrdering),
    Place(String),
    ClientDefaults(ClientDefaults),
    Property(PropertyValue),
    Mode(ModeName),
    Rate(f64),
    MibPerSecond(f64),
    Arrivals(Arrivals),
    Profile(Shape),
    Duration(u64),
    Warmup(u64),
    Producers(u32),
    ProducerProperty(PropertyValue),
}

impl Setting {
    /// As it stands in the names of configurations: equal for equal values, however they were written.
    pub(super) fn text(&self) -> String {
        match self {
            Setting::Partitions(count)
            | Setting::Topics(count)
            | Setting::Replication(count)
            | Setting::Processes(count)
            | Setting::Consumers(count)
            | Setting::Groups(count)
            | Setting::Threads(count)
            | Setting::Producers(count) => count.to_string(),
            Setting::Records(count) | Setting::Last(count) => count.to_string(),
            Setting::Topic(topics) => topics.join(", "),
            Setting::OfTopic(value) => value.clone(),
            Setting::Size(size) => size_text(*size),
            Setting::Keys(keys) => keys_text(*keys),
            Setting::Weights(weights) => weights_text(weights),
            Setting::Compression(compression) => compression.as_str().to_owned(),
            Setting::CompressionRatio(ratio) => ratio_text(Some(*ratio)),
            Setting::Assignment(assignment) => name_of(*assignment).to_owned(),
            Setting::Protocol(protocol) => name_of(*protocol).to_owned(),
            Setting::Assignor(assignor) => name_of(*assignor).to_owned(),
            Setting::Commit(commit) => commit_text(*commit),
            Setting::Work(work) => work_text(*work),
            Setting::Buffers(buffers) => name_of(*buffers).to_owned(),
            Setting::Read(read) => name_of(*read).to_owned(),
            Setting::Ordering(ordering) => name_of(*ordering).to_owned(),
            Setting::Place(name) | Setting::Group(name) => name.clone(),
            Setting::ClientDefaults(defaults) => name_of(*defaults).to_owned(),
            Setting::Mode(mode) => name_of(*mode).to_owned(),
            Setting::Rate(number) | Setting::MibPerSecond(number) => number_text(*number),
            Setting::Arrivals(arrivals) => name_of(*arrivals).to_owned(),
            Setting::Profile(shape) => shape.to_string(),
            Setting::Duration(ns) | Setting::Warmup(ns) => time_text(*ns),
            Setting::Property(value) | Setting::ProducerProperty(value) => match value {
                PropertyValue::Literal(text) => text.clone(),
                PropertyValue::Environment { env } => format!("${env}"),
                PropertyValue::File { file } => format!("@{file}"),
            },
        }
    }
}

/// A setting with the key that gives it and its places in the file.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// The key; a property of consumers is prefixed with `client.`, one of producers with `producer.`.
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) span: Range<usize>,
    pub(super) setting: Setting,
}

/// Everything that makes a configuration, defaults filled in; remembers where each setting was given.
#[derive(Debug, Clone)]
pub(super) struct Settings<'a> {
    pub(super) partitions: u32,
    pub(super) topics: u32,
    pub(super) records: u64,
    pub(super) size: Size,
    pub(super) keys: Keys,
    pub(super) weights: &'a [f64],
    pub(super) compression: Compression,
    pub(super) compression_ratio: Option<f64>,
    pub(super) replication: u32,
    /// Topics that exist; empty where the set is filled.
    pub(super) topic: &'a [String],
    pub(super) last: Option<u64>,
    /// Of topics that are made.
    pub(super) of_topic: BTreeMap<&'a str, &'a str>,
    pub(super) processes: u32,
    pub(super) consumers: u32,
    pub(super) groups: u32,
    pub(super) group: Option<&'a str>,
    pub(super) assignment: Assignment,
    pub(super) protocol: Protocol,
    pub(super) assignor: Option<Assignor>,
    pub(super) commit: Commit,
    pub(super) work: Work,
    pub(super) buffers: Buffers,
    pub(super) read: Read,
    pub(super) threads: u32,
    pub(super) ordering: WorkOrdering,
    pub(super) place: &'a str,
    pub(super) client_defaults: ClientDefaults,
    pub(super) properties: BTreeMap<&'a str, &'a PropertyValue>,
    pub(super) mode: ModeName,
    rate: Option<f64>,
    mib_per_second: Option<f64>,
    arrivals: Arrivals,
    pub(super) shape: &'a Shape,
    pub(super) duration_ns: u64,
    pub(super) warmup_ns: u64,
    producers: u32,
    producer_properties: BTreeMap<&'a str, &'a PropertyValue>,
    given: BTreeMap<&'a str, &'a Given>,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Settings {
            partitions: 1,
            topics: 1,
            records: 1_000_000,
            size: Size::Fixed(100),
            keys: Keys::None,
            weights: &[],
            compression: Compression::None,
            compression_ratio: None,
            replication: 1,
            topic: &[],
            last: None,
            of_topic: BTreeMap::new(),
            processes: 1,
            consumers: 1,
            groups: 1,
            group: None,
            assignment: Assignment::Group,
            protocol: Protocol::Classic,
            assignor: None,
            commit: Commit::None,
            work: Work::None,
            buffers: Buffers::Each,
            read: Read::Batch,
            threads: 1,
            ordering: WorkOrdering::Partition,
            place: "here",
            client_defaults: ClientDefaults::Tandem,
            properties: BTreeMap::new(),
            mode: ModeName::Backlog,
            rate: None,
            mib_per_second: None,
            arrivals: Arrivals::Constant,
            shape: &CONSTANT,
            duration_ns: 10 * SECOND_NS,
            warmup_ns: 2 * SECOND_NS,
            producers: 1,
            producer_properties: BTreeMap::new(),
            given: BTreeMap::new(),
        }
    }
}

impl<'a> Settings<'a> {
    /// The defaults with these on top, later ones over earlier ones.
    pub(super) fn from_given(given: impl IntoIterator<Item = &'a Given>) -> Self {
        let mut settings = Settings::default();
        for given in given {
            settings.apply(given);
        }
        settings
    }

    fn apply(&mut self, given: &'a Given) {
        self.given.insert(&given.key, given);
        match &given.setting {
            Setting::Partitions(value) => self.partitions = *value,
            Setting::Topics(value) => self.topics = *value,
            Setting::Records(value) => self.records = *value,
            Setting::Size(value) => self.size = *value,
            Setting::Keys(value) => self.keys = *value,
            Setting::Weights(value) => self.weights = value,
            Setting::Compression(value) => self.compression = *value,
            Setting::CompressionRatio(value) => self.compression_ratio = Some(*value),
            Setting::Replication(value) => self.replication = *value,
            Setting::Topic(value) => self.topic = value,
            Setting::Last(value) => self.last = Some(*value),
            Setting::OfTopic(value) => {
                self.of_topic
                    .insert(given.key.strip_prefix(TOPIC).unwrap_or(&given.key), value);
            }
            Setting::Processes(value) => self.processes = *value,
            Setting::Consumers(value) => self.consumers = *value,
            Setting::Groups(value) => self.groups = *value,
            Setting::Group(value) => self.group = Some(value),
            Setting::Assignment(value) => self.assignment = *value,
            Setting::Protocol(value) => self.protocol = *value,
            Setting::Assignor(value) => self.assignor = Some(*value),
            Setting::Commit(value) => self.commit = *value,
            Setting::Work(value) => self.work = *value,
            Setting::Buffers(value) => self.buffers = *value,
            Setting::Read(value) => self.read = *value,
            Setting::Threads(value) => self.threads = *value,
            Setting::Ordering(value) => self.ordering = *value,
            Setting::Place(value) => self.place = value,
            Setting::ClientDefaults(value) => self.client_defaults = *value,
            Setting::Property(value) => {
                self.properties
                    .insert(given.key.strip_prefix(CLIENT).unwrap_or(&given.key), value);
            }
            Setting::Mode(value) => self.mode = *value,
            Setting::Rate(value) => self.rate = Some(*value),
            Setting::MibPerSecond(value) => self.mib_per_second = Some(*value),
            Setting::Arrivals(value) => self.arrivals = *value,
            Setting::Profile(value) => self.shape = value,
            Setting::Duration(value) => self.duration_ns = *value,
            Setting::Warmup(value) => self.warmup_ns = *value,
            Setting::Producers(value) => self.producers = *value,
            Setting::ProducerProperty(value) => {
                self.producer_properties
                    .insert(given.key.strip_prefix(PRODUCER).unwrap_or(&given.key), value);
            }
        }
    }

    /// Where the key's value was given; `None` where the default holds.
    pub(super) fn given(&self, key: &str) -> Option<&'a Given> {
        self.given.get(key).copied()
    }

    /// Everything that was given.
    pub(super) fn all_given(&self) -> impl Iterator<Item = &'a Given> + '_ {
        self.given.values().copied()
    }

    /// Partitions over all topics.
    pub(super) fn partitions_total(&self) -> u64 {
        u64::from(self.partitions) * u64::from(self.topics)
    }

    /// Members of one group.
    pub(super) fn members_per_group(&self) -> u64 {
        u64::from(self.processes) * u64::from(self.consumers)
    }

    /// True where every partition holds the same number of records.
    pub(super) fn partitions_are_equal(&self) -> bool {
        self.weights.is_empty() && self.keys == Keys::None
    }

    /// True where topics are read that exist.
    pub(super) fn reads_existing(&self) -> bool {
        !self.topic.is_empty()
    }

    /// True where records arrive while others are read, or are all that is read.
    pub(super) fn has_load(&self) -> bool {
        self.mode != ModeName::Backlog
    }

    /// Records per second, whichever way they were given.
    fn records_per_second(&self) -> Option<f64> {
        let by_bytes = |mib: f64| mib * BYTES_PER_MIB / self.size.mean_bytes();
        self.rate.or(self.mib_per_second.map(by_bytes))
    }

    /// The records that arrive; `None` for a backlog, and where no rate was given.
    pub(super) fn load(&self) -> Option<Load> {
        let rate = self.records_per_second().filter(|_| self.has_load())?;
        let property = |(name, value): (&&str, &&PropertyValue)| ((*name).to_owned(), (*value).clone());
        Some(Load {
            rate,
            arrivals: self.arrivals,
            shape: self.shape.clone(),
            duration_ns: self.duration_ns,
            warmup_ns: self.warmup_ns,
            producers: self.producers,
            properties: self.producer_properties.iter().map(property).collect(),
        })
    }

    /// The mode with its load. One that needs a load and has no rate was an error before.
    pub(super) fn mode(&self) -> Mode {
        match (self.mode, self.load()) {
            (ModeName::Live, Some(load)) => Mode::Live(load),
            (ModeName::Mixed, Some(load)) => Mode::Mixed(load),
            (ModeName::Backlog, _) | (_, None) => Mode::Backlog,
        }
    }

    /// The value of any key as text: what the file says, or the default.
    pub(super) fn text(&self, key: &str) -> String {
        if !self.has_load() && is_load_key(key) {
            return "none".to_owned();
        }
        if let Some(given) = self.given(key) {
            return given.setting.text();
        }
        match key {
            "partitions" => self.partitions.to_string(),
            "topics" => self.topics.to_string(),
            "records" => self.records.to_string(),
            "size" => size_text(self.size),
            "keys" => keys_text(self.keys),
            "weights" => weights_text(self.weights),
            "compression" => self.compression.as_str().to_owned(),
            "compression_ratio" => ratio_text(self.compression_ratio),
            "replication" => self.replication.to_string(),
            "last" => "all".to_owned(),
            "processes" => self.processes.to_string(),
            "consumers" => self.consumers.to_string(),
            "groups" => self.groups.to_string(),
            "assignment" => name_of(self.assignment).to_owned(),
            "protocol" => name_of(self.protocol).to_owned(),
            "commit" => commit_text(self.commit),
            "work" => work_text(self.work),
            "buffers" => name_of(self.buffers).to_owned(),
            "read" => name_of(self.read).to_owned(),
            "threads" => self.threads.to_string(),
            "ordering" => name_of(self.ordering).to_owned(),
            "place" => self.place.to_owned(),
            "client" => name_of(self.client_defaults).to_owned(),
            "mode" => name_of(self.mode).to_owned(),
            "rate" => self.records_per_second().map_or_else(String::new, number_text),
            "mib_per_second" => {
                let mib = |rate: f64| number_text(rate * self.size.mean_bytes() / BYTES_PER_MIB);
                self.records_per_second().map_or_else(String::new, mib)
            }
            "arrivals" => name_of(self.arrivals).to_owned(),
            "producers" => self.producers.to_string(),
            // An assignor or a property that nobody set.
            _ => "default".to_owned(),
        }
    }
}
