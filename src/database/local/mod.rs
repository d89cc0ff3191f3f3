//! A PostgreSQL of a run's own, from the package of this machine: found, initialised, started, and gone afterwards.
//! Everything blocks: async callers run it on a thread that may.

mod error;
mod place;
mod postgres;
mod programs;

pub use error::PrivateError;
pub use postgres::{PrivateOptions, PrivatePostgres};
pub use programs::Programs;
