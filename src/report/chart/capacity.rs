//! The highest rate that each configuration holds, with the rates that the search tried.

use std::ops::Range;

use super::arrivals::records_per_second;
use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch};
use super::scale::{Ruler, axis_end};
use super::spec::{Axis, ChartSpec, Kind, Mark, Panel, Row};
use super::tick::Tick;
use super::words::{self, full_title, in_figures, panel_title, row_title};
use crate::measure::TrialKind;
use crate::measure::objective::{Outcome, outcome};
use crate::report::format::{or_unknown, significant};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table};
use crate::scenario::Capacity;
use crate::summary::{CapacitySummary, ConfigurationSummary};

/// A rate that was tried.
struct Tried {
    trial: u32,
    rate: f64,
    confirming: bool,
    outcome: Outcome,
}

/// A configuration with its answer and what led to it.
struct Found<'a> {
    configuration: &'a ConfigurationSummary,
    capacity: CapacitySummary,
    tries: Vec<Tried>,
}

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let sought = input.scenario.capacity?;
    let found = |c| found(input, &sought, c);
    let all: Vec<Found> = input.by_family().filter_map(found).collect();
    if all.is_empty() {
        return None;
    }
    let title = format!("Capacity: {}", objective(&sought));
    let description = description(input, labels, &sought, &all);
    let table = table(input, labels, &all);
    let spec = ChartSpec {
        name: "capacity",
        title,
        description,
        kind: Kind::Rows,
        x: Axis::new("records per second", Tick::Rate),
        y: None,
        legend: legend(),
        slots: labels.slots().to_vec(),
        panels: panels(input, labels, &all),
    };
    Some(Chart::with_table(spec, table))
}

fn found<'a>(input: &ReportInput, sought: &Capacity, c: &'a ConfigurationSummary) -> Option<Found<'a>> {
    Some(Found {
        configuration: c,
        capacity: c.live.as_ref()?.capacity?,
        tries: tries(input, sought, c.configuration),
    })
}

/// The objective in words: `99 % of the records within 50 ms`.
fn objective(sought: &Capacity) -> String {
    sought.objective()
}

/// What was tried, in the order of running.
fn tries(input: &ReportInput, sought: &Capacity, configuration: usize) -> Vec<Tried> {
    let kinds = [TrialKind::Search, TrialKind::Counted];
    let own = input.trials_of(configuration).filter(|t| kinds.contains(&t.order.kind));
    let tried = own.filter_map(|t| {
        Some(Tried {
            trial: t.order.number,
            rate: t.order.load?.rate,
            confirming: t.order.kind == TrialKind::Counted,
            outcome: outcome(t, sought.response_limit()),
        })
    });
    tried.collect()
}

/// A panel for each family, or one for all where each has one configuration.
fn panels(input: &ReportInput, labels: &Labels, all: &[Found]) -> Vec<Panel> {
    let panel = |families: Range<usize>| {
        let own: Vec<&Found> = all
            .iter()
            .filter(|f| families.contains(&f.configuration.family))
            .collect();
        let highs = own.iter().flat_map(|f| [f.capacity.low, f.capacity.high]).flatten();
        // With the rates from which the search began, the answers would lie on each other.
        let answer = highs.fold(0.0, f64::max);
        let tried = own.iter().flat_map(|f| &f.tries).map(|t| t.rate);
        let near = tried.filter(|rate| *rate <= answer * 1.5 || answer == 0.0);
        let max = axis_end(near.chain([answer]));
        let rows = own.iter().map(|found| row(input, labels, found, max)).collect();
        Panel {
            x: Ruler::linear(max),
            ..Panel::of_rows(panel_title(input.scenario, &families), rows)
        }
    };
    let shared = words::panels(input.scenario).into_iter();
    shared.map(panel).filter(|panel| !panel.rows.is_empty()).collect()
}

fn row(input: &ReportInput, labels: &Labels, found: &Found, max: f64) -> Row {
    let mut marks = Vec::new();
    let CapacitySummary { low, high, .. } = found.capacity;
    if let Some(point) = found.capacity.per_second {
        marks.push(Mark::Interval {
            low: low.unwrap_or(point),
            high: high.unwrap_or(max),
            point,
        });
    }
    let drawn: Vec<&Tried> = found.tries.iter().filter(|t| t.rate <= max && is_shown(t)).collect();
    marks.extend(drawn.iter().map(|tried| Mark::Dot {
        x: tried.rate,
        t: Some(tried.trial),
        hollow: tried.outcome != Outcome::Held,
        shape: shape(tried),
    }));
    Row {
        c: Some(found.configuration.configuration),
        label: row_title(input, labels, found.configuration.configuration),
        value: value(&found.capacity),
        marks,
    }
}

/// True for a trial that says something of its rate.
fn is_shown(tried: &Tried) -> bool {
    matches!(tried.outcome, Outcome::Held | Outcome::Failed)
}

/// A diamond for the trial that confirms, a circle for others.
fn shape(tried: &Tried) -> usize {
    if tried.confirming { 3 } else { 0 }
}

/// The answer in words.
fn value(capacity: &CapacitySummary) -> String {
    let CapacitySummary { per_second, high, .. } = *capacity;
    let answer = match (per_second, high) {
        (Some(rate), Some(high)) => format!(
            "{}{}, failed\u{a0}at\u{a0}{}",
            if capacity.limited_by_load { "at least " } else { "" },
            records_per_second(rate),
            significant(high, 3)
        ),
        (Some(rate), None) => format!("at least {}", records_per_second(rate)),
        (None, Some(high)) => format!("less than {}", records_per_second(high)),
        (None, None) => "not found".to_owned(),
    };
    match capacity {
        CapacitySummary {
            limited_by_load: true, ..
        } => format!("{answer}: the producers could send no more"),
        CapacitySummary { confirmed: true, .. } | CapacitySummary { per_second: None, .. } => answer,
        _ => format!("{answer}; not confirmed"),
    }
}

