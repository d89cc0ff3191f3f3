//! Draws charts of rows, in a panel per family with its own scale. Names are wrapped, never cut; the drawing grows in
//! height.

use super::canvas::{Align, Canvas, LINE, Marker, SMALL, TEXT, WIDE, draw, text_width, wrap};
use super::colours::Ink;
use super::legend::{self, Entry, data_c};
use super::spec::{ChartSpec, Mark, Panel, Row};

const MARGIN: f64 = 10.0;
/// Columns of names and values where they stand beside the track.
const LABEL_COLUMN: f64 = 275.0;
const VALUE_COLUMN: f64 = 185.0;

/// The places of a drawing of this width.
struct Layout<'a> {
    spec: &'a ChartSpec,
    /// Names and values stand beside the tracks, else above them.
    beside: bool,
    width: f64,
    /// The ends of the tracks.
    left: f64,
    right: f64,
    /// Heights of a line of text, of a track, and of the space below a row.
    line: f64,
    track: f64,
    gap: f64,
}

/// The height of a chart of rows in this width, and its elements.
pub(super) fn draw_rows(spec: &ChartSpec, width: f64) -> (f64, String) {
    let layout = Layout::of(spec, width);
    let inner = width - 2.0 * MARGIN;
    let panels: f64 = spec.panels.iter().map(|panel| layout.panel_height(panel)).sum();
    let axis = layout.axis_lines();
    // Names stand so near their marks that colours need no legend.
    let is_needed = |entry: &&Entry| layout.beside || entry.configurations.is_empty();
    let legend: Vec<Entry> = spec.legend.iter().filter(is_needed).cloned().collect();
    let height = MARGIN + legend::height(&legend, inner) + panels + LINE * axis.len() as f64 + 4.0;
    let drawing = draw(width, height, |canvas| {
        let mut y = legend::draw(canvas, &legend, (MARGIN, MARGIN), inner);
        for (number, panel) in spec.panels.iter().enumerate() {
            let place = panel.x.placed(layout.left, layout.right);
            let attributes = format!("class=\"panel\" data-panel=\"{number}\" data-x=\"{place}\"");
            canvas.group(&attributes, || layout.draw_panel(canvas, panel, y));
            y += layout.panel_height(panel);
        }
        let middle = (f64::midpoint(layout.left, layout.right), y - 2.0);
        canvas.lines(middle, &axis, LINE, SMALL, Ink::Muted, Align::Middle);
    });
    (height, drawing)
}

impl<'a> Layout<'a> {
    fn of(spec: &'a ChartSpec, width: f64) -> Self {
        let beside = width >= WIDE;
        let (left, right) = if beside {
            (MARGIN + LABEL_COLUMN, width - VALUE_COLUMN)
        } else {
            (MARGIN + 4.0, width - MARGIN - 16.0)
        };
        let (line, track, gap) = if beside { (LINE, 28.0, 10.0) } else { (15.0, 16.0, 3.0) };
        Layout {
            spec,
            beside,
            width,
            left,
            right,
            line,
            track,
            gap,
        }
    }

    fn inner(&self) -> f64 {
        self.width - 2.0 * MARGIN
    }

    fn x(&self, panel: &Panel, value: f64) -> f64 {
        self.left + (self.right - self.left) * panel.x.scale.share(value)
    }

    fn label_size(&self) -> f64 {
        if self.beside { TEXT } else { SMALL }
    }

    fn labels(&self, row: &Row) -> Vec<String> {
        let width = if self.beside { LABEL_COLUMN - 14.0 } else { self.inner() };
        wrap(&row.label, self.label_size(), width)
    }

    fn values(&self, row: &Row) -> Vec<String> {
        let width = if self.beside {
            VALUE_COLUMN - MARGIN - 12.0
        } else {
            self.inner()
        };
        wrap(&row.value, SMALL, width)
    }

    /// Whether name and value share the line above the track.
    fn share_line(&self, row: &Row) -> bool {
        let together = text_width(&row.label, self.label_size()) + text_width(&row.value, SMALL);
        !self.beside && together + 8.0 <= self.inner()
    }

    fn row_height(&self, row: &Row) -> f64 {
        let (labels, values) = (self.labels(row).len() as f64, self.values(row).len() as f64);
        match (self.beside, self.share_line(row)) {
            (true, _) => self.track.max(labels * self.line).max(values * self.line),
            (false, true) => self.line + self.track,
            (false, false) => (labels + values) * self.line + self.track,
        }
    }

