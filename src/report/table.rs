//! Tables as plain text. Each column is declared once: its header, its alignment, what a terminal does with it, and its
//! cells. The renderers escape the text as they need.

use super::format::or_unknown;
use super::labels::Labels;
use crate::stats::Estimate;
use crate::wording::{capitalised, joined};

/// Cells below the heads of their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// What the table shows; empty where its heading says it.
    pub(super) caption: String,
    pub(super) heads: Vec<Head>,
    /// Each as long as `heads`.
    pub(super) rows: Vec<Vec<Cell>>,
    /// The titles of groups of rows, each before the row with this index; empty where there is one group.
    pub(super) groups: Vec<(usize, String)>,
}

/// What a column is, without its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) header: String,
    pub(super) align: Align,
    pub(super) terminal: InTerminal,
}

/// How the cells of a column are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// What a terminal does with a column. Pages show every column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InTerminal {
    Always,
    /// Dropped where the table is too wide; the lowest rank goes first.
    Dropped(u8),
    /// Dropped where even wrapped words do not fit; the lowest rank goes first.
    DroppedLast(u8),
    /// Left out, because the text around the table says the same.
    Never,
}

/// A text with its tone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cell {
    /// In lines, where a form has them.
    pub(super) text: String,
    pub(super) tone: Tone,
    /// Index of the configuration that the cell, or as the first of a row the row, is about.
    pub(super) configuration: Option<usize>,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Cell {
            text: text.into(),
            tone,
            configuration: None,
        }
    }

    /// With a line more.
    pub(super) fn below(mut self, line: &str) -> Self {
        self.text = joined([&*self.text, line], "\n");
        self
    }

    pub(super) fn about(mut self, configuration: usize) -> Self {
        self.configuration = Some(configuration);
        self
    }
}

/// What a text says of a configuration. Colour repeats the words and never replaces them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tone {
    #[default]
    Plain,
    /// Better than the baseline.
    Good,
    /// Worse than the baseline.
    Bad,
    /// There is no verdict, or a figure that must not be used.
    Caution,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::new(text, Tone::Plain)
    }
}

/// A column of a table whose rows are made from an `R` each.
pub(super) struct Column<'a, R> {
    head: Head,
    is_shown: bool,
    cell: Box<dyn Fn(&R) -> Cell + 'a>,
}

impl<'a, R> Column<'a, R> {
    /// A column of words.
    pub(super) fn words<C: Into<Cell>>(header: impl Into<String>, cell: impl Fn(&R) -> C + 'a) -> Self {
        Column {
            head: Head {
                header: header.into(),
                align: Align::Left,
                terminal: InTerminal::Always,
            },
            is_shown: true,
            cell: Box::new(move |row| cell(row).into()),
        }
    }

    /// The configuration that a row is about, by its name in its family.
    pub(super) fn configuration(labels: &'a Labels, index: impl Fn(&R) -> usize + 'a) -> Self {
        Column::words("configuration", move |row| {
            let index = index(row);
            Cell::from(labels.short(index)).about(index)
        })
    }

    /// A column of figures.
    pub(super) fn figures<C: Into<Cell>>(header: impl Into<String>, cell: impl Fn(&R) -> C + 'a) -> Self {
        let mut column = Column::words(header, cell);
        column.head.align = Align::Right;
        column
    }

    /// Columns of the point and of both ends of the interval.
    pub(super) fn estimate(
        header: impl Into<String>,
        estimate: impl Fn(&R) -> Option<Estimate> + Clone + 'a,
        show: impl Fn(f64) -> String + Copy + 'a,
    ) -> [Self; 3] {
        let figures = |header: String, part: fn(Estimate) -> Option<f64>| {
            let estimate = estimate.clone();
            Column::figures(header, move |row| or_unknown(estimate(row).and_then(part), show))
        };
        [
            figures(header.into(), |e| Some(e.point)),
            figures("low".to_owned(), |e| Some(e.interval?.0)),
            figures("high".to_owned(), |e| Some(e.interval?.1)),
        ]
    }

