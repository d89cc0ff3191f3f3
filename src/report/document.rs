//! A report before it has a form: what it says, in which order. The renderers (terminal, Markdown, HTML) know nothing but
//! this.
//!
//! All text is plain and may come from anywhere, so each renderer escapes it. In paragraphs, code stands between
//! backticks.

use super::chart::Chart;
use super::facts::Reason;
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
    pub(super) sections: Vec<Section>,
    /// Where the rest is that a terminal leaves out: `the page`.
    pub(super) page: &'static str,
    /// Where the figures are; a paragraph.
    pub(super) footer: &'static str,
    /// Version of the tandem that made it.
    pub(super) tandem_version: String,
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
    Chart(Chart),
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
    /// Its charts, in the order of the sections.
    pub(super) fn charts(&self) -> impl Iterator<Item = &Chart> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks.filter_map(|block| match block {
            Block::Chart(chart) => Some(chart),
            _ => None,
        })
    }
}

impl Section {
    /// A table whose caption is the title goes without the caption.
    pub(super) fn new(id: &'static str, title: &'static str, mut blocks: Vec<Block>) -> Self {
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

    pub(super) fn folded(mut self) -> Self {
        self.is_folded = true;
        self
    }
}

/// The sections that say something.
pub(super) fn with_content(sections: impl IntoIterator<Item = Section>) -> Vec<Section> {
    let sections = sections.into_iter().map(|mut section| {
        section.blocks.retain(|block| !block.is_empty());
        section
    });
    sections.filter(|section| !section.blocks.is_empty()).collect()
}

impl Block {
    fn is_empty(&self) -> bool {
        match self {
            Block::Paragraph(text) | Block::Listing { text, .. } => text.is_empty(),
            Block::Table(table) | Block::LongTable { table, .. } => table.rows.is_empty(),
            Block::List(items) => items.is_empty(),
            Block::Definitions(items) => items.is_empty(),
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
