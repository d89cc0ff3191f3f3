//! Small charts of lines in a grid: two columns on a page, one on a telephone. Every line can have a name at its end.

use super::canvas::{Align, Canvas, LINE, SMALL, TEXT, draw, text_width, ticks, wrap};
use super::paint::Ink;
use super::{Frame, legend};

/// A grid of small charts.
pub(super) struct Grid {
    pub(super) panels: Vec<XyPanel>,
    pub(super) legend: Vec<(legend::Swatch, String)>,
    pub(super) x_axis: String,
    pub(super) y_axis: String,
    /// Width over height of a plot.
    pub(super) aspect: f64,
    /// Columns on a page.
    pub(super) columns: usize,
}

/// One chart of the grid; both axes begin at 0.
pub(super) struct XyPanel {
    pub(super) title: String,
    pub(super) x_max: f64,
    pub(super) y_max: f64,
    /// Values to mark on the horizontal axis; empty for round ones.
    pub(super) x_ticks: Vec<f64>,
    pub(super) x_tick: fn(f64) -> String,
    pub(super) y_tick: fn(f64) -> String,
    pub(super) lines: Vec<Line>,
}

/// A line with what marks it.
pub(super) struct Line {
    pub(super) points: Vec<(f64, f64)>,
    pub(super) ink: Ink,
    pub(super) dashed: bool,
    /// The shape of its markers, which also stands before its name.
    pub(super) shape: usize,
    /// Where it has markers.
    pub(super) marked: Vec<(f64, f64)>,
    /// Vertical intervals: x, low, high.
    pub(super) intervals: Vec<(f64, f64, f64)>,
    /// A name beside its last point.
    pub(super) label: String,
}

impl Line {
    /// A plain line.
    pub(super) fn through(points: Vec<(f64, f64)>, ink: Ink) -> Self {
        Line {
            points,
            ink,
            dashed: false,
            shape: 0,
            marked: Vec::new(),
            intervals: Vec::new(),
            label: String::new(),
        }
    }
}

const MARGIN: f64 = 12.0;
const GAP: f64 = 26.0;
const LABEL_WIDTH_MAX: f64 = 175.0;
/// Height of a line of a name at a line's end.
const LABEL_LINE: f64 = LINE - 3.0;
/// From the plot to the names of its lines.
const NAME_INDENT: f64 = 22.0;
const PLOT_HEIGHT_MIN: f64 = 110.0;
const Y_TICK_WIDTH: f64 = 44.0;

/// The place of a plot and its scales.
struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_max: f64,
    y_max: f64,
}

impl Plot {
    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (
            self.left + (self.right - self.left) * (x / self.x_max).clamp(0.0, 1.0),
            self.bottom - (self.bottom - self.top) * (y / self.y_max).clamp(0.0, 1.0),
        )
    }
}

impl Grid {
    /// The SVG.
    pub(super) fn render(&self, frame: Frame) -> String {
        let inner = frame.width - 2.0 * MARGIN;
        let columns = if frame.width >= Frame::WIDE {
            self.columns.max(1)
        } else {
            1
        };
        let cell = (inner - GAP * (columns as f64 - 1.0)) / columns as f64;
        let rows: Vec<&[XyPanel]> = self.panels.chunks(columns).collect();
        let heights: Vec<f64> = rows.iter().map(|row| self.row_height(row, cell)).collect();
        let top = frame.title_height(inner) + MARGIN + legend::height(&self.legend, inner);
        draw(frame.width, top + heights.iter().sum::<f64>(), |canvas| {
            let mut y = frame.draw_title(canvas, MARGIN, inner);
            y = legend::draw(canvas, &self.legend, (MARGIN, y + MARGIN), inner);
            for (row, height) in rows.iter().zip(&heights) {
                let head = row.iter().map(|p| title_lines(p, cell).len()).max().unwrap_or(0) as f64 * LINE;
                for (i, panel) in row.iter().enumerate() {
                    let at = (MARGIN + (cell + GAP) * i as f64, y);
                    self.draw_panel(canvas, panel, at, cell, (head, self.plot_height(row, cell)));
                }
                y += height;
            }
        })
    }

