//! A schedule: a profile of rates, how records arrive by it, and for how long.

use serde::{Deserialize, Serialize};

use super::error::{HIGHEST_RATE, ScheduleError};
use super::profile::Profile;

/// The longest load: a week.
const LONGEST_NS: u64 = 7 * 24 * 3_600 * 1_000_000_000;

/// How records arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// At even distances; the first at the start.
    Constant,
    /// As a Poisson process, whose gaps are exponential: many independent sources together. Its random numbers are
    /// those of `ChaCha8` with the schedule's seed, a stream for each producer.
    Poisson,
}

impl Arrivals {
    /// Squared coefficient of variation of the gaps at a constant rate.
    pub fn gap_variation(self) -> f64 {
        match self {
            Arrivals::Constant => 0.0,
            Arrivals::Poisson => 1.0,
        }
    }
}

/// When records are to be sent. Every one that exists is valid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Schedule(Parts);

/// A schedule as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Parts {
    arrivals: Arrivals,
    profile: Profile,
    duration_ns: u64,
    seed: u64,
}

impl TryFrom<Parts> for Schedule {
    type Error = ScheduleError;

    fn try_from(parts: Parts) -> Result<Self, ScheduleError> {
        parts.profile.check(HIGHEST_RATE)?;
        if !(1..=LONGEST_NS).contains(&parts.duration_ns) {
            return Err(ScheduleError::Duration(parts.duration_ns));
        }
        Ok(Schedule(parts))
    }
}

impl From<Schedule> for Parts {
    fn from(schedule: Schedule) -> Self {
        schedule.0
    }
}

impl Schedule {
    /// A schedule of all producers together.
    pub fn new(arrivals: Arrivals, profile: Profile, duration_ns: u64, seed: u64) -> Result<Self, ScheduleError> {
        Schedule::try_from(Parts {
            arrivals,
            profile,
            duration_ns,
            seed,
        })
    }

    /// The same with another rate from a moment on, counted from the start. What was due before stays as it was.
    pub fn with_rate_from(&self, from_ns: u64, rate: f64) -> Result<Self, ScheduleError> {
        let profile = self.0.profile.with_rate_from(from_ns, rate)?;
        Schedule::try_from(Parts {
            profile,
            ..self.0.clone()
        })
    }

    /// How records arrive.
    pub fn arrivals(&self) -> Arrivals {
        self.0.arrivals
    }

    /// The rate over time.
    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// From the start to the end.
    pub fn duration_ns(&self) -> u64 {
        self.0.duration_ns
    }

    /// The seed of Poisson arrivals.
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    /// Records that all producers together are to send before a moment, from the start: for constant arrivals to be
    /// rounded up, for Poisson arrivals the mean (and the variance).
    pub fn expected_until(&self, at_ns: u64) -> f64 {
        self.0.profile.records_until(at_ns, self.0.duration_ns)
    }

    /// Records that all producers together are to send; see [`Schedule::expected_until`].
    pub fn expected(&self) -> f64 {
        self.expected_until(self.0.duration_ns)
    }

    /// [`Schedule::expected`] as a count.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of records, which is not negative and fits"
    )]
    pub fn expected_records(&self) -> u64 {
        self.expected().round() as u64
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
