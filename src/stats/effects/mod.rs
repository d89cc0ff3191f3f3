//! How much of the variance of a matrix each of its factors explains.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Estimate;
use super::resampling::{BLOCKS_FOR_BOOTSTRAP, interval, resamples};

/// Resamples of an interval.
const RESAMPLES: usize = 1_000;

/// What is left of a sum of squares by rounding, as a share of it.
const ROUNDING: f64 = 1e-12;

/// One trial of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorialTrial {
    /// The level of each factor.
    pub levels: Vec<usize>,
    /// The block of the trial.
    pub block: u32,
    /// What is explained: the logarithm of a throughput or of a time.
    pub value: f64,
}

/// Why nothing is said of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectsRefusal {
    /// Fewer than two factors have more than one level.
    TooFewFactors,
    /// So many combinations of levels have no trial in any block.
    EmptyCells(usize),
    /// Every combination was tried, and fewer than two blocks hold a trial of each: so many do.
    TooFewBlocks(usize),
    /// All trials gave the same.
    NoVariance,
}

impl fmt::Display for EffectsRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EffectsRefusal::TooFewFactors => f.write_str("fewer than two axes have more than one value"),
            EffectsRefusal::EmptyCells(1) => f.write_str("one combination of the axes has no usable trial"),
            EffectsRefusal::EmptyCells(n) => write!(f, "{n} combinations of the axes have no usable trial"),
            EffectsRefusal::TooFewBlocks(n) => write!(
                f,
                "it takes two blocks with a usable trial of every configuration, and there are {n}"
            ),
            EffectsRefusal::NoVariance => f.write_str("all trials gave the same"),
        }
    }
}

/// The share of a factor or of the interaction of two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectShare {
    /// One factor, or two that interact; indices into a trial's levels.
    pub factors: Vec<usize>,
    /// Omega squared, from 0 to 1.
    pub share: Estimate,
}

/// The composition of the variance of one trial, without the differences between blocks. The shares sum to 1, except
/// that estimates below 0 are reported as 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// Main effects in the order of the factors, then interactions of two.
    pub shares: Vec<EffectShare>,
    /// Interactions of three and more together; `None` with two factors.
    pub higher: Option<Estimate>,
    /// What is left: the scatter of trials of one configuration.
    pub noise: Estimate,
    /// Blocks with a trial of every combination.
    pub blocks: usize,
    /// Blocks left out because a trial is missing.
    pub blocks_left_out: usize,
}

/// The analysis of variance of a full factorial within randomised complete blocks (Fisher, "The Design of Experiments"
/// (1935); Montgomery, "Design and Analysis of Experiments", chapters 4 and 5): sums of squares of each factor, of each
/// two, of all higher interactions together, and of error (configurations by blocks). Of several trials of one
/// combination in one block the mean counts. Only complete blocks are used, because only then are the sums of squares of
/// different effects independent of each other and of their order.
///
/// Reported as **omega squared**, (SS - df MSE) / (SS of configurations + SS of error + MSE), after Olejnik and Algina
/// ("Generalized eta and omega squared statistics", Psychological Methods 8 (2003)): eta squared, SS over the total,
/// gives every factor its share of the noise, the more the more levels it has. Differences between blocks are in none
/// of the sums, because they belong to no configuration.
///
/// Intervals are by bootstrap of blocks from `seed`, from 5 blocks on.
pub fn effects(trials: &[FactorialTrial], seed: u64) -> Result<Effects, EffectsRefusal> {
    let design = Design::new(trials)?;
    let all: Vec<usize> = (0..design.blocks.len()).collect();
    let point = design.shares(&all, false).ok_or(EffectsRefusal::NoVariance)?;
    let blocks = design.blocks.len();
    let drawn: Vec<Vec<f64>> = if blocks < BLOCKS_FOR_BOOTSTRAP {
        Vec::new()
    } else {
        resamples(blocks, RESAMPLES, seed)
            .filter_map(|one| design.shares(&one, true))
            .collect()
    };
    let estimate = |index: usize| {
        let values: Vec<f64> = drawn.iter().map(|shares| shares[index]).collect();
        Estimate {
            point: point[index],
            interval: interval(&values, blocks),
            observations: blocks * design.cells.len(),
        }
    };
    let terms = design.terms.iter().enumerate();
    let shares: Vec<EffectShare> = terms
        .map(|(index, term)| EffectShare {
            factors: term.factors.iter().map(|f| design.factors[*f]).collect(),
            share: estimate(index),
        })
        .collect();
    Ok(Effects {
        higher: (design.factors.len() > 2).then(|| estimate(shares.len())),
        noise: estimate(shares.len() + 1),
        shares,
        blocks,
        blocks_left_out: design.left_out,
    })
}

