//! Simulated runs: what trials record on machines that are noisy in the ways machines are.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// How trials scatter. Figures are log-normal: everything here is added to a logarithm.
#[derive(Debug, Clone, Copy)]
pub struct Noise {
    pub name: &'static str,
    /// Standard deviation of one trial.
    pub deviation: f64,
    /// Share of its deviation that a trial takes over from the one before in the run.
    pub kept: f64,
    /// By how much the machine gets slower from the first trial to the last.
    pub drift: f64,
    /// In one block one trial is 30 to 50 % slower.
    pub disturbed: bool,
}

const QUIET: Noise = Noise {
    name: "log-normal 2 %",
    deviation: 0.02,
    kept: 0.0,
    drift: 0.0,
    disturbed: false,
};

/// All kinds of noise under which the error must hold.
pub const KINDS: [Noise; 7] = [
    QUIET,
    Noise {
        name: "log-normal 5 %",
        deviation: 0.05,
        ..QUIET
    },
    Noise {
        name: "log-normal 15 %",
        deviation: 0.15,
        ..QUIET
    },
    Noise {
        name: "drift of 20 %",
        drift: 0.2,
        ..QUIET
    },
    Noise {
        name: "AR(1), 0.7",
        kept: 0.7,
        ..QUIET
    },
    Noise {
        name: "one disturbed trial",
        disturbed: true,
        ..QUIET
    },
    Noise {
        name: "all of these, 5 %",
        deviation: 0.05,
        kept: 0.7,
        drift: 0.2,
        disturbed: true,
    },
];

/// Logarithms of the figures of a run: for every configuration, whose true logarithms are given, one for each block.
/// Within a block the configurations are run in random order.
pub fn run(noise: &Noise, truths: &[f64], blocks: usize, random: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    let trials = blocks * truths.len();
    let disturbed = (random.random_range(0..trials), 1.0 - random.random_range(0.3..0.5_f64));
    let mut figures = vec![Vec::with_capacity(blocks); truths.len()];
    let mut order: Vec<usize> = (0..truths.len()).collect();
    let mut chance: f64 = StandardNormal.sample(random);
    for block in 0..blocks {
        order.shuffle(random);
        for (position, &configuration) in order.iter().enumerate() {
            let place = block * truths.len() + position;
            let fresh: f64 = StandardNormal.sample(random);
            chance = noise.kept * chance + (1.0 - noise.kept * noise.kept).sqrt() * fresh;
            let drift = noise.drift * place as f64 / trials as f64;
            let slower = if noise.disturbed && place == disturbed.0 {
                disturbed.1.ln()
            } else {
                0.0
            };
            figures[configuration].push(truths[configuration] + noise.deviation * chance - drift + slower);
        }
    }
    figures
}

/// Log-ratios of every configuration to the first, block by block.
pub fn log_ratios(figures: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let to_first = |of: &Vec<f64>| of.iter().zip(&figures[0]).map(|(own, base)| own - base).collect();
    figures[1..].iter().map(to_first).collect()
}
