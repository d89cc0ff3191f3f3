//! Charts of horizontal rows, one per configuration, in a panel per family with its own scale. Names are wrapped, never
//! cut; the drawing grows in height.

use super::canvas::{Align, Canvas, LINE, SMALL, TEXT, draw, text_width, ticks, wrap};
use super::colours::Ink;
use super::drawing::{Drawing, Frame};
use super::legend::{self, Entries};
use super::scale::axis_end;
use crate::report::format::tick;
use crate::stats::Estimate;

/// A chart of rows.
pub(super) struct RowChart {
    pub(super) panels: Vec<Panel>,
    /// What the marks stand for.
    pub(super) legend: Entries,
    /// What the horizontal axis shows, with its unit.
    pub(super) axis: String,
}

/// A family with its own scale.
pub(super) struct Panel {
    pub(super) title: String,
    /// The right end of the axis; the left is 0.
    pub(super) max: f64,
    pub(super) tick: fn(f64) -> String,
    /// A vertical line with its name.
    pub(super) reference: Option<(f64, String)>,
    pub(super) rows: Vec<Row>,
}

impl Panel {
    /// A panel whose axis reaches beyond all marks.
    pub(super) fn of_rows(title: String, rows: Vec<Row>) -> Self {
        let ends = rows.iter().flat_map(|row| &row.marks).map(Mark::end);
        Panel {
            title,
            max: axis_end(ends),
            tick,
            reference: None,
            rows,
        }
    }

    pub(super) fn has_marks(&self) -> bool {
        self.rows.iter().any(|row| !row.marks.is_empty())
    }
}

/// A configuration.
pub(super) struct Row {
    pub(super) label: String,
    /// The figure in words.
    pub(super) value: String,
    pub(super) marks: Vec<Mark>,
}

/// Something drawn on a row's track.
pub(super) enum Mark {
    /// A piece of a bar, with a text where it fits.
    Segment { from: f64, to: f64, ink: Ink, text: String },
    /// An interval with its point.
    Interval { low: f64, high: f64, point: f64, ink: Ink },
    /// An interval as a thin line with ends.
    Whisker { low: f64, high: f64 },
    /// One trial, at a height from -1 to 1 of the track.
    Dot {
        at: f64,
        lane: f64,
        ink: Ink,
        shape: usize,
        hollow: bool,
    },
}

impl Mark {
    /// An estimate in its interval.
    pub(super) fn estimate(estimate: Estimate, ink: Ink) -> Self {
        let point = estimate.point;
        let (low, high) = estimate.interval.unwrap_or((point, point));
        Mark::Interval { low, high, point, ink }
    }

    /// Pieces of a bar, one behind the other: their lengths, inks and texts.
    pub(super) fn stacked(pieces: impl IntoIterator<Item = (f64, Ink, String)>) -> Vec<Self> {
        let mut from = 0.0;
        let segment = |(length, ink, text)| {
            let to = from + length;
            let segment = Mark::Segment { from, to, ink, text };
            from = to;
            segment
        };
        pieces.into_iter().map(segment).collect()
    }

    /// The largest value that it reaches.
    fn end(&self) -> f64 {
        match self {
            Mark::Interval { high, .. } | Mark::Whisker { high, .. } => *high,
            Mark::Dot { at, .. } => *at,
            Mark::Segment { to, .. } => *to,
        }
    }
}

/// The heights of so many dots on a track, from top to bottom.
pub(super) fn lanes(dots: usize) -> impl Iterator<Item = f64> {
    let last = dots.max(2) as f64 - 1.0;
    (0..dots).map(move |i| i as f64 / last * 2.0 - 1.0)
}

const MARGIN: f64 = 12.0;
const TRACK: f64 = 28.0;
const ROW_GAP: f64 = 10.0;
const PANEL_GAP: f64 = 22.0;
/// Columns of names and values where they stand beside the track.
const LABEL_COLUMN: f64 = 275.0;
const VALUE_COLUMN: f64 = 185.0;

/// The horizontal places of a drawing.
struct Columns {
    /// Names and values stand beside the tracks, else above them.
    beside: bool,
    width: f64,
    /// The ends of the tracks.
    left: f64,
    right: f64,
    label_width: f64,
    value_width: f64,
}

