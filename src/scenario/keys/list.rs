//! Every key of a scenario file, declared once. Parser, defaults, error messages, JSON Schema, families, comparisons
//! between runs and the tables of docs/scenarios.md are made from these declarations.

use std::collections::BTreeMap;

use super::configured::Configured;
use super::events::{EventKeys, PlacedEvent};
use super::key::{Key, TableKeys, keys};
use super::kubernetes::KubernetesKeys;
use super::table::Table;
use crate::clients::{OWN_APP, ReadyMade};
use crate::load::Arrivals;
use crate::scenario::kafka_version::{DEFAULT_KAFKA_VERSION, KafkaVersion};
use crate::scenario::kinds::{
    AppCommand, AppEnv, AppName, Assignment, Bootstrap, ClientDefaults, Command, Container, Cores, Count, Decimal,
    Duration, Expression, FigureName, Formed, FromEnvironment, GroupName, HostName, Integer, IntegerOrAll, Interval,
    KeyNames, Kind, Lag, Line, ListenerName, Memory, MetricName, Milliseconds, ModeName, Number, OneOf, PlaceNames,
    Positive, Prefix, Processors, Protocol, Ratio, SshTarget, Switch, Threshold, TopicName, Topics, Warmup, Weights,
};
use crate::scenario::model::{
    Assignor, Buffers, Commit, Compression, GroupProtocol, HERE, Keys, Membership, Producers, PropertyValue, Read,
    Repetitions, Shape, Size, Speaks, StoreErrors, StoreKind, StoreWrite, TrialLength, Until, Work, WorkOrdering,
};

/// Partitions of a topic, and of a data set.
pub(crate) const PARTITIONS_MAX: i64 = 10_000;
/// Records of a data set, and of the load of a trial.
pub(crate) const RECORDS_MAX: i64 = 100_000_000_000;

/// Bytes of a MiB.
pub(crate) const BYTES_PER_MIB: f64 = 1_048_576.0;
const SECOND_NS: u64 = 1_000_000_000;

type Partitions = Count<1, PARTITIONS_MAX>;
type Records = Integer<1, RECORDS_MAX>;
/// Processes, consumers and groups; their product is checked with all of them.
type Members = Count<1, 1_000>;
/// Milliseconds from one microsecond to ten minutes, which is what is measured.
type LimitMs = Decimal<1, 600_000_000>;

const DATASET: &[Table] = &[Table::Dataset, Table::Matrix, Table::Case];
const CONSUMER: &[Table] = &[Table::Consumer, Table::Matrix, Table::Case];
const LOAD: &[Table] = &[Table::Load, Table::Matrix, Table::Case];

keys! {
    /// The keys before the first table.
    TopKeys {}

    "question" => question: Line, &[Table::Top], required(),
        "The question that the scenario answers; it opens the report.";
    "seed" => seed: Integer<0, { i64::MAX }>, &[Table::Top], default(1),
        "Seeds the order of trials and the contents of records.";
    "repetitions" => repetitions: Repetitions, &[Table::Top], default(Repetitions::until_holds(Until::Decided, 20)),
        "Counted blocks; or until when they go on, and how many at most. 10 where nothing is compared.";
    "warmup_blocks" => warmup_blocks: Count<0, 100>, &[Table::Top], default(1),
        "Blocks that are run first and not counted.";
    "metric" => metric: MetricName, &[Table::Top],
        absent("by mode: the read time, the p99 of the response time, or the time to catch up"),
        "The figure by which configurations are compared, by its column in summary.csv.";
    "threshold" => threshold: Threshold, &[Table::Top], default(Threshold::Share(0.03)),
        "The difference below which two configurations count as the same: a share of ratios, an amount of differences.";
    "baseline" => baseline: Line, &[Table::Top], absent("the first case"),
        "The case or configuration that the others are compared with.";
    "compare_across" => compare_across: KeyNames, &[Table::Top], absent("none"),
        "Keys whose values are compared although each value would make a family of its own.";
}

keys! {
    /// `[trial]`
    TrialKeys {}

    "seconds" => seconds: Decimal<50, 600_000>, &[Table::Trial], default(1.0),
        Task(|c| match c.trial()? {
            TrialLength::Seconds(seconds) => Some(seconds),
            TrialLength::Records(_) | TrialLength::Everything => None,
        }),
        "Wanted time of reading; a pilot finds the number of records for it.";
    "records" => records: Records, &[Table::Trial], absent("found by the pilot"),
        Task(|c| match c.trial()? {
            TrialLength::Records(records) => Some(records),
            TrialLength::Seconds(_) | TrialLength::Everything => None,
        }),
        "Records that each group reads in a trial, over all topics and partitions, instead of `seconds`.";
}

