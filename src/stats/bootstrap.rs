//! Intervals by resampling, which suppose no distribution.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::CONFIDENCE;
use super::descriptive::{mean, quantile, standard_deviation};

/// Samples drawn: the ends of a 95 % interval then rest on 50 of them each.
const RESAMPLES: usize = 2_000;

/// Fewer values than this have too few different resamples: of five, one in 600 is of a single value.
const VALUES_MIN: usize = 5;

/// The 95 % bootstrap-t interval of the mean of `values` (Efron, "The Jackknife, the Bootstrap and Other Resampling
/// Plans" (1982), section 10.10; second-order correct by Hall, "Theoretical comparison of bootstrap confidence
/// intervals", Annals of Statistics 16 (1988)): quantiles of (m* - m) / e* over 2,000 resamples from `seed`, with m*
/// and e* mean and standard error of a resample, take the place of Student's t. Unlike the t interval it need not be
/// symmetric, so it shows where values are skewed. Resamples of a single value have no error and are left out.
///
/// `None` of fewer than five values, or where all are equal.
pub fn bootstrap_t(values: &[f64], seed: u64) -> Option<(f64, f64)> {
    let n = values.len();
    let centre = mean(values).filter(|_| n >= VALUES_MIN)?;
    let root = (n as f64).sqrt();
    let error = standard_deviation(values)? / root;
    if !(error.is_finite() && error > 0.0) {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut resample = vec![0.0; n];
    let mut studentised = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        resample.fill_with(|| values[random.random_range(0..n)]);
        let error = standard_deviation(&resample)? / root;
        if error > 0.0 {
            studentised.push((mean(&resample)? - centre) / error);
        }
    }
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let (low, high) = (quantile(&studentised, tail)?, quantile(&studentised, 1.0 - tail)?);
    Some((centre - high * error, centre - low * error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::stats::Estimate;

    #[test]
    fn on_even_values_it_agrees_with_the_t_interval() {
        let values: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 30) / 100.0).collect();
        let ratios: Vec<f64> = values.iter().map(|log| log.exp()).collect();
        let (t_low, t_high) = Estimate::geometric(&ratios).unwrap().interval.unwrap();
        let (low, high) = bootstrap_t(&values, 1).unwrap();
        assert!(
            (low - t_low.ln()).abs() < 0.01 && (high - t_high.ln()).abs() < 0.01,
            "{low} {high}"
        );
        assert_eq!(bootstrap_t(&values, 1), Some((low, high)));
    }

    #[test]
    fn skewed_values_stretch_the_side_of_their_tail() {
        let values: Vec<f64> = (0..20).map(|i| -f64::ln(1.0 - (f64::from(i) + 0.5) / 20.0)).collect();
        let centre = values.iter().sum::<f64>() / 20.0;
        let (low, high) = bootstrap_t(&values, 1).unwrap();
        assert!(high - centre > 1.2 * (centre - low), "{low} {centre} {high}");
    }

    #[test]
    fn too_few_or_equal_values_have_none() {
        assert_eq!(bootstrap_t(&[1.0, 2.0, 3.0, 4.0], 1), None);
        assert_eq!(bootstrap_t(&[1.0; 9], 1), None);
    }
}
