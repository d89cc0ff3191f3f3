//! A figure with its uncertainty.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::descriptive::{mean, standard_deviation};

/// A point with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate itself.
    pub point: f64,
    /// The interval, `None` where there are too few observations for one.
    pub interval: Option<(f64, f64)>,
    /// Observations it rests on.
    pub observations: usize,
}

/// The confidence of every interval that tandem prints.
pub const CONFIDENCE: f64 = 0.95;

/// The significance level of every verdict: 1 - [`CONFIDENCE`].
pub const SIGNIFICANCE: f64 = 0.05;

impl Estimate {
    /// Geometric mean of positive values with the Student t interval of their logarithms, exponentiated: the
    /// interval for the median of log-normal values (Bland and Altman, "Transformations, means, and confidence
    /// intervals", BMJ 312 (1996) 1079). `None` of nothing, or where a value is not positive and finite.
    pub fn geometric(values: &[f64]) -> Option<Estimate> {
        if values.iter().any(|value| !value.is_finite() || *value <= 0.0) {
            return None;
        }
        let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        let centre = mean(&logs)?;
        let interval = standard_deviation(&logs).map(|deviation| {
            let half = half_width(deviation, logs.len(), 1.0 - CONFIDENCE);
            ((centre - half).exp(), (centre + half).exp())
        });
        Some(Estimate {
            point: centre.exp(),
            interval,
            observations: logs.len(),
        })
    }
}

/// Half the two-sided t interval at level `1 - alpha` for a mean: t(1 - alpha / 2, n - 1) s / sqrt(n) (Student,
/// "The probable error of a mean", Biometrika 6 (1908)). Infinite for fewer than two observations.
pub fn half_width(deviation: f64, observations: usize, alpha: f64) -> f64 {
    if observations < 2 {
        return f64::INFINITY;
    }
    let t = t_quantile(1.0 - alpha / 2.0, (observations - 1) as f64);
    t * deviation / (observations as f64).sqrt()
}

/// Quantile of Student's t distribution at probability `p`; NaN where `freedom` (degrees of freedom) is not positive.
pub fn t_quantile(p: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |t| t.inverse_cdf(p))
}
