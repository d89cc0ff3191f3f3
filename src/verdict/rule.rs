//! The rule by which a scenario's comparisons get their intervals and p: that of a fixed number of blocks, or that of a
//! run which looks after every block whether it may stop.

use std::sync::Arc;

use super::model::{Method, Metric, Question};
use super::pairs::pairs;
use crate::scenario::Scenario;
use crate::stats::{self, Estimate, SIGNIFICANCE, Sequential, count};

/// How intervals and p are found.
#[derive(Debug)]
pub enum Rule {
    /// Student's t and the exact test of the signs.
    Fixed,
    /// Those that hold over all looks of a run that goes on until something is decided.
    Sequential(Arc<Sequential>),
}

/// Blocks at the first look of a scenario's run. The metric with the most comparisons needs the most blocks before a
/// look is worth anything.
pub fn first_look(scenario: &Scenario) -> usize {
    let comparisons = |metric: &Metric| pairs(scenario, Question::Scenario, *metric).len();
    let metrics = Metric::all(scenario);
    let inferential = metrics.iter().filter(|metric| metric.is_inferential(scenario));
    let most = inferential.map(comparisons).max().unwrap_or(0);
    stats::first_look(most, SIGNIFICANCE)
}

impl Rule {
    /// The rule of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        if scenario.repetitions().until().is_none() {
            return Rule::Fixed;
        }
        let first = first_look(scenario);
        let last = scenario.repetitions().at_most() as usize;
        Rule::Sequential(Sequential::new(first, last))
    }

    pub(super) fn method(&self) -> Method {
        match self {
            Rule::Fixed => Method::Fixed,
            Rule::Sequential(sequential) => Method::Sequential {
                first_look: count(sequential.first()),
                at_most: count(sequential.last()),
            },
        }
    }

    /// The mean of differences with its interval; none while they say too little.
    pub(super) fn difference(&self, differences: &[f64]) -> Option<Estimate> {
        let mean = self.mean(differences)?;
        Some(Estimate {
            interval: mean.interval.filter(|_| stats::are_telling(differences)),
            ..mean
        })
    }

    /// The mean with its interval.
    fn mean(&self, values: &[f64]) -> Option<Estimate> {
        match self {
            Rule::Fixed => Estimate::arithmetic(values),
            Rule::Sequential(sequential) => sequential.mean(values),
        }
    }

    /// The mean of log-ratios, exponentiated, with its interval.
    pub fn ratio(&self, logs: &[f64]) -> Option<Estimate> {
        Some(self.mean(logs)?.map(f64::exp))
    }

    /// The bootstrap interval of the same mean, only with a fixed number of blocks. Beside a sequential interval,
    /// readers could choose the one that they like.
    pub(super) fn bootstrap(&self, values: &[f64], seed: u64) -> Option<(f64, f64)> {
        match self {
            Rule::Fixed => stats::bootstrap_t(values, seed),
            Rule::Sequential(_) => None,
        }
    }

    /// Two-sided p that there is no difference.
    pub fn p(&self, values: &[f64], seed: u64) -> Option<f64> {
        match self {
            Rule::Fixed => stats::sign_flip_p(values, seed),
            Rule::Sequential(sequential) => sequential.p(values),
        }
    }

    /// Observations from which a verdict at `significance` is probable.
    pub fn needed(&self, values: &[f64], edge: f64, significance: f64) -> Option<usize> {
        let (mean, deviation) = (stats::mean(values)?, stats::standard_deviation(values)?);
        match self {
            Rule::Fixed => stats::observations_needed(mean, deviation, values.len(), edge, significance),
            Rule::Sequential(s) => s.observations_needed(mean, deviation, values.len(), edge, significance),
        }
    }

    /// Observations from which half the interval, on the log scale, is probably at most so wide.
    pub(super) fn needed_for_width(&self, logs: &[f64], log_half_width: f64) -> Option<usize> {
        match self {
            Rule::Fixed => None,
            Rule::Sequential(sequential) => {
                sequential.observations_for_width(stats::standard_deviation(logs)?, logs.len(), log_half_width)
            }
        }
    }
}
