//! Topics by hand: sends lines as records and reads records one by one, as Kafka's console programs do, without a JVM.
//! Reports through callbacks and prints nothing.

mod read;
mod send;
mod settings;

pub use read::{Reading, Record, Start, read};
pub use send::{Delivered, LineError, Pending, Sender, split_key};
