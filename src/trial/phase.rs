//! The phases of a trial, in their order.

/// Where a trial is, for the display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Processes are starting.
    Starting,
    /// Members are joining their groups.
    Joining,
    /// Records are being read, as they lie there or arrive.
    Reading,
    /// The load is over and what it sent is being read.
    Draining,
    /// Results are being collected.
    Collecting,
    /// It is over.
    Over,
}
