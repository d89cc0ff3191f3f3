//! Records per second of every configuration: each trial a dot, the estimate a line in its interval.

use std::fmt::Write as _;

use super::legend::Swatch;
use super::paint::Ink;
use super::rows::{Mark, Panel, Row, RowChart};
use super::{Chart, axis_end, chart as assemble, colour_legend};
use crate::figures::FigureId;
use crate::measure::{Status, Trial, TrialKind};
use crate::report::ReportInput;
use crate::report::format::{or_unknown, rate, rate_estimate, tick};
use crate::report::labels::{Labels, family_title};
use crate::report::tables::{Table, of_family};
use crate::summary::ConfigurationSummary;

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let panels: Vec<Panel> = (0..input.scenario.families.len())
        .map(|family| panel(input, labels, family))
        .filter(|panel| panel.rows.iter().any(|row| !row.marks.is_empty()))
        .collect();
    if panels.is_empty() {
        return None;
    }
    let mut legend = colour_legend(labels, |slot| Swatch::Marker {
        ink: Ink::Series(slot),
        shape: slot,
        hollow: false,
    });
    legend.push((Swatch::Interval(Ink::Muted), "estimate in its 95 % interval".to_owned()));
    if input.trials.iter().any(|t| matches!(t.status, Status::Excluded { .. })) {
        legend.push((
            Swatch::Marker {
                ink: Ink::Muted,
                shape: 0,
                hollow: true,
            },
            "trial that takes no part".to_owned(),
        ));
    }
    let chart = RowChart {
        panels,
        legend,
        axis: "records per second, from the common start to the last record".to_owned(),
    };
    let families = match input.scenario.families.len() {
        1 => String::new(),
        n => format!(" Each of the {n} families has its own scale."),
    };
    let description = format!(
        "A row per configuration: every dot is a trial, the line the estimate in the band of its 95 % confidence \
         interval.{families}{}",
        highest(input, labels)
    );
    Some(assemble(
        "throughput",
        "Throughput",
        &description,
        table(input, labels),
        |frame| chart.render(frame),
    ))
}

/// The configurations with the highest estimates in words, where the families are few. Whether they are faster is for
/// the verdicts to say.
fn highest(input: &ReportInput, labels: &Labels) -> String {
    let families = input.scenario.families.len();
    let highest = (0..families).filter_map(|family| {
        let point = |c: &ConfigurationSummary| c.point(FigureId::RecordsPerSecond).unwrap_or(f64::NEG_INFINITY);
        let c = of_family(input, family)
            .filter(|c| c.point(FigureId::RecordsPerSecond).is_some())
            .max_by(|a, b| point(a).total_cmp(&point(b)))?;
        let title = family_title(input.scenario, family);
        let of = if title.is_empty() {
            String::new()
        } else {
            format!("{title}: ")
        };
        Some(format!("{of}{} at {}", labels.short(c.configuration), rate(point(c))))
    });
    let highest: Vec<String> = highest.collect();
    if highest.is_empty() || families > 4 {
        String::new()
    } else {
        format!(" Highest: {}.", highest.join("; "))
    }
}

fn panel(input: &ReportInput, labels: &Labels, family: usize) -> Panel {
    let rows: Vec<Row> = of_family(input, family).map(|c| row(input, labels, c)).collect();
    let values = rows.iter().flat_map(|row| &row.marks).map(|mark| match mark {
        Mark::Interval { high, .. } | Mark::Whisker { high, .. } => *high,
        Mark::Dot { at, .. } => *at,
        Mark::Segment { to, .. } => *to,
    });
    let max = axis_end(values);
    Panel {
        title: family_title(input.scenario, family),
        max,
        tick,
        reference: None,
        rows,
    }
}

fn row(input: &ReportInput, labels: &Labels, c: &ConfigurationSummary) -> Row {
    let slot = labels.slot(c.configuration);
    let ink = Ink::Series(slot);
    let mut marks = Vec::new();
    if let Some(estimate) = c.estimate(FigureId::RecordsPerSecond) {
        let (low, high) = estimate.interval.unwrap_or((estimate.point, estimate.point));
        marks.push(Mark::Interval {
            low,
            high,
            point: estimate.point,
            ink,
        });
    }
    let counted = counted_rates(input, c.configuration);
    let last = counted.len().max(2) as f64 - 1.0;
    for (i, (trial, rate)) in counted.iter().enumerate() {
        let (ink, hollow) = if trial.is_used() {
            (ink, false)
        } else {
            (Ink::Muted, true)
        };
        marks.push(Mark::Dot {
            at: *rate,
            lane: i as f64 / last * 2.0 - 1.0,
            ink,
            shape: slot,
            hollow,
        });
    }
    let mut value = c
        .estimate(FigureId::RecordsPerSecond)
        .map_or_else(|| "no estimate".to_owned(), |e| rate_estimate(&e));
    if c.trials_failed > 0 {
        let _ = write!(value, " · {}\u{a0}failed", c.trials_failed);
    }
    Row {
        label: labels.short(c.configuration).to_owned(),
        value,
        marks,
    }
}

/// Counted trials with their rates, in the order of blocks.
fn counted_rates<'a>(input: &ReportInput<'a>, configuration: usize) -> Vec<(&'a Trial, f64)> {
    let mut counted: Vec<(&Trial, f64)> = input
        .trials
        .iter()
        .filter(|t| t.order.configuration == configuration && t.order.kind == TrialKind::Counted)
        .filter_map(|t| {
            Some((
                t,
                t.measurement.as_ref().filter(|m| m.read_ns() > 0)?.records_per_second(),
            ))
        })
        .collect();
    counted.sort_by_key(|(t, _)| t.order.block);
    counted
}

fn table(input: &ReportInput, labels: &Labels) -> Table {
    let rows = input.summary.configurations.iter().map(|c| {
        let estimate = c.estimate(FigureId::RecordsPerSecond);
        let interval = estimate.and_then(|e| e.interval);
        let trials: Vec<String> = counted_rates(input, c.configuration)
            .iter()
            .map(|(t, r)| {
                if t.is_used() {
                    rate(*r)
                } else {
                    format!("({})", rate(*r))
                }
            })
            .collect();
        vec![
            family_title(input.scenario, c.family),
            labels.short(c.configuration).to_owned(),
            or_unknown(estimate.map(|e| e.point), rate),
            or_unknown(interval.map(|(low, _)| low), rate),
            or_unknown(interval.map(|(_, high)| high), rate),
            trials.join(", "),
        ]
    });
    let headers = [
        "family",
        "configuration",
        "records/s",
        "low",
        "high",
        "trials by block (in brackets: takes no part)",
    ];
    Table::new("", &headers, rows.collect())
}
