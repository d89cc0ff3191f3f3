//! How long the slowest records of a live trial waited: response time over percentile, with as many nines as the
//! records carry.

use std::collections::BTreeSet;

use super::arrivals::{LiveTrial, meaningful, ms, records_per_second};
use super::colours::Ink;
use super::drawing::Chart;
use super::legend::colours;
use super::scale::{Scale, nines};
use super::spec::{Axis, ChartSpec, Kind, Line, Panel, Spot};
use super::tick::Tick;
use super::words::{full_title, in_figures};
use crate::measure::latency::{LatencyRecorder, SAMPLES_BEYOND, percentile_rows};
use crate::report::format::{duration, or_unknown};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table};
use crate::stats::Estimate;
use crate::summary::ConfigurationSummary;
use crate::wording::{grouped, joined, with_commas};

/// Points of a line in each nine.
const POINTS_PER_NINE: f64 = 16.0;

/// A configuration with the response times of its meaningful trials.
struct Curve {
    configuration: usize,
    family: usize,
    rate: f64,
    /// Of each trial.
    responses: Vec<LatencyRecorder>,
    /// Percentiles and milliseconds.
    rows: Vec<(f64, f64)>,
    /// Share of the records and milliseconds, up to the last that the records of every trial carry.
    points: Vec<(f64, f64)>,
}

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let curves: Vec<Curve> = input.by_family().filter_map(|c| curve(input, c)).collect();
    if curves.is_empty() {
        return None;
    }
    let rows = curves.iter().flat_map(|c| &c.rows);
    let rows = rows.map(|(percentile, _)| percentile / 100.0);
    let lines = curves.iter().map(|c| last_share(&c.responses));
    let x = Scale::Nines {
        to: lines.chain(rows).fold(0.5, f64::max),
    };
    let points = curves.iter().flat_map(|c| &c.points);
    let y = Scale::log_around(points.map(|(_, ms)| *ms));
    let groups = groups(&curves);
    let panels: Vec<Panel> = groups.iter().map(|group| panel(input, labels, group, (x, y))).collect();
    let columns = panels.len().min(2);
    let spec = ChartSpec {
        name: "latency-percentiles",
        title: "Response time by percentile".to_owned(),
        description: description(input, labels, &curves),
        kind: Kind::Lines {
            columns,
            aspect: if columns > 1 { 1.5 } else { 2.2 },
        },
        x: Axis::log("share of the records (log scale)", Tick::Nines),
        y: Some(Axis::log("response time in ms (log scale)", Tick::Milliseconds)),
        legend: colours(labels),
        slots: labels.slots().to_vec(),
        panels,
    };
    Some(Chart::with_table(spec, table(input, labels, &curves)))
}

/// The curve of a configuration whose records carry at least the median.
fn curve(input: &ReportInput, c: &ConfigurationSummary) -> Option<Curve> {
    let trials = meaningful(input, c);
    let responses: Vec<LatencyRecorder> = trials.iter().filter_map(LiveTrial::response).collect();
    let rows = rows(&responses);
    (!rows.is_empty()).then(|| Curve {
        configuration: c.configuration,
        family: c.family,
        rate: trials.first().map_or(0.0, LiveTrial::rate),
        points: points(&responses),
        responses,
        rows,
    })
}

/// The curves of each panel: a family, or one rate of it where several configurations had that rate.
fn groups(curves: &[Curve]) -> Vec<Vec<&Curve>> {
    let key = |c: &Curve| (c.family, c.rate.to_bits());
    let keys: BTreeSet<(usize, u64)> = curves.iter().map(key).collect();
    let by_rate = keys.len() < curves.len();
    let panel = |c: &Curve| (c.family, by_rate.then_some(c.rate.to_bits()));
    let groups = grouped(curves.iter().map(|curve| (panel(curve), curve)));
    groups.into_iter().map(|(_, group)| group).collect()
}

