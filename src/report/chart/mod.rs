//! The charts: from the trials and the summary to SVG, each with a description and the table behind it. One style, and
//! one colour and order per configuration, in all of them.

mod arrivals;
mod canvas;
mod capacity;
mod cpu;
mod effects;
mod grid;
mod lag;
mod latency_by_rate;
mod latency_over_time;
mod latency_percentiles;
mod legend;
mod paint;
mod phases;
mod plot;
mod progress;
mod rate_series;
mod rows;
mod runs;
mod scale;
mod scaling;
#[cfg(test)]
mod tests;
mod throughput;

pub(super) use paint::style_sheet;
pub(super) use runs::run_charts;

use self::canvas::{Align, Canvas, LINE, wrap};
use self::paint::Ink;
use super::ReportInput;
use super::labels::{Labels, family_title};
use super::tables::Table;
use crate::measure::{Measurement, Trial};
use crate::scenario::Mode;
use crate::summary::Summary;

/// More panels than this would bury the page.
const PANELS_MAX: usize = 24;

/// A chart of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Name of its file, such as `throughput.svg`.
    pub file_name: String,
    /// What it is about, in a few words.
    pub title: String,
    /// What there is to see, for somebody who cannot.
    pub description: String,
    /// The drawing as a file of its own, with its title; light or dark as the viewer prefers.
    pub svg: String,
    /// The figures behind it: headers and rows.
    pub table: (Vec<String>, Vec<Vec<String>>),
    /// The drawing for a wide page that brings title and style sheet itself.
    pub(super) wide: String,
    /// The same for a telephone.
    pub(super) narrow: String,
}

/// Every chart that the run has figures for, in the order of the report.
pub fn charts(input: &ReportInput) -> Vec<Chart> {
    let labels = Labels::new(input.scenario);
    let reading = without_live(input);
    let reading = ReportInput {
        summary: &reading,
        ..*input
    };
    [
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

/// The summary without the configurations that read records as they arrive: how long they read is how long the load
/// lasted.
fn without_live(input: &ReportInput) -> Summary {
    let is_live = |configuration: usize| {
        let configuration = input.scenario.configurations.get(configuration);
        configuration.is_some_and(|c| matches!(c.mode, Mode::Live(_)))
    };
    let mut summary = input.summary.clone();
    summary.configurations.retain(|c| !is_live(c.configuration));
    summary
}

/// A drawing's width and, where it stands alone, its title.
#[derive(Clone, Copy)]
struct Frame<'a> {
    width: f64,
    title: Option<&'a str>,
}

impl Frame<'_> {
    /// Width for a page, in pixels.
    const WIDE: f64 = 880.0;
    /// Width for a telephone, in pixels.
    const NARROW: f64 = 340.0;
    const TITLE: f64 = 17.0;

    fn title_lines(&self, width: f64) -> Vec<String> {
        self.title
            .map(|title| wrap(title, Self::TITLE, width))
            .unwrap_or_default()
    }

    fn title_height(&self, width: f64) -> f64 {
        self.title_lines(width).len() as f64 * (LINE + 6.0)
    }

    /// Draws the title, if there is one, and says where it ends.
    fn draw_title(&self, canvas: &Canvas, left: f64, width: f64) -> f64 {
        for (i, line) in self.title_lines(width).iter().enumerate() {
            let y = (LINE + 6.0) * (i as f64 + 0.5) + 5.0;
            canvas.bold((left, y), line, Self::TITLE, Ink::Text, Align::Start);
        }
        self.title_height(width)
    }
}

/// Renders a drawing in every width and puts the chart together.
fn chart(name: &str, title: &str, description: &str, table: Table, render: impl Fn(Frame) -> String) -> Chart {
    // A percentage does not break between its figure and its sign.
    let description = description.replace(" %", "\u{a0}%");
    let alone = render(Frame {
        width: Frame::WIDE,
        title: Some(title),
    });
    Chart {
        file_name: format!("{name}.svg"),
        title: title.to_owned(),
        svg: standing_alone(&alone, title, &description),
        description,
        table: (table.headers, table.rows),
        wide: render(Frame {
            width: Frame::WIDE,
            title: None,
        }),
        narrow: render(Frame {
            width: Frame::NARROW,
            title: None,
        }),
    }
}

/// Adds to a drawing what the page would bring: title, description and style sheet.
fn standing_alone(svg: &str, title: &str, description: &str) -> String {
    let Some(end_of_tag) = svg.find('>') else {
        return svg.to_owned();
    };
    let (tag, rest) = svg.split_at(end_of_tag);
    let escape = super::html::escape;
    format!(
        "{tag} role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n\
         <desc id=\"desc\">{}</desc>\n<style>{}</style>{}",
        escape(title),
        escape(description),
        style_sheet(),
        &rest[1..]
    )
}

/// The used trials of a configuration with their measurements.
fn used<'a>(input: &ReportInput<'a>, configuration: usize) -> Vec<(&'a Trial, &'a Measurement)> {
    input
        .trials
        .iter()
        .filter(|t| t.order.configuration == configuration && t.is_used())
        .filter_map(|t| Some((t, t.measurement.as_ref()?)))
        .collect()
}

/// A configuration's name with its family's.
fn full_title(input: &ReportInput, labels: &Labels, configuration: usize) -> String {
    let family = input.scenario.configurations.get(configuration).map(|c| c.family);
    let family = family
        .map(|family| family_title(input.scenario, family))
        .unwrap_or_default();
    let parts = [labels.short(configuration), &family].map(str::to_owned);
    let known: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    known.join(" · ")
}

/// At most `max` of the items, the first and the last among them, evenly spaced.
fn evenly<T: Copy>(items: &[T], max: usize) -> Vec<T> {
    if items.len() <= max {
        return items.to_vec();
    }
    (0..max).map(|i| items[i * (items.len() - 1) / (max - 1)]).collect()
}

/// The legend of the configurations' colours; none where colour says nothing.
fn colour_legend(labels: &Labels, swatch: impl Fn(usize) -> legend::Swatch) -> Vec<(legend::Swatch, String)> {
    if labels.legend.len() < 2 {
        return Vec::new();
    }
    labels
        .legend
        .iter()
        .enumerate()
        .map(|(slot, name)| (swatch(slot), name.clone()))
        .collect()
}

/// The right end of an axis: a little beyond the largest value, and never 0.
fn axis_end(values: impl Iterator<Item = f64>) -> f64 {
    let largest = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
    if largest > 0.0 { largest * 1.04 } else { 1.0 }
}
