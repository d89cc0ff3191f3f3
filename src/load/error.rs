//! Why a load cannot be planned.

use thiserror::Error;

/// The highest rate that can be planned, in records per second: one every nanosecond.
pub(super) const HIGHEST_RATE: f64 = 1e9;
/// Why a load cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScheduleError {
    /// A rate that is no rate.
    #[error("a rate of {0} records per second: it must be from 0 to {HIGHEST_RATE}")]
    Rate(String),
    /// Steps that do not follow one another.
    #[error("the first step of a profile must begin at 0, and each after the one before it")]
    Steps,
    /// A rate that changes at a moment, in a profile whose rate changes all the time.
    #[error("the rate can be changed in a load with a constant rate or with steps, not in a ramp or in bursts")]
    Changed,
    /// Bursts that run into one another.
    #[error("a burst must be longer than 0 and not longer than the time from one to the next, which is 1 ms or more")]
    Bursts,
    /// The duration is zero or longer than a week.
    #[error("a load of {0} ns: it must last from 1 ns to a week")]
    Duration(u64),
    /// A producer that is not one of them.
    #[error(
        "producer {index} of {producers}: the index must be below the number of producers, which is at most 65,536"
    )]
    Producer {
        /// Its index.
        index: u32,
        /// Number of producers.
        producers: u32,
    },
}