impl Columns {
    fn of(width: f64) -> Self {
        let inner = width - 2.0 * MARGIN;
        let beside = width >= Frame::WIDE;
        let (left, right, label_width, value_width) = if beside {
            let value_width = VALUE_COLUMN - MARGIN - 10.0;
            (
                MARGIN + LABEL_COLUMN,
                width - VALUE_COLUMN,
                LABEL_COLUMN - 14.0,
                value_width,
            )
        } else {
            (MARGIN + 6.0, width - MARGIN - 16.0, inner, inner)
        };
        Columns {
            beside,
            width,
            left,
            right,
            label_width,
            value_width,
        }
    }

    fn x(&self, value: f64, max: f64) -> f64 {
        self.left + (self.right - self.left) * (value / max).clamp(0.0, 1.0)
    }

    fn ticks(&self, panel: &Panel) -> Vec<f64> {
        ticks(panel.max, if self.beside { 6 } else { 4 })
    }

    fn label_lines(&self, row: &Row) -> Vec<String> {
        wrap(&row.label, TEXT, self.label_width)
    }

    fn value_lines(&self, row: &Row) -> Vec<String> {
        wrap(&row.value, SMALL, self.value_width)
    }

    fn row_height(&self, row: &Row) -> f64 {
        let (label, value) = (self.label_lines(row).len() as f64, self.value_lines(row).len() as f64);
        if self.beside {
            TRACK.max(label * LINE).max(value * LINE)
        } else {
            (label + value) * LINE + TRACK + 2.0
        }
    }
}

impl Drawing for RowChart {
    fn render(&self, frame: Frame) -> String {
        let columns = Columns::of(frame.width);
        let inner = frame.width - 2.0 * MARGIN;
        let top = frame.title_height(inner) + legend::height(&self.legend, inner) + MARGIN;
        let height = top + self.panels.iter().map(|p| self.panel_height(p, &columns)).sum::<f64>();
        draw(frame.width, height, |canvas| {
            let mut y = frame.draw_title(canvas, MARGIN, inner);
            y = legend::draw(canvas, &self.legend, (MARGIN, y + MARGIN), inner);
            for panel in &self.panels {
                self.draw_panel(canvas, panel, &columns, y);
                y += self.panel_height(panel, &columns);
            }
        })
    }
}

impl RowChart {
    fn title_lines(panel: &Panel, columns: &Columns) -> Vec<String> {
        wrap(&panel.title, TEXT, columns.width - 2.0 * MARGIN)
    }

    fn panel_height(&self, panel: &Panel, columns: &Columns) -> f64 {
        let rows: f64 = panel.rows.iter().map(|row| columns.row_height(row) + ROW_GAP).sum();
        let axis = LINE * (1.0 + self.axis_lines(columns).len() as f64) + 4.0;
        Self::head_height(panel, columns) + rows + axis + PANEL_GAP
    }

    /// The panel's title and, below it, the name of its reference line.
    fn head_height(panel: &Panel, columns: &Columns) -> f64 {
        let reference = if panel.reference.is_some() { LINE } else { 0.0 };
        Self::title_lines(panel, columns).len() as f64 * LINE + reference + 6.0
    }

    fn axis_lines(&self, columns: &Columns) -> Vec<String> {
        wrap(&self.axis, SMALL, columns.right - columns.left)
    }

    fn draw_panel(&self, canvas: &Canvas, panel: &Panel, columns: &Columns, top: f64) {
        canvas.heading((MARGIN, top), &Self::title_lines(panel, columns), LINE, TEXT);
        let rows_top = top + Self::head_height(panel, columns);
        let rows: f64 = panel.rows.iter().map(|row| columns.row_height(row) + ROW_GAP).sum();
        self.draw_axis(canvas, panel, columns, (rows_top, rows_top + rows));
        let mut y = rows_top + ROW_GAP / 2.0;
        for row in &panel.rows {
            draw_row(canvas, panel, row, columns, y);
            y += columns.row_height(row) + ROW_GAP;
        }
        if let (Some((at, _)), true) = (&panel.reference, columns.beside) {
            let x = columns.x(*at, panel.max);
            canvas.dashed(&[(x, rows_top - 4.0), (x, rows_top + rows)], Ink::Text);
        }
    }

