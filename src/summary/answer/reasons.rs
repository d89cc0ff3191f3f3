//! Why comparisons have no verdict, and how many blocks would bring one.

use super::clause::Clause;
use super::facts::{at_most_three, distinct};
use super::terms::Terms;
use crate::summary::undecided::Undecided;
use crate::wording::plural;

/// Configurations that get no verdict, whatever the number of blocks.
pub(super) fn bars(all: &[&Clause], terms: &Terms) -> Vec<String> {
    let name = |clause: &Clause, of: usize| {
        let is_base = of == clause.comparison.baseline;
        let name = if is_base { &clause.base } else { &clause.subject };
        if all.len() > 1 {
            spaced(name, &clause.context)
        } else {
            name.clone()
        }
    };
    let names = |wanted: &dyn Fn(Undecided) -> Option<usize>| {
        let found = all.iter().filter_map(|clause| Some(name(clause, wanted(clause.why?)?)));
        let found = distinct(found);
        (!found.is_empty()).then(|| at_most_three(&found))
    };
    let failures = names(&|why| match why {
        Undecided::Failures { of } => Some(of),
        _ => None,
    });
    let behind = names(&|why| match why {
        Undecided::Behind { of } => Some(of),
        _ => None,
    });
    let word = terms.are[0];
    let failures =
        failures.map(|who| format!("Not called {word}: {who}, since trials failed or lost or repeated records."));
    let behind = behind.map(|who| format!("Readers of {who} fell behind or left records unread in some trials."));
    failures.into_iter().chain(behind).collect()
}

/// Of several, that some cannot have a verdict yet.
pub(super) fn too_few_blocks(all: &[&Clause]) -> Option<String> {
    let more = all.iter().filter_map(|clause| match clause.why? {
        Undecided::TooFewBlocks { more } => Some(more),
        _ => None,
    });
    let more = more.max()?;
    Some(format!("Not enough blocks yet for every verdict ({more} more)."))
}

/// How many more blocks would decide what is too close to call.
pub(super) fn more_blocks(all: &[&Clause]) -> Option<String> {
    let more = all.iter().filter_map(|clause| match clause.why? {
        Undecided::TooClose { more } => more,
        _ => None,
    });
    let more = more.max()?;
    Some(format!(
        "About {} would decide what is too close to call.",
        plural(more, "more block")
    ))
}

/// A lead with its context, if there is any.
pub(super) fn spaced(lead: &str, context: &str) -> String {
    if context.is_empty() {
        lead.to_owned()
    } else {
        format!("{lead} {context}")
    }
}
