//! Small charts of lines in a grid: two columns on a page, one on a telephone. Decides how much space each part gets.

use super::canvas::{Align, Canvas, LINE, SMALL, TEXT, draw, text_width, wrap};
use super::colours::Ink;
use super::drawing::{Drawing, Frame};
use super::legend;
use super::panel::{LABEL_LINE, NAME_INDENT, XyPanel, label_lines};
use super::plot::{Plot, flag_lanes};

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

const MARGIN: f64 = 12.0;
const GAP: f64 = 26.0;
const LABEL_WIDTH_MAX: f64 = 175.0;
const PLOT_HEIGHT_MIN: f64 = 110.0;
const Y_TICK_WIDTH: f64 = 44.0;
/// Space right of a plot without names.
const RIGHT_MARGIN: f64 = 12.0;
/// Height of the bars below a plot, and the space above them.
const STRIP: f64 = 26.0;
const STRIP_GAP: f64 = 8.0;

/// The heights of the parts of a row of charts, from top to bottom.
struct Heights {
    title: f64,
    events: f64,
    plot: f64,
    strip: f64,
}

impl Heights {
    /// Of the row with both axes' names.
    fn total(&self) -> f64 {
        self.title + LINE + self.events + self.plot + self.strip + 2.0 * LINE + GAP
    }
}

impl Drawing for Grid {
    fn render(&self, frame: Frame) -> String {
        let inner = frame.width - 2.0 * MARGIN;
        let columns = if frame.width >= Frame::WIDE {
            self.columns.max(1)
        } else {
            1
        };
        let cell = (inner - GAP * (columns as f64 - 1.0)) / columns as f64;
        let rows: Vec<&[XyPanel]> = self.panels.chunks(columns).collect();
        let heights: Vec<Heights> = rows.iter().map(|row| self.heights(row, cell)).collect();
        let total: f64 = heights.iter().map(Heights::total).sum();
        let top = frame.title_height(inner) + MARGIN + legend::height(&self.legend, inner);
        draw(frame.width, top + total, |canvas| {
            let mut y = frame.draw_title(canvas, MARGIN, inner);
            y = legend::draw(canvas, &self.legend, (MARGIN, y + MARGIN), inner);
            for (row, height) in rows.iter().zip(&heights) {
                for (i, panel) in row.iter().enumerate() {
                    let corner = (MARGIN + (cell + GAP) * i as f64, y);
                    self.draw_panel(canvas, panel, corner, cell, height);
                }
                y += height.total();
            }
        })
    }
}

impl Grid {
    fn heights(&self, row: &[XyPanel], cell: f64) -> Heights {
        let most = |of: &dyn Fn(&XyPanel) -> f64| row.iter().map(of).fold(0.0, f64::max);
        let lanes = |panel: &XyPanel| {
            let (left, right) = plot_ends(panel, 0.0, cell);
            let lanes = flag_lanes(panel, (left, right), cell).into_iter();
            lanes.map(|flag| flag.lane + 1).max().unwrap_or(0) as f64
        };
        Heights {
            title: most(&|p| title_lines(p, cell).len() as f64) * LINE,
            events: most(&lanes) * LABEL_LINE,
            plot: self.plot_height(row, cell),
            strip: most(&|p| if p.strip.is_some() { STRIP + STRIP_GAP } else { 0.0 }),
        }
    }

    /// By the aspect, unless the names at the lines' ends need more.
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

    fn draw_panel(&self, canvas: &Canvas, panel: &XyPanel, (left, top): (f64, f64), cell: f64, heights: &Heights) {
        let title = title_lines(panel, cell);
        let title_bottom = top + heights.title;
        let title_top = title_bottom - LINE * title.len() as f64;
        canvas.heading((left, title_top), &title, LINE, TEXT);
        let axis_at = (left, title_bottom + LINE * 0.5);
        canvas.text(axis_at, &self.y_axis, SMALL, Ink::Muted, Align::Start);
        let (plot_left, plot_right) = plot_ends(panel, left, cell);
        let plot_top = title_bottom + LINE + 6.0 + heights.events;
        let bottom = plot_top + heights.plot - 6.0;
        let plot = Plot {
            panel,
            left: plot_left,
            right: plot_right,
            top: plot_top,
            bottom,
            strip: (heights.strip > 0.0).then_some((bottom + STRIP_GAP, bottom + heights.strip)),
            cell_right: left + cell,
        };
        plot.draw(canvas, &self.x_axis, label_width(panel, cell));
    }
}

fn title_lines(panel: &XyPanel, cell: f64) -> Vec<String> {
    wrap(&panel.title, TEXT * 1.08, cell)
}

/// The left and right end of a panel's plot.
fn plot_ends(panel: &XyPanel, left: f64, cell: f64) -> (f64, f64) {
    let label_width = label_width(panel, cell);
    let names = if label_width > 0.0 {
        label_width + NAME_INDENT + 2.0
    } else {
        RIGHT_MARGIN
    };
    (left + Y_TICK_WIDTH, left + cell - names)
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
