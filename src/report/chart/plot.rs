//! The plot of one small chart: its axes, what is marked along them, its lines and their names.

use super::canvas::{Align, Canvas, LINE, Marker, SMALL, text_width, wrap};
use super::colours::Ink;
use super::legend::data_c;
use super::spec::{ChartSpec, Event, Line, Panel, Spot, Strip};
use crate::report::format::tick;
use crate::wording::joined;

/// Height of a line of a name at a line's end.
pub(super) const LABEL_LINE: f64 = LINE - 3.0;
/// From the plot to the names of its lines.
pub(super) const NAME_INDENT: f64 = 22.0;
/// Space between the names of two events.
const FLAG_GAP: f64 = 8.0;
/// From an event's line to its name.
const FLAG_INDENT: f64 = 4.0;

/// The name of a line, wrapped.
pub(super) fn label_lines(line: &Line, width: f64) -> Vec<String> {
    wrap(line.label(), SMALL, width + 1.0)
}

/// The place of a plot.
pub(super) struct Plot<'a> {
    pub(super) spec: &'a ChartSpec,
    pub(super) panel: &'a Panel,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// Top and bottom of each strip of bars below.
    pub(super) strips: Vec<(f64, f64)>,
    /// The right end of everything.
    pub(super) cell_right: f64,
}

