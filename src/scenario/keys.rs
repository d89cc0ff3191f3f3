//! The keys of a scenario file: for each its name, the tables it may stand in, how its value is read and described,
//! its default and its meaning. Parser, schema, error messages and documentation are made from this one list.

use schemars::{Schema, SchemaGenerator};

use super::client;
use super::dataset_kinds::{KeysValue, SizeValue, TopicsValue, WeightsValue};
use super::document::Entry;
use super::error::{Problem, did_you_mean, nearest};
use super::kinds::{
    Assignment, Assignor, Bootstrap, ClientDefaults, CommitValue, GroupName, PARTITIONS_MAX, Prefix, Processors,
    Protocol, RECORDS_MAX, Version, WorkValue,
};
use super::load_kinds::{Duration, Lag, ModeName, PRODUCERS_MAX, Positive, ProfileValue, RATE_MAX, Warmup};
use super::model::{Buffers, Compression, Read, WorkOrdering};
use super::repetitions::RepetitionsValue;
use super::settings::{PRODUCER, Setting};
use super::values::{Command, Decimal, FileValue, Formed, Line, Node, OneOf, Refusal, Switch, Whole};
use crate::load::Arrivals;

/// A table of the file in which keys stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Before the first header.
    Top,
    /// `[trial]`
    Trial,
    /// `[cluster]`
    Cluster,
    /// `[[place]]`
    Place,
    /// `[dataset]`
    Dataset,
    /// `[consumer]`
    Consumer,
    /// `[load]`
    Load,
    /// `[capacity]`
    Capacity,
    /// `[matrix]`, where each value is a list.
    Matrix,
    /// `[[case]]`
    Case,
}

impl Table {
    /// The tables that stand once, in the order of the documentation.
    pub(super) const SINGLE: [Table; 7] = [
        Table::Trial,
        Table::Cluster,
        Table::Dataset,
        Table::Consumer,
        Table::Load,
        Table::Capacity,
        Table::Matrix,
    ];

    /// The table whose header has this name.
    pub(super) fn named(name: &str) -> Option<Table> {
        let tables = Table::SINGLE.into_iter().chain([Table::Place, Table::Case]);
        tables.into_iter().find(|table| table.name() == name)
    }

    /// The name between the brackets.
    pub(super) fn name(self) -> &'static str {
        self.header().trim_matches(['[', ']'])
    }

    /// As a reader of a message finds it in the file.
    pub fn header(self) -> &'static str {
        match self {
            Table::Top => "the top of the file",
            Table::Trial => "[trial]",
            Table::Cluster => "[cluster]",
            Table::Place => "[[place]]",
            Table::Dataset => "[dataset]",
            Table::Consumer => "[consumer]",
            Table::Load => "[load]",
            Table::Capacity => "[capacity]",
            Table::Matrix => "[matrix]",
            Table::Case => "[[case]]",
        }
    }
}

type ReadSetting = fn(&Node<'_>) -> Result<Setting, Refusal>;

/// A key of the scenario file.
#[derive(Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// Where it may stand.
    pub tables: &'static [Table],
    /// What holds where it is not given; empty for a key that must be given.
    pub default: &'static str,
    /// What it means, in a sentence.
    pub doc: &'static str,
    allowed: fn() -> String,
    schema: fn(&mut SchemaGenerator) -> Schema,
    setting: Option<ReadSetting>,
}

impl Key {
    /// The values it takes, in words.
    pub fn allowed(&self) -> String {
        (self.allowed)()
    }

    pub(super) fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.schema)(generator)
    }

    /// How its value is read, for keys that make a configuration.
    pub(super) fn setting(&self) -> Option<ReadSetting> {
        self.setting
    }
}

pub(super) type Seed = Whole<0, { i64::MAX }>;
pub(super) type WarmupBlocks = Whole<0, 100>;
pub(super) type Threshold = Decimal<1, 500>;
pub(super) type TrialSeconds = Decimal<50, 600_000>;
pub(super) type Records = Whole<1, RECORDS_MAX>;
pub(super) type Brokers = Whole<1, 100>;
type Partitions = Whole<1, PARTITIONS_MAX>;
type Replication = Whole<1, 100>;
/// Processes, consumers and groups; their product is bounded where it is known.
type Count = Whole<1, 1_000>;
/// Uncompressed to compressed bytes of values.
type Ratio = Decimal<1_000, 20_000>;
/// Worker threads of a consumer; those of all consumers are bounded where their number is known.
type Threads = Whole<1, 256>;
type Producers = Whole<1, PRODUCERS_MAX>;
/// MiB per second; the records per second that come of it are checked with the size.
type Throughput = Positive<1_000_000>;
/// Milliseconds from one microsecond to ten minutes, which is what is measured.
pub(super) type LimitMs = Decimal<1, 600_000_000>;
pub(super) type Precision = Decimal<10, 500>;

