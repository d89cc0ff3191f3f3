//! Throughput against the number of consumers, processes or threads: what was measured, the law that fits in its band,
//! how it would go on, the ideal, and how many are worth having.

use std::collections::BTreeSet;

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch};
use super::scale::Ruler;
use super::spec::{Axis, ChartSpec, Event, Kind, Line, Panel, Spot};
use super::tick::Tick;
use super::words::with_panel;
use crate::report::format::rate;
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::report::table::{Column, Table};
use crate::report::tables::scaling::{fitted, title};
use crate::stats::{CurvePoint, ScalingFit};
use crate::summary::{ScalingPoint, ScalingSeries};
use crate::wording::{grouped, joined};

/// The ideal is paler than everything that was measured.
const IDEAL: Ink = Ink::Shade(3);
/// More series than this do not share a panel.
const SHARED_MAX: usize = 6;
/// Series of which one is faster than another by more than this have panels of their own.
const COMPARABLE_TIMES: f64 = 12.0;

/// The name of the chart.
pub(in crate::report) const SCALING: &str = "scaling";

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let all = &input.summary.scaling;
    let chosen: Vec<&ScalingSeries> = with_panel(&all.iter().collect::<Vec<_>>());
    let first = chosen.first()?;
    let groups = groups(&chosen);
    let are_shared = groups.iter().any(|group| group.len() > 1);
    let slots = if are_shared {
        slots(labels, &groups)
    } else {
        labels.slots().to_vec()
    };
    let panels: Vec<Panel> = groups.iter().map(|group| panel(&slots, group, all)).collect();
    let columns = panels.len().min(2);
    let one_kind = all.iter().all(|series| series.along == first.along);
    let (axis, nouns) = if one_kind {
        (first.along.nouns(), first.along.nouns())
    } else {
        ("how many", "consumers, processes or threads")
    };
    let more = if all.len() > chosen.len() {
        format!(" {} of {} series are drawn, evenly chosen.", chosen.len(), all.len())
    } else {
        String::new()
    };
    let description = format!(
        "Records per second against the number of {nouns}: a line for configurations that differ in nothing else. Points \
         are measured, with 95 % confidence intervals as vertical lines; hollow ones had idle members. A ring marks how \
         many are worth having. Where a law fits, it is drawn in the band in which it probably lies, and dashed in a paler \
         one beyond what was measured. The thin line is the ideal, in which all read as much as the first.{more}"
    );
    let table = table(labels, all, &chosen);
    let spec = ChartSpec {
        name: SCALING,
        title: "Scaling".to_owned(),
        description,
        kind: Kind::Lines {
            columns,
            aspect: if columns > 1 { 1.7 } else { 2.4 },
        },
        x: Axis::new(axis, Tick::Count),
        y: Some(Axis::new("records per second", Tick::Rate)),
        legend: legend(&slots, &groups, all),
        slots,
        panels,
    };
    Some(Chart::with_table(spec, table))
}

/// The series of each panel: all along the same thing where they are few.
fn groups<'a>(chosen: &[&'a ScalingSeries]) -> Vec<Vec<&'a ScalingSeries>> {
    let groups = grouped(chosen.iter().map(|series| (series.along, *series)));
    let split = groups.into_iter().flat_map(|(_, group)| {
        if group.len() <= SHARED_MAX && are_comparable(&group) {
            vec![group]
        } else {
            group.into_iter().map(|one| vec![one]).collect()
        }
    });
    split.collect()
}

/// Whether the slowest of some series is more than a line along the bottom of a panel that holds the fastest.
fn are_comparable(series: &[&ScalingSeries]) -> bool {
    let highest = |series: &&ScalingSeries| {
        let rates = series.points.iter().map(|point| point.records_per_second.point);
        rates.fold(0.0, f64::max)
    };
    let most = series.iter().map(highest).fold(0.0, f64::max);
    series.iter().all(|series| highest(series) * COMPARABLE_TIMES >= most)
}

