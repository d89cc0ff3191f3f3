//! From an interval for a ratio to a decision, and how many observations one would take.

use super::estimate::half_width;
use super::{CONFIDENCE, observations_for_significance};

/// Forecasts beyond this number of observations are not reported.
const OBSERVATIONS_MAX: usize = 1000;

/// Fewer observations do not say how much they vary.
const OBSERVATIONS_MIN: usize = 3;

/// Where an interval lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Inside the practical threshold about no difference, even if it excludes that.
    Equivalent,
    /// Wholly above no difference.
    Above,
    /// Wholly below it.
    Below,
    /// None of these.
    Open,
}

/// Where an interval for a ratio lies: [`decide_difference`] of its logarithms, with a threshold that is a share.
pub fn decide(interval: (f64, f64), threshold: f64, significant: bool) -> Side {
    decide_difference(logs(interval), threshold.ln_1p(), significant)
}

/// Where an interval for a difference lies. The first that holds: equivalent, where the interval lies inside -edge to
/// edge - the two one-sided tests of Schuirmann (1987), stricter than his by using the two-sided interval; above or
/// below, where it excludes 0 and the test agrees (`significant`); else open.
pub fn decide_difference(interval: (f64, f64), edge: f64, significant: bool) -> Side {
    let (low, high) = interval;
    if low > -edge && high < edge {
        Side::Equivalent
    } else if low > 0.0 && significant {
        Side::Above
    } else if high < 0.0 && significant {
        Side::Below
    } else {
        Side::Open
    }
}

/// Fewer differences that are not 0 say too little of their mean, until there are so many observations that what happens
/// only now and then would have happened.
const TELLING: usize = 5;
const OBSERVATIONS_TELLING: usize = 20;

/// True where `differences` of a figure that can be 0 say enough for an interval: at least five are not 0, or there are at
/// least twenty. A t interval of zeros alone has no width, although a figure that is above 0 in one trial of ten gives six
/// of them in more than half of all runs. The numbers are simulated (`cargo bench --bench verdicts`).
pub fn are_telling(differences: &[f64]) -> bool {
    let telling = differences.iter().filter(|difference| **difference != 0.0).count();
    telling >= TELLING || differences.len() >= OBSERVATIONS_TELLING
}

/// The number of observations before which a forecast for `differences` is worth nothing: those from which
/// [`are_telling`] holds whatever they are, unless it holds already.
pub fn observations_to_tell(differences: &[f64]) -> usize {
    if are_telling(differences) {
        differences.len()
    } else {
        OBSERVATIONS_TELLING
    }
}

/// True if all of an interval for a ratio lies beyond the practical threshold, on either side.
pub fn is_material(interval: (f64, f64), threshold: f64) -> bool {
    is_material_difference(logs(interval), threshold.ln_1p())
}

/// True if all of an interval for a difference lies beyond the edge, on either side.
pub fn is_material_difference(interval: (f64, f64), edge: f64) -> bool {
    interval.0 > edge || interval.1 < -edge
}

fn logs((low, high): (f64, f64)) -> (f64, f64) {
    (low.ln(), high.ln())
}

/// The number of observations from which [`decide_difference`] would probably not be open, if mean and standard deviation
/// of the differences (of ratios: their logarithms) stayed as they are over the `observations` made. The test is forecast at `significance`, the level left
/// after correction for several, by the t interval of that level and the smallest p that so many observations can give.
/// `None` if that exceeds 1,000 or there are too few observations.
pub fn observations_needed(
    mean: f64,
    deviation: f64,
    observations: usize,
    edge: f64,
    significance: f64,
) -> Option<usize> {
    let known = mean.is_finite() && deviation.is_finite();
    if observations < OBSERVATIONS_MIN || !known {
        return None;
    }
    let fewest = observations_for_significance(1, significance) as usize;
    (observations + 1..=OBSERVATIONS_MAX).find(|&n| {
        let inside = mean.abs() + half_width(deviation, n, 1.0 - CONFIDENCE) < edge;
        let strict = significance.min(1.0 - CONFIDENCE);
        let excluded = || mean.abs() > half_width(deviation, n, strict);
        inside || (n >= fewest && excluded())
    })
}

/// The fewest observations whose 95 % t interval would lie inside the practical threshold if the mean log-ratio were 0
/// and the standard deviation of the log-ratios `log_deviation`: whether the noise lets a run of so many blocks say
/// "same" at all. Solves t(0.975, n - 1) s / sqrt(n) < ln(1 + threshold) for n (Julious, "Sample sizes for clinical
/// trials with normal data", Statistics in Medicine 23 (2004), for an interval of given width). `None` where 1,000 are
/// not enough.
pub fn observations_to_resolve(log_deviation: f64, threshold: f64) -> Option<usize> {
    let edge = threshold.ln_1p();
    (2..=OBSERVATIONS_MAX).find(|&n| half_width(log_deviation, n, 1.0 - CONFIDENCE) < edge)
}
