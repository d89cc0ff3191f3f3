//! The list of figures, each declared once.

use std::sync::LazyLock;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use super::comparing::{Adjective, Better, By, Comparing, Had};
use super::latencies;
use super::statistic::Statistic;
use super::take::{self, TrialInput, seconds};
use super::unit::Unit;
use crate::measure::Measurement;
use crate::measure::latency::LatencyPart;

/// A figure of the catalogue.
pub struct Figure {
    /// Which.
    pub id: FigureId,
    /// Its column in `trials.csv` and `summary.csv`, and its key in `summary.json`.
    pub name: String,
    /// Its unit.
    pub unit: Unit,
    /// What it is of one trial.
    pub meaning: String,
    /// Its header in the table of details; `None` where it stands in another table or in none.
    pub header: Option<&'static str>,
    pub(super) source: Source,
    /// How the trials of a configuration make one figure.
    pub over: Over,
    /// Of which trials.
    pub trials: Trials,
    /// How configurations are compared by it, or why they are not.
    pub comparing: Result<Comparing, &'static str>,
}

impl Figure {
    /// True where only trials in which records arrive have it.
    pub fn is_of_load(&self) -> bool {
        matches!(self.trials, Trials::Load | Trials::Meaningful | Trials::Overloaded)
    }

    /// True where it counts things.
    pub fn is_count(&self) -> bool {
        matches!(self.unit, Unit::Records | Unit::Offsets | Unit::Members)
    }

    /// How it is taken over the trials of a configuration, in words.
    pub fn over_text(&self) -> String {
        let over = match self.over {
            Over::GeometricMean => "geometric mean",
            Over::Mean => "mean",
            Over::Median => "median",
            Over::Pooled => "all trials pooled",
            Over::Sum => "sum",
            Over::Largest => "largest",
        };
        let of_which = match self.trials {
            Trials::Used | Trials::Load => "",
            Trials::Counted => ", failed and excluded trials included",
            Trials::Meaningful => ", meaningful trials",
            Trials::Overloaded => ", overloaded trials",
        };
        format!("{over}{of_which}")
    }
}

/// How the figures of several trials make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Over {
    GeometricMean,
    Mean,
    Median,
    /// Of ratios: the sum of all numerators over that of all denominators.
    Pooled,
    Sum,
    Largest,
}

/// Which trials of a configuration a figure is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trials {
    /// Counted, complete, not excluded.
    Used,
    /// All counted trials, including failed and excluded ones.
    Counted,
    /// The used ones in which records arrived; in a search for capacity those at the rate of the answer.
    Load,
    /// Of these the ones whose load was reached, whose readers kept up and that left nothing unread.
    Meaningful,
    /// Of those with a load the overloaded ones: no other has the figure, so nothing can be required of it.
    Overloaded,
}

/// How a figure is taken of one trial.
pub(super) enum Source {
    /// A number; `None` where it is not known.
    Number(fn(&TrialInput) -> Option<f64>),
    /// A number of things; `None` where it is not known.
    Count(fn(&Measurement) -> Option<u64>),
    /// A numerator and its denominator.
    Ratio(fn(&TrialInput) -> Option<[f64; 2]>),
    /// A value for each member, of which the median counts.
    Each(fn(&Measurement) -> Vec<f64>),
    /// A statistic of a part of the latency.
    Latency(LatencyPart, Statistic),
}

macro_rules! figures {
    ($($(#[header = $header:literal])? $id:ident = $name:literal in $unit:ident, $over:ident of $trials:ident,
        $source:ident($take:expr), $meaning:literal, $compared:ident($($comparing:tt)*);)*) => {
        /// Which figure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum FigureId {
            $($id,)*
            /// A statistic of a part of the latency.
            Latency(LatencyPart, Statistic),
        }

        fn declared() -> Vec<Figure> {
            vec![$(Figure {
                id: FigureId::$id,
                name: $name.to_owned(),
                unit: Unit::$unit,
                meaning: $meaning.to_owned(),
                header: None$(.or(Some($header)))?,
                source: Source::$source($take),
                over: Over::$over,
                trials: Trials::$trials,
                comparing: figures!(@$compared $($comparing)*),
            },)*]
        }
    };
    (@compared $better:ident, $by:ident, $adjective:ident, $noun:literal, $had:ident) => {
        Ok(Comparing {
            better: Better::$better,
            by: By::$by,
            noun: $noun.to_owned(),
            adjective: Adjective::$adjective,
            had: Had::$had,
        })
    };
    (@not_compared $why:literal) => { Err($why) };
}

