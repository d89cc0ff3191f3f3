//! How response times grow with the rate, and from which rate on the readers fall behind: the points of a configuration
//! that was run at several rates, or searched for its capacity.

use std::collections::{BTreeMap, BTreeSet};

use super::arrivals::{DESCRIBED_MAX, LiveTrial, ms, ms_tick, records_per_second};
use super::grid::{Grid, Line, XyPanel};
use super::legend::Swatch;
use super::paint::Ink;
use super::scale::{Axis, Scale};
use super::{Chart, axis_end, chart as assemble, colour_legend};
use crate::measure::latency::{LatencyPart, LatencyRecorder};
use crate::measure::{Status, TrialKind};
use crate::report::ReportInput;
use crate::report::format::{UNKNOWN, duration, or_unknown, tick};
use crate::report::labels::{Labels, RATE_KEYS, family_title, varying_axes};
use crate::report::tables::{Table, of_family};
use crate::stats::Estimate;
use crate::summary::ConfigurationSummary;

/// From this ratio of the highest to the lowest rate on, the rates need a logarithmic scale.
const WIDE_RATES: f64 = 20.0;
/// How far points of the same rate stand apart, as a share of the axis.
const SIDESTEP: f64 = 0.014;

/// What a point can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    KeptUp,
    Overloaded,
    LoadNotReached,
}

/// A configuration at one rate. Figures in milliseconds.
#[derive(Debug, Clone)]
struct Point {
    configuration: usize,
    rate: f64,
    p50: Option<Estimate>,
    p99: Option<Estimate>,
    state: State,
}

/// What was run at several rates, all else equal.
struct Series {
    family: String,
    name: String,
    points: Vec<Point>,
}

impl Series {
    fn kept_up(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|p| p.state == State::KeptUp)
    }

    fn overloaded(&self) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(|p| p.state == State::Overloaded)
    }

    fn rates(&self) -> BTreeSet<u64> {
        self.points.iter().map(|p| p.rate.to_bits()).collect()
    }
}

type Percentile = (&'static str, fn(&Point) -> Option<Estimate>);
const PERCENTILES: [Percentile; 2] = [
    ("p50: half of the records", |p| p.p50),
    ("p99: all but one in a hundred", |p| p.p99),
];

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let mut all = series(input, labels);
    all.retain(|series| series.rates().len() > 1);
    if all.is_empty() {
        return None;
    }
    let highs = all
        .iter()
        .flat_map(Series::kept_up)
        .flat_map(|p| [p.p50, p.p99])
        .flatten();
    let ends = highs.flat_map(|e| {
        let (low, high) = e.interval.unwrap_or((e.point, e.point));
        [low, high]
    });
    let limit = input.scenario.capacity.map(|c| ms(c.limit_ns));
    let y = Scale::log_around(ends.chain(limit));
    let mut families: Vec<&str> = all.iter().map(|s| s.family.as_str()).collect();
    families.dedup();
    let mut panels = Vec::new();
    for family in families {
        let own: Vec<&Series> = all.iter().filter(|s| s.family == family).collect();
        for percentile in PERCENTILES {
            panels.push(panel(labels, &own, percentile, y, objective(input, percentile.0)));
        }
    }
    let grid = Grid {
        panels,
        legend: legend(labels, &all),
        x_axis: "records per second offered".to_owned(),
        y_axis: "response time in ms (log scale)".to_owned(),
        aspect: 1.5,
        columns: 2,
    };
    Some(assemble(
        "latency-by-rate",
        "Response time against rate",
        &description(&all),
        table(&all),
        |frame| grid.render(frame),
    ))
}

/// All series of the scenario in its order, their points by rate.
fn series(input: &ReportInput, labels: &Labels) -> Vec<Series> {
    let scenario = input.scenario;
    let axes: Vec<usize> = varying_axes(scenario, &scenario.configurations.iter())
        .into_iter()
        .filter(|axis| !RATE_KEYS.contains(&scenario.axes[*axis].key.as_str()))
        .collect();
    let mut all: Vec<Series> = Vec::new();
    for family in 0..scenario.families.len() {
        for c in of_family(input, family) {
            let Some(configuration) = scenario.configurations.get(c.configuration) else {
                continue;
            };
            let mut parts = vec![configuration.case.clone()];
            parts.extend(axes.iter().filter_map(|axis| {
                let value = configuration.axis_values.get(*axis)?;
                Some(format!("{}={value}", scenario.axes[*axis].key))
            }));
            parts.retain(|part| !part.is_empty());
            let name = crate::report::format::printable(&parts.join(" "));
            let name = if name.is_empty() {
                labels.short(c.configuration).to_owned()
            } else {
                name
            };
            let family = without_rate(input, c);
            let points = points(input, c);
            match all.iter_mut().find(|s| s.family == family && s.name == name) {
                Some(series) => series.points.extend(points),
                None => all.push(Series { family, name, points }),
            }
        }
    }
    for series in &mut all {
        series.points.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    }
    all
}

