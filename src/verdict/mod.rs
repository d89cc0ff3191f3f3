//! From trials to verdicts: which configurations are compared, their ratios within blocks, and what is concluded. Pure.
//! The plan asks whether everything has been decided, the summary tells it.

mod conclude;
mod figures;
mod model;
mod pairs;

pub use conclude::compare;
pub use figures::{
    catch_up_seconds, fell_behind, is_meaningful, is_tainted, percentile_ms, read_seconds, response_p99_ms, speed,
    split_blocks, stopwatch_seconds,
};
pub use model::{Comparison, Metric, Question, Verdict};
pub use pairs::{log_ratios, paired_trials, pairs, questions};
