//! How long records waited, in five parts: histograms of nanoseconds that are merged and never averaged. What a
//! histogram cannot hold is counted beside it and shows in every figure made of it.

mod compact;
mod log;
mod packed;
mod parts;
mod percentiles;
mod recorder;
mod saved;
#[cfg(test)]
mod tests;

pub use compact::CompactLatencies;
pub use log::{LogInterval, write_interval_log};
pub use packed::PackedLatency;
pub use parts::{Latencies, LatencyPart, RecordTimes};
pub use percentiles::{PercentileRow, percentile_rows, write_percentiles};
pub use recorder::{LatencyRecorder, SAMPLES_BEYOND, variation};
pub use saved::{HIGHEST_NS, SavedLatency, SavedLatencyError};
