//! What the world really did to a trial, and which failures may name it as their cause.

use crate::measure::{Failure, FailureKind};

/// Whom a failure may name.
#[derive(Debug, Clone)]
pub enum Who {
    /// Nobody.
    Nobody,
    /// One of these, or several: processes, or their members.
    Someone(Vec<String>),
    /// As [`Who::Someone`], or nobody.
    SomeoneOrNobody(Vec<String>),
}

/// Something that happened and that a failure may come from.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "what it was is printed")]
struct Cause {
    what: String,
    kinds: Vec<FailureKind>,
    who: Who,
}

/// Everything that happened so far.
#[derive(Debug, Clone, Default)]
pub struct Causes(Vec<Cause>);

impl Causes {
    pub fn add(&mut self, what: impl Into<String>, kinds: &[FailureKind], who: Who) {
        let (what, kinds) = (what.into(), kinds.to_vec());
        self.0.push(Cause { what, kinds, who });
    }

    /// True if the failure names what happened, and whom it happened to.
    pub fn explain(&self, failure: &Failure) -> bool {
        let of_kind = self.0.iter().filter(|cause| cause.kinds.contains(&failure.kind));
        let Some(who) = &failure.who else {
            return of_kind.clone().any(|cause| !matches!(cause.who, Who::Someone(_)));
        };
        if of_kind.clone().next().is_none() {
            return false;
        }
        // The account of a group names everybody of whom it has a finding.
        let is_account = matches!(failure.kind, FailureKind::Lost | FailureKind::Duplicated);
        let possible: Vec<&String> = self
            .0
            .iter()
            .filter(|cause| is_account || cause.kinds.contains(&failure.kind))
            .filter_map(|cause| match &cause.who {
                Who::Nobody => None,
                Who::Someone(names) | Who::SomeoneOrNobody(names) => Some(names),
            })
            .flatten()
            .collect();
        let is_possible = |named: &str| {
            let is_part = |name: &&&String| {
                let rest = named.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
            };
            possible.iter().any(|name| is_part(&name))
        };
        who.split(" and ").all(is_possible)
    }
}
