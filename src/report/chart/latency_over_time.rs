//! How response times went second by second in one trial of each configuration, with what happened in it and what was
//! sent.

use std::collections::BTreeMap;

use super::arrivals::{Chosen, LiveTrial, ms, representatives};
use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch};
use super::scale::{Ruler, Scale};
use super::spec::{Axis, ChartSpec, Kind, Line, Panel, Spot, Strip};
use super::tick::Tick;
use super::words::{OUTSIDE_WINDOW, SECONDS_OF_LOAD, evenly, full_title, in_figures, left_out};
use crate::measure::latency::LatencyRecorder;
use crate::measure::{LoadMeasurement, SecondOfLatency};
use crate::report::format::{duration, or_unknown, rate};
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::report::table::{Column, Table};

/// Points of a line; more would not be visible at its size.
const POINTS_MAX: u32 = 120;
/// Markers of a line.
const MARKERS_MAX: usize = 7;
/// Rows of the table for each configuration.
const ROWS_MAX: u32 = 30;
/// Lengths of the intervals, in seconds: longer ones only where a second has too few records for a p99.
const LENGTHS_S: [u32; 4] = [1, 2, 5, 10];
/// Fewer points than this make no line.
const POINTS_MIN: u32 = 6;

/// An interval from the start of the load with the response times of the records finished in it.
struct Interval {
    from_s: u32,
    response: LatencyRecorder,
}

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let (chosen, all) = representatives(input, |load| !load.seconds.is_empty());
    if chosen.is_empty() {
        return None;
    }
    let lengths: Vec<u32> = chosen.iter().map(|s| length_s(s.live.load)).collect();
    let each = chosen.iter().zip(&lengths);
    let of_all: Vec<Vec<Interval>> = each.map(|(s, length)| intervals(s.live.load, *length)).collect();
    let scale = |own: &Chosen| {
        let alike = chosen.iter().zip(&of_all).filter(|(other, _)| own.is_like(other));
        Scale::log_around(alike.flat_map(|(_, intervals)| intervals).flat_map(figures).flatten())
    };
    let each = chosen.iter().zip(&of_all).zip(&lengths);
    let panels: Vec<Panel> = each
        .map(|((s, intervals), length)| Panel {
            title: s.title(input, labels),
            ..panel(labels, s, intervals, *length, (s.x_max(&chosen), scale(s)))
        })
        .collect();
    let spec = ChartSpec {
        name: "latency-over-time",
        title: "Response time over time".to_owned(),
        description: description(input, labels, &chosen, all, &lengths),
        kind: Kind::Lines {
            columns: 2,
            aspect: 2.3,
        },
        x: Axis::time(SECONDS_OF_LOAD),
        y: Some(Axis::log("response time in ms (log scale)", Tick::Milliseconds)),
        legend: legend(&panels),
        slots: labels.slots().to_vec(),
        panels,
    };
    Some(Chart::with_table(spec, table(labels, &chosen)))
}

/// p50, p99 and the longest in milliseconds, as far as the records carry them.
fn figures(interval: &Interval) -> [Option<f64>; 3] {
    let response = &interval.response;
    [
        response.percentile_ns(0.5),
        response.percentile_ns(0.99),
        response.max_ns(),
    ]
    .map(|ns| ns.map(ms))
}

/// The response times in intervals of this many seconds; none for those in which nothing was finished.
fn intervals(load: &LoadMeasurement, length_s: u32) -> Vec<Interval> {
    let mut by_interval: BTreeMap<u32, LatencyRecorder> = BTreeMap::new();
    for second in &load.seconds {
        let interval = by_interval.entry(second.second / length_s).or_default();
        interval.merge(&second.response.unpack());
    }
    let known = by_interval.into_iter().filter(|(_, response)| response.count() > 0);
    known
        .map(|(number, response)| Interval {
            from_s: number * length_s,
            response,
        })
        .collect()
}

/// Seconds from the start of the load to the last record.
fn seconds(load: &LoadMeasurement) -> u32 {
    load.seconds.last().map_or(1, |last| last.second + 1)
}

/// The length of the shortest intervals that are not too many.
fn shortest_s(load: &LoadMeasurement) -> u32 {
    seconds(load).div_ceil(POINTS_MAX)
}

/// The shortest intervals that are not too many and of which most have records enough for a p99; without such, the
/// shortest that are not too many.
fn length_s(load: &LoadMeasurement) -> u32 {
    let seconds = seconds(load);
    let shortest = shortest_s(load);
    let carries = |length: u32| {
        let intervals = intervals(load, length);
        let carrying = intervals
            .iter()
            .filter(|i| i.response.percentile_ns(0.99).is_some())
            .count();
        carrying * 4 >= intervals.len() * 3
    };
    let longer = LENGTHS_S
        .into_iter()
        .filter(|length| *length > shortest && seconds / length >= POINTS_MIN);
    std::iter::once(shortest)
        .chain(longer)
        .find(|length| carries(*length))
        .unwrap_or(shortest)
}

