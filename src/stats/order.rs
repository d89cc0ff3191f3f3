//! Do values depend on the order in which they were measured? Values of independent repetitions should not depend on
//! their neighbours, nor rise or fall over the run.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::CONFIDENCE;
use super::descriptive::{mean, median};

/// Fewer values than this have no order to speak of: no permutation of three is rarer than one in three.
const VALUES_MIN: usize = 4;

/// Random orders that the serial correlation is compared with.
const RANDOM_ORDERS: u32 = 10_000;

/// Up to so many different values the distribution of Kendall's S is counted exactly.
const EXACT_MAX: usize = 30;

/// How much neighbours in the order are alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SerialCorrelation {
    /// Correlation of each value with the next, -1 to 1: above 0 where neighbours are alike. Of independent values it
    /// is -1 / n on average.
    pub lag_one: f64,
    /// Two-sided p of its being chance.
    pub p: f64,
    /// Values it rests on.
    pub observations: usize,
}

/// The lag-1 serial correlation of `values` in their order, sum of (x[i] - m)(x[i+1] - m) over sum of (x[i] - m)^2,
/// with the p of the randomisation test of Wald and Wolfowitz, "An exact test for randomness in the non-parametric
/// case based on serial correlation", Annals of Mathematical Statistics 14 (1943): 10,000 random orders from `seed`,
/// counted as in Phipson and Smyth (2010), by how far they are from the expected -1 / n. It needs no distribution, only
/// values that could as well have come in any order. `None` of fewer than four values, or where all are equal.
pub fn serial_correlation(values: &[f64], seed: u64) -> Option<SerialCorrelation> {
    let n = values.len();
    let centre = mean(values).filter(|_| n >= VALUES_MIN)?;
    let mut centred: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let squares: f64 = centred.iter().map(|c| c * c).sum();
    if !(squares.is_finite() && squares > 0.0) {
        return None;
    }
    let lag_one = |of: &[f64]| of.windows(2).map(|two| two[0] * two[1]).sum::<f64>() / squares;
    let distance = |of: &[f64]| (lag_one(of) + 1.0 / n as f64).abs();
    let observed = lag_one(&centred);
    let bound = distance(&centred) - 1e-12;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let as_extreme = (0..RANDOM_ORDERS)
        .filter(|_| {
            centred.shuffle(&mut random);
            distance(&centred) >= bound
        })
        .count();
    Some(SerialCorrelation {
        lag_one: observed,
        p: (as_extreme + 1) as f64 / f64::from(RANDOM_ORDERS + 1),
        observations: n,
    })
}

/// How values rose or fell over the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Change of the value per unit of what the order is measured in.
    pub slope: f64,
    /// Its 95 % interval; `None` where there are too few values for one.
    pub slope_interval: Option<(f64, f64)>,
    /// Change from the first place to the last, by the slope. Of logarithms: `exp_m1` of it is the share by which the
    /// figure changed.
    pub total: f64,
    /// Two-sided p of there being no drift.
    pub p: f64,
    /// Values it rests on.
    pub observations: usize,
}

/// The drift of `values` over their places `at` (time, or the number in the order; of equal length): the median of the
/// slopes of all pairs (Theil, "A rank-invariant method of linear and polynomial regression analysis" (1950)) with the
/// interval of Sen, "Estimates of the regression coefficient based on Kendall's tau", Journal of the American
/// Statistical Association 63 (1968), and the test of Mann, "Nonparametric tests against trend", Econometrica 13
/// (1945). A single disturbed value moves none of them much, as it would a least-squares line.
///
/// p is exact up to 30 values without ties, else by the normal approximation with Kendall's correction for ties
/// ("Rank Correlation Methods" (1975)) and for continuity. Takes n^2 / 2 steps. `None` of fewer than four values, of
/// values that are not finite, or where all places are one.
pub fn drift(at: &[f64], values: &[f64]) -> Option<Drift> {
    let n = values.len();
    let finite = at.iter().chain(values).all(|value| value.is_finite());
    if n < VALUES_MIN || at.len() != n || !finite {
        return None;
    }
    let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
    let mut score = 0_i64;
    for (i, (at_i, value_i)) in at.iter().zip(values).enumerate() {
        for (at_j, value_j) in at.iter().zip(values).skip(i + 1) {
            if at_i.total_cmp(at_j).is_ne() {
                let slope = (value_j - value_i) / (at_j - at_i);
                score += i64::from(slope > 0.0) - i64::from(slope < 0.0);
                slopes.push(slope);
            }
        }
    }
    let slope = median(&slopes)?;
    let (first, last) = at
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), place| {
            (low.min(*place), high.max(*place))
        });
    let (at_ties, value_ties) = (ties(at), ties(values));
    let variance = score_variance(n, &at_ties, &value_ties);
    let exact = n <= EXACT_MAX && at_ties.is_empty() && value_ties.is_empty();
    Some(Drift {
        slope,
        slope_interval: sen_interval(&mut slopes, variance),
        total: slope * (last - first),
        p: if exact {
            exact_p(n, score)
        } else {
            normal_p(score, variance)
        },
        observations: n,
    })
}

