//! A comparison in Markdown, short enough for a comment on a change.

use std::fmt::Write as _;

use super::{CompareInput, GLOSSARY, NO_ANSWER, not_compared, tables};
use crate::report::markdown::{escape, heading, list, section};

/// The comparison as Markdown.
pub fn compare_markdown(input: &CompareInput) -> String {
    let comparison = input.comparison;
    let mut out = format!("# Comparison of runs: {}\n\n", escape(&comparison.question));
    for sentence in &comparison.answer {
        let _ = write!(out, "{}\n\n", escape(sentence));
    }
    if comparison.answer.is_empty() {
        let _ = write!(out, "{NO_ANSWER}\n\n");
    }
    let warnings: Vec<&String> = comparison.warnings.iter().chain(&comparison.caution).collect();
    if !warnings.is_empty() {
        out.push_str("Warnings:\n\n");
        list(&mut out, warnings.into_iter().map(|warning| escape(warning)));
    }
    section(&mut out, "Verdicts", &tables::verdicts(input));
    let _ = write!(out, "\n{}\n", escape(&tables::threshold(input)));
    let mut runs = tables::runs(input);
    runs.caption.clear();
    section(&mut out, "Runs", &[runs]);
    section(&mut out, "What else differs", &tables::differences(input));
    let others = not_compared(input);
    if !others.is_empty() {
        heading(&mut out, "Not compared");
        list(
            &mut out,
            others
                .iter()
                .map(|(name, why)| format!("**{}**: {}", escape(name), escape(why))),
        );
    }
    heading(&mut out, "How to read this");
    list(
        &mut out,
        GLOSSARY
            .iter()
            .map(|(word, meaning)| format!("**{}**: {}", escape(word), escape(meaning))),
    );
    out
}
