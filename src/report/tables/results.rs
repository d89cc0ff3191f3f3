//! What each configuration came to, with the verdict against its baseline.

use super::cells::{chosen, chosen_metric, trials_cell, verdict, without_comparison};
use super::live;
use crate::figures::FigureId;
use crate::report::format::{UNKNOWN, duration, or_unknown, rate_estimate, ratio_estimate};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table, with_rows};
use crate::summary::ConfigurationSummary;

/// The results of each family: a table for those that read a backlog, one for live and one for mixed ones, and in a
/// search for capacity one of its answers.
pub(crate) fn results(input: &ReportInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let tables = input.families().flat_map(|family| {
        let backlog = backlog(input, &labels, family);
        std::iter::once(backlog).chain(live::results(input, &labels, family))
    });
    with_rows(tables)
}

fn backlog(input: &ReportInput, labels: &Labels, family: usize) -> Table {
    type Row<'a> = &'a ConfigurationSummary;
    let idle_members = |c: &ConfigurationSummary| c.count(FigureId::IdleMembers);
    let with_idle = input.summary.configurations.iter().any(|c| idle_members(c) > 0);
    let [figure, effect] = chosen(input, |c: &Row| *c);
    let columns = [
        Column::words("configuration", |c: &Row| labels.short(c.configuration)),
        Column::figures("records/s\u{a0}[95\u{a0}%]", |c: &Row| {
            or_unknown(c.estimate(FigureId::RecordsPerSecond), |e| rate_estimate(&e))
        }),
        figure,
        effect,
        Column::figures("speed\u{a0}[95\u{a0}%]", |c: &Row| speed(input, c))
            .only_if(chosen_metric(input.scenario).is_none()),
        Column::words("verdict", |c: &Row| {
            let compared = input.own_comparison(c.configuration);
            compared.map_or_else(|| without_comparison(input, c), |compared| verdict(input, compared))
        }),
        Column::figures("read time", |c: &Row| {
            or_unknown(c.point(FigureId::ReadSeconds), duration)
        })
        .dropped(7),
        Column::figures("stopwatch", |c: &Row| {
            or_unknown(c.point(FigureId::StopwatchSeconds), duration)
        })
        .dropped(6),
        Column::figures("trials", |c: &Row| trials_cell(c, c.trials_used)).dropped(3),
        Column::figures("idle members", |c: &Row| match idle_members(c) {
            0 => "0".to_owned(),
            idle => format!("{idle} of {}", c.members),
        })
        .dropped(1)
        .only_if(with_idle),
    ];
    let is_backlog = |c: &Row| input.mode(c.configuration).is_none_or(|mode| mode.load().is_none());
    let rows = input.of_family(family).filter(is_backlog);
    Table::of(family_title(input.scenario, family), columns, rows)
}

fn speed(input: &ReportInput, c: &ConfigurationSummary) -> String {
    match input.own_comparison(c.configuration) {
        Some(compared) => or_unknown(compared.ratio(), |ratio| ratio_estimate(&ratio)),
        None if input.is_baseline(c.configuration) => "1".to_owned(),
        None => UNKNOWN.to_owned(),
    }
}
