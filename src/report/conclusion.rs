//! What is concluded of a configuration, in the words and the tone that every form of a report shows.

use std::fmt;

use super::format::{UNKNOWN, rate, significant};
use super::table::{Cell, Tone};
use crate::stats::{Estimate, is_material};
use crate::summary::Verdict;
use crate::wording::plural;

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
    /// With the number of blocks that would probably decide it, where that is known.
    Undecided {
        blocks_more: Option<u32>,
    },
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
    BaselineOverloaded,
    BaselineWithoutFigure,
    NothingToCompare,
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
            Verdict::Undecided => Conclusion::Undecided { blocks_more: None },
        }
    }

    fn tone(self) -> Tone {
        match self {
            Conclusion::Baseline | Conclusion::Unknown | Conclusion::Same => Tone::Plain,
            Conclusion::Faster { .. } => Tone::Good,
            Conclusion::Slower { .. } => Tone::Bad,
            Conclusion::Undecided { .. }
            | Conclusion::Overloaded { .. }
            | Conclusion::LoadNotReached { .. }
            | Conclusion::UnreadRecords
            | Conclusion::BaselineOverloaded
            | Conclusion::BaselineWithoutFigure
            | Conclusion::NothingToCompare => Tone::Caution,
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
            Conclusion::Undecided { blocks_more: None } => "undecided",
            Conclusion::Undecided {
                blocks_more: Some(more),
            } => {
                let more = plural(u64::from(more), "more block");
                return write!(out, "undecided (about {more} would decide)");
            }
            Conclusion::Overloaded { lag_growth_per_second } => {
                return write!(out, "overloaded: lag grows by {}", rate(lag_growth_per_second));
            }
            Conclusion::LoadNotReached { sent, offered } => {
                let (sent, offered) = (significant(sent, 3), significant(offered, 3));
                return write!(out, "load not reached: {sent} of {offered} /s");
            }
            Conclusion::UnreadRecords => "unread records",
            Conclusion::BaselineOverloaded => "baseline overloaded",
            Conclusion::BaselineWithoutFigure => "baseline has no figure",
            Conclusion::NothingToCompare => "no figures to compare",
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
        assert_eq!(tone(Conclusion::Undecided { blocks_more: Some(3) }), Tone::Caution);
        assert_eq!(tone(Conclusion::BaselineOverloaded), Tone::Caution);
        assert_eq!(tone(Conclusion::Baseline), Tone::Plain);
    }
}
