//! Throughput against the number of consumers, processes or threads: what was measured, the law that fits in its band,
//! how it would go on, and the ideal.

use std::collections::BTreeSet;

use super::colours::Ink;
use super::drawing::Chart;
use super::grid::Grid;
use super::legend::{Entries, Swatch, colours};
use super::panel::{Line, XyPanel};
use super::scale::Axis;
use super::words::with_panel;
use crate::report::format::{or_unknown, percent, rate, ratio_estimate};
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::report::table::{Column, Table};
use crate::report::tables::scaling::{added, fitted, title};
use crate::stats::{CurvePoint, ScalingFit};
use crate::summary::{ScalingPoint, ScalingSeries};

/// The ideal is paler than everything that was measured.
const IDEAL: Ink = Ink::Shade(3);

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let all = &input.summary.scaling;
    let chosen: Vec<&ScalingSeries> = with_panel(&all.iter().collect::<Vec<_>>());
    let first = chosen.first()?;
    let panels: Vec<XyPanel> = chosen
        .iter()
        .map(|series| panel(labels, series, title(series, all)))
        .collect();
    let columns = panels.len().min(2);
    let one_kind = all.iter().all(|series| series.along == first.along);
    let (axis, nouns) = if one_kind {
        (first.along.nouns(), first.along.nouns())
    } else {
        ("how many", "consumers, processes or threads")
    };
    let grid = Grid {
        panels,
        legend: legend(labels, &chosen),
        x_axis: axis.to_owned(),
        y_axis: "records per second".to_owned(),
        aspect: if columns > 1 { 1.7 } else { 2.4 },
        columns,
    };
    let more = if all.len() > chosen.len() {
        format!(" {} of {} series are drawn, evenly chosen.", chosen.len(), all.len())
    } else {
        String::new()
    };
    let description = format!(
        "Records per second against the number of {nouns}: a panel for configurations that differ in nothing else. Points \
         are measured, with 95 % confidence intervals as vertical lines; hollow ones had idle members. Where a law fits, it \
         is drawn in the band in which it probably lies, and dashed in a paler one beyond what was measured. The thin line \
         is the ideal, in which all read as much as the first.{more}"
    );
    let table = table(labels, all, &chosen);
    Some(Chart::new("scaling", "Scaling", &description, table, &grid))
}

fn legend(labels: &Labels, chosen: &[&ScalingSeries]) -> Entries {
    let points = chosen.iter().flat_map(|s| &s.points);
    let drawn: BTreeSet<usize> = points.map(|p| labels.slot(p.configuration)).collect();
    let slots = colours(labels).into_iter().enumerate();
    let mut legend: Entries = slots
        .filter(|(slot, _)| drawn.contains(slot))
        .map(|(_, entry)| entry)
        .collect();
    let laws: Vec<&ScalingFit> = chosen.iter().filter_map(|series| series.fit.law()).collect();
    if !laws.is_empty() {
        legend.push((Swatch::Veil(Ink::Muted), "fitted law in its 95 % band".to_owned()));
    }
    let mut points = laws.iter().flat_map(|fit| &fit.curve);
    if points.any(|point| point.extrapolated) {
        legend.push((
            Swatch::Dashed(Ink::Muted),
            "the law beyond what was measured".to_owned(),
        ));
    }
    legend.push((Swatch::Line(IDEAL), "ideal: twice as many, twice the speed".to_owned()));
    legend
}

