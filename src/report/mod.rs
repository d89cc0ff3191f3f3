//! The report: what a run found out, for people (terminal, Markdown, one HTML page, charts) and for other programs
//! (CSV, JSON, JUnit). Pure functions from the stored trials to strings: no file, no clock, neither Kafka nor a process.
//!
//! Tables, facts and charts make a document; the renderers give it a form.

#[cfg(test)]
mod answer_tests;
mod chart;
mod compare;
mod conclusion;
mod csv;
mod document;
mod facts;
mod format;
mod html;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::items_after_statements)]
mod in_browser;
mod input;
mod json;
mod junit;
mod labels;
mod markdown;
mod outline;
mod packed;
mod table;
mod tables;
mod terminal;
mod terminal_table;

pub use compare::CompareInput;
pub use document::Extent;
pub use format::{bytes, duration, memory_in_words, rate, ratio_estimate};
pub use input::ReportInput;
pub use json::compare_json;
pub use junit::{JunitSuite, junit};
pub use tables::requirement_sentence;

use self::document::Form;

/// Every file of the report with its path below the run's folder, in the order in which to write them.
pub fn files(input: &ReportInput) -> Vec<(String, String)> {
    let page = outline::document(input, Form::Page);
    let tables = [
        ("trials.csv", csv::trials_csv(input)),
        ("summary.csv", csv::summary_csv(input)),
        ("verdicts.csv", csv::verdicts_csv(input)),
        ("summary.json", json::summary_json(input)),
    ];
    let changes = csv::changes_csv(input).map(|text| ("changes.csv".to_owned(), text));
    let charts = page
        .charts()
        .map(|c| (format!("charts/{}", c.file_name()), c.svg.clone()));
    let pages = [
        ("report.md", markdown::render(&page)),
        ("report.html", html::render(&page)),
    ];
    let named = |(name, text): (&str, String)| (name.to_owned(), text);
    let tables = tables.into_iter().map(named);
    tables
        .chain(changes)
        .chain(charts)
        .chain(pages.into_iter().map(named))
        .collect()
}

/// The report for a terminal. `width` in columns; `colour` allows ANSI sequences.
pub fn terminal(input: &ReportInput, width: usize, colour: bool, extent: Extent) -> String {
    let lines_max = match extent {
        Extent::Answer => terminal::ANSWER_LINES,
        Extent::Screens => terminal::SCREENS_LINES,
        Extent::Everything => usize::MAX,
    };
    terminal::render(
        &outline::document(input, Form::Terminal(extent)),
        width,
        colour,
        lines_max,
    )
}

/// How much of a run's time was reading, in words; `None` where its times are not known.
pub fn reading_share(input: &ReportInput) -> Option<String> {
    input.summary.time.as_ref().map(facts::reading_share)
}

/// The report for a pull request or the summary of a job. Links to no file.
pub fn markdown_brief(input: &ReportInput) -> String {
    markdown::render(&outline::document(input, Form::Brief))
}

/// A comparison for a terminal. `width` in columns; `colour` allows ANSI sequences.
pub fn compare_terminal(input: &CompareInput, width: usize, colour: bool) -> String {
    terminal::render(
        &compare::document(input, Form::Terminal(Extent::Everything)),
        width,
        colour,
        usize::MAX,
    )
}

/// A comparison in Markdown, for a comment on a change. Links to no file.
pub fn compare_markdown(input: &CompareInput) -> String {
    markdown::render(&compare::document(input, Form::Brief))
}

/// A comparison as one HTML page.
pub fn compare_html(input: &CompareInput) -> String {
    html::render(&compare::document(input, Form::Page))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Extent;
    use crate::testing::report::Fixture;

    #[test]
    fn every_file_of_a_report_has_a_name_of_its_own_and_something_in_it() {
        let fixture = Fixture::one_vs_two();
        let files = super::files(&fixture.input());
        let mut names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert!(
            names.contains(&"report.html") && names.contains(&"charts/throughput.svg"),
            "{names:?}"
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), files.len());
        assert!(files.iter().all(|(_, text)| !text.is_empty()));
    }

    #[test]
    fn the_same_input_gives_the_same_files() {
        let fixture = Fixture::one_vs_two();
        assert_eq!(super::files(&fixture.input()), super::files(&fixture.input()));
    }

    #[test]
    fn trials_without_what_no_report_shows_give_the_same_report() {
        for mut fixture in [Fixture::latency(), Fixture::capacity(), Fixture::one_vs_two()] {
            let before = super::files(&fixture.input());
            let plan = crate::plan::Plan::new(fixture.scenario.clone());
            let summary = crate::summary::summarise(&plan, &fixture.trials);
            for measurement in fixture.trials.iter_mut().filter_map(|trial| trial.measurement.as_mut()) {
                measurement.condense();
            }
            assert_eq!(crate::summary::summarise(&plan, &fixture.trials), summary);
            assert_eq!(super::files(&fixture.input()), before);
        }
    }

    /// Writes the fixtures to `target/report-preview/` for somebody to look at.
    #[test]
    fn the_preview_is_written() {
        let live = [Fixture::latency(), Fixture::catch_up(), Fixture::capacity()];
        let backlog = [Fixture::one_vs_two(), Fixture::scaling(), Fixture::scaling_beyond()];
        for fixture in backlog.into_iter().chain(live).chain(Fixture::shipped()) {
            let folder = std::path::Path::new("target/report-preview").join(&fixture.scenario.name);
            std::fs::create_dir_all(folder.join("charts")).unwrap();
            for (name, text) in super::files(&fixture.input()) {
                std::fs::write(folder.join(name), text).unwrap();
            }
            let text = super::terminal(&fixture.input(), 120, true, Extent::Screens);
            std::fs::write(folder.join("terminal.txt"), text).unwrap();
        }
    }
}
