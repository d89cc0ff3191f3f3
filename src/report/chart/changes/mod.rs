//! Who read which partition when, in a trial of each configuration with planned acts: gaps are where nobody did. Below it
//! what was read per second, the lag, and the response times.

mod chosen;
mod letters;

use std::collections::BTreeMap;

use self::chosen::{Chosen, LANES_MAX, PAUSE_MIN_S, Place, all_chosen, drawn, events, lane_name, readings};
use crate::measure::changes::{Episode, GapKind, episodes};
use crate::measure::{MemberMeasurement, SecondOfLatency};
use crate::report::chart::colours::Ink;
use crate::report::chart::drawing::Chart;
use crate::report::chart::legend::{Entry, Swatch};
use crate::report::chart::scale::{Ruler, axis_end};
use crate::report::chart::spec::{Axis, ChartSpec, Kind, Lane, LaneBar, Panel, Strip};
use crate::report::chart::tick::Tick;
use crate::report::chart::words::{full_title, left_out, with_panel};
use crate::report::format::duration;
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::report::table::{Column, Table};
use crate::scenario::Configuration;
use crate::summary::{act_in_words, part_in_words};

pub(in crate::report) use letters::in_letters;

/// Name of the chart.
pub(in crate::report) const CHANGES: &str = "changes";
/// Pauses are drawn from this share of the axis on.
const PAUSE_MIN: f64 = 1.0 / 250.0;
/// Bars of a strip.
const BARS: f64 = 120.0;
/// Owners with a colour of their own.
const OWNERS_MAX: usize = 8;

pub(in crate::report::chart) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let all = all_chosen(input);
    if all.is_empty() {
        return None;
    }
    let chosen = with_panel(&all);
    let x_max = axis_end(chosen.iter().map(|c| c.m.since_start_s(c.m.end_ns)));
    let panel = |c: &Chosen| Panel {
        title: full_title(input, labels, c.index),
        x: Ruler::linear(x_max),
        lanes: lanes(c, x_max),
        events: events(c),
        strips: strips(c, x_max),
        ..Panel::default()
    };
    let spec = ChartSpec {
        name: CHANGES,
        title: "What changes cost: who read which partition".to_owned(),
        description: description(chosen.len(), all.len()),
        kind: Kind::Lines {
            columns: 1,
            aspect: 2.6,
        },
        x: Axis::time("seconds since the common start"),
        y: Some(Axis::new("partition", Tick::Count)),
        legend: legend(&chosen),
        slots: labels.slots().to_vec(),
        panels: chosen.iter().map(panel).collect(),
    };
    Some(Chart::with_table(spec, table(labels, &chosen)))
}

/// The place of a member among the owners, whichever life of it: its colour.
fn owner(c: &Configuration, member: &MemberMeasurement) -> usize {
    let processes = member.group * c.processes + member.process;
    (processes * c.consumers + member.consumer) as usize
}

/// `process 2`; with several groups or consumers all of its name.
fn owner_name(c: &Configuration, member: &MemberMeasurement) -> String {
    if c.groups == 1 && c.consumers == 1 {
        return format!("process {}", member.process + 1);
    }
    let first_life = MemberMeasurement {
        life: 0,
        ..MemberMeasurement {
            group: member.group,
            process: member.process,
            consumer: member.consumer,
            ..MemberMeasurement::default()
        }
    };
    first_life.name()
}

fn lanes(c: &Chosen, x_max: f64) -> Vec<Lane> {
    let mut readings = readings(c.m, (x_max * PAUSE_MIN).max(PAUSE_MIN_S));
    let places: Vec<Place> = readings.keys().copied().collect();
    let names = places.clone();
    let lane = |place: Place| {
        let bars = readings.remove(&place).unwrap_or_default();
        let bar = |(from, to, member): (f64, f64, usize)| LaneBar {
            from,
            to,
            name: owner_name(c.configuration, &c.m.members[member]),
            ink: Ink::Series(owner(c.configuration, &c.m.members[member])),
        };
        Lane {
            name: lane_name(place, &names),
            bars: bars.into_iter().map(bar).collect(),
        }
    };
    drawn(c.m, places).into_iter().map(lane).collect()
}

/// What was read per second, and the lag where records arrive.
fn strips(c: &Chosen, x_max: f64) -> Vec<Strip> {
    let length = (x_max / BARS).max(0.1);
    let end = c.m.since_start_s(c.m.end_ns);
    let edges = || {
        let numbers = (0u32..).map(move |number| f64::from(number) * length);
        numbers.take_while(move |from| *from < end)
    };
    let partitions = c.m.members.iter().flat_map(|member| &member.partitions);
    let series: Vec<_> = partitions.filter_map(|partition| partition.series.as_ref()).collect();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds of a trial, which are not negative"
    )]
    let ns = |seconds: f64| (seconds * 1e9) as u64;
    let read = edges().map(|from| {
        let records: f64 = series.iter().map(|s| s.between([ns(from), ns(from + length)])).sum();
        (from, (from + length).min(end), records / length)
    });
    let mut strips = vec![Strip {
        name: "read/s".to_owned(),
        bars: read.collect(),
    }];
    if let Some(load) = &c.m.load {
        let totals = load.lag.totals();
        let samples = || {
            load.lag
                .at_ns
                .iter()
                .map(|at_ns| c.m.since_start_s(*at_ns))
                .zip(&totals)
        };
        let highest = |from: f64| {
            let within = samples().filter(|(at, _)| *at >= from && *at < from + length);
            within.map(|(_, lag)| *lag).max()
        };
        let lag = edges().filter_map(|from| Some((from, from + length, highest(from)? as f64)));
        strips.push(Strip {
            name: "lag".to_owned(),
            bars: lag.collect(),
        });
    }
    strips.extend(response(c));
    strips.retain(|strip| strip.max() > 0.0);
    strips
}

