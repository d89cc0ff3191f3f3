//! What one small chart of lines consists of, before it is drawn.

use super::canvas::{LINE, SMALL, wrap};
use super::colours::Ink;
use super::scale::Axis;

/// Height of a line of a name at a line's end.
pub(super) const LABEL_LINE: f64 = LINE - 3.0;
/// From the plot to the names of its lines.
pub(super) const NAME_INDENT: f64 = 22.0;

/// One chart of the grid.
pub(super) struct XyPanel {
    pub(super) title: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<Line>,
    /// Ranges of the horizontal axis that are shaded.
    pub(super) bands: Vec<(f64, f64)>,
    /// Moments marked on the horizontal axis.
    pub(super) events: Vec<Event>,
    /// Bars below the plot, along the same horizontal axis.
    pub(super) strip: Option<Strip>,
}

impl XyPanel {
    /// A chart of lines and nothing else.
    pub(super) fn of_lines(title: String, x: Axis, y: Axis, lines: Vec<Line>) -> Self {
        XyPanel {
            title,
            x,
            y,
            lines,
            bands: Vec::new(),
            events: Vec::new(),
            strip: None,
        }
    }
}

/// A moment with its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub(super) at: f64,
    pub(super) text: String,
}

/// Bars in a strip of its own.
pub(super) struct Strip {
    /// From, to, and the value between them.
    pub(super) bars: Vec<(f64, f64, f64)>,
    pub(super) max: f64,
}

/// A line with what marks it.
pub(super) struct Line {
    pub(super) points: Vec<(f64, f64)>,
    pub(super) ink: Ink,
    pub(super) width: f64,
    pub(super) dashed: bool,
    /// The shape of its markers, which also stands before its name.
    pub(super) shape: usize,
    /// Where it has markers.
    pub(super) marked: Vec<(f64, f64)>,
    /// Where it has hollow ones.
    pub(super) open: Vec<(f64, f64)>,
    /// Vertical intervals: x, low, high.
    pub(super) intervals: Vec<(f64, f64, f64)>,
    /// A shaded band around it, paler where it is dashed: x, low, high.
    pub(super) band: Vec<(f64, f64, f64)>,
    /// A name beside its last point.
    pub(super) label: String,
}

impl Line {
    /// A plain line.
    pub(super) fn through(points: Vec<(f64, f64)>, ink: Ink) -> Self {
        Line {
            points,
            ink,
            width: 2.0,
            dashed: false,
            shape: 0,
            marked: Vec::new(),
            open: Vec::new(),
            intervals: Vec::new(),
            band: Vec::new(),
            label: String::new(),
        }
    }
}

/// The name of a line, wrapped.
pub(super) fn label_lines(line: &Line, width: f64) -> Vec<String> {
    wrap(&line.label, SMALL, width + 1.0)
}
