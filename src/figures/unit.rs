//! The units of figures.

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unit {
    Records,
    Offsets,
    Members,
    Bytes,
    RecordsPerSecond,
    MibPerSecond,
    Seconds,
    Milliseconds,
    Microseconds,
    SecondsPerMillion,
    Ratio,
}

impl Unit {
    /// As the documentation writes it.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Records => "records",
            Unit::Offsets => "offsets",
            Unit::Members => "members",
            Unit::Bytes => "bytes",
            Unit::RecordsPerSecond => "records/s",
            Unit::MibPerSecond => "MiB/s",
            Unit::Seconds => "s",
            Unit::Milliseconds => "ms",
            Unit::Microseconds => "µs",
            Unit::SecondsPerMillion => "s per million records",
            Unit::Ratio => "ratio",
        }
    }

    /// One nanosecond in this unit. A shorter time is replaced by it before a logarithm is taken.
    pub(super) fn shortest(self) -> Option<f64> {
        match self {
            Unit::Seconds => Some(1e-9),
            Unit::Milliseconds => Some(1e-6),
            _ => None,
        }
    }
}
