//! Least squares for a law of scaling on the log scale, with an effect for each block.

use super::law::Law;

/// More steps than this are never needed: convergence takes four to ten.
const STEPS_MAX: usize = 60;

/// A step that moves no parameter by more than this share of its size is the last.
const PRECISION: f64 = 1e-9;

/// The trials of one block: members, and the logarithm of the throughput of each of them.
pub(super) type Block = Vec<(f64, f64)>;

/// A law fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Solution {
    /// Contention and coherency; 0 where the law has none.
    pub(super) shape: [f64; 2],
    /// Logarithm of the throughput of one member, mean over the blocks.
    pub(super) log_lambda: f64,
    /// Sum of the squared residuals.
    pub(super) squares: f64,
}

/// What slows N members down: N lambda / X(N).
pub(super) fn slowdown([alpha, beta]: [f64; 2], members: f64) -> f64 {
    1.0 + alpha * (members - 1.0) + beta * members * (members - 1.0)
}

/// Contention is a share of the work; coherency has no upper end.
const UPPER: [f64; 2] = [1.0, f64::INFINITY];

/// Minimises the sum over all trials of (ln X - ln L - ln N + ln slowdown(N))^2 over alpha in [0, 1], beta of 0 or more
/// and a level L for each block, from `start`. The levels enter linearly and are the means of what is left, so only the
/// shape is searched for (variable projection: Golub and Pereyra, SIAM J. Numer. Anal. 10 (1973)), by
/// Levenberg-Marquardt steps (Marquardt, J. SIAM 11 (1963)) that are cut off at the bounds and leave out a parameter that
/// lies at its bound and would go beyond.
pub(super) fn solve(law: Law, blocks: &[&Block], start: [f64; 2]) -> Solution {
    let free = law.has();
    let mut shape = [0, 1].map(|p| if free[p] { start[p] } else { 0.0 });
    let mut here = normal_equations(blocks, shape);
    let mut damping = 1e-4;
    for _ in 0..STEPS_MAX {
        let open = [0, 1].map(|p| {
            let outwards =
                (shape[p] <= 0.0 && here.gradient[p] > 0.0) || (shape[p] >= UPPER[p] && here.gradient[p] < 0.0);
            free[p] && !outwards
        });
        let step = here.step(open, damping);
        let next = [0, 1].map(|p| (shape[p] + step[p]).clamp(0.0, UPPER[p]));
        let moved = [0, 1].map(|p| (next[p] - shape[p]).abs() / (shape[p].abs() + 1e-6));
        if moved.iter().all(|share| *share < PRECISION) {
            break;
        }
        let next_equations = normal_equations(blocks, next);
        if next_equations.squares <= here.squares {
            (shape, here) = (next, next_equations);
            damping = (damping * 0.1).max(1e-12);
        } else {
            damping *= 10.0;
        }
    }
    Solution {
        shape,
        log_lambda: here.log_lambda,
        squares: here.squares,
    }
}

/// The problem about one shape: J^T J and J^T r of the residuals within blocks.
struct Normal {
    matrix: [[f64; 2]; 2],
    gradient: [f64; 2],
    squares: f64,
    log_lambda: f64,
}

fn normal_equations(blocks: &[&Block], shape: [f64; 2]) -> Normal {
    let mut sum = Normal {
        matrix: [[0.0; 2]; 2],
        gradient: [0.0; 2],
        squares: 0.0,
        log_lambda: 0.0,
    };
    let mut rows: Vec<[f64; 3]> = Vec::new();
    for block in blocks {
        let size = block.len() as f64;
        // Residual and its derivatives of a trial, and their means over the block.
        rows.clear();
        rows.extend(block.iter().map(|&(members, log_each)| {
            let slowdown = slowdown(shape, members);
            let by_alpha = (members - 1.0) / slowdown;
            [log_each + slowdown.ln(), by_alpha, by_alpha * members]
        }));
        let mut mean = [0.0; 3];
        for row in &rows {
            for (mean, value) in mean.iter_mut().zip(row) {
                *mean += value / size;
            }
        }
        for row in &rows {
            let [residual, by_alpha, by_beta] = [0, 1, 2].map(|i| row[i] - mean[i]);
            sum.squares += residual * residual;
            sum.gradient[0] += by_alpha * residual;
            sum.gradient[1] += by_beta * residual;
            sum.matrix[0][0] += by_alpha * by_alpha;
            sum.matrix[0][1] += by_alpha * by_beta;
            sum.matrix[1][1] += by_beta * by_beta;
        }
        sum.log_lambda += mean[0] / blocks.len() as f64;
    }
    sum.matrix[1][0] = sum.matrix[0][1];
    sum
}

impl Normal {
    /// The step of the open parameters, shortened by the damping in the scale of each.
    fn step(&self, open: [bool; 2], damping: f64) -> [f64; 2] {
        let [alpha, beta] = [0, 1].map(|p| self.matrix[p][p] * (1.0 + damping));
        let both = self.matrix[0][1];
        let [down_alpha, down_beta] = self.gradient;
        let alone = |gradient: f64, curvature: f64| if curvature > 0.0 { -gradient / curvature } else { 0.0 };
        let determinant = alpha * beta - both * both;
        match open {
            [true, true] if determinant > 0.0 => [
                (both * down_beta - beta * down_alpha) / determinant,
                (both * down_alpha - alpha * down_beta) / determinant,
            ],
            [true, _] => [alone(down_alpha, alpha), 0.0],
            [false, true] => [0.0, alone(down_beta, beta)],
            [false, false] => [0.0, 0.0],
        }
    }
}
