//! Tests by permutation of signs, and the correction for making several.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Differences up to this many are permuted exhaustively: 2^20 sums take a millisecond.
const EXACT_MAX: usize = 20;

/// Random sign patterns beyond that.
const RANDOM_PATTERNS: u32 = 100_000;

/// Two-sided p of the sign-flip permutation test that paired `differences` are symmetric about 0, with their mean as
/// statistic (Fisher, "The Design of Experiments" (1935), section 21). `None` of nothing.
///
/// Up to 20 differences all sign patterns are counted, so p is a multiple of 2 / 2^n (the pattern observed and its
/// mirror image always count). Beyond that 100,000 random patterns from `seed` give (count + 1) / (patterns + 1)
/// (Phipson and Smyth, "Permutation p-values should never be zero" (2010)).
pub fn sign_flip_p(differences: &[f64], seed: u64) -> Option<f64> {
    if differences.is_empty() {
        return None;
    }
    let observed = differences.iter().sum::<f64>().abs();
    // Sums that differ by rounding only are equal.
    let scale: f64 = differences.iter().map(|d| d.abs()).sum();
    let bound = observed - 1e-12 * scale;
    if differences.len() <= EXACT_MAX {
        return Some(exact_p(differences, bound));
    }
    // A byte of chance takes the signs of eight differences from a table of their sums.
    let sums: Vec<Vec<f64>> = differences.chunks(8).map(signed_sums).collect();
    let mut signs = vec![0_u8; sums.len()];
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let as_extreme = (0..RANDOM_PATTERNS)
        .filter(|_| {
            random.fill_bytes(&mut signs);
            // The last table may be shorter; its length is a power of two, so all its sums stay equally likely.
            let part = |(sums, signs): (&Vec<f64>, &u8)| sums[usize::from(*signs) % sums.len()];
            sums.iter().zip(&signs).map(part).sum::<f64>().abs() >= bound
        })
        .count();
    Some((as_extreme + 1) as f64 / f64::from(RANDOM_PATTERNS + 1))
}

/// Share of all sign patterns whose sum is at least `bound` away from 0. Sums of each half's patterns are made once
/// and added pairwise, so no rounding errors pile up.
fn exact_p(differences: &[f64], bound: f64) -> f64 {
    let (left, right) = differences.split_at(differences.len() / 2);
    let (left, right) = (signed_sums(left), signed_sums(right));
    let as_extreme: usize = left
        .iter()
        .map(|l| right.iter().filter(|r| (l + **r).abs() >= bound).count())
        .sum();
    as_extreme as f64 / (left.len() * right.len()) as f64
}

/// The sums under every pattern of signs.
fn signed_sums(values: &[f64]) -> Vec<f64> {
    values.iter().fold(vec![0.0], |sums, value| {
        sums.iter().flat_map(|sum| [sum + value, sum - value]).collect()
    })
}

/// p-values corrected for being several, in the order given (Holm, "A simple sequentially rejective multiple test
/// procedure", Scandinavian Journal of Statistics 6 (1979)).
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut highest: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        highest = highest.max(p[index] * (p.len() - rank) as f64).min(1.0);
        adjusted[index] = highest;
    }
    adjusted
}

/// Observations from which the exact sign-flip test, whose smallest p is 2 / 2^n, can stay at or under
/// `significance` after Holm's correction for so many `comparisons`.
pub fn observations_for_significance(comparisons: usize, significance: f64) -> u32 {
    let bits = (2.0 * comparisons.max(1) as f64 / significance).log2();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a logarithm of a count, under 100"
    )]
    let observations = bits.ceil().clamp(1.0, 100.0) as u32;
    observations
}