    /// A terminal that is too narrow drops the column; the lowest rank goes first.
    pub(super) fn dropped(mut self, rank: u8) -> Self {
        self.head.terminal = InTerminal::Dropped(rank);
        self
    }

    /// A terminal drops the column only where words would have to be broken; the lowest rank goes first.
    pub(super) fn dropped_last(mut self, rank: u8) -> Self {
        self.head.terminal = InTerminal::DroppedLast(rank);
        self
    }

    /// A terminal never shows the column.
    pub(super) fn on_pages_only(mut self) -> Self {
        self.head.terminal = InTerminal::Never;
        self
    }

    /// The table has the column only where this holds.
    pub(super) fn only_if(mut self, is_shown: bool) -> Self {
        self.is_shown = is_shown;
        self
    }
}

impl Table {
    /// A table with a row for each item.
    pub(super) fn of<'a, R>(
        caption: impl Into<String>,
        columns: impl IntoIterator<Item = Column<'a, R>>,
        rows: impl IntoIterator<Item = R>,
    ) -> Self {
        let columns: Vec<Column<R>> = columns.into_iter().filter(|column| column.is_shown).collect();
        let cells = |row: R| columns.iter().map(|column| (column.cell)(&row)).collect();
        let rows = rows.into_iter().map(cells).collect();
        Table {
            caption: caption.into(),
            rows,
            groups: Vec::new(),
            heads: columns.into_iter().map(|column| column.head).collect(),
        }
    }

    /// The title of the group that begins with this row.
    pub(super) fn group_at(&self, row: usize) -> Option<&str> {
        let mut groups = self.groups.iter();
        groups.find(|(first, _)| *first == row).map(|(_, title)| title.as_str())
    }

    /// Keeps the columns for which this holds.
    pub(super) fn retain_columns(&mut self, is_kept: impl Fn(&Head) -> bool) {
        let kept: Vec<bool> = self.heads.iter().map(is_kept).collect();
        let keep = |i: usize| kept[i];
        self.heads = filtered(std::mem::take(&mut self.heads), keep);
        for row in &mut self.rows {
            *row = filtered(std::mem::take(row), keep);
        }
    }

    /// The texts of the headers.
    #[cfg(test)]
    pub(super) fn headers(&self) -> Vec<&str> {
        self.heads.iter().map(|head| head.header.as_str()).collect()
    }

    /// The texts of each row.
    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<Vec<&str>> {
        let rows = self.rows.iter();
        rows.map(|row| row.iter().map(|cell| cell.text.as_str()).collect())
            .collect()
    }
}

/// Tables with the same columns as one, with a group of rows for each. One below another they could not be compared.
pub(super) fn stacked(tables: Vec<Table>) -> Vec<Table> {
    let mut stacked: Vec<Table> = Vec::new();
    for table in tables {
        let has_title = |table: &Table| !(table.caption.is_empty() && table.groups.is_empty());
        match stacked.last_mut() {
            Some(last) if last.heads == table.heads && has_title(last) && has_title(&table) => {
                if last.groups.is_empty() {
                    let (title, caption) = apart(&last.caption);
                    last.groups.push((0, title));
                    last.caption = caption;
                }
                last.groups.push((last.rows.len(), apart(&table.caption).0));
                last.rows.extend(table.rows);
            }
            _ => stacked.push(table),
        }
    }
    stacked
}

/// What tells a table from others, and what all of them show: `work=none: response time`.
fn apart(caption: &str) -> (String, String) {
    match caption.rsplit_once(": ") {
        Some((title, common)) => (title.to_owned(), capitalised(common)),
        None => (caption.to_owned(), String::new()),
    }
}

/// The tables that have a row.
pub(super) fn with_rows(tables: impl Iterator<Item = Table>) -> Vec<Table> {
    tables.filter(|table| !table.rows.is_empty()).collect()
}

fn filtered<T>(items: Vec<T>, is_kept: impl Fn(usize) -> bool) -> Vec<T> {
    let numbered = items.into_iter().enumerate();
    numbered.filter(|(i, _)| is_kept(*i)).map(|(_, item)| item).collect()
}
