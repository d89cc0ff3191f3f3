//! The course of a trial: what is to be read, when a partition is at its end, what ends the reading, and what the account
//! is compared with. Each kind of trial implements [`Course`] and keeps its state; the engine knows none of them.

mod backlog;
mod definition;
mod existing;
mod live;

pub use backlog::Backlog;
pub use definition::{Course, Due, Ended, Scene, Turn};
pub use existing::Existing;
pub use live::{Live, LoadSpec};
