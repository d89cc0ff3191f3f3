//! The trials that the chart of planned changes draws: who read which partition when, and what was done.

use std::collections::BTreeMap;

use crate::figures::{FigureId, TrialFigures};
use crate::measure::changes::{self, episodes, is_recorded};
use crate::measure::{Measurement, Trial};
use crate::report::chart::spec::Event;
use crate::report::input::ReportInput;
use crate::scenario::Configuration;
use crate::summary::act_in_words;

/// More lanes than this would bury the page: those with the longest gaps are drawn.
pub(super) const LANES_MAX: usize = 16;
/// Pauses are drawn from this many seconds on: members read in batches.
pub(super) const PAUSE_MIN_S: f64 = 0.1;

/// The trial that represents a configuration.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'a> {
    pub(super) index: usize,
    pub(super) configuration: &'a Configuration,
    pub(super) trial: &'a Trial,
    pub(super) m: &'a Measurement,
}

/// Of each configuration with planned acts the used trial whose longest gap is the median.
pub(super) fn all_chosen<'a>(input: &ReportInput<'a>) -> Vec<Chosen<'a>> {
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

/// A partition of a group.
pub(super) type Place = (u32, u32, i32);

/// Who read each partition when: seconds and the place of the member, in order.
pub(super) fn readings(m: &Measurement, pause_min_s: f64) -> BTreeMap<Place, Vec<(f64, f64, usize)>> {
    let mut all: BTreeMap<Place, Vec<(f64, f64, usize)>> = BTreeMap::new();
    for (group, partition, member, spells) in changes::readings(m) {
        let bars = spells
            .iter()
            .map(|spell| (m.since_start_s(spell.from_ns), m.since_start_s(spell.until_ns), member));
        let place = (group, partition.topic, partition.partition);
        all.entry(place).or_default().extend(bars);
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
pub(super) fn drawn(m: &Measurement, places: Vec<Place>) -> Vec<Place> {
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
pub(super) fn lane_name((group, topic, partition): Place, all: &[Place]) -> String {
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

/// The acts with their names.
pub(super) fn events(c: &Chosen) -> Vec<Event> {
    let acts = c.m.acts.iter().map(|act| Event {
        x: c.m.since_start_s(act.at_ns),
        text: act_in_words(act, c.configuration.groups > 1),
    });
    acts.collect()
}
