//! A schedule: a profile of rates, how records arrive by it, and for how long.

use serde::{Deserialize, Serialize};

use super::IntendedTimes;
use super::profile::Profile;

/// The highest rate that can be planned, in records per second: one every nanosecond.
const HIGHEST_RATE: f64 = 1e9;
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

/// A schedule that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A rate that is no rate.
    #[error("a rate of {0} records per second: it must be from 0 to {HIGHEST_RATE}")]
    Rate(String),
    /// Steps that do not follow one another.
    #[error("the first step of a profile must begin at 0, and each after the one before it")]
    Steps,
    /// Bursts that run into one another.
    #[error("a burst must be longer than 0 and not longer than the time from one to the next, which is 1 ms or more")]
    Bursts,
    /// No time, or too much.
    #[error("a load of {0} ns: it must last from 1 ns to a week")]
    Duration(u64),
    /// A producer that is not one of them.
    #[error("producer {index} of {producers}: it must be one of 0 to one below their number, and 65,536 are the most")]
    Producer {
        /// Its index.
        index: u32,
        /// Number of producers.
        producers: u32,
    },
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

    /// The times at which one of `producers` is to send, in nanoseconds from the start. Constant arrivals are dealt in
    /// turn; a Poisson process is the sum of independent ones, each with its share of the rate.
    pub fn times_of(&self, index: u32, producers: u32) -> Result<IntendedTimes<'_>, ScheduleError> {
        if index >= producers || producers > 1 << 16 {
            return Err(ScheduleError::Producer { index, producers });
        }
        Ok(IntendedTimes::new(self, index, producers))
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
