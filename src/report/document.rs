//! A report before it has a form: what it says, in which order. The renderers (terminal, Markdown, HTML) know nothing but
//! this.
//!
//! All text is plain and may come from anywhere, so each renderer escapes it. In paragraphs, code stands between
//! backticks.

use super::chart::Chart;
use super::facts::Reason;
use super::packed::PackedTrials;
use super::table::Table;

/// A report or a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    pub(super) title: String,
    /// What was measured; a paragraph.
    pub(super) subtitle: String,
    /// Why the figures should not be trusted.
    pub(super) distrust: Vec<String>,
    /// The answer in sentences.
    pub(super) answer: Vec<String>,
    /// Stands in place of an answer.
    pub(super) no_answer: &'static str,
    pub(super) warnings: Vec<String>,
    /// What stands beside the answer on the first screen of a page.
    pub(super) glance: Glance,
    pub(super) sections: Vec<Section>,
    /// What a page's script shows of single trials.
    pub(super) trials: PackedTrials,
    /// Where the rest is that a terminal leaves out: `the page`.
    pub(super) page: &'static str,
    /// Where the figures are; a paragraph.
    pub(super) footer: &'static str,
    /// Version of the tandem that made it.
    pub(super) tandem_version: String,
}

/// The evidence for the answer in as little as it takes. A terminal has a table of its own instead.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Glance {
    /// What is concluded of each configuration.
    pub(super) verdicts: Vec<Table>,
    /// The one chart that shows it.
    pub(super) chart: Option<Chart>,
    /// What limits it, and whether to trust it: paragraphs with their names.
    pub(super) notes: Vec<(&'static str, String)>,
}

/// A form of a document, by how much it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Everything, as one page or as Markdown with its charts beside it.
    Page,
    /// For a pull request or the summary of a job: the answer and the results, the rest folded, no charts.
    Brief,
    /// As much as was asked for.
    Terminal(Extent),
}

/// How much of a report a terminal shows. The page has everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The answer and the warnings.
    Answer,
    /// Two screens: these, the results, and what explains them.
    Screens,
    /// Everything that fits a terminal.
    Everything,
}

impl Form {
    /// Everything, down to what is only looked up.
    pub(super) const PAGE: &[Form] = &[Form::Page];
    /// A page, folded where it is brief.
    pub(super) const PAGES: &[Form] = &[Form::Page, Form::Brief];
    /// A page, and a terminal that shows everything.
    pub(super) const LONG: &[Form] = &[Form::Page, Form::Terminal(Extent::Everything)];
    /// A page, and a terminal that shows more than the answer.
    pub(super) const SCREENS: &[Form] = &[
        Form::Page,
        Form::Terminal(Extent::Screens),
        Form::Terminal(Extent::Everything),
    ];
    /// Every form that shows more than the answer.
    pub(super) const ALL: &[Form] = &[
        Form::Page,
        Form::Brief,
        Form::Terminal(Extent::Screens),
        Form::Terminal(Extent::Everything),
    ];
}

/// The sections of a form. Each is declared once, with the forms that show it, and made for these alone.
pub(super) struct Outline {
    form: Form,
    sections: Vec<Section>,
}

impl Outline {
    pub(super) fn of(form: Form) -> Self {
        let sections = Vec::new();
        Outline { form, sections }
    }

    /// A section, left out where it says nothing.
    pub(super) fn section(
        mut self,
        (id, title): (&'static str, &'static str),
        forms: &[Form],
        blocks: impl FnOnce() -> Vec<Block>,
    ) -> Self {
        if forms.contains(&self.form) {
            let section = Section::new(id, title, blocks());
            self.sections
                .extend(Some(section).filter(|section| !section.blocks.is_empty()));
        }
        self
    }

    /// A section that the brief form folds.
    pub(super) fn folded(
        mut self,
        name: (&'static str, &'static str),
        forms: &[Form],
        blocks: impl FnOnce() -> Vec<Block>,
    ) -> Self {
        let before = self.sections.len();
        self = self.section(name, forms, blocks);
        for section in &mut self.sections[before..] {
            section.is_folded = self.form == Form::Brief;
        }
        self
    }

    pub(super) fn sections(self) -> Vec<Section> {
        self.sections
    }
}

/// A part of a document with its heading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Section {
    /// Names it in links.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) blocks: Vec<Block>,
    /// Markdown opens it by a click.
    pub(super) is_folded: bool,
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    Paragraph(String),
    Table(Table),
    /// A table too long for most forms. A file has the same figures.
    LongTable {
        table: Table,
        title: String,
        file: &'static str,
    },
    Chart(Box<Chart>),
    /// A chart in letters, which only a terminal shows.
    Drawing {
        title: String,
        lines: Vec<String>,
    },
    Reason(Reason),
    /// Names, each with a text.
    List(Vec<(String, String)>),
    /// Short names, each with a value or a meaning.
    Definitions(Vec<(&'static str, String)>),
    /// Text of a file, as it is.
    Listing {
        language: &'static str,
        text: String,
    },
}

impl Document {
    /// Its charts, in the order of the page.
    pub(super) fn charts(&self) -> impl Iterator<Item = &Chart> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        let others = blocks.filter_map(|block| match block {
            Block::Chart(chart) => Some(&**chart),
            _ => None,
        });
        self.glance.chart.iter().chain(others)
    }
}

impl Section {
    /// With the blocks that say something. A table whose caption is the title goes without the caption.
    fn new(id: &'static str, title: &'static str, mut blocks: Vec<Block>) -> Self {
        blocks.retain(|block| !block.is_empty());
        for block in &mut blocks {
            if let Block::Table(table) = block
                && table.caption == title
            {
                table.caption.clear();
            }
        }
        Section {
            id,
            title,
            blocks,
            is_folded: false,
        }
    }
}

impl Block {
    fn is_empty(&self) -> bool {
        match self {
            Block::Paragraph(text) | Block::Listing { text, .. } => text.is_empty(),
            Block::Table(table) | Block::LongTable { table, .. } => table.rows.is_empty(),
            Block::List(items) => items.is_empty(),
            Block::Definitions(items) => items.is_empty(),
            Block::Drawing { lines, .. } => lines.is_empty(),
            Block::Chart(_) | Block::Reason(_) => false,
        }
    }
}

/// A block for each table.
pub(super) fn tables(tables: Vec<Table>) -> Vec<Block> {
    tables.into_iter().map(Block::Table).collect()
}

/// The pieces of a text between backticks and outside them, with whether each is code. Without its partner a backtick is
/// text.
pub(super) fn with_code(text: &str) -> Vec<(bool, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![(false, text)];
    }
    let is_code = [false, true].into_iter().cycle();
    is_code.zip(parts).filter(|(_, part)| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stands_between_backticks_and_a_single_one_is_text() {
        assert_eq!(with_code("more `threads`"), [(false, "more "), (true, "threads")]);
        assert_eq!(with_code("a ` b"), [(false, "a ` b")]);
    }
}
