//! From trials to verdicts: which configurations are compared, their ratios within blocks, and what is concluded. Pure.
//! The plan uses it to decide whether to continue, and the summary reports it.

mod conclude;
mod figures;
mod looks;
mod model;
mod outlook;
mod pairs;
mod rule;
mod scene;

pub use conclude::compare;
pub use figures::{compared_value, fell_behind, figure, is_tainted, split_blocks};
pub use model::{Comparison, Effect, Method, Metric, Question, Verdict};
pub use outlook::{Outlook, outlook};
pub use pairs::{paired_trials, pairs, questions};
pub use rule::{Rule, first_look};
