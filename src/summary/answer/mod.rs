//! The answer in sentences, conclusion first, made from the names that the user gave. Comparisons become statements
//! ([`clause`]), statements of one metric a conclusion ([`compared`]); the words of a metric stand in [`terms`].

mod alone;
mod brokers;
mod capacity;
mod changes;
mod clause;
mod compared;
mod ending;
mod enough;
mod facts;
mod list;
mod load;
mod names;
mod reasons;
mod terms;
#[cfg(test)]
mod tests;

pub(super) use brokers::broker_changes;
pub(super) use ending::ending;
pub(super) use facts::at_most_three;
pub(super) use terms::Terms;

use self::clause::Clause;
use self::compared::Compared;
use self::facts::{Facts, distinct, fits};
use self::names::Names;
use super::model::ConfigurationSummary;
use super::scaling::ScalingSeries;
use crate::measure::Trial;
use crate::plan::Plan;
use crate::verdict::{Comparison, Metric, Question};

/// The conclusion, and what must be said beside it.
pub(super) fn answer(
    plan: &Plan,
    trials: &[Trial],
    summaries: &[ConfigurationSummary],
    comparisons: &[Comparison],
    scaling: &[ScalingSeries],
) -> Vec<String> {
    let facts = Facts {
        names: Names {
            scenario: &plan.scenario,
            summaries,
        },
        trials,
        comparisons: comparisons
            .iter()
            .filter(|c| c.question == Question::Scenario)
            .collect(),
        all: comparisons,
    };
    if let Some(wanted) = &plan.scenario.capacity {
        let mut sentences = facts.about_capacity(wanted);
        sentences.extend(facts.alone());
        return sentences;
    }
    if summaries.iter().all(|summary| summary.trials_used == 0) {
        return vec!["No answer: no trial can be used.".to_owned()];
    }
    let metrics = Metric::all(&plan.scenario).into_iter();
    let metrics = metrics.filter(|metric| metric.is_inferential(&plan.scenario));
    let mut sentences: Vec<String> = enough::enough(plan, summaries).into_iter().collect();
    let compared = metrics.flat_map(|metric| compared(&facts, metric, scaling).sentences());
    let compared = compared.chain(facts.about_sizes());
    let worth_having = super::scaling::sentences(scaling, fits);
    // Where numbers alone differ, how many are worth having is the conclusion.
    if facts
        .comparisons
        .iter()
        .all(|c| is_along_series(c, scaling) || c.metric == Metric::STOPWATCH)
    {
        sentences.extend(worth_having.into_iter().chain(compared));
    } else {
        sentences.extend(compared.chain(worth_having));
    }
    sentences.extend(facts.about_changes());
    sentences.extend(facts.about_load());
    sentences.extend(facts.alone());
    sentences
}

/// The comparisons by a metric. Where all are of counts along several series, those say how many are worth having.
fn compared<'a>(facts: &'a Facts<'a>, metric: Metric, scaling: &[ScalingSeries]) -> Compared<'a> {
    let is_shown = |c: &&&Comparison| c.metric == metric && facts.has_figures(c);
    let mut answering: Vec<&Comparison> = facts.comparisons.iter().filter(is_shown).copied().collect();
    let several = scaling.iter().filter(|series| series.is_reported()).count() > 1;
    if several && answering.iter().all(|c| is_along_series(c, scaling)) {
        answering.clear();
    }
    let baselines = distinct(answering.iter().map(|c| c.baseline));
    let group = |baseline: &usize| -> Vec<Clause<'a>> {
        let own: Vec<&Comparison> = answering.iter().filter(|c| c.baseline == *baseline).copied().collect();
        facts.clauses(&own)
    };
    Compared {
        facts,
        metric,
        groups: baselines.iter().map(group).collect(),
    }
}

/// Whether a series says how many are worth having of what these two differ in.
fn is_along_series(comparison: &Comparison, scaling: &[ScalingSeries]) -> bool {
    let holds = |series: &ScalingSeries, index| series.points.iter().any(|point| point.configuration == index);
    let mut reported = scaling.iter().filter(|series| series.is_reported());
    comparison.metric == Metric::READ_TIME
        && reported.any(|series| holds(series, comparison.baseline) && holds(series, comparison.configuration))
}