const DATASET: &[Table] = &[Table::Dataset, Table::Matrix, Table::Case];
const CONSUMER: &[Table] = &[Table::Consumer, Table::Matrix, Table::Case];
const LOAD: &[Table] = &[Table::Load, Table::Matrix, Table::Case];

macro_rules! key {
    ($tables:expr, $name:literal, $kind:ty, $default:literal, $doc:literal) => {
        key!($tables, $name, $kind, $default, $doc, None)
    };
    ($tables:expr, $name:literal, $kind:ty, $default:literal, $doc:literal => |$value:ident| $setting:expr) => {
        key!(
            $tables,
            $name,
            $kind,
            $default,
            $doc,
            Some(|node| <$kind>::read(node).map(|$value| $setting))
        )
    };
    ($tables:expr, $name:literal, $kind:ty, $default:literal, $doc:literal, $setting:expr) => {
        Key {
            name: $name,
            tables: $tables,
            default: $default,
            doc: $doc,
            allowed: <$kind>::allowed,
            schema: |generator| generator.subschema_for::<$kind>(),
            setting: $setting,
        }
    };
}

/// Every key but those of client tables, in the order of the documentation.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key!(&[Table::Top], "question", Line, "",
        "The question that the scenario answers; it opens the report."),
    key!(&[Table::Top], "seed", Seed, "1",
        "Seeds the order of trials and the contents of records."),
    key!(&[Table::Top], "repetitions", RepetitionsValue, "10",
        "Counted blocks, each of which runs every configuration once; or until when they go on, and how many at most."),
    key!(&[Table::Top], "warmup_blocks", WarmupBlocks, "1",
        "Blocks that are run first and not counted."),
    key!(&[Table::Top], "threshold", Threshold, "0.03",
        "The difference, as a share, below which two configurations count as the same."),
    key!(&[Table::Top], "baseline", Line, "the first case",
        "The case or configuration that the others are compared with."),
    key!(&[Table::Trial], "seconds", TrialSeconds, "1",
        "Wanted time of reading; a pilot finds the number of records for it."),
    key!(&[Table::Trial], "records", Records, "found by the pilot",
        "Records that each group reads in a trial, over all topics and partitions, instead of `seconds`."),
    key!(&[Table::Cluster], "brokers", Brokers, "1",
        "Brokers that tandem starts for the run."),
    key!(&[Table::Cluster], "version", Formed<Version>, "4.3.1",
        "Version of Apache Kafka that tandem starts."),
    key!(&[Table::Cluster], "zookeeper", Switch, "true below 3.3, else false",
        "Whether the brokers keep their metadata in a ZooKeeper, which tandem starts with them; 4.x cannot."),
    key!(&[Table::Cluster], "bootstrap", Formed<Bootstrap>, "none: brokers are started",
        "Addresses of a running cluster to use instead of starting brokers."),
    key!(&[Table::Cluster], "prefix", Formed<Prefix>, "tandem-",
        "Start of the names of topics and groups."),
    key!(&[Table::Place], "name", Line, "",
        "Name by which `place` refers to it; `here`, this machine, always exists."),
    key!(&[Table::Place], "launcher", Command, "this program itself",
        "Command that starts a worker there; `{tandem}` stands for this program, and the role is added to the end."),
    key!(&[Table::Place], "cpus", Formed<Processors>, "all",
        "Processors that the workers may use."),
    key!(&[Table::Place], "listener", Line, "the brokers' default",
        "Name of the brokers' listener that the workers connect to."),
    key!(DATASET, "partitions", Partitions, "1",
        "Partitions of each topic." => |value| Setting::Partitions(value.small())),
    key!(DATASET, "topics", Partitions, "1",
        "Topics; every member subscribes to all of them." => |value| Setting::Topics(value.small())),
    key!(&[Table::Dataset], "records", Records, "1,000,000",
        "Records of the whole set, over all topics and partitions; rounded up so that partitions are equal."
        => |value| Setting::Records(value.get())),
    key!(DATASET, "size", SizeValue, "100",
        "Bytes of a record's value: one size or a distribution." => |value| Setting::Size(value.0)),
    key!(DATASET, "keys", KeysValue, "none",
        "Keys of the records; with keys, partitions are chosen by the keys' hash and are not equal."
        => |value| Setting::Keys(value.0)),
    key!(DATASET, "weights", WeightsValue, "equal",
        "Share of each partition of a topic." => |value| Setting::Weights(value.0)),
    key!(DATASET, "compression", OneOf<Compression>, "none",
        "Compression by the producer." => |value| Setting::Compression(value.0)),
    key!(DATASET, "compression_ratio", Ratio, "that of text",
        "How many times shorter lz4 or zstd makes the records' values; 1 is incompressible."
        => |value| Setting::CompressionRatio(value.get())),
    key!(DATASET, "replication", Replication, "1",
        "Replication factor of the topics." => |value| Setting::Replication(value.small())),
    key!(&[Table::Dataset], "topic", TopicsValue, "none: topics are made and filled",
        "Topics that exist, to be read as they are instead of filling any." => |value| Setting::Topic(value.0)),
    key!(&[Table::Dataset], "last", Records, "all",
        "Of each partition of existing topics only the last so many offsets." => |value| Setting::Last(value.get())),
    key!(CONSUMER, "processes", Count, "1",
        "Worker processes of each group." => |value| Setting::Processes(value.small())),
    key!(CONSUMER, "consumers", Count, "1",
        "Consumers in each process." => |value| Setting::Consumers(value.small())),
    key!(CONSUMER, "groups", Count, "1",
        "Consumer groups; each reads everything." => |value| Setting::Groups(value.small())),
    key!(&[Table::Consumer], "group", Formed<GroupName>, "a fresh one for each trial",
        "The one group to use where permissions allow no other; it must have no members, and it is not deleted."
        => |value| Setting::Group(value.0)),
    key!(CONSUMER, "assignment", OneOf<Assignment>, "group",
        "Who gives members their partitions: the group, or tandem in turn." => |value| Setting::Assignment(value.0)),
    key!(CONSUMER, "protocol", OneOf<Protocol>, "classic",
        "Group protocol: classic, or consumer (KIP-848)." => |value| Setting::Protocol(value.0)),
    key!(CONSUMER, "assignor", OneOf<Assignor>, "the client's or the broker's",
        "Rule of assignment: range, roundrobin or cooperative-sticky (classic), uniform or range (consumer)."
        => |value| Setting::Assignor(value.0)),
    key!(CONSUMER, "commit", CommitValue, "none",
        "When positions are committed." => |value| Setting::Commit(value.0)),
    key!(CONSUMER, "work", WorkValue, "none",
        "What is done with each record: nothing, computing, or waiting as for a database."
        => |value| Setting::Work(value.0)),
    key!(CONSUMER, "buffers", OneOf<Buffers>, "each",
        "Whether the client's buffers are for each consumer or shared out among a group's members."
        => |value| Setting::Buffers(value.0)),
    key!(CONSUMER, "read", OneOf<Read>, "batch",
        "How records are taken from the client: in batches, one per call, or by the Rust client's stream."
        => |value| Setting::Read(value.0)),
    key!(CONSUMER, "threads", Threads, "1",
        "Threads of each consumer that work its records; with 1 the thread that reads works them too."
        => |value| Setting::Threads(value.small())),
    key!(CONSUMER, "ordering", OneOf<WorkOrdering>, "partition",
        "Which records wait for each other where there are several threads: those of a partition, of a key, or none."
        => |value| Setting::Ordering(value.0)),
    key!(CONSUMER, "place", Line, "here",
        "The [[place]] where worker processes run." => |value| Setting::Place(value.0)),
    key!(&[Table::Case], "name", Line, "",
        "Name of the case; names of configurations begin with it."),
    key!(CONSUMER, "client", OneOf<ClientDefaults>, "tandem",
        "\"defaults\" leaves tandem's own client settings out; a table of this name holds client properties."
        => |value| Setting::ClientDefaults(value.0)),
    key!(LOAD, "mode", OneOf<ModeName>, "live where there is a [load], else backlog",
        "What is read: records that lie there, records that arrive, or a backlog with records arriving behind it."
        => |value| Setting::Mode(value.0)),
    key!(LOAD, "rate", Positive<RATE_MAX>, "must be given where `mib_per_second` is not",
        "Records per second of all producers together." => |value| Setting::Rate(value.get())),
    key!(LOAD, "mib_per_second", Throughput, "that of `rate`",
        "The rate in MiB of values per second instead, turned into records by their mean size."
        => |value| Setting::MibPerSecond(value.get())),
    key!(LOAD, "arrivals", OneOf<Arrivals>, "constant",
        "How records arrive: at even distances, or as a Poisson process." => |value| Setting::Arrivals(value.0)),
    key!(&[Table::Load], "profile", ProfileValue, "constant",
        "The rate over time, as multiples of it." => |value| Setting::Profile(value.0)),
    key!(&[Table::Load], "duration", Duration, "10s",
        "The window in which records are measured, by the times for which they were intended."
        => |value| Setting::Duration(value.ns())),
    key!(&[Table::Load], "warmup", Warmup, "2s",
        "Time before the window in which records arrive and are not measured." => |value| Setting::Warmup(value.ns())),
    key!(LOAD, "producers", Producers, "1",
        "Producer processes that share the rate." => |value| Setting::Producers(value.small())),
    key!(&[Table::Capacity], "p50_ms", LimitMs, "one of the four",
        "The longest response time allowed for half of the records, in milliseconds."),
    key!(&[Table::Capacity], "p90_ms", LimitMs, "one of the four",
        "The longest response time allowed for 90 % of the records."),
    key!(&[Table::Capacity], "p99_ms", LimitMs, "one of the four",
        "The longest response time allowed for 99 % of the records."),
    key!(&[Table::Capacity], "p999_ms", LimitMs, "one of the four",
        "The longest response time allowed for 99.9 % of the records."),
    key!(&[Table::Capacity], "lag", OneOf<Lag>, "bounded",
        "How far readers may fall behind: not further and further."),
    key!(&[Table::Capacity], "precision", Precision, "0.05",
        "The search ends when the answer's interval is narrower than this share of it."),
    key!(&[Table::Capacity], "confirm", Duration, "three times `duration`",
        "The window of the trial that confirms the answer; at least `duration`."),
];

