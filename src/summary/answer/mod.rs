//! The answer in sentences, conclusion first, made from the names that the user gave. Comparisons become statements
//! ([`clause`]), statements of one metric a conclusion ([`compared`]); the words of a metric stand in [`terms`].

mod alone;
mod brokers;
mod capacity;
mod clause;
mod compared;
mod ending;
mod enough;
mod load;
mod names;
mod terms;
#[cfg(test)]
mod tests;

pub(super) use brokers::broker_changes;
pub(super) use ending::ending;

use self::clause::Clause;
use self::compared::Compared;
use self::names::Names;
use super::model::ConfigurationSummary;
use super::scaling::ScalingSeries;
use super::undecided::Undecided;
use crate::measure::Trial;
use crate::plan::Plan;
use crate::verdict::{Comparison, Metric, Question};

/// Longer sentences are not read. What does not fit is counted, and stands in the table.
pub(crate) const WORDS_MAX: usize = 30;

pub(super) fn fits(sentence: &str) -> bool {
    sentence.split_whitespace().count() <= WORDS_MAX
}

/// What the sentences are made from.
pub(super) struct Facts<'a> {
    names: Names<'a>,
    trials: &'a [Trial],
    /// Those of the scenario's own question.
    comparisons: Vec<&'a Comparison>,
    all: &'a [Comparison],
}

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
    let compared = metrics.flat_map(|metric| facts.compared(metric, scaling).sentences());
    let compared = compared.chain(facts.about_sizes());
    let worth_having = super::scaling::sentences(scaling, fits);
    // Where numbers alone differ, how many are worth having is the conclusion.
    if facts.comparisons.iter().all(|c| is_along_series(c, scaling) || c.metric == Metric::STOPWATCH) {
        sentences.extend(worth_having.into_iter().chain(compared));
    } else {
        sentences.extend(compared.chain(worth_having));
    }
    sentences.extend(facts.about_load());
    sentences.extend(facts.alone());
    sentences
}

impl<'a> Facts<'a> {
    fn why(&self, comparison: &Comparison) -> Option<Undecided> {
        Undecided::of(self.names.scenario, self.trials, self.all, comparison)
    }

    /// The comparisons by a metric. Where all are of counts along several series, those say how many are worth having.
    fn compared(&'a self, metric: Metric, scaling: &[ScalingSeries]) -> Compared<'a> {
        let is_shown = |c: &&&Comparison| c.metric == metric && self.has_figures(c);
        let mut shown: Vec<&Comparison> = self.comparisons.iter().filter(is_shown).copied().collect();
        let several = scaling.iter().filter(|series| series.is_reported()).count() > 1;
        if several && shown.iter().all(|c| is_along_series(c, scaling)) {
            shown.clear();
        }
        let baselines = distinct(shown.iter().map(|c| c.baseline));
        let group = |baseline: &usize| -> Vec<Clause<'a>> {
            let own: Vec<&Comparison> = shown.iter().filter(|c| c.baseline == *baseline).copied().collect();
            self.clauses(&own)
        };
        Compared {
            facts: self,
            metric,
            groups: baselines.iter().map(group).collect(),
        }
    }

    /// What one baseline is compared with.
    fn clauses(&'a self, comparisons: &[&'a Comparison]) -> Vec<Clause<'a>> {
        let all: Vec<usize> = comparisons.iter().flat_map(|c| [c.baseline, c.configuration]).collect();
        let common = self.names.common(&all);
        let context = self.names.context(&all, &common);
        let clause = |comparison: &&'a Comparison| Clause {
            context: context.clone(),
            subject: self.names.label(comparison.configuration, &common),
            base: self.names.label(comparison.baseline, &common),
            comparison,
            why: self.why(comparison),
            stopwatch: self.stopwatch(comparison),
        };
        comparisons.iter().map(clause).collect()
    }

    /// What to say where records of different sizes are compared by the time in which they are read.
    fn about_sizes(&self) -> Option<String> {
        let size = |c: usize| &self.names.scenario.datasets[self.names.configuration(c).dataset].size;
        let mut measured = self
            .comparisons
            .iter()
            .filter(|c| c.metric == Metric::READ_TIME && c.effect.is_some());
        let differ = measured.any(|c| size(c.configuration) != size(c.baseline));
        differ.then(|| "Records of different sizes are compared by their number, not by bytes.".to_owned())
    }

    fn stopwatch(&self, comparison: &Comparison) -> Option<&'a Comparison> {
        let pair = (comparison.baseline, comparison.configuration);
        let is_its = |c: &&&Comparison| {
            comparison.metric == Metric::READ_TIME
                && c.metric == Metric::STOPWATCH
                && c.effect.is_some()
                && (c.baseline, c.configuration) == pair
        };
        self.comparisons.iter().find(is_its).copied()
    }
}

/// Whether a series says how many are worth having of what these two differ in.
fn is_along_series(comparison: &Comparison, scaling: &[ScalingSeries]) -> bool {
    let holds = |series: &ScalingSeries, index| series.points.iter().any(|point| point.configuration == index);
    let mut reported = scaling.iter().filter(|series| series.is_reported());
    comparison.metric == Metric::READ_TIME
        && reported.any(|series| holds(series, comparison.baseline) && holds(series, comparison.configuration))
}

/// Each once, in the order of first appearance.
fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut known = Vec::new();
    for item in items {
        if !known.contains(&item) {
            known.push(item);
        }
    }
    known
}

/// `a, b and c`, or the first two and how many more.
fn at_most_three(labels: &[String]) -> String {
    match labels {
        [first, second, _, _, ..] => format!("{first}, {second} and {} others", labels.len() - 2),
        _ => names::listed_labels(labels),
    }
}
