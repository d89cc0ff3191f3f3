//! Charts of a comparison of runs: how fast each configuration is against the first run, and the figures of the runs
//! side by side.

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entries, Swatch};
use super::rows::{Mark, Panel, Row, RowChart, lanes};
use super::scale::axis_end;
use super::words::own_scales;
use crate::report::compare::CompareInput;
use crate::report::compare::names::{figure_text, full_label, label, measure_title};
use crate::report::compare::verdicts::conclusion;
use crate::report::format::{ratio_estimate, significant};
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table};
use crate::stats::Estimate;
use crate::summary::Metric;
use crate::summary::compare::{Measure, RunFigure, RunVerdict};
use crate::wording::capitalised;

/// The charts that there are figures for: the ratios, then each measure's figures.
pub(crate) fn run_charts(input: &CompareInput) -> Vec<Chart> {
    let labels = Labels::new(input.scenario);
    let measures = input.comparison.measures().into_iter();
    let figures = measures.filter_map(|measure| figures(input, &labels, measure));
    ratios(input, &labels).into_iter().chain(figures).collect()
}

/// The place of a run among all: its colour and shape.
fn slot(input: &CompareInput, run: &str) -> usize {
    let mut runs = input.comparison.runs.iter();
    runs.position(|facts| facts.name == run).unwrap_or(0)
}

fn legend(input: &CompareInput, first_run: usize, band: &str) -> Entries {
    let runs = input.comparison.runs.iter().enumerate().skip(first_run);
    let runs = runs.map(|(slot, run)| (Swatch::slot(slot), format!("{}: {}", run.name, run.folder)));
    runs.chain([(Swatch::Interval(Ink::Muted), band.to_owned())]).collect()
}

/// Every ratio in its interval beside the line at 1.
fn ratios(input: &CompareInput, labels: &Labels) -> Option<Chart> {
    let verdicts = input.comparison.verdicts.iter();
    let known: Vec<(&RunVerdict, Estimate)> = verdicts.filter_map(|v| Some((v, v.ratio?))).collect();
    if known.is_empty() {
        return None;
    }
    let rows = known.iter().map(|(v, ratio)| ratio_row(input, labels, v, *ratio));
    let panel = Panel::of_rows(String::new(), rows.collect());
    let panel = Panel {
        max: panel.max.max(axis_end([1.2].into_iter())),
        reference: Some((1.0, "as in A".to_owned())),
        ..panel
    };
    let chart = RowChart {
        panels: vec![panel],
        legend: legend(input, 1, "ratio in its interval"),
        axis: "times as good as in A".to_owned(),
    };
    let description = "A row per configuration: the line is how many times as good it is as in A, in the band of its \
                       interval. Right of the dashed line it is better, left of it worse; a band across the line shows \
                       no difference.";
    let table = ratio_table(input, labels, known);
    Some(Chart::new("speed", "Each run against A", description, table, &chart))
}

fn ratio_row(input: &CompareInput, labels: &Labels, v: &RunVerdict, ratio: Estimate) -> Row {
    let shape = slot(input, &v.run);
    let ink = Ink::Series(shape);
    let name = full_label(input, labels, &v.configuration);
    let dot = Mark::Dot {
        at: ratio.point,
        lane: 0.0,
        ink,
        shape,
        hollow: false,
    };
    let several = input.comparison.runs.len() > 2;
    Row {
        label: if several { format!("{} · {name}", v.run) } else { name },
        value: format!("{} · {}", ratio_estimate(&ratio), conclusion(input, v)),
        marks: vec![Mark::estimate(ratio, ink), dot],
    }
}

