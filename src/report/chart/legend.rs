//! The legend above a chart: what its colours and shapes stand for, in as many lines as it takes.

use super::canvas::{Align, Canvas, LINE, SMALL, text_width, wrap};
use super::paint::Ink;

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
}

const SWATCH: f64 = 20.0;
const GAP: f64 = 18.0;

/// Each entry's lines with the place of its upper left corner, relative to the legend's.
fn places(entries: &[(Swatch, String)], width: f64) -> Vec<((f64, f64), Vec<String>)> {
    let (mut x, mut y, mut tallest) = (0.0, 0.0, LINE);
    entries
        .iter()
        .map(|(_, text)| {
            let lines = wrap(text, SMALL, width - SWATCH);
            let wide = SWATCH + lines.iter().map(|l| text_width(l, SMALL)).fold(0.0, f64::max);
            if x > 0.0 && x + wide > width {
                x = 0.0;
                y += tallest;
                tallest = LINE;
            }
            tallest = tallest.max(LINE * lines.len() as f64);
            let at = (x, y);
            x += wide + GAP;
            (at, lines)
        })
        .collect()
}

/// The height of a legend in this width, with the space below it.
pub(super) fn height(entries: &[(Swatch, String)], width: f64) -> f64 {
    let bottom = |((_, y), lines): ((f64, f64), Vec<String>)| y + LINE * lines.len() as f64;
    let height = places(entries, width).into_iter().map(bottom).fold(0.0, f64::max);
    if height > 0.0 { height + 10.0 } else { 0.0 }
}

/// Draws the legend and says where it ends.
pub(super) fn draw(canvas: &Canvas, entries: &[(Swatch, String)], (left, top): (f64, f64), width: f64) -> f64 {
    for ((swatch, _), ((x, y), lines)) in entries.iter().zip(places(entries, width)) {
        let (x, middle) = (left + x, top + y + LINE / 2.0);
        match *swatch {
            Swatch::Marker { ink, shape, hollow } => canvas.marker((x + 7.0, middle), shape, ink, 4.0, hollow),
            Swatch::Bar(ink) => canvas.rect((x, middle - 6.0), (x + 14.0, middle + 6.0), ink),
            Swatch::Veil(ink) => canvas.veil((x, middle - 6.0), (x + 14.0, middle + 6.0), ink),
            Swatch::Line(ink) => canvas.line(&[(x, middle), (x + 15.0, middle)], ink, 1.5),
            Swatch::Dashed(ink) => canvas.dashed(&[(x, middle), (x + 15.0, middle)], ink),
            Swatch::Interval(ink) => {
                canvas.veil((x, middle - 7.0), (x + 14.0, middle + 7.0), ink);
                canvas.line(&[(x + 7.0, middle - 7.0), (x + 7.0, middle + 7.0)], ink, 3.0);
            }
        }
        for (i, line) in lines.iter().enumerate() {
            let at = (x + SWATCH, middle + LINE * i as f64);
            canvas.text(at, line, SMALL, Ink::Text, Align::Start);
        }
    }
    top + height(entries, width)
}
