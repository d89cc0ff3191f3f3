//! From the trials of a run to what they say: estimates, verdicts, the answer. Pure: reads no file, prints nothing,
//! and can reach neither Kafka nor a process.

mod answer;
mod capacity;
mod configurations;
mod idle;
mod live;
#[cfg(test)]
mod live_tests;
mod model;
#[cfg(test)]
mod tests;
mod warnings;

use crate::measure::Trial;
use crate::plan::{Next, Plan};
use crate::verdict;

pub use crate::verdict::{Comparison, Method, Metric, Question, Verdict};
pub use model::*;

/// What the stored trials of a plan say, whatever order they come in.
pub fn summarise(plan: &Plan, trials: &[Trial]) -> Summary {
    let mut trials = trials.to_vec();
    trials.sort_by_key(|trial| trial.order.number);
    let session = trials.iter().map(|trial| trial.session).max().unwrap_or(1);
    let ending = match plan.next(&trials, session) {
        Next::Done(done) => Some(done.ending),
        Next::Trial(_) => None,
    };
    let complete = ending.is_some();
    let configurations = configurations::summarise(plan, &trials);
    let comparisons = verdict::compare(&plan.scenario, &trials);
    Summary {
        schema_version: SUMMARY_SCHEMA_VERSION,
        scenario: plan.scenario.name.clone(),
        question: plan.scenario.question.clone(),
        answer: answer::answer(plan, &trials, &configurations, &comparisons)
            .into_iter()
            .chain(answer::ending(plan, &trials, ending))
            .collect(),
        warnings: warnings::warnings(plan, &trials, &configurations, complete),
        complete,
        ending,
        configurations,
        comparisons,
    }
}
