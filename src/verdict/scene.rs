//! What the comparisons of a scenario's trials are made from, and which of them are clear.

use super::figures::{fell_behind, is_tainted};
use super::model::{Comparison, Effect, Method, Metric, Question, Verdict};
use super::pairs::{paired_trials, paired_values};
use super::rule::Rule;
use crate::figures::By;
use crate::measure::Trial;
use crate::scenario::{Scenario, Until};
use crate::stats::{self, SIGNIFICANCE, Side, count};

/// A baseline and a configuration.
pub(super) type Pair = (usize, usize);

/// The side of a comparison, above for what is better, without regard to what bars its verdict. For a metric that is only
/// described, the interval alone decides.
pub(super) fn side(comparison: &Comparison, scenario: &Scenario) -> Side {
    let agrees = comparison.p_holm.is_some_and(|p| p <= SIGNIFICANCE);
    let significant = !comparison.metric.is_inferential(scenario) || agrees;
    let edge = comparison.metric.edge(scenario);
    let gain = comparison.gain();
    gain.map_or(Side::Open, |interval| {
        stats::decide_difference(interval, edge, significant)
    })
}

/// True where a comparison has what a run goes on for.
pub(super) fn is_clear(comparison: &Comparison, until: Until, scenario: &Scenario) -> bool {
    match until {
        Until::Decided => side(comparison, scenario) != Side::Open,
        // The reader of scenarios lets only ratios go on until a width.
        Until::HalfWidth(share) => comparison
            .gain()
            .is_some_and(|(low, high)| (high - low) / 2.0 <= share.ln_1p()),
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

    /// How far a configuration is from its baseline, block by block.
    pub(super) fn values(&self, pair: Pair, metric: Metric) -> Vec<(u32, f64)> {
        paired_values(self.scenario, &self.trials, pair, metric)
    }

    /// A comparison from its values, not yet corrected nor concluded.
    pub(super) fn made(&self, question: Question, metric: Metric, pair: Pair, values: &[f64]) -> Comparison {
        let (rule, seed) = (&self.rule, self.scenario.seed);
        let is_ratio = metric.comparing().by == By::Ratio;
        let of_values = |(low, high): (f64, f64)| if is_ratio { (low.exp(), high.exp()) } else { (low, high) };
        Comparison {
            question,
            baseline: pair.0,
            configuration: pair.1,
            metric,
            effect: if is_ratio {
                rule.ratio(values).map(Effect::Ratio)
            } else {
                rule.difference(values).map(Effect::Difference)
            },
            method: rule.method(),
            interval_bootstrap: rule.bootstrap(values, seed).map(of_values),
            p: rule.p(values, seed),
            p_holm: None,
            blocks: count(values.len()),
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
