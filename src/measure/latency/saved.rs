//! A histogram as it is stored and sent: the compressed form that all HDR histogram libraries read, as text.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The longest latency that a histogram holds, in nanoseconds: 10 minutes. Anything longer is counted as overflow.
pub const HIGHEST_NS: u64 = 600_000_000_000;
/// Significant decimal digits of every recorded value.
pub(super) const DIGITS: u8 = 3;

/// A histogram with the precision of all others. A unit of 1 ns gives even the shortest latencies three digits.
#[allow(clippy::expect_used, reason = "only more than five digits are refused")]
pub(super) fn empty_histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("a histogram of three digits")
}

/// A [`super::LatencyRecorder`] in its stored form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedLatency {
    /// The histogram in HDR's V2 format, deflated, in base64; nanoseconds.
    pub histogram: String,
    /// Sum of the latencies in it, in nanoseconds.
    pub sum_ns: f64,
    /// Latencies below zero.
    #[serde(default)]
    pub negative: u64,
    /// Latencies above 10 minutes.
    #[serde(default)]
    pub overflow: u64,
}

/// A stored histogram that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedLatencyError {
    /// It cannot be read.
    #[error("a latency histogram is not in HDR's V2 format, deflated, in base64: {0}")]
    Unreadable(String),
    /// It is less precise than its figures claim.
    #[error("a latency histogram has {0} significant digits; {DIGITS} are needed")]
    Coarse(u8),
    /// It holds what should have been counted as overflow.
    #[error("a latency histogram holds {0} ns; latencies above {HIGHEST_NS} ns belong in `overflow`")]
    TooLong(u64),
    /// The sum of its latencies is no sum.
    #[error("the sum of a histogram's latencies is {0}; it must be a number from 0")]
    Sum(String),
}
