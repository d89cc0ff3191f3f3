//! The candidates for deciding when a run may stop.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use tandem::stats::{Sequential, mean, standard_deviation};

/// A way to test after every block.
pub trait Method: Sync {
    fn name(&self) -> &'static str;
    /// Two-sided p, over all looks, that the mean of the logarithms is `value`; 1 before the first look.
    fn p(&self, logs: &[f64], value: f64) -> f64;
}

/// p of the ordinary two-sided t test.
fn t_test(logs: &[f64], value: f64) -> f64 {
    let n = logs.len() as f64;
    let centre = mean(logs).unwrap_or(f64::NAN) - value;
    let error = standard_deviation(logs).unwrap_or(f64::NAN) / n.sqrt();
    let student = StudentsT::new(0.0, 1.0, n - 1.0).expect("two or more values");
    2.0 * student.sf((centre / error).abs())
}

/// The t test, its p multiplied: by 1 it is peeking, by the number of looks Bonferroni's correction.
pub struct Multiplied {
    pub name: &'static str,
    pub first: usize,
    pub factor: f64,
}

impl Method for Multiplied {
    fn name(&self) -> &'static str {
        self.name
    }

    fn p(&self, logs: &[f64], value: f64) -> f64 {
        if logs.len() < self.first {
            return 1.0;
        }
        (self.factor * t_test(logs, value)).min(1.0)
    }
}

/// What tandem uses.
pub struct ConstantLevel(pub Arc<Sequential>);

impl Method for ConstantLevel {
    fn name(&self) -> &'static str {
        "t at a constant level, calibrated (Pocock's shape)"
    }

    fn p(&self, logs: &[f64], value: f64) -> f64 {
        let moved: Vec<f64> = logs.iter().map(|log| log - value).collect();
        self.0.p(&moved).unwrap_or(1.0)
    }
}

/// The t test with the boundary of O'Brien and Fleming (1979): sqrt(n / last) z, with z that of the look's t test,
/// compared with the largest value over the looks of simulated paths.
pub struct Growing {
    first: usize,
    last: usize,
    largest: Vec<f64>,
}

impl Growing {
    pub fn new(first: usize, last: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(77);
        let mut path = |_| {
            let values: Vec<f64> = (0..last).map(|_| StandardNormal.sample(&mut random)).collect();
            let looks = (first..=last).map(|n| Self::statistic(&values[..n], 0.0, last));
            looks.fold(0.0, f64::max)
        };
        let mut largest: Vec<f64> = (0..50_000).map(&mut path).collect();
        largest.sort_by(f64::total_cmp);
        Growing { first, last, largest }
    }

    fn statistic(logs: &[f64], value: f64, last: usize) -> f64 {
        let p = t_test(logs, value).max(1e-300);
        let z = -Normal::standard().inverse_cdf(p / 2.0);
        (logs.len() as f64 / last as f64).sqrt() * z
    }
}

impl Method for Growing {
    fn name(&self) -> &'static str {
        "t with O'Brien and Fleming's shape"
    }

    fn p(&self, logs: &[f64], value: f64) -> f64 {
        if logs.len() < self.first {
            return 1.0;
        }
        let found = Self::statistic(logs, value, self.last);
        let above = self.largest.len() - self.largest.partition_point(|largest| *largest < found);
        (above + 1) as f64 / (self.largest.len() + 1) as f64
    }
}

/// The t test by the mixture of Wang and Ramdas (2023), theorem 4.7: effects in standard deviations are normal with this
/// precision; 1 / the likelihood ratio is a p valid over all looks, without a last one.
pub struct Mixture {
    pub name: &'static str,
    pub first: usize,
    pub precision: f64,
}

impl Method for Mixture {
    fn name(&self) -> &'static str {
        self.name
    }

    fn p(&self, logs: &[f64], value: f64) -> f64 {
        if logs.len() < self.first {
            return 1.0;
        }
        let n = logs.len() as f64;
        let centre = mean(logs).unwrap_or(f64::NAN) - value;
        let squared = n * (centre / standard_deviation(logs).unwrap_or(f64::NAN)).powi(2) / (n - 1.0);
        let share = self.precision / (n + self.precision);
        let log = 0.5 * share.ln() + n / 2.0 * (squared.ln_1p() - (squared * share).ln_1p());
        (-log).exp().min(1.0)
    }
}

/// The sign-flip test with Bonferroni's correction over the looks.
pub struct SignFlips {
    first: usize,
    looks: f64,
    patterns: Vec<Vec<f64>>,
}

impl SignFlips {
    pub fn new(first: usize, last: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(78);
        let mut pattern = |_| {
            (0..last)
                .map(|_| if random.random::<bool>() { 1.0 } else { -1.0 })
                .collect()
        };
        SignFlips {
            first,
            looks: (last - first + 1) as f64,
            patterns: (0..4_000).map(&mut pattern).collect(),
        }
    }
}

impl Method for SignFlips {
    fn name(&self) -> &'static str {
        "sign flips with Bonferroni's correction"
    }

    fn p(&self, logs: &[f64], value: f64) -> f64 {
        let n = logs.len();
        let smallest = 2.0 * 0.5_f64.powf(n as f64);
        if n < self.first || smallest * self.looks > 0.05 {
            // So few cannot reach 5 % over the looks.
            return 1.0;
        }
        let moved: Vec<f64> = logs.iter().map(|log| log - value).collect();
        let bound = moved.iter().sum::<f64>().abs() - 1e-12;
        let flipped =
            |signs: &&Vec<f64>| moved.iter().zip(signs.iter()).map(|(d, s)| d * s).sum::<f64>().abs() >= bound;
        let share = self.patterns.iter().filter(flipped).count() as f64 / self.patterns.len() as f64;
        // The pattern observed and its mirror image are two of all there are.
        (share.max(smallest) * self.looks).min(1.0)
    }
}

/// The empirical-Bernstein confidence sequence of Waudby-Smith and Ramdas (2024), theorem 2, which needs bounds: ratios
/// are taken to lie between 1 / 2 and 2. Only at 5 %.
pub struct Bounded;

impl Method for Bounded {
    fn name(&self) -> &'static str {
        "empirical Bernstein, ratios between 1/2 and 2"
    }

    fn p(&self, logs: &[f64], value: f64) -> f64 {
        let bound = 2.0_f64.ln();
        let unit = |log: f64| ((log + bound) / (2.0 * bound)).clamp(0.0, 1.0);
        let promised = (2.0 / 0.05_f64).ln();
        let (mut weights, mut weighted, mut spent) = (0.0, 0.0, 0.0);
        let (mut sum, mut squares) = (0.5, 0.25);
        for (i, log) in logs.iter().enumerate() {
            let n = (i + 1) as f64;
            let (centre, variance) = (sum / n, squares / n);
            let bet = (2.0 * promised / (variance * n * (n + 1.0).ln())).sqrt().min(0.5);
            let x = unit(*log);
            spent += (x - centre).powi(2) * (-(1.0 - bet).ln() - bet);
            weights += bet;
            weighted += bet * x;
            sum += x;
            squares += (x - sum / (n + 1.0)).powi(2);
        }
        let half = (promised + spent) / weights;
        if (weighted / weights - unit(value)).abs() > half {
            0.05
        } else {
            1.0
        }
    }
}
