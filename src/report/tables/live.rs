//! The results of live and mixed configurations. Words stand in place of figures that would mean nothing.

use super::cells::{chosen, chosen_metric, peak_memory, trials_cell, verdict, without_comparison};
use crate::figures::{FigureId, RESPONSE_P99, Statistic, Unit, Value};
use crate::measure::latency::LatencyPart;
use crate::measure::{LoadVerdict, TrialKind};
use crate::report::conclusion::Conclusion;
use crate::report::format::{UNKNOWN, duration, duration_estimate, figure_text, mapped, or_unknown, rate, significant};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Cell, Column, Table, Tone};
use crate::scenario::{Capacity, Mode, ResponseLimit};
use crate::stats::Estimate;
use crate::summary::{CapacitySummary, ConfigurationSummary, LiveSummary, Undecided};
use crate::wording::{capitalised, joined};

/// A configuration with what is known of its load.
type Row<'a> = (&'a ConfigurationSummary, &'a LiveSummary);

/// Of one family: its capacities, or how long records waited and how soon backlogs were gone.
pub(super) fn results(input: &ReportInput, labels: &Labels, family: usize) -> Vec<Table> {
    match &input.scenario.capacity {
        Some(objective) => vec![capacities(input, labels, family, objective)],
        None => vec![
            response_times(input, labels, family),
            catching_up(input, labels, family),
        ],
    }
}

/// The configurations of a family whose mode is as asked for and whose load is known.
pub(super) fn with_load<'a>(
    input: &ReportInput<'a>,
    family: usize,
    is_shown: fn(&Mode) -> bool,
) -> impl Iterator<Item = Row<'a>> + use<'a> {
    let input = *input;
    let of_mode = move |c: &&ConfigurationSummary| input.mode(c.configuration).is_some_and(is_shown);
    let own = input.of_family(family).filter(of_mode);
    own.filter_map(|c| Some((c, c.live.as_ref()?)))
}

fn caption(input: &ReportInput, family: usize, what: &str) -> String {
    capitalised(&joined([&*family_title(input.scenario, family), what], ": "))
}

fn response_times(input: &ReportInput, labels: &Labels, family: usize) -> Table {
    let response = |row: &Row, statistic| {
        let id = FigureId::Latency(LatencyPart::Response, statistic);
        let is_known = obstacle(row.0, row.1).is_none();
        match row.0.figures.get(id).filter(|_| is_known) {
            Some(Value::Estimate(ms)) if id == RESPONSE_P99 => duration_estimate(&mapped(ms, |ms| ms / 1e3)),
            value => figure_text(Unit::Milliseconds, value),
        }
    };
    let [figure, effect] = chosen(input, |row: &Row| row.0);
    let p99 = Column::figures("p99\u{a0}[95\u{a0}%]", |row: &Row| response(row, Statistic::P99));
    let is_compared = chosen_metric(input.scenario).is_none();
    let columns = [
        Column::configuration(labels, |(c, _): &Row| c.configuration),
        Column::figures("offered", offered).dropped_last(22),
        Column::words("load", load_cell).dropped_last(21),
        Column::figures("p50", |row: &Row| response(row, Statistic::P50)).dropped(10),
        if is_compared { p99 } else { p99.dropped_last(23) },
        Column::figures("p99.9", |row: &Row| response(row, Statistic::P999)).dropped(9),
        Column::figures("max", |row: &Row| response(row, Statistic::Max)).dropped(8),
        figure,
        effect,
        Column::words("verdict", |row: &Row| conclusion(input, row)),
        peak_memory(input, |row: &Row| row.0),
        Column::figures("trials", |(c, live): &Row| trials_cell(c, live.trials_meaningful)).dropped(3),
    ];
    let caption = caption(input, family, "response time of records as they arrive");
    let live = with_load(input, family, |mode| matches!(mode, Mode::Live(_)));
    Table::of(caption, columns, live)
}

