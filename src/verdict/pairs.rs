//! Which configurations are compared, and their ratios block by block.

use std::collections::{BTreeMap, BTreeSet};

use super::figures::{compared_value, split_blocks};
use super::model::{Metric, Question};
use crate::measure::Trial;
use crate::scenario::{Configuration, Scenario};

/// The questions of a scenario: its own; with variants, its own within each cluster and build; and the effect of each
/// matrix key, unless that is the scenario's own question.
pub fn questions(scenario: &Scenario) -> Vec<Question> {
    let mut asked_pairs: BTreeSet<(usize, usize)> = candidates(scenario, Question::Scenario).into_iter().collect();
    let within = candidates(scenario, Question::Within);
    let within_asks = !within.is_empty();
    asked_pairs.extend(within);
    let axes = (0..scenario.axes.len()).map(Question::Axis).filter(|&axis| {
        let pairs = candidates(scenario, axis);
        pairs.iter().any(|pair| !asked_pairs.contains(pair))
    });
    let first = std::iter::once(Question::Scenario).chain(within_asks.then_some(Question::Within));
    first.chain(axes).collect()
}

/// Every pair of (baseline, configuration) that a question compares by a metric, in the scenario's order.
pub fn pairs(scenario: &Scenario, question: Question, metric: Metric) -> Vec<(usize, usize)> {
    let metrics = |index: usize| Metric::of_mode(scenario, &scenario.configurations[index].mode);
    candidates(scenario, question)
        .into_iter()
        .filter(|&(baseline, index)| metrics(index) == metrics(baseline) && metrics(index).contains(&metric))
        .collect()
}

fn candidates(scenario: &Scenario, question: Question) -> Vec<(usize, usize)> {
    let baseline = |index: usize| match question {
        Question::Scenario => scenario.configurations[index].baseline,
        Question::Within => scenario.configurations[index].variant.own_baseline,
        Question::Axis(axis) => first_along(scenario, axis, index),
    };
    let all = 0..scenario.configurations.len();
    all.filter_map(|index| Some((baseline(index)?, index))).collect()
}

/// The configuration of the same family with the first value of an axis and all else equal; `None` for that one itself.
fn first_along(scenario: &Scenario, axis: usize, index: usize) -> Option<usize> {
    let configuration = &scenario.configurations[index];
    let first = scenario.axes[axis].values.first()?;
    let is_first = |other: &Configuration| {
        let mut first_values = configuration.axis_values.clone();
        first_values[axis].clone_from(first);
        other.case == configuration.case && other.family == configuration.family && other.axis_values == first_values
    };
    let found = scenario.configurations.iter().position(is_first)?;
    (found != index).then_some(found)
}

/// Used trials of blocks that were not split over sessions.
pub fn paired_trials(trials: &[Trial]) -> Vec<&Trial> {
    let split = split_blocks(trials);
    let is_in_complete_block = |trial: &&Trial| trial.is_used() && !split.contains(&trial.order.block);
    trials.iter().filter(is_in_complete_block).collect()
}

/// How far a configuration is from its baseline in each block that holds a trial of both with a figure, with these blocks
/// and in their order: natural logarithms of ratios, or differences in the figure's unit, as [`super::Effect`] has them.
pub fn paired_values(
    scenario: &Scenario,
    trials: &[&Trial],
    (baseline, configuration): (usize, usize),
    metric: Metric,
) -> Vec<(u32, f64)> {
    let values = |index: usize| -> BTreeMap<u32, f64> {
        let has_work = scenario.configurations[index].has_work();
        let own = trials.iter().filter(|t| t.order.configuration == index);
        own.filter_map(|trial| Some((trial.order.block, compared_value(metric, trial, has_work)?)))
            .collect()
    };
    let (base, other) = (values(baseline), values(configuration));
    other
        .iter()
        .filter_map(|(block, value)| Some((*block, value - base.get(block)?)))
        .collect()
}
