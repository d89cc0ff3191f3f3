//! Which configurations differ in nothing but a number.

use super::model::Along;
use crate::scenario::{Configuration, Mode, Scenario};
use crate::wording::grouped;

/// The configurations of a series, each behind its count, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) along: Along,
    pub(super) configurations: Vec<(u32, usize)>,
}

/// Every series of backlogs with at least two different counts, by its first configuration.
pub(super) fn series(scenario: &Scenario) -> Vec<Run> {
    let all = scenario.configurations.iter().enumerate();
    let backlogs = all.filter(|(_, configuration)| configuration.mode == Mode::Backlog);
    let alike = grouped(backlogs.map(|(index, configuration)| (without_numbers(configuration), index)));
    let mut runs: Vec<Run> = alike.iter().flat_map(|(_, indices)| runs(scenario, indices)).collect();
    runs.sort_by_key(|run| run.configurations.iter().map(|(_, index)| *index).min());
    runs
}

/// What a configuration does, however many do it.
fn without_numbers(configuration: &Configuration) -> Configuration {
    Configuration {
        processes: 0,
        consumers: 0,
        threads: 0,
        ..configuration.unnamed()
    }
}

fn runs(scenario: &Scenario, indices: &[usize]) -> Vec<Run> {
    let configuration = |index: usize| &scenario.configurations[index];
    let mut runs = Vec::new();
    for threads in distinct(indices, |i| configuration(i).threads) {
        let here: Vec<usize> = indices
            .iter()
            .copied()
            .filter(|&i| configuration(i).threads == threads)
            .collect();
        let members = distinct(&here, |i| configuration(i).members());
        let [processes, consumers] = [
            distinct(&here, |i| configuration(i).processes).len(),
            distinct(&here, |i| configuration(i).consumers).len(),
        ];
        // As many different numbers of members as arrangements: nothing to choose between, so they make one series.
        if processes > 1 && consumers > 1 && members.len() == here.len() {
            runs.push(run(Along::Members, &here, |i| configuration(i).members()));
            continue;
        }
        runs.extend(lines(
            &here,
            Along::Consumers,
            |i| configuration(i).consumers,
            |i| configuration(i).processes,
        ));
        runs.extend(lines(
            &here,
            Along::Processes,
            |i| configuration(i).processes,
            |i| configuration(i).consumers,
        ));
    }
    let arrangement = |i: usize| (configuration(i).processes, configuration(i).consumers);
    runs.extend(lines(
        indices,
        Along::Threads,
        |i| configuration(i).threads,
        arrangement,
    ));
    runs.retain(|run| run.configurations.len() > 1);
    runs
}

/// A run for each value of what is held equal.
fn lines<'a, Held: Ord + Copy + 'a>(
    indices: &'a [usize],
    along: Along,
    count: impl Fn(usize) -> u32 + Copy + 'a,
    held: impl Fn(usize) -> Held + Copy + 'a,
) -> impl Iterator<Item = Run> + 'a {
    let values = distinct(indices, held);
    values.into_iter().map(move |value| {
        let here: Vec<usize> = indices.iter().copied().filter(|&i| held(i) == value).collect();
        run(along, &here, count)
    })
}

/// Of several configurations of one count the first stands for it.
fn run(along: Along, indices: &[usize], count: impl Fn(usize) -> u32) -> Run {
    let mut configurations: Vec<(u32, usize)> = indices.iter().map(|&index| (count(index), index)).collect();
    configurations.sort_unstable();
    configurations.dedup_by_key(|(count, _)| *count);
    Run { along, configurations }
}

fn distinct<T: Ord>(indices: &[usize], of: impl Fn(usize) -> T) -> Vec<T> {
    let mut values: Vec<T> = indices.iter().map(|&index| of(index)).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// `"two topics", partitions=4`: the case and the values of axes that the run has in common, where the scenario has
/// more than one.
pub(super) fn name(scenario: &Scenario, run: &Run) -> String {
    let configuration = |index: &usize| &scenario.configurations[*index];
    let all = || run.configurations.iter().map(|(_, index)| configuration(index));
    let first = configuration(&run.configurations[0].1);
    let has_cases = scenario.configurations.iter().any(|c| c.case != first.case);
    let mut parts = Vec::new();
    if has_cases && all().all(|c| c.case == first.case) {
        parts.push(format!("\"{}\"", first.case));
    }
    for (axis, values) in scenario.axes.iter().enumerate() {
        let value = |c: &Configuration| scenario.axis_value(c, axis);
        if values.values.len() > 1 && all().all(|c| value(c) == value(first)) {
            parts.push(value(first));
        }
    }
    parts.join(", ")
}