fn panel(labels: &Labels, chosen: &Chosen, intervals: &[Interval], length_s: u32, (x_max, y): (f64, Scale)) -> Panel {
    let live = chosen.live;
    let ink = Ink::Series(labels.slot(chosen.configuration));
    let styles = [
        ("p50", ink, 2.0, false),
        ("p99", ink, 2.0, true),
        ("max", Ink::Muted, 1.2, false),
    ];
    let mut lines = Vec::new();
    for (i, (name, ink, width, marked)) in styles.into_iter().enumerate() {
        let points = intervals.iter().map(|interval| {
            let x = f64::from(interval.from_s) + f64::from(length_s) / 2.0;
            figures(interval)[i].map(|ms| (x, ms))
        });
        let mut pieces = pieces(points, f64::from(length_s));
        for piece in &mut pieces {
            if marked {
                piece.marked = Spot::all(evenly(&piece.points, MARKERS_MAX));
            }
            (piece.ink, piece.width, piece.shape) = (ink, width, labels.slot(chosen.configuration));
            piece.c = vec![chosen.configuration];
            name.clone_into(&mut piece.name);
        }
        if let Some(last) = pieces.last_mut() {
            last.is_named = true;
        }
        lines.append(&mut pieces);
    }
    Panel {
        x: Ruler::linear(x_max),
        y: y.into(),
        lines,
        shaded: live.outside_window(x_max),
        events: live.events(),
        strips: strip(live).into_iter().collect(),
        ..Panel::default()
    }
}

/// Lines through the points, broken where one is missing.
fn pieces(points: impl Iterator<Item = Option<(f64, f64)>>, distance: f64) -> Vec<Line> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    for point in points.flatten() {
        match pieces.last_mut() {
            Some(piece) if piece.last().is_some_and(|last| point.0 - last.0 < distance * 1.5) => piece.push(point),
            _ => pieces.push(vec![point]),
        }
    }
    let line = |points: Vec<(f64, f64)>| Line {
        // A single point makes no line.
        marked: if points.len() == 1 {
            Spot::all(points.clone())
        } else {
            Vec::new()
        },
        ..Line::through(points, Ink::Muted)
    };
    pieces.into_iter().map(line).collect()
}

/// Records per second sent by all producers in intervals of this length.
fn sent(load: &LoadMeasurement, length_s: u32) -> Vec<(u32, f64)> {
    let length_ns = u64::from(length_s) * 1_000_000_000;
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for series in load.producers.iter().map(|p| &p.series) {
        for (i, count) in (0u64..).zip(&series.counts) {
            *counts.entry(i * series.bucket_ns / length_ns).or_default() += count;
        }
    }
    let per_second = |(number, count): (u64, u64)| {
        let from_s = u32::try_from(number).ok()?.checked_mul(length_s)?;
        Some((from_s, count as f64 / f64::from(length_s)))
    };
    counts.into_iter().filter_map(per_second).collect()
}

/// The records sent per second, in bars.
fn strip(live: LiveTrial) -> Option<Strip> {
    let length_s = shortest_s(live.load);
    let bars = sent(live.load, length_s).into_iter().map(|(from_s, rate)| {
        let from = f64::from(from_s);
        (from, from + f64::from(length_s), rate)
    });
    let bars: Vec<(f64, f64, f64)> = bars.collect();
    let name = String::new();
    bars.iter()
        .any(|(_, _, rate)| *rate > 0.0)
        .then_some(Strip { name, bars })
}

fn legend(panels: &[Panel]) -> Vec<Entry> {
    let mut legend = vec![Entry::new(Swatch::Veil(Ink::Shade(3)), OUTSIDE_WINDOW)];
    if panels.iter().any(|p| !p.strips.is_empty()) {
        let sent = "records sent per second, beside them the most";
        legend.push(Entry::new(Swatch::Bar(Ink::Shade(2)), sent));
    }
    legend
}