fn panel(labels: &Labels, series: &ScalingSeries, title: String) -> XyPanel {
    let slots: BTreeSet<usize> = series.points.iter().map(|p| labels.slot(p.configuration)).collect();
    let ink = match slots.first() {
        Some(slot) if slots.len() == 1 => Ink::Series(*slot),
        _ => Ink::Muted,
    };
    let curve: &[CurvePoint] = series.fit.law().map_or(&[], |fit| &fit.curve);
    let high = |p: &ScalingPoint| {
        p.records_per_second
            .interval
            .map_or(p.records_per_second.point, |(_, high)| high)
    };
    let measured = series.points.iter().map(high).fold(0.0, f64::max);
    let y_max = curve.iter().map(|p| p.per_second).fold(measured, f64::max) * 1.08;
    let last = series.points.last().map_or(1.0, |p| f64::from(p.count));
    let x_max = curve.last().map_or(last, |p| p.members.max(last)) * 1.04;
    let mut lines = vec![ideal(&series.points[0], x_max, y_max)];
    let split = curve.iter().position(|p| p.extrapolated).unwrap_or(curve.len());
    // The dashed part begins where the other ends.
    for (part, dashed) in [(&curve[..split], false), (&curve[split.saturating_sub(1)..], true)] {
        if part.len() > 1 {
            lines.push(Line {
                dashed,
                band: part
                    .iter()
                    .map(|p| (p.members, p.low.min(y_max), p.high.min(y_max)))
                    .collect(),
                ..Line::through(part.iter().map(|p| (p.members, p.per_second)).collect(), ink)
            });
        }
    }
    lines.extend(series.points.iter().map(|point| measured_point(labels, point)));
    let beyond = curve.last().filter(|p| p.members > last).map(|p| p.members);
    let x = Axis {
        ticks: series.points.iter().map(|p| f64::from(p.count)).chain(beyond).collect(),
        ..Axis::linear(x_max)
    };
    XyPanel::of_lines(title, x, Axis::linear(y_max), lines)
}

/// All read as much as those of the smallest number.
fn ideal(first: &ScalingPoint, x_max: f64, y_max: f64) -> Line {
    let each = first.records_per_second.point / f64::from(first.count);
    let end = x_max.min(y_max / each);
    Line {
        width: 1.5,
        ..Line::through(vec![(0.0, 0.0), (end, end * each)], IDEAL)
    }
}

fn measured_point(labels: &Labels, point: &ScalingPoint) -> Line {
    let slot = labels.slot(point.configuration);
    let (x, rate) = (f64::from(point.count), point.records_per_second);
    let (marked, open) = if point.idle_members > 0 {
        (vec![], vec![(x, rate.point)])
    } else {
        (vec![(x, rate.point)], vec![])
    };
    Line {
        shape: slot,
        marked,
        open,
        intervals: rate.interval.map(|(low, high)| (x, low, high)).into_iter().collect(),
        ..Line::through(Vec::new(), Ink::Series(slot))
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
    let gains = [
        Column::figures("speed-up", |(_, p): &Item| {
            or_unknown(p.speed_up, |speed| ratio_estimate(&speed))
        }),
        Column::figures("efficiency", |(_, p): &Item| {
            or_unknown(p.efficiency, |e| percent(e.point))
        }),
        Column::figures("each one added", |(_, p): &Item| added(p)),
        Column::figures("fitted", |(series, p): &Item| fitted(series.fit.law(), p.count)),
    ];
    let rows = chosen
        .iter()
        .flat_map(|series| series.points.iter().map(|point| (*series, point)));
    Table::of("", names.into_iter().chain(rates).chain(gains), rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn a_series_has_a_panel_with_its_points_the_law_and_what_lies_beyond() {
        let fixture = Fixture::scaling();
        let labels = Labels::new(&fixture.scenario);
        let wide = fixture.summary.scaling.iter().find(|s| s.partitions == 8).unwrap();
        let drawn = panel(&labels, wide, String::new());
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
        let drawn = panel(&labels, wide, String::new());
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
        let drawn = panel(&labels, narrow, String::new());
        let open: usize = drawn.lines.iter().map(|l| l.open.len()).sum();
        assert_eq!(open, 6);
        assert!(drawn.lines.iter().all(|l| l.band.is_empty()));
    }

    #[test]
    fn a_run_without_a_series_has_no_scaling_chart() {
        let mut fixture = Fixture::scaling();
        fixture.summary.scaling.clear();
        let labels = Labels::new(&fixture.scenario);
        assert!(chart(&fixture.input(), &labels).is_none());
    }
}
