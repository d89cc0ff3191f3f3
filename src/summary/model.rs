//! The summary: estimates per configuration, comparisons within families, and the answer.

use serde::{Deserialize, Serialize};

use super::bottleneck::Bottleneck;
use super::{EffectsSummary, RunQuality, ScalingSeries};
use crate::measure::LoadJudgement;
use crate::measure::latency::LatencyPart;
use crate::plan::Ending;
use crate::stats::Estimate;
use crate::verdict::Comparison;

/// Version of the stored form of [`Summary`].
pub const SUMMARY_SCHEMA_VERSION: u32 = 1;

/// What a run found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SUMMARY_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name of the scenario.
    pub scenario: String,
    /// The question asked.
    pub question: String,
    /// The answer, a sentence per family (more where one does not hold it).
    pub answer: Vec<String>,
    /// What keeps the figures from being trusted, most serious first; empty for a clean run.
    pub warnings: Vec<String>,
    /// False while trials of the plan have not been run.
    pub complete: bool,
    /// How much trials vary, whether the machine changed, and whether the figures should be trusted.
    #[serde(default)]
    pub quality: RunQuality,
    /// What ended the run; `None` while it is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// In the scenario's order.
    pub configurations: Vec<ConfigurationSummary>,
    /// Every configuration against its baseline, by each metric.
    pub comparisons: Vec<Comparison>,
    /// Configurations that differ in nothing but a number of consumers, processes or threads, with what each more
    /// gains.
    #[serde(default)]
    pub scaling: Vec<ScalingSeries>,
    /// Which axis explains how much; `None` where fewer than two have more than one value.
    #[serde(default)]
    pub effects: Option<EffectsSummary>,
}

/// Estimates of one configuration. The columns of `summary.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigurationSummary {
    /// Index into the scenario's configurations.
    pub configuration: usize,
    /// Its name.
    pub name: String,
    /// Index into the scenario's families.
    pub family: usize,
    /// Members over all groups.
    pub members: u32,
    /// Members that held no partition when reading began: the most seen in a used trial.
    pub idle_members: u32,
    /// Why members were idle, naming them and the assignor; `None` where none was.
    pub idle_explanation: Option<String>,
    /// Counted trials of the plan.
    pub trials_planned: u32,
    /// Trials in the estimates.
    pub trials_used: u32,
    /// Counted trials that failed.
    pub trials_failed: u32,
    /// Counted trials that ended but take no part, and why.
    pub trials_excluded: u32,
    /// Mean bytes of key and value of a record delivered.
    pub record_bytes: f64,
    /// Records delivered per trial over all groups (median of the used trials).
    pub records: u64,
    /// Deliveries per second over all groups; geometric mean.
    pub records_per_second: Option<Estimate>,
    /// Mebibytes of keys and values per second; geometric mean.
    pub mib_per_second: Option<f64>,
    /// Start to last record, seconds; geometric mean.
    pub read_seconds: Option<Estimate>,
    /// Being told to subscribe to every member assigned, seconds; median.
    pub join_seconds: Option<f64>,
    /// First process started to last record, seconds; geometric mean.
    pub stopwatch_seconds: Option<Estimate>,
    /// Start to a member's first record, milliseconds; median over members and trials.
    pub first_record_ms: Option<f64>,
    /// CPU seconds of all workers per million records, in the window; mean.
    pub client_cpu_seconds_per_million: Option<f64>,
    /// The same over the processes' whole lives; mean.
    pub client_cpu_seconds_per_million_stopwatch: Option<f64>,
    /// CPU seconds of the brokers per million records, in the window; `None` where they run elsewhere.
    pub broker_cpu_seconds_per_million: Option<f64>,
    /// Over all counted trials, the excluded and failed too.
    pub lost: u64,
    /// Over all counted trials, the excluded and failed too.
    pub duplicated: u64,
    /// Over all counted trials, the excluded and failed too.
    pub not_delivered: u64,
    /// Over all counted trials, the excluded and failed too.
    pub redelivered: u64,
    /// Mean microseconds of work per record, where there is work.
    pub work_us_mean: Option<f64>,
    /// Why it is not faster.
    #[serde(default)]
    pub bottleneck: Bottleneck,
    /// Of the records that arrived, in live and mixed trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveSummary>,
}

