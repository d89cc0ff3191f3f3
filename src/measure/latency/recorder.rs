//! A histogram of latencies that grows with its longest value, and what it cannot hold beside it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

use super::saved::{DIGITS, HIGHEST_NS, SavedLatency, SavedLatencyError, empty_histogram};

/// A percentile is given only where at least so many samples lie beyond it.
pub const SAMPLES_BEYOND: u64 = 10;

/// A histogram of latencies: three significant digits for anything up to 10 minutes, and its memory grows with the
/// longest value (to 254 KiB at most), not with their number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedLatency", into = "SavedLatency")]
pub struct LatencyRecorder {
    pub(super) histogram: Histogram<u64>,
    /// Sum of what the histogram holds, exact.
    pub(super) sum_ns: u128,
    pub(super) negative: u64,
    pub(super) overflow: u64,
}

impl Default for LatencyRecorder {
    fn default() -> Self {
        LatencyRecorder {
            histogram: empty_histogram(),
            sum_ns: 0,
            negative: 0,
            overflow: 0,
        }
    }
}

impl LatencyRecorder {
    /// Records the time between two moments; one that ends before it began is counted as negative.
    #[inline]
    pub fn record(&mut self, from_ns: u64, to_ns: u64) {
        match to_ns.checked_sub(from_ns) {
            Some(latency_ns) => self.record_ns(latency_ns),
            None => self.negative += 1,
        }
    }

    /// Records a latency.
    #[inline]
    pub fn record_ns(&mut self, latency_ns: u64) {
        // The histogram itself refuses nothing below its limit; were it to, the record would not go uncounted.
        if latency_ns > HIGHEST_NS || self.histogram.record(latency_ns).is_err() {
            self.overflow += 1;
        } else {
            self.sum_ns += u128::from(latency_ns);
        }
    }

    /// Adds what another recorder has recorded, as if all had been recorded here.
    pub fn merge(&mut self, other: &LatencyRecorder) {
        // Both have the same unit and this one grows, so nothing can be refused; were it to, it is still counted.
        if self.histogram.add(&other.histogram).is_ok() {
            self.sum_ns += other.sum_ns;
        } else {
            self.overflow += other.histogram.len();
        }
        self.negative += other.negative;
        self.overflow += other.overflow;
    }

    /// Records counted, negative and overflowing ones included.
    pub fn count(&self) -> u64 {
        self.histogram.len() + self.negative + self.overflow
    }

    /// Latencies below zero: a clock went back, or a stamp is wrong.
    pub fn negative(&self) -> u64 {
        self.negative
    }

    /// Latencies above [`HIGHEST_NS`].
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Mean of the latencies from zero to [`HIGHEST_NS`], exact and not by buckets; `None` without any.
    pub fn mean_ns(&self) -> Option<f64> {
        (!self.histogram.is_empty()).then(|| self.sum_ns as f64 / self.histogram.len() as f64)
    }

    /// The longest latency to three digits; [`HIGHEST_NS`] stands for anything longer. `None` without records.
    pub fn max_ns(&self) -> Option<u64> {
        if self.overflow > 0 {
            return Some(HIGHEST_NS);
        }
        (self.count() > 0).then(|| self.histogram.max().min(HIGHEST_NS))
    }

    /// Records that took longer than this, to three digits.
    pub fn beyond(&self, limit_ns: u64) -> u64 {
        self.overflow + self.histogram.count_between(limit_ns.saturating_add(1), u64::MAX)
    }

    /// The latency that this share of records does not exceed (0.99 for p99), to three digits; `None` where fewer
    /// than [`SAMPLES_BEYOND`] records lie beyond it. Negative latencies count as 0, longer ones as [`HIGHEST_NS`].
    pub fn percentile_ns(&self, share: f64) -> Option<u64> {
        let rank = self.rank(share);
        (self.count().saturating_sub(rank) >= SAMPLES_BEYOND).then(|| self.value_at_rank(rank))
    }

