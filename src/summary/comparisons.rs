//! Every configuration against its baseline, paired within blocks, and what is concluded.

use std::collections::{BTreeMap, BTreeSet};

use super::configurations::{count, read_seconds, stopwatch_seconds};
use super::{Comparison, ConfigurationSummary, Metric, Verdict};
use crate::measure::{Measurement, Trial};
use crate::plan::Plan;
use crate::stats::{self, Estimate, SIGNIFICANCE, Side};

/// Comparisons by read time first, then by stopwatch, each in the scenario's order.
pub(super) fn compare(plan: &Plan, trials: &[Trial], summaries: &[ConfigurationSummary]) -> Vec<Comparison> {
    let pairs: Vec<(usize, usize)> = (plan.scenario.configurations.iter().enumerate())
        .filter_map(|(index, configuration)| Some((configuration.baseline?, index)))
        .collect();
    // A split block's trials were made by a machine that may have changed in between.
    let paired_trials: Vec<&Trial> = {
        let split: BTreeSet<u32> = (0..plan.blocks(trials))
            .filter(|&block| plan.is_split(trials, block))
            .collect();
        let whole = |trial: &&Trial| trial.is_used() && !split.contains(&trial.order.block);
        trials.iter().filter(whole).collect()
    };
    let paired = |metric| {
        let make = |&(baseline, configuration): &(usize, usize)| {
            let logs = log_ratios(&paired_trials, baseline, configuration, metric);
            Paired::new(plan, baseline, configuration, metric, logs)
        };
        pairs.iter().map(make).collect::<Vec<Paired>>()
    };
    let read_time = paired(Metric::ReadTime);
    // A comparison that could not be made keeps its place in the correction: its absence is no luck of the others.
    let p: Vec<f64> = read_time.iter().map(|pair| pair.p.unwrap_or(1.0)).collect();
    let corrected = stats::holm(&p);
    let threshold = plan.scenario.threshold;
    let inferential = read_time.into_iter().zip(corrected).map(|(pair, p_holm)| {
        let p_holm = pair.p.map(|_| p_holm);
        pair.conclude(threshold, p_holm, summaries, pairs.len())
    });
    let mut comparisons: Vec<Comparison> = inferential.collect();
    let stopwatch = paired(Metric::Stopwatch).into_iter();
    comparisons.extend(stopwatch.map(|pair| pair.conclude(threshold, None, summaries, pairs.len())));
    comparisons
}

/// Logarithms of how many times as fast a configuration was, in each block that holds a trial of both.
fn log_ratios(trials: &[&Trial], baseline: usize, configuration: usize, metric: Metric) -> Vec<f64> {
    let speeds = |index: usize| -> BTreeMap<u32, f64> {
        let of = trials.iter().filter(|t| t.order.configuration == index);
        of.filter_map(|t| Some((t.order.block, speed(metric, t.order.records, t.measurement.as_ref()?))))
            .collect()
    };
    let (base, other) = (speeds(baseline), speeds(configuration));
    other
        .iter()
        .filter_map(|(block, speed)| Some((speed / base.get(block)?).ln()))
        .collect()
}

/// Records of each group per second, by either time.
fn speed(metric: Metric, records: u64, measurement: &Measurement) -> f64 {
    let seconds = match metric {
        Metric::ReadTime => read_seconds(measurement),
        Metric::Stopwatch => stopwatch_seconds(measurement),
    };
    records as f64 / seconds
}

/// A comparison before the correction for several.
struct Paired {
    baseline: usize,
    configuration: usize,
    metric: Metric,
    logs: Vec<f64>,
    ratio: Option<Estimate>,
    p: Option<f64>,
}

impl Paired {
    fn new(plan: &Plan, baseline: usize, configuration: usize, metric: Metric, logs: Vec<f64>) -> Self {
        let ratios: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
        Paired {
            baseline,
            configuration,
            metric,
            ratio: Estimate::geometric(&ratios),
            p: stats::sign_flip_p(&logs, plan.scenario.seed),
            logs,
        }
    }

    /// By read time `p_holm` must agree before anything is called faster or slower; by stopwatch, which is only
    /// described, the interval decides alone.
    fn conclude(
        self,
        threshold: f64,
        p_holm: Option<f64>,
        summaries: &[ConfigurationSummary],
        comparisons: usize,
    ) -> Comparison {
        let significant = self.metric == Metric::Stopwatch || p_holm.is_some_and(|p| p <= SIGNIFICANCE);
        let interval = self.ratio.and_then(|ratio| ratio.interval);
        let side = interval.map_or(Side::Open, |interval| stats::decide(interval, threshold, significant));
        let verdict = match side {
            Side::Equivalent => Verdict::Same,
            // Whoever lost, doubled or failed is not called the faster one, on neither side of the comparison.
            Side::Above if !is_tainted(&summaries[self.configuration]) => Verdict::Faster,
            Side::Below if !is_tainted(&summaries[self.baseline]) => Verdict::Slower,
            Side::Above | Side::Below | Side::Open => Verdict::Undecided,
        };
        let blocks_more = (side == Side::Open)
            .then(|| self.blocks_more(threshold, p_holm, comparisons))
            .flatten();
        Comparison {
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

/// True where trials of a configuration failed, or lost or doubled records.
pub(super) fn is_tainted(summary: &ConfigurationSummary) -> bool {
    summary.trials_failed > 0 || summary.lost > 0 || summary.duplicated > 0
}
