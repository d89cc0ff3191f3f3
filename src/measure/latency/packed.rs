//! A histogram that stays in its stored form, for many of them at once.

use serde::{Deserialize, Serialize};

use super::recorder::{LatencyRecorder, unpack};
use super::saved::{SavedLatency, SavedLatencyError};

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
