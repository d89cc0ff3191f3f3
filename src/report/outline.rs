//! The order of the reports of a run: what its page, its brief form and the terminal show.

use super::chart::charts;
use super::document::{self, Block, Document, Section, with_content};
use super::facts;
use super::grouped::joined;
use super::input::ReportInput;
use super::labels::Labels;
use super::tables::{self, scaling};
use crate::summary::has_sentence_each;

/// The report with everything in it.
pub(super) fn page(input: &ReportInput) -> Document {
    // The first chart shows the answer. What explains it comes before all that is looked up.
    let mut charts = charts(input).into_iter().map(Block::Chart);
    let first = charts.by_ref().take(1).collect();
    of_run(
        input,
        [
            Section::new("chart", "At a glance", first),
            Section::new(
                "why",
                "Why",
                facts::reasons(input).into_iter().map(Block::Reason).collect(),
            ),
            Section::new("charts", "More charts", charts.collect()),
            requirements(input),
            Section::new("results", "Results", document::tables(tables::results(input))),
            Section::new(
                "latencies",
                "Latency by part",
                document::tables(tables::latencies(input)),
            ),
            Section::new("scaling", "Scaling", scaling(input)),
            Section::new("effects", "What explains the differences", effects(input)),
            Section::new("details", "Details", document::tables(tables::details(input))),
            Section::new("comparisons", "Comparisons", comparisons(input)),
            Section::new("idle", "Idle members", vec![Block::List(facts::idle(input))]),
            Section::new("settings", "Settings", settings(input)),
            environment(input),
            Section::new(
                "quality",
                "Quality of the run",
                vec![Block::Definitions(facts::quality(input))],
            ),
            Section::new("trials", "Trials", trials(input)),
            Section::new("scenario", "Scenario", vec![source(input)]),
            reading(input),
        ],
    )
}

/// Answer, warnings and verdicts; the rest is folded. For a pull request or the summary of a job, so without charts.
pub(super) fn brief(input: &ReportInput) -> Document {
    of_run(
        input,
        [
            requirements(input),
            Section::new("verdicts", "Verdicts", document::tables(tables::own_comparisons(input))),
            Section::new("results", "Results", document::tables(tables::results(input))).folded(),
            environment(input).folded(),
            Section::new("settings", "Settings", settings(input)).folded(),
            reading(input).folded(),
        ],
    )
}

/// The answer, the results and what explains them.
pub(super) fn terminal(input: &ReportInput) -> Document {
    let reasons = facts::reasons(input).into_iter().map(Block::Reason).collect();
    let idle = facts::idle(input).into_iter();
    let idle = idle.map(|(names, why)| Block::Paragraph(format!("Idle in {names}: {why}")));
    let effects = scaling::effects_words(input).map(Block::Paragraph);
    of_run(
        input,
        [
            Section::new("results", "", document::tables(tables::results(input))),
            requirements(input),
            Section::new("why", "Why, and what would change it", reasons),
            Section::new("scaling", "", scaling_in_terminal(input)),
            Section::new("effects", "", effects.into_iter().collect()),
            Section::new("idle", "", idle.collect()),
        ],
    )
}

fn of_run(input: &ReportInput, sections: impl IntoIterator<Item = Section>) -> Document {
    let summary = input.summary;
    let (first, last) = facts::dates(input);
    let version = &input.environment.tandem_version;
    let incomplete = "This run is not complete: trials of its plan were not run.".to_owned();
    let incomplete = (!summary.complete).then_some(incomplete);
    Document {
        title: summary.question.clone(),
        subtitle: format!(
            "Scenario `{}`, measured {first} to {last} with tandem {version}.",
            summary.scenario
        ),
        distrust: summary.quality.distrust.clone(),
        answer: summary.answer.clone(),
        no_answer: "No answer yet: too few trials were completed.",
        warnings: incomplete.into_iter().chain(summary.warnings.iter().cloned()).collect(),
        sections: with_content(sections),
        footer: "Made by tandem from the stored trials of the run. The figures are also in `summary.csv`, `trials.csv` and \
                 `summary.json`.",
        tandem_version: version.clone(),
    }
}

/// What the scenario requires of figures.
fn requirements(input: &ReportInput) -> Section {
    let tables = document::tables(tables::requirements(input));
    Section::new("requirements", "Requirements", tables)
}

/// Each series with its table and what it shows.
fn scaling(input: &ReportInput) -> Vec<Block> {
    let labels = Labels::new(input.scenario);
    let all = &input.summary.scaling;
    let blocks = all.iter().flat_map(|series| {
        let table = scaling::series_table(&labels, series, scaling::title(series, all));
        [Block::Table(table), Block::Paragraph(scaling::words(series))]
    });
    blocks.collect()
}

/// The series with several numbers to choose from. What the answer says already is left out.
fn scaling_in_terminal(input: &ReportInput) -> Vec<Block> {
    let labels = Labels::new(input.scenario);
    let all = &input.summary.scaling;
    let blocks = all.iter().filter(|series| series.points.len() > 2).flat_map(|series| {
        let caption = joined(["Scaling", &scaling::title(series, all)], ", ");
        let words = if has_sentence_each(all) {
            scaling::law(series)
        } else {
            scaling::words(series)
        };
        let table = scaling::series_table(&labels, series, caption);
        [Block::Table(table), Block::Paragraph(words)]
    });
    blocks.collect()
}

/// The shares of the axes in words and in a table.
fn effects(input: &ReportInput) -> Vec<Block> {
    let words = scaling::effects_words(input).map(Block::Paragraph);
    let shares = scaling::effects(input).map(Block::Table);
    words.into_iter().chain(shares).collect()
}

fn comparisons(input: &ReportInput) -> Vec<Block> {
    let found = tables::comparisons(input);
    if found.is_empty() {
        return Vec::new();
    }
    let words = match input.scenario.metric {
        None => "How many times as fast as the baseline, from pairs of trials within blocks. Verdicts rest on the read time. \
                 The stopwatch is given beside it, because it also holds starting and joining."
            .to_owned(),
        Some(chosen) => format!(
            "How far each is from its baseline by `{}`, the scenario's metric, from pairs of trials within blocks. A ratio \
             above 1 is better; a difference is the configuration's figure minus the baseline's.",
            chosen.figure.figure().name
        ),
    };
    let mut blocks = vec![Block::Paragraph(words)];
    blocks.extend(document::tables(found));
    blocks
}

fn settings(input: &ReportInput) -> Vec<Block> {
    let settings = facts::settings(input);
    if settings.rows.is_empty() {
        return vec![Block::Paragraph(
            "Brokers and clients ran with their defaults.".to_owned(),
        )];
    }
    vec![Block::Table(settings)]
}

fn environment(input: &ReportInput) -> Section {
    let facts = Block::Definitions(facts::environment(input));
    Section::new("environment", "Environment", vec![facts])
}

fn trials(input: &ReportInput) -> Vec<Block> {
    vec![
        Block::Paragraph(facts::trials_sentence(input)),
        Block::Table(facts::trials_with_remarks(input)),
        Block::LongTable {
            table: facts::trials(input),
            title: format!("Every trial ({})", input.trials.len()),
            file: "trials.csv",
        },
    ]
}

fn source(input: &ReportInput) -> Block {
    Block::Listing {
        language: "toml",
        text: input.source.to_owned(),
    }
}

fn reading(input: &ReportInput) -> Section {
    let words = Block::Definitions(facts::glossary(input));
    Section::new("reading", "How to read this", vec![words])
}