fn description(input: &ReportInput, labels: &Labels, chosen: &[Chosen], all: usize, lengths: &[u32]) -> String {
    let longest = chosen.iter().filter_map(|s| {
        let longest_of = |one: &SecondOfLatency| (one.response.unpack().max_ns(), one.second);
        let (longest_ns, second) = s.live.load.seconds.iter().map(longest_of).max_by_key(|one| one.0)?;
        Some(format!(
            "{}: the longest, {}, after {second}\u{a0}s",
            full_title(input, labels, s.configuration),
            duration(longest_ns? as f64 / 1e9),
        ))
    });
    let longest = in_figures(&longest.collect::<Vec<_>>());
    let per = match lengths.iter().max() {
        Some(length) if *length > 1 => format!(
            "second (per {length} seconds where a second has too few records for a p99, or the load lasted very long)"
        ),
        _ => "second".to_owned(),
    };
    format!(
        "For every configuration its trial of median p99: the median, the 99th percentile and the longest of the \
         response times per {per}, by the moment in which the work on the records ended, on a logarithmic scale. A \
         percentile is missing where the records are too few for it. Shaded is what lies outside the window that is \
         measured; dashed lines mark what happened. The bars below are the records sent per second. Panels of one \
         family have the same scales, except where readers fell behind or a load was not reached.{longest}{}",
        left_out(chosen.len(), all)
    )
}

/// An interval of a trial in the table, with what was sent in it.
struct Row<'a> {
    chosen: &'a Chosen<'a>,
    interval: Interval,
    length_s: u32,
    sent: Option<f64>,
}

fn table(labels: &Labels, chosen: &[Chosen]) -> Table {
    let figure = |row: &Row, figure: usize| {
        let ms = figures(&row.interval)[figure];
        or_unknown(ms, |ms| duration(ms / 1e3))
    };
    let columns = [
        Column::words("configuration", |row: &Row| labels.short(row.chosen.configuration)),
        Column::figures("trial", |row: &Row| row.chosen.live.trial.order.number.to_string()),
        Column::words("seconds", |row: &Row| {
            let from_s = row.interval.from_s;
            format!("{from_s} to {}", from_s + row.length_s)
        }),
        Column::figures("p50", |row: &Row| figure(row, 0)),
        Column::figures("p99", |row: &Row| figure(row, 1)),
        Column::figures("longest", |row: &Row| figure(row, 2)),
        Column::figures("sent", |row: &Row| or_unknown(row.sent, rate)),
    ];
    let rows = chosen.iter().flat_map(|chosen| {
        let load = chosen.live.load;
        let length_s = length_s(load).max(seconds(load).div_ceil(ROWS_MAX));
        let sent: BTreeMap<u32, f64> = sent(load, length_s).into_iter().collect();
        intervals(load, length_s).into_iter().map(move |interval| Row {
            chosen,
            sent: sent.get(&interval.from_s).copied(),
            interval,
            length_s,
        })
    });
    Table::of("", columns, rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    /// So many records a second for so many seconds.
    fn steady(per_second: u32, seconds: u32) -> LoadMeasurement {
        let second = |second| {
            let mut response = LatencyRecorder::default();
            (0..per_second).for_each(|_| response.record_ns(1_000_000));
            SecondOfLatency {
                second,
                response: response.into(),
            }
        };
        LoadMeasurement {
            seconds: (0..seconds).map(second).collect(),
            ..LoadMeasurement::default()
        }
    }

    #[test]
    fn intervals_grow_until_they_carry_a_p99_and_no_further() {
        assert_eq!(length_s(&steady(1_000, 60)), 1);
        assert_eq!(length_s(&steady(300, 60)), 5);
        assert_eq!(length_s(&steady(10, 60)), 1, "none would carry it");
        assert_eq!(
            length_s(&steady(2_000, 600)),
            5,
            "a line has {POINTS_MAX} points at most"
        );
    }

    #[test]
    fn a_second_without_records_breaks_the_line() {
        let mut load = steady(1_000, 8);
        load.seconds.remove(4);
        let points = intervals(&load, 1)
            .into_iter()
            .map(|i| Some((f64::from(i.from_s), 1.0)));
        let pieces: Vec<usize> = pieces(points, 1.0).iter().map(|line| line.points.len()).collect();
        assert_eq!(pieces, [4, 3]);
    }

    #[test]
    fn the_bars_hold_every_record_that_was_sent() {
        let fixture = Fixture::latency();
        for trial in fixture.trials.iter().filter_map(LiveTrial::of) {
            let all: f64 = sent(trial.load, 2).iter().map(|(_, rate)| rate * 2.0).sum();
            assert_eq!(all, trial.load.sent as f64);
        }
    }

    #[test]
    fn what_happened_is_marked_on_the_axis_that_the_lines_have() {
        let fixture = Fixture::catch_up();
        let (chosen, _) = representatives(&fixture.input(), |_| true);
        let load = chosen[0].live.load;
        let events: Vec<(f64, String)> = chosen[0].live.events().into_iter().map(|e| (e.x, e.text)).collect();
        let caught_up = (load.caught_up_ns.unwrap() - load.start_ns) as f64 / 1e9;
        let expected = [(1.0, "warm-up ends"), (caught_up, "caught up"), (9.0, "load ends")];
        assert_eq!(events, expected.map(|(at, text)| (at, text.to_owned())));
    }
}
