//! A document for a terminal: the answer first, then warnings and the sections.

use std::collections::BTreeSet;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle};
use textwrap::{Options, WordSeparator, WordSplitter};

use super::document::{Block, Document, Section};
use super::facts::Reason;
use super::format::printable;
use super::grouped::joined;
use super::table::{Align, Head, InTerminal, Table, Tone};

/// Narrower terminals get tables of this width and scroll.
const WIDTH_MIN: usize = 40;
/// Words are wrapped at this width.
const WORDS_WIDTH: usize = 24;
/// Configurations of one bottleneck whose evidence is given; the page has all.
const REASONS_MAX: usize = 4;

/// `width` in columns; `colour` allows ANSI sequences.
pub(super) fn render(document: &Document, width: usize, colour: bool) -> String {
    let mut terminal = Terminal {
        out: String::new(),
        width: width.max(WIDTH_MIN),
        colour,
    };
    terminal.document(document);
    terminal.out
}

/// How a paragraph is emphasised.
#[derive(Clone, Copy)]
enum Emphasis {
    None,
    Bold,
    Tone(Tone),
}

struct Terminal {
    out: String,
    width: usize,
    colour: bool,
}

impl Terminal {
    fn document(&mut self, document: &Document) {
        self.paragraph(&document.title, Emphasis::Bold, "");
        self.out.push('\n');
        for reason in &document.distrust {
            let text = format!("Do not trust these figures: {reason}");
            self.paragraph(&text, Emphasis::Tone(Tone::Bad), "  ");
        }
        for sentence in &document.answer {
            self.paragraph(sentence, Emphasis::Tone(Tone::Good), "  ");
        }
        if document.answer.is_empty() {
            self.paragraph(document.no_answer, Emphasis::None, "  ");
        }
        for warning in &document.warnings {
            self.paragraph(&format!("! {warning}"), Emphasis::Tone(Tone::Caution), "  ");
        }
        for section in &document.sections {
            self.section(section);
        }
    }

    fn section(&mut self, section: &Section) {
        self.out.push('\n');
        if !section.title.is_empty() {
            self.paragraph(section.title, Emphasis::Bold, "");
        }
        let tables = section.blocks.iter().filter_map(|block| match block {
            Block::Table(table) => Some(table.clone()),
            _ => None,
        });
        let mut fitted = fit(tables.collect(), self.width).into_iter();
        for (number, block) in section.blocks.iter().enumerate() {
            match block {
                Block::Table(_) => {
                    if number > 0 {
                        self.out.push('\n');
                    }
                    if let Some(table) = fitted.next() {
                        self.table(table);
                    }
                }
                Block::Paragraph(text) => self.paragraph(text, Emphasis::None, "  "),
                Block::Reason(reason) => self.reason(reason),
                Block::List(items) => self.list(items, "  "),
                // Too long for a terminal; the page has them.
                Block::Definitions(_) | Block::LongTable { .. } | Block::Chart(_) | Block::Listing { .. } => {}
            }
        }
    }

    fn list(&mut self, items: &[(String, String)], indent: &str) {
        for (name, text) in items {
            self.paragraph(&joined([&**name, text], ": "), Emphasis::None, indent);
        }
    }

    /// What limits configurations, with the evidence for the first of them.
    fn reason(&mut self, reason: &Reason) {
        let kind = self.emphasised(reason.kind.as_str(), Emphasis::Bold);
        let text = format!("{}. {}", reason.meaning(), printable(&reason.remedy));
        self.wrapped(&format!("{kind}: {}", text.trim_end()), "  ");
        let (first, more) = reason
            .configurations
            .split_at(reason.configurations.len().min(REASONS_MAX));
        self.list(first, "    ");
        if !more.is_empty() {
            let text = format!("and {} more, in the report", more.len());
            self.paragraph(&text, Emphasis::None, "    ");
        }
    }

    fn table(&mut self, table: Table) {
        if !table.caption.is_empty() {
            self.paragraph(&table.caption, Emphasis::Bold, "");
        }
        self.out.push_str(&draw(table, self.width, self.colour));
        self.out.push('\n');
    }

    fn paragraph(&mut self, text: &str, emphasis: Emphasis, indent: &str) {
        let text = self.emphasised(&printable(text), emphasis);
        self.wrapped(&text, indent);
    }

    fn emphasised(&self, text: &str, emphasis: Emphasis) -> String {
        let code = match emphasis {
            Emphasis::Bold => "1",
            Emphasis::Tone(Tone::Good) => "32",
            Emphasis::Tone(Tone::Bad) => "31",
            Emphasis::Tone(Tone::Caution) => "33",
            Emphasis::None | Emphasis::Tone(Tone::Plain) => return text.to_owned(),
        };
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Appends text broken at spaces, each line indented, later lines twice.
    fn wrapped(&mut self, text: &str, indent: &str) {
        let later = indent.repeat(2);
        let options = Options::new(self.width)
            .initial_indent(indent)
            .subsequent_indent(&later)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false);
        // A number stays with its unit.
        let joined = text.replace(" %", "\u{a0}%");
        self.out
            .push_str(&textwrap::fill(&joined, options).replace('\u{a0}', " "));
        self.out.push('\n');
    }
}

