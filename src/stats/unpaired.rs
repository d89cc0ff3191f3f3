//! Two samples that are not paired: the interval for their ratio, and the test by permutation between them.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::descriptive::{mean, standard_deviation};
use super::estimate::t_quantile;
use super::{CONFIDENCE, Estimate};

/// Up to so many ways to deal the observations out are counted one by one: 184,756 are those of ten and ten.
const EXACT_MAX: u64 = 200_000;

/// Random ways to deal them out beyond that.
const RANDOM_DEALS: u32 = 100_000;

/// A variance below this share of that of all observations is rounding.
const ROUNDING: f64 = 1e-12;

impl Estimate {
    /// How many times `second` is `first`, for positive values that are not paired: the ratio of their geometric means
    /// with Welch's t interval of the difference of the logarithms' means, exponentiated. The samples may vary
    /// differently and differ in size; the degrees of freedom are Welch's and Satterthwaite's (Welch, "The
    /// generalization of 'Student's' problem when several different population variances are involved", Biometrika 34
    /// (1947) 28). No interval where either has fewer than two values; `None` where either has none, or one that is not
    /// positive and finite.
    pub fn unpaired_ratio(first: &[f64], second: &[f64]) -> Option<Estimate> {
        let (first, second) = (logs(first)?, logs(second)?);
        let difference = mean(&second)? - mean(&first)?;
        let interval = welch_half_width(&first, &second, 1.0 - CONFIDENCE)
            .map(|half| ((difference - half).exp(), (difference + half).exp()));
        Some(Estimate {
            point: difference.exp(),
            interval,
            observations: first.len() + second.len(),
        })
    }
}

/// The natural logarithms; `None` where a value has none.
fn logs(values: &[f64]) -> Option<Vec<f64>> {
    let log = |value: &f64| (value.is_finite() && *value > 0.0).then(|| value.ln());
    values.iter().map(log).collect()
}

/// Half of Welch's two-sided t interval at level `1 - alpha` for the difference of two means; `None` where either has
/// fewer than two values. Without any spread it is 0.
fn welch_half_width(first: &[f64], second: &[f64], alpha: f64) -> Option<f64> {
    let squared_error = |values: &[f64]| Some(standard_deviation(values)?.powi(2) / values.len() as f64);
    let (a, b) = (squared_error(first)?, squared_error(second)?);
    if a + b <= 0.0 {
        return Some(0.0);
    }
    let part = |error: f64, values: &[f64]| error.powi(2) / (values.len() - 1) as f64;
    let freedom = (a + b).powi(2) / (part(a, first) + part(b, second));
    Some(t_quantile(1.0 - alpha / 2.0, freedom) * (a + b).sqrt())
}

/// Two-sided p of the permutation test that two samples come from one distribution (Pitman, "Significance tests which
/// may be applied to samples from any populations", Supplement to the Journal of the Royal Statistical Society 4 (1937)
/// 119), with Welch's t as the statistic: studentised, the test holds its level in large samples even where the samples
/// vary differently, which the plain difference of means does not (Janssen, "Studentized permutation tests for
/// non-i.i.d. hypotheses and the generalized Behrens-Fisher problem", Statistics and Probability Letters 36 (1997) 9).
/// `None` where either sample has fewer than two values.
///
/// Where there are at most 200,000 ways to deal the values out to two samples of these sizes, all are counted, so p is
/// at least 1 over their number (2 over it for samples of equal size). Beyond that 100,000 random ones from `seed` give
/// (count + 1) / (deals + 1).
pub fn permutation_p(first: &[f64], second: &[f64], seed: u64) -> Option<f64> {
    if first.len() < 2 || second.len() < 2 {
        return None;
    }
    let mut all: Vec<f64> = first.iter().chain(second).copied().collect();
    let centre = mean(&all)?;
    for value in &mut all {
        *value -= centre;
    }
    let deal = Deal::new(&all, first.len());
    let own = all[..first.len()].iter().copied().fold(Sums::default(), Sums::with);
    // Statistics that differ by rounding only are equal.
    let bound = deal.statistic(own) * (1.0 - 1e-9);
    if ways(all.len() as u64, first.len() as u64) <= EXACT_MAX {
        let mut count = Count::default();
        deal.count(0, first.len(), Sums::default(), bound, &mut count);
        return Some(count.extreme as f64 / count.all as f64);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut shuffled = all.clone();
    let as_extreme = (0..RANDOM_DEALS)
        .filter(|_| {
            let (dealt, _) = shuffled.partial_shuffle(&mut random, first.len());
            deal.statistic(dealt.iter().copied().fold(Sums::default(), Sums::with)) >= bound
        })
        .count();
    Some((as_extreme + 1) as f64 / f64::from(RANDOM_DEALS + 1))
}

/// The number of ways to choose `chosen` among `all`, at most `u64::MAX`.
fn ways(all: u64, chosen: u64) -> u64 {
    let fewer = chosen.min(all - chosen);
    (0..fewer).fold(1_u64, |ways, i| {
        if ways == u64::MAX {
            return ways;
        }
        // The division is exact: the product of i + 1 consecutive numbers over (i + 1)!.
        u128::from(ways)
            .checked_mul(u128::from(all - i))
            .map_or(u64::MAX, |product| {
                u64::try_from(product / u128::from(i + 1)).unwrap_or(u64::MAX)
            })
    })
}

/// Sum and sum of squares of some of the values.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    sum: f64,
    squares: f64,
}

