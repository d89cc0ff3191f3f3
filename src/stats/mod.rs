//! Statistics on plain numbers. Knows nothing of Kafka, trials or files, and imports nothing of tandem's.

mod decision;
mod descriptive;
mod effects;
mod estimate;
mod permutation;
mod resampling;
mod scaling;
#[cfg(test)]
mod tests;

pub use decision::{Side, decide, is_material, observations_needed};
pub use descriptive::{mean, median, quantile, standard_deviation};
pub use effects::{EffectShare, Effects, EffectsRefusal, FactorialTrial, effects};
pub use estimate::{CONFIDENCE, Estimate, t_quantile};
pub use permutation::{holm, observations_for_significance, sign_flip_p};
pub use resampling::BLOCKS_FOR_BOOTSTRAP;
pub use scaling::{
    COUNTS_FOR_LAW, CurvePoint, Law, Misfit, Observation, Parameter, Peak, Refusal, ScalingFit, Score, fit_scaling,
};

/// The significance level of every verdict: 1 - [`CONFIDENCE`].
pub const SIGNIFICANCE: f64 = 0.05;
