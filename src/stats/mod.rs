//! Statistics on plain numbers. Knows nothing of Kafka, trials or files, and imports nothing of tandem's.

mod bootstrap;
mod decision;
mod descriptive;
mod estimate;
mod order;
mod permutation;
mod sequential;
#[cfg(test)]
mod tests;

pub use bootstrap::bootstrap_t;
pub use decision::{Side, decide, is_material, observations_needed, observations_to_resolve};
pub use descriptive::{mean, median, quantile, standard_deviation};
pub use estimate::{CONFIDENCE, Estimate, half_width, t_quantile};
pub use order::{Drift, SerialCorrelation, drift, serial_correlation};
pub use permutation::{holm, observations_for_significance, sign_flip_p};
pub use sequential::{Sequential, first_look};

/// The significance level of every verdict: 1 - [`CONFIDENCE`].
pub const SIGNIFICANCE: f64 = 0.05;