/// The family's title without the rate, should it be what tells families apart.
fn without_rate(input: &ReportInput, c: &ConfigurationSummary) -> String {
    let scenario = input.scenario;
    let mut title = family_title(scenario, c.family);
    for (axis, of) in scenario.axes.iter().enumerate() {
        let value = scenario.configurations[c.configuration].axis_values.get(axis);
        if let (Some(value), true) = (value, RATE_KEYS.contains(&of.key.as_str())) {
            title = title.replace(&format!("{}={value}", of.key), "").trim().to_owned();
        }
    }
    title
}

/// The points of a configuration: one, or one for each rate that a search for its capacity tried.
fn points(input: &ReportInput, c: &ConfigurationSummary) -> Vec<Point> {
    if input.scenario.capacity.is_some() {
        return searched(input, c.configuration);
    }
    let Some(live) = &c.live else { return Vec::new() };
    let Some(rate) = live.offered_per_second else {
        return Vec::new();
    };
    let response = live.latencies.iter().find(|l| l.part == LatencyPart::Response);
    let state = match response {
        _ if live.overloaded => State::Overloaded,
        Some(_) => State::KeptUp,
        None if live.load_reached => State::Overloaded,
        None => State::LoadNotReached,
    };
    vec![Point {
        configuration: c.configuration,
        rate,
        p50: response.and_then(|l| l.p50_ms),
        p99: response.and_then(|l| l.p99_ms),
        state,
    }]
}

/// A point for each rate of a search: of all its trials together, and overloaded where one of them was.
fn searched(input: &ReportInput, configuration: usize) -> Vec<Point> {
    let mut by_rate: BTreeMap<u64, Vec<LiveTrial>> = BTreeMap::new();
    let kinds = [TrialKind::Search, TrialKind::Counted];
    let own = input.trials.iter().filter(|t| t.order.configuration == configuration);
    for live in own
        .filter(|t| kinds.contains(&t.order.kind) && t.status == Status::Complete)
        .filter_map(LiveTrial::of)
    {
        by_rate.entry(live.rate().to_bits()).or_default().push(live);
    }
    let point = |(rate, trials): (u64, Vec<LiveTrial>)| {
        let fell_behind = |t: &LiveTrial| t.load.overload.is_some() || t.load.unread > 0;
        let mut response = LatencyRecorder::default();
        for one in trials
            .iter()
            .filter(|t| t.load.is_meaningful())
            .filter_map(LiveTrial::response)
        {
            response.merge(&one);
        }
        let state = match () {
            () if trials.iter().any(fell_behind) => State::Overloaded,
            () if response.count() > 0 => State::KeptUp,
            () => State::LoadNotReached,
        };
        let percentile = |share: f64| {
            Some(Estimate {
                point: ms(response.percentile_ns(share)?),
                interval: None,
                observations: trials.len(),
            })
        };
        Point {
            configuration,
            rate: f64::from_bits(rate),
            p50: percentile(0.5),
            p99: percentile(0.99),
            state,
        }
    };
    by_rate.into_iter().map(point).collect()
}

/// The limit that a search looks for, for the panel of its percentile.
fn objective(input: &ReportInput, name: &str) -> Option<f64> {
    let capacity = input.scenario.capacity?;
    let percentile = if name.starts_with("p99") { 0.99 } else { 0.5 };
    ((capacity.percentile - percentile).abs() < 1e-9).then(|| ms(capacity.limit_ns))
}

fn panel(labels: &Labels, own: &[&Series], (name, figure): Percentile, y: Scale, limit: Option<f64>) -> XyPanel {
    let rates = || own.iter().flat_map(|s| &s.points).map(|p| p.rate);
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
        let x = |p: &Point| aside(scale, p.rate, step);
        // Colour tells the lines apart unless several have the same one.
        let label = if slots.len() < own.len() {
            series.name.as_str()
        } else {
            ""
        };
        lines.extend(series_lines(labels, series, figure, label, &x));
    }
    if let Some(limit) = limit {
        let ends = match scale {
            Scale::Log { from, to } => [(from, limit), (to, limit)],
            Scale::Linear { to } | Scale::Nines { to } => [(0.0, limit), (to, limit)],
        };
        lines.push(Line {
            dashed: true,
            label: "objective".to_owned(),
            ..Line::through(ends.to_vec(), Ink::Text)
        });
    }
    let parts = [own[0].family.as_str(), name];
    let title: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let x = Axis {
        scale,
        ticks: Vec::new(),
        tick,
    };
    let y = Axis {
        scale: y,
        ticks: Vec::new(),
        tick: ms_tick,
    };
    XyPanel::of_lines(title.join(" · "), x, y, lines)
}