keys! {
    /// `[cluster]`
    ClusterKeys {}

    "brokers" => brokers: Count<1, 100>, &[Table::Cluster], default(1),
        "Brokers that tandem starts for the run.";
    "version" => version: KafkaVersion, &[Table::Cluster], default(DEFAULT_KAFKA_VERSION),
        "Version of Apache Kafka that tandem starts.";
    "zookeeper" => zookeeper: Switch, &[Table::Cluster], absent("true below 3.3, else false"),
        "Whether the brokers keep their metadata in a ZooKeeper, which tandem starts with them; 4.x cannot.";
    "bootstrap" => bootstrap: Formed<Bootstrap>, &[Table::Cluster], absent("none: brokers are started"),
        "Addresses of a running cluster to use instead of starting brokers.";
    "port" => port: Count<1, 65_535>, &[Table::Cluster], absent("free ones"),
        "Port of the first broker that tandem starts, the next ones for the others: for programs whose address is fixed.";
    "address" => address: Formed<HostName>, &[Table::Cluster], absent("127.0.0.1 only"),
        "Name or address of this machine by which workers on other hosts reach the brokers that tandem starts.";
    "prefix" => prefix: Formed<Prefix>, &[Table::Cluster], default("tandem-".to_owned()),
        "Start of the names of topics and groups.";
}

keys! {
    /// `[[place]]`
    PlaceKeys {
        /// `[place.kubernetes]`.
        kubernetes: Option<KubernetesKeys>,
    }

    "name" => name: Line, &[Table::Place], required(),
        "Name by which `place` refers to it; `here`, this machine, always exists.";
    "launcher" => launcher: Command, &[Table::Place], absent("this program itself"),
        "Command that starts a worker there; `{tandem}` stands for this program and has `worker` after it; the role is added to the end.";
    "ssh" => ssh: Formed<SshTarget>, &[Table::Place], absent("this machine"),
        "Host of the workers, as OpenSSH names it; tandem's program is copied there once.";
    "container" => container: Container, &[Table::Place], absent("none"),
        "Image of the workers, each of which is a container of this engine.";
    "tandem" => tandem: Line, &[Table::Place], absent("the copy, or the image's"),
        "Path of tandem's program on the host of `ssh`, or in the image.";
    "cpus" => cpus: Formed<Processors>, &[Table::Place], absent("all"),
        "Processors of the workers' machine that they keep to.";
    "cpu_limit" => cpu_limit: Cores, &[Table::Place], absent("none"),
        "CPU quota of each worker process, in cores, as a container has it: beyond it, all its threads stand still.";
    "memory_limit" => memory_limit: Memory, &[Table::Place], absent("none"),
        "Memory that each worker process may have; the kernel kills one that needs more.";
    "listener" => listener: Formed<ListenerName>, &[Table::Place], absent("the brokers' default"),
        "Name of the brokers' listener that the workers connect to; brokers that tandem starts get it.";
}

keys! {
    /// `[[app]]`
    AppKeys {
        /// Properties of its client, by that client's own names.
        client: BTreeMap<String, PropertyValue>,
    }

    "name" => name: Line, &[Table::App], required(),
        "Name by which `app` refers to it.";
    "command" => command: AppCommand, &[Table::App], required(),
        "Program and arguments; names in braces are replaced, and the role is added to the end if it speaks `tandem`.";
    "env" => env: AppEnv, &[Table::App], absent("none"),
        "Variables of its environment; names in braces are replaced.";
    "speaks" => speaks: OneOf<Speaks>, &[Table::App], default(Speaks::Tandem),
        "What it speaks: tandem's worker protocol, or nothing, and then it is observed from outside.";
    "ready" => ready: Formed<Expression>, &[Table::App], absent("its membership in the group"),
        "Finds the line of its output that says that it is ready, if it speaks nothing.";
}

