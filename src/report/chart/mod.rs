//! The charts: from the trials and the summary to data, each with a description and a table of its figures, and
//! from data to SVG. One style, and one colour and order per configuration, in all of them.

mod arrivals;
mod canvas;
mod capacity;
mod changes;
mod colours;
mod cpu;
mod drawing;
mod effects;
mod grid;
mod json;
mod lag;
mod lanes;
mod latency_by_rate;
mod latency_over_time;
mod latency_percentiles;
mod legend;
mod phases;
mod plot;
mod progress;
mod rate_series;
mod rows;
mod runs;
mod scale;
mod scaling;
mod spec;
mod svg;
mod table;
#[cfg(test)]
mod tests;
mod throughput;
mod tick;
mod words;

pub(super) use self::changes::{CHANGES, in_letters};
pub(super) use self::colours::style_sheet;
pub(super) use self::drawing::Chart;
pub(super) use self::json::charts_json;
pub(super) use self::phases::{PHASES, phases};
pub(super) use self::runs::run_charts;
pub(super) use self::scaling::SCALING;

use super::input::ReportInput;
use super::labels::Labels;
use crate::scenario::Mode;
use crate::summary::Summary;

/// Every chart that the run has figures for, in the order of the report.
pub(super) fn charts(input: &ReportInput) -> Vec<Chart> {
    let labels = Labels::new(input.scenario);
    let reading = without_live(input);
    let reading = ReportInput {
        summary: &reading,
        ..*input
    };
    [
        changes::chart(input, &labels),
        capacity::chart(input, &labels),
        latency_by_rate::chart(input, &labels),
        latency_percentiles::chart(input, &labels),
        latency_over_time::chart(input, &labels),
        lag::chart(input, &labels),
        throughput::chart(&reading, &labels),
        scaling::chart(&reading, &labels),
        effects::chart(input),
        progress::chart(&reading, &labels),
        cpu::chart(input, &labels),
        phases::chart(&reading, &labels),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The summary without the configurations that read records as they arrive: their load decides how long they read.
fn without_live(input: &ReportInput) -> Summary {
    let mut summary = input.summary.clone();
    let is_live = |configuration| matches!(input.mode(configuration), Some(Mode::Live(_)));
    summary.configurations.retain(|c| !is_live(c.configuration));
    summary
}
