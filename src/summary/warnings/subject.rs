//! The configurations that a warning is about.

use crate::scenario::Scenario;
use crate::summary::answer::at_most_three;
use crate::summary::model::ConfigurationSummary;
use crate::wording::grouped;

/// What is found of each configuration: each warning once, in front of it all that it is about.
pub(super) fn of_each(
    scenario: &Scenario,
    summaries: &[ConfigurationSummary],
    found: impl Fn(&ConfigurationSummary) -> Vec<String>,
) -> Vec<String> {
    let found = summaries
        .iter()
        .flat_map(|summary| found(summary).into_iter().map(|what| (what, summary.configuration)));
    let warnings = grouped(found).into_iter();
    warnings
        .map(|(what, these)| format!("{}: {what}.", named(scenario, &these)))
        .collect()
}

pub(super) fn named(scenario: &Scenario, these: &[usize]) -> String {
    if scenario.configurations.len() == 1 {
        return "The only configuration".to_owned();
    }
    let name = |index: &usize| format!("\"{}\"", scenario.shown_name(*index));
    at_most_three(&these.iter().map(name).collect::<Vec<String>>())
}