keys! {
    /// Everything that makes a configuration: `[dataset]`, `[consumer]` and `[load]`, and the same keys in `[matrix]`
    /// and `[[case]]`.
    Settings {
        /// Settings of topics that are made, by Kafka's names for them.
        of_topics: BTreeMap<String, String>,
        /// Client properties of the measured consumers, by the names of the client that runs.
        properties: BTreeMap<String, PropertyValue>,
        /// Client properties for one ready-made client alone.
        own_properties: BTreeMap<ReadyMade, BTreeMap<String, PropertyValue>>,
        /// Properties of the producers that fill the data set, by the library's own names.
        fill_properties: BTreeMap<String, String>,
        /// Client properties of the producers of load.
        producer_properties: BTreeMap<String, PropertyValue>,
        /// What is done on purpose in each trial, in the order of the file.
        events: Vec<PlacedEvent>,
    }

    "partitions" => partitions: Partitions, DATASET, default(1),
        Task(|c| Some(c.filled()?.partitions)),
        "Partitions of each topic.";
    "name" => name: Formed<TopicName>, &[Table::Dataset], absent("one that tells whose it is"),
        Means(|c| c.filled()?.name.clone()),
        "Name of the one topic that is made, for programs whose topic is fixed; only on clusters that tandem starts.";
    "topics" => topics: Partitions, DATASET, default(1),
        Task(|c| Some(c.filled()?.topics)),
        "Topics; every member subscribes to all of them.";
    "records" => records: Records, &[Table::Dataset], default(1_000_000),
        Means(|c| (c.is_backlog() && c.dataset.is_seen()).then_some(c.dataset.records)),
        "Records of the data set, over all topics and partitions; rounded up so that partitions are equal.";
    "size" => size: Size, DATASET, default(Size::Fixed(100)),
        Family(|c| Some(c.filled()?.size)),
        "Bytes of a record's value: one size or a distribution.";
    "keys" => keys: Keys, DATASET, default(Keys::None),
        Family(|c| Some(c.filled()?.keys)),
        "Keys of the records; with keys, partitions are chosen by the keys' hash and are not equal.";
    "weights" => weights: Weights, DATASET, default(Vec::new()),
        Task(|c| Some(c.filled()?.weights.clone())),
        "Share of each partition of a topic.";
    "compression" => compression: OneOf<Compression>, DATASET, default(Compression::None),
        Family(|c| Some(c.filled()?.compression)),
        "Compression by the producer.";
    "compression_ratio" => compression_ratio: Ratio, DATASET, default(None),
        Family(|c| Some(c.filled()?.compression_ratio)),
        "How many times shorter lz4 or zstd makes the records' values; 1 is incompressible, and by default they are text.";
    "replication" => replication: Count<1, 100>, DATASET, default(1),
        Means(|c| Some(c.dataset.replication)),
        "Replication factor of the topics.";
    "topic" => topic: Topics, &[Table::Dataset], absent("none: topics are made and filled"),
        Task(|c| Some(c.existing()?.wanted.clone())),
        "Topics that exist, to be read as they are instead of filling any.";
    "last" => last: IntegerOrAll<RECORDS_MAX>, &[Table::Dataset], default(None),
        Task(|c| Some(c.existing()?.last)),
        "Of each partition of existing topics only the last so many offsets.";

    "processes" => processes: Members, CONSUMER, default(1),
        Task(|c| Some(c.configuration.processes)),
        "Worker processes of each group.";
    "consumers" => consumers: Members, CONSUMER, default(1),
        Task(|c| Some(c.configuration.consumers)),
        "Consumers in each process.";
    "groups" => groups: Members, CONSUMER, default(1),
        Task(|c| Some(c.configuration.groups)),
        "Consumer groups; each reads everything.";
    "group" => group: Formed<GroupName>, &[Table::Consumer], absent("a fresh one for each trial"),
        "The one group to use where permissions allow no other; it must have no members, and it is not deleted.";
    "assignment" => assignment: OneOf<Assignment>, CONSUMER, default(Assignment::Group),
        Task(|c| Some(match c.configuration.membership {
            Membership::Group(_) => Assignment::Group,
            Membership::Manual => Assignment::Manual,
        })),
        "Who gives members their partitions: the group, or tandem in turn.";
    "protocol" => protocol: OneOf<Protocol>, CONSUMER, default(Protocol::Classic),
        Means(|c| Some(match c.protocol()? {
            GroupProtocol::Classic { .. } => Protocol::Classic,
            GroupProtocol::Consumer { .. } => Protocol::Consumer,
        })),
        "Group protocol: classic, or consumer (KIP-848).";
    "assignor" => assignor: OneOf<Assignor>, CONSUMER, absent("the client's or the broker's"),
        Means(|c| match c.protocol()? {
            GroupProtocol::Classic { assignor } | GroupProtocol::Consumer { assignor } => *assignor,
        }),
        "Rule of assignment: range, roundrobin or cooperative-sticky (classic), uniform or range (consumer).";
    "static" => is_static: Switch, CONSUMER, default(false),
        Means(|c| c.configuration.is_static.then_some(true)),
        "Whether members are known by a name (`group.instance.id`) that they keep when they come back.";
    "session_timeout" => session_timeout_ms: Milliseconds<3_600_000>, CONSUMER, absent("the client's or the broker's"),
        Means(|c| c.configuration.session_timeout_ms),
        "Time without a heartbeat after which the group takes a member for dead.";
    "heartbeat" => heartbeat_ms: Milliseconds<3_600_000>, CONSUMER, absent("the client's or the broker's"),
        Means(|c| c.configuration.heartbeat_ms),
        "Time between two heartbeats of a member.";
    "commit" => commit: Commit, CONSUMER, default(Commit::None),
        Task(|c| Some(c.configuration.commit)),
        "When positions are committed.";
    "work" => work: Work, CONSUMER, default(Work::None),
        Family(|c| Some(c.configuration.work)),
        "What is done with each record: nothing, computing, waiting as for a database, or writing it to the [store].";
    "store_batch" => store_batch: Count<1, 100_000>, CONSUMER, default(1),
        Task(|c| c.store().map(|_| c.configuration.store_batch)),
        "Most rows of one transaction with work = \"store\"; fewer where a poll returned fewer records.";
    "buffers" => buffers: OneOf<Buffers>, CONSUMER, default(Buffers::Each),
        Means(|c| Some(c.configuration.buffers)),
        "Whether the client's buffers are for each consumer or shared out among a group's members.";
    "read" => read: OneOf<Read>, CONSUMER, default(Read::Batch),
        Means(|c| Some(c.configuration.read)),
        "How records are taken from the client: in batches, one per call, or by the Rust client's stream.";
    "threads" => threads: Count<1, 256>, CONSUMER, default(1),
        Task(|c| Some(c.configuration.threads)),
        "Threads of each consumer that work its records; with 1 the thread that reads works them too.";
    "ordering" => ordering: OneOf<WorkOrdering>, CONSUMER, default(WorkOrdering::Partition),
        Task(|c| Some(c.configuration.ordering)),
        "Which records wait for each other where there are several threads: those of a partition, of a key, or none.";
    "warmup_records" => warmup_records: Integer<0, RECORDS_MAX>, CONSUMER, default(0),
        Means(|c| Some(c.configuration.warmup_records).filter(|records| *records > 0)),
        "Records that each consumer reads and works before the common start, for clients that compile while they run.";
    "app" => app: AppName, CONSUMER, default(OWN_APP.to_owned()),
        Means(|c| c.app_text()),
        "What runs in the worker processes: tandem's own consumer, a ready-made client, or an [[app]].";
    "place" => places: PlaceNames, CONSUMER, default(vec![HERE.to_owned()]),
        Means(|c| c.place_texts()),
        "The [[place]] where worker processes run; over a list, the processes of each group are spread in turn.";
    "client" => client: OneOf<ClientDefaults>, CONSUMER, default(ClientDefaults::Tandem),
        Means(|c| c.configuration.client.library_defaults_only.then_some(ClientDefaults::Library)),
        "\"defaults\" leaves tandem's own client settings out; a table of this name holds client properties.";

    "mode" => mode: OneOf<ModeName>, LOAD, absent("live where there is a [load], else backlog"),
        Incomparable(|c| Some(ModeName::from(&c.configuration.mode))),
        "What is read: records that lie there, records that arrive, or a backlog with records arriving behind it.";
    "rate" => rate: Positive<1_000_000_000>, LOAD, absent("must be given where `mib_per_second` is not"),
        Family(|c| Some(c.load()?.rate)),
        "Records per second of all producers together.";
    "mib_per_second" => mib_per_second: Positive<1_000_000>, LOAD, absent("that of `rate`"),
        Alternative(|c| Some(c.load()?.rate * c.dataset.size.mean_bytes() / BYTES_PER_MIB)),
        "The rate in MiB of values per second instead, turned into records by their mean size.";
    "arrivals" => arrivals: OneOf<Arrivals>, LOAD, default(Arrivals::Constant),
        Family(|c| Some(c.load()?.arrivals)),
        "How records arrive: at even distances, or as a Poisson process.";
    "profile" => profile: Shape, &[Table::Load], default(Shape::Constant),
        Task(|c| Some(c.load()?.shape.clone())),
        "The rate over time, as multiples of it.";
    "duration" => duration_ns: Duration, &[Table::Load], default(10 * SECOND_NS),
        Task(|c| Some(c.load()?.duration_ns)),
        "The window in which records are measured, by the times for which they were intended.";
    "warmup" => warmup_ns: Warmup, &[Table::Load], default(2 * SECOND_NS),
        Task(|c| Some(c.load()?.warmup_ns)),
        "Time before the window in which records arrive and are not measured.";
    "drain" => drain_ns: Warmup, &[Table::Load], default(30 * SECOND_NS),
        Task(|c| Some(c.load()?.drain_ns)),
        "Time after the end of the load to read what is left; a trial that leaves more is flagged as unread.";
    "late" => late_ns: Interval, &[Table::Load], absent("none"),
        Task(|c| c.load()?.late_ns),
        "Reports of planned events count records as late whose response time is longer.";
    "producers" => producers: Producers, LOAD, default(Producers::Number(1)),
        Means(|c| Some(c.load()?.where_producers_are())),
        "Producer processes that share the rate; \"beside\" starts one at each place of the consumers.";
}