impl Sums {
    fn with(self, value: f64) -> Self {
        Sums {
            sum: self.sum + value,
            squares: self.squares + value * value,
        }
    }
}

#[derive(Default)]
struct Count {
    extreme: u64,
    all: u64,
}

/// All values, centred, that are dealt out to a first sample of `size` and a second one of the rest.
struct Deal<'a> {
    values: &'a [f64],
    size: usize,
    total: Sums,
}

impl<'a> Deal<'a> {
    fn new(values: &'a [f64], size: usize) -> Self {
        let total = values.iter().copied().fold(Sums::default(), Sums::with);
        Deal { values, size, total }
    }

    /// Welch's t without its sign where the first sample has these sums; infinite where nothing varies but the means.
    fn statistic(&self, first: Sums) -> f64 {
        let second = Sums {
            sum: self.total.sum - first.sum,
            squares: self.total.squares - first.squares,
        };
        let (n, m) = (self.size as f64, (self.values.len() - self.size) as f64);
        let least = ROUNDING * self.total.squares;
        let squared_error = |sums: Sums, n: f64| {
            let squares = sums.squares - sums.sum * sums.sum / n;
            if squares <= least { 0.0 } else { squares / (n - 1.0) / n }
        };
        let difference = (second.sum / m - first.sum / n).abs();
        if difference * difference <= least {
            return 0.0;
        }
        difference / (squared_error(first, n) + squared_error(second, m)).sqrt()
    }

