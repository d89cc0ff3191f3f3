//! From the trials of a run to what they say: estimates, verdicts, the answer. Pure: reads no file, prints nothing,
//! and can reach neither Kafka nor a process.

mod model;

pub use model::*;
