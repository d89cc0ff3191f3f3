//! Scenarios: from the TOML that a user wrote to values that cannot be invalid, or to errors that point into the
//! file. Knows nothing of clusters, processes or trials.

mod model;

pub use model::*;
