//! The order of a comparison: the answer, the verdicts, and what else differs.

use super::input::CompareInput;
use super::tables::{differences, not_compared, runs};
use super::verdicts::{undecided, verdicts};
use crate::report::chart::run_charts;
use crate::report::document::{Block, Document, Extent, Form, Glance, Outline, tables};
use crate::report::facts::VERDICT;
use crate::report::format::percent;
use crate::report::packed::PackedTrials;

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

/// What a form shows of a comparison: the answer, the verdicts, what speaks against them, and what differs.
pub(crate) fn document(input: &CompareInput, form: Form) -> Document {
    let comparison = input.comparison;
    let folders: Vec<String> = comparison.runs.iter().map(|run| format!("`{}`", run.folder)).collect();
    let mut glance = Glance::default();
    let mut more = Vec::new();
    if form == Form::Page {
        let mut charts = run_charts(input).into_iter();
        glance.verdicts = verdicts(input);
        glance.chart = charts.next();
        more = charts.map(|chart| Block::Chart(Box::new(chart))).collect();
    }
    let words = GLOSSARY.map(|(word, meaning)| (word, meaning.to_owned())).to_vec();
    let reasons = || undecided(input).into_iter().map(Block::Paragraph).collect();
    let outline = Outline::of(form)
        .section(("results", "Verdicts"), BESIDE_PAGES, || tables(verdicts(input)))
        .section(("more-charts", "More charts"), Form::PAGE, || more)
        .section(("undecided", "Undecided"), &[TERMINAL], reasons)
        .section(("missing", "Not compared"), Form::ALL, || {
            vec![Block::List(not_compared(input))]
        })
        .folded(("runs", "Runs"), Form::ALL, || vec![Block::Table(runs(input))])
        .folded(("differences", "What else differs"), Form::ALL, || different(input))
        .folded(("reading", "How to read this"), Form::PAGES, || {
            vec![Block::Definitions(words)]
        });
    let title = match form {
        Form::Terminal(_) => comparison.question.clone(),
        Form::Page | Form::Brief => format!("Comparison of runs: {}", comparison.question),
    };
    Document {
        title,
        subtitle: format!(
            "{}. The practical threshold is ±{}: a smaller difference counts as none.",
            folders.join(", "),
            percent(comparison.threshold)
        ),
        distrust: Vec::new(),
        answer: comparison.answer.clone(),
        no_answer: "There is nothing to compare.",
        warnings: comparison.warnings.iter().chain(&comparison.caution).cloned().collect(),
        glance,
        sections: outline.sections(),
        trials: PackedTrials::default(),
        page: "`--format html`",
        footer: "Made by tandem from the stored trials of the runs. `tandem compare --format json` has the figures.",
        tandem_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

const TERMINAL: Form = Form::Terminal(Extent::Everything);
/// A page has them on its first screen.
const BESIDE_PAGES: &[Form] = &[Form::Brief, TERMINAL];

fn different(input: &CompareInput) -> Vec<Block> {
    let differences = differences(input);
    if differences.is_empty() {
        return vec![Block::Paragraph("Nothing that is known.".to_owned())];
    }
    tables(differences)
}
