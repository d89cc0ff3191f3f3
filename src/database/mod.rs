//! The databases in which records can end: a private server, and what all clients of one share. Knows nothing of trials.

mod local;

pub use local::{PrivateError, PrivateOptions, PrivatePostgres, Programs};
