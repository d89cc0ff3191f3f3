//! The plot of one small chart: its axes, what is marked along them, its lines and their names.

use super::canvas::{Align, Canvas, LINE, SMALL, text_width};
use super::colours::Ink;
use super::panel::{Event, LABEL_LINE, Line, NAME_INDENT, Strip, XyPanel, label_lines};
use crate::report::format::tick;

/// Space between the names of two events.
const FLAG_GAP: f64 = 8.0;
/// From an event's line to its name.
const FLAG_INDENT: f64 = 4.0;

/// The place of a plot.
pub(super) struct Plot<'a> {
    pub(super) panel: &'a XyPanel,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// Top and bottom of the strip of bars below.
    pub(super) strip: Option<(f64, f64)>,
    /// The right end of everything.
    pub(super) cell_right: f64,
}

impl Plot<'_> {
    pub(super) fn draw(&self, canvas: &Canvas, x_axis: &str, label_width: f64) {
        let panel = self.panel;
        for (from, to) in &panel.bands {
            let (left, right) = (self.x(*from), self.x(*to));
            if right > left {
                canvas.veil((left, self.top), (right, self.bottom), Ink::Shade(3));
            }
        }
        self.draw_y_axis(canvas);
        if let (Some(strip), Some(ends)) = (&panel.strip, self.strip) {
            self.draw_strip(canvas, strip, ends);
        }
        self.draw_x_axis(canvas, x_axis);
        self.draw_events(canvas);
        for line in &panel.lines {
            self.draw_line(canvas, line);
        }
        self.draw_labels(canvas, label_width);
    }

    fn x(&self, value: f64) -> f64 {
        self.left + (self.right - self.left) * self.panel.x.scale.share(value)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * self.panel.y.scale.share(value)
    }

    fn point(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x(x), self.y(y))
    }

    /// Where the horizontal axis is: below the strip, where there is one.
    fn axis(&self) -> f64 {
        self.strip.map_or(self.bottom, |(_, bottom)| bottom)
    }

    fn draw_y_axis(&self, canvas: &Canvas) {
        // A logarithmic scale need not have a mark where it begins.
        canvas.line(&[(self.left, self.bottom), (self.right, self.bottom)], Ink::Grid, 1.0);
        let mut free_below = f64::INFINITY;
        for value in self.panel.y.marks(5) {
            let y = self.y(value);
            canvas.line(&[(self.left, y), (self.right, y)], Ink::Grid, 1.0);
            // A tick that would touch its neighbour's text keeps its line only.
            if y + LABEL_LINE / 2.0 <= free_below {
                let text = (self.panel.y.tick)(value);
                canvas.text((self.left - 6.0, y), &text, SMALL, Ink::Muted, Align::End);
                free_below = y - LABEL_LINE / 2.0;
            }
        }
    }

    fn draw_x_axis(&self, canvas: &Canvas, name: &str) {
        let bottom = self.axis();
        let count = if self.right - self.left > 300.0 { 6 } else { 4 };
        let mut last_end = f64::NEG_INFINITY;
        for value in self.panel.x.marks(count) {
            let x = self.x(value);
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], Ink::Muted, 1.0);
            let text = (self.panel.x.tick)(value);
            let half = text_width(&text, SMALL) / 2.0;
            let middle = x.min(self.cell_right - half);
            if middle - half > last_end + 4.0 {
                let place = (middle, bottom + 4.0 + LINE * 0.5);
                canvas.text(place, &text, SMALL, Ink::Muted, Align::Middle);
                last_end = middle + half;
            }
        }
        let middle = f64::midpoint(self.left, self.right);
        let place = (middle, bottom + 4.0 + LINE * 1.5);
        canvas.text(place, name, SMALL, Ink::Muted, Align::Middle);
    }

    fn draw_strip(&self, canvas: &Canvas, strip: &Strip, (top, bottom): (f64, f64)) {
        canvas.line(&[(self.left, top), (self.right, top)], Ink::Grid, 1.0);
        for (from, to, value) in &strip.bars {
            let height = (bottom - top) * (value / strip.max).clamp(0.0, 1.0);
            canvas.rect((self.x(*from), bottom - height), (self.x(*to), bottom), Ink::Shade(2));
        }
        canvas.line(&[(self.left, bottom), (self.right, bottom)], Ink::Grid, 1.0);
        let text = tick(strip.max);
        let place = (self.left - 6.0, f64::midpoint(top, bottom));
        canvas.text(place, &text, SMALL, Ink::Muted, Align::End);
    }

    fn draw_events(&self, canvas: &Canvas) {
        let flags = flag_lanes(self.panel, (self.left, self.right), self.cell_right);
        for (event, flag) in self.panel.events.iter().zip(flags) {
            let middle = self.top - 4.0 - LABEL_LINE * (flag.lane as f64 + 0.5);
            let line = [(flag.x, middle - LABEL_LINE / 2.0), (flag.x, self.axis())];
            canvas.dashed(&line, Ink::Muted);
            let place = (flag.text_left, middle);
            canvas.text(place, &event.text, SMALL, Ink::Text, Align::Start);
        }
    }

    fn draw_line(&self, canvas: &Canvas, line: &Line) {
        let lower = line.band.iter().map(|(x, low, _)| self.point((*x, *low)));
        let upper = line.band.iter().rev().map(|(x, _, high)| self.point((*x, *high)));
        let edge: Vec<(f64, f64)> = lower.chain(upper).collect();
        canvas.area(&edge, line.ink, if line.dashed { 0.1 } else { 0.25 });
        let points: Vec<(f64, f64)> = line.points.iter().map(|p| self.point(*p)).collect();
        if points.len() > 1 {
            if line.dashed {
                canvas.dashed(&points, line.ink);
            } else {
                canvas.line(&points, line.ink, line.width);
            }
        }
        for (x, low, high) in &line.intervals {
            canvas.line(&[self.point((*x, *low)), self.point((*x, *high))], line.ink, 1.0);
        }
        for (points, hollow) in [(&line.marked, false), (&line.open, true)] {
            for point in points {
                canvas.marker(self.point(*point), line.shape, line.ink, 4.0, hollow);
            }
        }
    }

    /// The names right of the plot, each as near to its line's end as the others allow.
    fn draw_labels(&self, canvas: &Canvas, width: f64) {
        let named = self.panel.lines.iter().filter(|line| !line.label.is_empty());
        let mut labels: Vec<(f64, Vec<String>, &Line)> = named
            .filter_map(|line| Some((self.point(*line.points.last()?).1, label_lines(line, width), line)))
            .collect();
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let boxes: Vec<(f64, f64)> = labels
            .iter()
            .map(|(y, lines, _)| (*y, lines.len() as f64 * LABEL_LINE))
            .collect();
        let (top, bottom) = (self.top - LABEL_LINE / 2.0, self.bottom + LABEL_LINE / 2.0);
        for ((end, lines, line), y) in labels.iter().zip(spread(&boxes, top, bottom)) {
            let first = y - LABEL_LINE * (lines.len() as f64 - 1.0) / 2.0;
            if line.marked.is_empty() {
                canvas.line(&[(self.right + 4.0, *end), (self.right + 16.0, first)], Ink::Muted, 1.0);
            } else {
                canvas.marker((self.right + 12.0, first), line.shape, line.ink, 4.0, false);
            }
            let place = (self.right + NAME_INDENT, first);
            canvas.lines(place, lines, LABEL_LINE, SMALL, Ink::Text, Align::Start);
        }
    }
}

