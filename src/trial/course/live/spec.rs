//! The records that arrive, as the trial was specified.

use std::time::Duration;

use crate::load::Schedule;

/// The records that arrive during a trial.
#[derive(Debug, Clone)]
pub struct LoadSpec {
    /// When all producers together are to send.
    pub schedule: Schedule,
    /// From the common start to the producers' start.
    pub lead: Duration,
    /// From the producers' start to the window of the records that are measured.
    pub warmup: Duration,
    /// One past the last record of the backlog in each partition of each topic.
    pub backlog_ends: Vec<Vec<i64>>,
}

impl LoadSpec {
    /// From the common start to the end of the load.
    pub fn length(&self) -> Duration {
        self.lead + Duration::from_nanos(self.schedule.duration_ns())
    }

    /// True where there is something to read before anything arrives.
    pub fn has_backlog(&self) -> bool {
        self.backlog_ends.iter().flatten().any(|end| *end > 0)
    }
}
