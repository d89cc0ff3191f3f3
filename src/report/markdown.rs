//! The report in Markdown: compact, with the charts beside it as files.

use std::fmt::Write as _;

use super::ReportInput;
use super::chart::{Chart, charts};
use super::facts;
use super::format::printable;
use super::tables::scaling::Words;
use super::tables::{self, Table};
use super::why::why;

/// `report.md`; links the charts by their path below the run's folder.
pub fn markdown(input: &ReportInput) -> String {
    with_charts(input, &charts(input))
}

pub(super) fn with_charts(input: &ReportInput, charts: &[Chart]) -> String {
    let mut out = format!("# {}\n\n", escape(&input.summary.question));
    answer(&mut out, input);
    reasons(&mut out, input);
    for chart in charts {
        heading(&mut out, &chart.title);
        let _ = writeln!(out, "![{}](charts/{})", escape(&chart.description), chart.file_name);
    }
    section(&mut out, "Results", &tables::results(input));
    section(&mut out, "Latency by part", &tables::latencies(input));
    scaling(&mut out, input);
    section(&mut out, "Details", &tables::details(input));
    section(&mut out, "Comparisons", &tables::comparisons(input));
    let idle = facts::idle(input);
    if !idle.is_empty() {
        heading(&mut out, "Idle members");
        list(
            &mut out,
            idle.iter()
                .map(|(name, why)| format!("**{}**: {}", escape(name), escape(why))),
        );
    }
    section(
        &mut out,
        "Settings that differ from the defaults",
        &[without_caption(facts::settings(input))],
    );
    heading(&mut out, "Environment");
    facts_list(&mut out, &facts::environment(input));
    let quality = facts::quality(input);
    if !quality.is_empty() {
        heading(&mut out, "Quality of the run");
        facts_list(&mut out, &quality);
    }
    trials(&mut out, input);
    heading(&mut out, "How to read this");
    list(
        &mut out,
        facts::glossary(input)
            .iter()
            .map(|(word, meaning)| format!("**{word}**: {meaning}")),
    );
    heading(&mut out, "Scenario");
    source(&mut out, input.source);
    out
}

/// The report for a pull request or the summary of a job: answer, warnings and verdicts; the rest is folded. Links to no
/// file.
pub fn markdown_brief(input: &ReportInput) -> String {
    let mut out = format!("# {}\n\n", escape(&input.summary.question));
    answer(&mut out, input);
    section(&mut out, "Verdicts", &tables::own_comparisons(input));
    folded(&mut out, "Results", |out| tables_of(out, &tables::results(input)));
    folded(&mut out, "Environment", |out| {
        facts_list(out, &facts::environment(input));
        let settings = without_caption(facts::settings(input));
        if !settings.rows.is_empty() {
            out.push_str("\nSettings that differ from the defaults:\n\n");
            table(out, &settings);
        }
    });
    folded(&mut out, "How to read this", |out| {
        let glossary = facts::glossary(input);
        list(
            out,
            glossary.iter().map(|(word, meaning)| format!("**{word}**: {meaning}")),
        );
    });
    out
}

/// A part that is opened by a click, where Markdown may hold HTML.
pub(super) fn folded(out: &mut String, title: &str, body: impl FnOnce(&mut String)) {
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    let _ = write!(out, "<details><summary>{}</summary>\n\n", escape(title));
    body(out);
    out.push_str("\n</details>\n");
}

/// What more consumers, processes or threads gain, and which axis explains how much.
fn scaling(out: &mut String, input: &ReportInput) {
    section(out, "Scaling", &tables::scaling::scaling(input));
    let words = tables::scaling::scaling_words(input);
    if !words.is_empty() {
        out.push('\n');
        let item = |words: &Words| match words.title.as_str() {
            "" => escape(&words.all()),
            title => format!("**{}**: {}", escape(title), escape(&words.all())),
        };
        list(out, words.iter().map(item));
    }
    if let Some(text) = tables::scaling::effects_words(input) {
        heading(out, "What explains the differences");
        let _ = writeln!(out, "{}", escape(&text));
        if let Some(shares) = tables::scaling::effects(input) {
            out.push('\n');
            table(out, &shares);
        }
    }
}

fn answer(out: &mut String, input: &ReportInput) {
    for reason in &input.summary.quality.distrust {
        let _ = write!(out, "**Do not trust these figures:** {}\n\n", escape(reason));
    }
    for sentence in &input.summary.answer {
        let _ = write!(out, "{}\n\n", escape(sentence));
    }
    if input.summary.answer.is_empty() {
        out.push_str("No answer yet: too few trials were completed.\n\n");
    }
    let incomplete = (!input.summary.complete).then_some("This run is not complete: trials of its plan were not run.");
    let warnings: Vec<&str> = incomplete
        .into_iter()
        .chain(input.summary.warnings.iter().map(String::as_str))
        .collect();
    if !warnings.is_empty() {
        out.push_str("Warnings:\n\n");
        list(out, warnings.iter().map(|w| escape(w)));
    }
}

