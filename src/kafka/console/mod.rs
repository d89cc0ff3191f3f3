//! Sends lines as records and reads records one by one, like Kafka's console programs but without a JVM. Reports through
//! callbacks and prints nothing.

mod read;
mod send;
mod settings;

pub use read::{Reading, Record, Start, read};
pub use send::{Delivered, LineError, Pending, Sender, split_key};
