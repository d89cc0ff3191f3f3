//! The records that arrive, as the trial was specified.

use std::time::Duration;

use crate::load::{Schedule, ScheduleError};
use crate::measure::Act;
use crate::trial::script::{Script, When};

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
    /// The producer beside each process of a group, in turn, whose records alone are measured there; empty where all
    /// records are.
    pub beside: Vec<u32>,
}

impl LoadSpec {
    /// With the rates that a script plans: every record has its time beforehand, whatever comes of the acts.
    pub fn with_rates(mut self, script: &Script) -> Result<Self, ScheduleError> {
        let rates = script.steps.iter().filter_map(|step| match (step.act, step.when) {
            (Act::SetRate(rate), When::At(after_start)) => Some((after_start.saturating_sub(self.lead), rate)),
            _ => None,
        });
        let mut rates: Vec<(Duration, u64)> = rates.collect();
        rates.sort_unstable();
        for (from, rate) in rates {
            let from_ns = u64::try_from(from.as_nanos()).unwrap_or(u64::MAX);
            self.schedule = self.schedule.with_rate_from(from_ns, rate as f64)?;
        }
        Ok(self)
    }

    /// From the common start to the end of the load.
    pub fn length(&self) -> Duration {
        self.lead + Duration::from_nanos(self.schedule.duration_ns())
    }

    /// True where there is something to read before anything arrives.
    pub fn has_backlog(&self) -> bool {
        self.backlog_ends.iter().flatten().any(|end| *end > 0)
    }
}
