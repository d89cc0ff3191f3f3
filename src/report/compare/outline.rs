//! The order of a comparison: the answer, the verdicts, and what else differs.

use super::input::CompareInput;
use super::tables::{differences, not_compared, runs};
use super::verdicts::{undecided, verdicts};
use crate::report::chart::run_charts;
use crate::report::document::{Block, Document, Section, tables, with_content};
use crate::report::facts::VERDICT;
use crate::report::format::percent;

/// The words of the comparison and what they mean.
const GLOSSARY: [(&str, &str); 5] = [
    (
        "Speed, ratio",
        "how many times as fast as in A, or as good by another metric: 2× takes half the time, or half the CPU. The ratio of the geometric means over each run's trials.",
    ),
    (
        "[95 %]",
        "Welch's confidence interval from how the trials vary within each run. The trials are not paired. Of a capacity: from the least to the most that both searches leave possible.",
    ),
    (
        "p (Holm)",
        "the probability of a difference at least as large by chance alone, by permuting the trials between the runs; corrected for the number of comparisons.",
    ),
    VERDICT,
    (
        "Drift",
        "what changes between runs and not within them: temperature, other programs, the cluster's state. No interval here includes it.",
    ),
];

/// Everything, with charts.
pub(crate) fn page(input: &CompareInput) -> Document {
    let charts = run_charts(input).into_iter().map(Block::Chart).collect();
    let charts = Section::new("charts", "Charts", charts);
    of_comparison(input, std::iter::once(charts).chain(sections(input)))
}

/// Short enough for a comment on a change: the answer and the verdicts, the rest folded.
pub(crate) fn without_charts(input: &CompareInput) -> Document {
    of_comparison(input, sections(input))
}

/// The verdicts, what speaks against them, and what differs.
pub(crate) fn terminal(input: &CompareInput) -> Document {
    let undecided = undecided(input).into_iter().map(Block::Paragraph);
    let sections = [
        Section::new("verdicts", "", tables(verdicts(input))),
        Section::new("undecided", "", undecided.collect()),
        Section::new("runs", "", vec![Block::Table(runs(input))]),
        Section::new("differences", "What else differs", different(input)),
        Section::new("missing", "Not compared", vec![Block::List(not_compared(input))]),
    ];
    Document {
        title: input.comparison.question.clone(),
        ..of_comparison(input, sections)
    }
}

fn of_comparison(input: &CompareInput, sections: impl IntoIterator<Item = Section>) -> Document {
    let comparison = input.comparison;
    let folders: Vec<String> = comparison.runs.iter().map(|run| format!("`{}`", run.folder)).collect();
    Document {
        title: format!("Comparison of runs: {}", comparison.question),
        subtitle: format!(
            "{}. The practical threshold is ±{}: a smaller difference counts as none.",
            folders.join(", "),
            percent(comparison.threshold)
        ),
        distrust: Vec::new(),
        answer: comparison.answer.clone(),
        no_answer: "There is nothing to compare.",
        warnings: comparison.warnings.iter().chain(&comparison.caution).cloned().collect(),
        sections: with_content(sections),
        page: "`--format html`",
        footer: "Made by tandem from the stored trials of the runs. `tandem compare --format json` has the figures.",
        tandem_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn sections(input: &CompareInput) -> [Section; 5] {
    let words = GLOSSARY.map(|(word, meaning)| (word, meaning.to_owned()));
    [
        Section::new("verdicts", "Verdicts", tables(verdicts(input))),
        Section::new("missing", "Not compared", vec![Block::List(not_compared(input))]),
        Section::new("runs", "Runs", vec![Block::Table(runs(input))]).folded(),
        Section::new("differences", "What else differs", different(input)).folded(),
        Section::new("reading", "How to read this", vec![Block::Definitions(words.to_vec())]).folded(),
    ]
}

fn different(input: &CompareInput) -> Vec<Block> {
    let differences = differences(input);
    if differences.is_empty() {
        return vec![Block::Paragraph("Nothing that is known.".to_owned())];
    }
    tables(differences)
}
