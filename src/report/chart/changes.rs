//! Who read which partition when, in a trial of each configuration with planned acts: gaps are where nobody did. Below it
//! what was read per second, and the lag.

use std::collections::BTreeMap;

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch};
use super::scale::{Ruler, axis_end};
use super::spec::{Axis, ChartSpec, Event, Kind, Lane, LaneBar, Panel, Strip};
use super::tick::Tick;
use super::words::{full_title, left_out, with_panel};
use crate::figures::{FigureId, TrialFigures};
use crate::measure::changes::{Episode, GapKind, episodes, is_recorded};
use crate::measure::{Measurement, MemberMeasurement, Trial};
use crate::report::format::duration;
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::report::table::{Column, Table};
use crate::scenario::Configuration;
use crate::summary::{act_in_words, part_in_words};

/// Name of the chart.
pub(in crate::report) const CHANGES: &str = "changes";
/// More lanes than this would bury the page: those with the longest gaps are drawn.
const LANES_MAX: usize = 16;
/// Pauses are drawn from this share of the axis on,
const PAUSE_MIN: f64 = 1.0 / 250.0;
/// and from this many seconds on: members read in batches.
const PAUSE_MIN_S: f64 = 0.1;
/// Bars of a strip.
const BARS: f64 = 120.0;
/// Owners with a colour of their own.
const OWNERS_MAX: usize = 8;

/// The trial that represents a configuration.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    index: usize,
    configuration: &'a Configuration,
    trial: &'a Trial,
    m: &'a Measurement,
}

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
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

/// Of each configuration with planned acts the used trial whose longest gap is the median.
fn all_chosen<'a>(input: &ReportInput<'a>) -> Vec<Chosen<'a>> {
    let choose = |index: usize| {
        let configuration = input.scenario.configurations.get(index)?;
        let used = input.used(index).into_iter().filter(|(_, m)| is_recorded(m));
        let mut used: Vec<_> = used
            .map(|(trial, m)| {
                let gap = TrialFigures::of(m, false).get(FigureId::UnavailableMs).unwrap_or(0.0);
                (gap, trial, m)
            })
            .collect();
        used.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (_, trial, m) = *used.get(used.len().checked_sub(1)? / 2)?;
        Some(Chosen {
            index,
            configuration,
            trial,
            m,
        })
    };
    input.by_family().filter_map(|c| choose(c.configuration)).collect()
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

/// A partition of a group.
type Place = (u32, u32, i32);

/// Who read each partition when: seconds and the place of the member, in order.
fn readings(m: &Measurement, pause_min_s: f64) -> BTreeMap<Place, Vec<(f64, f64, usize)>> {
    let mut all: BTreeMap<Place, Vec<(f64, f64, usize)>> = BTreeMap::new();
    for (place, member) in m.members.iter().enumerate() {
        for partition in &member.partitions {
            let key = (member.group, partition.topic, partition.partition);
            let spells = partition.flow.iter().flat_map(crate::measure::Flow::spells);
            let bars = spells.map(|spell| (m.since_start_s(spell.from_ns), m.since_start_s(spell.until_ns), place));
            all.entry(key).or_default().extend(bars);
        }
    }
    for bars in all.values_mut() {
        bars.sort_by(|a, b| a.0.total_cmp(&b.0));
        bars.dedup_by(|next, bar| {
            let is_joined = next.2 == bar.2 && next.0 - bar.1 < pause_min_s;
            if is_joined {
                bar.1 = bar.1.max(next.1);
            }
            is_joined
        });
    }
    all
}

/// The partitions to draw: all, or those with the longest gaps.
fn drawn(m: &Measurement, places: Vec<Place>) -> Vec<Place> {
    if places.len() <= LANES_MAX {
        return places;
    }
    let episodes = episodes(m);
    let longest = |place: &Place| {
        let gaps = episodes.iter().flat_map(|episode| &episode.gaps);
        let own = gaps.filter(|gap| (gap.group, gap.partition.topic, gap.partition.partition) == *place);
        own.map(|gap| gap.stretch.length_ns()).max().unwrap_or(0)
    };
    let mut chosen = places;
    chosen.sort_by_key(|place| std::cmp::Reverse(longest(place)));
    chosen.truncate(LANES_MAX);
    chosen.sort_unstable();
    chosen
}