fn offered((c, _): &Row) -> String {
    or_unknown(c.point(FigureId::OfferedPerSecond), rate)
}

/// Whether the load is held, with the smallest growth of the lag that would have been noticed.
fn load_cell((_, live): &Row) -> Cell {
    let (text, overloaded) = match &live.judgement {
        Some(judgement) => {
            let verdict = judgement.verdict.as_str().replace('-', " ");
            let text = format!("{verdict}\u{a0}(to\u{a0}{}\u{a0}%)", judgement.resolution_percent());
            (text, judgement.verdict == LoadVerdict::Overloaded)
        }
        None if live.overloaded => ("overloaded".to_owned(), true),
        None => (UNKNOWN.to_owned(), false),
    };
    let tone = if overloaded { Tone::Caution } else { Tone::Plain };
    Cell::new(text, tone)
}

fn catching_up(input: &ReportInput, labels: &Labels, family: usize) -> Table {
    let caught_up = |(c, live): &Row| {
        let estimate = c.estimate(FigureId::CatchUpSeconds);
        estimate.filter(|_| obstacle(c, live).is_none())
    };
    let around = |(c, live): &Row, figure: fn(&LiveSummary) -> Option<Estimate>| {
        let ms = figure(live).filter(|_| obstacle(c, live).is_none());
        or_unknown(ms, |ms| duration(ms.point / 1e3))
    };
    let [figure, effect] = chosen(input, |row: &Row| row.0);
    let columns = [
        Column::configuration(labels, |(c, _): &Row| c.configuration),
        Column::figures("arriving", offered).dropped_last(22),
        Column::figures("no lag after\u{a0}[95\u{a0}%]", |row: &Row| {
            or_unknown(caught_up(row), |e| duration_estimate(&e))
        }),
        figure,
        effect,
        Column::words("verdict", |row: &Row| conclusion(input, row)),
        Column::figures("p99\u{a0}before", |row: &Row| {
            around(row, |live| live.around_catch_up.as_ref()?.before.p99_ms)
        })
        .dropped(12),
        Column::figures("p50\u{a0}after", |row: &Row| {
            around(row, |live| live.around_catch_up.as_ref()?.after.p50_ms)
        })
        .dropped(11),
        Column::figures("p99\u{a0}after", |row: &Row| {
            around(row, |live| live.around_catch_up.as_ref()?.after.p99_ms)
        })
        .dropped(13),
        peak_memory(input, |row: &Row| row.0),
        Column::figures("trials", |(c, live): &Row| trials_cell(c, live.trials_meaningful)).dropped(3),
    ];
    let what = "catching up while more arrives, and response times before and after";
    let mixed = with_load(input, family, |mode| matches!(mode, Mode::Mixed(_)));
    Table::of(caption(input, family, what), columns, mixed)
}

fn capacities(input: &ReportInput, labels: &Labels, family: usize, objective: &Capacity) -> Table {
    let per_second = |(_, live): &Row, figure: fn(CapacitySummary) -> Option<f64>| {
        let found = live.capacity.and_then(figure);
        or_unknown(found, |rate| format!("{} /s", significant(rate, 3)))
    };
    let trials = |(c, _): &Row, kind| {
        let tried = input.trials_of(c.configuration);
        tried.filter(|t| t.order.kind == kind).count().to_string()
    };
    let columns = [
        Column::configuration(labels, |(c, _): &Row| c.configuration),
        Column::figures("holds", |row: &Row| per_second(row, |found| found.per_second)),
        Column::figures("fails from", |row: &Row| per_second(row, |found| found.high)),
        Column::words("confirmed", |(_, live): &Row| {
            live.capacity.as_ref().map_or_else(|| UNKNOWN.into(), confirmed)
        }),
        Column::figures("p99\u{a0}there", |(c, live): &Row| {
            let is_confirmed = live.capacity.is_some_and(|found| found.confirmed);
            let ms = c.point(RESPONSE_P99).filter(|_| is_confirmed);
            or_unknown(ms, |ms| duration(ms / 1e3))
        })
        .dropped_last(23),
        Column::words("load", load_cell).dropped_last(21),
        peak_memory(input, |row: &Row| row.0),
        Column::figures("search trials", |row: &Row| trials(row, TrialKind::Search)).dropped(4),
        Column::figures("longer trials", |row: &Row| trials(row, TrialKind::Counted)).dropped(5),
    ];
    let what = match objective.limit {
        Some(ResponseLimit { percentile, limit_ns }) => {
            let (percentile, limit_ms) = ((percentile * 1e9).round() / 1e7, limit_ns as f64 / 1e6);
            format!("records per second within p{percentile} {limit_ms} ms")
        }
        None => "records per second with which readers keep up".to_owned(),
    };
    let searched = with_load(input, family, |mode| mode.load().is_some());
    Table::of(caption(input, family, &what), columns, searched)
}

