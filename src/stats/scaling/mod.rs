//! Laws of scaling: how throughput grows with the number of members, fitted to trials.

mod fit;
mod law;
mod misfit;
mod model;
mod solver;

pub use self::fit::fit_scaling;
pub use self::law::{Law, Observation};
pub use self::misfit::Misfit;
pub use self::model::{COUNTS_FOR_LAW, CurvePoint, Parameter, Peak, Refusal, ScalingFit, Score};
