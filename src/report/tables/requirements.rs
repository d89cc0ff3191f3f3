//! What the scenario requires of figures.

use crate::report::format::{UNKNOWN, estimate_in, value_in};
use crate::report::input::ReportInput;
use crate::report::table::{Cell, Column, Table, Tone, with_rows};
use crate::scenario::{Bound, Requirement};
use crate::summary::{CheckedRequirement, Met};

/// Every requirement with each configuration that it is about.
pub(crate) fn requirements(input: &ReportInput) -> Vec<Table> {
    type Row<'a> = &'a CheckedRequirement;
    let columns = [
        Column::words("configuration", |row: &Row| {
            row.configuration
                .map_or_else(|| row.name.clone(), |c| input.scenario.shown_name(c))
        }),
        Column::words("figure", |row: &Row| row.requirement.figure.figure().name.clone()),
        Column::words("must be", |row: &Row| bound(&row.requirement)),
        Column::figures("measured\u{a0}[95\u{a0}%]", |row: &Row| measured(row)),
        Column::words("required", |row: &Row| outcome(row)),
        Column::words("why", |row: &Row| row.reason.clone().unwrap_or_default()).dropped(5),
    ];
    with_rows(std::iter::once(Table::of("", columns, &input.summary.requirements)))
}

/// `below 50 ms`.
pub(crate) fn bound(requirement: &Requirement) -> String {
    let unit = requirement.figure.figure().unit;
    match requirement.bound {
        Bound::Below(end) => format!("below {}", value_in(unit, end)),
        Bound::Above(end) => format!("above {}", value_in(unit, end)),
    }
}

/// `41.2 ms [40.1, 42.3]`.
pub(crate) fn measured(checked: &CheckedRequirement) -> String {
    let unit = checked.requirement.figure.figure().unit;
    checked
        .estimate
        .map_or_else(|| UNKNOWN.to_owned(), |estimate| estimate_in(unit, &estimate))
}

fn outcome(checked: &CheckedRequirement) -> Cell {
    let (text, tone) = match checked.outcome {
        Met::Yes => ("holds", Tone::Good),
        Met::No => ("fails", Tone::Bad),
        Met::CannotSay if checked.requirement.strict => ("cannot say: fails, being strict", Tone::Bad),
        Met::CannotSay => ("cannot say", Tone::Caution),
    };
    Cell::new(text, tone)
}

/// `response_p99_ms of two must be below 50 ms: 61.0 ms [58.2, 64.1]`, with the reason where there is one.
pub fn requirement_sentence(checked: &CheckedRequirement) -> String {
    let figure = &checked.requirement.figure.figure().name;
    let reason = checked
        .reason
        .as_ref()
        .map_or(String::new(), |reason| format!(" ({reason})"));
    format!(
        "{figure} of {} must be {}: {}{reason}",
        checked.name,
        bound(&checked.requirement),
        measured(checked)
    )
}
