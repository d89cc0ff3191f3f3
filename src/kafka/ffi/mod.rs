//! Calls of the client library that rdkafka has no safe wrapper for: describing a consumer group with its target
//! assignment, the ends of partitions, what a user may do, the lines that wait in a client's main queue, and producing
//! from a shared text. The only unsafe code of this module.
#![allow(unsafe_code, reason = "bindings to librdkafka; every block states its invariant")]

mod groups;
mod handles;
mod offsets;
mod operations;
mod produce;

pub(super) use groups::describe_group;
pub(super) use handles::{NO_LIMIT, waiting_messages};
pub(super) use offsets::offsets;
pub(super) use operations::{cluster_operations, topic_operations};
pub use produce::{TextProducer, TextRecord};