    fn row_height(&self, row: &[XyPanel], cell: f64) -> f64 {
        let head = row.iter().map(|p| title_lines(p, cell).len()).max().unwrap_or(0) as f64 * LINE;
        head + LINE + self.plot_height(row, cell) + 2.0 * LINE + GAP
    }

    /// As the aspect asks, unless the names at the lines' ends need more.
    fn plot_height(&self, row: &[XyPanel], cell: f64) -> f64 {
        let names = |p: &XyPanel| {
            p.lines
                .iter()
                .map(|l| label_lines(l, label_width(p, cell)).len() as f64)
                .sum::<f64>()
        };
        let names = row.iter().map(|p| (names(p) + 1.0) * LABEL_LINE).fold(0.0, f64::max);
        (cell / self.aspect).max(PLOT_HEIGHT_MIN).max(names)
    }

    fn draw_panel(
        &self,
        canvas: &Canvas,
        panel: &XyPanel,
        (left, top): (f64, f64),
        cell: f64,
        (head, height): (f64, f64),
    ) {
        let title = title_lines(panel, cell);
        let title_top = top + head - LINE * title.len() as f64;
        for (i, line) in title.iter().enumerate() {
            canvas.bold(
                (left, title_top + LINE * (i as f64 + 0.5)),
                line,
                TEXT,
                Ink::Text,
                Align::Start,
            );
        }
        canvas.text(
            (left, top + head + LINE * 0.5),
            &self.y_axis,
            SMALL,
            Ink::Muted,
            Align::Start,
        );
        let label_width = label_width(panel, cell);
        let plot_top = top + head + LINE + 6.0;
        let plot = Plot {
            left: left + Y_TICK_WIDTH,
            right: left + cell
                - if label_width > 0.0 {
                    label_width + NAME_INDENT + 2.0
                } else {
                    12.0
                },
            top: plot_top,
            bottom: plot_top + height - 6.0,
            x_max: panel.x_max,
            y_max: panel.y_max,
        };
        self.draw_axes(canvas, panel, &plot);
        for line in &panel.lines {
            draw_line(canvas, line, &plot);
        }
        draw_labels(canvas, panel, &plot, label_width);
    }

    fn draw_axes(&self, canvas: &Canvas, panel: &XyPanel, plot: &Plot) {
        for y in ticks(panel.y_max, 5) {
            let (x, y_px) = plot.at((0.0, y));
            canvas.line(&[(plot.left, y_px), (plot.right, y_px)], Ink::Grid, 1.0);
            canvas.text((x - 6.0, y_px), &(panel.y_tick)(y), SMALL, Ink::Muted, Align::End);
        }
        let round = || ticks(panel.x_max, if plot.right - plot.left > 300.0 { 6 } else { 4 });
        let x_ticks = if panel.x_ticks.is_empty() {
            round()
        } else {
            panel.x_ticks.clone()
        };
        let mut last_end = f64::NEG_INFINITY;
        for x in x_ticks {
            let (x_px, _) = plot.at((x, 0.0));
            canvas.line(&[(x_px, plot.bottom), (x_px, plot.bottom + 4.0)], Ink::Muted, 1.0);
            let text = (panel.x_tick)(x);
            let half = text_width(&text, SMALL) / 2.0;
            // A tick that would touch its neighbour's text keeps its mark only.
            if x_px - half > last_end + 4.0 {
                canvas.text(
                    (x_px, plot.bottom + 4.0 + LINE * 0.5),
                    &text,
                    SMALL,
                    Ink::Muted,
                    Align::Middle,
                );
                last_end = x_px + half;
            }
        }
        let middle = f64::midpoint(plot.left, plot.right);
        canvas.text(
            (middle, plot.bottom + 4.0 + LINE * 1.5),
            &self.x_axis,
            SMALL,
            Ink::Muted,
            Align::Middle,
        );
    }
}

fn title_lines(panel: &XyPanel, cell: f64) -> Vec<String> {
    wrap(&panel.title, TEXT * 1.08, cell)
}

