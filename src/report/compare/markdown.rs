//! A comparison in Markdown, short enough for a comment on a change: the answer and the verdicts, the rest folded.

use std::fmt::Write as _;

use super::{CompareInput, GLOSSARY, NO_ANSWER, not_compared, tables};
use crate::report::markdown::{escape, folded, heading, list, section, tables_of};

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
    folded(&mut out, "Runs, and what else differs", |out| {
        let mut runs = tables::runs(input);
        runs.caption.clear();
        let differences = tables::differences(input);
        tables_of(out, &[runs]);
        if differences.is_empty() {
            out.push_str("\nNothing else that is known differs.\n");
        } else {
            out.push('\n');
            tables_of(out, &differences);
        }
    });
    folded(&mut out, "How to read this", |out| {
        let item = |(word, meaning): &(&str, &str)| format!("**{}**: {}", escape(word), escape(meaning));
        list(out, GLOSSARY.iter().map(item));
    });
    out
}
