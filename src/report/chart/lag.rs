//! How far the readers were behind over time, by partition, in one trial of each configuration.

use std::collections::BTreeMap;

use super::arrivals::{Chosen, LiveTrial, representatives};
use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch};
use super::scale::{Ruler, axis_end};
use super::spec::{Axis, ChartSpec, Kind, Line, Panel, Spot};
use super::tick::Tick;
use super::words::{OUTSIDE_WINDOW, SECONDS_OF_LOAD, in_figures, left_out};
use crate::report::format::duration;
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::report::table::{Column, Table};
use crate::wording::with_commas;

/// Points of a line; more would not be visible at its size.
const POINTS_MAX: usize = 120;
/// With more partitions than this the lines are their sum and the worst of them.
const PARTITIONS_MAX: usize = 8;
/// A vertical axis has at least so many records: the lag of a single record means nothing.
const LAG_MIN: f64 = 4.0;
/// How many of the worst.
const WORST: usize = 3;

/// The lag of one partition, or of all.
struct Trace {
    name: String,
    /// Seconds since the load began, and records over all groups.
    points: Vec<(f64, u64)>,
}

impl Trace {
    /// When it was furthest behind, and by how much.
    fn highest(&self) -> (f64, u64) {
        let highest = self.points.iter().max_by_key(|(_, lag)| *lag);
        highest.copied().unwrap_or((0.0, 0))
    }

    fn first(&self) -> u64 {
        self.points.first().map_or(0, |(_, lag)| *lag)
    }

    /// The lag in the last sample up to this time.
    fn lag_at(&self, seconds: f64) -> u64 {
        let before = self.points.iter().take_while(|(x, _)| *x <= seconds);
        before.last().map_or(self.first(), |(_, lag)| *lag)
    }
}

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let (chosen, all) = representatives(input, |load| !load.lag.at_ns.is_empty());
    if chosen.is_empty() {
        return None;
    }
    let traces: Vec<Vec<Trace>> = chosen.iter().map(|s| traces(s.live)).collect();
    let panels = chosen.iter().zip(&traces).map(|(s, own)| {
        let alike = chosen.iter().zip(&traces).filter(|(other, _)| s.is_like(other));
        let traces = alike.flat_map(|(_, traces)| traces);
        let highest = traces.map(|trace| trace.highest().1 as f64);
        let ends = (s.x_max(&chosen), axis_end(highest.chain([LAG_MIN])));
        Panel {
            title: s.title(input, labels),
            ..panel(labels, s, own, ends)
        }
    });
    let spec = ChartSpec {
        name: "lag-over-time",
        title: "Lag over time by partition".to_owned(),
        description: description(input, labels, &chosen, all),
        kind: Kind::Lines {
            columns: 2,
            aspect: 2.3,
        },
        x: Axis::time(SECONDS_OF_LOAD),
        y: Some(Axis::new("records not read yet", Tick::Count)),
        legend: vec![Entry::new(Swatch::Veil(Ink::Shade(3)), OUTSIDE_WINDOW)],
        slots: labels.slots().to_vec(),
        panels: panels.collect(),
    };
    Some(Chart::with_table(spec, table(labels, &chosen, &traces)))
}

/// The lag of every partition, or of all together and the worst where they are many.
fn traces(live: LiveTrial) -> Vec<Trace> {
    let lag = &live.load.lag;
    let mut sums: BTreeMap<(u32, i32), Vec<u64>> = BTreeMap::new();
    for one in &lag.partitions {
        let sum = sums.entry((one.topic, one.partition)).or_default();
        sum.resize(sum.len().max(one.lag.len()), 0);
        sum.iter_mut().zip(&one.lag).for_each(|(sum, lag)| *sum += lag);
    }
    let many_topics = sums.keys().any(|(topic, _)| *topic > 0);
    let name = |(topic, partition): (u32, i32)| {
        if many_topics {
            format!("topic\u{a0}{topic} partition\u{a0}{partition}")
        } else {
            format!("partition\u{a0}{partition}")
        }
    };
    let trace = |name: String, records: &[u64]| Trace {
        name,
        points: lag
            .at_ns
            .iter()
            .map(|at_ns| live.seconds(*at_ns))
            .zip(records.iter().copied())
            .collect(),
    };
    let mut traces: Vec<Trace> = sums
        .iter()
        .map(|(place, records)| trace(name(*place), records))
        .collect();
    if traces.len() <= PARTITIONS_MAX {
        return traces;
    }
    let total = trace(format!("all\u{a0}{}\u{a0}partitions", traces.len()), &lag.totals());
    traces.sort_by_key(|trace| std::cmp::Reverse(trace.highest().1));
    traces.truncate(WORST);
    traces.insert(0, total);
    traces
}

