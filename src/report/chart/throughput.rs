//! Records per second of every configuration: each trial a dot, the estimate a line in its interval.

use std::fmt::Write as _;
use std::ops::Range;

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Swatch, colours};
use super::rows::{Mark, Panel, Row, RowChart, lanes};
use super::words::{own_scales, panel_title, panels, row_title};
use crate::figures::FigureId;
use crate::measure::{Status, Trial, TrialKind};
use crate::report::format::{rate, rate_estimate};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table};
use crate::summary::ConfigurationSummary;
use crate::wording::joined;

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let panel = |families: Range<usize>| {
        let title = panel_title(input.scenario, &families);
        let of_panel = families.flat_map(|family| input.of_family(family));
        Panel::of_rows(title, of_panel.map(|c| row(input, labels, c)).collect())
    };
    let shared = panels(input.scenario);
    let scales = own_scales(shared.len());
    let panels: Vec<Panel> = shared.into_iter().map(panel).filter(Panel::has_marks).collect();
    if panels.is_empty() {
        return None;
    }
    let mut legend = colours(labels);
    legend.push((Swatch::Interval(Ink::Muted), "estimate in its 95 % interval".to_owned()));
    if input.trials.iter().any(|t| matches!(t.status, Status::Excluded { .. })) {
        legend.push((Swatch::neutral(0, true), "trial that is not used".to_owned()));
    }
    let chart = RowChart {
        panels,
        legend,
        axis: "records per second, from the common start to the last record".to_owned(),
    };
    let description = format!(
        "A row per configuration: every dot is a trial, the line the estimate in the band of its 95 % confidence \
         interval.{}{}",
        scales,
        highest(input, labels)
    );
    let table = table(input, labels);
    Some(Chart::new("throughput", "Throughput", &description, table, &chart))
}

/// The configurations with the highest estimates in words, where the panels are few. Whether they are faster is for
/// the verdicts to say.
fn highest(input: &ReportInput, labels: &Labels) -> String {
    let panels = panels(input.scenario);
    let are_few = panels.len() <= 4;
    let highest = panels.into_iter().filter_map(|families| {
        let title = panel_title(input.scenario, &families);
        let known = |c: &'_ ConfigurationSummary| Some((c.configuration, c.point(FigureId::RecordsPerSecond)?));
        let all = families.flat_map(|family| input.of_family(family)).filter_map(known);
        let (configuration, point) = all.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let name = joined([&*title, &*row_title(input, labels, configuration)], ": ");
        Some(format!("{name} at {}", rate(point)))
    });
    let highest: Vec<String> = highest.collect();
    if are_few && !highest.is_empty() {
        format!(" Highest: {}.", highest.join("; "))
    } else {
        String::new()
    }
}

fn row(input: &ReportInput, labels: &Labels, c: &ConfigurationSummary) -> Row {
    let slot = labels.slot(c.configuration);
    let ink = Ink::Series(slot);
    let estimate = c.estimate(FigureId::RecordsPerSecond);
    let counted = counted_rates(input, c.configuration);
    let dots = counted
        .iter()
        .zip(lanes(counted.len()))
        .map(|((trial, rate), lane)| Mark::Dot {
            at: *rate,
            lane,
            ink: if trial.is_used() { ink } else { Ink::Muted },
            shape: slot,
            hollow: !trial.is_used(),
        });
    let mut value = estimate.map_or_else(|| "no estimate".to_owned(), |e| rate_estimate(&e));
    if c.trials_failed > 0 {
        let _ = write!(value, " · {}\u{a0}failed", c.trials_failed);
    }
    Row {
        label: row_title(input, labels, c.configuration),
        value,
        marks: estimate
            .map(|e| Mark::estimate(e, ink))
            .into_iter()
            .chain(dots)
            .collect(),
    }
}

/// Counted trials with their rates, in the order of blocks.
fn counted_rates<'a>(input: &ReportInput<'a>, configuration: usize) -> Vec<(&'a Trial, f64)> {
    let counted = input
        .trials_of(configuration)
        .filter(|t| t.order.kind == TrialKind::Counted);
    let read = counted.filter_map(|t| Some((t, t.measurement.as_ref().filter(|m| m.read_ns() > 0)?)));
    let mut rates: Vec<(&Trial, f64)> = read.map(|(t, m)| (t, m.records_per_second())).collect();
    rates.sort_by_key(|(t, _)| t.order.block);
    rates
}

fn table(input: &ReportInput, labels: &Labels) -> Table {
    type Item<'a> = &'a ConfigurationSummary;
    let names = [
        Column::words("family", |c: &Item| family_title(input.scenario, c.family)),
        Column::words("configuration", |c: &Item| labels.short(c.configuration)),
    ];
    let rates = Column::estimate("records/s", |c: &Item| c.estimate(FigureId::RecordsPerSecond), rate);
    let trials = Column::words("trials by block (in brackets: not used)", |c: &Item| {
        let each = counted_rates(input, c.configuration)
            .into_iter()
            .map(|(t, r)| if t.is_used() { rate(r) } else { format!("({})", rate(r)) });
        each.collect::<Vec<String>>().join(", ")
    });
    let columns = names.into_iter().chain(rates).chain([trials]);
    Table::of("", columns, &input.summary.configurations)
}
