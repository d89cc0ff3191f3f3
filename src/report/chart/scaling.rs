//! Speed against the number of members, beside what perfect scaling would give.

use std::collections::BTreeSet;

use super::grid::{Grid, Line, XyPanel};
use super::legend::Swatch;
use super::paint::Ink;
use super::scale::Axis;
use super::{Chart, chart as assemble, colour_legend};
use crate::report::ReportInput;
use crate::report::format::{or_unknown, ratio};
use crate::report::labels::{Labels, family_title, varying_axes};
use crate::report::tables::{Table, comparison, of_family};
use crate::scenario::Configuration;
use crate::stats::Estimate;
use crate::summary::Metric;

/// The keys that set the number of members: what a line runs along.
const MEMBER_KEYS: [&str; 3] = ["groups", "processes", "consumers"];

/// How far points of equally many members stand apart, as a share of the axis.
const SIDESTEP: f64 = 0.016;

/// A configuration's place in the chart.
struct Point<'a> {
    configuration: usize,
    members: u32,
    speed: Estimate,
    /// What it shares with the other points of its line.
    series: Vec<&'a str>,
}

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    if !input.scenario.variants.is_empty() {
        // Each configuration is held against itself, with as many members, on another cluster or with another build.
        return None;
    }
    let mut panels = Vec::new();
    let mut rows = Vec::new();
    for family in 0..input.scenario.families.len() {
        let points = points(input, family);
        if points.iter().map(|p| p.members).collect::<BTreeSet<_>>().len() < 2 {
            continue;
        }
        rows.extend(points.iter().map(|point| table_row(input, labels, family, point)));
        panels.push(panel(input, labels, family, &points));
    }
    if panels.is_empty() {
        return None;
    }
    let mut legend = colour_legend(labels, |slot| Swatch::Marker {
        ink: Ink::Series(slot),
        shape: slot,
        hollow: false,
    });
    legend.push((
        Swatch::Dashed(Ink::Muted),
        "ideal: twice the members, twice the speed".to_owned(),
    ));
    let columns = panels.len().min(2);
    let grid = Grid {
        panels,
        legend,
        x_axis: "members".to_owned(),
        y_axis: "times as fast as the baseline".to_owned(),
        aspect: if columns > 1 { 1.7 } else { 2.4 },
        columns,
    };
    let description = "Speed by read time, as a multiple of the baseline's, against the number of members (groups × \
        processes × consumers), with 95 % confidence intervals as vertical lines. The dashed line is the ideal: points \
        below it gain less than their members promise; where the line through them lies flat, further members add \
        nothing.";
    let headers = ["family", "configuration", "members", "speed", "low", "high", "ideal"];
    let table = Table::new("", &headers, rows);
    Some(assemble(
        "scaling",
        "Scaling against the ideal",
        description,
        table,
        |frame| grid.render(frame),
    ))
}

/// The points of a family: those that are, or are compared with, a baseline.
fn points<'a>(input: &ReportInput<'a>, family: usize) -> Vec<Point<'a>> {
    let scenario = input.scenario;
    let members = scenario.families[family]
        .configurations
        .iter()
        .filter_map(|i| scenario.configurations.get(*i));
    let axes: Vec<usize> = varying_axes(scenario, &members)
        .into_iter()
        .filter(|axis| !MEMBER_KEYS.contains(&scenario.axes[*axis].key.as_str()))
        .collect();
    of_family(input, family)
        .filter_map(|c| {
            let configuration = scenario.configurations.get(c.configuration)?;
            let mut series = vec![configuration.case.as_str()];
            series.extend(
                axes.iter()
                    .filter_map(|axis| configuration.axis_values.get(*axis))
                    .map(String::as_str),
            );
            let speed = speed(input, c.configuration, configuration)?;
            Some(Point {
                configuration: c.configuration,
                members: c.members,
                speed,
                series,
            })
        })
        .collect()
}

/// The speed against the baseline; exactly 1 for a baseline that was measured.
fn speed(input: &ReportInput, index: usize, configuration: &Configuration) -> Option<Estimate> {
    if configuration.baseline.is_some() {
        return comparison(input, index, Metric::ReadTime)?.ratio;
    }
    let measured = input
        .summary
        .configurations
        .iter()
        .find(|c| c.configuration == index)?
        .read_seconds?;
    Some(Estimate {
        point: 1.0,
        interval: None,
        observations: measured.observations,
    })
}

/// Members of the baseline of a configuration, its own for a baseline.
fn baseline_members(input: &ReportInput, configuration: usize) -> u32 {
    let own = &input.scenario.configurations[configuration];
    own.baseline
        .and_then(|b| input.scenario.configurations.get(b))
        .unwrap_or(own)
        .members()
}

