//! Figures that can be 0, compared by differences: simulated trials of two configurations, and what is concluded.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tandem::stats::{Estimate, SIGNIFICANCE, Sequential, Side, are_telling, decide_difference, sign_flip_p};

/// Blocks of a run whose number is fixed.
pub const FIXED: usize = 10;

/// How often a trial has anything but 0, and by how much that varies: log-normal with a mean of 1.
#[derive(Debug, Clone, Copy)]
pub struct Zeros {
    pub name: &'static str,
    /// The share of trials that have anything.
    pub present: f64,
    /// The standard deviation of the logarithm.
    pub deviation: f64,
}

/// From a pause that every trial has to records that are redelivered in one trial of ten.
pub const KINDS: [Zeros; 6] = [
    Zeros {
        name: "no zeros, 15 %",
        present: 1.0,
        deviation: 0.15,
    },
    Zeros {
        name: "no zeros, 50 %",
        present: 1.0,
        deviation: 0.5,
    },
    Zeros {
        name: "no zeros, 100 %",
        present: 1.0,
        deviation: 1.0,
    },
    Zeros {
        name: "half zeros, 50 %",
        present: 0.5,
        deviation: 0.5,
    },
    Zeros {
        name: "80 % zeros, 50 %",
        present: 0.2,
        deviation: 0.5,
    },
    Zeros {
        name: "90 % zeros, 50 %",
        present: 0.1,
        deviation: 0.5,
    },
];

impl Zeros {
    fn trial(&self, random: &mut impl Rng) -> f64 {
        let normal: f64 = StandardNormal.sample(random);
        let size = (self.deviation * normal - self.deviation * self.deviation / 2.0).exp();
        if random.random_bool(self.present) { size } else { 0.0 }
    }

    /// One that has twice as much on average: twice as often, or where every trial has it, twice the size.
    fn doubled(&self, random: &mut impl Rng) -> f64 {
        if self.present > 0.5 {
            return 2.0 * self.trial(random);
        }
        let twice = Zeros {
            present: 2.0 * self.present,
            ..*self
        };
        twice.trial(random)
    }

    /// The differences of a run, and their true mean.
    pub fn run(&self, is_doubled: bool, blocks: usize, random: &mut impl Rng) -> (Vec<f64>, f64) {
        let other = |random: &mut _| {
            if is_doubled {
                self.doubled(random)
            } else {
                self.trial(random)
            }
        };
        let differences = (0..blocks).map(|_| other(random) - self.trial(random)).collect();
        (differences, if is_doubled { self.present } else { 0.0 })
    }
}

/// In how many of the simulated runs each of these happened.
#[derive(Debug, Default, Clone, Copy)]
pub struct Happened {
    /// Equal configurations were called different by the sequential method, or after a fixed number of blocks.
    pub called: [usize; 2],
    /// Of configurations that differ by just the threshold, one was called the same as the other.
    pub same: [usize; 2],
    /// Runs with an interval: at the last look, or after the fixed number of blocks.
    pub with_interval: [usize; 2],
    /// Those whose interval held the true difference, at all looks together.
    pub covered: [usize; 2],
}

/// Simulates `runs` runs of each kind of question.
pub fn simulate(kind: &Zeros, runs: usize, first: usize, at_most: usize, seed: u64) -> Happened {
    let sequential = Sequential::new(first, at_most);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut happened = Happened::default();
    // A threshold that is small beside what is measured, so that runs go on.
    let narrow = kind.present / 10.0;
    for _ in 0..runs {
        let (equal, _) = kind.run(false, at_most, &mut random);
        let differ = |side: &Side| matches!(side, Side::Above | Side::Below);
        happened.called[0] += usize::from(differ(&until_decided(&sequential, &equal, narrow)));
        happened.called[1] += usize::from(differ(&fixed(&equal[..FIXED], narrow)));
        let (doubled, truth) = kind.run(true, at_most, &mut random);
        let is_same = |side: Side| side == Side::Equivalent;
        happened.same[0] += usize::from(is_same(until_decided(&sequential, &doubled, truth)));
        happened.same[1] += usize::from(is_same(fixed(&doubled[..FIXED], truth)));
        let holds = |interval: (f64, f64)| interval.0 <= truth && truth <= interval.1;
        let looks = (first..=at_most).filter_map(|n| interval_at(&sequential, &doubled[..n]));
        let looks: Vec<bool> = looks.map(holds).collect();
        happened.with_interval[0] += usize::from(!looks.is_empty());
        happened.covered[0] += usize::from(!looks.is_empty() && looks.into_iter().all(|holds| holds));
        let of_fixed = fixed_interval(&doubled[..FIXED]);
        happened.with_interval[1] += usize::from(of_fixed.is_some());
        happened.covered[1] += usize::from(of_fixed.is_some_and(holds));
    }
    happened
}

fn interval_at(sequential: &Sequential, differences: &[f64]) -> Option<(f64, f64)> {
    let estimate = sequential.mean(differences).filter(|_| are_telling(differences));
    estimate.and_then(|estimate| estimate.interval)
}

fn fixed_interval(differences: &[f64]) -> Option<(f64, f64)> {
    let estimate = Estimate::arithmetic(differences).filter(|_| are_telling(differences));
    estimate.and_then(|estimate| estimate.interval)
}

fn until_decided(sequential: &Sequential, differences: &[f64], edge: f64) -> Side {
    let look = |n: usize| {
        let differences = &differences[..n];
        let significant = sequential.p(differences).is_some_and(|p| p <= SIGNIFICANCE);
        let interval = interval_at(sequential, differences);
        interval.map_or(Side::Open, |interval| decide_difference(interval, edge, significant))
    };
    let looks = (sequential.first()..=sequential.last()).map(look);
    looks.into_iter().find(|side| *side != Side::Open).unwrap_or(Side::Open)
}

fn fixed(differences: &[f64], edge: f64) -> Side {
    let significant = sign_flip_p(differences, 1).is_some_and(|p| p <= SIGNIFICANCE);
    let interval = fixed_interval(differences);
    interval.map_or(Side::Open, |interval| decide_difference(interval, edge, significant))
}
