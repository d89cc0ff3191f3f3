//! How much of the variance between trials each axis of the matrix explains: a bar each, with its interval.

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch};
use super::scale::Ruler;
use super::spec::{Axis, ChartSpec, Kind, Mark, Panel, Row};
use super::tick::Tick;
use crate::report::format::share_estimate;
use crate::report::input::ReportInput;
use crate::report::tables::scaling::{Source, shares};
use crate::stats::Estimate;

pub(super) fn chart(input: &ReportInput) -> Option<Chart> {
    let effects = input.summary.effects.as_ref()?;
    let shares = shares(effects)?;
    let ends = shares
        .iter()
        .map(|(_, share)| share.interval.map_or(share.point, |(_, high)| high));
    let (explained, noise) = (Ink::Series(0), Ink::Shade(2));
    let row = |(source, share): &(Source, Estimate)| {
        let ink = match source {
            Source::Axes(_) | Source::Higher => explained,
            Source::Noise => noise,
        };
        let bar = Mark::stacked([(share.point, ink, String::new())]);
        let whisker = share.interval.map(|(low, high)| Mark::Whisker { low, high });
        Row {
            c: None,
            label: source.to_string(),
            value: share_estimate(share),
            marks: bar.into_iter().chain(whisker).collect(),
        }
    };
    let panel = Panel {
        x: Ruler::linear(ends.fold(0.05, f64::max).min(1.0) * 1.02),
        ..Panel::of_rows(String::new(), shares.iter().map(row).collect())
    };
    let figure = effects.of.describe();
    let description = format!(
        "How much of the variance of the {figure} between trials each axis explains (omega squared), alone and with another, and \
         what is left as noise of trials of one configuration. Thin lines are 95 % intervals."
    );
    Some(Chart::new(ChartSpec {
        name: "effects",
        title: "What explains the differences".to_owned(),
        description,
        kind: Kind::Rows,
        x: Axis::new(
            format!("share of the variance of the logarithm of the {figure}"),
            Tick::Percent,
        ),
        y: None,
        legend: vec![
            Entry::new(Swatch::Bar(explained), "axis, or two that interact (×)"),
            Entry::new(Swatch::Bar(noise), "noise: trials of one configuration"),
            Entry::new(Swatch::Line(Ink::Text), "95 % interval"),
        ],
        slots: Vec::new(),
        panels: vec![panel],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::table::Table;
    use crate::testing::report::Fixture;

    #[test]
    fn every_share_and_the_noise_have_a_bar() {
        let chart = chart(&Fixture::one_vs_two().input());
        let table = chart.map(|chart| chart.table);
        let rows = table.iter().flat_map(Table::texts);
        let names: Vec<&str> = rows.map(|row| row[0]).collect();
        assert_eq!(names, ["case", "work", "case × work", "noise"]);
    }

    #[test]
    fn a_run_with_one_axis_has_no_chart_of_effects() {
        let mut fixture = Fixture::one_vs_two();
        fixture.summary.effects = None;
        assert!(chart(&fixture.input()).is_none());
    }
}
