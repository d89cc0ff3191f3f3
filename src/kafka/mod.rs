//! Kafka: brokers run here, client settings, topics and groups. Knows nothing of plans, trials or workers.

pub mod admin;
mod bytes;
pub mod client;
pub mod console;
pub mod doctor;
mod ffi;
pub mod local;
pub mod words;

pub use admin::settings_cause;
pub use ffi::{TextProducer, TextRecord};
