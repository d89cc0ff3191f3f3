//! How often a method errs, and how soon it decides.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::methods::Method;
use crate::noise::{self, KINDS, Noise};

pub const THRESHOLD: f64 = 0.03;
const ALPHA: f64 = 0.05;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Different,
    Same,
    Open,
}

/// What is concluded by one comparison, and after how many blocks.
pub fn decided(method: &dyn Method, logs: &[f64]) -> (Call, usize) {
    let edge = THRESHOLD.ln_1p();
    for n in 2..=logs.len() {
        let logs = &logs[..n];
        let centre = logs.iter().sum::<f64>() / n as f64;
        if centre.abs() < edge && method.p(logs, edge) <= ALPHA && method.p(logs, -edge) <= ALPHA {
            return (Call::Same, n);
        }
        if method.p(logs, 0.0) <= ALPHA {
            return (Call::Different, n);
        }
    }
    (Call::Open, logs.len())
}

/// True where the truth is within the interval at every look.
pub fn covers(method: &dyn Method, logs: &[f64], truth: f64) -> bool {
    (2..=logs.len()).all(|n| method.p(&logs[..n], truth) > ALPHA)
}

/// Outcomes of so many simulated runs of two configurations.
pub fn outcomes(
    method: &dyn Method,
    noise: &Noise,
    truth: f64,
    runs: usize,
    at_most: usize,
    seed: u64,
) -> Vec<(Call, usize)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..runs)
        .map(|_| {
            let figures = noise::run(noise, &[0.0, truth], at_most, &mut random);
            decided(method, &noise::log_ratios(&figures)[0])
        })
        .collect()
}

fn share(hits: usize, all: usize) -> f64 {
    100.0 * hits as f64 / all as f64
}

fn median_blocks(outcomes: &[(Call, usize)]) -> usize {
    let mut blocks: Vec<usize> = outcomes.iter().map(|(_, blocks)| *blocks).collect();
    blocks.sort_unstable();
    blocks[blocks.len() / 2]
}

/// One row of the table of candidates.
pub fn row(method: &dyn Method, runs: usize, at_most: usize) -> String {
    let quiet = &KINDS[0];
    let calls = |outcomes: &[(Call, usize)], call| outcomes.iter().filter(|(found, _)| *found == call).count();
    let errors = KINDS.iter().map(|noise| {
        let outcomes = outcomes(method, noise, 0.0, runs, at_most, 1);
        (share(calls(&outcomes, Call::Different), runs), noise.name)
    });
    let (worst, kind) = errors.max_by(|a, b| a.0.total_cmp(&b.0)).expect("several kinds");
    let five = outcomes(method, quiet, 1.05_f64.ln(), runs, at_most, 2);
    let soon = five
        .iter()
        .filter(|(call, n)| *call == Call::Different && *n <= 12)
        .count();
    let none = outcomes(method, quiet, 0.0, runs, at_most, 3);
    let edge = outcomes(method, quiet, THRESHOLD.ln_1p(), runs, at_most, 4);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let covered = (0..runs)
        .filter(|_| {
            let figures = noise::run(quiet, &[0.0, 0.01], at_most, &mut random);
            covers(method, &noise::log_ratios(&figures)[0], 0.01)
        })
        .count();
    format!(
        "| {} | {worst:.1} ({kind}) | {:.1} | {} | {:.1} | {} | {:.1} | {:.1} |",
        method.name(),
        share(soon, runs),
        median_blocks(&five),
        share(calls(&none, Call::Same), runs),
        median_blocks(&none),
        share(calls(&edge, Call::Same), runs),
        share(covered, runs),
    )
}
