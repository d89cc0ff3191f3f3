//! The answer and the table of results for a terminal.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement};

use super::ReportInput;
use super::format::printable;
use super::tables::{self, Table};

/// Narrower terminals get tables of this width and scroll.
const WIDTH_MIN: usize = 40;

/// Headers in the order in which they are given up where the terminal is too narrow for all.
const DISPENSABLE: [&str; 7] = [
    "broker CPU s per M",
    "client CPU s per M",
    "first record",
    "join",
    "trials",
    "stopwatch",
    "read time",
];

/// The answer first, then warnings, results and what else a reader must know. `width` in columns; `colour` allows
/// ANSI sequences.
pub fn terminal(input: &ReportInput, width: usize, colour: bool) -> String {
    let width = width.max(WIDTH_MIN);
    let style = Style { colour };
    let mut out = String::new();
    paragraph(&mut out, &style.bold(&printable(&input.summary.question)), "", width);
    out.push('\n');
    for sentence in &input.summary.answer {
        paragraph(&mut out, &style.green(&printable(sentence)), "  ", width);
    }
    if input.summary.answer.is_empty() {
        paragraph(&mut out, "No answer yet: too few trials were completed.", "  ", width);
    }
    if !input.summary.complete {
        paragraph(
            &mut out,
            &style.yellow("This run is not complete: trials of its plan were not run."),
            "  ",
            width,
        );
    }
    for warning in &input.summary.warnings {
        paragraph(
            &mut out,
            &style.yellow(&format!("! {}", printable(warning))),
            "  ",
            width,
        );
    }
    for table in tables::results(input) {
        out.push('\n');
        if !table.caption.is_empty() {
            paragraph(&mut out, &style.bold(&table.caption), "", width);
        }
        out.push_str(&draw(fit(table, width), width, colour));
        out.push('\n');
    }
    let idle = tables::idle(input);
    if !idle.is_empty() {
        out.push('\n');
    }
    for (name, explanation) in idle {
        paragraph(&mut out, &format!("Idle in {name}: {explanation}"), "  ", width);
    }
    out
}

/// ANSI sequences, or none.
struct Style {
    colour: bool,
}

impl Style {
    fn wrap(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
    fn bold(&self, text: &str) -> String {
        self.wrap("1", text)
    }
    fn green(&self, text: &str) -> String {
        self.wrap("32", text)
    }
    fn yellow(&self, text: &str) -> String {
        self.wrap("33", text)
    }
}

/// Appends text broken at spaces, each line indented, later lines twice.
fn paragraph(out: &mut String, text: &str, indent: &str, width: usize) {
    let mut line = indent.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && visible_length(&line) + 1 + visible_length(word) > width {
            out.push_str(line.trim_end());
            out.push('\n');
            line = indent.repeat(2);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(&line);
    out.push('\n');
}

/// Characters without ANSI sequences.
fn visible_length(text: &str) -> usize {
    let mut length = 0;
    let mut in_sequence = false;
    for c in text.chars() {
        match c {
            '\u{1b}' => in_sequence = true,
            'm' if in_sequence => in_sequence = false,
            _ if !in_sequence => length += 1,
            _ => {}
        }
    }
    length
}

/// Leaves out columns until the table fits; wrapping then does the rest.
fn fit(mut table: Table, width: usize) -> Table {
    for header in DISPENSABLE {
        if natural_width(&table) <= width {
            break;
        }
        if let Some(column) = table.headers.iter().position(|h| h == header) {
            table.headers.remove(column);
            table.numeric.remove(column);
            for row in &mut table.rows {
                row.remove(column);
            }
        }
    }
    table
}

/// Columns that the table takes without wrapping, except that names and verdicts may wrap at 30.
fn natural_width(table: &Table) -> usize {
    let column = |i: usize| {
        let cells = table.rows.iter().map(|row| row[i].chars().count());
        let widest = cells.chain([table.headers[i].chars().count()]).max().unwrap_or(0);
        2 + if table.numeric[i] { widest } else { widest.min(30) }
    };
    (0..table.headers.len()).map(column).sum()
}

fn draw(table: Table, width: usize, colour: bool) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    drawn.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    if colour {
        drawn.enforce_styling();
    } else {
        drawn.force_no_tty();
    }
    drawn.set_header(
        table
            .headers
            .iter()
            .map(|h| Cell::new(h).add_attribute(Attribute::Bold)),
    );
    for row in table.rows {
        drawn.add_row(row.into_iter().map(|text| {
            let shade = verdict_colour(&text);
            let cell = Cell::new(text);
            shade.map_or(cell.clone(), |c| cell.fg(c))
        }));
    }
    for (i, numeric) in table.numeric.iter().enumerate() {
        if let (true, Some(column)) = (numeric, drawn.column_mut(i)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    drawn
        .to_string()
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Only beside the word that says the same.
fn verdict_colour(cell: &str) -> Option<Color> {
    match cell {
        "faster" | "materially faster" => Some(Color::Green),
        "slower" | "materially slower" => Some(Color::Red),
        text if text.starts_with("undecided") => Some(Color::Yellow),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn the_answer_comes_first() {
        insta::assert_snapshot!(terminal(&Fixture::one_vs_two().input(), 140, false));
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_columns_and_no_longer_lines() {
        let text = terminal(&Fixture::one_vs_two().input(), 80, false);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn colour_adds_sequences_and_nothing_else() {
        let fixture = Fixture::one_vs_two();
        let plain = terminal(&fixture.input(), 100, false);
        let coloured = terminal(&fixture.input(), 100, true);
        assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
        assert_eq!(visible_length(&coloured), plain.chars().count());
    }

    #[test]
    fn a_run_without_a_finished_trial_says_that_there_is_no_answer() {
        let mut fixture = Fixture::one_vs_two();
        fixture.summary.answer.clear();
        fixture.summary.complete = false;
        let text = terminal(&fixture.input(), 100, false);
        assert!(
            text.contains("No answer yet") && text.contains("not complete"),
            "{text}"
        );
    }
}
