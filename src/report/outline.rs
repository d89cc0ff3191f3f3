//! The order of the reports of a run: what its page, its brief form and the terminal show.

use super::chart::charts;
use super::document::{self, Block, Document, Section, with_content};
use super::facts;
use super::input::ReportInput;
use super::labels::Labels;
use super::tables::{self, scaling};

/// How much of a report a terminal shows. The page has everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The answer and the warnings.
    Answer,
    /// Two screens: these, the results, and what explains them.
    Screens,
    /// Everything that fits a terminal.
    Everything,
}

/// The report with everything in it.
pub(super) fn page(input: &ReportInput) -> Document {
    // The table is the other half of the answer, and the first chart shows it. What explains it comes before all that
    // is looked up.
    let mut charts = charts(input).into_iter().map(Block::Chart);
    let first = charts.by_ref().take(1).collect();
    of_run(
        input,
        [
            Section::new("results", "Results", document::tables(tables::results(input))),
            requirements(input),
            Section::new("chart", "At a glance", first),
            Section::new(
                "why",
                "Why",
                facts::reasons(input).into_iter().map(Block::Reason).collect(),
            ),
            Section::new("charts", "More charts", charts.collect()),
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
            Section::new("time", "Where the time went", vec![Block::Table(facts::times(input))]),
            Section::new("trials", "Trials", trials(input)),
            Section::new("scenario", "Scenario", vec![source(input)]),
            reading(input),
        ],
    )
}

/// Answer, warnings and results; the rest is folded. For a pull request or the summary of a job, so without charts.
pub(super) fn brief(input: &ReportInput) -> Document {
    of_run(
        input,
        [
            requirements(input),
            Section::new("results", "Results", document::tables(tables::results(input))),
            Section::new(
                "comparisons",
                "Comparisons",
                document::tables(tables::own_comparisons(input)),
            )
            .folded(),
            environment(input).folded(),
            Section::new("settings", "Settings", settings(input)).folded(),
            reading(input).folded(),
        ],
    )
}

/// The answer, and as much as asked for of the results and what explains them.
pub(super) fn terminal(input: &ReportInput, extent: Extent) -> Document {
    if extent == Extent::Answer {
        return of_run(input, []);
    }
    let reasons = facts::reasons(input).into_iter().map(Block::Reason).collect();
    let idle = facts::idle(input).into_iter();
    let idle = idle.map(|(names, why)| Block::Paragraph(format!("Idle in {names}: {why}")));
    let short = [
        Section::new("results", "", document::tables(tables::results(input))),
        requirements(input),
        Section::new("why", "Why, and what would change it", reasons),
    ];
    if extent == Extent::Screens {
        return of_run(input, short);
    }
    let effects = scaling::effects_words(input).map(Block::Paragraph);
    // The evidence of the bottleneck counts them, too.
    let long = [
        Section::new("idle", "", idle.collect()),
        Section::new("scaling", "Scaling", scaling(input)),
        Section::new("effects", "", effects.into_iter().collect()),
    ];
    of_run(input, short.into_iter().chain(long))
}

fn of_run(input: &ReportInput, sections: impl IntoIterator<Item = Section>) -> Document {
    let summary = input.summary;
    let (first, last) = facts::dates(input);
    let version = &input.environment.tandem_version;
    Document {
        title: summary.question.clone(),
        subtitle: format!(
            "Scenario `{}`, measured {first} to {last} with tandem {version}.",
            summary.scenario
        ),
        distrust: summary.quality.distrust.clone(),
        answer: summary.answer.clone(),
        no_answer: "No answer yet: too few trials were completed.",
        warnings: summary.warnings.clone(),
        sections: with_content(sections),
        page: "the page",
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
    let refusals = scaling::refusals(all).into_iter().map(Block::Paragraph);
    blocks.chain(refusals).collect()
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
