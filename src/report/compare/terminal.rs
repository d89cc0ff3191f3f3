//! A comparison for a terminal: what came out, what speaks against it, and the tables.

use super::{CompareInput, NO_ANSWER, not_compared, tables};
use crate::report::format::printable;
use crate::report::tables::Table;
use crate::report::terminal::{Style, WIDTH_MIN, draw, fit, paragraph};

/// The answer first, then warnings, verdicts, and what differs. `width` in columns; `colour` allows ANSI sequences.
pub fn compare_terminal(input: &CompareInput, width: usize, colour: bool) -> String {
    let width = width.max(WIDTH_MIN);
    let style = Style { colour };
    let comparison = input.comparison;
    let mut out = String::new();
    paragraph(&mut out, &style.bold(&printable(&comparison.question)), "", width);
    out.push('\n');
    for sentence in &comparison.answer {
        paragraph(&mut out, &style.green(&printable(sentence)), "  ", width);
    }
    if comparison.answer.is_empty() {
        paragraph(&mut out, NO_ANSWER, "  ", width);
    }
    for warning in comparison.warnings.iter().chain(&comparison.caution) {
        paragraph(
            &mut out,
            &style.yellow(&format!("! {}", printable(warning))),
            "  ",
            width,
        );
    }
    let mut verdicts = tables::verdicts(input);
    for table in &mut verdicts {
        table.remove(tables::WHY);
    }
    show(&mut out, verdicts, &style, width);
    let reasons = tables::reasons(input);
    if !reasons.is_empty() {
        out.push('\n');
    }
    for (names, why) in reasons {
        paragraph(&mut out, &format!("Undecided for {names}: {why}."), "  ", width);
    }
    show(&mut out, vec![tables::runs(input)], &style, width);
    let differences = tables::differences(input);
    out.push('\n');
    paragraph(&mut out, &style.bold("What else differs"), "", width);
    if differences.is_empty() {
        paragraph(&mut out, "Nothing that is known.", "  ", width);
    }
    for table in differences {
        if !table.caption.is_empty() {
            paragraph(&mut out, &table.caption, "", width);
        }
        out.push_str(&draw(table, width, colour));
        out.push('\n');
    }
    let others = not_compared(input);
    if !others.is_empty() {
        out.push('\n');
        paragraph(&mut out, &style.bold("Not compared"), "", width);
    }
    for (name, why) in others {
        paragraph(&mut out, &format!("{name}: {why}"), "  ", width);
    }
    out
}

fn show(out: &mut String, tables: Vec<Table>, style: &Style, width: usize) {
    for table in fit(tables, width) {
        out.push('\n');
        paragraph(out, &style.bold(&table.caption), "", width);
        out.push_str(&draw(table, width, style.colour));
        out.push('\n');
    }
}
