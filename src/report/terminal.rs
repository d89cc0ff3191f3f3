//! A document for a terminal: the answer first, then warnings and the sections, in as many lines as there may be.

use std::collections::BTreeSet;

use textwrap::{Options, WordSeparator, WordSplitter};

use super::document::{Block, Document, Section};
use super::facts::Reason;
use super::format::printable;
use super::table::{Head, InTerminal, Table, Tone};
use super::terminal_table::{draw, fits, fits_wrapped};
use crate::wording::{joined, plural};

/// Lines of the answer with its warnings alone, without the line that names the page.
pub(super) const ANSWER_LINES: usize = 9;
/// Two screens of 50 lines, without that line, the one before it, and two that say where the time went.
pub(super) const SCREENS_LINES: usize = 96;
/// Narrower terminals get tables of this width and scroll.
const WIDTH_MIN: usize = 40;

/// How many of each kind are printed; what is left out is counted, and stands in the page.
#[derive(Debug, Clone, Copy)]
struct Limits {
    warnings: usize,
    /// Rows of each table.
    rows: usize,
    reasons: usize,
    /// Configurations of one reason whose evidence is given.
    evidence: usize,
}

/// Tried one after the other until the text is short enough.
const LIMITS: [Limits; 8] = [
    limits(usize::MAX, usize::MAX, usize::MAX, 4),
    limits(8, usize::MAX, usize::MAX, 1),
    limits(6, 24, 5, 1),
    limits(5, 16, 4, 1),
    limits(4, 10, 3, 1),
    limits(2, 8, 2, 1),
    limits(1, 6, 1, 1),
    limits(0, 6, 1, 1),
];

const fn limits(warnings: usize, rows: usize, reasons: usize, evidence: usize) -> Limits {
    Limits {
        warnings,
        rows,
        reasons,
        evidence,
    }
}

/// `width` in columns; `colour` allows ANSI sequences.
pub(super) fn render(document: &Document, width: usize, colour: bool, lines_max: usize) -> String {
    let texts = LIMITS.iter().map(|limits| {
        let mut terminal = Terminal {
            out: String::new(),
            width: width.max(WIDTH_MIN),
            colour,
            limits: *limits,
            left_out: Vec::new(),
            page: document.page,
        };
        terminal.document(document);
        terminal.out
    });
    let mut shortest = String::new();
    for text in texts {
        shortest = text;
        if shortest.lines().count() <= lines_max {
            break;
        }
    }
    shortest
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
    limits: Limits,
    /// Headers of columns for which the terminal is too narrow.
    left_out: Vec<String>,
    /// Where the rest is.
    page: &'static str,
}

impl Terminal {
    fn document(&mut self, document: &Document) {
        self.paragraph(&document.title, Emphasis::Bold, "");
        if !document.sections.is_empty() {
            self.out.push('\n');
        }
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
        for warning in document.warnings.iter().take(self.limits.warnings) {
            self.paragraph(&format!("! {warning}"), Emphasis::Tone(Tone::Caution), "  ");
        }
        self.more(document.warnings.len(), self.limits.warnings, "more warning", "  ");
        for (number, section) in document.sections.iter().enumerate() {
            self.out.push('\n');
            // The results stand below the answer and need no heading.
            if number > 0 {
                self.paragraph(section.title, Emphasis::Bold, "");
            }
            self.section(section);
        }
        if !self.left_out.is_empty() {
            let text = format!(
                "The terminal is too narrow for: {}. See {}.",
                self.left_out.join(", "),
                self.page
            );
            self.out.push('\n');
            self.paragraph(&text, Emphasis::None, "  ");
        }
    }

    /// Says how many of so many are left out where so many are printed.
    fn more(&mut self, all: usize, printed: usize, noun: &str, indent: &str) {
        if all > printed {
            let text = match printed {
                0 => format!("{} in {}", plural(all, noun.trim_start_matches("more ")), self.page),
                _ => format!("and {} in {}", plural(all - printed, noun), self.page),
            };
            self.paragraph(&text, Emphasis::None, indent);
        }
    }

