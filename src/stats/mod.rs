//! Statistics on plain numbers. Knows nothing of Kafka, trials or files, and imports nothing of tandem's.

mod estimate;

pub use estimate::{CONFIDENCE, Estimate};