keys! {
    /// `[store]`
    StoreKeys {}

    "kind" => kind: OneOf<StoreKind>, &[Table::Store], required(),
        Task(|c| Some(c.store()?.kind)),
        "What the store is that records are written to with work = \"store\".";
    "write" => write: OneOf<StoreWrite>, &[Table::Store], default(StoreWrite::Insert),
        Task(|c| Some(c.store()?.write)),
        "How a row gets there: added, added or replaced by topic, partition and offset, or added in bulk.";
    "url" => url: FromEnvironment, &[Table::Store], absent("none: a PostgreSQL is started"),
        Means(|c| c.store()?.url.clone()),
        "Address of a database to use instead of starting one, as for libpq: `postgresql://USER:PASSWORD@HOST/NAME`.";
    "on_error" => on_error: OneOf<StoreErrors>, &[Table::Store], default(StoreErrors::Fail),
        Means(|c| Some(c.store()?.on_error)),
        "What a worker does when the store fails: it ends, or tries again if the error may pass.";
}

keys! {
    /// `[capacity]`
    CapacityKeys {}

    "p50_ms" => p50_ms: LimitMs, &[Table::Capacity], absent("one of the four"),
        "The longest response time allowed for half of the records, in milliseconds.";
    "p90_ms" => p90_ms: LimitMs, &[Table::Capacity], absent("one of the four"),
        "The longest response time allowed for 90 % of the records.";
    "p99_ms" => p99_ms: LimitMs, &[Table::Capacity], absent("one of the four"),
        "The longest response time allowed for 99 % of the records.";
    "p999_ms" => p999_ms: LimitMs, &[Table::Capacity], absent("one of the four"),
        "The longest response time allowed for 99.9 % of the records.";
    "lag" => lag: OneOf<Lag>, &[Table::Capacity], default(Lag::Bounded),
        "How far readers may fall behind: not further and further.";
    "precision" => precision: Decimal<10, 500>, &[Table::Capacity], default(0.05),
        "The search ends when the answer's interval is narrower than this share of it.";
    "confirm" => confirm_ns: Duration, &[Table::Capacity], absent("three times `duration`"),
        "The window of the trial that confirms the answer; at least `duration`.";
}

