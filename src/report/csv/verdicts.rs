//! `verdicts.csv`: what is concluded of each pair of configurations.

use super::columns::{Column, column, columns};
use super::rows::optional;
use super::text::table;
use crate::report::input::ReportInput;
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
    let headers = columns.iter().map(|c| c.name.clone()).collect();
    table(
        headers,
        rows.map(|row| columns.iter().map(|c| (c.value)(&row)).collect()),
    )
}

pub(super) fn verdict_columns<'a>() -> Vec<Column<VerdictRow<'a>>> {
    columns![VerdictRow<'_>:
        "question", "",
            "`scenario` for every configuration against its baseline; `within` for the scenario's own comparisons where the \
             run asks about clusters or builds; else the key of the matrix whose values are compared with its first, all \
             else equal"
            => |r| question(r).to_owned();
        "baseline", "", "name of the configuration compared with" => |r| name(r, r.comparison.baseline);
        "configuration", "", "name of the configuration" => |r| name(r, r.comparison.configuration);
        "metric", "",
            "`read_time`, `stopwatch`, `response_p99` (where records arrive), `catch_up` (where they arrive on a backlog), or \
             the column of `summary.csv` that the scenario names as its `metric`"
            => |r| r.comparison.metric.name().to_owned();
        "ratio", "",
            "how many times as good as the baseline: as fast, or the baseline's figure over the configuration's where less is \
             better; above 1 is better; empty where differences are compared"
            => |r| optional(r.comparison.ratio().map(|ratio| ratio.point));
        "ratio_low", "", "lower end of its 95 % confidence interval"
            => |r| optional(interval_of(r).map(|(low, _)| low));
        "ratio_high", "", "upper end of its 95 % confidence interval"
            => |r| optional(interval_of(r).map(|(_, high)| high));
        "p", "",
            "two-sided p, corrected by Holm for the comparisons of its question and metric (uncorrected in `summary.json`); \
             empty for the stopwatch, which is only described"
            => |r| optional(r.comparison.p_holm);
        "blocks", "blocks", "blocks in which both were measured" => |r| r.comparison.blocks.to_string();
        "verdict", "",
            "`faster` (better by its metric; where neither direction is better, more), `slower`, `same` or `undecided`"
            => |r| verdict(r.comparison.verdict).to_owned();
        "difference", "",
            "the configuration's figure minus the baseline's, in its unit; empty where ratios are compared"
            => |r| optional(r.comparison.difference().map(|difference| difference.point));
        "difference_low", "", "lower end of its 95 % confidence interval"
            => |r| optional(difference_interval(r).map(|(low, _)| low));
        "difference_high", "", "upper end of its 95 % confidence interval"
            => |r| optional(difference_interval(r).map(|(_, high)| high));
        "difference_unit", "", "the unit of the difference"
            => |r| r.comparison.difference().map_or(String::new(), |_| unit(r.comparison.metric).to_owned());
    ]
}

fn unit(metric: Metric) -> &'static str {
    metric.figure().figure().unit.name()
}

fn interval_of(row: &VerdictRow) -> Option<(f64, f64)> {
    row.comparison.ratio()?.interval
}

fn difference_interval(row: &VerdictRow) -> Option<(f64, f64)> {
    row.comparison.difference()?.interval
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

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Faster => "faster",
        Verdict::Slower => "slower",
        Verdict::Undecided => "undecided",
    }
}