fn confirmed(found: &CapacitySummary) -> Cell {
    let (text, tone) = match (found.per_second, found.confirmed) {
        (None, _) if found.limited_by_load => ("load not reached", Tone::Caution),
        (None, _) => ("nothing held", Tone::Plain),
        (Some(_), _) if found.limited_by_load => ("at least: the producers were the limit", Tone::Plain),
        (Some(_), true) => ("yes", Tone::Plain),
        (Some(_), false) => ("no", Tone::Plain),
    };
    Cell::new(text, tone)
}

/// The rate that a search found, and the one from which it fails.
pub(super) fn capacity_cell(found: &CapacitySummary) -> Cell {
    let per_second = |rate: f64| format!("{} /s", significant(rate, 3));
    let holds = match found.per_second {
        Some(rate) => Cell::new(format!("holds {}", per_second(rate)), Tone::Plain),
        None => confirmed(found),
    };
    let fails = found
        .high
        .map_or_else(String::new, |high| format!("fails from {}", per_second(high)));
    holds.below(&fails)
}

/// What stands in place of figures that would mean nothing.
pub(super) fn obstacle(c: &ConfigurationSummary, live: &LiveSummary) -> Option<Conclusion> {
    if live.overloaded {
        let lag_growth_per_second = c.point(FigureId::LagGrowth).unwrap_or(0.0);
        return Some(Conclusion::Overloaded { lag_growth_per_second });
    }
    if live.trials_meaningful > 0 {
        return None;
    }
    let rates = (c.point(FigureId::SentPerSecond), c.point(FigureId::OfferedPerSecond));
    Some(match rates {
        (Some(sent), Some(offered)) if !live.load_reached => Conclusion::LoadNotReached { sent, offered },
        (Some(_), _) => Conclusion::UnreadRecords,
        (None, _) => Conclusion::Unknown,
    })
}

pub(super) fn conclusion(input: &ReportInput, (c, live): &Row) -> Conclusion {
    if let Some(obstacle) = obstacle(c, live) {
        return obstacle;
    }
    match input.own_comparison(c.configuration) {
        Some(compared) if compared.effect.is_none() => without_ratio(input, compared.baseline),
        Some(compared) => verdict(input, compared),
        None => without_comparison(input, c),
    }
}

/// Why a configuration cannot be compared with its baseline.
fn without_ratio(input: &ReportInput, baseline: usize) -> Conclusion {
    let mut all = input.summary.configurations.iter();
    let baseline = all.find(|c| c.configuration == baseline);
    match baseline.and_then(|c| Some((c, c.live.as_ref()?))) {
        Some((_, live)) if live.overloaded => Conclusion::HoldsAlone,
        Some((c, live)) if obstacle(c, live).is_some() => Conclusion::BaselineWithoutFigure,
        _ => Conclusion::Undecided(Some(Undecided::NoFigures)),
    }
}
