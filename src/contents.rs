//! What records hold: the keys and values of data sets and of live load. Knows neither Kafka nor trials.

mod bytes;
mod source;

pub use bytes::{compressible, text};
pub use source::{Cut, RecordSource};
