//! A figure with its uncertainty.

use serde::{Deserialize, Serialize};

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
