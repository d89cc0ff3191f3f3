//! A comparison of runs: what its forms show, in which order.

mod input;
pub(super) mod names;
mod outline;
mod tables;
#[cfg(test)]
pub(super) mod tests;
pub(super) mod verdicts;

pub use self::input::CompareInput;
pub(super) use self::outline::document;
