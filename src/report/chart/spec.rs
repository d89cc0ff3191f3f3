//! A chart as data: what it shows, along which axes, and for which configurations. Knows nothing of pixels.

use serde::Serialize;

use super::colours::Ink;
use super::legend::Entry;
use super::scale::{Ruler, axis_end};
use super::tick::Tick;
use crate::stats::Estimate;

/// A chart. What is skipped in its JSON can be read from the drawing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ChartSpec {
    /// Names its file and its place in a page.
    pub(crate) name: &'static str,
    /// What it is about, in a few words.
    pub(crate) title: String,
    /// What it shows, for a reader who cannot see it.
    pub(crate) description: String,
    pub(super) kind: Kind,
    pub(super) x: Axis,
    /// Rows have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) y: Option<Axis>,
    #[serde(skip)]
    pub(super) legend: Vec<Entry>,
    /// The colour slot of each configuration.
    #[serde(skip)]
    pub(super) slots: Vec<usize>,
    pub(super) panels: Vec<Panel>,
}

/// How the panels are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// A row per configuration, one below another.
    Rows,
    /// Small charts of lines in so many columns on a page, each this many times as wide as high.
    Lines { columns: usize, aspect: f64 },
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match self {
            Kind::Rows => "rows",
            Kind::Lines { .. } => "lines",
        })
    }
}

impl ChartSpec {
    /// The colour of a configuration, or of what belongs to none.
    pub(super) fn ink(&self, configuration: Option<usize>) -> Ink {
        let slot = configuration.and_then(|c| self.slots.get(c));
        slot.map_or(Ink::Muted, |slot| Ink::Series(*slot))
    }
}

/// An axis' name and how its values read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) tick: Tick,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) log: bool,
    /// Seconds of a trial, which all panels have in common.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) time: bool,
}

impl Axis {
    pub(super) fn new(label: impl Into<String>, tick: Tick) -> Self {
        Axis {
            label: label.into(),
            tick,
            log: false,
            time: false,
        }
    }

    pub(super) fn log(label: &str, tick: Tick) -> Self {
        Axis {
            log: true,
            ..Axis::new(label, tick)
        }
    }

    pub(super) fn time(label: &str) -> Self {
        Axis {
            time: true,
            ..Axis::new(label, Tick::Seconds)
        }
    }
}

/// A part of a chart with scales of its own, such as a family.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(super) struct Panel {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) title: String,
    /// The baseline's value, where others are a ratio of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) base: Option<f64>,
    #[serde(skip)]
    pub(super) x: Ruler,
    #[serde(skip)]
    pub(super) y: Ruler,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rows: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lines: Vec<Line>,
    /// Moments marked on the horizontal axis.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<Event>,
    /// Ranges of the horizontal axis that are shaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) shaded: Vec<(f64, f64)>,
    /// Strips of bars below the plot, along the same horizontal axis.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) strips: Vec<Strip>,
    /// Bars in lanes from top to bottom, in place of lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) lanes: Vec<Lane>,
    /// A vertical line across all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<Event>,
}

impl Panel {
    /// A panel whose axis reaches beyond all marks.
    pub(super) fn of_rows(title: String, rows: Vec<Row>) -> Self {
        let ends = rows.iter().flat_map(|row| &row.marks).map(Mark::end);
        Panel {
            title,
            x: Ruler::linear(axis_end(ends)),
            rows,
            ..Panel::default()
        }
    }

    pub(super) fn has_marks(&self) -> bool {
        self.rows.iter().any(|row| !row.marks.is_empty())
    }
}

/// Bars below a plot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Strip {
    /// Stands beside it; empty where the legend says it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    /// From, to, and the value between them.
    pub(super) bars: Vec<(f64, f64, f64)>,
}

impl Strip {
    /// The highest value.
    pub(super) fn max(&self) -> f64 {
        self.bars.iter().map(|(_, _, value)| *value).fold(0.0, f64::max)
    }
}

