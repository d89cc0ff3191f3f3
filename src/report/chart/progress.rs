//! How far each partition was read over time and by whom, in one trial of each configuration. A member that got nothing
//! is a flat line with its name.

use std::collections::BTreeMap;

use super::colours::Ink;
use super::drawing::Chart;
use super::scale::{Ruler, axis_end};
use super::spec::{Axis, ChartSpec, Kind, Line, Panel, Spot};
use super::tick::Tick;
use super::words::{evenly, full_title, left_out, panels, with_panel};
use crate::measure::{Measurement, MemberMeasurement, PartitionMeasurement, Series, Trial};
use crate::report::format::{UNKNOWN, duration, or_unknown};
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::report::table::{Column, Table};
use crate::scenario::Configuration;
use crate::wording::{joined, with_commas};

/// Points of a line; more would not be visible at its size.
const POINTS_MAX: usize = 60;
/// With more lines than this only the remarkable ones are named.
const NAMED_LINES_MAX: usize = 8;
/// With more members without records than this they share one name.
const NAMED_IDLE_MAX: usize = 3;

/// What one member read of one partition, or that it read nothing.
struct Trace {
    member: String,
    partition: String,
    records: u64,
    /// Seconds since the start and share of the partition.
    points: Vec<(f64, f64)>,
}

impl Trace {
    /// When this share of the partition had been read.
    fn reached(&self, share: f64) -> Option<f64> {
        let mut points = self.points.iter();
        let point = points.find(|(_, read)| self.records > 0 && *read >= share - 1e-9)?;
        Some(point.0)
    }
}

/// The trial that represents a configuration.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    index: usize,
    configuration: &'a Configuration,
    trial: &'a Trial,
    measurement: &'a Measurement,
}

impl Chosen<'_> {
    fn read_s(&self) -> f64 {
        self.measurement.read_ns() as f64 / 1e9
    }
}

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let choose = |index| {
        let (trial, measurement) = median_trial(input, index)?;
        Some(Chosen {
            index,
            configuration: input.scenario.configurations.get(index)?,
            trial,
            measurement,
        })
    };
    let all: Vec<Chosen> = input.by_family().filter_map(|c| choose(c.configuration)).collect();
    if all.is_empty() {
        return None;
    }
    let chosen = with_panel(&all);
    let shared = panels(input.scenario);
    let panel = |s: &Chosen| {
        let families = shared
            .iter()
            .find(|families| families.contains(&s.configuration.family));
        let is_alike = |other: &&Chosen| families.is_some_and(|alike| alike.contains(&other.configuration.family));
        let alike = chosen.iter().filter(is_alike);
        let x_max = axis_end(alike.map(Chosen::read_s));
        let mut lines = lines(traces(s.configuration, s.measurement), labels.slot(s.index), s.read_s());
        for line in &mut lines {
            line.c = vec![s.index];
        }
        Panel {
            title: full_title(input, labels, s.index),
            x: Ruler::linear(x_max),
            lines,
            ..Panel::default()
        }
    };
    let spec = ChartSpec {
        name: "progress",
        title: "Read progress by partition and member".to_owned(),
        description: description(chosen.len(), all.len()),
        kind: Kind::Lines {
            columns: 2,
            aspect: 2.6,
        },
        x: Axis::time("seconds since the common start"),
        y: Some(Axis::new("share of the partition read", Tick::Percent)),
        legend: Vec::new(),
        slots: labels.slots().to_vec(),
        panels: chosen.iter().map(panel).collect(),
    };
    Some(Chart::with_table(spec, table(labels, &chosen)))
}

fn description(drawn: usize, all: usize) -> String {
    let left_out = left_out(drawn, all);
    format!(
        "For every configuration its trial of median speed: a line for each partition, from 0 to 100 % of what the \
         trial reads of it, with its shape and the member that read it named beside it (g: group, p: process, c: consumer). \
         Panels of one family have the same time axis; with more than {NAMED_LINES_MAX} lines only the first and the last \
         to finish are named. A line that stays at 0 is a member that read nothing.{left_out}"
    )
}

/// The used trial of median speed.
fn median_trial<'a>(input: &ReportInput<'a>, configuration: usize) -> Option<(&'a Trial, &'a Measurement)> {
    let mut trials = input.used(configuration);
    trials.sort_by_key(|(_, m)| m.read_ns());
    trials.get(trials.len() / 2).copied()
}

