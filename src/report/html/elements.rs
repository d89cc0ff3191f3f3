//! The pieces of the page.

use maud::{Markup, PreEscaped, html};

use crate::report::chart::Chart;
use crate::report::document::{Block, Section, with_code};
use crate::report::facts::Reason;
use crate::report::table::{Align, Cell, Head, Table, Tone};
use crate::wording::joined;

/// Cells longer than this get a wider column.
const LONG_CELL: usize = 24;

pub(super) fn block(section: &Section, block: &Block) -> Markup {
    let table = |table: &Table| self::table(section.id, section.title, table);
    match block {
        Block::Paragraph(words) => paragraph(words),
        Block::Table(content) => table(content),
        Block::LongTable { table: long, title, .. } => html! {
            details { summary { (title) } (table(long)) }
        },
        Block::Chart(chart) => figure(chart),
        // The page has the chart.
        Block::Drawing { .. } => html! {},
        Block::Reason(reason) => limits(reason),
        Block::List(items) => list(items),
        Block::Definitions(items) => html! {
            dl { @for (word, meaning) in items { dt { (word) } dd { (meaning) } "\n" } }
        },
        Block::Listing { text, .. } => scroll(section.title, &html! { pre { code { (text) } } }),
    }
}

pub(super) fn paragraph(words: &str) -> Markup {
    html! { p { (text(words)) } }
}

/// Text with code between backticks.
pub(super) fn text(words: &str) -> Markup {
    html! {
        @for (is_code, part) in with_code(words) {
            @if is_code { code { (part) } } @else { (part) }
        }
    }
}

fn list(items: &[(String, String)]) -> Markup {
    html! {
        ul {
            @for (name, words) in items {
                li { @if !name.is_empty() { strong { (name) } ": " } (words) }
                "\n"
            }
        }
    }
}

/// A bottleneck with its evidence and its remedy.
fn limits(reason: &Reason) -> Markup {
    html! {
        h3 { code { (reason.kind.as_str()) } ": " (reason.meaning()) }
        @if !reason.remedy.is_empty() { (paragraph(&reason.remedy)) }
        (list(&reason.configurations))
    }
}

/// A box that scrolls by itself, by keyboard too, so that the page does not.
fn scroll(label: &str, content: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(label) tabindex="0" { (content) } }
}

/// A table of the section with this id and title.
pub(super) fn table(id: &str, title: &str, table: &Table) -> Markup {
    let label = joined([title, &table.caption], ": ");
    scroll(
        &label,
        &html! {
            table data-name=(id) {
                @if !table.caption.is_empty() { caption { (table.caption) } }
                thead {
                    tr {
                        @for head in &table.heads { th scope="col" class=[alignment(head)] { (head.header) } }
                    }
                }
                tbody {
                    @for (number, row) in table.rows.iter().enumerate() {
                        @if let Some(title) = table.group_at(number) {
                            tr.group { th scope="rowgroup" colspan=(row.len()) { (title) } }
                            "\n"
                        }
                        tr data-c=[row.first().and_then(|cell| cell.configuration)] { @for (number, cell) in row.iter().enumerate() { (data(number, &table.heads[number], cell)) } }
                        "\n"
                    }
                }
            }
        },
    )
}

/// The first cell of a row names it.
fn data(column: usize, head: &Head, cell: &Cell) -> Markup {
    let is_long = head.align == Align::Left && cell.text.chars().count() > LONG_CELL;
    let classes = [if is_long { Some("long") } else { alignment(head) }, tone(cell.tone)];
    let classes = joined(classes.into_iter().flatten(), " ");
    let class = Some(classes).filter(|classes| !classes.is_empty());
    html! {
        @if column == 0 {
            th scope="row" class=[alignment(head)] { (cell.text) }
        } @else {
            td class=[class] data-c=[cell.configuration] { (lines(&cell.text)) }
        }
    }
}

/// Lines below each other; the first says it and the others prove it.
fn lines(text: &str) -> Markup {
    let mut lines = text.lines();
    html! {
        (lines.next().unwrap_or_default())
        @for line in lines { br; span.evidence { (line) } }
    }
}

fn alignment(head: &Head) -> Option<&'static str> {
    match head.align {
        Align::Left => None,
        Align::Right => Some("n"),
    }
}

fn tone(tone: Tone) -> Option<&'static str> {
    match tone {
        Tone::Plain => None,
        Tone::Good => Some("good"),
        Tone::Bad => Some("bad"),
        Tone::Caution => Some("caution"),
    }
}

/// A chart with its title, what it shows, the drawings for wide and for narrow screens, and its figures.
pub(super) fn figure(chart: &Chart) -> Markup {
    let (title, id) = (&chart.spec.title, chart.spec.name);
    html! {
        figure data-chart=(id) {
            figcaption { h3 id={ (id) "-title" } { (title) } }
            (PreEscaped(&chart.wide))
            (PreEscaped(&chart.narrow))
            details.figures {
                summary { "What it shows, and its figures" }
                p.quiet id={ (id) "-text" } { (chart.spec.description) }
                (table(id, &format!("Figures of the chart {title}"), &chart.table))
            }
        }
    }
}
