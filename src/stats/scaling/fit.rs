//! Fits the laws to trials, chooses one, and finds its intervals by resampling blocks.

use std::collections::{BTreeMap, BTreeSet};

use super::law::{Law, Observation};
use super::misfit::{ROUNDING, misfit};
use super::model::{COUNTS_FOR_LAW, CurvePoint, Parameter, Peak, Refusal, ScalingFit, Score};
use super::solver::{Block, Solution, slowdown, solve};
use crate::stats::estimate::Estimate;
use crate::stats::resampling::{BLOCKS_FOR_BOOTSTRAP, interval, lower_end, resamples, upper_end};

/// Resamples of an interval.
const RESAMPLES: usize = 2_000;

/// Number of points of the curve, approximately.
const CURVE_POINTS: f64 = 48.0;

/// How far beyond the highest count the curve goes on, as a multiple of it.
const EXTRAPOLATION: f64 = 1.5;

/// The simplest law that no other beats, with bootstrap intervals from `seed`.
///
/// Fitted by least squares **to trials, on the log scale**: noise is a factor (a slow moment makes every trial slower by
/// a share), so logarithms have the same spread at every count. Each block has a level of its own, since its trials
/// share a mood; lambda is their geometric mean. A more general law is taken only where its `AICc` is lower (Hurvich and
/// Tsai, Biometrika 76 (1989); Burnham and Anderson, "Model Selection and Multimodel Inference" (2002)): Amdahl's
/// instead of the line, the universal one instead of the better of these.
pub fn fit_scaling(observations: &[Observation], seed: u64) -> Result<ScalingFit, Refusal> {
    fit_with(observations, None, RESAMPLES, seed)
}

/// The same with a law given beforehand, or none, and with so many resamples.
fn fit_with(
    observations: &[Observation],
    wanted: Option<Law>,
    resamples: usize,
    seed: u64,
) -> Result<ScalingFit, Refusal> {
    let blocks = in_blocks(observations)?;
    let all: Vec<&Block> = blocks.iter().collect();
    let trials: usize = all.iter().map(|block| block.len()).sum();
    let solutions = Law::ALL.map(|law| solve(law, &all, START));
    let score = |law: Law, solution: &Solution| {
        let parameters = law.parameters() + blocks.len() + 1;
        Score {
            law,
            aicc: aicc(solution.squares, trials, parameters),
        }
    };
    let scores: Vec<Score> = Law::ALL.iter().zip(&solutions).map(|(law, s)| score(*law, s)).collect();
    let law = wanted.unwrap_or_else(|| choose(&scores));
    let solution = solutions[law as usize];
    let drawn = Drawn::new(law, solution, &blocks, resamples, seed);
    let beta = drawn.parameter(1);
    let highest = counts(&blocks).last().copied().unwrap_or(1.0);
    Ok(ScalingFit {
        law,
        lambda: drawn.estimate(solution.log_lambda.exp(), |s| s.log_lambda.exp()),
        alpha: drawn.parameter(0),
        beta,
        peak: beta.and_then(|beta| drawn.peak(beta, highest)),
        scores,
        misfit: misfit(law, &solution, &all),
        curve: drawn.curve(highest),
        observations: trials,
        blocks: blocks.len(),
    })
}

/// A little of both, so that neither begins at its bound.
const START: [f64; 2] = [0.02, 0.001];

/// The input of the solver, by block. A block with only one count says nothing about growth and is left out.
fn in_blocks(observations: &[Observation]) -> Result<Vec<Block>, Refusal> {
    let mut blocks: BTreeMap<u32, Block> = BTreeMap::new();
    for one in observations {
        if one.members == 0 || !one.per_second.is_finite() || one.per_second <= 0.0 {
            return Err(Refusal::NoThroughput);
        }
        let members = f64::from(one.members);
        let trial = (members, (one.per_second / members).ln());
        blocks.entry(one.block).or_default().push(trial);
    }
    let mut blocks: Vec<Block> = blocks.into_values().collect();
    blocks.retain(|block| block.iter().any(|trial| trial.0.total_cmp(&block[0].0).is_ne()));
    let found: BTreeSet<u32> = observations.iter().map(|one| one.members).collect();
    match (found.len(), counts(&blocks).len()) {
        (counts, _) if counts < COUNTS_FOR_LAW => Err(Refusal::TooFewCounts(counts)),
        _ if blocks.len() < BLOCKS_FOR_BOOTSTRAP => Err(Refusal::TooFewBlocks(blocks.len())),
        (_, counts) if counts < COUNTS_FOR_LAW => Err(Refusal::TooFewCounts(counts)),
        _ => Ok(blocks),
    }
}

/// The different member counts, ascending.
fn counts(blocks: &[Block]) -> Vec<f64> {
    let mut counts: Vec<f64> = blocks.iter().flatten().map(|trial| trial.0).collect();
    counts.sort_by(f64::total_cmp);
    counts.dedup();
    counts
}

