//! Statistics on plain numbers. Knows nothing of Kafka, trials or files, and imports nothing of tandem's.

mod decision;
mod descriptive;
mod estimate;
mod permutation;
#[cfg(test)]
mod tests;
mod unpaired;

pub use decision::{Side, decide, is_material, observations_needed};
pub use descriptive::{mean, median, quantile, standard_deviation};
pub use estimate::{CONFIDENCE, Estimate, t_quantile};
pub use permutation::{holm, observations_for_significance, sign_flip_p};
pub use unpaired::permutation_p;

/// The significance level of every verdict: 1 - [`CONFIDENCE`].
pub const SIGNIFICANCE: f64 = 0.05;
