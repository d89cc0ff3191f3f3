//! Statistics on plain numbers. Knows nothing of Kafka, trials or files, and imports nothing of tandem's.

mod bootstrap;
mod decision;
mod descriptive;
mod effects;
mod estimate;
mod order;
mod permutation;
mod resampling;
mod scaling;
mod sequential;
mod stops;
#[cfg(test)]
mod tests;
mod unpaired;

pub use bootstrap::bootstrap_t;
pub use decision::{
    Side, are_telling, decide, decide_difference, is_material, is_material_difference, observations_needed,
    observations_to_resolve, observations_to_tell,
};
pub use descriptive::{count, mean, median, quantile, standard_deviation};
pub use effects::{EffectShare, Effects, EffectsRefusal, FactorialTrial, effects};
pub use estimate::{CONFIDENCE, Estimate, SIGNIFICANCE, half_width, t_quantile};
pub use order::{Drift, SerialCorrelation, drift, serial_correlation};
pub use permutation::{holm, observations_for_significance, sign_flip_p};
pub use resampling::BLOCKS_FOR_BOOTSTRAP;
pub use scaling::{
    COUNTS_FOR_LAW, CurvePoint, Law, Misfit, Observation, Parameter, Peak, Refusal, ScalingFit, Score, fit_scaling,
};
pub use sequential::{Sequential, first_look};
pub use stops::Stops;
pub use unpaired::permutation_p;
