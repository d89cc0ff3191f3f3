//! What a report is made from, and how its configurations are walked through.

use std::ops::Range;

use crate::measure::{Environment, Measurement, Trial};
use crate::scenario::{Mode, Scenario};
use crate::summary::{Comparison, ConfigurationSummary, Metric, Question, Summary};

/// Everything that a report is made from.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// The scenario that was run.
    pub scenario: &'a Scenario,
    /// Every stored trial, in the order of running: pilots, warm-up and counted ones.
    pub trials: &'a [Trial],
    /// What the trials say.
    pub summary: &'a Summary,
    /// Where they were run.
    pub environment: &'a Environment,
    /// The scenario file's text.
    pub source: &'a str,
}

impl<'a> ReportInput<'a> {
    pub(super) fn families(&self) -> Range<usize> {
        0..self.scenario.families.len()
    }

    /// The summaries of a family's configurations, in the scenario's order.
    pub(super) fn of_family(&self, family: usize) -> impl Iterator<Item = &'a ConfigurationSummary> + use<'a> {
        self.summary.configurations.iter().filter(move |c| c.family == family)
    }

    /// The summaries of all configurations, family by family.
    pub(super) fn by_family(&self) -> impl Iterator<Item = &'a ConfigurationSummary> + use<'a> {
        let input = *self;
        self.families().flat_map(move |family| input.of_family(family))
    }

    /// Whether a configuration reads a backlog, arriving records, or both.
    pub(super) fn mode(&self, configuration: usize) -> Option<&'a Mode> {
        Some(&self.scenario.configurations.get(configuration)?.mode)
    }

    /// The comparison of a configuration with its baseline by this metric.
    pub(super) fn comparison(&self, configuration: usize, metric: Metric) -> Option<&'a Comparison> {
        let key = (Question::Scenario, configuration, metric);
        let mut all = self.summary.comparisons.iter();
        all.find(|c| (c.question, c.configuration, c.metric) == key)
    }

    /// The comparison of a configuration with its baseline that answers the scenario's question.
    pub(super) fn own_comparison(&self, configuration: usize) -> Option<&'a Comparison> {
        let mode = self.mode(configuration)?;
        self.comparison(configuration, Metric::of(self.scenario, mode))
    }

    /// Whether any configuration is compared with this one.
    pub(super) fn is_baseline(&self, configuration: usize) -> bool {
        let mut all = self.scenario.configurations.iter();
        all.any(|c| c.baseline == Some(configuration))
    }

    /// All trials of a configuration, in the order of running.
    pub(super) fn trials_of(&self, configuration: usize) -> impl Iterator<Item = &'a Trial> + use<'a> {
        self.trials
            .iter()
            .filter(move |t| t.order.configuration == configuration)
    }

    /// The used trials of a configuration with their measurements.
    pub(super) fn used(&self, configuration: usize) -> Vec<(&'a Trial, &'a Measurement)> {
        let used = self.trials_of(configuration).filter(|t| t.is_used());
        used.filter_map(|t| Some((t, t.measurement.as_ref()?))).collect()
    }
}