fn legend() -> Vec<Entry> {
    let entries = [
        (Swatch::Interval(Ink::Muted), "capacity, and how much higher it may be"),
        (Swatch::neutral(0, false), "rate that held"),
        (Swatch::neutral(0, true), "hollow: rate that failed"),
        (Swatch::neutral(3, false), "diamond: the longer trial at the end"),
    ];
    entries.map(|(swatch, text)| Entry::new(swatch, text)).to_vec()
}

fn description(input: &ReportInput, labels: &Labels, sought: &Capacity, all: &[Found]) -> String {
    let answers: Vec<String> = all
        .iter()
        .map(|found| {
            let name = full_title(input, labels, found.configuration.configuration);
            format!("{name}: {}", value(&found.capacity))
        })
        .collect();
    format!(
        "For every configuration the highest rate at which it holds the objective, {}, with lag that does not grow: a \
         line at the highest rate that held, and a band from there to the lowest that failed. Every dot is a trial of \
         the search, in the order of running from top to bottom; rates far above the answers are in the table \
         alone.{}",
        objective(sought),
        in_figures(&answers)
    )
}

fn table(input: &ReportInput, labels: &Labels, all: &[Found]) -> Table {
    type Item<'a> = &'a Found<'a>;
    let columns = [
        Column::words("family", |f: &Item| {
            family_title(input.scenario, f.configuration.family)
        }),
        Column::words("configuration", |f: &Item| labels.short(f.configuration.configuration)),
        Column::figures("capacity", |f: &Item| {
            or_unknown(f.capacity.per_second, records_per_second)
        }),
        Column::figures("low", |f: &Item| or_unknown(f.capacity.low, records_per_second)),
        Column::figures("high", |f: &Item| or_unknown(f.capacity.high, records_per_second)),
        Column::words("confirmed", |f: &Item| if f.capacity.confirmed { "yes" } else { "no" }),
        Column::words("rates tried", |f: &Item| {
            let tries: Vec<String> = f.tries.iter().map(tried_cell).collect();
            tries.join(", ")
        }),
    ];
    Table::of("", columns, all)
}

fn tried_cell(tried: &Tried) -> String {
    let what = match tried.outcome {
        Outcome::Held => "held",
        Outcome::Failed => "failed",
        Outcome::LoadNotReached => "load not reached",
        Outcome::NotDecided => "not decided",
    };
    format!("{} {what}", significant(tried.rate, 3))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn the_answer_says_what_it_rests_on() {
        let found = CapacitySummary {
            per_second: Some(940.0),
            low: Some(940.0),
            high: Some(1_000.0),
            confirmed: true,
            limited_by_load: false,
        };
        assert_eq!(value(&found), "940 records/s, failed\u{a0}at\u{a0}1,000");
        let unconfirmed = CapacitySummary {
            confirmed: false,
            ..found
        };
        assert_eq!(
            value(&unconfirmed),
            "940 records/s, failed\u{a0}at\u{a0}1,000; not confirmed"
        );
        let limited = CapacitySummary {
            high: None,
            limited_by_load: true,
            ..unconfirmed
        };
        assert_eq!(
            value(&limited),
            "at least 940 records/s: the producers could send no more"
        );
        let failed_above = CapacitySummary {
            high: Some(2_000.0),
            ..limited
        };
        assert_eq!(
            value(&failed_above),
            "at least 940 records/s, failed\u{a0}at\u{a0}2,000: the producers could send no more"
        );
        let none = CapacitySummary {
            per_second: None,
            low: None,
            ..found
        };
        assert_eq!(value(&none), "less than 1,000 records/s");
    }

    #[test]
    fn the_band_goes_from_the_highest_rate_that_held_to_the_lowest_that_failed() {
        let fixture = Fixture::capacity();
        let input = fixture.input();
        let chart = chart(&input, &Labels::new(&fixture.scenario)).unwrap();
        for (row, c) in chart.table.texts().iter().zip(&fixture.summary.configurations) {
            let found = c.live.as_ref().unwrap().capacity.unwrap();
            assert!(
                row[6].contains(&format!("{} held", significant(found.low.unwrap(), 3))),
                "{row:?}"
            );
            assert!(
                row[6].contains(&format!("{} failed", significant(found.high.unwrap(), 3))),
                "{row:?}"
            );
        }
        assert!(
            chart.spec.title.contains("99 % of the records within 50 ms"),
            "{}",
            chart.spec.title
        );
    }

    #[test]
    fn a_rate_that_held_is_filled_and_one_that_failed_is_hollow() {
        let fixture = Fixture::capacity();
        let sought = fixture.scenario.capacity.unwrap();
        let c = &fixture.summary.configurations[0];
        let found = Found {
            configuration: c,
            capacity: c.live.as_ref().unwrap().capacity.unwrap(),
            tries: tries(&fixture.input(), &sought, 0),
        };
        let high = found.capacity.high.unwrap();
        let row = row(&fixture.input(), &Labels::new(&fixture.scenario), &found, 1e6);
        let dots: Vec<(f64, bool)> = row
            .marks
            .iter()
            .filter_map(|mark| match mark {
                Mark::Dot { x, hollow, .. } => Some((*x, *hollow)),
                _ => None,
            })
            .collect();
        assert_eq!(dots.len(), found.tries.len());
        assert!(
            dots.iter()
                .all(|(at, hollow)| if *hollow { *at >= high } else { *at <= high })
        );
    }
}
