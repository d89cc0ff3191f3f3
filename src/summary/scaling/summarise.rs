//! From the trials of each series to its points, its law and how many are worth having.

use std::collections::BTreeMap;

use super::model::{Along, Fit, Gain, ScalingPoint, ScalingSeries};
use super::recommendation;
use super::series::{self, Run};
use crate::figures::FigureId;
use crate::measure::Trial;
use crate::plan::Plan;
use crate::stats::{self, Estimate, Observation, SIGNIFICANCE, is_material};
use crate::summary::model::ConfigurationSummary;
use crate::verdict::{Metric, Rule, figure, is_tainted, paired_trials};

/// Records per second of each trial that may be paired, by configuration and block.
type Rates = BTreeMap<usize, BTreeMap<u32, f64>>;

/// Every series of backlogs with figures for at least two different numbers, in the scenario's order. A count is
/// compared with others in paired log-ratios within blocks; a block split over two sessions takes no part.
pub(crate) fn summarise(plan: &Plan, trials: &[Trial], summaries: &[ConfigurationSummary]) -> Vec<ScalingSeries> {
    if plan.scenario.capacity.is_some() {
        return Vec::new();
    }
    let paired = Paired {
        rule: Rule::of(&plan.scenario),
        seed: plan.scenario.seed,
        rates: rates(trials),
    };
    let tainted = |configuration: usize| is_tainted(trials, configuration);
    let runs = series::series(&plan.scenario);
    let made = runs
        .iter()
        .map(|run| summarise_one(plan, run, summaries, &paired, tainted));
    made.filter(|series| series.points.len() > 1).collect()
}

fn rates(trials: &[Trial]) -> Rates {
    let mut rates = Rates::new();
    for trial in paired_trials(trials) {
        if let Some(measurement) = &trial.measurement {
            let by_block = rates.entry(trial.order.configuration).or_default();
            by_block.extend(figure(Metric::READ_TIME, measurement, false).map(|rate| (trial.order.block, rate)));
        }
    }
    rates
}

fn summarise_one(
    plan: &Plan,
    run: &Run,
    summaries: &[ConfigurationSummary],
    paired: &Paired,
    is_tainted: impl Fn(usize) -> bool,
) -> ScalingSeries {
    let scenario = &plan.scenario;
    let measured: Vec<&(u32, usize)> = run
        .configurations
        .iter()
        .filter(|(_, index)| summaries[*index].estimate(FigureId::RecordsPerSecond).is_some())
        .collect();
    let first = measured.first().copied();
    let mut points: Vec<ScalingPoint> = Vec::new();
    for (count, index) in measured {
        let Some(records_per_second) = summaries[*index].estimate(FigureId::RecordsPerSecond) else {
            continue;
        };
        let gain = points.last().map(|before| Gain {
            from: before.count,
            ratio: paired.ratio(*index, before.configuration),
        });
        let speed_up = match first {
            Some((_, base)) if base != index => paired.ratio(*index, *base),
            _ => Some(Estimate {
                point: 1.0,
                interval: None,
                observations: records_per_second.observations,
            }),
        };
        points.push(ScalingPoint {
            configuration: *index,
            count: *count,
            members: summaries[*index].members,
            idle_members: u32::try_from(summaries[*index].count(FigureId::IdleMembers)).unwrap_or(u32::MAX),
            records_per_second,
            speed_up,
            efficiency: speed_up
                .zip(first)
                .map(|(speed_up, (fewest, _))| speed_up.map(|times| times * (f64::from(*fewest) / f64::from(*count)))),
            gain,
        });
    }
    let dataset = &scenario.datasets[scenario.configurations[run.configurations[0].1].dataset];
    let mut series = ScalingSeries {
        along: run.along,
        name: series::name(scenario, run),
        family: scenario.configurations[run.configurations[0].1].family,
        partitions: dataset.partitions_of_all(),
        fit: fit(plan, run.along, &points, &paired.rates),
        points,
        recommendation: None,
    };
    let compare = |from: &ScalingPoint, to: &ScalingPoint| paired.step(from, to, scenario.threshold);
    let is_barred = |point: &ScalingPoint| is_tainted(point.configuration);
    series.recommendation = recommendation::recommend(&series, scenario.threshold, compare, is_barred);
    series
}

/// How fast configurations were in the same blocks, by the rule of the run's verdicts.
struct Paired {
    rule: Rule,
    seed: u64,
    rates: Rates,
}

impl Paired {
    /// Log-ratios of the blocks that hold a trial of both.
    fn logs(&self, one: usize, other: usize) -> Vec<f64> {
        let (Some(one), Some(other)) = (self.rates.get(&one), self.rates.get(&other)) else {
            return Vec::new();
        };
        let pairs = one
            .iter()
            .filter_map(|(block, rate)| Some((rate / other.get(block)?).ln()));
        pairs.collect()
    }

    /// How many times as fast one is as another.
    fn ratio(&self, one: usize, other: usize) -> Option<Estimate> {
        self.rule.ratio(&self.logs(one, other))
    }

    /// The ratio of a larger count to a smaller one, the p of there being no difference, and about how many more blocks
    /// would say on which side of the threshold the gain of each one added lies.
    fn step(
        &self,
        from: &ScalingPoint,
        to: &ScalingPoint,
        threshold: f64,
    ) -> (Option<Estimate>, Option<f64>, Option<u32>) {
        let logs = self.logs(to.configuration, from.configuration);
        let worth = threshold.ln_1p() * f64::from(to.count - from.count);
        let beyond: Vec<f64> = logs.iter().map(|log| log - worth).collect();
        let needed = self.rule.needed(&beyond, 0.0, SIGNIFICANCE);
        let more = needed.map(|needed| stats::count(needed - logs.len()));
        (self.rule.ratio(&logs), self.rule.p(&logs, self.seed), more)
    }
}

/// The count from which on every more has no partition; without end for threads.
fn full(plan: &Plan, points: &[ScalingPoint], along: Along) -> f64 {
    let Some(point) = points.first().filter(|_| along != Along::Threads) else {
        return f64::INFINITY;
    };
    let configuration = &plan.scenario.configurations[point.configuration];
    let dataset = &plan.scenario.datasets[configuration.dataset];
    let partitions = f64::from(dataset.partitions_of_all() * configuration.groups);
    partitions * f64::from(point.count) / f64::from(point.members.max(1))
}

/// The law of the points without idle members: one that holds no partition is no more than a process that was started,
/// and bends every law.
fn fit(plan: &Plan, along: Along, points: &[ScalingPoint], rates: &Rates) -> Fit {
    let mut observations = Vec::new();
    for point in points.iter().filter(|point| point.idle_members == 0) {
        let by_block = rates.get(&point.configuration).into_iter().flatten();
        observations.extend(by_block.map(|(block, per_second)| Observation {
            members: point.count,
            per_second: *per_second,
            block: *block,
        }));
    }
    match stats::fit_scaling(&observations, plan.scenario.seed) {
        Ok(mut fit) => {
            // More members than partitions are idle, whatever the law says.
            let full = full(plan, points, along);
            fit.curve
                .retain(|point| !point.extrapolated || point.members <= full + 1e-9);
            // A curve that misses what was measured says nothing of what was not.
            let misses = |ratio: f64| is_material((ratio, ratio), plan.scenario.threshold);
            if fit.misfit.is_some_and(|misfit| misses(misfit.ratio)) {
                fit.peak = None;
            } else {
                fit.misfit = None;
            }
            Fit::Law(Box::new(fit))
        }
        Err(refusal) => Fit::Refused(refusal),
    }
}