    fn section(&mut self, section: &Section) {
        let tables = section.blocks.iter().filter_map(|block| match block {
            Block::Table(table) => Some(table.clone()),
            _ => None,
        });
        let mut fitted = self.fit(tables.collect()).into_iter();
        let reasons = section
            .blocks
            .iter()
            .filter(|block| matches!(block, Block::Reason(_)))
            .count();
        let mut reasons_printed = 0;
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
                Block::Reason(reason) => {
                    reasons_printed += 1;
                    if reasons_printed <= self.limits.reasons {
                        self.reason(reason);
                    }
                }
                Block::List(items) => self.list(items, "  "),
                Block::Drawing { title, lines } => self.drawing(title, lines),
                // Too long for a terminal; the page has them.
                Block::Definitions(_) | Block::LongTable { .. } | Block::Chart(_) | Block::Listing { .. } => {}
            }
        }
        self.more(reasons, self.limits.reasons, "more reason", "  ");
    }

    /// Lines as they are; those that are too wide are broken.
    fn drawing(&mut self, title: &str, lines: &[String]) {
        self.paragraph(title, Emphasis::Bold, "");
        for line in lines {
            let line = printable(line);
            if line.chars().count() <= self.width {
                self.out.push_str(line.trim_end());
                self.out.push('\n');
            } else {
                self.wrapped(&line, "  ");
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
        let all = &reason.configurations;
        self.list(&all[..all.len().min(self.limits.evidence)], "    ");
        self.more(all.len(), self.limits.evidence, "more configuration", "    ");
    }

    fn table(&mut self, mut table: Table) {
        if !table.caption.is_empty() {
            self.paragraph(&table.caption, Emphasis::Bold, "");
        }
        let rows = table.rows.len();
        table.rows.truncate(self.limits.rows);
        self.out.push_str(&draw(&table, self.width, self.colour));
        self.out.push('\n');
        self.more(rows, self.limits.rows, "more row", "  ");
    }

    /// Drops the same columns of all tables, rank by rank, until each fits; wrapping then does the rest.
    fn fit(&mut self, mut tables: Vec<Table>) -> Vec<Table> {
        for table in &mut tables {
            table.retain_columns(|head| head.terminal != InTerminal::Never);
        }
        let width = self.width;
        self.drop_columns(
            &mut tables,
            |table| fits(table, width),
            |head| match head.terminal {
                InTerminal::Dropped(rank) => Some(rank),
                _ => None,
            },
        );
        self.drop_columns(
            &mut tables,
            |table| fits_wrapped(table, width),
            |head| match head.terminal {
                InTerminal::DroppedLast(rank) => Some(rank),
                _ => None,
            },
        );
        tables
    }

    fn drop_columns(&mut self, tables: &mut [Table], fits: impl Fn(&Table) -> bool, rank: fn(&Head) -> Option<u8>) {
        let heads = tables.iter().flat_map(|table| &table.heads);
        let ranks: BTreeSet<u8> = heads.filter_map(rank).collect();
        for dropped in ranks {
            if tables.iter().all(&fits) {
                break;
            }
            for table in &mut *tables {
                let gone = table.heads.iter().filter(|head| rank(head) == Some(dropped));
                for header in gone.map(|head| head.header.replace('\u{a0}', " ")) {
                    if !self.left_out.contains(&header) {
                        self.left_out.push(header);
                    }
                }
                table.retain_columns(|head| rank(head) != Some(dropped));
            }
        }
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

#[cfg(test)]
mod tests {
    use crate::report::Extent;
    use crate::testing::report::Fixture;

    fn terminal(fixture: &Fixture, width: usize, colour: bool) -> String {
        crate::report::terminal(&fixture.input(), width, colour, Extent::Screens)
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
            ("changes", Fixture::changes()),
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
        fixture.summary.warnings = vec!["The run is not complete".to_owned()];
        let text = terminal(&fixture, 100, false);
        assert!(
            text.contains("No answer yet") && text.contains("not complete"),
            "{text}"
        );
    }
}
