//! Every configuration against its baseline, paired within blocks, and what is concluded.

use super::figures::{fell_behind, is_tainted};
use super::pairs::{log_ratios, paired_trials, pairs, questions};
use super::{Comparison, Metric, Question, Verdict};
use crate::measure::Trial;
use crate::scenario::Scenario;
use crate::stats::{self, Estimate, SIGNIFICANCE, Side};

/// All comparisons of a scenario's trials: question by question, metric by metric, each in the scenario's order. Every
/// question and metric is a family of its own in the correction for several comparisons.
pub fn compare(scenario: &Scenario, trials: &[Trial]) -> Vec<Comparison> {
    let barred = Barred::new(scenario, trials);
    let paired = paired_trials(trials);
    let families = questions(scenario)
        .into_iter()
        .flat_map(|question| Metric::ALL.map(|metric| (question, metric)));
    families
        .flat_map(|(question, metric)| family(scenario, &paired, &barred, question, metric))
        .collect()
}

/// The comparisons of one question by one metric.
fn family(
    scenario: &Scenario,
    trials: &[&Trial],
    barred: &Barred,
    question: Question,
    metric: Metric,
) -> Vec<Comparison> {
    let make = |(baseline, configuration): (usize, usize)| {
        let logs = log_ratios(trials, baseline, configuration, metric);
        Paired::new(scenario, question, baseline, configuration, metric, logs)
    };
    let paired: Vec<Paired> = pairs(scenario, question, metric).into_iter().map(make).collect();
    // A comparison that could not be made keeps its place in the correction: its absence is no luck of the others.
    let p: Vec<f64> = paired.iter().map(|pair| pair.p.unwrap_or(1.0)).collect();
    let (corrected, all) = (stats::holm(&p), paired.len());
    let conclude = |(pair, p_holm): (Paired, f64)| {
        let p_holm = pair.p.filter(|_| metric.is_inferential()).map(|_| p_holm);
        pair.conclude(scenario.threshold, p_holm, barred, all)
    };
    paired.into_iter().zip(corrected).map(conclude).collect()
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

/// A comparison before the correction for several.
struct Paired {
    question: Question,
    baseline: usize,
    configuration: usize,
    metric: Metric,
    logs: Vec<f64>,
    ratio: Option<Estimate>,
    p: Option<f64>,
}

impl Paired {
    fn new(
        scenario: &Scenario,
        question: Question,
        baseline: usize,
        configuration: usize,
        metric: Metric,
        logs: Vec<f64>,
    ) -> Self {
        let ratios: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
        Paired {
            question,
            baseline,
            configuration,
            metric,
            ratio: Estimate::geometric(&ratios),
            p: stats::sign_flip_p(&logs, scenario.seed),
            logs,
        }
    }

    /// `p_holm` must agree before anything is called faster or slower; by a metric that is only described the
    /// interval decides alone.
    fn conclude(self, threshold: f64, p_holm: Option<f64>, barred: &Barred, comparisons: usize) -> Comparison {
        let significant = !self.metric.is_inferential() || p_holm.is_some_and(|p| p <= SIGNIFICANCE);
        let interval = self.ratio.and_then(|ratio| ratio.interval);
        let side = interval.map_or(Side::Open, |interval| stats::decide(interval, threshold, significant));
        let behind = barred.behind[self.baseline] || barred.behind[self.configuration];
        let verdict = match side {
            Side::Equivalent if !behind => Verdict::Same,
            Side::Above if !barred.is_no_winner(self.configuration) => Verdict::Faster,
            Side::Below if !barred.is_no_winner(self.baseline) => Verdict::Slower,
            Side::Equivalent | Side::Above | Side::Below | Side::Open => Verdict::Undecided,
        };
        let blocks_more = (side == Side::Open)
            .then(|| self.blocks_more(threshold, p_holm, comparisons))
            .flatten();
        Comparison {
            question: self.question,
            baseline: self.baseline,
            configuration: self.configuration,
            metric: self.metric,
            ratio: self.ratio,
            p: self.p,
            p_holm,
            blocks: count(self.logs.len()),
            verdict,
            blocks_more,
        }
    }

    /// Blocks beyond those made until a verdict is probable, at the level that the correction leaves this comparison.
    fn blocks_more(&self, threshold: f64, p_holm: Option<f64>, comparisons: usize) -> Option<u32> {
        let factor = match (self.p, p_holm) {
            (Some(p), Some(p_holm)) if p > 0.0 => (p_holm / p).clamp(1.0, comparisons.max(1) as f64),
            _ => 1.0,
        };
        let log_mean = stats::mean(&self.logs)?;
        let deviation = stats::standard_deviation(&self.logs)?;
        let made = self.logs.len();
        let needed = stats::observations_needed(log_mean, deviation, made, threshold, SIGNIFICANCE / factor)?;
        Some(count(needed - made))
    }
}

/// Blocks are counted in `u32`, as their numbers are.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