/// n ln(S / n) + 2 k + 2 k (k + 1) / (n - k - 1) for `squares` S of n `observations` under k `parameters`, the variance
/// among them. Infinite where there are too few observations for so many parameters.
fn aicc(squares: f64, observations: usize, parameters: usize) -> f64 {
    let (n, k) = (observations as f64, parameters as f64);
    if n - k - 1.0 <= 0.0 {
        return f64::INFINITY;
    }
    n * (squares / n).max(ROUNDING).ln() + 2.0 * k + 2.0 * k * (k + 1.0) / (n - k - 1.0)
}

fn choose(scores: &[Score]) -> Law {
    let beats = |best: Score, next: &Score| if next.aicc < best.aicc { *next } else { best };
    scores
        .iter()
        .copied()
        .reduce(|best, next| beats(best, &next))
        .map_or(Law::Linear, |best| best.law)
}

/// A law's solution and those of the resampled blocks.
struct Drawn {
    law: Law,
    solution: Solution,
    resampled: Vec<Solution>,
    trials: usize,
    blocks: usize,
    lowest: f64,
}

impl Drawn {
    fn new(law: Law, solution: Solution, blocks: &[Block], times: usize, seed: u64) -> Self {
        // At a bound the search has no direction for its first step; near the bound it has.
        let start = [0, 1].map(|p| solution.shape[p].clamp(START[p] / 100.0, 1.0));
        let again = |drawn: Vec<usize>| {
            let drawn: Vec<&Block> = drawn.into_iter().map(|block| &blocks[block]).collect();
            solve(law, &drawn, start)
        };
        Drawn {
            law,
            solution,
            resampled: resamples(blocks.len(), times, seed).map(again).collect(),
            trials: blocks.iter().map(Vec::len).sum(),
            blocks: blocks.len(),
            lowest: counts(blocks).first().copied().unwrap_or(1.0),
        }
    }

    fn values(&self, of: impl Fn(&Solution) -> f64) -> Vec<f64> {
        self.resampled.iter().map(of).collect()
    }

    fn estimate(&self, point: f64, of: impl Fn(&Solution) -> f64) -> Estimate {
        Estimate {
            point,
            interval: interval(&self.values(of), self.blocks),
            observations: self.trials,
        }
    }

    fn parameter(&self, index: usize) -> Option<Parameter> {
        if !self.law.has()[index] {
            return None;
        }
        let point = self.solution.shape[index];
        let mut estimate = self.estimate(point, |s| s.shape[index]);
        let values = || self.values(|s| s.shape[index]);
        let (at_low, at_high) = (point <= 0.0, index == 0 && point >= 1.0);
        if at_low {
            estimate.interval = upper_end(&values(), self.blocks).map(|high| (0.0, high));
        } else if at_high {
            estimate.interval = lower_end(&values(), self.blocks).map(|low| (low, 1.0));
        }
        Some(Parameter {
            estimate,
            at_bound: at_low || at_high,
        })
    }

    /// `None` where the interval of beta reaches 0: then nothing says that there is a peak.
    fn peak(&self, beta: Parameter, highest: f64) -> Option<Peak> {
        let peak_of = |s: &Solution| ((1.0 - s.shape[0]) / s.shape[1]).sqrt().max(1.0);
        let members = self.estimate(peak_of(&self.solution), peak_of);
        let is_known = beta.estimate.interval.is_some_and(|(low, _)| low > 0.0);
        let is_finite = members.interval.is_some_and(|(_, high)| high.is_finite());
        (is_known && is_finite).then_some(Peak {
            members,
            extrapolated: members.point > highest,
        })
    }

    fn curve(&self, highest: f64) -> Vec<CurvePoint> {
        let end = (highest * EXTRAPOLATION).ceil();
        let step = ((end - self.lowest) / CURVE_POINTS).max(0.25);
        let point = |members: f64| {
            let throughput_of = |s: &Solution| s.log_lambda.exp() * members / slowdown(s.shape, members);
            let estimate = self.estimate(throughput_of(&self.solution), throughput_of);
            let (low, high) = estimate.interval?;
            Some(CurvePoint {
                members,
                per_second: estimate.point,
                low,
                high,
                extrapolated: members > highest,
            })
        };
        // The highest measured count is one of the points, so that the solid and the dashed part meet there.
        let steps = |from: f64, to: f64| {
            let number = ((to - from) / step).ceil().max(1.0);
            let places = std::iter::successors(Some(0.0), |i| Some(i + 1.0)).take_while(move |i| *i < number);
            places.map(move |i| from + (to - from) * i / number)
        };
        let places = steps(self.lowest, highest).chain(steps(highest, end)).chain([end]);
        places.filter_map(point).collect()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