/// A lane of bars with its name at the vertical axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Lane {
    pub(super) name: String,
    /// From, to, and the name of what the bar stands for.
    pub(super) bars: Vec<LaneBar>,
}

/// A bar of a lane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct LaneBar {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) name: String,
    #[serde(skip)]
    pub(super) ink: Ink,
}

/// A row, most often a configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    /// The configuration; in a comparison of runs the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) c: Option<usize>,
    pub(super) label: String,
    /// The figure in words.
    pub(super) value: String,
    pub(super) marks: Vec<Mark>,
}

/// Something drawn on a row's track.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "k", rename_all = "lowercase")]
pub(super) enum Mark {
    /// An interval with its point.
    Interval { low: f64, point: f64, high: f64 },
    /// A trial.
    Dot {
        x: f64,
        /// Its number.
        #[serde(skip_serializing_if = "Option::is_none")]
        t: Option<u32>,
        #[serde(skip_serializing_if = "is_false")]
        hollow: bool,
        #[serde(skip)]
        shape: usize,
    },
    /// A piece of a bar.
    Bar {
        from: f64,
        to: f64,
        name: String,
        #[serde(skip)]
        ink: Ink,
    },
    /// An interval as a thin line with ends.
    Whisker { low: f64, high: f64 },
}

impl Mark {
    /// An estimate in its interval.
    pub(super) fn estimate(estimate: Estimate) -> Self {
        let point = estimate.point;
        let (low, high) = estimate.interval.unwrap_or((point, point));
        Mark::Interval { low, point, high }
    }

    /// Pieces of a bar, one behind the other: their lengths, inks and names.
    pub(super) fn stacked(pieces: impl IntoIterator<Item = (f64, Ink, String)>) -> Vec<Self> {
        let mut from = 0.0;
        let piece = |(length, ink, name)| {
            let to = from + length;
            let bar = Mark::Bar { from, to, name, ink };
            from = to;
            bar
        };
        pieces.into_iter().map(piece).collect()
    }

    /// The largest value that it reaches.
    fn end(&self) -> f64 {
        match self {
            Mark::Interval { high, .. } | Mark::Whisker { high, .. } => *high,
            Mark::Dot { x, .. } => *x,
            Mark::Bar { to, .. } => *to,
        }
    }
}

/// A line with what marks it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(super) struct Line {
    /// Its configurations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) c: Vec<usize>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) points: Vec<(f64, f64)>,
    /// Where it has markers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) marked: Vec<Spot>,
    /// Where it has hollow ones; above the axis where there is no figure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) open: Vec<Spot>,
    /// Vertical intervals: x, low, high.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) intervals: Vec<(f64, f64, f64)>,
    /// A shaded band around it, paler where it is dashed: x, low, high.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) band: Vec<(f64, f64, f64)>,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) dashed: bool,
    /// The point with a ring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) best: Option<(f64, f64)>,
    /// Whether its name stands beside its last point.
    #[serde(skip)]
    pub(super) is_named: bool,
    #[serde(skip)]
    pub(super) ink: Ink,
    #[serde(skip)]
    pub(super) width: f64,
    /// The shape of its markers, which also stands before its name.
    #[serde(skip)]
    pub(super) shape: usize,
}

/// A marked point and, where the line has several configurations, its own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Spot(pub(super) f64, pub(super) f64, pub(super) Option<usize>);

impl Spot {
    /// Spots of a line of one configuration.
    pub(super) fn all(points: impl IntoIterator<Item = (f64, f64)>) -> Vec<Self> {
        points.into_iter().map(|(x, y)| Spot(x, y, None)).collect()
    }
}

impl Line {
    /// A plain line.
    pub(super) fn through(points: Vec<(f64, f64)>, ink: Ink) -> Self {
        Line {
            points,
            ink,
            width: 2.0,
            ..Line::default()
        }
    }

    /// The name beside its last point; empty where it has none there.
    pub(super) fn label(&self) -> &str {
        if self.is_named { &self.name } else { "" }
    }
}

/// A place on the horizontal axis with its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Event {
    pub(super) x: f64,
    pub(super) text: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
