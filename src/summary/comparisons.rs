//! Every configuration against its baseline, paired within blocks, and what is concluded.

use std::collections::{BTreeMap, BTreeSet};

use super::configurations::{count, read_seconds, stopwatch_seconds};
use super::{Comparison, ConfigurationSummary, Metric, Verdict, live};
use crate::measure::{Measurement, Trial};
use crate::plan::Plan;
use crate::scenario::{Configuration, Mode, Scenario};
use crate::stats::{self, Estimate, SIGNIFICANCE, Side};

/// All metrics, those that answer the question first.
const METRICS: [Metric; 4] = [
    Metric::ReadTime,
    Metric::ResponseP99,
    Metric::CatchUp,
    Metric::Stopwatch,
];

/// Comparisons by one metric after the other, each in the scenario's order. Every metric is a family of its own in the
/// correction for several comparisons, because it answers a question of its own.
pub(super) fn compare(plan: &Plan, trials: &[Trial], summaries: &[ConfigurationSummary]) -> Vec<Comparison> {
    // A split block's trials were made by a machine that may have changed in between.
    let paired_trials: Vec<&Trial> = {
        let split: BTreeSet<u32> = (0..plan.blocks(trials))
            .filter(|&block| plan.is_split(trials, block))
            .collect();
        let whole = |trial: &&Trial| trial.is_used() && !split.contains(&trial.order.block);
        trials.iter().filter(whole).collect()
    };
    let behind = |(index, c): (usize, &Configuration)| live::fell_behind(&c.mode, trials, index);
    let barred = Barred {
        tainted: summaries.iter().map(is_tainted).collect(),
        behind: plan.scenario.configurations.iter().enumerate().map(behind).collect(),
    };
    let by_metric = METRICS.into_iter().flat_map(|metric| {
        let make = |(baseline, configuration): (usize, usize)| {
            let logs = log_ratios(&paired_trials, baseline, configuration, metric);
            Paired::new(plan, baseline, configuration, metric, logs)
        };
        let paired: Vec<Paired> = pairs(&plan.scenario, metric).into_iter().map(make).collect();
        // A comparison that could not be made keeps its place in the correction: its absence is no luck of the others.
        let p: Vec<f64> = paired.iter().map(|pair| pair.p.unwrap_or(1.0)).collect();
        let (corrected, all) = (stats::holm(&p), paired.len());
        let conclude = |(pair, p_holm): (Paired, f64)| {
            let p_holm = pair.p.filter(|_| metric.is_inferential()).map(|_| p_holm);
            pair.conclude(plan.scenario.threshold, p_holm, &barred, all)
        };
        paired
            .into_iter()
            .zip(corrected)
            .map(conclude)
            .collect::<Vec<Comparison>>()
    });
    by_metric.collect()
}

/// Every configuration that is compared by this metric, behind its baseline.
pub(super) fn pairs(scenario: &Scenario, metric: Metric) -> Vec<(usize, usize)> {
    let configurations = &scenario.configurations;
    let with_baseline = (0..configurations.len()).filter_map(|index| Some((configurations[index].baseline?, index)));
    with_baseline
        .filter(|&(baseline, index)| {
            let compared = by(scenario, &configurations[index].mode);
            compared == by(scenario, &configurations[baseline].mode) && compared.contains(&metric)
        })
        .collect()
}

/// What configurations of a mode are compared by. Reading live records takes as long as they arrive, and says nothing;
/// in a search for capacity each configuration has trials of other rates.
fn by(scenario: &Scenario, mode: &Mode) -> &'static [Metric] {
    match mode {
        Mode::Backlog => &[Metric::ReadTime, Metric::Stopwatch],
        Mode::Live(_) | Mode::Mixed(_) if scenario.capacity.is_some() => &[],
        Mode::Live(_) => &[Metric::ResponseP99],
        Mode::Mixed(_) => &[Metric::CatchUp],
    }
}

/// Logarithms of how many times as fast a configuration was, in each block that holds a trial of both with a figure.
fn log_ratios(trials: &[&Trial], baseline: usize, configuration: usize, metric: Metric) -> Vec<f64> {
    let speeds = |index: usize| -> BTreeMap<u32, f64> {
        let of = trials.iter().filter(|t| t.order.configuration == index);
        of.filter_map(|t| Some((t.order.block, speed(metric, t.order.records, t.measurement.as_ref()?)?)))
            .collect()
    };
    let (base, other) = (speeds(baseline), speeds(configuration));
    other
        .iter()
        .filter_map(|(block, speed)| Some((speed / base.get(block)?).ln()))
        .collect()
}

/// Records of each group per second by either time, or the inverse of a length of time; `None` where a trial has no
/// figure that may be compared.
fn speed(metric: Metric, records: u64, measurement: &Measurement) -> Option<f64> {
    match metric {
        Metric::ReadTime => Some(records as f64 / read_seconds(measurement)),
        Metric::Stopwatch => Some(records as f64 / stopwatch_seconds(measurement)),
        Metric::ResponseP99 => live::response_p99_ms(measurement).map(f64::recip),
        Metric::CatchUp if live::is_meaningful(measurement) => live::catch_up_seconds(measurement).map(f64::recip),
        Metric::CatchUp => None,
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
    fn is_no_winner(&self, configuration: usize) -> bool {
        self.tainted[configuration] || self.behind[configuration]
    }
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
