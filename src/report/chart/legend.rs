//! The legend above a chart: what its colours and shapes stand for, in as many lines as it takes.

use super::canvas::{Align, Canvas, LINE, Marker, SMALL, text_width, wrap};
use super::colours::Ink;
use crate::report::labels::Labels;

/// How an entry is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swatch {
    /// A marker of this shape.
    Marker { ink: Ink, shape: usize, hollow: bool },
    /// A piece of a bar.
    Bar(Ink),
    /// A shaded range.
    Veil(Ink),
    /// A line.
    Line(Ink),
    /// A dashed line.
    Dashed(Ink),
    /// An interval.
    Interval(Ink),
    /// The ring around a point.
    Ring,
}

/// A swatch with what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) swatch: Swatch,
    pub(super) text: String,
    /// The configurations that it stands for; none where it stands for a kind of mark.
    pub(super) configurations: Vec<usize>,
}

impl Entry {
    /// What a kind of mark means.
    pub(super) fn new(swatch: Swatch, text: impl Into<String>) -> Self {
        Entry {
            swatch,
            text: text.into(),
            configurations: Vec::new(),
        }
    }
}

impl Swatch {
    /// The marker of a colour slot, whose shape says the same as its colour.
    pub(super) fn slot(slot: usize) -> Self {
        Swatch::Marker {
            ink: Ink::Series(slot),
            shape: slot,
            hollow: false,
        }
    }

    /// A marker without the colour of a configuration.
    pub(super) fn neutral(shape: usize, hollow: bool) -> Self {
        Swatch::Marker {
            ink: Ink::Muted,
            shape,
            hollow,
        }
    }
}

/// The colours of the configurations; none where all have one colour.
pub(super) fn colours(labels: &Labels) -> Vec<Entry> {
    let names = labels.legend.iter().enumerate();
    let entries = names.map(|(slot, name)| Entry {
        configurations: labels.of_slot(slot),
        ..Entry::new(Swatch::slot(slot), name)
    });
    entries.filter(|_| labels.legend.len() > 1).collect()
}

/// `data-c="0 3 6"` behind a space; nothing for none.
pub(super) fn data_c(configurations: &[usize]) -> String {
    if configurations.is_empty() {
        return String::new();
    }
    let numbers: Vec<String> = configurations.iter().map(usize::to_string).collect();
    format!(" data-c=\"{}\"", numbers.join(" "))
}

const SWATCH: f64 = 20.0;
const GAP: f64 = 18.0;

/// Each entry's lines with the place of its upper left corner, relative to the legend's.
fn places(entries: &[Entry], width: f64) -> Vec<((f64, f64), Vec<String>)> {
    let (mut x, mut y, mut tallest) = (0.0, 0.0, LINE);
    entries
        .iter()
        .map(|entry| {
            let lines = wrap(&entry.text, SMALL, width - SWATCH);
            let wide = SWATCH + lines.iter().map(|l| text_width(l, SMALL)).fold(0.0, f64::max);
            if x > 0.0 && x + wide > width {
                x = 0.0;
                y += tallest;
                tallest = LINE;
            }
            tallest = tallest.max(LINE * lines.len() as f64);
            let corner = (x, y);
            x += wide + GAP;
            (corner, lines)
        })
        .collect()
}

/// The height of a legend in this width, with the space below it.
pub(super) fn height(entries: &[Entry], width: f64) -> f64 {
    let bottom = |((_, y), lines): ((f64, f64), Vec<String>)| y + LINE * lines.len() as f64;
    let height = places(entries, width).into_iter().map(bottom).fold(0.0, f64::max);
    if height > 0.0 { height + 10.0 } else { 0.0 }
}

/// Draws the legend and returns where it ends.
pub(super) fn draw(canvas: &Canvas, entries: &[Entry], (left, top): (f64, f64), width: f64) -> f64 {
    canvas.group("class=\"legend\"", || {
        for (entry, ((x, y), lines)) in entries.iter().zip(places(entries, width)) {
            let (x, middle) = (left + x, top + y + LINE / 2.0);
            canvas.group(&format!("class=\"entry\"{}", data_c(&entry.configurations)), || {
                draw_swatch(canvas, entry.swatch, (x, middle));
                canvas.lines((x + SWATCH, middle), &lines, LINE, SMALL, Ink::Text, Align::Start);
            });
        }
    });
    top + height(entries, width)
}

fn draw_swatch(canvas: &Canvas, swatch: Swatch, (x, middle): (f64, f64)) {
    let (centre, piece) = ((x + 7.0, middle), [(x, middle), (x + 15.0, middle)]);
    let (corner, opposite) = ((x, middle - 6.0), (x + 14.0, middle + 6.0));
    match swatch {
        Swatch::Marker { ink, shape, hollow } => canvas.marker(
            centre,
            Marker {
                shape,
                ink,
                radius: 4.0,
                hollow,
            },
        ),
        Swatch::Ring => canvas.marker(centre, Marker::RING),
        Swatch::Bar(ink) => canvas.rect(corner, opposite, ink),
        Swatch::Veil(ink) => canvas.veil(corner, opposite, ink),
        Swatch::Line(ink) => canvas.line(&piece, ink, 1.5),
        Swatch::Dashed(ink) => canvas.dashed(&piece, ink),
        Swatch::Interval(ink) => {
            canvas.veil(corner, opposite, ink);
            canvas.line(&[(x + 7.0, middle - 7.0), (x + 7.0, middle + 7.0)], ink, 3.0);
        }
    }
}