/// The colour slot of each configuration in this chart: those that configurations have everywhere, or one for each
/// series where these would not tell the series of a panel apart.
fn slots(labels: &Labels, groups: &[Vec<&ScalingSeries>]) -> Vec<usize> {
    let is_distinct = |group: &Vec<&ScalingSeries>| {
        let own: BTreeSet<Option<usize>> = group.iter().map(|series| slot(labels.slots(), series)).collect();
        own.len() == group.len() && !own.contains(&None)
    };
    let mut slots = labels.slots().to_vec();
    if !groups.iter().all(is_distinct) {
        for group in groups {
            for (slot, series) in group.iter().enumerate() {
                for c in configurations(series) {
                    if let Some(own) = slots.get_mut(c) {
                        *own = slot;
                    }
                }
            }
        }
    }
    slots
}

fn configurations(series: &ScalingSeries) -> Vec<usize> {
    series.points.iter().map(|point| point.configuration).collect()
}

/// The colour slot of a series whose points share one.
fn slot(slots: &[usize], series: &ScalingSeries) -> Option<usize> {
    let mut own = configurations(series).into_iter().filter_map(|c| slots.get(c));
    let first = own.next()?;
    own.all(|slot| slot == first).then_some(*first)
}

/// The point of the recommended number.
fn best(series: &ScalingSeries) -> Option<&ScalingPoint> {
    let found = series.recommendation.as_ref()?;
    series.points.iter().find(|point| point.count == found.count)
}

/// How many are worth having, in a few words: `4 consumers: 3.9 times one`, `at least 2 consumers`.
fn worth(series: &ScalingSeries) -> Option<String> {
    let best = best(series)?;
    let noun = if best.count == 1 {
        series.along.noun()
    } else {
        series.along.nouns()
    };
    let first = series.points.first()?.count;
    let times = best.speed_up.filter(|_| best.count > first);
    let times = times.map(|speed| {
        format!(
            ": {:.1} times {}",
            speed.point,
            if first == 1 {
                "one".to_owned()
            } else {
                first.to_string()
            }
        )
    });
    let at_least = if series.recommendation.as_ref()?.certain {
        ""
    } else {
        "at least "
    };
    Some(format!("{at_least}{} {noun}{}", best.count, times.unwrap_or_default()))
}

fn legend(slots: &[usize], groups: &[Vec<&ScalingSeries>], all: &[ScalingSeries]) -> Vec<Entry> {
    let drawn = || groups.iter().flatten();
    let entry = |series: &&ScalingSeries| {
        let text = joined(
            [title(series, all), worth(series).unwrap_or_default()]
                .iter()
                .map(String::as_str),
            ": ",
        );
        Entry {
            configurations: configurations(series),
            ..Entry::new(
                slot(slots, series).map_or(Swatch::neutral(0, false), Swatch::slot),
                text,
            )
        }
    };
    // A series with a panel of its own is named above it.
    let sharing = groups.iter().filter(|group| group.len() > 1).flatten();
    let mut legend: Vec<Entry> = sharing.map(entry).filter(|entry| !entry.text.is_empty()).collect();
    if drawn().any(|series| best(series).is_some()) {
        legend.push(Entry::new(Swatch::Ring, "as many as are worth having"));
    }
    let laws: Vec<&ScalingFit> = drawn().filter_map(|series| series.fit.law()).collect();
    if !laws.is_empty() {
        legend.push(Entry::new(Swatch::Veil(Ink::Muted), "fitted law in its 95 % band"));
    }
    let mut points = laws.iter().flat_map(|fit| &fit.curve);
    if points.any(|point| point.extrapolated) {
        legend.push(Entry::new(
            Swatch::Dashed(Ink::Muted),
            "the law beyond what was measured",
        ));
    }
    legend.push(Entry::new(Swatch::Line(IDEAL), "ideal: twice as many, twice the speed"));
    legend
}