/// `3`, with its topic and group where there are several.
fn lane_name((group, topic, partition): Place, all: &[Place]) -> String {
    let groups = all.iter().any(|(group, ..)| *group > 0);
    let topics = all.iter().any(|(_, topic, _)| *topic > 0);
    let group = if groups {
        format!("g{} ", group + 1)
    } else {
        String::new()
    };
    let topic = if topics {
        format!("t{} ", topic + 1)
    } else {
        String::new()
    };
    format!("{group}{topic}{partition}")
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

/// The acts with their names.
fn events(c: &Chosen) -> Vec<Event> {
    let acts = c.m.acts.iter().map(|act| Event {
        x: c.m.since_start_s(act.at_ns),
        text: act_in_words(act, c.configuration.groups > 1),
    });
    acts.collect()
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
    strips.retain(|strip| strip.max() > 0.0);
    strips
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
         read it, empty where nobody did. Dashed lines are what was done on purpose. Below it the records read per second and \
         the lag, each with its highest value. What a killed member read after its last report is not drawn; with more than \
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
    let columns = [
        Column::words("configuration", |(c, ..): &Item| labels.short(c.index)),
        Column::figures("trial", |(c, ..): &Item| c.trial.order.number.to_string()),
        Column::words("change", |(c, episode, _): &Item| {
            act_in_words(&episode.act, c.configuration.groups > 1)
        }),
        Column::words("partition", |(_, episode, gap): &Item| {
            let gap = &episode.gaps[*gap];
            lane_name((gap.group, gap.partition.topic, gap.partition.partition), &[])
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

/// The same in letters for a terminal, `width` columns for the time: a line for each partition, in which a member is the
/// number of its process, and below it the acts.
pub(in crate::report) fn in_letters(input: &ReportInput, labels: &Labels, width: usize) -> Vec<(String, Vec<String>)> {
    let drawing = |c: &Chosen| (full_title(input, labels, c.index), letters(c, width));
    all_chosen(input).iter().map(drawing).collect()
}

fn letters(c: &Chosen, width: usize) -> Vec<String> {
    let end = c.m.since_start_s(c.m.end_ns).max(1e-9);
    let column = |seconds: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a column")]
        let column = (seconds / end * width as f64) as usize;
        column.min(width - 1)
    };
    let readings = readings(c.m, (end / width as f64).max(PAUSE_MIN_S));
    let places: Vec<Place> = readings.keys().copied().collect();
    let mut lines = Vec::new();
    for place in drawn(c.m, places.clone()) {
        let mut line = vec![' '; width];
        for (from, to, member) in &readings[&place] {
            let process = c.m.members[*member].process + 1;
            let letter = char::from_digit(process % 36, 36).unwrap_or('?');
            line[column(*from)..=column(*to)].fill(letter);
        }
        let name = lane_name(place, &places);
        lines.push(format!("{name:>8} |{}|", line.into_iter().collect::<String>()));
    }
    let mut marks = vec![' '; width];
    let mut names = Vec::new();
    for (number, event) in (b'a'..=b'z').zip(events(c)) {
        marks[column(event.x)] = char::from(number);
        names.push(format!(
            "{}: {} at {}",
            char::from(number),
            event.text,
            duration(event.x)
        ));
    }
    lines.push(format!("{:>8} |{}|", "", marks.into_iter().collect::<String>()));
    lines.push(format!("{:>8} 0 to {}; {}", "", duration(end), names.join(", ")));
    lines
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

    #[test]
    fn the_drawing_in_letters_shows_the_same_gap() {
        let fixture = Fixture::changes();
        let input = fixture.input();
        let drawings = in_letters(&input, &Labels::new(input.scenario), 42);
        let lines = drawings[1].1.join("\n");
        assert!(lines.contains("2222222222          1111"), "{lines}");
        assert!(lines.contains("a: process 2 is killed at 5.00 s"), "{lines}");
    }
}