/// A factor or two that interact.
struct Term {
    /// Places among the design's factors.
    factors: Vec<usize>,
    /// For each cell, the place of its combination of these factors' levels.
    groups: Vec<usize>,
    /// Number of such combinations.
    size: usize,
    freedom: f64,
}

/// The complete blocks of a matrix.
struct Design {
    /// Factors that have more than one level, as indices into a trial's levels.
    factors: Vec<usize>,
    /// The levels of these factors of each cell.
    cells: Vec<Vec<usize>>,
    terms: Vec<Term>,
    /// For each complete block the value of each cell.
    blocks: Vec<Vec<f64>>,
    left_out: usize,
}

impl Design {
    fn new(trials: &[FactorialTrial]) -> Result<Self, EffectsRefusal> {
        let width = trials.iter().map(|t| t.levels.len()).min().unwrap_or(0);
        let levels = |factor: usize| trials.iter().map(|t| t.levels[factor]).collect::<BTreeSet<usize>>();
        let factors: Vec<usize> = (0..width).filter(|factor| levels(*factor).len() > 1).collect();
        if factors.len() < 2 {
            return Err(EffectsRefusal::TooFewFactors);
        }
        let cell_of = |trial: &FactorialTrial| factors.iter().map(|f| trial.levels[*f]).collect::<Vec<usize>>();
        let cells: Vec<Vec<usize>> = trials
            .iter()
            .map(cell_of)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let sizes: Vec<usize> = factors.iter().map(|factor| levels(*factor).len()).collect();
        let full: usize = sizes.iter().product();
        if cells.len() < full {
            return Err(EffectsRefusal::EmptyCells(full - cells.len()));
        }
        let mut found: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
        for trial in trials {
            let block = found
                .entry(trial.block)
                .or_insert_with(|| vec![(0.0, 0.0); cells.len()]);
            if let Ok(cell) = cells.binary_search(&cell_of(trial)) {
                block[cell].0 += trial.value;
                block[cell].1 += 1.0;
            }
        }
        let tried = found.len();
        let by_block = found
            .into_values()
            .filter(|block| block.iter().all(|cell| cell.1 > 0.0));
        let blocks: Vec<Vec<f64>> = by_block
            .map(|block| block.iter().map(|(sum, n)| sum / n).collect())
            .collect();
        if blocks.len() < 2 {
            return Err(EffectsRefusal::TooFewBlocks(blocks.len()));
        }
        Ok(Design {
            terms: terms(&cells, &sizes),
            left_out: tried - blocks.len(),
            factors,
            cells,
            blocks,
        })
    }

