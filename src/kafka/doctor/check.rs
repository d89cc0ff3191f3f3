//! One thing that the doctor looked at: how it came out, what was found, and the fix.

use std::fmt;

use serde::Serialize;

/// Column at which details begin.
const DETAIL_COLUMN: usize = 34;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Not looked at, because something before it failed or is not wanted.
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

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, such as `name kafka.example`.
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found, in a sentence; never a secret.
    pub detail: String,
    /// What would mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Check {
    pub(super) fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Check::new(name, Outcome::Ok, detail)
    }

    pub(super) fn warning(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Check::new(name, Outcome::Warning, detail)
    }

    pub(super) fn failed(name: impl Into<String>, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Check {
            mend: Some(mend.into()),
            ..Check::new(name, Outcome::Failed, detail)
        }
    }

    pub(super) fn new(name: impl Into<String>, outcome: Outcome, detail: impl Into<String>) -> Self {
        Check {
            name: name.into(),
            outcome,
            detail: detail.into(),
            mend: None,
        }
    }
}

impl fmt::Display for Check {
    /// `FAILED   TCP kafka:9092      connection refused`, and what would mend it below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7}  {}", self.outcome.word(), self.findings())
    }
}

impl Check {
    /// What was looked at and found, and what would mend it on a line below.
    pub fn findings(&self) -> String {
        let line = format!("{:DETAIL_COLUMN$} {}", self.name, self.detail);
        match &self.mend {
            Some(mend) => format!("{line}\n         mend: {mend}"),
            None => line,
        }
    }
}
