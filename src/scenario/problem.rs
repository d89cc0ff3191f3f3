//! Errors of a scenario file while they are being collected.

use std::collections::BTreeSet;
use std::ops::Range;

/// An error while it is being collected: a place in bytes, not yet a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) allowed: String,
    pub(super) help: Option<String>,
}

impl Problem {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>, allowed: impl Into<String>) -> Self {
        Problem {
            span,
            message: message.into(),
            allowed: allowed.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// Collects errors, so that all are reported at once and none twice.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    seen: BTreeSet<(usize, String)>,
}

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        if self.seen.insert((problem.span.start, problem.message.clone())) {
            self.list.push(problem);
        }
    }

    /// The value, or nothing and one problem more.
    pub(super) fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.add(problem)).ok()
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.list
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
