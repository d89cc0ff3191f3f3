//! Whether measured points leave the fitted curve by more than chance.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::law::Law;
use super::solver::{Block, Solution, slowdown};

use crate::stats::SIGNIFICANCE;

/// A variance of logarithms that rounding leaves. It distinguishes no laws.
pub(super) const ROUNDING: f64 = 1e-20;

/// Rounds of fitting counts and blocks in turn; where every block has every count, one is enough.
const ROUNDS: usize = 50;

/// The points do not lie on the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Misfit {
    /// p of the F test for lack of fit.
    pub p: f64,
    /// The count that lies farthest from the curve.
    pub members: u32,
    /// How many times as high as the curve it lies.
    pub ratio: f64,
}

/// Tests the law against a level of its own for each count (lack of fit against pure error: Draper and Smith, "Applied
/// Regression Analysis" (1998), section 2.1), both with a level for each block. `None` where chance may explain what is
/// left.
pub(super) fn misfit(law: Law, solution: &Solution, blocks: &[&Block]) -> Option<Misfit> {
    let residual = |(members, log_each): (f64, f64)| log_each + slowdown(solution.shape, members).ln();
    let residuals: Vec<Vec<(f64, f64)>> = blocks
        .iter()
        .map(|block| block.iter().map(|trial| (trial.0, residual(*trial))).collect())
        .collect();
    let (levels, pure) = levels(&residuals);
    let trials: usize = blocks.iter().map(|block| block.len()).sum();
    let lack = (levels.len() - 1)
        .checked_sub(law.parameters())
        .filter(|freedom| *freedom > 0)? as f64;
    let error = trials
        .checked_sub(blocks.len() + levels.len() - 1)
        .filter(|freedom| *freedom > 0)? as f64;
    let f = ((solution.squares - pure).max(0.0) / lack) / (pure / error);
    let is_rounding = solution.squares < ROUNDING * trials as f64;
    let p = FisherSnedecor::new(lack, error)
        .ok()
        .filter(|_| f.is_finite() && !is_rounding)?
        .sf(f);
    let farthest = levels.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made from a u32")]
    let members = farthest.0 as u32;
    (p < SIGNIFICANCE).then_some(Misfit {
        p,
        members,
        ratio: farthest.1.exp(),
    })
}

/// The mean of each count beside the blocks' own, with the sum of squares that both leave.
fn levels(residuals: &[Vec<(f64, f64)>]) -> (Vec<(f64, f64)>, f64) {
    let mut levels: Vec<(f64, f64)> = Vec::new();
    for (members, _) in residuals.iter().flatten() {
        if !levels.iter().any(|known| known.0.total_cmp(members).is_eq()) {
            levels.push((*members, 0.0));
        }
    }
    levels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut squares = 0.0;
    for _ in 0..ROUNDS {
        let level_of = |members: f64| {
            levels
                .iter()
                .find(|known| known.0.total_cmp(&members).is_eq())
                .map_or(0.0, |l| l.1)
        };
        let mut sums = vec![(0.0, 0.0); levels.len()];
        squares = 0.0;
        for block in residuals {
            let mean = block.iter().map(|(n, r)| r - level_of(*n)).sum::<f64>() / block.len() as f64;
            for (members, residual) in block {
                let place = levels
                    .iter()
                    .position(|known| known.0.total_cmp(members).is_eq())
                    .unwrap_or(0);
                sums[place].0 += residual - mean;
                sums[place].1 += 1.0;
                squares += (residual - mean - level_of(*members)).powi(2);
            }
        }
        for (level, (sum, count)) in levels.iter_mut().zip(&sums) {
            level.1 = sum / count;
        }
    }
    (levels, squares)
}