    fn rows_height(&self, panel: &Panel) -> f64 {
        panel.rows.iter().map(|row| self.row_height(row) + self.gap).sum()
    }

    fn title_lines(&self, panel: &Panel) -> Vec<String> {
        wrap(&panel.title, TEXT, self.inner())
    }

    /// The panel's title and, below it, the name of its reference line.
    fn head_height(&self, panel: &Panel) -> f64 {
        let reference = if panel.reference.is_some() { LINE } else { 0.0 };
        self.title_lines(panel).len() as f64 * LINE + reference + self.gap / 2.0
    }

    fn panel_height(&self, panel: &Panel) -> f64 {
        self.head_height(panel) + self.rows_height(panel) + LINE + self.gap
    }

    fn axis_lines(&self) -> Vec<String> {
        let space = if self.beside {
            self.right - self.left
        } else {
            self.inner()
        };
        wrap(&self.spec.x.label, SMALL, space)
    }

    fn draw_panel(&self, canvas: &Canvas, panel: &Panel, top: f64) {
        canvas.heading((MARGIN, top), &self.title_lines(panel), LINE, TEXT);
        let rows_top = top + self.head_height(panel);
        let bottom = rows_top + self.rows_height(panel);
        canvas.group("class=\"axis x\"", || self.draw_axis(canvas, panel, (rows_top, bottom)));
        if let Some(reference) = &panel.reference {
            let half = text_width(&reference.text, SMALL) / 2.0;
            let x = self
                .x(panel, reference.x)
                .clamp(MARGIN + half, self.width - MARGIN - half);
            canvas.text(
                (x, rows_top - LINE * 0.5),
                &reference.text,
                SMALL,
                Ink::Text,
                Align::Middle,
            );
        }
        canvas.group("class=\"plot\"", || {
            let mut y = rows_top + if self.beside { self.gap / 2.0 } else { 0.0 };
            for row in &panel.rows {
                self.draw_row(canvas, panel, row, y);
                y += self.row_height(row) + self.gap;
            }
        });
    }

    /// The ends of the track of each row, or of all of them where no name stands between.
    fn tracks(&self, panel: &Panel, (top, bottom): (f64, f64)) -> Vec<(f64, f64)> {
        if self.beside {
            return vec![(top, bottom)];
        }
        let mut y = top;
        let track = |row: &Row| {
            let end = y + self.row_height(row);
            y = end + self.gap;
            (end - self.track, end)
        };
        panel.rows.iter().map(track).collect()
    }

    fn draw_axis(&self, canvas: &Canvas, panel: &Panel, (top, bottom): (f64, f64)) {
        let tracks = self.tracks(panel, (top, bottom));
        for tick in panel.x.marks(if self.beside { 6 } else { 4 }) {
            let x = self.x(panel, tick);
            for (from, to) in &tracks {
                canvas.line(&[(x, *from), (x, *to)], Ink::Grid, 1.0);
            }
            let text = self.spec.x.tick.at_axis(tick);
            canvas.text((x, bottom + LINE * 0.4), &text, SMALL, Ink::Muted, Align::Middle);
        }
        for (from, to) in panel.reference.iter().flat_map(|_| &tracks) {
            let x = self.x(panel, panel.reference.as_ref().map_or(0.0, |reference| reference.x));
            canvas.dashed(&[(x, *from), (x, *to)], Ink::Text);
        }
    }

