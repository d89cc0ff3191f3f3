//! What is concluded of a configuration, in the words and the tone that every form of a report shows.

use std::fmt;

use super::format::{UNKNOWN, rate, significant};
use super::table::{Cell, Tone};
use crate::stats::{Estimate, is_material};
use crate::summary::{Undecided, Verdict};

/// A verdict, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Conclusion {
    /// Others are compared with it.
    Baseline,
    /// Nothing is known of it.
    Unknown,
    Same,
    /// Materially: beyond the practical threshold.
    Faster {
        materially: bool,
    },
    Slower {
        materially: bool,
    },
    /// And why.
    Undecided(Option<Undecided>),
    /// The readers fell behind.
    Overloaded {
        lag_growth_per_second: f64,
    },
    /// The producers were too slow. Records per second.
    LoadNotReached {
        sent: f64,
        offered: f64,
    },
    UnreadRecords,
    /// It holds the load, and its baseline does not.
    HoldsAlone,
    BaselineWithoutFigure,
}

impl Conclusion {
    /// A verdict that rests on this ratio.
    pub(super) fn of(verdict: Verdict, ratio: Option<Estimate>, threshold: f64) -> Self {
        let interval = ratio.and_then(|ratio| ratio.interval);
        let materially = interval.is_some_and(|interval| is_material(interval, threshold));
        match verdict {
            Verdict::Same => Conclusion::Same,
            Verdict::Faster => Conclusion::Faster { materially },
            Verdict::Slower => Conclusion::Slower { materially },
            Verdict::Undecided => Conclusion::Undecided(None),
        }
    }

    fn tone(self) -> Tone {
        match self {
            Conclusion::Baseline | Conclusion::Unknown | Conclusion::Same => Tone::Plain,
            Conclusion::Faster { .. } | Conclusion::HoldsAlone => Tone::Good,
            Conclusion::Slower { .. } => Tone::Bad,
            Conclusion::Undecided(_)
            | Conclusion::Overloaded { .. }
            | Conclusion::LoadNotReached { .. }
            | Conclusion::UnreadRecords
            | Conclusion::BaselineWithoutFigure => Tone::Caution,
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match *self {
            Conclusion::Baseline => "baseline",
            Conclusion::Unknown => UNKNOWN,
            Conclusion::Same => "same",
            Conclusion::Faster { materially: true } => "materially faster",
            Conclusion::Faster { materially: false } => "faster",
            Conclusion::Slower { materially: true } => "materially slower",
            Conclusion::Slower { materially: false } => "slower",
            Conclusion::Undecided(None) => "undecided",
            Conclusion::Undecided(Some(Undecided::NoFigures)) => "no figures to compare",
            Conclusion::Undecided(Some(Undecided::Failures { .. })) => "no verdict: trials failed",
            Conclusion::Undecided(Some(Undecided::Behind { .. })) => "no verdict: fell behind",
            Conclusion::Undecided(Some(Undecided::TooFewBlocks { .. })) => "not enough blocks yet",
            Conclusion::Undecided(Some(Undecided::TooClose { .. })) => "too close to call",
            Conclusion::Overloaded { lag_growth_per_second } => {
                return write!(out, "overloaded: lag grows by {}", rate(lag_growth_per_second));
            }
            Conclusion::LoadNotReached { sent, offered } => {
                let (sent, offered) = (significant(sent, 3), significant(offered, 3));
                return write!(out, "load not reached: {sent} of {offered} /s");
            }
            Conclusion::UnreadRecords => "unread records",
            Conclusion::HoldsAlone => "holds, its baseline does not",
            Conclusion::BaselineWithoutFigure => "baseline has no figure",
        };
        out.write_str(words)
    }
}

impl From<Conclusion> for Cell {
    fn from(conclusion: Conclusion) -> Self {
        Cell {
            text: conclusion.to_string(),
            tone: conclusion.tone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_material_only_beyond_the_threshold() {
        let text = |verdict, interval| {
            let ratio = Estimate {
                point: 1.0,
                interval: Some(interval),
                observations: 8,
            };
            Conclusion::of(verdict, Some(ratio), 0.03).to_string()
        };
        assert_eq!(text(Verdict::Faster, (1.01, 1.2)), "faster");
        assert_eq!(text(Verdict::Faster, (1.04, 1.2)), "materially faster");
        assert_eq!(text(Verdict::Slower, (0.5, 0.99)), "slower");
        assert_eq!(text(Verdict::Slower, (0.5, 0.96)), "materially slower");
    }

    #[test]
    fn only_a_verdict_is_good_or_bad() {
        let tone = |conclusion: Conclusion| Cell::from(conclusion).tone;
        assert_eq!(tone(Conclusion::Faster { materially: false }), Tone::Good);
        assert_eq!(tone(Conclusion::Slower { materially: true }), Tone::Bad);
        assert_eq!(tone(Conclusion::Undecided(None)), Tone::Caution);
        assert_eq!(tone(Conclusion::BaselineWithoutFigure), Tone::Caution);
        assert_eq!(tone(Conclusion::Baseline), Tone::Plain);
    }
}