fn panel(slots: &[usize], group: &[&ScalingSeries], all: &[ScalingSeries]) -> Panel {
    let curves = || {
        group
            .iter()
            .filter_map(|series| series.fit.law())
            .flat_map(|fit| &fit.curve)
    };
    let points = || group.iter().flat_map(|series| &series.points);
    let high = |p: &ScalingPoint| {
        let estimate = p.records_per_second;
        estimate.interval.map_or(estimate.point, |(_, high)| high)
    };
    let y_max = points()
        .map(high)
        .chain(curves().map(|p| p.per_second))
        .fold(0.0, f64::max)
        * 1.08;
    let counts = points().map(|p| f64::from(p.count));
    let x_max = counts.clone().chain(curves().map(|p| p.members)).fold(1.0, f64::max);
    let mut ticks: Vec<f64> = counts.chain([x_max]).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    let firsts = group.iter().filter_map(|series| series.points.first());
    let each = firsts
        .map(|first| first.records_per_second.point / f64::from(first.count))
        .fold(0.0, f64::max);
    let mut lines = vec![ideal(each, x_max * 1.04, y_max)];
    lines.extend(group.iter().flat_map(|series| laws(slots, series, y_max)));
    lines.extend(group.iter().map(|series| measured(slots, series, all)));
    // The series with the most partitions says the most.
    let widest = group
        .iter()
        .max_by_key(|series| (series.partitions, series.points.len()));
    let event = widest.and_then(|series| {
        let x = f64::from(best(series)?.count);
        // With several series the legend says of each how many are worth having.
        let text = if group.len() > 1 {
            title(series, all)
        } else {
            worth(series)?
        };
        Some(Event { x, text })
    });
    Panel {
        title: if group.len() == 1 {
            title(group[0], all)
        } else {
            String::new()
        },
        x: Ruler {
            ticks,
            ..Ruler::linear(x_max * 1.04)
        },
        y: Ruler::linear(y_max),
        lines,
        events: event.into_iter().collect(),
        ..Panel::default()
    }
}

/// All read as much as the fastest of the smallest number.
fn ideal(each: f64, x_max: f64, y_max: f64) -> Line {
    let end = x_max.min(y_max / each);
    Line {
        name: "ideal".to_owned(),
        width: 1.5,
        ..Line::through(vec![(0.0, 0.0), (end, end * each)], IDEAL)
    }
}

/// The law that fits in its band, and how it would go on, which begins where the other ends.
fn laws(slots: &[usize], series: &ScalingSeries, y_max: f64) -> Vec<Line> {
    let curve: &[CurvePoint] = series.fit.law().map_or(&[], |fit| &fit.curve);
    let split = curve.iter().position(|p| p.extrapolated).unwrap_or(curve.len());
    let parts = [(&curve[..split], false), (&curve[split.saturating_sub(1)..], true)];
    let parts = parts.into_iter().filter(|(part, _)| part.len() > 1);
    let line = |(part, dashed): (&[CurvePoint], bool)| Line {
        c: configurations(series),
        dashed,
        band: part
            .iter()
            .map(|p| (p.members, p.low.min(y_max), p.high.min(y_max)))
            .collect(),
        ..Line::through(
            part.iter().map(|p| (p.members, p.per_second)).collect(),
            slot(slots, series).map_or(Ink::Muted, Ink::Series),
        )
    };
    parts.map(line).collect()
}

/// What was measured, with a ring around the number that is worth having.
fn measured(slots: &[usize], series: &ScalingSeries, all: &[ScalingSeries]) -> Line {
    let place = |p: &ScalingPoint| (f64::from(p.count), p.records_per_second.point);
    let spots = |idle: bool| -> Vec<Spot> {
        let own = series.points.iter().filter(|p| (p.idle_members > 0) == idle);
        own.map(|p| Spot(place(p).0, place(p).1, Some(p.configuration)))
            .collect()
    };
    let intervals = series.points.iter().filter_map(|p| {
        let (low, high) = p.records_per_second.interval?;
        Some((f64::from(p.count), low, high))
    });
    // A law says how the points hang together; without one a line through them does.
    let points = if series.fit.law().is_some() {
        Vec::new()
    } else {
        series.points.iter().map(place).collect()
    };
    Line {
        c: configurations(series),
        name: title(series, all),
        marked: spots(false),
        open: spots(true),
        intervals: intervals.collect(),
        best: best(series).map(place),
        width: 1.2,
        ..Line::through(points, slot(slots, series).map_or(Ink::Muted, Ink::Series))
    }
}

