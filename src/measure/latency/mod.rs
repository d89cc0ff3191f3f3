//! How long records waited, in five parts: histograms of nanoseconds that are merged and never averaged. What a
//! histogram cannot hold is counted beside it and shows in every figure made of it.

mod compact;
mod log;
mod percentiles;
mod saved;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

pub use compact::CompactLatencies;
pub use log::{LogInterval, write_interval_log};
pub use percentiles::{PercentileRow, percentile_rows, write_percentiles};
pub use saved::{PackedLatency, SavedLatency, SavedLatencyError};

/// The longest latency that a histogram holds, in nanoseconds: 10 minutes. Anything longer is counted as overflow.
pub const HIGHEST_NS: u64 = 600_000_000_000;
/// A percentile is given only where at least so many samples lie beyond it.
pub const SAMPLES_BEYOND: u64 = 10;
/// Significant decimal digits of every recorded value.
const DIGITS: u8 = 3;

/// The five parts of a record's latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatencyPart {
    /// Intended to sent: the producer was late.
    ProducerDelay,
    /// Sent to received: from one client to the other.
    Transit,
    /// Received to started: what was read before it came first.
    Queued,
    /// Started to finished.
    Work,
    /// Intended to finished: all of it.
    Response,
}

impl LatencyPart {
    /// All parts, in the order of a record's way.
    pub const ALL: [LatencyPart; 5] = [
        LatencyPart::ProducerDelay,
        LatencyPart::Transit,
        LatencyPart::Queued,
        LatencyPart::Work,
        LatencyPart::Response,
    ];

    /// Its name in files and columns.
    pub fn name(self) -> &'static str {
        match self {
            LatencyPart::ProducerDelay => "producer_delay",
            LatencyPart::Transit => "transit",
            LatencyPart::Queued => "queued",
            LatencyPart::Work => "work",
            LatencyPart::Response => "response",
        }
    }
}

/// The five moments of a record's way, all of one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordTimes {
    /// When the schedule wanted it to be sent.
    pub intended_ns: u64,
    /// When the producer gave it to its client.
    pub sent_ns: u64,
    /// When the consumer's client handed it over.
    pub received_ns: u64,
    /// When its work began.
    pub started_ns: u64,
    /// When its work was done.
    pub finished_ns: u64,
}

/// A histogram of latencies: three significant digits for anything up to 10 minutes, and its memory grows with the
/// longest value (to 254 KiB at most), not with their number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedLatency", into = "SavedLatency")]
pub struct LatencyRecorder {
    histogram: Histogram<u64>,
    /// Sum of what the histogram holds, exact.
    sum_ns: u128,
    negative: u64,
    overflow: u64,
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

/// A histogram with the precision of all others. A unit of 1 ns gives even the shortest latencies three digits.
#[allow(clippy::expect_used, reason = "only more than five digits are refused")]
fn empty_histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("a histogram of three digits")
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
    fn rank(&self, share: f64) -> u64 {
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

/// The latencies of a set of records in their five parts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Latencies {
    /// Intended to sent.
    pub producer_delay: LatencyRecorder,
    /// Sent to received.
    pub transit: LatencyRecorder,
    /// Received to started.
    pub queued: LatencyRecorder,
    /// Started to finished.
    pub work: LatencyRecorder,
    /// Intended to finished.
    pub response: LatencyRecorder,
}

impl Latencies {
    /// Records one record's way.
    #[inline]
    pub fn record(&mut self, times: &RecordTimes) {
        self.producer_delay.record(times.intended_ns, times.sent_ns);
        self.transit.record(times.sent_ns, times.received_ns);
        self.queued.record(times.received_ns, times.started_ns);
        self.work.record(times.started_ns, times.finished_ns);
        self.response.record(times.intended_ns, times.finished_ns);
    }

    /// One part.
    pub fn part(&self, part: LatencyPart) -> &LatencyRecorder {
        match part {
            LatencyPart::ProducerDelay => &self.producer_delay,
            LatencyPart::Transit => &self.transit,
            LatencyPart::Queued => &self.queued,
            LatencyPart::Work => &self.work,
            LatencyPart::Response => &self.response,
        }
    }

    /// All of several sets together; `None` of none.
    pub fn merged<'a>(sets: impl IntoIterator<Item = &'a Latencies>) -> Option<Latencies> {
        let mut sets = sets.into_iter();
        let mut merged = sets.next()?.clone();
        sets.for_each(|set| merged.merge(set));
        Some(merged)
    }

    /// Adds the records of another set.
    pub fn merge(&mut self, other: &Latencies) {
        self.producer_delay.merge(&other.producer_delay);
        self.transit.merge(&other.transit);
        self.queued.merge(&other.queued);
        self.work.merge(&other.work);
        self.response.merge(&other.response);
    }
}

#[cfg(test)]
mod tests;