/// What limits the configurations, and what would change it.
fn reasons(out: &mut String, input: &ReportInput) {
    let reasons = why(input);
    if !reasons.is_empty() {
        heading(out, "Why");
    }
    for reason in reasons {
        let remedy = with_code(&reason.remedy);
        let _ = write!(out, "**{}** ({}). {remedy}\n\n", reason.kind, reason.meaning);
        let told = reason.configurations.iter();
        list(out, told.map(|(name, evidence)| named(name, evidence)));
        out.push('\n');
    }
}

fn named(name: &str, evidence: &str) -> String {
    if name.is_empty() {
        escape(evidence)
    } else {
        format!("{}: {}", escape(name), escape(evidence))
    }
}

pub(super) fn heading(out: &mut String, text: &str) {
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    let _ = write!(out, "## {}\n\n", escape(text));
}

pub(super) fn list(out: &mut String, items: impl Iterator<Item = String>) {
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
}

fn facts_list(out: &mut String, facts: &[(&'static str, String)]) {
    let item = |(name, value): &(&str, String)| format!("**{name}**: {}", escape(value));
    list(out, facts.iter().map(item));
}

pub(super) fn section(out: &mut String, title: &str, tables: &[Table]) {
    if tables.iter().all(|t| t.rows.is_empty()) {
        return;
    }
    heading(out, title);
    tables_of(out, tables);
}

pub(super) fn tables_of(out: &mut String, tables: &[Table]) {
    for (i, t) in tables.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if !t.caption.is_empty() {
            let _ = write!(out, "**{}**\n\n", escape(&t.caption));
        }
        table(out, t);
    }
}

fn without_caption(table: Table) -> Table {
    Table {
        caption: String::new(),
        ..table
    }
}

/// All trials would drown the page: those with something to be said, and where the others are.
fn trials(out: &mut String, input: &ReportInput) {
    heading(out, "Trials");
    let _ = writeln!(
        out,
        "{} All of them are in [trials.csv](trials.csv).",
        facts::trials_sentence(input)
    );
    let mut noteworthy = without_caption(facts::trials(input));
    noteworthy
        .rows
        .retain(|row| row.last().is_some_and(|remarks| !remarks.is_empty()));
    if !noteworthy.rows.is_empty() {
        out.push('\n');
        table(out, &noteworthy);
    }
}

fn table(out: &mut String, table: &Table) {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(table.headers.iter().map(|h| escape(h)).collect()));
    out.push_str(&line(
        table
            .numeric
            .iter()
            .map(|n| if *n { "--:" } else { "---" }.to_owned())
            .collect(),
    ));
    for row in &table.rows {
        out.push_str(&line(row.iter().map(|cell| escape(cell)).collect()));
    }
}

/// A fence longer than any in the text, so that none ends it.
fn source(out: &mut String, text: &str) {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = write!(out, "{fence}toml\n{}\n{fence}\n", text.trim_end());
}

/// The same as [`escape`], but that what stands between backticks is code.
fn with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // Without its partner a backtick is one.
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let part = |(number, part): (usize, &str)| match number % 2 {
        0 => escape(part),
        _ => format!("`{}`", printable(part)),
    };
    parts.into_iter().enumerate().map(part).collect()
}

/// Text that Markdown shows as it is, in a table cell too.
pub(super) fn escape(text: &str) -> String {
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
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn the_page_reads_from_the_answer_to_the_scenario() {
        insta::assert_snapshot!(markdown(&Fixture::one_vs_two().input()));
    }

    #[test]
    fn the_brief_report_shows_answer_and_verdicts_and_folds_the_rest() {
        let text = markdown_brief(&Fixture::one_vs_two().input());
        let shown = text.split("<details>").next().unwrap();
        insta::assert_snapshot!(shown);
        let titles: Vec<&str> = text
            .split("<details><summary>")
            .skip(1)
            .map(|part| part.split("</summary>\n\n").next().unwrap())
            .collect();
        assert_eq!(titles, ["Results", "Environment", "How to read this"]);
        assert_eq!(text.matches("\n\n</details>\n").count(), 3, "{text}");
        // Nothing that only works beside the run's files.
        assert!(!text.contains("](") && !text.contains("<script"), "{text}");
    }

    #[test]
    fn a_live_run_has_its_latencies_by_part_and_its_words() {
        let text = markdown(&Fixture::latency().input());
        let section = |title: &str| {
            let begin = text.find(&format!("\n## {title}\n")).unwrap();
            let end = text[begin + 4..]
                .find("\n## ")
                .map_or(text.len(), |end| begin + 4 + end);
            text[begin..end].to_owned()
        };
        let shown = ["Results", "Latency by part", "Comparisons", "How to read this"].map(section);
        insta::assert_snapshot!(shown.concat());
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
        source(&mut out, "# ```` is a fence\n");
        assert_eq!(out, "`````toml\n# ```` is a fence\n`````\n");
    }
}