fn draw_line(canvas: &Canvas, line: &Line, plot: &Plot) {
    let points: Vec<(f64, f64)> = line.points.iter().map(|p| plot.at(*p)).collect();
    if points.len() > 1 {
        if line.dashed {
            canvas.dashed(&points, line.ink);
        } else {
            canvas.line(&points, line.ink, 2.0);
        }
    }
    for (x, low, high) in &line.intervals {
        canvas.line(&[plot.at((*x, *low)), plot.at((*x, *high))], line.ink, 1.0);
    }
    for point in &line.marked {
        canvas.marker(plot.at(*point), line.shape, line.ink, 4.0, false);
    }
}

/// The width that the names at the lines' ends take.
fn label_width(panel: &XyPanel, cell: f64) -> f64 {
    let widest = panel
        .lines
        .iter()
        .map(|l| text_width(&l.label, SMALL))
        .fold(0.0, f64::max);
    widest.min(LABEL_WIDTH_MAX).min(cell * 0.42)
}

fn label_lines(line: &Line, width: f64) -> Vec<String> {
    wrap(&line.label, SMALL, width + 1.0)
}

/// The names right of the plot, each as near to its line's end as the others leave room.
fn draw_labels(canvas: &Canvas, panel: &XyPanel, plot: &Plot, width: f64) {
    let mut labels: Vec<(f64, Vec<String>, &Line)> = panel
        .lines
        .iter()
        .filter(|line| !line.label.is_empty())
        .filter_map(|line| Some((plot.at(*line.points.last()?).1, label_lines(line, width), line)))
        .collect();
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let wanted: Vec<(f64, f64)> = labels
        .iter()
        .map(|(y, lines, _)| (*y, lines.len() as f64 * LABEL_LINE))
        .collect();
    let (top, bottom) = (plot.top - LABEL_LINE / 2.0, plot.bottom + LABEL_LINE / 2.0);
    for ((end, lines, line), y) in labels.iter().zip(spread(&wanted, top, bottom)) {
        let first = y - LABEL_LINE * (lines.len() as f64 - 1.0) / 2.0;
        if line.marked.is_empty() {
            canvas.line(&[(plot.right + 4.0, *end), (plot.right + 16.0, first)], Ink::Muted, 1.0);
        } else {
            canvas.marker((plot.right + 12.0, first), line.shape, line.ink, 4.0, false);
        }
        for (i, text) in lines.iter().enumerate() {
            let at = (plot.right + NAME_INDENT, first + LABEL_LINE * i as f64);
            canvas.text(at, text, SMALL, Ink::Text, Align::Start);
        }
    }
}

/// Middles of boxes, given with their heights and sorted, moved apart so that none overlaps the next, between `top` and
/// `bottom` if there is room.
fn spread(boxes: &[(f64, f64)], top: f64, bottom: f64) -> Vec<f64> {
    let mut middles: Vec<f64> = Vec::with_capacity(boxes.len());
    let mut free_from = top;
    for (wanted, height) in boxes {
        let middle = wanted.max(free_from + height / 2.0);
        middles.push(middle);
        free_from = middle + height / 2.0;
    }
    let mut free_to = bottom;
    for (middle, (_, height)) in middles.iter_mut().zip(boxes).rev() {
        *middle = middle.min(free_to - height / 2.0);
        free_to = *middle - height / 2.0;
    }
    middles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_one_height_are_moved_apart_and_stay_inside() {
        let boxes = [(10.0, 14.0), (10.0, 28.0), (100.0, 14.0), (100.0, 14.0)];
        let middles = spread(&boxes, 0.0, 107.0);
        let edges: Vec<(f64, f64)> = middles
            .iter()
            .zip(boxes)
            .map(|(y, (_, height))| (y - height / 2.0, y + height / 2.0))
            .collect();
        assert!(edges.windows(2).all(|w| w[1].0 >= w[0].1 - 1e-9), "{edges:?}");
        assert!(
            edges.iter().all(|(low, high)| *low >= -1e-9 && *high <= 107.0 + 1e-9),
            "{edges:?}"
        );
    }
}
