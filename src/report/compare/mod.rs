//! A comparison of runs: what its forms show, in which order.

mod input;
mod names;
mod outline;
mod tables;
#[cfg(test)]
mod tests;
mod verdicts;

pub use self::input::CompareInput;
pub(super) use self::names::{figure_text, full_label, label, measure_title};
pub(super) use self::outline::{page, terminal, without_charts};
pub(super) use self::verdicts::conclusion;
