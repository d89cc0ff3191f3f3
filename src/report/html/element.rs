//! The pieces of the page. Everything from outside is escaped here.

use std::fmt::Write as _;

use crate::report::format::printable;
use crate::report::tables::Table;

/// Cells longer than this get a wider column.
const LONG_CELL: usize = 24;

/// Text for elements and attribute values, without control characters.
pub(in crate::report) fn escape(text: &str) -> String {
    escape_lines(&printable(text))
}

/// The same, keeping line breaks and tabs.
pub(super) fn escape_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

/// The same as [`escape`], with what stands between backticks as code.
pub(super) fn with_code(text: &str) -> String {
    let escaped = escape(text);
    let parts: Vec<&str> = escaped.split('`').collect();
    // Without its partner a backtick is one.
    if parts.len().is_multiple_of(2) {
        return escaped;
    }
    let part = |(number, part): (usize, &str)| match number % 2 {
        0 => part.to_owned(),
        _ => format!("<code>{part}</code>"),
    };
    parts.into_iter().enumerate().map(part).collect()
}

pub(in crate::report) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// A list of items that are HTML already.
pub(in crate::report) fn list(items: impl Iterator<Item = String>) -> String {
    let mut out = "<ul>\n".to_owned();
    for item in items {
        let _ = writeln!(out, "<li>{item}</li>");
    }
    out.push_str("</ul>\n");
    out
}

pub(in crate::report) fn definitions(entries: &[(&str, String)]) -> String {
    let entries = entries.iter().fold(String::new(), |mut out, (word, meaning)| {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(word), escape(meaning));
        out
    });
    format!("<dl>\n{entries}</dl>\n")
}

/// A box that scrolls by itself, by keyboard too, so that the page does not.
pub(super) fn scroll(label: &str, content: &str) -> String {
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{}\" tabindex=\"0\">\n{content}</div>\n",
        escape(label)
    )
}

/// A table whose first column names the row.
pub(super) fn table(table: &Table) -> String {
    let class = |i: usize| if table.numeric[i] { " class=\"n\"" } else { "" };
    let mut out = "<table>\n".to_owned();
    if !table.caption.is_empty() {
        let _ = writeln!(out, "<caption>{}</caption>", escape(&table.caption));
    }
    out.push_str("<thead><tr>");
    for (i, header) in table.headers.iter().enumerate() {
        let _ = write!(out, "<th scope=\"col\"{}>{}</th>", class(i), escape(header));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            let text = escape(cell);
            let long = if !table.numeric[i] && cell.chars().count() > LONG_CELL {
                " class=\"long\""
            } else {
                class(i)
            };
            let _ = match i {
                0 => write!(out, "<th scope=\"row\"{}>{text}</th>", class(i)),
                _ => write!(out, "<td{long}>{text}</td>"),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
    out
}