/// A trace for each partition that a member read and one for each member that read nothing.
fn traces(configuration: &Configuration, m: &Measurement) -> Vec<Trace> {
    let mut totals: BTreeMap<(u32, u32, i32), u64> = BTreeMap::new();
    for member in &m.members {
        for p in &member.partitions {
            *totals.entry((member.group, p.topic, p.partition)).or_default() += p.records;
        }
    }
    let many_topics = totals.keys().any(|(_, topic, _)| *topic > 0);
    let mut traces = Vec::new();
    for member in &m.members {
        let name = short_member(configuration, member);
        for p in member.partitions.iter().filter(|p| p.records > 0) {
            let total = totals
                .get(&(member.group, p.topic, p.partition))
                .copied()
                .unwrap_or(p.records);
            let topic = if many_topics {
                format!("topic {} ", p.topic)
            } else {
                String::new()
            };
            traces.push(Trace {
                member: name.clone(),
                partition: format!("{topic}partition {}", p.partition),
                records: p.records,
                points: points(m, p, total),
            });
        }
        if member.records() == 0 {
            let why = if member.assigned.is_empty() {
                "idle"
            } else {
                "no record"
            };
            let end = m.read_ns() as f64 / 1e9;
            let points = vec![(0.0, 0.0), (end, 0.0)];
            traces.push(Trace {
                member: name,
                partition: why.to_owned(),
                records: 0,
                points,
            });
        }
    }
    traces
}

/// The member in as few letters as tell it from the others: `process 2`, `g1 p2 c1`; nothing for the only one.
fn short_member(c: &Configuration, member: &MemberMeasurement) -> String {
    let numbers = [
        ("group", c.groups, member.group),
        ("process", c.processes, member.process),
        ("consumer", c.consumers, member.consumer),
    ];
    let varying: Vec<_> = numbers.iter().filter(|(_, count, _)| *count > 1).collect();
    match varying.as_slice() {
        [] => String::new(),
        [(word, _, index)] => format!("{word} {}", index + 1),
        several => {
            let letters = several
                .iter()
                .map(|(word, _, index)| format!("{}{}", &word[..1], index + 1));
            letters.collect::<Vec<_>>().join(" ")
        }
    }
}

/// Seconds and the share read by then, at most [`POINTS_MAX`] of them.
fn points(m: &Measurement, p: &PartitionMeasurement, total: u64) -> Vec<(f64, f64)> {
    let share = |records: u64| records as f64 / total.max(1) as f64;
    let last = m.since_start_s(p.last_ns.unwrap_or(m.end_ns));
    let Some(Series { bucket_ns, counts }) = &p.series else {
        let first = m.since_start_s(p.first_ns.unwrap_or(m.start_ns));
        return vec![(0.0, 0.0), (first, 0.0), (last, share(p.records))];
    };
    let mut cumulative = 0;
    let mut all = vec![(0.0, 0.0)];
    for (i, count) in counts.iter().enumerate() {
        cumulative += count;
        let end = (i as f64 + 1.0) * *bucket_ns as f64 / 1e9;
        all.push((end.min(last), share(cumulative)));
    }
    // What follows the last record is not part of the line.
    let complete = all
        .iter()
        .position(|(_, s)| *s >= share(p.records))
        .map_or(all.len(), |i| i + 1);
    all.truncate(complete);
    evenly(&all, POINTS_MAX)
}

