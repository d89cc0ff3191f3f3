//! What a summary says of scaling.

use serde::{Deserialize, Serialize};

use crate::stats::{Estimate, Refusal, ScalingFit};

/// What there are more of from one point of a series to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Along {
    /// Consumers in each process.
    Consumers,
    /// Processes in each group.
    Processes,
    /// Consumers and processes in different combinations, counted as members of all groups.
    Members,
    /// Threads on which each consumer works.
    Threads,
}

impl Along {
    /// One of them, as in `consumer`.
    pub fn noun(self) -> &'static str {
        match self {
            Along::Consumers => "consumer",
            Along::Processes => "process",
            Along::Members => "member",
            Along::Threads => "thread",
        }
    }

    /// Several of them.
    pub fn nouns(self) -> &'static str {
        match self {
            Along::Consumers => "consumers",
            Along::Processes => "processes",
            Along::Members => "members",
            Along::Threads => "threads",
        }
    }
}

/// Configurations that differ in nothing but how many consumers, processes or threads there are. Intervals
/// are those of the rule by which the run's verdicts are found, of 95 % each; of a step that is recommended the test agrees,
/// too, corrected for the number of steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScalingSeries {
    /// What there are more of.
    pub along: Along,
    /// What its configurations have in common and others of the scenario have not, such as `partitions=4`; empty where
    /// there is nothing of the kind.
    pub name: String,
    /// Index into the scenario's families.
    pub family: usize,
    /// Partitions over all topics: more members of a group than that are idle.
    pub partitions: u32,
    /// By count, ascending; at least two.
    pub points: Vec<ScalingPoint>,
    /// The law that fits, or why none is fitted.
    pub fit: Fit,
    /// How many are worth having, as far as the run can say.
    pub recommendation: Option<Recommendation>,
}

/// A configuration of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScalingPoint {
    /// Index into the scenario's configurations.
    pub configuration: usize,
    /// How many there are of what the series runs along.
    pub count: u32,
    /// Members over all groups.
    pub members: u32,
    /// Members that held no partition. Such a point takes no part in the fit.
    pub idle_members: u32,
    /// Deliveries per second over all groups; geometric mean.
    pub records_per_second: Estimate,
    /// How many times as fast as the smallest count, from paired log-ratios; 1 for that itself.
    pub speed_up: Option<Estimate>,
    /// Speed-up over how many times the smallest count there are; 1 is ideal.
    pub efficiency: Option<Estimate>,
    /// Against the count before; `None` for the smallest.
    pub gain: Option<Gain>,
}

/// What was gained from the count before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// The count before.
    pub from: u32,
    /// How many times as fast as that, from paired log-ratios; `None` where no block holds a trial of both.
    pub ratio: Option<Estimate>,
}

/// A fitted law, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The law. Has a misfit only where points leave it by more than the practical threshold, and then no peak.
    Law(Box<ScalingFit>),
    /// Why there is none.
    Refused(Refusal),
}

impl Fit {
    /// The law, if one is fitted.
    pub fn law(&self) -> Option<&ScalingFit> {
        match self {
            Fit::Law(fit) => Some(fit),
            Fit::Refused(_) => None,
        }
    }
}

/// How many are worth having: the smallest count from which no larger one gains at least the practical threshold for
/// each that is added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// So many are worth having at least: every step up to here is known to gain as much.
    pub count: u32,
    /// True where every larger count is known not to.
    pub certain: bool,
    /// True where no larger count was measured, so that more may be worth having.
    pub most_measured: bool,
    /// About so many more blocks would say whether more are worth having, where that is open; `None` without a forecast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks_more: Option<u32>,
    /// The same as a sentence without its full stop.
    pub text: String,
}
