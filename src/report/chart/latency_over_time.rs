//! How response times went second by second in one trial of each configuration, with what happened in it and what was
//! sent.

use std::collections::BTreeMap;

use super::arrivals::{DESCRIBED_MAX, LiveTrial, Shown, left_out, ms, ms_tick, representatives};
use super::grid::{Grid, Line, Strip, XyPanel};
use super::legend::Swatch;
use super::paint::Ink;
use super::scale::{Axis, Scale};
use super::{Chart, chart as assemble, evenly, full_title};
use crate::measure::latency::LatencyRecorder;
use crate::measure::{LoadMeasurement, SecondOfLatency};
use crate::report::ReportInput;
use crate::report::format::{UNKNOWN, duration, or_unknown, rate};
use crate::report::labels::Labels;
use crate::report::tables::Table;

/// Points of a line; more cannot be seen at its size.
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
    let (mut shown, all) = representatives(input);
    let without = shown.len();
    shown.retain(|s| !s.live.load.seconds.is_empty());
    if shown.is_empty() {
        return None;
    }
    let all = all - (without - shown.len());
    let lengths: Vec<u32> = shown.iter().map(|s| length_s(s.live.load)).collect();
    let of_all: Vec<Vec<Interval>> = shown
        .iter()
        .zip(&lengths)
        .map(|(s, length)| intervals(s.live.load, *length))
        .collect();
    let scale = |own: &Shown| {
        let alike = shown.iter().zip(&of_all).filter(|(other, _)| own.is_like(other));
        Scale::log_around(alike.flat_map(|(_, intervals)| intervals).flat_map(figures).flatten())
    };
    let panels: Vec<XyPanel> = shown
        .iter()
        .zip(&of_all)
        .zip(&lengths)
        .map(|((s, intervals), length)| XyPanel {
            title: s.title(input, labels),
            ..panel(labels, s, intervals, *length, (s.x_max(&shown), scale(s)))
        })
        .collect();
    let grid = Grid {
        legend: legend(&panels),
        panels,
        x_axis: "seconds since the load began".to_owned(),
        y_axis: "response time in ms (log scale)".to_owned(),
        aspect: 2.3,
        columns: 2,
    };
    Some(assemble(
        "latency-over-time",
        "Response time over time",
        &description(input, labels, &shown, all, &lengths),
        table(labels, &shown),
        |frame| grid.render(frame),
    ))
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

fn panel(labels: &Labels, shown: &Shown, intervals: &[Interval], length_s: u32, (x_max, y): (f64, Scale)) -> XyPanel {
    let live = shown.live;
    let ink = Ink::Series(labels.slot(shown.configuration));
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
                piece.marked = evenly(&piece.points, MARKERS_MAX);
            }
            (piece.ink, piece.width, piece.shape) = (ink, width, labels.slot(shown.configuration));
        }
        if let Some(last) = pieces.last_mut() {
            name.clone_into(&mut last.label);
        }
        lines.append(&mut pieces);
    }
    let y = Axis {
        scale: y,
        ticks: Vec::new(),
        tick: ms_tick,
    };
    XyPanel {
        bands: live.outside_window(x_max),
        events: live.events(),
        strip: strip(live),
        ..XyPanel::of_lines(String::new(), Axis::linear(x_max), y, lines)
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
        marked: if points.len() == 1 { points.clone() } else { Vec::new() },
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

fn strip(live: LiveTrial) -> Option<Strip> {
    let length_s = shortest_s(live.load);
    let bars: Vec<(f64, f64, f64)> = sent(live.load, length_s)
        .into_iter()
        .map(|(from_s, rate)| {
            let from = f64::from(from_s);
            (from, from + f64::from(length_s), rate)
        })
        .collect();
    let max = bars.iter().map(|(_, _, rate)| *rate).fold(0.0, f64::max);
    (max > 0.0).then_some(Strip { bars, max })
}

fn legend(panels: &[XyPanel]) -> Vec<(Swatch, String)> {
    let mut legend = vec![(
        Swatch::Veil(Ink::Shade(3)),
        "outside the window: warm-up, and draining when the load has ended".to_owned(),
    )];
    if panels.iter().any(|p| p.strip.is_some()) {
        legend.push((
            Swatch::Bar(Ink::Shade(2)),
            "records sent per second, beside them the most".to_owned(),
        ));
    }
    legend
}

fn description(input: &ReportInput, labels: &Labels, shown: &[Shown], all: usize, lengths: &[u32]) -> String {
    let longest: Vec<String> = shown
        .iter()
        .filter_map(|s| {
            let longest_of = |one: &SecondOfLatency| (one.response.unpack().max_ns(), one.second);
            let (longest_ns, second) = s.live.load.seconds.iter().map(longest_of).max_by_key(|one| one.0)?;
            Some(format!(
                "{}: the longest, {}, after {}\u{a0}s",
                full_title(input, labels, s.configuration),
                duration(longest_ns? as f64 / 1e9),
                second
            ))
        })
        .collect();
    let longest = if longest.len() > DESCRIBED_MAX {
        String::new()
    } else {
        format!(" In figures: {}.", longest.join("; "))
    };
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
         family have the same scales, but for those of readers that fell behind or of a load that was not \
         reached.{longest}{}",
        left_out(shown.len(), all)
    )
}

fn table(labels: &Labels, shown: &[Shown]) -> Table {
    let mut rows = Vec::new();
    for s in shown {
        let load = s.live.load;
        let length = length_s(load).max(seconds(load).div_ceil(ROWS_MAX));
        let sent: BTreeMap<u32, f64> = sent(load, length).into_iter().collect();
        for interval in intervals(load, length) {
            let mut row = vec![
                labels.short(s.configuration).to_owned(),
                s.live.trial.order.number.to_string(),
                format!("{} to {}", interval.from_s, interval.from_s + length),
            ];
            row.extend(figures(&interval).map(|ms| or_unknown(ms.map(|ms| ms / 1e3), duration)));
            let sent = sent.get(&interval.from_s).copied();
            row.push(sent.map_or_else(|| UNKNOWN.to_owned(), rate));
            rows.push(row);
        }
    }
    let headers = ["configuration", "trial", "seconds", "p50", "p99", "longest", "sent"];
    Table::new("", &headers, rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

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
        let (shown, _) = representatives(&fixture.input());
        let load = shown[0].live.load;
        let events: Vec<(f64, String)> = shown[0].live.events().into_iter().map(|e| (e.at, e.text)).collect();
        let caught_up = (load.caught_up_ns.unwrap() - load.start_ns) as f64 / 1e9;
        let expected = [(1.0, "warm-up ends"), (caught_up, "caught up"), (9.0, "load ends")];
        assert_eq!(events, expected.map(|(at, text)| (at, text.to_owned())));
    }
}