fn panel(labels: &Labels, chosen: &Chosen, traces: &[Trace], (x_max, y_max): (f64, f64)) -> Panel {
    let live = chosen.live;
    let slot = labels.slot(chosen.configuration);
    let lines = traces.iter().enumerate().map(|(i, trace)| {
        let points = thinned(&trace.points);
        Line {
            shape: i,
            c: vec![chosen.configuration],
            width: 1.4,
            marked: Spot::all(marked(&points, i)),
            name: trace.name.clone(),
            is_named: true,
            ..Line::through(points, Ink::Series(slot))
        }
    });
    Panel {
        x: Ruler::linear(x_max),
        y: Ruler::linear(y_max),
        lines: lines.collect(),
        shaded: live.outside_window(x_max),
        events: live.events(),
        ..Panel::default()
    }
}

/// At most [`POINTS_MAX`] points: of samples that fall together the highest, so that no peak is lost.
fn thinned(points: &[(f64, u64)]) -> Vec<(f64, f64)> {
    let together = points.len().div_ceil(POINTS_MAX).max(1);
    let highest = |samples: &[(f64, u64)]| samples.iter().max_by_key(|(_, lag)| *lag).copied();
    let chosen = points.chunks(together).filter_map(highest);
    chosen.map(|(x, lag)| (x, lag as f64)).collect()
}

/// Three points of a line, others for every line, so that markers stay apart where lines lie on each other.
fn marked(points: &[(f64, f64)], index: usize) -> Vec<(f64, f64)> {
    let step = (index % PARTITIONS_MAX) as f64 * 0.035;
    let last = points.len().saturating_sub(1) as f64;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is within it"
    )]
    let place = |share: f64| (last * (share + step)).round() as usize;
    [0.08, 0.38, 0.68]
        .iter()
        .filter_map(|share| points.get(place(*share)).copied())
        .collect()
}

fn description(input: &ReportInput, labels: &Labels, chosen: &[Chosen], all: usize) -> String {
    let sentences = chosen.iter().map(|s| {
        let name = s.title(input, labels);
        let totals = s.live.load.lag.totals();
        let highest = with_commas(totals.iter().copied().max().unwrap_or(0));
        let caught_up = s.live.load.caught_up_ns.map(|at_ns| {
            let after = duration(s.live.seconds(at_ns));
            format!(", caught up after {after}")
        });
        format!("{name}, at most {highest} behind{}", caught_up.unwrap_or_default())
    });
    let figures = in_figures(&sentences.collect::<Vec<_>>());
    format!(
        "For every configuration its trial of median p99: the records of each partition that were not read yet, summed \
         over the groups, over time; where there are more than {PARTITIONS_MAX} partitions, the sum of all and the \
         {WORST} that were furthest behind. Where the lag grows while the load lasts, the readers cannot keep up. \
         Panels of one family have the same scales, except where readers fell behind or a load was not reached. Shaded \
         is what lies outside the window that is measured; dashed lines mark what happened.{figures}{}",
        left_out(chosen.len(), all)
    )
}