/// What live or mixed trials of a configuration say. Latencies are those of the trials whose load was reached and whose
/// readers kept up ([`crate::measure::LoadMeasurement::is_meaningful`]), and of no others. In a search for capacity all
/// but its answer is of the longer trials at the rate of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveSummary {
    /// Records per second that the schedules asked for in the window; mean over the used trials.
    pub offered_per_second: Option<f64>,
    /// Records per second that were sent in the window; mean over the used trials.
    pub sent_per_second: Option<f64>,
    /// True where the load was reached in every used trial.
    pub load_reached: bool,
    /// True where the readers fell behind in more than half of the used trials.
    pub overloaded: bool,
    /// Records per second by which the lag grew, in the trials that were overloaded; median.
    pub lag_growth_per_second: Option<f64>,
    /// Whether the readers keep up, by the used trials together: medians, and the fullest member or partition of all.
    /// `None` where no trial was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<LoadJudgement>,
    /// Used trials that the latencies are of.
    pub trials_meaningful: u32,
    /// In the order of [`crate::measure::latency::LatencyPart::ALL`]; empty where no trial is meaningful.
    pub latencies: Vec<LatencySummary>,
    /// In mixed trials: start to backlog and arrivals read, seconds; geometric mean.
    pub catch_up_seconds: Option<Estimate>,
    /// In mixed trials: how long the records waited that were done while there was a lag, and those that were done after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around_catch_up: Option<AroundCatchUp>,
    /// In a search for capacity: its answer.
    pub capacity: Option<CapacitySummary>,
}

/// Response times in mixed trials by the second in which the work on the record ended, from the producers' start on. The
/// second in which the lag was gone for the first time belongs to neither.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AroundCatchUp {
    /// Of the seconds before.
    pub before: ResponseSummary,
    /// Of the seconds after, draining included.
    pub after: ResponseSummary,
}

/// Response times in milliseconds: geometric means of the percentiles of the meaningful trials that have enough records
/// for them, `None` where none has.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ResponseSummary {
    /// Of the trials' medians.
    pub p50_ms: Option<Estimate>,
    /// Of the trials' 99th percentiles.
    pub p99_ms: Option<Estimate>,
}

/// One part of the latency of a configuration's records, in milliseconds. A percentile is of the meaningful trials that
/// have enough records for it, and `None` where none has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// Which.
    pub part: LatencyPart,
    /// Geometric mean of the trials' means.
    pub mean_ms: Option<f64>,
    /// Geometric mean of the trials' medians.
    pub p50_ms: Option<Estimate>,
    /// Geometric mean of the trials' 90th percentiles.
    pub p90_ms: Option<Estimate>,
    /// Geometric mean of the trials' 99th percentiles.
    pub p99_ms: Option<Estimate>,
    /// Geometric mean of the trials' 99.9th percentiles.
    pub p999_ms: Option<Estimate>,
    /// The longest of all records of all meaningful trials.
    pub max_ms: Option<f64>,
}

/// The highest rate at which a configuration holds the scenario's objective, from the trials of its search and the
/// longer ones at its end ([`crate::measure::objective`] says when a trial held it).
///
/// Each rate is judged by the majority of its trials ([`crate::measure::bounds`]). Where a higher rate held after a lower
/// one had failed, the lower one counts: [`CapacitySummary::low`] lies below every rate that is not held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CapacitySummary {
    /// Records per second: the highest rate that held, [`CapacitySummary::low`]; `None` where none held.
    pub per_second: Option<f64>,
    /// The highest rate that held the objective below every rate that did not; `None` where there is none.
    pub low: Option<f64>,
    /// The lowest rate at which the readers failed the objective; `None` where they failed at none.
    pub high: Option<f64>,
    /// True where the longer trial held the objective at [`CapacitySummary::per_second`].
    pub confirmed: bool,
    /// True where the lowest rate above the answer that is not held is one that the producers did not reach: the
    /// capacity may be higher than this run can say, up to [`CapacitySummary::high`] where the readers failed at one.
    pub limited_by_load: bool,
}
