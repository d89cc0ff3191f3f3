//! Charts of a comparison of runs: how fast each configuration is against the first run, and the figures of the runs
//! side by side.

use super::legend::Swatch;
use super::paint::Ink;
use super::rows::{Mark, Panel, Row, RowChart};
use super::{Chart, axis_end, chart as assemble};
use crate::report::compare::CompareInput;
use crate::report::compare::tables::{figure_text, full_label, label, title, verdict_text};
use crate::report::format::{ratio_estimate, tick};
use crate::report::labels::{Labels, family_title};
use crate::report::tables::Table;
use crate::summary::compare::{Measure, RunFigure, RunVerdict};

/// The charts that there are figures for: the ratios, then each measure's figures.
pub(in crate::report) fn run_charts(input: &CompareInput) -> Vec<Chart> {
    let labels = Labels::new(input.scenario);
    let figures = Measure::ALL
        .into_iter()
        .filter_map(|measure| figures(input, &labels, measure));
    ratios(input, &labels).into_iter().chain(figures).collect()
}

/// The place of a run among all: its colour and shape.
fn slot(input: &CompareInput, run: &str) -> usize {
    input
        .comparison
        .runs
        .iter()
        .position(|facts| facts.name == run)
        .unwrap_or(0)
}

fn swatches(input: &CompareInput, from: usize) -> Vec<(Swatch, String)> {
    let runs = input.comparison.runs.iter().enumerate().skip(from);
    runs.map(|(slot, run)| {
        let swatch = Swatch::Marker {
            ink: Ink::Series(slot),
            shape: slot,
            hollow: false,
        };
        (swatch, format!("{}: {}", run.name, run.folder))
    })
    .collect()
}

/// Every ratio in its interval beside the line at 1.
fn ratios(input: &CompareInput, labels: &Labels) -> Option<Chart> {
    let verdicts = || input.comparison.verdicts.iter().filter(|v| v.ratio.is_some());
    let row = |v: &RunVerdict| ratio_row(input, labels, v);
    let rows: Vec<Row> = verdicts().map(row).collect();
    if rows.is_empty() {
        return None;
    }
    let ends = verdicts()
        .filter_map(|v| v.ratio)
        .map(|ratio| ratio.interval.map_or(ratio.point, |(_, high)| high));
    let panel = Panel {
        title: String::new(),
        max: axis_end(ends.chain([1.2])),
        tick,
        reference: Some((1.0, "as in A".to_owned())),
        rows,
    };
    let mut legend = swatches(input, 1);
    legend.push((Swatch::Interval(Ink::Muted), "ratio in its interval".to_owned()));
    let chart = RowChart {
        panels: vec![panel],
        legend,
        axis: "times as fast as in A".to_owned(),
    };
    let description = "A row per configuration: the line is how many times as fast it is as in A, in the band of its \
                       interval. Right of the dashed line it is faster, left of it slower; a band across the line shows \
                       no difference.";
    let cells = |v: &RunVerdict| {
        vec![
            v.run.clone(),
            full_label(input, labels, &v.configuration),
            title(v.measure).to_owned(),
            v.ratio.map_or_else(String::new, |ratio| ratio_estimate(&ratio)),
            verdict_text(v, input.comparison.threshold).to_owned(),
        ]
    };
    let headers = ["run", "configuration", "by", "speed [95 %]", "verdict"];
    let table = Table::new("", &headers, verdicts().map(cells).collect());
    Some(assemble("speed", "Speed against A", description, table, |frame| {
        chart.render(frame)
    }))
}

fn ratio_row(input: &CompareInput, labels: &Labels, v: &RunVerdict) -> Row {
    let slot = slot(input, &v.run);
    let name = full_label(input, labels, &v.configuration);
    let several = input.comparison.runs.len() > 2;
    let mut marks = Vec::new();
    if let Some(ratio) = v.ratio {
        let (low, high) = ratio.interval.unwrap_or((ratio.point, ratio.point));
        marks.push(Mark::Interval {
            low,
            high,
            point: ratio.point,
            ink: Ink::Series(slot),
        });
        marks.push(Mark::Dot {
            at: ratio.point,
            lane: 0.0,
            ink: Ink::Series(slot),
            shape: slot,
            hollow: false,
        });
    }
    let word = verdict_text(v, input.comparison.threshold);
    Row {
        label: if several { format!("{} · {name}", v.run) } else { name },
        value: v
            .ratio
            .map_or_else(String::new, |ratio| format!("{} · {word}", ratio_estimate(&ratio))),
        marks,
    }
}

