//! How response times grow with the rate, and from which rate on the readers fall behind: the points of a configuration
//! that was run at several rates, or searched for its capacity.

use std::collections::BTreeSet;

use super::arrivals::{ms, records_per_second};
use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch, colours};
use super::rate_series::{Point, Series, State, series};
use super::scale::{Scale, axis_end};
use super::spec::{Axis, ChartSpec, Kind, Line, Panel, Spot};
use super::tick::Tick;
use super::words::in_figures;
use crate::report::format::{UNKNOWN, duration};
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::report::table::{Column, Table};
use crate::stats::Estimate;
use crate::wording::{grouped, joined};

/// From this ratio of the highest to the lowest rate on, the rates need a logarithmic scale.
const WIDE_RATES: f64 = 20.0;
/// How far points of the same rate stand apart, as a share of the axis.
const SIDESTEP: f64 = 0.014;

/// A percentile that has a panel.
#[derive(Clone, Copy)]
struct Percentile {
    share: f64,
    title: &'static str,
    figure: fn(&Point) -> Option<Estimate>,
}

const PERCENTILES: [Percentile; 2] = [
    Percentile {
        share: 0.5,
        title: "p50: half of the records",
        figure: |p| p.p50,
    },
    Percentile {
        share: 0.99,
        title: "p99: all but one in a hundred",
        figure: |p| p.p99,
    },
];

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let mut all = series(input, labels);
    all.retain(|series| series.rates().len() > 1);
    if all.is_empty() {
        return None;
    }
    let limit = PERCENTILES
        .into_iter()
        .find_map(|percentile| objective(input, percentile));
    let y = response_scale(&all, limit);
    let families = grouped(all.iter().map(|series| (&series.family, series)));
    let panels = families.iter().flat_map(|(_, own)| {
        PERCENTILES.map(|percentile| panel(labels, own, percentile, y, objective(input, percentile)))
    });
    let spec = ChartSpec {
        name: "latency-by-rate",
        title: "Response time against rate".to_owned(),
        description: description(&all),
        kind: Kind::Lines {
            columns: 2,
            aspect: 1.5,
        },
        x: Axis::new("records per second offered", Tick::Rate),
        y: Some(Axis::log("response time in ms (log scale)", Tick::Milliseconds)),
        legend: legend(labels, &all, limit.is_some()),
        slots: labels.slots().to_vec(),
        panels: panels.collect(),
    };
    Some(Chart::with_table(spec, table(&all)))
}

/// The scale of all panels: for every interval and the objective.
fn response_scale(all: &[Series], limit: Option<f64>) -> Scale {
    let points = all.iter().flat_map(Series::kept_up);
    let estimates = points.flat_map(|p| [p.p50, p.p99]).flatten();
    let ends = estimates.flat_map(|e| {
        let (low, high) = e.interval.unwrap_or((e.point, e.point));
        [low, high]
    });
    above_all(Scale::log_around(ends.chain(limit)))
}

/// The scale with space at its top edge, where points without a figure are drawn.
fn above_all(scale: Scale) -> Scale {
    match scale {
        Scale::Log { from, to } => Scale::Log { from, to: to * 1.3 },
        other => other,
    }
}

/// The limit that a search looks for, for the panel of its percentile.
fn objective(input: &ReportInput, percentile: Percentile) -> Option<f64> {
    let limit = input.scenario.capacity?.limit?;
    ((limit.percentile - percentile.share).abs() < 1e-9).then(|| ms(limit.limit_ns))
}

fn panel(labels: &Labels, own: &[&Series], percentile: Percentile, y: Scale, limit: Option<f64>) -> Panel {
    let rates = || own.iter().flat_map(|s| s.drawn()).map(|p| p.rate);
    let (low, high) = rates().fold((f64::INFINITY, 0.0_f64), |(low, high), r| (low.min(r), high.max(r)));
    let scale = if high > low * WIDE_RATES {
        // The first point does not stand on the axis.
        Scale::log_around(rates().chain([low * 0.8]))
    } else {
        Scale::Linear { to: axis_end(rates()) }
    };
    let slots: BTreeSet<usize> = own.iter().map(|s| labels.slot(s.points[0].configuration)).collect();
    let mut lines = Vec::new();
    for (i, series) in own.iter().enumerate() {
        let step = (i as f64 - (own.len() as f64 - 1.0) / 2.0) * SIDESTEP;
        let x = |p: &Point| {
            let alone = own.iter().filter(|s| s.rates().contains(&p.rate.to_bits())).count() == 1;
            aside(scale, p.rate, if alone { 0.0 } else { step })
        };
        // Colour tells the lines apart unless several have the same one.
        let is_named = slots.len() < own.len();
        lines.extend(series_lines(labels, series, percentile.figure, is_named, &x));
    }
    if let Some(limit) = limit {
        let ends = match scale {
            Scale::Log { from, to } => [(from, limit), (to, limit)],
            Scale::Linear { to } | Scale::Nines { to } => [(0.0, limit), (to, limit)],
        };
        lines.push(Line {
            name: "objective".to_owned(),
            dashed: true,
            ..Line::through(ends.to_vec(), Ink::Text)
        });
    }
    let title = joined([own[0].family.as_str(), percentile.title], " · ");
    Panel {
        title,
        x: scale.into(),
        y: y.into(),
        lines,
        ..Panel::default()
    }
}

