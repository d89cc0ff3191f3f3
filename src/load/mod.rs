//! Load: when records are to be sent, and what each carries to say so. Pure, and the same for whoever plans a load,
//! sends it or reads it; knows neither Kafka nor scenarios.

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
