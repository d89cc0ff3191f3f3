//! The catalogue of figures: the name and meaning of each, its value in a trial, and its value over the trials of a
//! configuration. Columns, their documentation, tables and estimates are made from it. Pure.

mod catalogue;
mod comparing;
mod latencies;
mod over;
mod statistic;
mod take;
mod trial;
mod unit;

pub use catalogue::{FIGURES, Figure, FigureId, RESPONSE_P99, Trials};
pub use comparing::{Better, By, Comparing, Had};
pub use over::{ConfigurationFigures, Figures, Value, with_interval};
pub use statistic::Statistic;
pub use take::{catch_up_seconds, is_meaningful, percentile_ms, read_seconds, stopwatch_seconds};
pub use trial::{TrialFigures, comparable};
pub use unit::Unit;

#[cfg(test)]
mod tests;