/// A rate moved by a share of the axis, so that equal points of several series do not hide each other.
fn aside(scale: Scale, rate: f64, share: f64) -> f64 {
    match scale {
        Scale::Log { from, to } => rate * (to / from).powf(share),
        Scale::Linear { to } | Scale::Nines { to } => rate + to * share,
    }
}

/// The line through the points of a series, its markers, and the open ones where the readers fell behind.
fn series_lines(
    labels: &Labels,
    series: &Series,
    figure: fn(&Point) -> Option<Estimate>,
    label: &str,
    x: &dyn Fn(&Point) -> f64,
) -> Vec<Line> {
    let known: Vec<(&Point, Estimate)> = series.kept_up().filter_map(|p| Some((p, figure(p)?))).collect();
    let slots: BTreeSet<usize> = series.points.iter().map(|p| labels.slot(p.configuration)).collect();
    let ink = match slots.first() {
        Some(slot) if slots.len() == 1 => Ink::Series(*slot),
        _ => Ink::Muted,
    };
    let at = |(p, e): &(&Point, Estimate)| (x(p), e.point);
    let points: Vec<(f64, f64)> = known.iter().map(at).collect();
    let beyond = |p: &Point| (x(p), f64::INFINITY);
    let mut lines = Vec::new();
    if let (Some(last), Some(first)) = (points.last(), series.overloaded().next().map(beyond)) {
        // What lies between the two was not measured.
        lines.push(Line {
            dashed: true,
            ..Line::through(vec![*last, first], ink)
        });
    }
    lines.push(Line {
        label: label.to_owned(),
        ..Line::through(points, ink)
    });
    let marked = |p: &Point| {
        let estimate = known.iter().find(|(known, _)| std::ptr::eq(*known, p)).map(|(_, e)| *e);
        let interval = estimate.and_then(|e| e.interval);
        let slot = labels.slot(p.configuration);
        Line {
            shape: slot,
            marked: estimate.map(|e| (x(p), e.point)).into_iter().collect(),
            open: (p.state == State::Overloaded).then(|| beyond(p)).into_iter().collect(),
            intervals: interval.map(|(low, high)| (x(p), low, high)).into_iter().collect(),
            ..Line::through(Vec::new(), Ink::Series(slot))
        }
    };
    lines.extend(series.points.iter().map(marked));
    lines
}

fn legend(labels: &Labels, all: &[Series]) -> Vec<(Swatch, String)> {
    let mut legend = colour_legend(labels, |slot| Swatch::Marker {
        ink: Ink::Series(slot),
        shape: slot,
        hollow: false,
    });
    if all.iter().any(|s| s.overloaded().next().is_some()) {
        legend.push((
            Swatch::Marker {
                ink: Ink::Muted,
                shape: 0,
                hollow: true,
            },
            "hollow, at the top edge: overloaded, the readers fell further and further behind".to_owned(),
        ));
    }
    legend
}

fn description(all: &[Series]) -> String {
    let sentences: Vec<String> = all.iter().map(sentence).collect();
    let sentences = if sentences.len() > DESCRIBED_MAX {
        String::new()
    } else {
        format!(" {}.", sentences.join("; "))
    };
    format!(
        "The median and the 99th percentile of the response times, on a logarithmic scale, against the records per second \
         that were offered, with 95 % confidence intervals as vertical lines where there are several trials. Where the \
         readers fell behind, response times only say how long the trial was: such rates have no figure but a hollow \
         marker at the top edge, and a dashed line leads there. Rates that the producers did not reach are left \
         out.{sentences}"
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
    let headers = [
        "family",
        "configuration",
        "offered",
        "p50",
        "low",
        "high",
        "p99",
        "low",
        "high",
        "remark",
    ];
    let row = |series: &Series, p: &Point| {
        let mut row = vec![series.family.clone(), series.name.clone(), records_per_second(p.rate)];
        for estimate in [p.p50, p.p99] {
            let estimate = estimate.filter(|_| p.state == State::KeptUp);
            let interval = estimate.and_then(|e| e.interval);
            let cells = [estimate.map(|e| e.point), interval.map(|i| i.0), interval.map(|i| i.1)];
            row.extend(cells.map(|ms| or_unknown(ms.map(|ms| ms / 1e3), duration)));
        }
        let remark = match p.state {
            State::KeptUp if p.p50.is_none() => "too few records",
            State::KeptUp => UNKNOWN,
            State::Overloaded => "overloaded",
            State::LoadNotReached => "load not reached",
        };
        row.push(remark.to_owned());
        row
    };
    let rows = all.iter().flat_map(|s| s.points.iter().map(|p| row(s, p)));
    Table::new("", &headers, rows.collect())
}
