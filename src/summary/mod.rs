//! From the trials of a run to what they say: estimates, verdicts, the answer. Pure: reads no file, prints nothing,
//! and can reach neither Kafka nor a process.

mod answer;
mod bottleneck;
mod capacity;
mod changes;
mod checked;
pub mod compare;
pub mod condition;
mod configurations;
mod effects;
mod idle;
mod limits;
mod live;
mod live_model;
#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod metric_tests;
mod model;
mod numbers;
mod quality;
#[cfg(test)]
mod question_tests;
mod requirements;
mod scaling;
#[cfg(test)]
mod tests;
mod time;
mod undecided;
mod warnings;

use std::borrow::Cow;

use crate::measure::{SessionTimes, Trial};
use crate::plan::{Next, Plan};
use crate::verdict;

pub use crate::verdict::{Comparison, Effect, Method, Metric, Question, Verdict};
pub use bottleneck::{Bottleneck, BottleneckKind, SessionShares, StoreSummary, WaitShare};
pub use changes::{ActSummary, ChangesSummary, DisturbedSummary, LateSummary, PartSetting, PartSummary};
pub(crate) use changes::{act_in_words, gap_parts, part_in_words};
pub use checked::{CheckedRequirement, Met};
pub use effects::{EffectsOf, EffectsOutcome, EffectsSummary};
pub use live_model::{AroundCatchUp, CapacitySummary, LiveSummary, ResponseSummary};
pub use model::{ConfigurationSummary, SUMMARY_SCHEMA_VERSION, Summary};
pub use quality::{RunDrift, RunQuality, RunSerial};
pub use scaling::{Along, Fit, Gain, Recommendation, ScalingPoint, ScalingSeries};
pub use time::{Part, TimeAccount, TimePart, TrialPhase};
pub use undecided::Undecided;

/// What the stored trials of a plan say, whatever order they come in.
pub fn summarise(plan: &Plan, trials: &[Trial]) -> Summary {
    let number = |trial: &Trial| trial.order.number;
    let mut trials = Cow::Borrowed(trials);
    if !trials.is_sorted_by_key(number) {
        trials.to_mut().sort_by_key(number);
    }
    let session = trials.iter().map(|trial| trial.session).max().unwrap_or(1);
    let ending = match plan.next(&trials, session) {
        Next::Done(done) => Some(done.ending),
        Next::Trial(_) => None,
    };
    let complete = ending.is_some();
    let configurations = configurations::summarise(plan, &trials);
    let comparisons = verdict::compare(&plan.scenario, &trials);
    let quality = quality::quality(plan, &trials);
    let own = |c: &&Comparison| c.question == Question::Scenario && c.metric.is_inferential(&plan.scenario);
    let undecided = |c: &Comparison| c.verdict == Verdict::Undecided;
    let mut warnings = warnings::warnings(plan, &trials, &configurations, &quality, complete);
    warnings.extend(quality::warnings(
        &quality,
        plan.scenario.threshold,
        comparisons.iter().filter(own).any(undecided),
    ));
    let scaling = scaling::summarise(plan, &trials, &configurations);
    let mut answer: Vec<String> = answer::broker_changes(&trials).into_iter().collect();
    answer.extend(answer::answer(plan, &trials, &configurations, &comparisons, &scaling));
    answer.extend(limits::sentence(&trials));
    answer.extend(answer::ending(plan, &trials, ending, &scaling));
    let requirements = requirements::check(plan, &trials, &configurations);
    Summary {
        schema_version: SUMMARY_SCHEMA_VERSION,
        scenario: plan.scenario.name.clone(),
        question: plan.scenario.question.clone(),
        answer,
        warnings,
        complete,
        ending,
        quality,
        configurations,
        comparisons,
        requirements,
        scaling,
        effects: effects::summarise(plan, &trials),
        time: None,
    }
}

impl Summary {
    /// The summary with the account of the run's time.
    #[must_use]
    pub fn with_times(self, sessions: &[SessionTimes], trials: &[Trial]) -> Self {
        Summary {
            time: time::account(sessions, trials),
            ..self
        }
    }
}
