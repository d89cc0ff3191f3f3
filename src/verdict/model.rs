//! What a comparison of two configurations is, and what it can conclude.

use serde::{Deserialize, Serialize};

use crate::scenario::Mode;
use crate::stats::Estimate;

/// What a comparison compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Speed by read time: start to last record.
    ReadTime,
    /// Speed by stopwatch: process start to last record.
    Stopwatch,
    /// In live trials: shortness of the 99th percentile of the response time.
    ResponseP99,
    /// In mixed trials: speed by the time from the start until backlog and arrivals were read.
    CatchUp,
}

impl Metric {
    /// All of them, those that answer a question first.
    pub const ALL: [Metric; 4] = [
        Metric::ReadTime,
        Metric::ResponseP99,
        Metric::CatchUp,
        Metric::Stopwatch,
    ];

    /// The metric that compares configurations of a mode.
    pub fn of(mode: &Mode) -> Self {
        match mode {
            Mode::Backlog => Metric::ReadTime,
            Mode::Live(_) => Metric::ResponseP99,
            Mode::Mixed(_) => Metric::CatchUp,
        }
    }

    /// True where the metric answers the question, so that its comparisons are corrected for being several; false
    /// where it is only described.
    pub fn is_inferential(self) -> bool {
        self != Metric::Stopwatch
    }
}

/// What a comparison helps to answer. The comparisons of one question by one metric are corrected together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The scenario's own: every configuration against its baseline. Where clusters or builds are compared, that is
    /// itself as its first variant.
    #[default]
    Scenario,
    /// Where clusters or builds are compared: what the scenario compares without that, within each of them.
    Within,
    /// What a key of the matrix does: each of its values against its first, all else equal. Index into
    /// [`crate::scenario::Scenario::axes`].
    Axis(usize),
}

/// By which method a comparison's interval and p were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The number of blocks was fixed beforehand: the paired t interval on the log scale and the sign-flip test.
    #[default]
    Fixed,
    /// After every block it was looked whether to go on: interval and p of [`crate::stats::Sequential`], which hold over
    /// all looks together.
    Sequential {
        /// Blocks at the first look.
        first_look: u32,
        /// Blocks at the last look.
        at_most: u32,
    },
}

/// A configuration against its baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Which question it belongs to.
    #[serde(default)]
    pub question: Question,
    /// Index of the baseline's configuration.
    pub baseline: usize,
    /// Index of the configuration.
    pub configuration: usize,
    /// By which time.
    pub metric: Metric,
    /// How many times as fast as the baseline (above 1: faster), from paired log-ratios per block. By
    /// [`Metric::ResponseP99`] how many times as long the baseline's percentile is, so that above 1 is shorter.
    pub ratio: Option<Estimate>,
    /// How the interval and p were made.
    #[serde(default)]
    pub method: Method,
    /// The bootstrap-t interval of the same ratio, where the number of blocks was fixed and there are at least five: a
    /// check of the interval that the verdict goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_bootstrap: Option<(f64, f64)>,
    /// Two-sided p before Holm's correction: of the sign-flip permutation test, or of the sequential method.
    pub p: Option<f64>,
    /// p after Holm's correction over the question's comparisons by this metric; `None` for descriptive metrics.
    pub p_holm: Option<f64>,
    /// Blocks in which both were measured, live and mixed trials with the load and readers that they were to have.
    pub blocks: u32,
    /// What is concluded.
    pub verdict: Verdict,
    /// For `undecided`: how many more blocks would probably decide it, where that can be told.
    pub blocks_more: Option<u32>,
}

/// What a comparison concludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval lies inside the practical threshold.
    Same,
    /// The interval excludes 1 upwards.
    Faster,
    /// The interval excludes 1 downwards.
    Slower,
    /// None of these.
    Undecided,
}