/// Drops the same columns of all tables, rank by rank, until each fits; wrapping then does the rest.
fn fit(mut tables: Vec<Table>, width: usize) -> Vec<Table> {
    let retain = |tables: &mut Vec<Table>, is_kept: &dyn Fn(&Head) -> bool| {
        for table in tables {
            table.retain_columns(is_kept);
        }
    };
    retain(&mut tables, &|head| head.terminal != InTerminal::Never);
    let rank = |head: &Head| match head.terminal {
        InTerminal::Dropped(rank) => Some(rank),
        InTerminal::Always | InTerminal::Never => None,
    };
    let heads = tables.iter().flat_map(|table| &table.heads);
    let ranks: BTreeSet<u8> = heads.filter_map(rank).collect();
    for dropped in ranks {
        if tables.iter().all(|table| natural_width(table) <= width) {
            break;
        }
        retain(&mut tables, &|head| rank(head) != Some(dropped));
    }
    tables
}

/// The width of a table whose words are wrapped and whose figures are not.
fn natural_width(table: &Table) -> usize {
    let column = |(i, head): (usize, &Head)| {
        let cells = table.rows.iter().map(|row| row[i].text.chars().count());
        let widest = cells.chain([head.header.chars().count()]).max().unwrap_or(0);
        2 + match head.align {
            Align::Left => widest.min(WORDS_WIDTH),
            Align::Right => widest,
        }
    };
    table.heads.iter().enumerate().map(column).sum()
}

fn draw(table: Table, width: usize, colour: bool) -> String {
    let thin = LineStyle::none().fill('─').junction('─');
    let style = UTF8_HORIZONTAL_ONLY
        .header_separator(thin)
        .row_separator(LineStyle::none());
    let mut drawn = comfy_table::Table::new();
    drawn
        .load_style(style)
        .set_content_arrangement(ContentArrangement::Dynamic);
    drawn.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    if colour {
        drawn.enforce_styling();
    } else {
        drawn.force_no_tty();
    }
    let header = |head: &Head| comfy_table::Cell::new(printable(&head.header)).add_attribute(Attribute::Bold);
    drawn.set_header(table.heads.iter().map(header));
    for row in table.rows {
        drawn.add_row(row.into_iter().map(|cell| {
            let text = comfy_table::Cell::new(printable(&cell.text));
            match colour_of(cell.tone) {
                Some(colour) => text.fg(colour),
                None => text,
            }
        }));
    }
    for (i, head) in table.heads.iter().enumerate() {
        if let (Align::Right, Some(column)) = (head.align, drawn.column_mut(i)) {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let text = drawn.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn colour_of(tone: Tone) -> Option<Color> {
    match tone {
        Tone::Plain => None,
        Tone::Good => Some(Color::Green),
        Tone::Bad => Some(Color::Red),
        Tone::Caution => Some(Color::Yellow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::outline;
    use crate::testing::report::Fixture;

    fn terminal(fixture: &Fixture, width: usize, colour: bool) -> String {
        render(&outline::terminal(&fixture.input()), width, colour)
    }

    #[test]
    fn the_answer_comes_first() {
        insta::assert_snapshot!(terminal(&Fixture::one_vs_two(), 140, false));
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_columns_and_no_longer_lines() {
        let text = terminal(&Fixture::one_vs_two(), 80, false);
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
                let text = terminal(&fixture, width, false);
                assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
                insta::assert_snapshot!(format!("{name}_in_{width}_columns"), text);
            }
        }
    }

    #[test]
    fn colour_adds_sequences_and_nothing_else() {
        let fixture = Fixture::one_vs_two();
        let plain = terminal(&fixture, 100, false);
        let coloured = terminal(&fixture, 100, true);
        assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
        let words = |text: &str| {
            console::strip_ansi_codes(text)
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&coloured), words(&plain));
    }

    #[test]
    fn text_of_the_user_cannot_steer_the_terminal() {
        let mut fixture = Fixture::one_vs_two();
        let evil = "\u{1b}[2J";
        fixture.summary.question.push_str(evil);
        for c in &mut fixture.scenario.configurations {
            c.case.push_str(evil);
        }
        for c in &mut fixture.summary.configurations {
            c.name.push_str(evil);
            c.bottleneck.evidence.push_str(evil);
            c.bottleneck.remedy.push_str(evil);
        }
        assert!(!terminal(&fixture, 100, false).contains('\u{1b}'));
        assert!(!terminal(&fixture, 100, true).contains(evil));
    }

    #[test]
    fn a_run_without_a_finished_trial_says_that_there_is_no_answer() {
        let mut fixture = Fixture::one_vs_two();
        fixture.summary.answer.clear();
        fixture.summary.complete = false;
        let text = terminal(&fixture, 100, false);
        assert!(
            text.contains("No answer yet") && text.contains("not complete"),
            "{text}"
        );
    }
}