figures! {
    IdleMembers = "idle_members" in Members, Largest of Used, Count(|m| Some(m.idle_members().count() as u64)),
        "members that held no partition when reading began",
        compared(Less, Difference, Number, "idle members", Always);
    RecordBytes = "record_bytes" in Bytes, Pooled of Used, Ratio(take::record_bytes),
        "mean size of key and value of a record",
        compared(Neither, Ratio, Level, "mean size of a record", Always);
    Records = "records" in Records, Median of Used, Count(|m| Some(m.records())),
        "records delivered, over all groups",
        compared(Neither, Ratio, Number, "records", Always);
    RecordsPerSecond = "records_per_second" in RecordsPerSecond, GeometricMean of Used, Number(take::records_per_second),
        "deliveries over all groups, from the common start to the last record; where records arrive, those finished in \
         the window over its length",
        compared(More, Ratio, Level, "throughput", Always);
    #[header = "MiB/s"]
    MibPerSecond = "mib_per_second" in MibPerSecond, GeometricMean of Used, Number(take::mib_per_second),
        "keys and values delivered (1 MiB = 1,048,576 bytes)",
        compared(More, Ratio, Level, "throughput in bytes", Always);
    ReadSeconds = "read_seconds" in Seconds, GeometricMean of Used, Number(take::read_time),
        "read time: common start to last record",
        compared(Less, Ratio, Speed, "read time", Backlog);
    #[header = "join"]
    JoinSeconds = "join_seconds" in Seconds, Median of Used, Number(|input| Some(seconds(input.measurement.join_ns()))),
        "from the request to subscribe until every member has its assignment",
        compared(Less, Difference, Length, "time to join", Always);
    StopwatchSeconds = "stopwatch_seconds" in Seconds, GeometricMean of Used, Number(|input| Some(seconds(input.measurement.stopwatch_ns()))),
        "stopwatch: first process being started to last record",
        compared(Less, Ratio, Speed, "stopwatch", Backlog);
    #[header = "first record"]
    FirstRecordMs = "first_record_ms" in Milliseconds, Median of Used, Each(take::first_record_ms),
        "common start to a member's first record; median over members",
        compared(Less, Difference, Length, "time to the first record", Always);
    RateChange = "rate_change" in Ratio, Median of Used, Each(take::rate_change),
        "rate of a member in the last tenth of its reading over that in the first; median over members. Above 1 in trials \
         that are short for a client that compiles while it runs; empty where a tenth is shorter than 20 ms",
        compared(Neither, Ratio, Level, "change of the rate", Backlog);
    #[header = "client CPU, s per million"]
    ClientCpu = "client_cpu_seconds_per_million" in SecondsPerMillion, Mean of Used, Number(|input| take::cpu(input, |process| process.window.as_ref())),
        "CPU of all worker processes during the read time",
        compared(Less, Ratio, Amount, "client CPU", Always);
    ClientCpuStopwatch = "client_cpu_seconds_per_million_stopwatch" in SecondsPerMillion, Mean of Used,
        Number(|input| take::cpu(input, |process| process.stopwatch.as_ref())),
        "CPU of all worker processes from their start to their end",
        compared(Less, Ratio, Amount, "client CPU from start to end", Always);
    #[header = "broker CPU, s per million"]
    BrokerCpu = "broker_cpu_seconds_per_million" in SecondsPerMillion, Mean of Used, Number(take::broker_cpu),
        "CPU of the brokers during the read time; empty where they run elsewhere",
        compared(Less, Ratio, Amount, "broker CPU", Always);
    #[header = "store CPU, s per million"]
    StoreCpu = "store_cpu_seconds_per_million" in SecondsPerMillion, Mean of Used, Number(take::store_cpu),
        "CPU of the store's server during the read time; empty where it runs elsewhere, and where nothing is stored",
        compared(Less, Ratio, Amount, "store CPU", Always);
    ClientMemory = "client_peak_memory_bytes" in Bytes, Median of Used, Number(take::client_memory),
        "peak of the resident memory of each worker process from its start to the last record, summed up",
        compared(Less, Ratio, Amount, "client memory", Always);
    ClientGc = "client_gc_seconds_per_million" in SecondsPerMillion, Mean of Used, Number(take::client_gc),
        "time in garbage collection of all worker processes during the read time; empty for clients without a collector",
        not_compared("only clients with a garbage collector have it");
    ClientAllocated = "client_allocated_bytes_per_record" in Bytes, Mean of Used, Number(take::client_allocated),
        "bytes that the runtimes of all worker processes allocated during the read time, for each record; empty for clients \
         whose runtime does not count them",
        not_compared("only clients whose runtime counts it have it");
    #[header = "work, mean"]
    WorkMean = "work_us_mean" in Microseconds, Pooled of Used, Ratio(take::work_us),
        "mean time in work per record, as measured; empty where there is no work",
        compared(Less, Ratio, Length, "time of work per record", Work);
    #[header = "lost"]
    Lost = "lost" in Records, Sum of Counted, Count(|m| take::accounted(m, m.lost)),
        "records never delivered",
        not_compared("trials that lose records take no part in comparisons, so all others have 0");
    #[header = "duplicated"]
    Duplicated = "duplicated" in Records, Sum of Counted, Count(|m| take::accounted(m, m.duplicated)),
        "records read twice by one owner of the partition",
        not_compared("trials that read records twice take no part in comparisons, so all others have 0");
    #[header = "redelivered"]
    Redelivered = "redelivered" in Records, Sum of Counted, Count(|m| take::accounted(m, m.redelivered)),
        "records read again after the partition changed its owner",
        compared(Less, Difference, Number, "redelivered records", Always);
    #[header = "stored"]
    Stored = "stored" in Records, Median of Used, Count(|m| Some(take::stored(m)?.stored)),
        "records with a row in the store, counted there after the trial; this and the next column are empty where no record \
         ends in a store",
        not_compared("a trial that is used has a row for each of its records");
    #[header = "stored twice"]
    StoredTwice = "stored_twice" in Records, Largest of Counted, Count(|m| Some(take::stored(m)?.stored_twice)),
        "rows beyond the first of their record, as a second delivery leaves them where rows are inserted",
        compared(Less, Difference, Number, "rows stored twice", Always);
    #[header = "not delivered"]
    NotDelivered = "not_delivered" in Offsets, Sum of Counted, Count(|m| Some(m.not_delivered)),
        "offsets of existing topics for which the cluster delivers no record (control records, those of aborted \
         transactions, compacted ones); no loss",
        compared(Neither, Difference, Number, "offsets without a record", Always);
    ClockBoundMs = "clock_bound_ms" in Milliseconds, Largest of Used, Number(take::clock_bound_ms),
        "the most by which times of another host are wrong against the coordinator's clock; empty where all is one host",
        not_compared("it is the error of other figures");
    CommitIntervalMs = "commit_interval_ms" in Milliseconds, Largest of Used, Number(take::commit_interval_ms),
        "time between two commits of a program that speaks nothing, as its committed offsets moved: the error of its \
         positions and times; empty for workers that speak the protocol",
        not_compared("it is the error of other figures");
    OfferedPerSecond = "offered_per_second" in RecordsPerSecond, Mean of Load, Number(|input| Some(take::load(input)?.offered_per_second)),
        "records that the schedule asked for within the window; this and the following columns are empty if no records arrive",
        not_compared("it is the rate of the load, which the scenario sets");
    SentPerSecond = "sent_per_second" in RecordsPerSecond, Mean of Load, Number(|input| Some(take::load(input)?.sent_per_second)),
        "records sent within the window",
        not_compared("trials in which the load was not reached take no part in comparisons");
    LagGrowth = "lag_growth_per_second" in RecordsPerSecond, Median of Overloaded, Number(|input| Some(take::load(input)?.overload?.lag_growth_per_second)),
        "growth of the lag in the window, in a trial that was overloaded",
        not_compared("only overloaded trials have it, and they have no verdict");
    CatchUpSeconds = "catch_up_seconds" in Seconds, GeometricMean of Meaningful, Number(|input| take::catch_up_seconds(input.measurement)),
        "in mixed trials: from the producers' start until backlog and arrivals were read",
        compared(Less, Ratio, Length, "time to catch up", Mixed);
    #[header = "unavailable"]
    UnavailableMs = "unavailable_ms" in Milliseconds, Median of Used, Number(take::unavailable_ms),
        "longest time in which a partition was not read because of a planned act: from its last record before to its first \
         after; this and the next seven columns are empty where nothing is planned, or where readers do not say when they read",
        compared(Less, Difference, Length, "gap", Acts);
    #[header = "disturbed"]
    DisturbedMs = "disturbed_ms" in Milliseconds, Median of Used, Number(take::disturbed_ms),
        "time in which at least one partition was not read because of a planned act",
        compared(Less, Difference, Length, "disturbed time", Acts);
    #[header = "collateral"]
    CollateralMs = "collateral_ms" in Milliseconds, Median of Used, Number(take::collateral_ms),
        "longest time in which a partition was not read although it kept its owner, to whom nothing was done",
        compared(Less, Difference, Length, "collateral gap", Acts);
    #[header = "caught up after"]
    CatchUpMs = "catch_up_ms" in Milliseconds, Median of Used, Number(take::catch_up_ms),
        "longest time from a planned act until the lag was what it had been before; 0 where it never rose, empty where \
         nothing arrives and where the lag stayed high",
        compared(Less, Difference, Length, "time until the lag is what it was", Acts);
    UnwrittenMs = "unwritten_ms" in Milliseconds, Median of Used, Number(take::unwritten_ms),
        "longest time in which a partition acknowledged no record because of a planned act on a broker: from when the first \
         record that waited was sent until the last was acknowledged; times below half a second are 0; empty where nothing \
         arrives",
        compared(Less, Difference, Length, "time without acknowledgement", Acts);
    DisturbedP99Ms = "disturbed_p99_ms" in Milliseconds, Median of Used, Number(take::disturbed_p99_ms),
        "99th percentile of the response times in the seconds that planned acts disturbed: from the last record before a gap \
         until every partition was read and the lag was what it had been; empty where there are none",
        compared(Less, Ratio, Length, "p99 of disturbed seconds", Acts);
    QuietP99Ms = "quiet_p99_ms" in Milliseconds, Median of Used, Number(take::quiet_p99_ms),
        "99th percentile of the response times in the other seconds of the window, in trials with planned acts",
        not_compared("disturbed_p99_ms is compared, and this says what it would be without acts");
    UnexplainedMs = "unexplained_ms" in Milliseconds, Median of Used, Number(take::unexplained_ms),
        "longest time of a gap that no recorded happening explains",
        not_compared("it is the error of other figures");
    Retried = "retried" in Records, Median of Used, Count(|m| m.load.as_ref()?.retried()),
        "records that the producers' clients sent again after an attempt that failed; empty where nothing is done to brokers",
        not_compared("it is what clients do about a broker that is away; `unwritten_ms` is what that costs");
}

