//! From the trials of a run to what they say: estimates, verdicts, the answer. Pure: reads no file, prints nothing,
//! and can reach neither Kafka nor a process.

mod answer;
mod capacity;
pub mod compare;
mod configurations;
mod idle;
mod live;
#[cfg(test)]
mod live_tests;
mod model;
#[cfg(test)]
mod tests;
mod warnings;

use std::borrow::Cow;

use crate::measure::Trial;
use crate::plan::{Next, Plan};
use crate::verdict;

pub use crate::verdict::{Comparison, Metric, Question, Verdict};
pub use model::*;

/// What the stored trials of a plan say, whatever order they come in.
pub fn summarise(plan: &Plan, trials: &[Trial]) -> Summary {
    let number = |trial: &Trial| trial.order.number;
    let mut trials = Cow::Borrowed(trials);
    if !trials.is_sorted_by_key(number) {
        trials.to_mut().sort_by_key(number);
    }
    let session = trials.iter().map(|trial| trial.session).max().unwrap_or(1);
    let complete = matches!(plan.next(&trials, session), Next::Done(_));
    let configurations = configurations::summarise(plan, &trials);
    let comparisons = verdict::compare(&plan.scenario, &trials);
    Summary {
        schema_version: SUMMARY_SCHEMA_VERSION,
        scenario: plan.scenario.name.clone(),
        question: plan.scenario.question.clone(),
        answer: answer::answer(plan, &trials, &configurations, &comparisons),
        warnings: warnings::warnings(plan, &trials, &configurations, complete),
        complete,
        configurations,
        comparisons,
    }
}
