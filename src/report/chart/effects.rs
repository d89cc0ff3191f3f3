//! How much of the variance between trials each axis of the matrix explains: a bar each, with its interval.

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::Swatch;
use super::rows::{Mark, Panel, Row, RowChart};
use crate::report::format::{percent, share_estimate};
use crate::report::input::ReportInput;
use crate::report::table::{Column, Table};
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
            label: source.to_string(),
            value: share_estimate(share),
            marks: bar.into_iter().chain(whisker).collect(),
        }
    };
    let panel = Panel {
        max: ends.fold(0.05, f64::max).min(1.0) * 1.02,
        tick: percent,
        ..Panel::of_rows(String::new(), shares.iter().map(row).collect())
    };
    let figure = effects.of.describe();
    let chart = RowChart {
        panels: vec![panel],
        legend: vec![
            (Swatch::Bar(explained), "axis, or two that interact (×)".to_owned()),
            (Swatch::Bar(noise), "noise: trials of one configuration".to_owned()),
            (Swatch::Line(Ink::Text), "95 % interval".to_owned()),
        ],
        axis: format!("share of the variance of the logarithm of the {figure}"),
    };
    let description = format!(
        "How much of the variance of the {figure} between trials each axis explains (omega squared), alone and with another, and \
         what is left as noise of trials of one configuration. Thin lines are 95 % intervals."
    );
    let title = "What explains the differences";
    Some(Chart::new("effects", title, &description, table(shares), &chart))
}

fn table(shares: Vec<(Source, Estimate)>) -> Table {
    type Item = (Source, Estimate);
    let axis = Column::words("axis", |(source, _): &Item| source.to_string());
    let share = Column::estimate("share", |(_, share): &Item| Some(*share), percent);
    Table::of("", [axis].into_iter().chain(share), shares)
}

#[cfg(test)]
mod tests {
    use super::*;
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