fn panel(input: &ReportInput, labels: &Labels, group: &[&Curve], (x, y): (Scale, Scale)) -> Panel {
    let rates: BTreeSet<u64> = group.iter().map(|c| c.rate.to_bits()).collect();
    let rate = (rates.len() == 1).then(|| records_per_second(group[0].rate));
    let family = family_title(input.scenario, group[0].family);
    let title = joined([&*family, &rate.unwrap_or_default()], " · ");
    let slots: BTreeSet<usize> = group.iter().map(|c| labels.slot(c.configuration)).collect();
    // Colour tells the lines apart unless several have the same one.
    let is_named = slots.len() < group.len();
    let lines = group.iter().map(|curve| {
        let slot = labels.slot(curve.configuration);
        let marked = curve.rows.iter().map(|(percentile, ms)| (percentile / 100.0, *ms));
        Line {
            c: vec![curve.configuration],
            name: labels.short(curve.configuration).to_owned(),
            is_named,
            shape: slot,
            marked: Spot::all(marked),
            ..Line::through(curve.points.clone(), Ink::Series(slot))
        }
    });
    Panel {
        title,
        x: x.into(),
        y: y.into(),
        lines: lines.collect(),
        ..Panel::default()
    }
}

/// The figure of a configuration, as the results have it: the geometric mean of the percentiles of those trials that
/// carry it, milliseconds.
fn typical_ms(responses: &[LatencyRecorder], share: f64) -> Option<f64> {
    let each = responses.iter().filter_map(|r| r.percentile_ns(share));
    let each: Vec<f64> = each.map(|ns| ms(ns.max(1))).collect();
    Estimate::geometric(&each).map(|estimate| estimate.point)
}

/// The percentiles that some trial carries.
fn rows(responses: &[LatencyRecorder]) -> Vec<(f64, f64)> {
    let largest = responses.iter().max_by_key(|r| r.count());
    let percentiles = largest.into_iter().flat_map(percentile_rows).map(|row| row.percentile);
    percentiles
        .filter_map(|p| Some((p, typical_ms(responses, p / 100.0)?)))
        .collect()
}

/// The largest share that the records of every trial carry: beyond it a line of fewer trials could fall.
fn last_share(responses: &[LatencyRecorder]) -> f64 {
    // A trial with fewer has no percentile at all.
    let carrying = responses
        .iter()
        .map(LatencyRecorder::count)
        .filter(|count| *count >= 2 * SAMPLES_BEYOND);
    let fewest = carrying.min().unwrap_or(0);
    1.0 - SAMPLES_BEYOND as f64 / fewest.max(1) as f64
}

/// The line from the median to the last share that every trial carries.
fn points(responses: &[LatencyRecorder]) -> Vec<(f64, f64)> {
    let last = last_share(responses);
    let (from, to) = (nines(0.5), nines(last));
    let steps = ((to - from) * POINTS_PER_NINE).ceil().max(1.0);
    let mut shares = vec![0.5];
    while shares.len() as f64 <= steps {
        let nines = from + (to - from) * shares.len() as f64 / steps;
        shares.push(1.0 - 10f64.powf(-nines));
    }
    shares
        .into_iter()
        .filter_map(|share| Some((share, typical_ms(responses, share.min(last))?)))
        .collect()
}

fn description(input: &ReportInput, labels: &Labels, curves: &[Curve]) -> String {
    let figures = curves.iter().filter_map(|curve| {
        let (first, last) = (curve.rows.first()?, curve.rows.last()?);
        Some(format!(
            "{}: half of the records within {}, {} % within {}",
            full_title(input, labels, curve.configuration),
            duration(first.1 / 1e3),
            last.0,
            duration(last.1 / 1e3)
        ))
    });
    let figures = in_figures(&figures.collect::<Vec<_>>());
    let without = input.summary.configurations.iter().filter(|c| c.live.is_some());
    let without = without
        .filter(|c| !curves.iter().any(|curve| curve.configuration == c.configuration))
        .count();
    let without = match without {
        0 => String::new(),
        1 => " One configuration has no line: its load was not reached or its readers fell behind.".to_owned(),
        n => format!(" {n} configurations have no line: their load was not reached or their readers fell behind."),
    };
    format!(
        "How long records waited from the moment at which the schedule intended to send them until the work on them \
         was done, against the share of records that waited no longer; both axes are logarithmic, so that 99 %, 99.9 % and so on stand \
         equally far apart. One line per configuration: the geometric mean of the percentiles of its trials whose load \
         was reached and whose readers kept up; it ends where fewer than {SAMPLES_BEYOND} records of some trial lie beyond.{figures}{without}"
    )
}