/// The 99th percentile of the response time.
pub const RESPONSE_P99: FigureId = FigureId::Latency(LatencyPart::Response, Statistic::P99);

/// A statistic of a part of the latency.
fn latency(part: LatencyPart, statistic: Statistic) -> Figure {
    Figure {
        id: FigureId::Latency(part, statistic),
        name: format!("{}_{}_ms", part.name(), statistic.name()),
        unit: Unit::Milliseconds,
        meaning: latencies::meaning(part, statistic),
        header: None,
        source: Source::Latency(part, statistic),
        over: match statistic {
            Statistic::Max => Over::Largest,
            _ => Over::GeometricMean,
        },
        trials: Trials::Meaningful,
        comparing: Ok(latencies::comparing(part, statistic)),
    }
}

/// Every figure, in the order of the columns.
pub static FIGURES: LazyLock<Vec<Figure>> = LazyLock::new(|| {
    let of_part = |part| Statistic::ALL.map(|statistic| latency(part, statistic));
    let latencies = LatencyPart::ALL.into_iter().flat_map(of_part);
    declared().into_iter().chain(latencies).collect()
});

impl Serialize for FigureId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.figure().name)
    }
}

impl<'de> Deserialize<'de> for FigureId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        FigureId::named(&name).ok_or_else(|| D::Error::custom(format!("there is no figure {name:?}")))
    }
}

impl FigureId {
    /// The figure with this column.
    pub fn named(name: &str) -> Option<FigureId> {
        let found = FIGURES.iter().find(|figure| figure.name == name);
        found.map(|figure| figure.id)
    }

    /// How configurations are compared by it; `None` where they are not.
    pub fn comparing(self) -> Option<&'static Comparing> {
        self.figure().comparing.as_ref().ok()
    }

    /// Its entry in the catalogue.
    pub fn figure(self) -> &'static Figure {
        // Every id was made together with its entry.
        let found = FIGURES.iter().find(|figure| figure.id == self);
        found.unwrap_or_else(|| unreachable!("{self:?} is in the catalogue"))
    }
}
