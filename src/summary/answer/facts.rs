//! What all sentences of an answer are made from, and what they have in common.

use super::clause::Clause;
use super::names::{Names, listed_labels};
use crate::measure::Trial;
use crate::summary::undecided::Undecided;
use crate::verdict::{Comparison, Metric};

/// Longer sentences are not read. What does not fit is counted, and stands in the table.
pub(super) const WORDS_MAX: usize = 30;

pub(super) fn fits(sentence: &str) -> bool {
    sentence.split_whitespace().count() <= WORDS_MAX
}

/// What the sentences are made from.
pub(super) struct Facts<'a> {
    pub(super) names: Names<'a>,
    pub(super) trials: &'a [Trial],
    /// Those of the scenario's own question.
    pub(super) comparisons: Vec<&'a Comparison>,
    /// Those of all questions.
    pub(super) all: &'a [Comparison],
}

impl<'a> Facts<'a> {
    pub(super) fn why(&self, comparison: &Comparison) -> Option<Undecided> {
        Undecided::of(self.names.scenario, self.trials, self.all, comparison)
    }

    /// What one baseline is compared with.
    pub(super) fn clauses(&'a self, comparisons: &[&'a Comparison]) -> Vec<Clause<'a>> {
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
    pub(super) fn about_sizes(&self) -> Option<String> {
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

/// Each once, in the order of first appearance.
pub(super) fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut known = Vec::new();
    for item in items {
        if !known.contains(&item) {
            known.push(item);
        }
    }
    known
}

/// `a, b and c`, or the first two and how many more.
pub(in crate::summary) fn at_most_three(labels: &[String]) -> String {
    match labels {
        [first, second, _, _, ..] => format!("{first}, {second} and {} others", labels.len() - 2),
        _ => listed_labels(labels),
    }
}
