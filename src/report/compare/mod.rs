//! A comparison of runs for people (terminal, Markdown, one HTML page) and for other programs (JSON).

mod html;
mod markdown;
pub(super) mod tables;
mod terminal;
#[cfg(test)]
mod tests;

pub use html::compare_html;
pub use markdown::compare_markdown;
pub use terminal::compare_terminal;

use super::format::printable;
use crate::scenario::Scenario;
use crate::summary::compare::{NotCompared, RunComparison};

/// Everything that is told of a comparison of runs.
#[derive(Debug, Clone, Copy)]
pub struct CompareInput<'a> {
    /// What was found.
    pub comparison: &'a RunComparison,
    /// The first run's scenario, for names and families.
    pub scenario: &'a Scenario,
}

/// The comparison as JSON, indented.
pub fn compare_json(input: &CompareInput) -> String {
    // Neither maps with other keys than text nor values that refuse, so there always is a JSON form.
    let mut text = serde_json::to_string_pretty(input.comparison).unwrap_or_default();
    text.push('\n');
    text
}

/// What stands where there is nothing to say in sentences.
const NO_ANSWER: &str = "There is nothing to compare.";

/// What is not compared: name and run, and why.
fn not_compared(input: &CompareInput) -> Vec<(String, String)> {
    let all = input.comparison.not_compared.iter();
    all.map(|other: &NotCompared| {
        let name = if other.configuration.is_empty() {
            "the only configuration"
        } else {
            &other.configuration
        };
        (
            printable(&format!("{name} (A and {})", other.run)),
            printable(&other.reason),
        )
    })
    .collect()
}

/// The words of the comparison and what they mean.
const GLOSSARY: [(&str, &str); 5] = [
    (
        "Speed",
        "how many times as fast as in A: 2× takes half the time. The ratio of the geometric means over each run's trials.",
    ),
    (
        "[95 %]",
        "Welch's confidence interval from how the trials vary within each run. The trials are not paired. Of a capacity: from the least to the most that both searches leave possible.",
    ),
    (
        "p (Holm)",
        "the probability of a difference at least as large by chance alone, by permuting the trials between the runs; corrected for the number of comparisons.",
    ),
    (
        "Verdict",
        "same: the interval lies within the threshold; faster or slower: it excludes 1 and p is at most 0.05 (materially: it lies beyond the threshold); undecided: none of these.",
    ),
    (
        "Drift",
        "what changes between runs and not within them: temperature, other programs, the cluster's state. No interval here holds it.",
    ),
];