fn table(labels: &Labels, all: &[ScalingSeries], chosen: &[&ScalingSeries]) -> Table {
    type Item<'a> = (&'a ScalingSeries, &'a ScalingPoint);
    let names = [
        Column::words("series", |(series, _): &Item| title(series, all)),
        Column::words("configuration", |(_, p): &Item| labels.short(p.configuration)),
        Column::figures("number", |(_, p): &Item| p.count.to_string()),
    ];
    let rates = Column::estimate("records/s", |(_, p): &Item| Some(p.records_per_second), rate);
    // What each one gains is in the table of the section.
    let law = Column::figures("fitted", |(series, p): &Item| fitted(series.fit.law(), p.count));
    let rows = chosen
        .iter()
        .flat_map(|series| series.points.iter().map(|point| (*series, point)));
    Table::of("", names.into_iter().chain(rates).chain([law]), rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn a_series_has_a_panel_with_its_points_the_law_and_what_lies_beyond() {
        let fixture = Fixture::scaling();
        let labels = Labels::new(&fixture.scenario);
        let wide = fixture.summary.scaling.iter().find(|s| s.partitions == 8).unwrap();
        let drawn = panel(labels.slots(), &[wide], &fixture.summary.scaling);
        let points: usize = drawn.lines.iter().map(|l| l.marked.len()).sum();
        assert_eq!(points, 8);
        let with_band: Vec<&Line> = drawn.lines.iter().filter(|l| !l.band.is_empty()).collect();
        assert!(!with_band[0].dashed && with_band[0].points.last().unwrap().0 > 7.999);
        // Eight partitions serve no ninth consumer, so there is nothing beyond.
        assert_eq!(with_band.len(), 1);
    }

    #[test]
    fn what_lies_beyond_is_dashed_and_begins_where_the_measured_part_ends() {
        let fixture = Fixture::scaling_beyond();
        let labels = Labels::new(&fixture.scenario);
        let wide = fixture.summary.scaling.iter().find(|s| s.partitions == 16).unwrap();
        let drawn = panel(labels.slots(), &[wide], &fixture.summary.scaling);
        let with_band: Vec<&Line> = drawn.lines.iter().filter(|l| !l.band.is_empty()).collect();
        let [measured, beyond] = with_band[..] else {
            panic!("two parts")
        };
        assert!(!measured.dashed && beyond.dashed);
        assert_eq!(measured.points.last(), beyond.points.first());
        assert_eq!(beyond.points.last().map(|p| p.0), Some(12.0));
    }

    #[test]
    fn points_with_idle_members_are_hollow_and_there_is_no_law_of_two() {
        let fixture = Fixture::scaling();
        let labels = Labels::new(&fixture.scenario);
        let narrow = fixture.summary.scaling.iter().find(|s| s.partitions == 2).unwrap();
        let drawn = panel(labels.slots(), &[narrow], &fixture.summary.scaling);
        let open: usize = drawn.lines.iter().map(|l| l.open.len()).sum();
        assert_eq!(open, 6);
        assert!(drawn.lines.iter().all(|l| l.band.is_empty()));
    }

    #[test]
    fn few_series_share_a_panel_with_a_colour_each_and_the_recommended_number() {
        let fixture = Fixture::scaling();
        let labels = Labels::new(&fixture.scenario);
        let spec = chart(&fixture.input(), &labels).unwrap().spec;
        assert_eq!(spec.panels.len(), 1);
        let series = &fixture.summary.scaling;
        let wide = series.iter().find(|s| s.partitions == 8).unwrap();
        let recommended = wide.recommendation.as_ref().unwrap().count;
        assert_eq!(spec.panels[0].events[0].x, f64::from(recommended));
        let own = spec.panels[0].lines.iter().filter(|line| line.best.is_some());
        let mut inks: Vec<Ink> = own.map(|line| line.ink).collect();
        assert_eq!(inks.len(), series.len());
        inks.dedup();
        assert_eq!(inks.len(), series.len());
    }

    #[test]
    fn a_run_without_a_series_has_no_scaling_chart() {
        let mut fixture = Fixture::scaling();
        fixture.summary.scaling.clear();
        let labels = Labels::new(&fixture.scenario);
        assert!(chart(&fixture.input(), &labels).is_none());
    }
}
