//! A fitted law with its uncertainty, or why none is fitted.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::law::Law;
use super::misfit::Misfit;
use crate::stats::estimate::Estimate;
use crate::stats::resampling::BLOCKS_FOR_BOOTSTRAP;

/// Fewer different member counts do not distinguish the laws.
pub const COUNTS_FOR_LAW: usize = 4;

/// Why no law is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Fewer than [`COUNTS_FOR_LAW`] different member counts: so many.
    TooFewCounts(usize),
    /// Fewer than [`BLOCKS_FOR_BOOTSTRAP`] blocks with trials of several counts: so many.
    TooFewBlocks(usize),
    /// A throughput is not positive and finite, or a count is 0.
    NoThroughput,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::TooFewCounts(found) => write!(
                f,
                "a law takes at least {COUNTS_FOR_LAW} different numbers, and {found} can be used"
            ),
            Refusal::TooFewBlocks(found) => write!(
                f,
                "a law takes at least {BLOCKS_FOR_BOOTSTRAP} blocks, and {found} can be used"
            ),
            Refusal::NoThroughput => f.write_str("a trial has no throughput above 0"),
        }
    }
}

/// A parameter of a law.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// The estimate with its interval.
    pub estimate: Estimate,
    /// True where it lies at the end of what it may be, so that its interval is one-sided: it begins or ends there.
    pub at_bound: bool,
}

/// A law with its Akaike information, smaller is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Which.
    pub law: Law,
    /// `AICc` over trials, as differences mean something and it alone does not.
    pub aicc: f64,
}

/// A place on the fitted curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// N, also between whole numbers.
    pub members: f64,
    /// Records per second.
    pub per_second: f64,
    /// Lower end of the band at this place alone.
    pub low: f64,
    /// Upper end of the band at this place alone.
    pub high: f64,
    /// True beyond the counts that were measured.
    pub extrapolated: bool,
}

/// The number of members at which the law has its highest throughput.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// sqrt((1 - alpha) / beta), at least 1.
    pub members: Estimate,
    /// True beyond the counts that were measured.
    pub extrapolated: bool,
}

/// The law that fits the trials best. Intervals assume that this law is right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScalingFit {
    /// Which.
    pub law: Law,
    /// Records per second of one member: lambda.
    pub lambda: Estimate,
    /// Contention, from 0 to 1; `None` where the law has none.
    pub alpha: Option<Parameter>,
    /// Coherency, 0 or more; `None` where the law has none.
    pub beta: Option<Parameter>,
    /// Given only where the interval of beta lies above 0.
    pub peak: Option<Peak>,
    /// Every law's score, from the simplest on.
    pub scores: Vec<Score>,
    /// Where the points leave the curve by more than chance.
    pub misfit: Option<Misfit>,
    /// From the lowest count to half as many again as the highest.
    pub curve: Vec<CurvePoint>,
    /// Trials.
    pub observations: usize,
    /// Blocks that they are of.
    pub blocks: usize,
}