fn table(input: &ReportInput, labels: &Labels, curves: &[Curve]) -> Table {
    type Item<'a> = &'a Curve;
    let names = [
        Column::words("family", |c: &Item| family_title(input.scenario, c.family)),
        Column::words("configuration", |c: &Item| labels.short(c.configuration)),
        Column::figures("offered", |c: &Item| records_per_second(c.rate)),
        Column::figures("records", |c: &Item| {
            with_commas(c.responses.iter().map(LatencyRecorder::count).sum::<u64>())
        }),
    ];
    let most = curves.iter().map(|c| &c.rows).max_by_key(|rows| rows.len());
    let percentiles = most.into_iter().flatten().enumerate();
    let percentiles = percentiles.map(|(i, (percentile, _))| {
        Column::figures(format!("{percentile} %"), move |c: &Item| {
            or_unknown(c.rows.get(i), |row| duration(row.1 / 1e3))
        })
    });
    let longest = Column::figures("longest", |c: &Item| {
        let longest_ns = c.responses.iter().filter_map(LatencyRecorder::max_ns).max();
        or_unknown(longest_ns, |ns| duration(ns as f64 / 1e9))
    });
    Table::of("", names.into_iter().chain(percentiles).chain([longest]), curves)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::figures::{FigureId, Statistic};
    use crate::measure::latency::LatencyPart;
    use crate::testing::report::Fixture;

    fn curves(fixture: &Fixture) -> Vec<Curve> {
        let input = fixture.input();
        input.by_family().filter_map(|c| curve(&input, c)).collect()
    }

    #[test]
    fn a_line_ends_where_too_few_records_lie_beyond() {
        for curve in curves(&Fixture::latency()) {
            let (share, _) = *curve.points.last().unwrap();
            let fewest = curve.responses.iter().map(LatencyRecorder::count).min().unwrap();
            let beyond = ((1.0 - share) * fewest as f64).round();
            assert!((10.0..=11.0).contains(&beyond), "{beyond} beyond {share}");
            assert!(curve.points.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1));
        }
    }

    #[test]
    fn configurations_of_one_rate_share_a_panel_and_an_overloaded_one_has_no_line() {
        let fixture = Fixture::latency();
        let curves = curves(&fixture);
        let groups: Vec<Vec<usize>> = groups(&curves)
            .into_iter()
            .map(|group| group.into_iter().map(|c| c.configuration).collect())
            .collect();
        assert_eq!(groups, [vec![0, 3], vec![1, 4], vec![5]]);
        let text = description(&fixture.input(), &Labels::new(&fixture.scenario), &curves);
        assert!(text.ends_with("One configuration has no line: its load was not reached or its readers fell behind."));
    }

    #[test]
    fn the_percentiles_of_a_line_are_those_of_the_results() {
        let fixture = Fixture::latency();
        for curve in curves(&fixture) {
            let summary = &fixture.summary.configurations[curve.configuration];
            let percentiles = [(50.0, Statistic::P50), (99.0, Statistic::P99), (99.9, Statistic::P999)];
            for (percentile, statistic) in percentiles {
                let in_results = summary.point(FigureId::Latency(LatencyPart::Response, statistic));
                let mut rows = curve.rows.iter();
                let in_chart = rows.find(|row| row.0.total_cmp(&percentile).is_eq()).map(|row| row.1);
                assert_eq!(in_chart.is_some(), in_results.is_some(), "p{percentile}");
                let ratio = in_chart.unwrap_or(1.0) / in_results.unwrap_or(1.0);
                assert!(
                    (ratio - 1.0).abs() < 1e-9,
                    "p{percentile}: {in_chart:?} and {in_results:?}"
                );
            }
        }
    }
}
