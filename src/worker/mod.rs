//! A worker: a process of consumers, a producer of load, or the observer of a program, that does what the coordinator says on standard input and
//! reports on standard output. Knows the protocol and the client library, and nothing of scenarios' matrices, plans or statistics.

mod client;
mod consumer;
mod consumers;
mod gate;
mod heartbeat;
mod hold;
mod host;
mod idle;
mod leaders;
mod limited;
mod membership;
mod messages;
mod observer;
mod offsets;
mod producer;
mod progress;
mod reader;
mod reported;
mod seconds;
mod series;
mod settings;
mod shared;
mod slot;
mod statistics;
mod threads;

#[cfg(test)]
mod start_tests;

pub use consumers::run_consumer;
pub use host::run_host;
pub use idle::run_idle;
pub use limited::{Limited, run_limited};
pub use observer::run_observer;
pub use producer::run_producer;
pub use reader::{Rehearsal, Stage};
