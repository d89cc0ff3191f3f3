//! How a histogram travels and is stored: the compressed form that all HDR histogram libraries read, as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

use super::{DIGITS, HIGHEST_NS, LatencyRecorder, empty_histogram};

/// A [`LatencyRecorder`] in its stored form.
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

/// A histogram that is kept in its stored form: about a kilobyte where a recorder takes a hundred. For many of them,
/// such as one for each second of a trial.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "SavedLatency", into = "SavedLatency")]
pub struct PackedLatency(SavedLatency);

/// Equal recordings may be packed differently, by how far their histograms had grown.
impl PartialEq for PackedLatency {
    fn eq(&self, other: &Self) -> bool {
        // Counted into new ones, both have grown as far as they must.
        let counted = |packed: &PackedLatency| {
            let mut recorder = LatencyRecorder::default();
            recorder.merge(&packed.unpack());
            recorder
        };
        counted(self) == counted(other)
    }
}

impl PackedLatency {
    /// The histogram, to be read or added to.
    pub fn unpack(&self) -> LatencyRecorder {
        // Whatever is packed was a recorder, or was read as one.
        unpack(&self.0).unwrap_or_default()
    }

    /// Adds what a recorder has recorded.
    pub fn merge(&mut self, other: &LatencyRecorder) {
        let mut recorder = self.unpack();
        recorder.merge(other);
        *self = recorder.into();
    }
}

impl From<LatencyRecorder> for PackedLatency {
    fn from(recorder: LatencyRecorder) -> Self {
        PackedLatency(recorder.into())
    }
}

impl TryFrom<SavedLatency> for PackedLatency {
    type Error = SavedLatencyError;

    fn try_from(saved: SavedLatency) -> Result<Self, SavedLatencyError> {
        unpack(&saved).map(|_| PackedLatency(saved))
    }
}

impl From<PackedLatency> for SavedLatency {
    fn from(packed: PackedLatency) -> Self {
        packed.0
    }
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
fn unpack(saved: &SavedLatency) -> Result<LatencyRecorder, SavedLatencyError> {
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