keys! {
    /// `[[require]]`
    RequireKeys {}

    "figure" => figure: FigureName, &[Table::Require], required(),
        "The figure of a configuration that is checked, by its column in summary.csv.";
    "below" => below: Number, &[Table::Require], absent("one of the two"),
        "The figure must be below this, in its unit.";
    "above" => above: Number, &[Table::Require], absent("one of the two"),
        "The figure must be above this, in its unit.";
    "of" => of: Line, &[Table::Require], absent("every configuration"),
        "The case or configuration whose figure it is.";
    "strict" => strict: Switch, &[Table::Require], default(false),
        "Whether the run fails, too, where the trials do not decide.";
}

keys! {
    /// `[[case]]`, besides its settings.
    CaseKeys {}

    "name" => name: Line, &[Table::Case], required(),
        "Name of the case; names of configurations begin with it.";
}

/// Every key but those of client tables, in the order of the documentation.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    fn of<T: TableKeys>() -> impl Iterator<Item = &'static Key> {
        T::KEYS.iter().map(|declared| &declared.key)
    }
    of::<TopKeys>()
        .chain(of::<TrialKeys>())
        .chain(of::<ClusterKeys>())
        .chain(of::<PlaceKeys>())
        .chain(of::<KubernetesKeys>())
        .chain(of::<AppKeys>())
        .chain(of::<Settings>())
        .chain(of::<StoreKeys>())
        .chain(of::<CapacityKeys>())
        .chain(of::<RequireKeys>())
        .chain(of::<EventKeys>())
        .chain(of::<CaseKeys>())
}
