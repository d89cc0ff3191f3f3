//! From the trials of a run to what they say: estimates, verdicts, the answer. Pure: reads no file, prints nothing,
//! and can reach neither Kafka nor a process.

mod answer;
mod capacity;
mod comparisons;
mod configurations;
mod effects;
mod idle;
mod live;
#[cfg(test)]
mod live_tests;
mod model;
mod scaling;
#[cfg(test)]
mod tests;
mod warnings;

use crate::measure::Trial;
use crate::plan::{Next, Plan};

pub use effects::{EffectsOf, EffectsOutcome, EffectsSummary};
pub use model::*;
pub use scaling::{Along, Fit, Gain, Recommendation, ScalingPoint, ScalingSeries};

/// What the stored trials of a plan say, whatever order they come in.
pub fn summarise(plan: &Plan, trials: &[Trial]) -> Summary {
    let mut trials = trials.to_vec();
    trials.sort_by_key(|trial| trial.order.number);
    let session = trials.iter().map(|trial| trial.session).max().unwrap_or(1);
    let complete = matches!(plan.next(&trials, session), Next::Done(_));
    let configurations = configurations::summarise(plan, &trials);
    let comparisons = comparisons::compare(plan, &trials, &configurations);
    let scaling = scaling::summarise(plan, &trials, &configurations);
    let mut answer = answer::answer(plan, &trials, &configurations, &comparisons);
    answer.extend(scaling::sentences(&scaling));
    Summary {
        schema_version: SUMMARY_SCHEMA_VERSION,
        scenario: plan.scenario.name.clone(),
        question: plan.scenario.question.clone(),
        answer,
        warnings: warnings::warnings(plan, &trials, &configurations, complete),
        complete,
        configurations,
        comparisons,
        scaling,
        effects: effects::summarise(plan, &trials),
    }
}