fn ratio_table(input: &CompareInput, labels: &Labels, known: Vec<(&RunVerdict, Estimate)>) -> Table {
    type Item<'a> = (&'a RunVerdict, Estimate);
    let columns = [
        Column::words("run", |(v, _): &Item| v.run.clone()),
        Column::words("configuration", |(v, _): &Item| {
            full_label(input, labels, &v.configuration)
        }),
        Column::words("by", |(v, _): &Item| measure_title(v.measure)),
        Column::figures("speed [95 %]", |(_, ratio): &Item| ratio_estimate(ratio)),
        Column::words("verdict", |(v, _): &Item| conclusion(input, v)),
    ];
    Table::of("", columns, known)
}

/// The figures of all runs by one measure: a row per configuration and run, in a panel per family.
fn figures(input: &CompareInput, labels: &Labels, measure: Measure) -> Option<Chart> {
    let all: Vec<&RunFigure> = input
        .comparison
        .figures
        .iter()
        .filter(|f| f.measure == measure)
        .collect();
    let panel = |family| {
        let own = all.iter().filter(|f| input.family_of(&f.configuration) == Some(family));
        let rows = own.map(|f| figure_row(input, labels, f)).collect();
        Panel::of_rows(family_title(input.scenario, family), rows)
    };
    let families = 0..input.scenario.families.len();
    let panels: Vec<Panel> = families.map(panel).filter(Panel::has_marks).collect();
    if panels.is_empty() {
        return None;
    }
    let (name, axis) = match measure {
        Measure::Metric(metric @ (Metric::READ_TIME | Metric::STOPWATCH)) => (
            "throughput",
            format!("records per second, by {}", metric.comparing().noun),
        ),
        Measure::Metric(metric) => {
            let figure = metric.figure().figure();
            (
                metric.name(),
                format!("{}, {}", metric.comparing().noun, figure.unit.name()),
            )
        }
        Measure::Capacity => ("capacity", "records per second".to_owned()),
    };
    let (band, marks) = match measure {
        Measure::Metric(_) => (
            "estimate in its 95 % interval",
            "Every dot is a trial, the line the estimate in the band of its 95 % confidence interval.",
        ),
        Measure::Capacity => (
            "from the rate that held to the one that failed",
            "The band reaches from the highest rate that held the objective to the lowest that failed it.",
        ),
    };
    let chart = RowChart {
        panels,
        legend: legend(input, 0, band),
        axis,
    };
    let families = own_scales(input.scenario.families.len());
    let description = format!("Rows grouped by configuration, one for each run. {marks}{families}");
    let title = capitalised(measure_title(measure));
    let table = figure_table(input, labels, all);
    Some(Chart::new(name, &title, &description, table, &chart))
}

fn figure_table(input: &CompareInput, labels: &Labels, figures: Vec<&RunFigure>) -> Table {
    type Item<'a> = &'a RunFigure;
    let columns = [
        Column::words("configuration", |f: &Item| full_label(input, labels, &f.configuration)),
        Column::words("run", |f: &Item| f.run.clone()),
        Column::figures("figure [95 %]", |f: &Item| figure_text(f)),
        Column::words("trials in the order of running", |f: &Item| {
            let trials: Vec<String> = f.trials.iter().map(|value| significant(*value, 4)).collect();
            trials.join(", ")
        }),
    ];
    Table::of("", columns, figures)
}

fn figure_row(input: &CompareInput, labels: &Labels, f: &RunFigure) -> Row {
    let shape = slot(input, &f.run);
    let ink = Ink::Series(shape);
    let estimate = f.estimate.map(|estimate| Mark::estimate(estimate, ink));
    let capacity = f.capacity.and_then(|capacity| {
        let low = capacity.low?;
        let high = capacity.high.unwrap_or(low);
        let point = low;
        Some(Mark::Interval { low, high, point, ink })
    });
    let dots = f.trials.iter().zip(lanes(f.trials.len())).map(|(at, lane)| Mark::Dot {
        at: *at,
        lane,
        ink,
        shape,
        hollow: false,
    });
    Row {
        label: format!("{} · {}", f.run, label(input, labels, &f.configuration)),
        value: figure_text(f),
        marks: estimate.into_iter().chain(capacity).chain(dots).collect(),
    }
}