    /// Omega squared of each term, of all higher interactions and of noise, from these blocks; `None` where nothing
    /// varies.
    ///
    /// Blocks that were `resampled` carry the noise twice: a sum of squares of effects is larger by that of the draw,
    /// and the error smaller by the blocks drawn twice. Both by their expectation are taken out, or the replicates would
    /// lie about another figure than the estimate.
    fn shares(&self, blocks: &[usize], resampled: bool) -> Option<Vec<f64>> {
        let (cells, number) = (self.cells.len(), blocks.len() as f64);
        let mean_of = |block: &[f64]| block.iter().sum::<f64>() / cells as f64;
        let levels: Vec<f64> = blocks.iter().map(|b| mean_of(&self.blocks[*b])).collect();
        // What a cell differs by from its block, mean over the blocks.
        let effect = |cell: usize| {
            let differences = blocks
                .iter()
                .zip(&levels)
                .map(|(b, level)| self.blocks[*b][cell] - level);
            differences.sum::<f64>() / number
        };
        let means: Vec<f64> = (0..cells).map(effect).collect();
        let left = |b: usize, level: f64| {
            let block = self.blocks[b].iter().zip(&means);
            block.map(|(value, mean)| (value - level - mean).powi(2)).sum::<f64>()
        };
        let error: f64 = blocks.iter().zip(&levels).map(|(b, level)| left(*b, *level)).sum();
        let drawn = if resampled { (number - 1.0) / number } else { 0.0 };
        let error = if resampled { error / drawn } else { error };
        let mean_error = error / ((cells as f64 - 1.0) * (number - 1.0));
        let raw = number * means.iter().map(|mean| mean * mean).sum::<f64>();
        let all = (raw - drawn * (cells as f64 - 1.0) * mean_error).max(0.0);
        let scale = self
            .blocks
            .iter()
            .flatten()
            .fold(0.0_f64, |scale, value| scale.max(value.abs()));
        if all + error <= ROUNDING * (scale * scale + f64::MIN_POSITIVE) {
            return None;
        }
        let total = all + error + mean_error;
        let squares = self.squares(&means, number);
        let freedom: f64 = self.terms.iter().map(|term| term.freedom).sum();
        let higher = (raw - squares.iter().sum::<f64>(), cells as f64 - 1.0 - freedom);
        let terms = squares.iter().copied().zip(self.terms.iter().map(|term| term.freedom));
        let share =
            |(squares, freedom): (f64, f64)| ((squares - (1.0 + drawn) * freedom * mean_error) / total).clamp(0.0, 1.0);
        let noise = (error + (cells as f64 - 1.0) * mean_error + mean_error) / total;
        Some(terms.chain([higher]).map(share).chain([noise.min(1.0)]).collect())
    }

    /// The sum of squares of each term from the cells' means.
    fn squares(&self, means: &[f64], blocks: f64) -> Vec<f64> {
        let mut alone: BTreeMap<usize, f64> = BTreeMap::new();
        let mut all = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            let mut sums = vec![0.0; term.size];
            for (group, mean) in term.groups.iter().zip(means) {
                sums[*group] += mean;
            }
            let each = means.len() as f64 / term.size as f64;
            let between = blocks * sums.iter().map(|sum| sum * sum / each).sum::<f64>();
            match term.factors[..] {
                [factor] => {
                    alone.insert(factor, between);
                    all.push(between);
                }
                // Main effects come first, so those of both are known.
                _ => all.push(between - term.factors.iter().filter_map(|f| alone.get(f)).sum::<f64>()),
            }
        }
        all
    }
}

/// Main effects, then interactions of two.
fn terms(cells: &[Vec<usize>], sizes: &[usize]) -> Vec<Term> {
    let main = (0..sizes.len()).map(|a| vec![a]);
    let pairs = (0..sizes.len()).flat_map(|a| (a + 1..sizes.len()).map(move |b| vec![a, b]));
    let term = |factors: Vec<usize>| {
        let levels_of = |cell: &Vec<usize>| factors.iter().map(|f| cell[*f]).collect::<Vec<usize>>();
        let combinations: Vec<Vec<usize>> = cells
            .iter()
            .map(levels_of)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        Term {
            groups: cells
                .iter()
                .map(|cell| combinations.binary_search(&levels_of(cell)).unwrap_or(0))
                .collect(),
            size: combinations.len(),
            freedom: factors.iter().map(|f| sizes[*f] as f64 - 1.0).product(),
            factors,
        }
    };
    main.chain(pairs).map(term).collect()
}

#[cfg(test)]
mod tests;
