//! What a report on a comparison is made from.

use crate::scenario::Scenario;
use crate::summary::compare::RunComparison;

/// Everything that a report on a comparison is made from.
#[derive(Debug, Clone, Copy)]
pub struct CompareInput<'a> {
    /// What was found.
    pub comparison: &'a RunComparison,
    /// The first run's scenario, for names and families.
    pub scenario: &'a Scenario,
}

impl CompareInput<'_> {
    /// The family of a configuration that is compared.
    pub(crate) fn family_of(&self, name: &str) -> Option<usize> {
        let compared = self.comparison.configurations.iter().find(|c| c.name == name)?;
        Some(self.scenario.configurations.get(compared.index)?.family)
    }
}
