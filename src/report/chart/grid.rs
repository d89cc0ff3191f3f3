//! Draws small charts of lines in a grid: several columns on a page, one on a telephone. Decides how much space each
//! part gets.

use super::canvas::{Align, Canvas, LINE, SMALL, TEXT, WIDE, draw, text_width, wrap};
use super::colours::Ink;
use super::lanes::LANE;
use super::legend;
use super::plot::{LABEL_LINE, NAME_INDENT, Plot, flag_lanes, label_lines};
use super::spec::{ChartSpec, Line, Panel};

const MARGIN: f64 = 12.0;
const GAP: f64 = 26.0;
const LABEL_WIDTH_MAX: f64 = 175.0;
const PLOT_HEIGHT_MIN: f64 = 110.0;
/// Width over height of plots on a telephone, where there are several.
const LOW: f64 = 2.7;
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
    strips: f64,
}

impl Heights {
    /// Of the row with both axes' names.
    fn total(&self) -> f64 {
        self.title + LINE + self.events + self.plot + self.strips + 2.0 * LINE + GAP
    }
}

/// The height of a grid of small charts in this width, and its elements.
pub(super) fn draw_grid(spec: &ChartSpec, width: f64, columns: usize, aspect: f64) -> (f64, String) {
    let inner = width - 2.0 * MARGIN;
    let columns = if width >= WIDE { columns.max(1) } else { 1 };
    let cell = (inner - GAP * (columns as f64 - 1.0)) / columns as f64;
    let rows: Vec<&[Panel]> = spec.panels.chunks(columns).collect();
    // One below another, several low charts show more than one high one.
    let aspect = if width < WIDE && rows.len() > 1 {
        aspect.max(LOW)
    } else {
        aspect
    };
    let heights: Vec<Heights> = rows.iter().map(|row| heights(row, cell, aspect)).collect();
    let total: f64 = heights.iter().map(Heights::total).sum();
    let height = MARGIN + legend::height(&spec.legend, inner) + total;
    let drawing = draw(width, height, |canvas| {
        let mut y = legend::draw(canvas, &spec.legend, (MARGIN, MARGIN), inner);
        for (line, (row, height)) in rows.iter().zip(&heights).enumerate() {
            for (i, panel) in row.iter().enumerate() {
                let corner = (MARGIN + (cell + GAP) * i as f64, y);
                draw_panel(canvas, (spec, panel), line * columns + i, corner, cell, height);
            }
            y += height.total();
        }
    });
    (height, drawing)
}

fn heights(row: &[Panel], cell: f64, aspect: f64) -> Heights {
    let most = |of: &dyn Fn(&Panel) -> f64| row.iter().map(of).fold(0.0, f64::max);
    let lanes = |panel: &Panel| {
        let (left, right) = plot_ends(panel, 0.0, cell);
        let lanes = flag_lanes(panel, (left, right), cell).into_iter();
        lanes.map(|flag| flag.lane + 1).max().unwrap_or(0) as f64
    };
    Heights {
        title: most(&|p| title_lines(p, cell).len() as f64) * LINE,
        events: most(&lanes) * LABEL_LINE,
        plot: plot_height(row, cell, aspect),
        strips: most(&|p| p.strips.len() as f64) * (STRIP + STRIP_GAP),
    }
}

/// By the aspect, unless the names at the lines' ends need more.
fn plot_height(row: &[Panel], cell: f64, aspect: f64) -> f64 {
    let names = |p: &Panel| {
        let lines = p
            .lines
            .iter()
            .map(|l| label_lines(l, label_width(p, cell)).len() as f64);
        lines.sum::<f64>()
    };
    let names = row.iter().map(|p| (names(p) + 1.0) * LABEL_LINE).fold(0.0, f64::max);
    let lanes = row.iter().map(|p| p.lanes.len()).max().unwrap_or(0) as f64;
    if lanes > 0.0 {
        return lanes * LANE + 6.0;
    }
    (cell / aspect).max(PLOT_HEIGHT_MIN).max(names)
}

fn draw_panel(
    canvas: &Canvas,
    (spec, panel): (&ChartSpec, &Panel),
    number: usize,
    (left, top): (f64, f64),
    cell: f64,
    heights: &Heights,
) {
    let title = title_lines(panel, cell);
    let title_bottom = top + heights.title;
    let title_top = title_bottom - LINE * title.len() as f64;
    let (plot_left, plot_right) = plot_ends(panel, left, cell);
    let plot_top = title_bottom + LINE + 6.0 + heights.events;
    let bottom = plot_top + heights.plot - 6.0;
    let plot = Plot {
        spec,
        panel,
        left: plot_left,
        right: plot_right,
        top: plot_top,
        bottom,
        strips: (0..panel.strips.len())
            .map(|number| {
                let top = bottom + (STRIP + STRIP_GAP) * number as f64 + STRIP_GAP;
                (top, top + STRIP)
            })
            .collect(),
        cell_right: left + cell,
    };
    let (x, y) = (panel.x.placed(plot_left, plot_right), panel.y.placed(plot_top, bottom));
    let time = if spec.x.time { " data-time=\"\"" } else { "" };
    let attributes = format!("class=\"panel\" data-panel=\"{number}\" data-x=\"{x}\" data-y=\"{y}\"{time}");
    canvas.group(&attributes, || {
        canvas.heading((left, title_top), &title, LINE, TEXT);
        let name = spec.y.as_ref().map_or("", |axis| &axis.label);
        canvas.text((left, title_bottom + LINE * 0.5), name, SMALL, Ink::Muted, Align::Start);
        plot.draw(canvas, label_width(panel, cell));
    });
}

fn title_lines(panel: &Panel, cell: f64) -> Vec<String> {
    wrap(&panel.title, TEXT * 1.08, cell)
}

/// The left and right end of a panel's plot.
fn plot_ends(panel: &Panel, left: f64, cell: f64) -> (f64, f64) {
    let label_width = label_width(panel, cell);
    let names = if label_width > 0.0 {
        label_width + NAME_INDENT + 2.0
    } else {
        RIGHT_MARGIN
    };
    (left + Y_TICK_WIDTH, left + cell - names)
}

/// The width that the names at the lines' ends take.
fn label_width(panel: &Panel, cell: f64) -> f64 {
    let widest = panel
        .lines
        .iter()
        .map(Line::label)
        .chain(panel.strips.iter().map(|strip| &*strip.name))
        .map(|name| text_width(name, SMALL))
        .fold(0.0, f64::max);
    widest.min(LABEL_WIDTH_MAX).min(cell * 0.42)
}
