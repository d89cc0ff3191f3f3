//! The summary: estimates per configuration, comparisons within families, and the answer.

use serde::{Deserialize, Serialize};

use super::bottleneck::Bottleneck;
use super::{EffectsSummary, RunQuality, ScalingSeries};
use crate::figures::{FigureId, Figures};
use crate::measure::LoadJudgement;
use crate::plan::Ending;
use crate::stats::Estimate;
use crate::verdict::Comparison;

/// Version of the stored form of [`Summary`].
pub const SUMMARY_SCHEMA_VERSION: u32 = 2;

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

/// One configuration: its trials, its figures, and what they say.
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
    /// Its figures, by their names in the catalogue.
    #[serde(flatten)]
    pub figures: Figures,
    /// Why it is not faster.
    #[serde(default)]
    pub bottleneck: Bottleneck,
    /// Of the records that arrived, in live and mixed trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveSummary>,
}

impl ConfigurationSummary {
    /// A figure over its trials; `None` where it is not known.
    pub fn point(&self, id: FigureId) -> Option<f64> {
        self.figures.point(id)
    }

    /// A figure that is a geometric mean over its trials, with its interval.
    pub fn estimate(&self, id: FigureId) -> Option<Estimate> {
        self.figures.estimate(id)
    }

    /// A number of things over its trials.
    pub fn count(&self, id: FigureId) -> u64 {
        self.figures.count(id)
    }
}

/// What live or mixed trials of a configuration say beside their figures. Latencies are those of the trials whose load was reached and whose
/// readers kept up ([`crate::measure::LoadMeasurement::is_meaningful`]), and of no others. In a search for capacity all
/// but its answer is of the longer trials at the rate of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveSummary {
    /// True where the load was reached in every used trial.
    pub load_reached: bool,
    /// True where the readers fell behind in more than half of the used trials.
    pub overloaded: bool,
    /// Whether the readers keep up, by the used trials together: medians, and the fullest member or partition of all.
    /// `None` where no trial was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<LoadJudgement>,
    /// Used trials that the latencies are of.
    pub trials_meaningful: u32,
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