    fn draw_row(&self, canvas: &Canvas, panel: &Panel, row: &Row, top: f64) {
        let (labels, values) = (self.labels(row), self.values(row));
        let height = self.row_height(row);
        let middle = if self.beside {
            top + height / 2.0
        } else {
            top + height - self.track / 2.0
        };
        let first = |lines: &[String]| middle - self.line * (lines.len() as f64 - 1.0) / 2.0;
        let label_y = if self.beside {
            first(&labels)
        } else {
            top + self.line / 2.0
        };
        let (value_at, align) = match (self.beside, self.share_line(row)) {
            (true, _) => ((self.right + 14.0, first(&values)), Align::Start),
            (false, true) => ((self.width - MARGIN, label_y), Align::End),
            (false, false) => ((MARGIN, label_y + self.line * labels.len() as f64), Align::Start),
        };
        let ink = self.spec.ink(row.c);
        let (class, fill) = ink.group_fill();
        let configuration: Vec<usize> = row.c.into_iter().collect();
        let attributes = format!("class=\"row {class}\"{} {fill}", data_c(&configuration));
        canvas.group(&attributes, || {
            for (i, line) in labels.iter().enumerate() {
                let place = (MARGIN, label_y + self.line * i as f64);
                canvas
                    .class("label")
                    .text(place, line, self.label_size(), Ink::Text, Align::Start);
            }
            for (i, line) in values.iter().enumerate() {
                let place = (value_at.0, value_at.1 + self.line * i as f64);
                canvas.class("value").text(place, line, SMALL, Ink::Muted, align);
            }
            let dots = row.marks.iter().filter(|mark| matches!(mark, Mark::Dot { .. })).count();
            let mut lanes = lanes(dots);
            for (i, mark) in row.marks.iter().enumerate() {
                let lane = if matches!(mark, Mark::Dot { .. }) {
                    lanes.next()
                } else {
                    None
                };
                self.draw_mark(canvas, (panel, row, ink), (i, mark), middle, lane.unwrap_or(0.0));
            }
        });
    }

    fn draw_mark(
        &self,
        canvas: &Canvas,
        (panel, row, ink): (&Panel, &Row, Ink),
        (number, mark): (usize, &Mark),
        middle: f64,
        lane: f64,
    ) {
        let half = self.track / 2.0;
        let x = |value: f64| self.x(panel, value);
        let number = format!(" data-i=\"{number}\"");
        let title = format!("{}: {}", row.label, row.value);
        match mark {
            Mark::Bar { from, to, ink, name } => {
                let title = format!("{name}: {}", self.spec.x.tick.in_full(to - from));
                canvas.mark(&number, &title, || {
                    draw_bar(canvas, (x(*from), x(*to)), (middle, half - 3.0), *ink, name);
                });
            }
            Mark::Interval { low, point, high } => canvas.mark(&number, &title, || {
                let (left, right) = (x(*low), x(*high).max(x(*low) + 1.0));
                canvas.veil((left, middle - half), (right, middle + half), ink);
                canvas.line(&[(x(*point), middle - half), (x(*point), middle + half)], ink, 3.0);
            }),
            Mark::Whisker { low, high } => canvas.mark(&number, &title, || {
                let (left, right, end) = (x(*low), x(*high), half / 2.0);
                canvas.line(&[(left, middle), (right, middle)], Ink::Text, 1.5);
                for at in [left, right] {
                    canvas.line(&[(at, middle - end), (at, middle + end)], Ink::Text, 1.5);
                }
            }),
            Mark::Dot {
                x: at,
                t,
                hollow,
                shape,
            } => {
                let trial = t.map_or_else(String::new, |t| format!(" data-t=\"{t}\""));
                let place = (x(*at), middle + lane * (half - 4.0));
                let marker = Marker {
                    shape: *shape,
                    ink: if *hollow { ink } else { Ink::OfGroup },
                    radius: 3.0,
                    hollow: *hollow,
                };
                canvas.dot(place, &format!("{trial}{number}"), marker, "");
            }
        }
    }
}

/// A piece of a bar, with its name where it fits.
fn draw_bar(canvas: &Canvas, (left, right): (f64, f64), (middle, half): (f64, f64), ink: Ink, name: &str) {
    // A pixel of surface between the pieces of a bar, so that equal colours stay distinct.
    let end = if right - left > 2.0 { right - 1.0 } else { right };
    canvas.rect((left, middle - half), (end, middle + half), ink);
    if text_width(name, SMALL) + 8.0 <= right - left {
        let contrasting = match ink {
            Ink::Series(_) => Ink::Surface,
            _ => Ink::Text,
        };
        let place = (f64::midpoint(left, right), middle);
        canvas.text(place, name, SMALL, contrasting, Align::Middle);
    }
}

/// The heights of so many dots on a track, from -1 at the top to 1 at the bottom.
fn lanes(dots: usize) -> impl Iterator<Item = f64> {
    let last = dots.max(2) as f64 - 1.0;
    (0..dots).map(move |i| if dots == 1 { 0.0 } else { i as f64 / last * 2.0 - 1.0 })
}