/// Middles of boxes, given with their heights and sorted, moved apart so that none overlaps the next. They stay between
/// `top` and `bottom` if there is space.
fn spread(boxes: &[(f64, f64)], top: f64, bottom: f64) -> Vec<f64> {
    let mut middles: Vec<f64> = Vec::with_capacity(boxes.len());
    let mut free_from = top;
    for (asked, height) in boxes {
        let middle = asked.max(free_from + height / 2.0);
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

/// Where the name of an event stands above the plot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Flag {
    /// Its line.
    x: f64,
    text_left: f64,
    text_right: f64,
    /// 0 for the lane next to the plot.
    pub(super) lane: usize,
}

impl Flag {
    fn is_crossed_by(&self, x: f64) -> bool {
        x > self.text_left - 1.0 && x < self.text_right + 1.0
    }
}

/// The places of the names of a panel's events, in their order: right of their lines, in as many lanes above the plot
/// as it takes to keep names apart from each other and from the lines.
pub(super) fn flag_lanes(panel: &XyPanel, (left, right): (f64, f64), cell_right: f64) -> Vec<Flag> {
    let flag = |event: &Event| {
        let x = left + (right - left) * panel.x.scale.share(event.at);
        let width = text_width(&event.text, SMALL);
        let text_left = (x + FLAG_INDENT).min(cell_right - width);
        Flag {
            x,
            text_left,
            text_right: text_left + width,
            lane: 0,
        }
    };
    let mut flags: Vec<Flag> = panel.events.iter().map(flag).collect();
    let mut order: Vec<usize> = (0..flags.len()).collect();
    order.sort_by(|a, b| flags[*b].x.total_cmp(&flags[*a].x));
    for (count, index) in order.iter().enumerate() {
        let placed: Vec<Flag> = order[..count].iter().map(|i| flags[*i].clone()).collect();
        flags[*index].lane = free_lane(&flags[*index], &placed);
    }
    flags
}

/// The lowest lane for a name among those already placed.
fn free_lane(flag: &Flag, placed: &[Flag]) -> usize {
    let meets =
        |other: &Flag| flag.text_left < other.text_right + FLAG_GAP && other.text_left < flag.text_right + FLAG_GAP;
    let apart = |lane: usize| placed.iter().all(|other| other.lane != lane || !meets(other));
    // A line goes from its own lane down.
    let uncrossed = |lane: usize| {
        placed.iter().all(|other| {
            (!flag.is_crossed_by(other.x) || other.lane < lane) && (!other.is_crossed_by(flag.x) || lane < other.lane)
        })
    };
    let lanes = || 0..=placed.len();
    let free = lanes().find(|lane| apart(*lane) && uncrossed(*lane));
    free.or_else(|| lanes().find(|lane| apart(*lane)))
        .unwrap_or(placed.len())
}

#[cfg(test)]
mod tests {
    use super::super::scale::Axis;
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

    #[test]
    fn names_of_events_meet_neither_each_other_nor_a_line() {
        let mut panel = XyPanel::of_lines(String::new(), Axis::linear(60.0), Axis::linear(1.0), Vec::new());
        panel.events = [5.0, 7.0, 7.5, 30.0, 59.0]
            .map(|at| Event {
                at,
                text: "rebalance".to_owned(),
            })
            .to_vec();
        let flags = flag_lanes(&panel, (44.0, 290.0), 316.0);
        for (i, flag) in flags.iter().enumerate() {
            assert!(flag.text_right <= 316.0 + 1e-9, "{flag:?}");
            for other in &flags[i + 1..] {
                let apart = flag.text_right < other.text_left || other.text_right < flag.text_left;
                assert!(apart || flag.lane != other.lane, "{flag:?} {other:?}");
                assert!(
                    !flag.is_crossed_by(other.x) || other.lane < flag.lane,
                    "{flag:?} {other:?}"
                );
            }
        }
    }
}