impl Plot<'_> {
    pub(super) fn draw(&self, canvas: &Canvas, label_width: f64) {
        canvas.group("class=\"axis y\"", || self.draw_y_axis(canvas));
        canvas.group("class=\"axis x\"", || self.draw_x_axis(canvas));
        let middle = f64::midpoint(self.left, self.right);
        let place = (middle, self.axis() + 4.0 + LINE * 1.5);
        canvas.text(place, &self.spec.x.label, SMALL, Ink::Muted, Align::Middle);
        for (strip, (top, bottom)) in self.strips() {
            let middle = f64::midpoint(top, bottom);
            canvas.text(
                (self.left - 6.0, middle),
                &tick(strip.max()),
                SMALL,
                Ink::Muted,
                Align::End,
            );
            let place = (self.right + NAME_INDENT, middle);
            canvas.text(place, &strip.name, SMALL, Ink::Text, Align::Start);
        }
        canvas.group("class=\"plot\"", || {
            for (from, to) in &self.panel.shaded {
                let (left, right) = (self.x(*from), self.x(*to));
                if right > left {
                    canvas
                        .class("shaded")
                        .veil((left, self.top), (right, self.bottom), Ink::Shade(3));
                }
            }
            for (strip, ends) in self.strips() {
                canvas.group("class=\"strip\"", || self.draw_strip(canvas, strip, ends));
            }
            self.draw_lanes(canvas);
            self.draw_events(canvas);
            for line in &self.panel.lines {
                canvas.group(&format!("class=\"line\"{}", data_c(&line.c)), || {
                    self.draw_line(canvas, line);
                });
            }
        });
        canvas.group("class=\"names\"", || self.draw_labels(canvas, label_width));
    }

    /// Each strip with its top and bottom.
    fn strips(&self) -> impl Iterator<Item = (&Strip, (f64, f64))> {
        self.panel.strips.iter().zip(self.strips.iter().copied())
    }

    pub(super) fn x(&self, value: f64) -> f64 {
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
        self.strips.last().map_or(self.bottom, |(_, bottom)| *bottom)
    }

    fn y_text(&self, value: f64) -> String {
        self.spec
            .y
            .as_ref()
            .map_or_else(String::new, |axis| axis.tick.at_axis(value))
    }

    fn draw_y_axis(&self, canvas: &Canvas) {
        // A logarithmic scale need not have a mark where it begins.
        canvas.line(&[(self.left, self.bottom), (self.right, self.bottom)], Ink::Grid, 1.0);
        if !self.panel.lanes.is_empty() {
            self.draw_lane_names(canvas);
            return;
        }
        let mut free_below = f64::INFINITY;
        for value in self.panel.y.marks(5) {
            let y = self.y(value);
            canvas.line(&[(self.left, y), (self.right, y)], Ink::Grid, 1.0);
            // A tick that would touch its neighbour's text keeps its line only.
            if y + LABEL_LINE / 2.0 <= free_below {
                let text = self.y_text(value);
                canvas.text((self.left - 6.0, y), &text, SMALL, Ink::Muted, Align::End);
                free_below = y - LABEL_LINE / 2.0;
            }
        }
    }

    fn draw_x_axis(&self, canvas: &Canvas) {
        let bottom = self.axis();
        let count = if self.right - self.left > 300.0 { 6 } else { 4 };
        let mut last_end = f64::NEG_INFINITY;
        for value in self.panel.x.marks(count) {
            let x = self.x(value);
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], Ink::Muted, 1.0);
            let text = self.spec.x.tick.at_axis(value);
            let half = text_width(&text, SMALL) / 2.0;
            let middle = x.min(self.cell_right - half);
            if middle - half > last_end + 4.0 {
                let place = (middle, bottom + 4.0 + LINE * 0.5);
                canvas.text(place, &text, SMALL, Ink::Muted, Align::Middle);
                last_end = middle + half;
            }
        }
    }

    fn draw_strip(&self, canvas: &Canvas, strip: &Strip, (top, bottom): (f64, f64)) {
        canvas.line(&[(self.left, top), (self.right, top)], Ink::Grid, 1.0);
        let max = strip.max();
        for (from, to, value) in strip.bars.iter().filter(|(_, _, value)| *value > 0.0) {
            let height = (bottom - top) * (value / max).clamp(0.0, 1.0);
            canvas.rect((self.x(*from), bottom - height), (self.x(*to), bottom), Ink::Shade(2));
        }
        canvas.line(&[(self.left, bottom), (self.right, bottom)], Ink::Grid, 1.0);
    }

    fn draw_events(&self, canvas: &Canvas) {
        let flags = flag_lanes(self.panel, (self.left, self.right), self.cell_right);
        for (event, flag) in self.panel.events.iter().zip(flags) {
            let middle = self.top - 4.0 - LABEL_LINE * (flag.lane as f64 + 0.5);
            canvas.group_at((flag.x, 0.0), "class=\"event\"", || {
                let line = [(flag.x, middle - LABEL_LINE / 2.0), (flag.x, self.axis())];
                canvas.dashed(&line, Ink::Muted);
                let place = (flag.text_left, middle);
                canvas.text(place, &event.text, SMALL, Ink::Text, Align::Start);
            });
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
        let spots = [(&line.marked, false), (&line.open, true)];
        let spots = spots
            .into_iter()
            .flat_map(|(spots, hollow)| spots.iter().map(move |spot| (spot, hollow)));
        for (i, (spot, hollow)) in spots.enumerate() {
            self.draw_spot(canvas, line, (i, spot), hollow);
        }
        if let Some(best) = line.best {
            canvas.class("best").marker(self.point(best), Marker::RING);
        }
    }

    fn draw_spot(&self, canvas: &Canvas, line: &Line, (number, spot): (usize, &Spot), hollow: bool) {
        let Spot(x, y, configuration) = *spot;
        let slot = configuration.and_then(|c| self.spec.slots.get(c).copied());
        let marker = Marker {
            shape: slot.unwrap_or(line.shape),
            ink: slot.map_or(line.ink, Ink::Series),
            radius: 4.0,
            hollow,
        };
        let own: Vec<usize> = configuration.into_iter().collect();
        let attributes = format!("{} data-i=\"{number}\"", data_c(&own));
        canvas.dot(self.point((x, y)), &attributes, marker, &self.in_words(line, spot));
    }

    /// The figure of a marked point: `partition 0, 4: 3.15 M/s [3.0, 3.3]`.
    fn in_words(&self, line: &Line, Spot(x, y, _): &Spot) -> String {
        let Some(axis) = self.spec.y.as_ref().filter(|_| y.is_finite()) else {
            return line.name.clone();
        };
        let ends = line.intervals.iter().find(|(at, _, _)| at.total_cmp(x).is_eq());
        let ends = ends.map(|(_, low, high)| format!(" [{}, {}]", axis.tick.in_full(*low), axis.tick.in_full(*high)));
        let name = joined([&*line.name, &*self.spec.x.tick.in_full(*x)], ", ");
        format!("{name}: {}{}", axis.tick.in_full(*y), ends.unwrap_or_default())
    }

    /// The names right of the plot, each as near to its line's end as the others allow.
    fn draw_labels(&self, canvas: &Canvas, width: f64) {
        let named = self.panel.lines.iter().filter(|line| !line.label().is_empty());
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
                let marker = Marker {
                    shape: line.shape,
                    ink: line.ink,
                    radius: 4.0,
                    hollow: false,
                };
                canvas.marker((self.right + 12.0, first), marker);
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
pub(super) fn flag_lanes(panel: &Panel, (left, right): (f64, f64), cell_right: f64) -> Vec<Flag> {
    let flag = |event: &Event| {
        let x = left + (right - left) * panel.x.scale.share(event.x);
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
    use super::super::scale::Ruler;
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
        let mut panel = Panel {
            x: Ruler::linear(60.0),
            ..Panel::default()
        };
        panel.events = [5.0, 7.0, 7.5, 30.0, 59.0]
            .map(|x| Event {
                x,
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