/// A rate moved by a share of the axis, so that equal points of several series do not hide each other.
fn aside(scale: Scale, rate: f64, share: f64) -> f64 {
    match scale {
        Scale::Log { from, to } => rate * (to / from).powf(share),
        Scale::Linear { to } | Scale::Nines { to } => rate + to * share,
    }
}

/// The line through the points of a series with its markers, open ones where the readers fell behind, and the way from
/// one to the other.
fn series_lines(
    labels: &Labels,
    series: &Series,
    figure: fn(&Point) -> Option<Estimate>,
    is_named: bool,
    x: &dyn Fn(&Point) -> f64,
) -> Vec<Line> {
    let known: Vec<(&Point, Estimate)> = series.kept_up().filter_map(|p| Some((p, figure(p)?))).collect();
    let slots: BTreeSet<usize> = series.points.iter().map(|p| labels.slot(p.configuration)).collect();
    let ink = match slots.first() {
        Some(slot) if slots.len() == 1 => Ink::Series(*slot),
        _ => Ink::Muted,
    };
    let place = |(p, e): &(&Point, Estimate)| (x(p), e.point);
    let points: Vec<(f64, f64)> = known.iter().map(place).collect();
    let configurations: BTreeSet<usize> = series.points.iter().map(|p| p.configuration).collect();
    let c: Vec<usize> = configurations.into_iter().collect();
    let last = known.last().map(|(p, _)| p.rate);
    let first_beyond = series.overloaded().find(|p| Some(p.rate) > last);
    // What lies between the two was not measured.
    let beyond = points.last().zip(first_beyond).map(|(last, first)| Line {
        c: c.clone(),
        dashed: true,
        ..Line::through(vec![*last, (x(first), f64::INFINITY)], ink)
    });
    let intervals = known
        .iter()
        .filter_map(|(p, e)| e.interval.map(|(low, high)| (x(p), low, high)));
    let overloaded = series.drawn().filter(|p| p.state == State::Overloaded);
    let line = Line {
        c: c.clone(),
        name: series.name.clone(),
        is_named,
        marked: known
            .iter()
            .map(|(p, e)| Spot(x(p), e.point, Some(p.configuration)))
            .collect(),
        open: overloaded
            .map(|p| Spot(x(p), f64::INFINITY, Some(p.configuration)))
            .collect(),
        intervals: intervals.collect(),
        shape: slots.first().copied().unwrap_or(0),
        ..Line::through(points, ink)
    };
    beyond.into_iter().chain([line]).collect()
}

fn legend(labels: &Labels, all: &[Series], with_objective: bool) -> Vec<Entry> {
    let mut legend = colours(labels);
    if all.iter().any(|s| s.overloaded().next().is_some()) {
        let text = "hollow, at the top edge: overloaded, the readers fell further and further behind";
        legend.push(Entry::new(Swatch::neutral(0, true), text));
    }
    if with_objective {
        legend.push(Entry::new(Swatch::Dashed(Ink::Text), "objective of the search"));
    }
    legend
}

fn description(all: &[Series]) -> String {
    let figures = in_figures(&all.iter().map(sentence).collect::<Vec<_>>());
    format!(
        "The median and the 99th percentile of the response times, on a logarithmic scale, against the records per \
         second that were offered, with 95 % confidence intervals as vertical lines where there are several trials. \
         Where the readers fell behind, response times only measure how long the trial was: such rates have no figure \
         but a hollow marker at the top edge, and a dashed line leads to the first of them; those above it are in the \
         table alone. Rates that the producers did not reach are left out.{figures}"
    )
}