fn table(labels: &Labels, chosen: &[Chosen], traces: &[Vec<Trace>]) -> Table {
    type Item<'a> = (&'a Chosen<'a>, &'a Trace);
    let columns = [
        Column::words("configuration", |(s, _): &Item| labels.short(s.configuration)),
        Column::figures("trial", |(s, _): &Item| s.live.trial.order.number.to_string()),
        Column::words("partition", |(_, trace): &Item| trace.name.replace('\u{a0}', " ")),
        Column::figures("lag at first", |(_, trace): &Item| with_commas(trace.first())),
        Column::figures("highest", |(_, trace): &Item| with_commas(trace.highest().1)),
        Column::figures("after", |(_, trace): &Item| duration(trace.highest().0)),
        Column::figures("at the end of the load", |(s, trace): &Item| {
            let end = s.live.seconds(s.live.load.window_end_ns);
            with_commas(trace.lag_at(end))
        }),
        Column::figures("at last", |(_, trace): &Item| with_commas(trace.lag_at(f64::INFINITY))),
    ];
    let rows = chosen.iter().zip(traces);
    let rows = rows.flat_map(|(s, traces)| traces.iter().map(move |trace| (s, trace)));
    Table::of("", columns, rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::measure::PartitionLag;
    use crate::testing::report::Fixture;

    #[test]
    fn of_many_partitions_the_sum_and_the_worst_are_drawn() {
        let mut fixture = Fixture::latency();
        for trial in &mut fixture.trials {
            let lag = &mut trial.measurement.as_mut().unwrap().load.as_mut().unwrap().lag;
            let samples = lag.at_ns.len();
            lag.partitions = (0..20)
                .map(|partition| PartitionLag {
                    group: 0,
                    topic: 0,
                    partition,
                    lag: vec![u64::from(partition.unsigned_abs()); samples],
                })
                .collect();
        }
        let (chosen, _) = representatives(&fixture.input(), |_| true);
        let traces = traces(chosen[0].live);
        let names: Vec<String> = traces.iter().map(|t| t.name.replace('\u{a0}', " ")).collect();
        assert_eq!(
            names,
            ["all 20 partitions", "partition 19", "partition 18", "partition 17"]
        );
        assert_eq!(traces[0].highest().1, 190);
    }

    #[test]
    fn groups_are_added_up() {
        let mut fixture = Fixture::latency();
        for trial in &mut fixture.trials {
            let lag = &mut trial.measurement.as_mut().unwrap().load.as_mut().unwrap().lag;
            let second: Vec<_> = lag
                .partitions
                .iter()
                .map(|p| PartitionLag { group: 1, ..p.clone() })
                .collect();
            lag.partitions.extend(second);
        }
        let alone = Fixture::latency();
        let (one, two) = (
            representatives(&alone.input(), |_| true).0,
            representatives(&fixture.input(), |_| true).0,
        );
        let highest = |chosen: &Chosen| traces(chosen.live).iter().map(|t| t.highest().1).collect::<Vec<_>>();
        let doubled: Vec<u64> = highest(&one[1]).iter().map(|lag| lag * 2).collect();
        assert_eq!(highest(&two[1]), doubled);
    }

    #[test]
    fn a_peak_outlasts_the_thinning_of_a_line() {
        let mut points: Vec<(f64, u64)> = (0..1_000).map(|i| (f64::from(i), 3)).collect();
        points[501].1 = 900;
        let thinned = thinned(&points);
        assert!(thinned.len() <= POINTS_MAX && thinned.contains(&(501.0, 900.0)));
    }

    #[test]
    fn readers_that_fell_behind_are_named_and_do_not_stretch_the_scales_of_others() {
        let fixture = Fixture::latency();
        let (chosen, all) = representatives(&fixture.input(), |_| true);
        let text = description(&fixture.input(), &Labels::new(&fixture.scenario), &chosen, all);
        assert!(text.contains("one process rate=3000: overloaded, at most"), "{text}");
        assert!(chosen[0].is_like(&chosen[1]) && !chosen[0].is_like(&chosen[2]) && chosen[2].is_like(&chosen[2]));
    }
}