/// The figures of all runs by one measure: a row per configuration and run, in a panel per family.
fn figures(input: &CompareInput, labels: &Labels, measure: Measure) -> Option<Chart> {
    let of_measure = |f: &&RunFigure| f.measure == measure;
    let panels: Vec<Panel> = (0..input.scenario.families.len())
        .map(|family| panel(input, labels, measure, family))
        .filter(|panel| panel.rows.iter().any(|row| !row.marks.is_empty()))
        .collect();
    if panels.is_empty() {
        return None;
    }
    let mut legend = swatches(input, 0);
    let (band, axis, name) = match measure {
        Measure::ReadTime => (
            "estimate in its 95 % interval",
            "records per second, from the common start to the last record",
            "throughput",
        ),
        Measure::ResponseP99 => (
            "estimate in its 95 % interval",
            "milliseconds, 99th percentile of the response time",
            "response",
        ),
        Measure::CatchUp => (
            "estimate in its 95 % interval",
            "seconds until backlog and arrivals had been read",
            "catch-up",
        ),
        Measure::Capacity => (
            "from the rate that held to the one that failed",
            "records per second",
            "capacity",
        ),
    };
    legend.push((Swatch::Interval(Ink::Muted), band.to_owned()));
    let chart = RowChart {
        panels,
        legend,
        axis: axis.to_owned(),
    };
    let families = match input.scenario.families.len() {
        1 => String::new(),
        n => format!(" Each of the {n} families has its own scale."),
    };
    let marks = if measure == Measure::Capacity {
        "The band reaches from the highest rate that held the objective to the lowest that failed it."
    } else {
        "Every dot is a trial, the line the estimate in the band of its 95 % confidence interval."
    };
    let description = format!("Rows grouped by configuration, one for each run. {marks}{families}");
    let cells = |f: &RunFigure| {
        let trials: Vec<String> = f.trials.iter().map(|value| tick_text(*value)).collect();
        vec![
            full_label(input, labels, &f.configuration),
            f.run.clone(),
            figure_text(f),
            trials.join(", "),
        ]
    };
    let rows = input.comparison.figures.iter().filter(of_measure).map(cells).collect();
    let table = Table::new(
        "",
        &[
            "configuration",
            "run",
            "figure [95 %]",
            "trials in the order of running",
        ],
        rows,
    );
    let mut letters = title(measure).chars();
    let heading = letters.next().map_or(String::new(), |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    });
    Some(assemble(name, &heading, &description, table, |frame| {
        chart.render(frame)
    }))
}

fn tick_text(value: f64) -> String {
    crate::report::format::significant(value, 4)
}

fn panel(input: &CompareInput, labels: &Labels, measure: Measure, family: usize) -> Panel {
    let of_family = |name: &str| {
        let compared = input.comparison.configurations.iter().find(|c| c.name == name);
        let configuration = compared.and_then(|c| input.scenario.configurations.get(c.index));
        configuration.is_some_and(|c| c.family == family)
    };
    let figures = input.comparison.figures.iter();
    let figures = figures.filter(|f| f.measure == measure && of_family(&f.configuration));
    let rows: Vec<Row> = figures.map(|f| figure_row(input, labels, f)).collect();
    let ends = rows.iter().flat_map(|row| &row.marks).map(|mark| match mark {
        Mark::Interval { high, .. } | Mark::Whisker { high, .. } => *high,
        Mark::Dot { at, .. } => *at,
        Mark::Segment { to, .. } => *to,
    });
    Panel {
        title: family_title(input.scenario, family),
        max: axis_end(ends),
        tick,
        reference: None,
        rows,
    }
}

fn figure_row(input: &CompareInput, labels: &Labels, f: &RunFigure) -> Row {
    let slot = slot(input, &f.run);
    let ink = Ink::Series(slot);
    let mut marks = Vec::new();
    if let Some(estimate) = f.estimate {
        let (low, high) = estimate.interval.unwrap_or((estimate.point, estimate.point));
        marks.push(Mark::Interval {
            low,
            high,
            point: estimate.point,
            ink,
        });
    }
    if let Some((low, high)) = f
        .capacity
        .and_then(|capacity| Some((capacity.low?, capacity.high.or(capacity.low)?)))
    {
        marks.push(Mark::Interval {
            low,
            high,
            point: low,
            ink,
        });
    }
    let last = f.trials.len().max(2) as f64 - 1.0;
    marks.extend(f.trials.iter().enumerate().map(|(i, at)| Mark::Dot {
        at: *at,
        lane: i as f64 / last * 2.0 - 1.0,
        ink,
        shape: slot,
        hollow: false,
    }));
    Row {
        label: format!("{} · {}", f.run, label(input, labels, &f.configuration)),
        value: figure_text(f),
        marks,
    }
}
