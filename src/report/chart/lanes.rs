//! Bars in lanes, one below another: what was read when, and by whom.

use super::canvas::{Align, Canvas, SMALL};
use super::colours::Ink;
use super::plot::Plot;

/// Height of a lane.
pub(super) const LANE: f64 = 18.0;
/// Height of a bar within it.
const BAR: f64 = 12.0;
/// A bar is at least this wide.
const WIDTH_MIN: f64 = 0.5;

impl Plot<'_> {
    /// The middle of a lane.
    fn lane_y(&self, number: usize) -> f64 {
        self.top + LANE * (number as f64 + 0.5)
    }

    pub(super) fn draw_lane_names(&self, canvas: &Canvas) {
        for (number, lane) in self.panel.lanes.iter().enumerate() {
            let place = (self.left - 6.0, self.lane_y(number));
            canvas.text(place, &lane.name, SMALL, Ink::Muted, Align::End);
        }
    }

    pub(super) fn draw_lanes(&self, canvas: &Canvas) {
        for (number, lane) in self.panel.lanes.iter().enumerate() {
            let y = self.lane_y(number);
            canvas.group("class=\"lane\"", || {
                canvas.line(&[(self.left, y), (self.right, y)], Ink::Grid, 1.0);
                for bar in &lane.bars {
                    let (left, right) = (self.x(bar.from), self.x(bar.to));
                    let right = right.max(left + WIDTH_MIN);
                    canvas.rect((left, y - BAR / 2.0), (right, y + BAR / 2.0), bar.ink);
                }
            });
        }
    }
}