fn panel(input: &ReportInput, labels: &Labels, family: usize, points: &[Point]) -> XyPanel {
    let highest = |p: &Point| p.speed.interval.map_or(p.speed.point, |(_, high)| high);
    let y_max = points.iter().map(highest).fold(1.0, f64::max) * 1.12;
    let members: BTreeSet<u32> = points.iter().map(|p| p.members).collect();
    let x_max = f64::from(members.last().copied().unwrap_or(1)) * 1.06;
    let baselines: BTreeSet<u32> = points
        .iter()
        .map(|p| baseline_members(input, p.configuration))
        .collect();
    let mut lines: Vec<Line> = baselines
        .into_iter()
        .map(|b| ideal(f64::from(b), x_max, y_max))
        .collect();
    let series: BTreeSet<&Vec<&str>> = points.iter().map(|p| &p.series).collect();
    for one in &series {
        let mut along: Vec<&Point> = points.iter().filter(|p| p.series == **one).collect();
        along.sort_by_key(|p| p.members);
        let slot = labels.slot(along[0].configuration);
        let has_slot = |other: &Vec<&str>| {
            points
                .iter()
                .any(|p| p.series == *other && labels.slot(p.configuration) == slot)
        };
        // Colour tells the lines apart unless several have the same one.
        let only = series.iter().filter(|other| has_slot(other)).count() == 1;
        let name = if only {
            String::new()
        } else {
            one.join(" ").trim().to_owned()
        };
        let x = |p: &Point| f64::from(p.members) + aside(points, p) * x_max;
        lines.extend(series_lines(labels, &along, name, &x));
    }
    let x = Axis {
        ticks: members.into_iter().map(f64::from).collect(),
        ..Axis::linear(x_max)
    };
    XyPanel::of_lines(family_title(input.scenario, family), x, Axis::linear(y_max), lines)
}

fn ideal(baseline_members: f64, x_max: f64, y_max: f64) -> Line {
    let end = x_max.min(y_max * baseline_members);
    Line {
        dashed: true,
        ..Line::through(vec![(0.0, 0.0), (end, end / baseline_members)], Ink::Muted)
    }
}

/// How far a point stands beside its member count, as a share of the axis: equal figures of equally many members would
/// hide each other.
fn aside(points: &[Point], point: &Point) -> f64 {
    let alike = || points.iter().filter(|p| p.members == point.members);
    let place = alike()
        .position(|p| p.configuration == point.configuration)
        .unwrap_or(0);
    (place as f64 - (alike().count() as f64 - 1.0) / 2.0) * SIDESTEP
}

/// The line through the points of a series, and each point with its own colour and shape; `x` places them.
fn series_lines(labels: &Labels, along: &[&Point], name: String, x: &dyn Fn(&Point) -> f64) -> Vec<Line> {
    let slots: BTreeSet<usize> = along.iter().map(|p| labels.slot(p.configuration)).collect();
    let ink = match slots.first() {
        Some(slot) if slots.len() == 1 => Ink::Series(*slot),
        _ => Ink::Muted,
    };
    let mut lines = Vec::new();
    // Two arrangements of equally many members make no line.
    if along.windows(2).all(|pair| pair[0].members < pair[1].members) {
        let points = along.iter().map(|p| (x(p), p.speed.point)).collect();
        lines.push(Line {
            label: name,
            ..Line::through(points, ink)
        });
    }
    lines.extend(along.iter().map(|p| {
        let slot = labels.slot(p.configuration);
        let interval = p.speed.interval.map(|(low, high)| (x(p), low, high));
        Line {
            shape: slot,
            marked: vec![(x(p), p.speed.point)],
            intervals: interval.into_iter().collect(),
            ..Line::through(Vec::new(), Ink::Series(slot))
        }
    }));
    lines
}

fn table_row(input: &ReportInput, labels: &Labels, family: usize, point: &Point) -> Vec<String> {
    let ideal = f64::from(point.members) / f64::from(baseline_members(input, point.configuration).max(1));
    vec![
        family_title(input.scenario, family),
        labels.short(point.configuration).to_owned(),
        point.members.to_string(),
        ratio(point.speed.point),
        or_unknown(point.speed.interval.map(|(low, _)| low), ratio),
        or_unknown(point.speed.interval.map(|(_, high)| high), ratio),
        ratio(ideal),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn configurations_that_differ_in_members_only_are_joined_to_one_line() {
        let fixture = Fixture::scaling();
        let input = fixture.input();
        let labels = Labels::new(&fixture.scenario);
        let panel = panel(&input, &labels, 0, &points(&input, 0));
        let lines: Vec<_> = panel
            .lines
            .iter()
            .filter(|l| l.points.len() > 2)
            .map(|l| l.points.len())
            .collect();
        assert_eq!(lines, [8, 8]);
    }

    #[test]
    fn configurations_that_are_held_against_themselves_have_no_scaling_chart() {
        let mut fixture = Fixture::scaling();
        let labels = Labels::new(&fixture.scenario);
        assert!(chart(&fixture.input(), &labels).is_some());
        let cluster = fixture.scenario.cluster.clone();
        fixture.scenario.variants.clusters.push(cluster);
        assert!(chart(&fixture.input(), &labels).is_none());
    }

    #[test]
    fn a_run_with_one_member_count_has_no_scaling_chart() {
        let mut fixture = Fixture::scaling();
        for c in &mut fixture.summary.configurations {
            c.members = 1;
        }
        let labels = Labels::new(&fixture.scenario);
        assert!(chart(&fixture.input(), &labels).is_none());
    }
}
