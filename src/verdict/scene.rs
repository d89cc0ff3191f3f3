//! What the comparisons of a scenario's trials are made from, and which of them are clear.

use super::figures::{fell_behind, is_tainted};
use super::model::{Comparison, Method, Metric, Question, Verdict};
use super::pairs::{log_ratios, paired_trials};
use super::rule::Rule;
use crate::measure::Trial;
use crate::scenario::{Scenario, Until};
use crate::stats::{self, SIGNIFICANCE, Side, count};

/// A baseline and a configuration.
pub(super) type Pair = (usize, usize);

/// The side of a comparison, without regard to what bars its verdict. For a metric that is only described, the interval
/// alone decides.
pub(super) fn side(comparison: &Comparison, threshold: f64) -> Side {
    let agrees = comparison.p_holm.is_some_and(|p| p <= SIGNIFICANCE);
    let significant = !comparison.metric.is_inferential() || agrees;
    let interval = comparison.ratio.and_then(|ratio| ratio.interval);
    interval.map_or(Side::Open, |interval| stats::decide(interval, threshold, significant))
}

/// True where a comparison has what a run goes on for.
pub(super) fn is_clear(comparison: &Comparison, until: Until, threshold: f64) -> bool {
    match until {
        Until::Decided => side(comparison, threshold) != Side::Open,
        Until::HalfWidth(share) => {
            let interval = comparison.ratio.and_then(|ratio| ratio.interval);
            interval.is_some_and(|(low, high)| (high / low).ln() / 2.0 <= share.ln_1p())
        }
    }
}

/// What all comparisons are made from.
pub(super) struct Scene<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) rule: Rule,
    pub(super) barred: Barred,
    /// Those that take part in paired comparisons.
    pub(super) trials: Vec<&'a Trial>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(scenario: &'a Scenario, trials: &'a [Trial]) -> Self {
        Scene {
            scenario,
            rule: Rule::of(scenario),
            barred: Barred::new(scenario, trials),
            trials: paired_trials(trials),
        }
    }

    /// Whether so many blocks are enough for a look.
    pub(super) fn has_looked(&self, blocks: u32) -> bool {
        matches!(self.rule.method(), Method::Sequential { first_look, .. } if blocks >= first_look)
    }

    /// The log-ratios of a baseline and a configuration, block by block.
    pub(super) fn logs(&self, (baseline, configuration): Pair, metric: Metric) -> Vec<(u32, f64)> {
        log_ratios(&self.trials, baseline, configuration, metric)
    }

    /// A comparison from its log-ratios, not yet corrected nor concluded.
    pub(super) fn made(
        &self,
        question: Question,
        metric: Metric,
        (baseline, configuration): Pair,
        logs: &[f64],
    ) -> Comparison {
        Comparison {
            question,
            baseline,
            configuration,
            metric,
            ratio: self.rule.ratio(logs),
            method: self.rule.method(),
            interval_bootstrap: self.rule.bootstrap(logs, self.scenario.seed),
            p: self.rule.p(logs, self.scenario.seed),
            p_holm: None,
            blocks: count(logs.len()),
            verdict: Verdict::Undecided,
            blocks_more: None,
        }
    }
}

/// Which configurations are not called the faster ones.
pub(super) struct Barred {
    /// Trials of it failed, or lost or doubled records.
    tainted: Vec<bool>,
    /// Its readers fell behind in some trials, so that its figures are those of its better ones. It is not called as
    /// good as another either.
    pub(super) behind: Vec<bool>,
}

impl Barred {
    fn new(scenario: &Scenario, trials: &[Trial]) -> Self {
        let each = || scenario.configurations.iter().enumerate();
        Barred {
            tainted: each().map(|(index, _)| is_tainted(trials, index)).collect(),
            behind: each().map(|(index, c)| fell_behind(&c.mode, trials, index)).collect(),
        }
    }

    pub(super) fn is_no_winner(&self, configuration: usize) -> bool {
        self.tainted[configuration] || self.behind[configuration]
    }
}
