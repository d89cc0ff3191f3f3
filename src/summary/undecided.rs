//! Why a comparison has no verdict: what tables and sentences say in its place.

use crate::measure::Trial;
use crate::scenario::Scenario;
use crate::stats::{SIGNIFICANCE, observations_for_significance};
use crate::verdict::{Comparison, Method, Verdict, fell_behind, is_tainted};

/// Why a comparison has no verdict. A bar comes before a number of blocks, which would not lift it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecided {
    /// No complete block has figures of both.
    NoFigures,
    /// This configuration would be the better one, but trials of it failed, or lost or repeated records.
    Failures {
        /// Index of the configuration.
        of: usize,
    },
    /// The readers of this configuration fell behind or left records unread in some trials.
    Behind {
        /// Index of the configuration.
        of: usize,
    },
    /// There are fewer blocks than any verdict takes with so many comparisons.
    TooFewBlocks {
        /// So many more.
        more: u32,
    },
    /// There are enough blocks for a verdict on a clear difference, and this one is not clear.
    TooClose {
        /// About so many more blocks would decide it; `None` without a forecast.
        more: Option<u32>,
    },
}

impl Undecided {
    /// Why this one of `all` comparisons has no verdict; `None` if it has one.
    pub fn of(scenario: &Scenario, trials: &[Trial], all: &[Comparison], comparison: &Comparison) -> Option<Self> {
        if comparison.verdict != Verdict::Undecided {
            return None;
        }
        if comparison.effect.is_none() {
            return Some(Undecided::NoFigures);
        }
        let favoured = match comparison.gain() {
            Some((low, _)) if low > 0.0 => Some(comparison.configuration),
            Some((_, high)) if high < 0.0 => Some(comparison.baseline),
            _ => None,
        };
        if let Some(of) = favoured.filter(|&of| is_tainted(trials, of)) {
            return Some(Undecided::Failures { of });
        }
        let mut either = [comparison.configuration, comparison.baseline].into_iter();
        let is_behind = |of: &usize| {
            let counts = favoured.is_none_or(|favoured| favoured == *of);
            counts && fell_behind(&scenario.configurations[*of].mode, trials, *of)
        };
        if let Some(of) = either.find(is_behind) {
            return Some(Undecided::Behind { of });
        }
        let fewest = fewest_blocks(scenario, all, comparison);
        Some(if comparison.blocks < fewest {
            Undecided::TooFewBlocks {
                more: fewest - comparison.blocks,
            }
        } else if let (None, Some(more)) = (comparison.interval(), comparison.blocks_more) {
            // Nearly all differences are 0, which says too little.
            Undecided::TooFewBlocks { more }
        } else {
            Undecided::TooClose {
                more: comparison.blocks_more,
            }
        })
    }
}

/// Fewer blocks bring no verdict, whatever the difference. A metric that is only described needs an interval alone.
fn fewest_blocks(scenario: &Scenario, all: &[Comparison], comparison: &Comparison) -> u32 {
    if !comparison.metric.is_inferential(scenario) {
        return 2;
    }
    let is_of_family = |c: &&Comparison| (c.question, c.metric) == (comparison.question, comparison.metric);
    match comparison.method {
        Method::Fixed => observations_for_significance(all.iter().filter(is_of_family).count(), SIGNIFICANCE),
        Method::Sequential { first_look, .. } => first_look,
    }
}
