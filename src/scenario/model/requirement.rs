//! A condition on a figure.

use serde::{Deserialize, Serialize};

use super::configuration::Configuration;
use crate::figures::FigureId;

/// A condition on a figure of configurations, without which a run fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// The figure.
    pub figure: FigureId,
    /// Where it must lie.
    pub bound: Bound,
    /// The case or configuration whose figure it is; `None` for every configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Whether the run fails, too, where the trials do not decide.
    pub strict: bool,
}

/// The end of what is allowed, in the figure's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The figure must be below.
    Below(f64),
    /// The figure must be above.
    Above(f64),
}

impl Requirement {
    /// The configurations that it is about, as indices. One that is run on several clusters or with several builds is
    /// several, whose names go on behind its own.
    pub fn configurations(&self, all: &[Configuration]) -> Vec<usize> {
        let named = self.named(all);
        match &self.of {
            Some(of) if named.is_empty() => matching(all, |c| c.name.starts_with(&format!("{of} "))),
            _ => named,
        }
    }

    /// The configurations that have the name, or the case.
    pub(crate) fn named(&self, all: &[Configuration]) -> Vec<usize> {
        matching(all, |c| {
            self.of.as_ref().is_none_or(|of| c.name == *of || c.case == *of)
        })
    }
}

fn matching(all: &[Configuration], is: impl Fn(&Configuration) -> bool) -> Vec<usize> {
    let indexed = all.iter().enumerate();
    indexed.filter(|(_, c)| is(c)).map(|(index, _)| index).collect()
}
