//! What became of a requirement.

use serde::{Deserialize, Serialize};

use crate::scenario::Requirement;
use crate::stats::Estimate;

/// A requirement and one configuration that it is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckedRequirement {
    /// What is required.
    pub requirement: Requirement,
    /// Index of the configuration; `None` where none that it is about was run.
    pub configuration: Option<usize>,
    /// Its name, or that of the requirement.
    pub name: String,
    /// The figure over the trials, with what is known of its uncertainty.
    pub estimate: Option<Estimate>,
    /// Whether it is met.
    pub outcome: Met,
    /// Why it cannot be said, or why it is not met where the figure does not show it.
    pub reason: Option<String>,
}

/// Whether a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// All of the interval lies where it must.
    Yes,
    /// All of the interval lies beyond.
    No,
    /// The trials do not decide.
    CannotSay,
}

impl CheckedRequirement {
    /// True where the run fails for it.
    pub fn fails(&self) -> bool {
        match self.outcome {
            Met::Yes => false,
            Met::No => true,
            Met::CannotSay => self.requirement.strict,
        }
    }
}
