//! The bootstrap by blocks: what belongs together is drawn together, and the percentiles are those of a small sample.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use super::descriptive::quantile;
use super::{CONFIDENCE, t_quantile};

/// Fewer blocks give too few different resamples for an interval.
pub const BLOCKS_FOR_BOOTSTRAP: usize = 5;

/// Which of `blocks` each of `resamples` resamples consists of: as many as there are, drawn with replacement (Efron,
/// "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979)). The same for the same `seed`.
pub(super) fn resamples(blocks: usize, resamples: usize, seed: u64) -> impl Iterator<Item = Vec<usize>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..resamples).map(move |_| (0..blocks).map(|_| random.random_range(0..blocks)).collect())
}

/// The part of the bootstrap distribution that an interval at [`CONFIDENCE`] leaves out on each side: Phi(-t sqrt(n /
/// (n - 1))) with Student's t of n - 1 degrees of freedom, the *expanded* percentile interval of Hesterberg ("What
/// teachers should know about the bootstrap", The American Statistician 69 (2015)). Plain percentiles of few blocks are
/// too narrow: the spread of resamples is that of a population, not of a sample, and normal where t has longer tails.
fn tail(blocks: usize, one_sided: bool) -> f64 {
    let outside = if one_sided {
        1.0 - CONFIDENCE
    } else {
        (1.0 - CONFIDENCE) / 2.0
    };
    let n = blocks as f64;
    let t = t_quantile(1.0 - outside, n - 1.0) * (n / (n - 1.0)).sqrt();
    Normal::standard().cdf(-t)
}

/// The two-sided interval from the values that `blocks` blocks gave when resampled; `None` of nothing.
pub(super) fn interval(values: &[f64], blocks: usize) -> Option<(f64, f64)> {
    let tail = tail(blocks, false);
    // Sorting what is sorted costs next to nothing.
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some((quantile(&sorted, tail)?, quantile(&sorted, 1.0 - tail)?))
}

/// The upper end of the one-sided interval from below; `None` of nothing.
pub(super) fn upper_end(values: &[f64], blocks: usize) -> Option<f64> {
    quantile(values, 1.0 - tail(blocks, true))
}

/// The lower end of the one-sided interval from above; `None` of nothing.
pub(super) fn lower_end(values: &[f64], blocks: usize) -> Option<f64> {
    quantile(values, tail(blocks, true))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_left_out_is_smaller_the_fewer_the_blocks_and_ends_at_the_plain_percentile() {
        // Ten blocks: t(0.975, 9) = 2.2622, times sqrt(10 / 9) = 2.3845, Phi(-2.3845) = 0.00855.
        assert!((tail(10, false) - 0.008_55).abs() < 1e-4, "{}", tail(10, false));
        assert!(tail(5, false) < tail(10, false) && tail(10, false) < tail(100, false));
        assert!((tail(100_000, false) - 0.025).abs() < 1e-4);
        assert!((tail(100_000, true) - 0.05).abs() < 1e-4);
    }

    #[test]
    fn resamples_are_as_long_as_the_sample_and_the_same_for_the_same_seed() {
        let drawn: Vec<Vec<usize>> = resamples(6, 50, 3).collect();
        assert!(
            drawn
                .iter()
                .all(|one| one.len() == 6 && one.iter().all(|block| *block < 6))
        );
        assert!(resamples(6, 50, 3).eq(drawn.iter().cloned()));
        assert!(!resamples(6, 50, 4).eq(drawn));
    }
}
