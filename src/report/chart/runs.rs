//! Charts of a comparison of runs: how fast each configuration is against the first run, and the figures of the runs
//! side by side.

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch};
use super::scale::{Ruler, axis_end};
use super::spec::{Axis, ChartSpec, Event, Kind, Mark, Panel, Row};
use super::tick::Tick;
use super::words::own_scales;
use crate::report::compare::CompareInput;
use crate::report::compare::names::{figure_text, full_label, label, measure_title};
use crate::report::compare::verdicts::conclusion;
use crate::report::format::ratio_estimate;
use crate::report::labels::{Labels, family_title};
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

/// In these charts the runs have colours, not the configurations.
fn slots(input: &CompareInput) -> Vec<usize> {
    (0..input.comparison.runs.len()).collect()
}

fn legend(input: &CompareInput, first_run: usize, band: &str) -> Vec<Entry> {
    let runs = input.comparison.runs.iter().enumerate().skip(first_run);
    let runs = runs.map(|(slot, run)| Entry {
        configurations: vec![slot],
        ..Entry::new(Swatch::slot(slot), format!("{}: {}", run.name, run.folder))
    });
    runs.chain([Entry::new(Swatch::Interval(Ink::Muted), band)]).collect()
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
        x: Ruler::linear(panel.x.end().max(axis_end([1.2].into_iter()))),
        reference: Some(Event {
            x: 1.0,
            text: "as in A".to_owned(),
        }),
        ..panel
    };
    let description = "A row per configuration: the line is how many times as good it is as in A, in the band of its \
                       interval. Right of the dashed line it is better, left of it worse; a band across the line shows \
                       no difference.";
    Some(Chart::new(ChartSpec {
        name: "speed",
        title: "Each run against A".to_owned(),
        description: description.to_owned(),
        kind: Kind::Rows,
        x: Axis::new("times as good as in A", Tick::Ratio),
        y: None,
        legend: legend(input, 1, "ratio in its interval"),
        slots: slots(input),
        panels: vec![panel],
    }))
}

fn ratio_row(input: &CompareInput, labels: &Labels, v: &RunVerdict, ratio: Estimate) -> Row {
    let shape = slot(input, &v.run);
    let name = full_label(input, labels, &v.configuration);
    let dot = Mark::Dot {
        x: ratio.point,
        t: None,
        hollow: false,
        shape,
    };
    let several = input.comparison.runs.len() > 2;
    Row {
        c: Some(shape),
        label: if several { format!("{} · {name}", v.run) } else { name },
        value: format!("{} · {}", ratio_estimate(&ratio), conclusion(input, v)),
        marks: vec![Mark::estimate(ratio), dot],
    }
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
    let (name, axis, tick) = match measure {
        Measure::Metric(metric @ (Metric::READ_TIME | Metric::STOPWATCH)) => (
            "throughput",
            format!("records per second, by {}", metric.comparing().noun),
            Tick::Rate,
        ),
        Measure::Metric(metric) => {
            let figure = metric.figure().figure();
            (
                metric.name(),
                format!("{}, {}", metric.comparing().noun, figure.unit.name()),
                Tick::Count,
            )
        }
        Measure::Capacity => ("capacity", "records per second".to_owned(), Tick::Rate),
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
    let families = own_scales(input.scenario.families.len());
    let description = format!("Rows grouped by configuration, one for each run. {marks}{families}");
    Some(Chart::new(ChartSpec {
        name,
        title: capitalised(measure_title(measure)),
        description,
        kind: Kind::Rows,
        x: Axis::new(axis, tick),
        y: None,
        legend: legend(input, 0, band),
        slots: slots(input),
        panels,
    }))
}

fn figure_row(input: &CompareInput, labels: &Labels, f: &RunFigure) -> Row {
    let shape = slot(input, &f.run);
    let estimate = f.estimate.map(Mark::estimate);
    let capacity = f.capacity.and_then(|capacity| {
        let low = capacity.low?;
        let high = capacity.high.unwrap_or(low);
        let point = low;
        Some(Mark::Interval { low, point, high })
    });
    let dots = f.trials.iter().map(|x| Mark::Dot {
        x: *x,
        t: None,
        hollow: false,
        shape,
    });
    Row {
        c: Some(shape),
        label: format!("{} · {}", f.run, label(input, labels, &f.configuration)),
        value: figure_text(f),
        marks: estimate.into_iter().chain(capacity).chain(dots).collect(),
    }
}