/// The key of that name in that table.
pub(super) fn key_in(table: Table, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name && key.tables.contains(&table))
}

/// A key that does not stand in that table: misplaced or misspelt.
pub(super) fn unknown_key(entry: &Entry<'_>, stands_in: Table) -> Problem {
    let place = match stands_in {
        Table::Top => "at the top of the file".to_owned(),
        _ => format!("in {}", stands_in.header()),
    };
    let message = format!("there is no key `{}` {place}", entry.key);
    let problem = Problem::new(entry.key_span.clone(), message, "cannot stand here");
    let homes = KEYS
        .iter()
        .filter(|key| key.name == entry.key)
        .flat_map(|key| key.tables);
    let homes: Vec<&str> = homes.map(|table| table.header()).collect();
    if homes.contains(&Table::Top.header()) {
        return problem.help(format!(
            "`{}` stands at the top of the file, before the first [table]",
            entry.key
        ));
    }
    if !homes.is_empty() {
        return problem.help(format!("`{}` stands in {}", entry.key, homes.join(", ")));
    }
    let producer = entry.key == PRODUCER.trim_end_matches('.') && matches!(stands_in, Table::Matrix | Table::Case);
    if let Some(problem) = producer.then(|| client::producer_without_quotes(entry)).flatten() {
        return problem;
    }
    if entry.key.contains('.') && !entry.value.get_ref().is_table() {
        return problem.help(match stands_in {
            Table::Load => "producer properties stand in [load.client]",
            Table::Dataset => "settings of the topics stand in [dataset.topic]",
            _ => "client properties stand in [consumer.client], [matrix.client] or [case.client]",
        });
    }
    let lists = [Table::Place, Table::Case];
    let tables = Table::SINGLE.into_iter().chain(lists).map(Table::name);
    let tables = tables.filter(|_| stands_in == Table::Top);
    let here = KEYS
        .iter()
        .filter(|key| key.tables.contains(&stands_in))
        .map(|key| key.name);
    let here: Vec<&str> = here
        .chain(tables)
        .chain(matches!(stands_in, Table::Cluster | Table::Load).then_some("client"))
        .collect();
    if nearest(entry.key, here.iter().copied()).is_some() {
        return problem.maybe_help(did_you_mean(entry.key, here));
    }
    problem.maybe_help(did_you_mean(entry.key, KEYS.iter().map(|key| key.name)))
}
