//! A document in Markdown, with the charts beside it as files.

use std::fmt::Write as _;

use super::document::{Block, Document, Section, with_code};
use super::facts::Reason;
use super::format::printable;
use super::table::{Align, Table};

/// Charts are linked by their path below the run's folder.
pub(super) fn render(document: &Document) -> String {
    let mut out = format!("# {}\n\n{}\n\n", escape(&document.title), text(&document.subtitle));
    for reason in &document.distrust {
        let _ = write!(out, "**Do not trust these figures:** {}\n\n", escape(reason));
    }
    for sentence in &document.answer {
        let _ = write!(out, "{}\n\n", text(sentence));
    }
    if document.answer.is_empty() {
        let _ = write!(out, "{}\n\n", document.no_answer);
    }
    if !document.warnings.is_empty() {
        out.push_str("Warnings:\n\n");
        list(&mut out, document.warnings.iter().map(|warning| escape(warning)));
        out.push('\n');
    }
    let glance = &document.glance;
    let verdicts = glance.verdicts.iter().cloned().map(Block::Table);
    let chart = glance.chart.iter().cloned().map(|chart| Block::Chart(Box::new(chart)));
    for part in verdicts.chain(chart) {
        block(&mut out, &part);
        out.push('\n');
    }
    for (name, words) in &glance.notes {
        let _ = write!(out, "**{name}** {}\n\n", text(words));
    }
    for section in &document.sections {
        self::section(&mut out, section);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn section(out: &mut String, section: &Section) {
    let title = escape(section.title);
    if section.is_folded {
        let _ = write!(out, "<details><summary>{title}</summary>\n\n");
    } else {
        let _ = write!(out, "## {title}\n\n");
    }
    for part in &section.blocks {
        block(out, part);
        out.push('\n');
    }
    if section.is_folded {
        out.push_str("</details>\n\n");
    }
}

fn block(out: &mut String, block: &Block) {
    match block {
        Block::Paragraph(words) => line(out, &text(words)),
        Block::Table(table) => self::table(out, table),
        Block::LongTable { title, file, .. } => line(out, &format!("{}: [{file}]({file}).", escape(title))),
        Block::Chart(chart) => {
            let (title, description) = (escape(&chart.spec.title), escape(&chart.spec.description));
            line(
                out,
                &format!("### {title}\n\n![{description}](charts/{})", chart.file_name()),
            );
        }
        // The chart stands beside the text.
        Block::Drawing { .. } => {}
        Block::Reason(reason) => limits(out, reason),
        Block::List(items) => list(out, items.iter().map(|(name, words)| named(name, words))),
        Block::Definitions(items) => list(out, items.iter().map(|(word, meaning)| named(word, meaning))),
        Block::Listing { language, text } => listing(out, language, text),
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// A bottleneck with its evidence and its remedy.
fn limits(out: &mut String, reason: &Reason) {
    let remedy = text(&reason.remedy);
    let head = format!("**{}** ({}). {remedy}", reason.kind.as_str(), reason.meaning());
    let _ = write!(out, "{}\n\n", head.trim_end());
    let each = reason.configurations.iter();
    list(out, each.map(|(name, evidence)| named(name, evidence)));
}

fn named(name: &str, words: &str) -> String {
    if name.is_empty() {
        escape(words)
    } else {
        format!("**{}**: {}", escape(name), escape(words))
    }
}

fn list(out: &mut String, items: impl Iterator<Item = String>) {
    items.for_each(|item| line(out, &format!("- {item}")));
}

fn table(out: &mut String, table: &Table) {
    if !table.caption.is_empty() {
        let _ = write!(out, "**{}**\n\n", escape(&table.caption));
    }
    let mut row = |cells: Vec<String>| line(out, &format!("| {} |", cells.join(" | ")));
    row(table.heads.iter().map(|head| escape(&head.header)).collect());
    let rule = |align| match align {
        Align::Left => "---".to_owned(),
        Align::Right => "--:".to_owned(),
    };
    row(table.heads.iter().map(|head| rule(head.align)).collect());
    for (number, cells) in table.rows.iter().enumerate() {
        if let Some(title) = table.group_at(number) {
            let title = format!("**{}**", escape(title));
            let empty = std::iter::repeat_n(String::new(), cells.len() - 1);
            row(std::iter::once(title).chain(empty).collect());
        }
        let lines = |text: &str| text.lines().map(escape).collect::<Vec<_>>().join("<br>");
        row(cells.iter().map(|cell| lines(&cell.text)).collect());
    }
}

/// A fence longer than any in the text, so that none ends it.
fn listing(out: &mut String, language: &str, text: &str) {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = write!(out, "{fence}{language}\n{}\n{fence}\n", text.trim_end());
}

/// Text with code between backticks.
fn text(words: &str) -> String {
    let part = |(is_code, part): (bool, &str)| {
        if is_code {
            format!("`{}`", printable(part))
        } else {
            escape(part)
        }
    };
    with_code(words).into_iter().map(part).collect()
}

/// Text that Markdown shows as it is, in a table cell too.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::document::Form;
    use crate::report::outline;
    use crate::testing::report::Fixture;

    #[test]
    fn the_page_reads_from_the_answer_to_the_scenario() {
        insta::assert_snapshot!(render(&outline::document(&Fixture::one_vs_two().input(), Form::Page)));
    }

    #[test]
    fn the_brief_report_shows_answer_and_verdicts_and_folds_the_rest() {
        let text = render(&outline::document(&Fixture::one_vs_two().input(), Form::Brief));
        let open = text.split("<details>").next().unwrap();
        insta::assert_snapshot!(open);
        let titles: Vec<&str> = text
            .split("<details><summary>")
            .skip(1)
            .map(|part| part.split("</summary>\n\n").next().unwrap())
            .collect();
        assert_eq!(titles, ["Comparisons", "Settings", "Environment", "How to read this"]);
        assert_eq!(text.matches("\n\n</details>\n").count(), 4, "{text}");
        // Nothing that only works beside the run's files.
        assert!(!text.contains("](") && !text.contains("<script"), "{text}");
    }

    #[test]
    fn a_live_run_has_its_latencies_by_part_and_its_words() {
        let text = render(&outline::document(&Fixture::latency().input(), Form::Page));
        let section = |title: &str| {
            let begin = text.find(&format!("\n## {title}\n")).unwrap();
            let end = text[begin + 4..]
                .find("\n## ")
                .map_or(text.len(), |end| begin + 4 + end);
            text[begin..end].to_owned()
        };
        let parts = ["Results", "Latency by part", "Comparisons", "How to read this"].map(section);
        insta::assert_snapshot!(parts.concat());
    }

    #[test]
    fn text_of_the_user_cannot_become_markup() {
        assert_eq!(
            escape("a|b <script> *x* [y](z) `c`"),
            "a\\|b &lt;script&gt; \\*x\\* \\[y\\](z) \\`c\\`"
        );
    }

    #[test]
    fn a_fence_in_the_scenario_does_not_end_the_listing() {
        let mut out = String::new();
        listing(&mut out, "toml", "# ```` is a fence\n");
        assert_eq!(out, "`````toml\n# ```` is a fence\n`````\n");
    }
}