/// Sizes of the groups of equal values.
fn ties(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let groups = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq());
    groups
        .filter(|group| group.len() > 1)
        .map(|group| group.len() as f64)
        .collect()
}

/// Variance of Kendall's S where nothing drifts, with ties in either (Kendall (1975), chapter 4).
fn score_variance(n: usize, first: &[f64], second: &[f64]) -> f64 {
    let n = n as f64;
    let sum = |ties: &[f64], f: &dyn Fn(f64) -> f64| ties.iter().map(|&t| f(t)).sum::<f64>();
    let variance_of = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    let pairs = |t: f64| t * (t - 1.0);
    let triples = |t: f64| t * (t - 1.0) * (t - 2.0);
    (variance_of(n) - sum(first, &variance_of) - sum(second, &variance_of)) / 18.0
        + sum(first, &triples) * sum(second, &triples) / (9.0 * triples(n))
        + sum(first, &pairs) * sum(second, &pairs) / (2.0 * pairs(n))
}

/// Order statistics of the slopes at (N -+ z sqrt(variance)) / 2 (Sen (1968)).
fn sen_interval(slopes: &mut [f64], variance: f64) -> Option<(f64, f64)> {
    slopes.sort_by(f64::total_cmp);
    let z = Normal::standard().inverse_cdf(f64::midpoint(1.0, CONFIDENCE));
    let all = slopes.len() as f64;
    let below = ((all - z * variance.sqrt()) / 2.0).floor();
    if below < 1.0 {
        return None;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the number of slopes"
    )]
    let below = below as usize;
    Some((slopes[below - 1], slopes[slopes.len() - below]))
}

/// Share of all orders of n different values whose S is at least as far from 0. The number of orders with so many
/// inversions is a product of the polynomials 1 + x + ... + x^(i - 1); S = pairs - 2 inversions.
fn exact_p(n: usize, score: i64) -> f64 {
    let mut shares = vec![1.0];
    for i in 2..=n {
        let mut next = vec![0.0; shares.len() + i - 1];
        for (inversions, share) in shares.iter().enumerate() {
            for more in &mut next[inversions..inversions + i] {
                *more += share / i as f64;
            }
        }
        shares = next;
    }
    let pairs = shares.len() - 1;
    let far = score.unsigned_abs();
    let is_as_far = |inversions: usize| pairs.abs_diff(2 * inversions) as u64 >= far;
    let as_far = shares
        .iter()
        .enumerate()
        .filter(|(inversions, _)| is_as_far(*inversions));
    as_far.map(|(_, share)| share).sum::<f64>().min(1.0)
}

