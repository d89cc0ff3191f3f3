//! Which axis of the matrix explains how much of what the trials differ by: a bar each, in its interval.

use super::legend::Swatch;
use super::paint::Ink;
use super::rows::{Mark, Panel, Row, RowChart};
use super::{Chart, chart as assemble};
use crate::report::ReportInput;
use crate::report::format::percent;
use crate::report::tables::Table;
use crate::report::tables::scaling::{effect_rows, share_estimate};
use crate::stats::Estimate;

pub(super) fn chart(input: &ReportInput) -> Option<Chart> {
    let effects = input.summary.effects.as_ref()?;
    let rows = effect_rows(effects)?;
    let largest = rows
        .iter()
        .map(|(_, share)| share.interval.map_or(share.point, |(_, high)| high));
    let row = |(name, share): &(String, Estimate)| {
        let ink = if name == "noise" { Ink::Shade(2) } else { Ink::Series(0) };
        let bar = Mark::Segment {
            from: 0.0,
            to: share.point,
            ink,
            text: String::new(),
        };
        let whisker = share.interval.map(|(low, high)| Mark::Whisker { low, high });
        Row {
            label: name.clone(),
            value: share_estimate(share),
            marks: std::iter::once(bar).chain(whisker).collect(),
        }
    };
    let chart = RowChart {
        panels: vec![Panel {
            title: String::new(),
            max: largest.fold(0.05, f64::max).min(1.0) * 1.02,
            tick: percent,
            reference: None,
            rows: rows.iter().map(row).collect(),
        }],
        legend: vec![
            (Swatch::Bar(Ink::Series(0)), "axis, or two that interact (×)".to_owned()),
            (
                Swatch::Bar(Ink::Shade(2)),
                "noise: trials of one configuration".to_owned(),
            ),
            (Swatch::Line(Ink::Text), "95 % interval".to_owned()),
        ],
        axis: format!(
            "share of the variance of the logarithm of the {}",
            effects.of.describe()
        ),
    };
    let description = format!(
        "How much of the variance of the {} between trials each axis explains (omega squared), alone and with another, and \
         what is left as noise of trials of one configuration. Thin lines are 95 % intervals.",
        effects.of.describe()
    );
    let headers = ["axis", "share", "low", "high"];
    let cells = |(name, share): (String, Estimate)| {
        let end = |of: fn((f64, f64)) -> f64| share.interval.map_or_else(String::new, |i| percent(of(i)));
        vec![name, percent(share.point), end(|i| i.0), end(|i| i.1)]
    };
    let table = Table::new("", &headers, rows.into_iter().map(cells).collect());
    Some(assemble(
        "effects",
        "What explains the differences",
        &description,
        table,
        |frame| chart.render(frame),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn every_share_and_the_noise_have_a_bar() {
        let chart = chart(&Fixture::one_vs_two().input());
        let rows = chart.map(|chart| chart.table.1).unwrap_or_default();
        let names: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(names, ["case", "work", "case × work", "noise"]);
    }

    #[test]
    fn a_run_with_one_axis_has_no_chart_of_effects() {
        let mut fixture = Fixture::one_vs_two();
        fixture.summary.effects = None;
        assert!(chart(&fixture.input()).is_none());
    }
}
