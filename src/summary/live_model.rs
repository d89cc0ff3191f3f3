//! What a summary says of live and mixed trials, and of searches for capacity.

use serde::{Deserialize, Serialize};

use crate::measure::LoadJudgement;
use crate::stats::Estimate;

/// What live or mixed trials of a configuration say beside their figures. Latencies are those of the trials whose load
/// was reached and whose readers kept up ([`crate::measure::LoadMeasurement::is_meaningful`]). In a search for capacity
/// everything but its answer is of the longer trials at the rate of the answer.
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
