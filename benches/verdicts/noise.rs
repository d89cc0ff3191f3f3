//! Simulated runs: what trials record on machines that are noisy in the ways machines are.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal, StudentT};

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
    /// Trials scatter as Student's t with 3 degrees of freedom, which has heavy tails.
    pub heavy_tails: bool,
    /// Standard deviation of what all trials of a block have in common.
    pub of_blocks: f64,
}

const QUIET: Noise = Noise {
    name: "log-normal 2 %",
    deviation: 0.02,
    kept: 0.0,
    drift: 0.0,
    disturbed: false,
    heavy_tails: false,
    of_blocks: 0.0,
};

/// All kinds of noise under which the error must hold.
pub const KINDS: [Noise; 9] = [
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
        ..QUIET
    },
    Noise {
        name: "heavy tails, 5 %",
        deviation: 0.05,
        heavy_tails: true,
        ..QUIET
    },
    Noise {
        name: "blocks differ by 10 %",
        of_blocks: 0.1,
        ..QUIET
    },
];

/// A machine that runs trials.
pub struct Machine {
    noise: Noise,
    /// Trials of the complete run.
    trials: usize,
    /// Trials so far.
    place: usize,
    /// The trial that is disturbed, and its share of the speed.
    disturbed: (usize, f64),
    /// The deviation of the trial before, in standard deviations.
    chance: f64,
    of_block: f64,
}

impl Machine {
    /// A machine for a run of at most so many trials.
    pub fn new(noise: &Noise, trials: usize, random: &mut ChaCha8Rng) -> Self {
        Machine {
            noise: *noise,
            trials,
            place: 0,
            disturbed: (random.random_range(0..trials), 1.0 - random.random_range(0.3..0.5_f64)),
            chance: StandardNormal.sample(random),
            of_block: 0.0,
        }
    }

    /// Begins a block: all configurations in random order.
    pub fn block(&mut self, order: &mut [usize], random: &mut ChaCha8Rng) {
        order.shuffle(random);
        if self.noise.of_blocks > 0.0 {
            let chance: f64 = StandardNormal.sample(random);
            self.of_block = self.noise.of_blocks * chance;
        }
    }

    /// The logarithm of the figure of the next trial, of a configuration whose true logarithm is given.
    pub fn trial(&mut self, truth: f64, random: &mut ChaCha8Rng) -> f64 {
        let noise = &self.noise;
        let fresh: f64 = if noise.heavy_tails {
            // The variance of t with 3 degrees of freedom is 3.
            StudentT::new(3.0).map_or(0.0, |t| t.sample(random)) / 3.0_f64.sqrt()
        } else {
            StandardNormal.sample(random)
        };
        self.chance = noise.kept * self.chance + (1.0 - noise.kept * noise.kept).sqrt() * fresh;
        let drift = noise.drift * self.place as f64 / self.trials as f64;
        let slower = if noise.disturbed && self.place == self.disturbed.0 {
            self.disturbed.1.ln()
        } else {
            0.0
        };
        self.place += 1;
        truth + noise.deviation * self.chance - drift + slower + self.of_block
    }
}

/// Logarithms of the figures of a run: for every configuration, whose true logarithms are given, one for each block.
/// Within a block the configurations are run in random order.
pub fn run(noise: &Noise, truths: &[f64], blocks: usize, random: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
    let mut machine = Machine::new(noise, blocks * truths.len(), random);
    let mut figures = vec![Vec::with_capacity(blocks); truths.len()];
    let mut order: Vec<usize> = (0..truths.len()).collect();
    for _ in 0..blocks {
        machine.block(&mut order, random);
        for &configuration in &order {
            figures[configuration].push(machine.trial(truths[configuration], random));
        }
    }
    figures
}

/// Log-ratios of every configuration to the first, block by block.
pub fn log_ratios(figures: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let to_first = |of: &Vec<f64>| of.iter().zip(&figures[0]).map(|(own, base)| own - base).collect();
    figures[1..].iter().map(to_first).collect()
}