    /// The number of records at or below a share of all, at least 1.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count is within the count"
    )]
    pub(super) fn rank(&self, share: f64) -> u64 {
        // Without the tenth of a thousandth, 0.999 of 10,000 would be 9,990.000000000001 and round up to 9,991.
        let rank = (share.clamp(0.0, 1.0) * self.count() as f64 - 1e-4).ceil();
        (rank as u64).max(1)
    }

    /// The latency of the record of this rank, from 1 for the shortest.
    fn value_at_rank(&self, rank: u64) -> u64 {
        let held = self.histogram.len();
        match rank.checked_sub(self.negative) {
            None | Some(0) => 0,
            Some(rank) if rank > held => HIGHEST_NS,
            // In the middle of the rank's share, where no rounding reaches its neighbours'.
            Some(rank) => self
                .histogram
                .value_at_quantile((rank as f64 - 0.5) / held as f64)
                .min(HIGHEST_NS),
        }
    }
}

/// The squared coefficient of variation of all that these recorders hold; `None` where they hold nothing longer than 0.
pub fn variation<'a>(recorders: impl IntoIterator<Item = &'a LatencyRecorder>) -> Option<f64> {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for recorder in recorders {
        let (held, mean) = (recorder.histogram.len() as f64, recorder.mean_ns().unwrap_or(0.0));
        let deviation = recorder.histogram.stdev();
        count += held;
        sum += held * mean;
        squares += held * (deviation * deviation + mean * mean);
    }
    (sum > 0.0).then(|| (squares * count / (sum * sum) - 1.0).max(0.0))
}

impl From<LatencyRecorder> for SavedLatency {
    fn from(recorder: LatencyRecorder) -> Self {
        let mut bytes = Vec::new();
        // Writing to memory cannot fail, and no histogram of ours is too large for the format. An empty text would
        // be refused by the reader, so that nothing could be lost in silence.
        let written = V2DeflateSerializer::new().serialize(&recorder.histogram, &mut bytes);
        SavedLatency {
            histogram: written.map(|_| STANDARD.encode(&bytes)).unwrap_or_default(),
            sum_ns: recorder.sum_ns as f64,
            negative: recorder.negative,
            overflow: recorder.overflow,
        }
    }
}

impl TryFrom<SavedLatency> for LatencyRecorder {
    type Error = SavedLatencyError;

    fn try_from(saved: SavedLatency) -> Result<Self, SavedLatencyError> {
        unpack(&saved)
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be finite and not negative"
)]
pub(super) fn unpack(saved: &SavedLatency) -> Result<LatencyRecorder, SavedLatencyError> {
    let unreadable = |error: &dyn std::fmt::Display| SavedLatencyError::Unreadable(error.to_string());
    let bytes = STANDARD.decode(&saved.histogram).map_err(|error| unreadable(&error))?;
    let mut read: Histogram<u64> = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| unreadable(&error))?;
    if read.sigfig() < DIGITS {
        return Err(SavedLatencyError::Coarse(read.sigfig()));
    }
    if read.lowest_equivalent(read.max()) > HIGHEST_NS {
        return Err(SavedLatencyError::TooLong(read.max()));
    }
    if !saved.sum_ns.is_finite() || saved.sum_ns < 0.0 {
        return Err(SavedLatencyError::Sum(saved.sum_ns.to_string()));
    }
    // One of our own make may grow as it is; another is counted again into one that may.
    let own = empty_histogram();
    let histogram = if (read.low(), read.sigfig()) == (own.low(), own.sigfig()) {
        read.auto(true);
        read
    } else {
        let mut histogram = own;
        histogram.add(&read).map_err(|error| unreadable(&error))?;
        histogram
    };
    Ok(LatencyRecorder {
        histogram,
        sum_ns: saved.sum_ns as u128,
        negative: saved.negative,
        overflow: saved.overflow,
    })
}