fn normal_p(score: i64, variance: f64) -> f64 {
    if variance <= 0.0 {
        return 1.0;
    }
    let z = (score.unsigned_abs() as f64 - 1.0).max(0.0) / variance.sqrt();
    2.0 * Normal::standard().cdf(-z)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    fn normal(random: &mut ChaCha8Rng) -> f64 {
        StandardNormal.sample(random)
    }

    fn places(n: usize) -> Vec<f64> {
        (0..n).map(|i| i as f64).collect()
    }

    /// Values of which each keeps this share of the one before.
    fn kept(share: f64, n: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
        let mut last = 0.0;
        let next = |_| {
            last = share * last + (1.0 - share * share).sqrt() * normal(random);
            last
        };
        (0..n).map(next).collect()
    }

    #[test]
    fn a_serial_correlation_agrees_with_one_made_by_hand() {
        // Around the mean 2.5: -1.5, -0.5, 0.5, 1.5; products 0.75 - 0.25 + 0.75, squares 5.
        let found = serial_correlation(&[1.0, 2.0, 3.0, 4.0], 1).unwrap();
        assert!((found.lag_one - 0.25).abs() < 1e-12, "{found:?}");
        // Four of 24 orders, this one, 2 4 1 3 (-0.75) and their mirror images, are as far from -1 / 4.
        assert!((found.p - 4.0 / 24.0).abs() < 0.02, "{found:?}");
        assert_eq!(serial_correlation(&[1.0, 2.0, 3.0], 1), None);
        assert_eq!(serial_correlation(&[5.0; 10], 1), None);
    }

    #[test]
    fn independent_values_seldom_seem_correlated_and_correlated_ones_mostly() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut found = |share: f64| {
            let tests = 200;
            let hits = (0..tests).filter(|_| serial_correlation(&kept(share, 40, &mut random), 1).unwrap().p <= 0.05);
            hits.count() as f64 / f64::from(tests)
        };
        let (none, much) = (found(0.0), found(0.6));
        assert!((0.01..=0.10).contains(&none), "{none} of independent series");
        assert!(much > 0.85, "{much} of series that keep 60 %");
    }

    #[test]
    fn a_drift_agrees_with_one_made_by_hand() {
        // Slopes of the pairs: 1, 1, 4/3, 1, 3/2, 2. All rise: two of 24 orders are as far from none.
        let found = drift(&places(4), &[0.0, 1.0, 2.0, 4.0]).unwrap();
        assert!((found.slope - 7.0 / 6.0).abs() < 1e-12, "{found:?}");
        assert!((found.total - 3.5).abs() < 1e-12);
        assert!((found.p - 2.0 / 24.0).abs() < 1e-12, "{found:?}");
        assert_eq!(drift(&places(3), &[0.0, 1.0, 2.0]), None);
        assert_eq!(drift(&[1.0; 5], &places(5)), None);
    }

    #[test]
    fn the_exact_p_agrees_with_kendalls_table_and_with_the_approximation() {
        // Kendall (1975), table 1: n = 10, S >= 23 has one-sided probability 0.023.
        assert!((exact_p(10, 23) - 2.0 * 0.023).abs() < 0.001, "{}", exact_p(10, 23));
        for score in [11, 61, 101, 151] {
            let (exact, normal) = (exact_p(30, score), normal_p(score, score_variance(30, &[], &[])));
            assert!((exact - normal).abs() < 0.004, "{score}: {exact} against {normal}");
        }
        assert!((exact_p(6, 1) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_drift_is_found_within_its_interval_and_one_disturbed_value_is_none() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let (mut inside, mut found, mut invented) = (0, 0, 0);
        let runs = 400;
        for _ in 0..runs {
            let noise: Vec<f64> = (0..40).map(|_| 0.02 * normal(&mut random)).collect();
            let drifting: Vec<f64> = noise.iter().zip(places(40)).map(|(e, at)| e + 0.0012 * at).collect();
            let fitted = drift(&places(40), &drifting).unwrap();
            let (low, high) = fitted.slope_interval.unwrap();
            inside += i32::from(low <= 0.0012 && 0.0012 <= high);
            found += i32::from(fitted.p <= 0.05);
            let mut disturbed = noise;
            disturbed[39] -= 0.5;
            invented += i32::from(drift(&places(40), &disturbed).unwrap().p <= 0.05);
        }
        assert!(
            (0.92..=0.98).contains(&(f64::from(inside) / f64::from(runs))),
            "{inside}"
        );
        assert!(found > runs * 95 / 100, "{found}");
        assert!(invented < runs * 11 / 100, "{invented}");
    }

    #[test]
    fn ties_count_for_neither_side() {
        let tied = drift(&places(5), &[1.0, 1.0, 1.0, 1.0, 1.0]).unwrap();
        assert_eq!((tied.slope, tied.p), (0.0, 1.0));
        // Two trials of each block share its place: only pairs of different places count.
        let both = drift(&[0.0, 0.0, 1.0, 1.0, 2.0, 2.0], &[1.0, 9.0, 2.0, 8.0, 3.0, 7.0]).unwrap();
        assert!(both.p > 0.9, "{both:?}");
    }
}
