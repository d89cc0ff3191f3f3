//! The report: what a run found out, for people (terminal, Markdown, one HTML page, charts) and for other programs
//! (CSV, JSON). Pure functions from the stored trials to strings: no file, no clock, neither Kafka nor a process.

mod chart;
mod compare;
mod csv;
mod facts;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::wildcard_imports)]
mod fixture;
mod format;
mod html;
mod json;
mod junit;
mod labels;
mod markdown;
mod tables;
mod terminal;
mod why;

pub use chart::{Chart, charts};
pub use compare::{CompareInput, compare_html, compare_json, compare_markdown, compare_terminal};
pub use csv::{summary_csv, trials_csv, verdicts_csv};
pub use format::{bytes, duration, memory_in_words, rate, ratio_estimate, thousands};
pub use html::html;
pub use json::summary_json;
pub use junit::{JunitSuite, junit};
pub use markdown::{markdown, markdown_brief};
pub use terminal::terminal;

use crate::measure::{Environment, Trial};
use crate::scenario::Scenario;
use crate::summary::Summary;

/// Everything that a report is made from.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// The scenario that was run.
    pub scenario: &'a Scenario,
    /// Every stored trial, in the order of running: pilots, warm-up and counted ones.
    pub trials: &'a [Trial],
    /// What the trials say.
    pub summary: &'a Summary,
    /// Where they were run.
    pub environment: &'a Environment,
    /// The scenario file's text.
    pub source: &'a str,
}

/// Every file of the report with its path below the run's folder, in the order in which to write them.
pub fn files(input: &ReportInput) -> Vec<(String, String)> {
    let charts = charts(input);
    let mut files = vec![
        ("trials.csv".to_owned(), trials_csv(input)),
        ("summary.csv".to_owned(), summary_csv(input)),
        ("verdicts.csv".to_owned(), verdicts_csv(input)),
        ("summary.json".to_owned(), summary_json(input)),
    ];
    files.extend(
        charts
            .iter()
            .map(|c| (format!("charts/{}", c.file_name), c.svg.clone())),
    );
    files.push(("report.md".to_owned(), markdown::with_charts(input, &charts)));
    files.push(("report.html".to_owned(), html::with_charts(input, &charts)));
    files
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::fixture::Fixture;

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

    /// Not a check but a picture: writes the fixtures to `target/report-preview/` for somebody to look at.
    #[test]
    fn the_preview_is_written() {
        let live = [Fixture::latency(), Fixture::catch_up(), Fixture::capacity()];
        let backlog = [Fixture::one_vs_two(), Fixture::scaling(), Fixture::scaling_beyond()];
        for fixture in backlog.into_iter().chain(live) {
            let folder = std::path::Path::new("target/report-preview").join(&fixture.scenario.name);
            std::fs::create_dir_all(folder.join("charts")).unwrap();
            for (name, text) in super::files(&fixture.input()) {
                std::fs::write(folder.join(name), text).unwrap();
            }
            let text = super::terminal(&fixture.input(), 120, true);
            std::fs::write(folder.join("terminal.txt"), text).unwrap();
        }
    }
}
