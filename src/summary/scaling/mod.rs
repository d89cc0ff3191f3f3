//! How throughput grows with the number of consumers, processes or threads: series of configurations that differ in
//! nothing else, the law that fits them, and how many are worth having.

mod model;
mod recommendation;
mod series;
mod step;
mod summarise;
#[cfg(test)]
mod tests;
mod words;

pub use self::model::{Along, Fit, Gain, Recommendation, ScalingPoint, ScalingSeries};
pub(super) use self::summarise::summarise;
pub(crate) use self::words::sentences;
