//! The order of the reports of a run. A table or a chart is added to all of them here.

use super::chart::{CHANGES, SCALING, charts, in_letters};
use super::document::{Block, Document, Extent, Form, Glance, Outline, Section, tables};
use super::facts;
use super::input::ReportInput;
use super::labels::Labels;
use super::packed::PackedTrials;
use super::tables::{self as all, scaling};

/// Columns of a drawing in letters.
const LETTERS: usize = 48;
/// Drawings of planned changes on two screens.
const SHORT_DRAWINGS: usize = 2;

/// What a form shows of a run.
pub(super) fn document(input: &ReportInput, form: Form) -> Document {
    let mut glance = Glance::default();
    let mut more = Vec::new();
    let mut trials = PackedTrials::default();
    if form == Form::Page {
        trials = PackedTrials::of(input.trials);
        let mut charts = charts(input);
        let scaling = charts.iter().position(|chart| chart.spec.name == SCALING);
        let changes = charts.iter().position(|chart| chart.spec.name == CHANGES);
        let lead = changes.or(scaling.filter(|_| all::is_scaling(input))).unwrap_or(0);
        glance = Glance {
            verdicts: all::verdict_matrix(input),
            chart: (lead < charts.len()).then(|| charts.remove(lead)),
            notes: facts::at_a_glance(input),
        };
        more = charts.into_iter().map(|chart| Block::Chart(Box::new(chart))).collect();
    }
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
        glance,
        sections: sections(input, form, more),
        trials,
        page: "the page",
        footer: "Made by tandem from the stored trials of the run. The figures are also in `summary.csv`, `trials.csv` and \
                 `summary.json`.",
        tandem_version: version.clone(),
    }
}

/// In the order in which a reader asks: what came out, why, in which detail, and how it was measured.
fn sections(input: &ReportInput, form: Form, more_charts: Vec<Block>) -> Vec<Section> {
    let reasons = || facts::reasons(input).into_iter().map(Block::Reason).collect();
    let comparisons = || comparisons(input, form);
    Outline::of(form)
        .section(("results", "Results"), Form::ALL, || tables(all::results(input)))
        .section(("requirements", "Requirements"), Form::ALL, || {
            tables(all::requirements(input))
        })
        .section(("why", "Why, and what would change it"), Form::SCREENS, reasons)
        .section(("more-charts", "More charts"), Form::PAGE, || more_charts)
        .section(("latencies", "Latency by part"), Form::PAGE, || {
            tables(all::latencies(input))
        })
        .section(("changes", "What changes cost"), Form::ALL, || changes(input, form))
        .section(("store", "The store"), Form::PAGE, || store(input))
        .section(("hosts", "Hosts"), Form::PAGES, || {
            tables(all::hosts(input).into_iter().collect())
        })
        .section(("scaling", "Scaling"), Form::LONG, || scaling(input))
        .section(("effects", "What explains the differences"), Form::LONG, || {
            effects(input, form)
        })
        .section(("idle", "Idle members"), Form::LONG, || {
            vec![Block::List(facts::idle(input))]
        })
        .section(("details", "Details"), Form::PAGE, || tables(all::details(input)))
        .folded(("comparisons", "Comparisons"), Form::PAGES, comparisons)
        .folded(("settings", "Settings"), Form::PAGES, || settings(input))
        .folded(("environment", "Environment"), Form::PAGES, || {
            vec![Block::Definitions(facts::environment(input))]
        })
        .section(("quality", "Quality of the run"), Form::PAGE, || {
            vec![Block::Definitions(facts::quality(input))]
        })
        .section(("time", "Where the time went"), Form::PAGE, || {
            vec![Block::Table(facts::times(input))]
        })
        .section(("trials", "Trials"), Form::PAGE, || trials(input))
        .section(("scenario", "Scenario"), Form::PAGE, || vec![source(input)])
        .folded(("reading", "How to read this"), Form::PAGES, || {
            vec![Block::Definitions(facts::glossary(input))]
        })
        .sections()
}

/// What planned acts cost: in a terminal with a drawing in letters, for which a page has a chart.
fn changes(input: &ReportInput, form: Form) -> Vec<Block> {
    let is_short = form == Form::Terminal(Extent::Screens);
    let found = all::changes(input, is_short);
    let unknown = input.summary.configurations.iter().filter_map(|c| c.changes.as_ref());
    let unknown = unknown.filter(|changes| changes.is_not_recorded).count();
    let mut blocks = Vec::new();
    if let (Form::Terminal(_), false) = (form, found.is_empty()) {
        let labels = Labels::new(input.scenario);
        let drawings = in_letters(input, &labels, LETTERS);
        let most = if is_short { SHORT_DRAWINGS } else { drawings.len() };
        for (title, lines) in drawings.into_iter().take(most) {
            blocks.push(Block::Drawing { title, lines });
        }
    }
    blocks.extend(tables(found));
    if !is_short {
        blocks.extend(tables(all::disturbed(input)));
    }
    if unknown > 0 {
        let words = "Of trials whose readers do not say when they read each partition, gaps are not known.";
        blocks.push(Block::Paragraph(words.to_owned()));
    }
    if form == Form::Page || form == Form::Terminal(Extent::Everything) {
        blocks.extend(tables(all::gap_parts(input)));
    }
    blocks
}

/// What transactions waited for, with what the columns are.
fn store(input: &ReportInput) -> Vec<Block> {
    let found = all::store(input);
    if found.is_empty() {
        return Vec::new();
    }
    let words = "Members were in transactions for the share of their time that is given. The columns after it are shares of \
                 the members' sessions as they were met every 100 ms: held up by the server's disk, running in it or ready \
                 to, held up by locks, or in a transaction with nothing to do until the member sends more. The rest was \
                 idle.";
    let mut blocks = vec![Block::Paragraph(words.to_owned())];
    blocks.extend(tables(found));
    blocks
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

/// The shares of the axes in words, and on a page in a table.
fn effects(input: &ReportInput, form: Form) -> Vec<Block> {
    let words = scaling::effects_words(input).map(Block::Paragraph);
    let shares = scaling::effects(input).filter(|_| form == Form::Page);
    words.into_iter().chain(shares.map(Block::Table)).collect()
}

fn comparisons(input: &ReportInput, form: Form) -> Vec<Block> {
    if form == Form::Brief {
        return tables(all::own_comparisons(input));
    }
    let found = all::comparisons(input);
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
    blocks.extend(tables(found));
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
