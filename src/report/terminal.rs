//! The answer and the table of results for a terminal.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle};

use super::ReportInput;
use super::facts;
use super::format::printable;
use super::tables::scaling::Words;
use super::tables::{self, Table};
use super::why::why;

/// Narrower terminals get tables of this width and scroll.
pub(super) const WIDTH_MIN: usize = 40;

/// Headers in the order in which they are given up where the terminal is too narrow for all.
const DISPENSABLE: [&str; 14] = [
    "idle members",
    "efficiency",
    "trials",
    "search trials",
    "longer trials",
    "stopwatch",
    "read time",
    "max",
    "p99.9",
    "p50",
    "p50\u{a0}after",
    "p99\u{a0}before",
    "p99\u{a0}after",
    "p (Holm)",
];

/// Configurations of one bottleneck of which the evidence is given.
const REASONS_MAX: usize = 4;

/// What cells begin with that say why there is no verdict.
const NO_VERDICT: [&str; 5] = ["undecided", "overloaded", "load not reached", "unread", "baseline "];

/// The answer first, then warnings, results and what else a reader must know. `width` in columns; `colour` allows
/// ANSI sequences.
pub fn terminal(input: &ReportInput, width: usize, colour: bool) -> String {
    let width = width.max(WIDTH_MIN);
    let style = Style { colour };
    let mut out = String::new();
    paragraph(&mut out, &style.bold(&printable(&input.summary.question)), "", width);
    out.push('\n');
    for reason in &input.summary.quality.distrust {
        let warning = format!("Do not trust these figures: {}", printable(reason));
        paragraph(&mut out, &style.red(&warning), "  ", width);
    }
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
    for table in fit(tables::results(input), width) {
        out.push('\n');
        if !table.caption.is_empty() {
            paragraph(&mut out, &style.bold(&table.caption), "", width);
        }
        out.push_str(&draw(table, width, colour));
        out.push('\n');
    }
    reasons(&mut out, input, &style, width);
    scaling(&mut out, input, width, &style);
    let idle = facts::idle(input);
    if !idle.is_empty() {
        out.push('\n');
    }
    for (name, explanation) in idle {
        paragraph(&mut out, &format!("Idle in {name}: {explanation}"), "  ", width);
    }
    out
}

/// What limits the configurations. Of many, the report has the rest.
fn reasons(out: &mut String, input: &ReportInput, style: &Style, width: usize) {
    let reasons = why(input);
    if !reasons.is_empty() {
        out.push('\n');
        paragraph(out, &style.bold("Why, and what would change it"), "", width);
    }
    for reason in reasons {
        let head = format!("{}: {}. {}", style.bold(reason.kind), reason.meaning, reason.remedy);
        paragraph(out, head.trim_end(), "  ", width);
        for (name, evidence) in reason.configurations.iter().take(REASONS_MAX) {
            let name = if name.is_empty() {
                String::new()
            } else {
                format!("{name}: ")
            };
            paragraph(out, &format!("{name}{evidence}"), "    ", width);
        }
        if let Some(more) = reason
            .configurations
            .len()
            .checked_sub(REASONS_MAX)
            .filter(|more| *more > 0)
        {
            paragraph(out, &format!("and {more} more, in the report"), "    ", width);
        }
    }
}

