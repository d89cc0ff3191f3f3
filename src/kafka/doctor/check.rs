//! One check of the doctor: its outcome, the finding, and the fix.

use std::fmt;

use serde::Serialize;

/// Column at which details begin.
const DETAIL_COLUMN: usize = 34;

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Fine.
    Ok,
    /// Not checked, because something before it failed or is not wanted.
    Skipped,
    /// Works, but a reader of the figures should know.
    Warning,
    /// Does not work.
    Failed,
}

impl Outcome {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Skipped => "skipped",
            Outcome::Warning => "warning",
            Outcome::Failed => "FAILED",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, such as `name kafka.example`.
    pub name: String,
    /// The outcome.
    pub outcome: Outcome,
    /// What was found, in a sentence; never a secret.
    pub detail: String,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Check {
    pub(crate) fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Check::new(name, Outcome::Ok, detail)
    }

    /// Fine where `is_well`; a warning with the advice after the detail otherwise.
    pub(super) fn advised(is_well: bool, name: &str, detail: &str, advice: &str) -> Self {
        if is_well {
            Check::ok(name, detail)
        } else {
            Check::warning(name, format!("{detail}: {advice}"))
        }
    }

    pub(crate) fn skipped(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Check::new(name, Outcome::Skipped, detail)
    }

    pub(super) fn warning(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Check::new(name, Outcome::Warning, detail)
    }

    pub(crate) fn failed(name: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Check {
            fix: Some(fix.into()),
            ..Check::new(name, Outcome::Failed, detail)
        }
    }

    pub(super) fn new(name: impl Into<String>, outcome: Outcome, detail: impl Into<String>) -> Self {
        Check {
            name: name.into(),
            outcome,
            detail: detail.into(),
            fix: None,
        }
    }
}

impl fmt::Display for Check {
    /// `FAILED   TCP kafka:9092      connection refused`, and the fix below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7}  {}", self.outcome.word(), self.findings())
    }
}

impl Check {
    /// What was checked and found, and the fix on a line below.
    pub fn findings(&self) -> String {
        let line = format!("{:DETAIL_COLUMN$} {}", self.name, self.detail);
        match &self.fix {
            Some(fix) => format!("{line}\n         fix: {fix}"),
            None => line,
        }
    }
}
