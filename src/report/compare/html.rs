//! A comparison as one HTML page, of the same make as the report's.

use super::{CompareInput, GLOSSARY, NO_ANSWER, not_compared, tables};
use crate::report::chart::run_charts;
use crate::report::html::element::{definitions, escape, list, paragraph};
use crate::report::html::{Page, Section, figure, tables_of};

/// The page.
pub fn compare_html(input: &CompareInput) -> String {
    let comparison = input.comparison;
    let names: Vec<&str> = comparison.runs.iter().map(|run| run.folder.as_str()).collect();
    let title = format!("Comparison of runs: {}", comparison.question);
    let mut warnings: Vec<&str> = comparison.warnings.iter().map(String::as_str).collect();
    warnings.extend(comparison.caution.as_deref());
    Page {
        title: &title,
        generator: env!("CARGO_PKG_VERSION"),
        subtitle: format!("{}. {}", escape(&names.join(", ")), escape(&tables::threshold(input))),
        distrust: &[],
        answer: &comparison.answer,
        no_answer: NO_ANSWER,
        warnings,
        sections: sections(input),
        footer: "Made by tandem from the stored trials of the runs. <code>tandem compare --format json</code> has the \
                 figures."
            .to_owned(),
    }
    .render()
}

fn sections(input: &CompareInput) -> Vec<Section> {
    let section = |id, title, body| Section { id, title, body };
    let differences = tables::differences(input);
    let different = if differences.is_empty() {
        paragraph("Nothing that is known.")
    } else {
        tables_of("What else differs", &differences)
    };
    let others = not_compared(input);
    let others = others
        .iter()
        .map(|(name, why)| format!("<strong>{}</strong>: {}", escape(name), escape(why)));
    let others: Vec<String> = others.collect();
    let missing = if others.is_empty() {
        String::new()
    } else {
        list(others.into_iter())
    };
    let glossary: Vec<(&str, String)> = GLOSSARY.map(|(word, meaning)| (word, meaning.to_owned())).to_vec();
    let mut sections = vec![
        section("charts", "Charts", run_charts(input).iter().map(figure).collect()),
        section("verdicts", "Verdicts", tables_of("Verdicts", &tables::verdicts(input))),
        section("runs", "Runs", tables_of("Runs", &[tables::runs(input)])),
        section("differences", "What else differs", different),
        section("missing", "Not compared", missing),
        section("reading", "How to read this", definitions(&glossary)),
    ];
    sections.retain(|section| !section.body.is_empty());
    sections
}
