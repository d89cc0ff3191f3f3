//! Load: when records are to be sent, and what each carries to say so. Pure: plan, producers and readers use the same
//! functions. Knows neither Kafka nor scenarios.

mod arrivals;
mod error;
mod profile;
mod schedule;
mod stamp;

pub use arrivals::IntendedTimes;
pub use error::ScheduleError;
pub use profile::{Profile, Step};
pub use schedule::{Arrivals, Schedule};
pub use stamp::{STAMP_BYTES, Stamp};