/// The p99 of the lowest and the highest rate of a series, and from where on it is overloaded.
fn sentence(series: &Series) -> String {
    let p99: Vec<(&Point, Estimate)> = series.kept_up().filter_map(|p| Some((p, p.p99?))).collect();
    let figure = |(p, e): &(&Point, Estimate)| {
        let time = duration(e.point / 1e3);
        format!("{time} at {}", records_per_second(p.rate))
    };
    let figures = match p99.as_slice() {
        [] => "no p99".to_owned(),
        [one] => format!("p99 {}", figure(one)),
        [first, .., last] => format!("p99 from {} to {}", figure(first), figure(last)),
    };
    let overloaded = series.overloaded().next();
    let overloaded = overloaded.map(|p| format!(", overloaded from {} on", records_per_second(p.rate)));
    format!("{}: {figures}{}", series.name, overloaded.unwrap_or_default())
}

fn table(all: &[Series]) -> Table {
    type Item<'a> = (&'a Series, &'a Point);
    let names = [
        Column::words("family", |(series, _): &Item| series.family.clone()),
        Column::words("configuration", |(series, _): &Item| series.name.clone()),
        Column::figures("offered", |(_, p): &Item| records_per_second(p.rate)),
    ];
    let percentiles = [("p50", PERCENTILES[0]), ("p99", PERCENTILES[1])]
        .into_iter()
        .flat_map(|(name, percentile)| {
            let known = move |(_, p): &Item| (percentile.figure)(p).filter(|_| p.state == State::KeptUp);
            Column::estimate(name, known, |ms| duration(ms / 1e3))
        });
    let remark = Column::words("remark", |(_, p): &Item| match p.state {
        State::KeptUp if p.p50.is_none() => "too few records",
        State::KeptUp => UNKNOWN,
        State::Overloaded => "overloaded",
        State::LoadNotReached => "load not reached",
    });
    let rows = all
        .iter()
        .flat_map(|series| series.points.iter().map(move |p| (series, p)));
    Table::of("", names.into_iter().chain(percentiles).chain([remark]), rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    fn panels(fixture: &Fixture) -> Vec<Panel> {
        let labels = Labels::new(&fixture.scenario);
        let all = series(&fixture.input(), &labels);
        let own: Vec<&Series> = all.iter().collect();
        let y = above_all(Scale::Log { from: 0.5, to: 10.0 });
        PERCENTILES
            .map(|p| panel(&labels, &own, p, y, objective(&fixture.input(), p)))
            .into()
    }

    #[test]
    fn an_overloaded_rate_has_a_hollow_marker_at_the_top_edge_and_no_figure() {
        for panel in panels(&Fixture::latency()) {
            let open: Vec<Spot> = panel.lines.iter().flat_map(|l| l.open.clone()).collect();
            assert_eq!(open.len(), 1);
            assert_eq!(panel.y.scale.share(open[0].1), 1.0);
            assert!(panel.y.marks(5).iter().all(|mark| panel.y.scale.share(*mark) < 0.95));
            assert_eq!(panel.lines.iter().map(|l| l.marked.len()).sum::<usize>(), 5);
        }
    }

    #[test]
    fn the_objective_is_a_line_in_the_panel_of_its_percentile() {
        let level = |panel: &Panel| {
            panel
                .lines
                .iter()
                .any(|l| l.points.iter().filter(|(_, y)| *y == 50.0).count() == 2)
        };
        let panels = panels(&Fixture::capacity());
        assert!(!level(&panels[0]) && level(&panels[1]));
    }

    #[test]
    fn points_of_one_rate_stand_side_by_side_and_others_at_their_rate() {
        let x = |panel: &Panel| -> Vec<f64> {
            panel
                .lines
                .iter()
                .flat_map(|l| l.marked.iter().map(|spot| spot.0))
                .collect()
        };
        let latency = x(&panels(&Fixture::latency())[0]);
        let opposite = |x: &f64| (x - (500.0 - latency[0])).abs() < 1e-9;
        assert!(latency[0] < 250.0 && latency.iter().any(opposite), "{latency:?}");
        assert!(x(&panels(&Fixture::capacity())[0]).contains(&500.0));
    }

    #[test]
    fn one_rate_makes_no_chart() {
        let fixture = Fixture::catch_up();
        assert!(chart(&fixture.input(), &Labels::new(&fixture.scenario)).is_none());
    }
}