    /// Counts every way to deal `wanted` more of the values from the `from`-th on to the first sample.
    fn count(&self, from: usize, wanted: usize, first: Sums, bound: f64, count: &mut Count) {
        if wanted == 0 {
            count.all += 1;
            count.extreme += u64::from(self.statistic(first) >= bound);
            return;
        }
        for next in from..=self.values.len() - wanted {
            self.count(next + 1, wanted - 1, first.with(self.values[next]), bound, count);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use rand_distr::{Distribution, Normal};

    use super::*;

    #[test]
    fn the_interval_of_a_ratio_is_that_of_welch() {
        // Logarithms 1 to 5 and 2, 4, .. 12: means 3 and 7, variances 2.5 and 14, degrees of freedom 6.97.
        let exp = |values: &[f64]| values.iter().map(|v| v.exp()).collect::<Vec<f64>>();
        let first = exp(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let second = exp(&[2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        let ratio = Estimate::unpaired_ratio(&first, &second).unwrap();
        assert!((ratio.point.ln() - 4.0).abs() < 1e-9);
        let error = (2.5_f64 / 5.0 + 14.0 / 6.0).sqrt();
        let freedom = (2.5_f64 / 5.0 + 14.0 / 6.0).powi(2) / (0.25_f64 / 4.0 + (14.0_f64 / 6.0).powi(2) / 5.0);
        assert!((freedom - 6.97).abs() < 0.01, "{freedom}");
        let (low, high) = ratio.interval.unwrap();
        assert!((high.ln() - 4.0 - t_quantile(0.975, freedom) * error).abs() < 1e-9);
        assert!((low.ln() + high.ln() - 8.0).abs() < 1e-9);
    }

    #[test]
    fn a_single_value_has_a_ratio_and_neither_interval_nor_p() {
        let ratio = Estimate::unpaired_ratio(&[2.0], &[3.0, 3.1]).unwrap();
        assert_eq!(ratio.interval, None);
        assert_eq!(permutation_p(&[2.0], &[3.0, 3.1], 1), None);
        assert_eq!(Estimate::unpaired_ratio(&[], &[1.0]), None);
        assert_eq!(Estimate::unpaired_ratio(&[0.0, 1.0], &[1.0]), None);
    }

    #[test]
    fn samples_that_do_not_meet_have_the_smallest_p_that_their_sizes_can_give() {
        let near = |p: Option<f64>, wanted: f64| assert!((p.unwrap() - wanted).abs() < 1e-12, "{p:?}");
        near(permutation_p(&[1.0, 1.1, 1.2], &[2.0, 2.1, 2.2], 1), 2.0 / 20.0);
        near(
            permutation_p(&[1.0, 1.1, 1.2, 1.3], &[2.0, 2.1, 2.2, 2.3], 1),
            2.0 / 70.0,
        );
        // Nothing varies: the two ways that give samples without spread are the only ones as extreme.
        near(permutation_p(&[1.0; 5], &[2.0; 5], 1), 2.0 / 252.0);
        near(permutation_p(&[1.0; 5], &[1.0; 5], 1), 1.0);
    }

    #[test]
    fn random_deals_agree_with_counting_them_all() {
        let first = [0.1, 0.3, 0.2, 0.5, 0.45, 0.36, 0.2, 0.41, 0.33, 0.29];
        let second = [0.3, 0.44, 0.38, 0.52, 0.61, 0.4, 0.28, 0.47, 0.39, 0.35];
        let exact = permutation_p(&first, &second, 1).unwrap();
        // One more of each makes 705,432 ways, and hardly another sample.
        let with = |values: &[f64], value| values.iter().copied().chain([value]).collect::<Vec<f64>>();
        let random = permutation_p(&with(&first, 0.31), &with(&second, 0.41), 1).unwrap();
        assert!(
            (0.02..0.12).contains(&exact) && (exact - random).abs() < 0.03,
            "{exact} {random}"
        );
        assert!((ways(20, 10), ways(22, 11), ways(200, 100)) == (184_756, 705_432, u64::MAX));
    }

    /// The share of made-up pairs of samples without a difference that test (at 5 %) and interval both call different.
    fn wrong(sizes: (usize, usize), deviations: (f64, f64), times: u32) -> f64 {
        let mut random = ChaCha8Rng::seed_from_u64(20);
        let mut sample = |size: usize, deviation: f64| -> Vec<f64> {
            let normal = Normal::new(0.0, deviation).unwrap();
            (0..size).map(|_| normal.sample(&mut random).exp()).collect()
        };
        let mut different = 0;
        for _ in 0..times {
            let (first, second) = (sample(sizes.0, deviations.0), sample(sizes.1, deviations.1));
            let (low, high) = Estimate::unpaired_ratio(&first, &second).unwrap().interval.unwrap();
            let p = permutation_p(&logs(&first).unwrap(), &logs(&second).unwrap(), 1).unwrap();
            different += u32::from(p <= 0.05 && (low > 1.0 || high < 1.0));
        }
        f64::from(different) / f64::from(times)
    }

    #[test]
    fn without_a_difference_test_and_interval_agree_on_one_in_no_more_than_about_five_of_a_hundred() {
        for (sizes, deviations) in [
            ((7, 7), (0.02, 0.02)),
            ((7, 7), (0.02, 0.06)),
            ((5, 10), (0.06, 0.02)),
            ((5, 5), (0.02, 0.02)),
        ] {
            let wrong = wrong(sizes, deviations, 1000);
            assert!((0.02..0.07).contains(&wrong), "{sizes:?} {deviations:?}: {wrong}");
        }
    }

    /// The figures of docs/compare.md: `cargo test --release --lib stats::unpaired -- --ignored`.
    #[test]
    #[ignore = "takes minutes"]
    fn many_simulated_pairs_hold_the_level() {
        let noises = [(0.02, 0.02), (0.02, 0.06), (0.06, 0.02)];
        for sizes in [(5, 5), (7, 7), (10, 10), (5, 10)] {
            for deviations in noises {
                let wrong = wrong(sizes, deviations, 20_000);
                assert!((0.04..0.058).contains(&wrong), "{sizes:?} {deviations:?}: {wrong}");
            }
        }
    }

    proptest! {
        #[test]
        fn exchanging_the_samples_inverts_the_ratio_and_keeps_p(
            first in prop::collection::vec(0.5_f64..2.0, 2..7), second in prop::collection::vec(0.5_f64..2.0, 2..7),
        ) {
            let (there, back) =
                (Estimate::unpaired_ratio(&first, &second).unwrap(), Estimate::unpaired_ratio(&second, &first).unwrap());
            prop_assert!((there.point * back.point - 1.0).abs() < 1e-9);
            let ((low, _), (_, high)) = (there.interval.unwrap(), back.interval.unwrap());
            prop_assert!((low * high - 1.0).abs() < 1e-6);
            let (p, q) = (permutation_p(&first, &second, 1).unwrap(), permutation_p(&second, &first, 1).unwrap());
            prop_assert!((p - q).abs() < 1e-9 && p > 0.0 && p <= 1.0, "{} {}", p, q);
        }
    }
}
