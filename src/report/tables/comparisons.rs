//! Every comparison, with its interval and p.

use std::collections::BTreeSet;

use super::cells::{chosen_metric, effect, effect_header, verdict};
use crate::report::format::{or_unknown, p_value};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table, with_rows};
use crate::summary::{Comparison, Metric, Question};
use crate::wording::joined;

/// Every comparison of each family with its baseline, by each metric, and behind them what each key of a matrix does.
pub(crate) fn comparisons(input: &ReportInput) -> Vec<Table> {
    let asked: BTreeSet<Question> = input.summary.comparisons.iter().map(|c| c.question).collect();
    let others = asked.into_iter().filter(|question| *question != Question::Scenario);
    let questions = std::iter::once(Question::Scenario).chain(others);
    questions
        .flat_map(|question| of_question(input, question, |_| true))
        .collect()
}

/// The comparisons that answer the scenario's own question.
pub(crate) fn own_comparisons(input: &ReportInput) -> Vec<Table> {
    of_question(input, Question::Scenario, |c| c.metric.is_inferential(input.scenario))
}

fn of_question(input: &ReportInput, question: Question, is_shown: impl Fn(&Comparison) -> bool) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let tables = input.families().map(|family| {
        let in_family = |c: &&Comparison| {
            let configuration = input.scenario.configurations.get(c.configuration);
            configuration.is_some_and(|configuration| configuration.family == family)
        };
        let all = input.summary.comparisons.iter();
        let rows = all.filter(|c| c.question == question && is_shown(c)).filter(in_family);
        Table::of(caption(input, question, family), columns(input, &labels), rows)
    });
    with_rows(tables)
}

fn columns<'a>(input: &'a ReportInput, labels: &'a Labels) -> [Column<'a, &'a Comparison>; 8] {
    type Row<'a> = &'a Comparison;
    let chosen = chosen_metric(input.scenario);
    let header = effect_header(chosen.unwrap_or(Metric::READ_TIME));
    [
        Column::configuration(labels, |c: &Row| c.configuration),
        Column::words("against", |c: &Row| labels.short(c.baseline)),
        Column::words("by", |c: &Row| c.metric.comparing().noun.clone()),
        Column::figures(header, |c: &Row| effect(c)),
        Column::figures("p", |c: &Row| or_unknown(c.p, p_value)),
        Column::figures("p (Holm)", |c: &Row| or_unknown(c.p_holm, p_value)),
        Column::figures("blocks", |c: &Row| c.blocks.to_string()),
        Column::words("verdict", |c: &Row| verdict(input, c)),
    ]
}

fn caption(input: &ReportInput, question: Question, family: usize) -> String {
    let family = family_title(input.scenario, family);
    let what = match question {
        Question::Scenario => return family,
        Question::Axis(axis) => format!("What {} does", input.scenario.axes[axis].key),
        Question::Within => "Within each cluster or build".to_owned(),
    };
    joined([&*what, &family], ": ")
}
