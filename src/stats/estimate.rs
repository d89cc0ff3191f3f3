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
    /// Arithmetic mean with its Student t interval. `None` of nothing, or where a value is not finite.
    pub fn arithmetic(values: &[f64]) -> Option<Estimate> {
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let centre = mean(values)?;
        let interval = standard_deviation(values).map(|deviation| {
            let half = half_width(deviation, values.len(), 1.0 - CONFIDENCE);
            (centre - half, centre + half)
        });
        Some(Estimate {
            point: centre,
            interval,
            observations: values.len(),
        })
    }

    /// Geometric mean of positive values with the Student t interval of their logarithms, exponentiated: the
    /// interval for the median of log-normal values (Bland and Altman, "Transformations, means, and confidence
    /// intervals", BMJ 312 (1996) 1079). `None` of nothing, or where a value is not positive and finite.
    pub fn geometric(values: &[f64]) -> Option<Estimate> {
        let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
        Some(Estimate::arithmetic(&logs)?.map(f64::exp))
    }

    /// The same of what follows from the value by a function that only rises or only falls.
    #[must_use]
    pub fn map(self, function: impl Fn(f64) -> f64) -> Estimate {
        let ends = self.interval.map(|(low, high)| (function(low), function(high)));
        Estimate {
            point: function(self.point),
            interval: ends.map(|(one, other)| (one.min(other), one.max(other))),
            observations: self.observations,
        }
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