/// The lines of a panel. Where they are few, each has a name and a shape.
fn lines(traces: Vec<Trace>, slot: usize, end: f64) -> Vec<Line> {
    let (read, unread): (Vec<Trace>, Vec<Trace>) = traces.into_iter().partition(|t| t.records > 0);
    let finish = |t: &Trace| t.points.last().map_or(end, |(x, _)| *x);
    let by_finish = |a: &&Trace, b: &&Trace| finish(a).total_cmp(&finish(b));
    let ends = [read.iter().min_by(by_finish), read.iter().max_by(by_finish)];
    let mut lines: Vec<Line> = Vec::new();
    for (i, trace) in read.iter().enumerate() {
        let line = Line {
            name: name(trace),
            ..Line::through(trace.points.clone(), Ink::Series(slot))
        };
        let named = read.len() <= NAMED_LINES_MAX || ends.iter().flatten().any(|t| std::ptr::eq(*t, trace));
        lines.push(if named {
            Line {
                shape: i,
                marked: Spot::all(marked(trace, i)),
                is_named: true,
                ..line
            }
        } else {
            line
        });
    }
    let flat = |name| Line {
        name,
        is_named: true,
        ..Line::through(vec![(0.0, 0.0), (end, 0.0)], Ink::Text)
    };
    if unread.len() > NAMED_IDLE_MAX {
        lines.push(flat(format!("{} members read nothing", unread.len())));
    } else {
        lines.extend(unread.iter().map(|t| flat(name(t))));
    }
    lines
}

/// Member and partition; the line breaks between them if at all.
fn name(trace: &Trace) -> String {
    let parts = [&trace.member, &trace.partition].map(|part| part.replace(' ', "\u{a0}"));
    joined(parts.iter().map(String::as_str), "\u{a0}· ")
}

/// Three points of a line, at other shares for every line, so that markers stay apart where lines lie on each other.
fn marked(trace: &Trace, index: usize) -> Vec<(f64, f64)> {
    let step = (index % 4) as f64 * 0.07;
    [0.2, 0.5, 0.72]
        .iter()
        .filter_map(|share| trace.points.iter().find(|(_, s)| *s >= share + step).copied())
        .collect()
}

fn table(labels: &Labels, chosen: &[Chosen]) -> Table {
    type Item<'a> = (&'a Chosen<'a>, Trace);
    let columns = [
        Column::words("configuration", |(s, _): &Item| labels.short(s.index)),
        Column::figures("trial", |(s, _): &Item| s.trial.order.number.to_string()),
        Column::words("member", |(_, trace): &Item| match trace.member.as_str() {
            "" => UNKNOWN.to_owned(),
            member => member.to_owned(),
        }),
        Column::words("partition", |(_, trace): &Item| trace.partition.clone()),
        Column::figures("records", |(_, trace): &Item| with_commas(trace.records)),
    ];
    let reached = [25, 50, 75, 100].map(|percent| {
        Column::figures(format!("{percent} % at"), move |(_, trace): &Item| {
            or_unknown(trace.reached(f64::from(percent) / 100.0), duration)
        })
    });
    let rows = chosen.iter().flat_map(|s| {
        let traces = traces(s.configuration, s.measurement).into_iter();
        traces.map(move |trace| (s, trace))
    });
    Table::of("", columns.into_iter().chain(reached), rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn an_idle_member_is_a_flat_line_with_its_name() {
        let fixture = Fixture::one_vs_two();
        let input = fixture.input();
        // The last case has four processes on two partitions.
        let (_, m) = median_trial(&input, 9).unwrap();
        let lines = lines(traces(&fixture.scenario.configurations[9], m), 0, 1.0);
        let idle: Vec<_> = lines.iter().filter(|l| l.name.ends_with("idle")).collect();
        assert_eq!(
            idle.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(),
            ["process\u{a0}3\u{a0}· idle", "process\u{a0}4\u{a0}· idle"]
        );
        assert!(idle.iter().all(|l| l.points.iter().all(|(_, share)| *share == 0.0)));
    }

    #[test]
    fn a_partition_read_completely_ends_at_one_hundred_percent() {
        let fixture = Fixture::one_vs_two();
        let input = fixture.input();
        let (_, m) = median_trial(&input, 0).unwrap();
        for trace in traces(&fixture.scenario.configurations[0], m) {
            assert!(trace.points.len() <= POINTS_MAX);
            assert!((trace.points.last().unwrap().1 - 1.0).abs() < 1e-9);
            assert!(trace.points.windows(2).all(|w| w[0].0 <= w[1].0 && w[0].1 <= w[1].1));
        }
    }

    #[test]
    fn a_choice_keeps_the_ends_and_says_how_many_it_shows() {
        assert_eq!(evenly(&(0..60).collect::<Vec<_>>(), 4), [0, 19, 39, 59]);
        assert!(description(24, 60).contains("24 of 60"));
        assert!(!description(9, 9).contains("evenly"));
    }
}