/// What more consumers, processes or threads gain, where there are several numbers to choose from, and which axis explains
/// how much.
fn scaling(out: &mut String, input: &ReportInput, width: usize, style: &Style) {
    let told = |words: &Words| {
        // The answer has it already, with a capital or behind what the series has in common.
        let rest = words.recommended.get(1..).unwrap_or_default();
        input
            .summary
            .answer
            .iter()
            .any(|sentence| printable(sentence).contains(rest))
    };
    let all = tables::scaling::scaling(input)
        .into_iter()
        .zip(tables::scaling::scaling_words(input));
    let (mut shown, words): (Vec<Table>, Vec<Words>) = all.filter(|(table, _)| table.rows.len() > 2).unzip();
    for table in &mut shown {
        table.remove("configuration");
        table.caption.clear();
    }
    for (table, words) in fit(shown, width).into_iter().zip(words) {
        let heading = ["Scaling", &words.title].into_iter().filter(|part| !part.is_empty());
        out.push('\n');
        paragraph(out, &style.bold(&heading.collect::<Vec<_>>().join(", ")), "", width);
        out.push_str(&draw(table, width, style.colour));
        out.push('\n');
        let text = if told(&words) { words.law } else { words.all() };
        paragraph(out, &text, "  ", width);
    }
    if let Some(text) = tables::scaling::effects_words(input) {
        out.push('\n');
        paragraph(out, &text, "  ", width);
    }
}

/// ANSI sequences, or none.
pub(super) struct Style {
    pub(super) colour: bool,
}

impl Style {
    fn wrap(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
    pub(super) fn bold(&self, text: &str) -> String {
        self.wrap("1", text)
    }
    pub(super) fn green(&self, text: &str) -> String {
        self.wrap("32", text)
    }
    fn red(&self, text: &str) -> String {
        self.wrap("31", text)
    }
    pub(super) fn yellow(&self, text: &str) -> String {
        self.wrap("33", text)
    }
}

/// Appends text broken at spaces, each line indented, later lines twice.
pub(super) fn paragraph(out: &mut String, text: &str, indent: &str, width: usize) {
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

fn visible_length(text: &str) -> usize {
    visible(text).chars().count()
}

/// The text without ANSI sequences.
fn visible(text: &str) -> String {
    let mut in_sequence = false;
    let seen = |c: &char| {
        let was_in_sequence = in_sequence || *c == '\u{1b}';
        in_sequence = was_in_sequence && *c != 'm';
        !was_in_sequence
    };
    text.chars().filter(seen).collect()
}

/// Leaves out the same columns of all tables until each fits; wrapping then does the rest.
pub(super) fn fit(mut tables: Vec<Table>, width: usize) -> Vec<Table> {
    for header in DISPENSABLE {
        if tables.iter().all(|table| natural_width(table) <= width) {
            break;
        }
        for table in &mut tables {
            table.remove(header);
        }
    }
    tables
}

/// Columns that the table takes where names and verdicts are wrapped at 24 and figures not at all.
fn natural_width(table: &Table) -> usize {
    let column = |i: usize| {
        let cells = table.rows.iter().map(|row| row[i].chars().count());
        let widest = cells.chain([table.headers[i].chars().count()]).max().unwrap_or(0);
        2 + if table.numeric[i] { widest } else { widest.min(24) }
    };
    (0..table.headers.len()).map(column).sum()
}

pub(super) fn draw(table: Table, width: usize, colour: bool) -> String {
    let thin = LineStyle::none().fill('─').junction('─');
    let mut drawn = comfy_table::Table::new();
    drawn
        .load_style(
            UTF8_HORIZONTAL_ONLY
                .header_separator(thin)
                .row_separator(LineStyle::none()),
        )
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
            column.set_constraint(ColumnConstraint::ContentWidth);
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
        text if NO_VERDICT.iter().any(|word| text.starts_with(word)) => Some(Color::Yellow),
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
    fn live_runs_show_latencies_or_say_why_there_are_none() {
        for (name, fixture) in [
            ("latency", Fixture::latency()),
            ("catch_up", Fixture::catch_up()),
            ("capacity", Fixture::capacity()),
        ] {
            for width in [80, 120] {
                let text = terminal(&fixture.input(), width, false);
                assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
                insta::assert_snapshot!(format!("{name}_in_{width}_columns"), text);
            }
        }
    }

    #[test]
    fn colour_adds_sequences_and_nothing_else() {
        let fixture = Fixture::one_vs_two();
        let plain = terminal(&fixture.input(), 100, false);
        let coloured = terminal(&fixture.input(), 100, true);
        assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
        let words = |text: &str| visible(text).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&coloured), words(&plain));
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
