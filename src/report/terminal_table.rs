//! A table for a terminal: how wide its columns are, and its lines.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Width};

use super::format::printable;
use super::table::{Align, Head, Table, Tone};

/// Words are wrapped at this width.
const WORDS_WIDTH: usize = 24;

/// Whether a table fits with no word broken, and no header of figures either.
pub(super) fn fits(table: &Table, width: usize) -> bool {
    wrapped_width(table) <= width
}

/// Whether it fits with headers of figures wrapped, and no word broken.
pub(super) fn fits_wrapped(table: &Table, width: usize) -> bool {
    least_width(table, WORDS_WIDTH) <= width
}

/// The width of a table whose words are wrapped at [`WORDS_WIDTH`], and whose figures and their headers are not.
fn wrapped_width(table: &Table) -> usize {
    width_of(table, |column, align| match align {
        Align::Left => widest_cell(table, column).min(WORDS_WIDTH),
        Align::Right => widest_cell(table, column),
    })
}

/// The width below which figures, or words of up to so many characters, would have to be broken.
fn least_width(table: &Table, word_max: usize) -> usize {
    width_of(table, |column, align| match align {
        Align::Left => longest_word(table, column, word_max),
        Align::Right => figures_width(table, column),
    })
}

/// Cells have a space on either side, and one more between them.
fn width_of(table: &Table, width: impl Fn(usize, Align) -> usize) -> usize {
    let columns = table.heads.iter().enumerate();
    let sum: usize = columns.map(|(column, head)| 3 + width(column, head.align)).sum();
    sum.saturating_sub(1)
}

fn widest_cell(table: &Table, column: usize) -> usize {
    figures_width(table, column).max(table.heads[column].header.chars().count())
}

/// The width of a column of figures whose header is wrapped.
fn figures_width(table: &Table, column: usize) -> usize {
    let cells = table.rows.iter().map(|row| row[column].text.as_str());
    let texts = cells.chain(table.heads[column].header.split(' '));
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

/// The longest word of a column. One that is longer than the maximum may be broken.
fn longest_word(table: &Table, column: usize, word_max: usize) -> usize {
    let cells = table.rows.iter().map(|row| row[column].text.as_str());
    let words = cells
        .chain([table.heads[column].header.as_str()])
        .flat_map(|text| text.split(' '));
    words.map(|word| word.chars().count()).max().unwrap_or(0).min(word_max)
}

fn with_margins(width: usize) -> Width {
    Width::Fixed(u16::try_from(2 + width).unwrap_or(u16::MAX))
}

pub(super) fn draw(table: &Table, width: usize, colour: bool) -> String {
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
    for (number, row) in table.rows.iter().enumerate() {
        if let Some(title) = table.group_at(number) {
            drawn.add_row([comfy_table::Cell::new(printable(title)).add_attribute(Attribute::Bold)]);
        }
        drawn.add_row(row.iter().map(|cell| {
            let text = comfy_table::Cell::new(printable(&cell.text));
            match colour_of(cell.tone) {
                Some(colour) => text.fg(colour),
                None => text,
            }
        }));
    }
    let headers_fit = fits(table, width);
    // Words are broken only where the table would not fit otherwise.
    let word_max = (1..=WORDS_WIDTH)
        .rev()
        .find(|max| least_width(table, *max) <= width)
        .unwrap_or(1);
    for (i, head) in table.heads.iter().enumerate() {
        let Some(column) = drawn.column_mut(i) else { continue };
        match head.align {
            Align::Right => {
                column.set_cell_alignment(CellAlignment::Right);
                column.set_constraint(if headers_fit {
                    ColumnConstraint::ContentWidth
                } else {
                    ColumnConstraint::Absolute(with_margins(figures_width(table, i)))
                });
            }
            Align::Left => {
                let least = with_margins(longest_word(table, i, word_max));
                column.set_constraint(ColumnConstraint::LowerBoundary(least));
            }
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
