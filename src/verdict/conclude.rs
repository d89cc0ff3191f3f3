//! Every configuration against its baseline, paired within blocks, and what is concluded.

use super::figures::{fell_behind, is_tainted};
use super::model::{Comparison, Effect, Metric, Question, Verdict};
use super::pairs::{paired_trials, paired_values, pairs, questions};
use super::rule::Rule;
use crate::figures::By;
use crate::measure::Trial;
use crate::scenario::Scenario;
use crate::stats::{self, SIGNIFICANCE, Side, count};

/// All comparisons of a scenario's trials: question by question, metric by metric, each in the scenario's order. Every
/// question and metric is a family of its own in the correction for several comparisons.
pub fn compare(scenario: &Scenario, trials: &[Trial]) -> Vec<Comparison> {
    let rule = Rule::of(scenario);
    let questions = questions(scenario).into_iter();
    questions
        .flat_map(|question| compare_for(scenario, trials, &rule, question))
        .collect()
}

/// The comparisons of one question.
pub(super) fn compare_for(scenario: &Scenario, trials: &[Trial], rule: &Rule, question: Question) -> Vec<Comparison> {
    let scene = Scene {
        scenario,
        rule,
        barred: Barred::new(scenario, trials),
        trials: paired_trials(trials),
    };
    let metrics = Metric::all(scenario).into_iter();
    metrics.flat_map(|metric| scene.family(question, metric)).collect()
}

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

/// What all comparisons are made from.
struct Scene<'a> {
    scenario: &'a Scenario,
    rule: &'a Rule,
    barred: Barred,
    /// Those that take part in paired comparisons.
    trials: Vec<&'a Trial>,
}

impl Scene<'_> {
    /// The comparisons of one question by one metric.
    fn family(&self, question: Question, metric: Metric) -> Vec<Comparison> {
        let (rule, seed) = (self.rule, self.scenario.seed);
        let is_ratio = metric.comparing().by == By::Ratio;
        let make = |pair: (usize, usize)| {
            let values = paired_values(self.scenario, &self.trials, pair, metric);
            let bootstrap = rule.bootstrap(&values, seed);
            let comparison = Comparison {
                question,
                baseline: pair.0,
                configuration: pair.1,
                metric,
                effect: if is_ratio {
                    rule.ratio(&values).map(Effect::Ratio)
                } else {
                    rule.difference(&values).map(Effect::Difference)
                },
                method: rule.method(),
                interval_bootstrap: bootstrap
                    .map(|(low, high)| if is_ratio { (low.exp(), high.exp()) } else { (low, high) }),
                p: rule.p(&values, seed),
                p_holm: None,
                blocks: count(values.len()),
                verdict: Verdict::Undecided,
                blocks_more: None,
            };
            (comparison, values)
        };
        let pairs = pairs(self.scenario, question, metric).into_iter();
        let paired: Vec<(Comparison, Vec<f64>)> = pairs.map(make).collect();
        // A comparison that could not be made keeps its place in the correction: its absence is no luck of the others.
        let p: Vec<f64> = paired.iter().map(|(c, _)| c.p.unwrap_or(1.0)).collect();
        let (corrected, all) = (stats::holm(&p), paired.len());
        let is_inferential = metric.is_inferential(self.scenario);
        let conclude = |((mut comparison, values), p_holm): ((Comparison, Vec<f64>), f64)| {
            comparison.p_holm = comparison.p.filter(|_| is_inferential).map(|_| p_holm);
            self.conclude(&mut comparison, &values, all);
            comparison
        };
        paired.into_iter().zip(corrected).map(conclude).collect()
    }

    /// The verdict, or what it would take.
    fn conclude(&self, comparison: &mut Comparison, values: &[f64], comparisons: usize) {
        let (baseline, configuration) = (comparison.baseline, comparison.configuration);
        let behind = self.barred.behind[baseline] || self.barred.behind[configuration];
        let side = side(comparison, self.scenario);
        comparison.verdict = match side {
            Side::Equivalent if !behind => Verdict::Same,
            Side::Above if !self.barred.is_no_winner(configuration) => Verdict::Faster,
            Side::Below if !self.barred.is_no_winner(baseline) => Verdict::Slower,
            Side::Equivalent | Side::Above | Side::Below | Side::Open => Verdict::Undecided,
        };
        if side == Side::Open {
            // At the level that the correction leaves this comparison.
            let factor = match (comparison.p, comparison.p_holm) {
                (Some(p), Some(p_holm)) if p > 0.0 => (p_holm / p).clamp(1.0, comparisons.max(1) as f64),
                _ => 1.0,
            };
            let edge = comparison.metric.edge(self.scenario);
            let needed = self.rule.needed(values, edge, SIGNIFICANCE / factor);
            comparison.blocks_more = needed.map(|needed| count(needed - values.len()));
        }
    }
}

/// Which configurations are not called the faster ones.
struct Barred {
    /// Trials of it failed, or lost or doubled records.
    tainted: Vec<bool>,
    /// Its readers fell behind in some trials, so that its figures are those of its better ones. It is not called as
    /// good as another either.
    behind: Vec<bool>,
}

impl Barred {
    fn new(scenario: &Scenario, trials: &[Trial]) -> Self {
        let each = || scenario.configurations.iter().enumerate();
        Barred {
            tainted: each().map(|(index, _)| is_tainted(trials, index)).collect(),
            behind: each().map(|(index, c)| fell_behind(&c.mode, trials, index)).collect(),
        }
    }

    fn is_no_winner(&self, configuration: usize) -> bool {
        self.tainted[configuration] || self.behind[configuration]
    }
}
