//! Runs of comparisons that are decided together: four verdicts, stopping when all are decided at one look.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{Beta, ContinuousCDF};

use crate::noise::{self, Noise};
use tandem::stats::{SIGNIFICANCE, Sequential, Side, decide, first_look, holm};

pub const THRESHOLD: f64 = 0.03;

/// What a run concluded.
#[derive(Debug)]
pub struct Ended {
    pub sides: Vec<Side>,
    pub blocks: usize,
}

/// A run that goes on block by block until every comparison is decided, or the last block.
pub fn until_decided(method: &Sequential, logs: &[Vec<f64>]) -> Ended {
    let mut sides = Vec::new();
    for blocks in method.first()..=method.last() {
        sides = look(method, logs, blocks);
        if !sides.contains(&Side::Open) {
            return Ended { sides, blocks };
        }
    }
    Ended {
        sides,
        blocks: method.last(),
    }
}

fn look(method: &Sequential, logs: &[Vec<f64>], blocks: usize) -> Vec<Side> {
    let p: Vec<f64> = logs.iter().map(|of| method.p(&of[..blocks]).unwrap_or(1.0)).collect();
    let side = |(of, p): (&Vec<f64>, f64)| {
        let interval = method.ratio(&of[..blocks]).and_then(|ratio| ratio.interval);
        interval.map_or(Side::Open, |interval| decide(interval, THRESHOLD, p <= SIGNIFICANCE))
    };
    logs.iter().zip(holm(&p)).map(side).collect()
}

/// Simulated runs of a first configuration and others, whose true logarithms of speed against it are given.
pub fn simulate(noise: &Noise, truths: &[f64], runs: usize, at_most: usize, seed: u64) -> Vec<Ended> {
    let method = Sequential::new(first_look(truths.len(), SIGNIFICANCE), at_most);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let all: Vec<f64> = std::iter::once(0.0).chain(truths.iter().copied()).collect();
    (0..runs)
        .map(|_| {
            let figures = noise::run(noise, &all, at_most, &mut random);
            until_decided(&method, &noise::log_ratios(&figures))
        })
        .collect()
}

/// The upper 95 % limit of a share (Clopper and Pearson (1934), one-sided).
pub fn upper_limit(hits: usize, all: usize) -> f64 {
    if hits == all {
        return 1.0;
    }
    let beta = Beta::new((hits + 1) as f64, (all - hits) as f64).expect("positive shapes");
    beta.inverse_cdf(0.95)
}
