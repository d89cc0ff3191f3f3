//! Records per second of every configuration: each trial a dot, the estimate a line in its interval.

use std::fmt::Write as _;
use std::ops::Range;

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch, colours};
use super::spec::{Axis, ChartSpec, Kind, Mark, Panel, Row};
use super::tick::Tick;
use super::words::{own_scales, panel_title, panels, row_title};
use crate::figures::FigureId;
use crate::measure::{Status, Trial, TrialKind};
use crate::report::format::{rate, rate_estimate};
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::summary::ConfigurationSummary;
use crate::wording::joined;

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let panel = |families: Range<usize>| {
        let title = panel_title(input.scenario, &families);
        let of_panel: Vec<_> = families.flat_map(|family| input.of_family(family)).collect();
        let mut baselines = of_panel.iter().filter(|c| input.is_baseline(c.configuration));
        let base = baselines.next().and_then(|c| c.point(FigureId::RecordsPerSecond));
        Panel {
            base: base.filter(|_| baselines.next().is_none()),
            ..Panel::of_rows(title, of_panel.iter().map(|c| row(input, labels, c)).collect())
        }
    };
    let shared = panels(input.scenario);
    let scales = own_scales(shared.len());
    let panels: Vec<Panel> = shared.into_iter().map(panel).filter(Panel::has_marks).collect();
    if panels.is_empty() {
        return None;
    }
    let mut legend = colours(labels);
    legend.push(Entry::new(
        Swatch::Interval(Ink::Muted),
        "estimate in its 95 % interval",
    ));
    if input.trials.iter().any(|t| matches!(t.status, Status::Excluded { .. })) {
        legend.push(Entry::new(Swatch::neutral(0, true), "trial that is not used"));
    }
    let description = format!(
        "A row per configuration: every dot is a trial, the line the estimate in the band of its 95 % confidence \
         interval.{}{}",
        scales,
        highest(input, labels)
    );
    Some(Chart::new(ChartSpec {
        name: "throughput",
        title: "Throughput".to_owned(),
        description,
        kind: Kind::Rows,
        x: Axis::new(
            "records per second, from the common start to the last record",
            Tick::Rate,
        ),
        y: None,
        legend,
        slots: labels.slots().to_vec(),
        panels,
    }))
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
    let estimate = c.estimate(FigureId::RecordsPerSecond);
    let counted = counted_rates(input, c.configuration);
    let dots = counted.iter().map(|(trial, rate)| Mark::Dot {
        x: *rate,
        t: Some(trial.order.number),
        hollow: !trial.is_used(),
        shape: slot,
    });
    let mut value = estimate.map_or_else(|| "no estimate".to_owned(), |e| rate_estimate(&e));
    if c.trials_failed > 0 {
        let _ = write!(value, " · {}\u{a0}failed", c.trials_failed);
    }
    Row {
        c: Some(c.configuration),
        label: row_title(input, labels, c.configuration),
        value,
        marks: estimate.map(Mark::estimate).into_iter().chain(dots).collect(),
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
