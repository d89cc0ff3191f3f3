//! `verdicts.csv`: what is concluded of each pair of configurations.

use super::{Column, column, optional, table};
use crate::report::ReportInput;
use crate::scenario::Scenario;
use crate::summary::{Comparison, Metric, Question, Verdict};

/// What the cells of a row are taken from.
pub(super) struct VerdictRow<'a> {
    scenario: &'a Scenario,
    comparison: &'a Comparison,
}

/// `verdicts.csv`: a row per comparison, question by question and metric by metric.
pub fn verdicts_csv(input: &ReportInput) -> String {
    let rows = input.summary.comparisons.iter().map(|comparison| VerdictRow {
        scenario: input.scenario,
        comparison,
    });
    let columns = verdict_columns();
    let headers = columns.iter().map(|c| c.name.to_owned()).collect();
    table(
        headers,
        rows.map(|row| columns.iter().map(|c| (c.value)(&row)).collect()),
    )
}

pub(super) fn verdict_columns<'a>() -> Vec<Column<VerdictRow<'a>>> {
    vec![
        column("question", |r| question(r).to_owned()),
        column("baseline", |r| name(r, r.comparison.baseline)),
        column("configuration", |r| name(r, r.comparison.configuration)),
        column("metric", |r| metric(r.comparison.metric).to_owned()),
        column("ratio", |r| optional(r.comparison.ratio.map(|ratio| ratio.point))),
        column("ratio_low", |r| optional(interval_of(r).map(|(low, _)| low))),
        column("ratio_high", |r| optional(interval_of(r).map(|(_, high)| high))),
        column("p", |r| optional(r.comparison.p_holm)),
        column("blocks", |r| r.comparison.blocks.to_string()),
        column("verdict", |r| verdict(r.comparison.verdict).to_owned()),
    ]
}

fn interval_of(row: &VerdictRow) -> Option<(f64, f64)> {
    row.comparison.ratio?.interval
}

/// `scenario`; `within`, the scenario's own where the run asks about clusters or builds; or the key of the matrix whose
/// values are compared.
fn question<'a>(row: &VerdictRow<'a>) -> &'a str {
    match row.comparison.question {
        Question::Scenario => "scenario",
        Question::Within => "within",
        Question::Axis(axis) => row.scenario.axes.get(axis).map_or("", |axis| &axis.key),
    }
}

fn name(row: &VerdictRow, configuration: usize) -> String {
    let configurations = &row.scenario.configurations;
    configurations
        .get(configuration)
        .map_or_else(String::new, |c| c.name.clone())
}

fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::ReadTime => "read_time",
        Metric::Stopwatch => "stopwatch",
        Metric::ResponseP99 => "response_p99",
        Metric::CatchUp => "catch_up",
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Undecided => "undecided",
    }
}