    fn draw_axis(&self, canvas: &Canvas, panel: &Panel, columns: &Columns, (top, bottom): (f64, f64)) {
        for tick in columns.ticks(panel) {
            let x = columns.x(tick, panel.max);
            if columns.beside {
                canvas.line(&[(x, top), (x, bottom)], Ink::Grid, 1.0);
            }
            canvas.text(
                (x, bottom + LINE * 0.6),
                &(panel.tick)(tick),
                SMALL,
                Ink::Muted,
                Align::Middle,
            );
        }
        let middle = f64::midpoint(columns.left, columns.right);
        let (place, lines) = ((middle, bottom + LINE * 1.6), self.axis_lines(columns));
        canvas.lines(place, &lines, LINE, SMALL, Ink::Muted, Align::Middle);
        if let Some((at, name)) = &panel.reference {
            let half = text_width(name, SMALL) / 2.0;
            let x = columns
                .x(*at, panel.max)
                .clamp(MARGIN + half, (columns.width - MARGIN - half).max(MARGIN + half));
            canvas.text((x, top - LINE * 0.5 - 4.0), name, SMALL, Ink::Text, Align::Middle);
        }
    }
}

fn draw_row(canvas: &Canvas, panel: &Panel, row: &Row, columns: &Columns, top: f64) {
    let (labels, values) = (columns.label_lines(row), columns.value_lines(row));
    let height = columns.row_height(row);
    let middle = if columns.beside {
        top + height / 2.0
    } else {
        top + height - TRACK / 2.0
    };
    let first = |lines: &[String]| middle - LINE * (lines.len() as f64 - 1.0) / 2.0;
    let (label_at, value_at) = if columns.beside {
        ((MARGIN, first(&labels)), (columns.right + 14.0, first(&values)))
    } else {
        let below = top + LINE * (labels.len() as f64 + 0.5);
        ((MARGIN, top + LINE / 2.0), (MARGIN, below))
    };
    canvas.lines(label_at, &labels, LINE, TEXT, Ink::Text, Align::Start);
    canvas.lines(value_at, &values, LINE, SMALL, Ink::Muted, Align::Start);
    if !columns.beside {
        draw_track_grid(canvas, panel, columns, middle);
    }
    for mark in &row.marks {
        draw_mark(canvas, mark, &|value| columns.x(value, panel.max), middle);
    }
}

/// The grid on one track only, because it would cross out the names above it.
fn draw_track_grid(canvas: &Canvas, panel: &Panel, columns: &Columns, middle: f64) {
    let along = |value: f64| {
        let x = columns.x(value, panel.max);
        [(x, middle - TRACK / 2.0 - 1.0), (x, middle + TRACK / 2.0 + 1.0)]
    };
    for tick in columns.ticks(panel) {
        canvas.line(&along(tick), Ink::Grid, 1.0);
    }
    if let Some((at, _)) = &panel.reference {
        canvas.dashed(&along(*at), Ink::Text);
    }
}

fn draw_mark(canvas: &Canvas, mark: &Mark, x: &dyn Fn(f64) -> f64, middle: f64) {
    let half = TRACK / 2.0;
    match mark {
        Mark::Segment { from, to, ink, text } => {
            let (left, right) = (x(*from), x(*to));
            // A pixel of surface between the pieces of a bar, so that equal colours stay distinct.
            let end = if right - left > 2.0 { right - 1.0 } else { right };
            canvas.rect((left, middle - half + 3.0), (end, middle + half - 3.0), *ink);
            if text_width(text, SMALL) + 8.0 <= right - left {
                let contrasting = match ink {
                    Ink::Series(_) => Ink::Surface,
                    _ => Ink::Text,
                };
                let place = (f64::midpoint(left, right), middle);
                canvas.text(place, text, SMALL, contrasting, Align::Middle);
            }
        }
        Mark::Interval { low, high, point, ink } => {
            canvas.veil(
                (x(*low), middle - half),
                (x(*high).max(x(*low) + 1.0), middle + half),
                *ink,
            );
            canvas.line(&[(x(*point), middle - half), (x(*point), middle + half)], *ink, 3.0);
        }
        Mark::Whisker { low, high } => {
            let (left, right, end) = (x(*low), x(*high), half / 2.0);
            canvas.line(&[(left, middle), (right, middle)], Ink::Text, 1.5);
            for at in [left, right] {
                canvas.line(&[(at, middle - end), (at, middle + end)], Ink::Text, 1.5);
            }
        }
        Mark::Dot {
            at,
            lane,
            ink,
            shape,
            hollow,
        } => {
            canvas.marker((x(*at), middle + lane * (half - 5.0)), *shape, *ink, 3.0, *hollow);
        }
    }
}