/// The longest response time of each second, in milliseconds.
fn response(c: &Chosen) -> Option<Strip> {
    let load = c.m.load.as_ref()?;
    let bar = |second: &SecondOfLatency| {
        let from = c.m.since_start_s(load.start_ns) + f64::from(second.second);
        let longest_ns = second.response.unpack().max_ns()?;
        Some((from, from + 1.0, longest_ns as f64 / 1e6))
    };
    Some(Strip {
        name: "max ms".to_owned(),
        bars: load.seconds.iter().filter_map(bar).collect(),
    })
}

fn legend(chosen: &[Chosen]) -> Vec<Entry> {
    let mut owners: BTreeMap<usize, String> = BTreeMap::new();
    for c in chosen {
        for member in &c.m.members {
            owners
                .entry(owner(c.configuration, member))
                .or_insert_with(|| owner_name(c.configuration, member));
        }
    }
    let more = owners.len() > OWNERS_MAX;
    let named = owners.into_iter().take(OWNERS_MAX);
    let mut legend: Vec<Entry> = named
        .map(|(owner, name)| Entry::new(Swatch::Bar(Ink::Series(owner)), name))
        .collect();
    if more {
        legend.push(Entry::new(Swatch::Bar(Ink::Muted), "others, in the same colours again"));
    }
    legend
}

fn description(drawn: usize, all: usize) -> String {
    format!(
        "For every configuration its trial of median longest gap: a bar for each partition in the colour of the member that \
         read it, empty where nobody did. Dashed lines are what was done on purpose. Below it the records read per second, \
         the lag and the longest response time of each second in milliseconds, each with its highest value. What a killed \
         member read after its last report is not drawn; with more than \
         {LANES_MAX} partitions those with the longest gaps are.{}",
        left_out(drawn, all)
    )
}

fn kind_in_words(kind: GapKind) -> &'static str {
    match kind {
        GapKind::Moved => "went to another member",
        GapKind::Away => "its owner was away",
        GapKind::Waiting => "its owner waited",
        GapKind::Collateral => "kept its owner",
    }
}

/// Every gap of the trials that are drawn.
fn table(labels: &Labels, chosen: &[Chosen]) -> Table {
    type Item<'a> = (&'a Chosen<'a>, Episode, usize);
    let places: Vec<Place> = chosen
        .iter()
        .flat_map(|c| readings(c.m, f64::INFINITY).into_keys())
        .collect();
    let columns = [
        Column::words("configuration", |(c, ..): &Item| labels.short(c.index)),
        Column::figures("trial", |(c, ..): &Item| c.trial.order.number.to_string()),
        Column::words("change", |(c, episode, _): &Item| {
            act_in_words(&episode.act, c.configuration.groups > 1)
        }),
        Column::words("partition", |(_, episode, gap): &Item| {
            let gap = &episode.gaps[*gap];
            lane_name((gap.group, gap.partition.topic, gap.partition.partition), &places)
        }),
        Column::words("what became of it", |(_, episode, gap): &Item| {
            kind_in_words(episode.gaps[*gap].kind)
        }),
        Column::figures("not read from", |(c, episode, gap): &Item| {
            duration(c.m.since_start_s(episode.gaps[*gap].stretch.from_ns))
        }),
        Column::figures("for", |(_, episode, gap): &Item| {
            duration(episode.gaps[*gap].stretch.length_ns() as f64 / 1e9)
        }),
        Column::words("made of", |(_, episode, gap): &Item| {
            let parts = episode.gaps[*gap].parts.iter().map(|part| {
                let length = duration(part.stretch.length_ns() as f64 / 1e9);
                format!("{length} {}", part_in_words(part.kind))
            });
            parts.collect::<Vec<_>>().join(", ")
        }),
    ];
    let rows = chosen.iter().flat_map(|c| {
        let gaps = episodes(c.m).into_iter().flat_map(|episode| {
            let numbers = 0..episode.gaps.len();
            numbers.map(move |gap| (episode.clone(), gap)).collect::<Vec<_>>()
        });
        gaps.map(move |(episode, gap)| (c, episode, gap))
    });
    Table::of("", columns, rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn a_partition_without_an_owner_has_no_bar_until_another_member_reads_it() {
        let fixture = Fixture::changes();
        let chosen = all_chosen(&fixture.input());
        assert_eq!(chosen.len(), 2);
        let lanes = lanes(&chosen[1], 21.0);
        let names: Vec<&str> = lanes.iter().map(|lane| &*lane.name).collect();
        assert_eq!(names, ["0", "1", "2", "3"]);
        let moved = lanes.iter().find(|lane| lane.bars.len() == 2).unwrap();
        let [before, after] = [&moved.bars[0], &moved.bars[1]];
        assert_eq!([&*before.name, &*after.name], ["process 2", "process 1"]);
        assert!(before.to < 5.0 && after.from > 11.0, "{before:?} {after:?}");
        let kept = lanes.iter().filter(|lane| lane.bars.len() == 1);
        assert_eq!(kept.count(), 2, "the cooperative protocol stops nobody else");
    }
}
