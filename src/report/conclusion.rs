//! What is concluded of a configuration, in the words and the tone that every form of a report shows.

use std::fmt;

use super::format::{UNKNOWN, rate, significant};
use super::table::{Cell, Tone};
use crate::figures::{Better, Comparing};
use crate::summary::{Undecided, Verdict};

/// A verdict, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Conclusion {
    /// Others are compared with it.
    Baseline,
    /// Nothing is known of it.
    Unknown,
    Same,
    /// Materially: beyond the practical threshold. By what says how it is worded; a capacity has no such figure.
    Faster {
        materially: bool,
        by: Option<&'static Comparing>,
    },
    Slower {
        materially: bool,
        by: Option<&'static Comparing>,
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
    /// A verdict, whether it is one by the practical threshold, and by what.
    pub(super) fn of(verdict: Verdict, materially: bool, by: Option<&'static Comparing>) -> Self {
        match verdict {
            Verdict::Same => Conclusion::Same,
            Verdict::Faster => Conclusion::Faster { materially, by },
            Verdict::Slower => Conclusion::Slower { materially, by },
            Verdict::Undecided => Conclusion::Undecided(None),
        }
    }

    fn tone(self) -> Tone {
        match self {
            Conclusion::Baseline | Conclusion::Unknown | Conclusion::Same => Tone::Plain,
            Conclusion::Faster { by: Some(by), .. } | Conclusion::Slower { by: Some(by), .. }
                if by.better == Better::Neither =>
            {
                Tone::Plain
            }
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
            Conclusion::Faster { materially, by } => return out.write_str(&decided(true, materially, by)),
            Conclusion::Slower { materially, by } => return out.write_str(&decided(false, materially, by)),
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

/// `materially faster`, `less client CPU`.
fn decided(is_better: bool, materially: bool, by: Option<&Comparing>) -> String {
    let usual = ["slower", "faster"][usize::from(is_better)];
    let words = by.map_or_else(|| usual.to_owned(), |by| by.verdict(is_better));
    if materially {
        format!("materially {words}")
    } else {
        words
    }
}

impl From<Conclusion> for Cell {
    fn from(conclusion: Conclusion) -> Self {
        Cell::new(conclusion.to_string(), conclusion.tone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{FigureId, RESPONSE_P99};

    #[test]
    fn a_verdict_is_worded_as_its_figure_asks() {
        let text = |verdict, materially, id: FigureId| Conclusion::of(verdict, materially, id.comparing()).to_string();
        let time = FigureId::ReadSeconds;
        assert_eq!(text(Verdict::Faster, false, time), "faster");
        assert_eq!(text(Verdict::Slower, true, time), "materially slower");
        assert_eq!(text(Verdict::Faster, true, RESPONSE_P99), "materially faster");
        assert_eq!(
            text(Verdict::Faster, true, FigureId::ClientCpu),
            "materially less client CPU"
        );
        assert_eq!(
            text(Verdict::Slower, false, FigureId::Redelivered),
            "more redelivered records"
        );
        assert_eq!(
            text(Verdict::Faster, false, FigureId::RecordsPerSecond),
            "higher throughput"
        );
        assert_eq!(
            text(Verdict::Faster, false, FigureId::NotDelivered),
            "more offsets without a record"
        );
        assert_eq!(Conclusion::of(Verdict::Slower, false, None).to_string(), "slower");
    }

    #[test]
    fn only_a_verdict_is_good_or_bad() {
        let tone = |conclusion: Conclusion| Cell::from(conclusion).tone;
        let by = |verdict, id: FigureId| Conclusion::of(verdict, true, id.comparing());
        assert_eq!(tone(by(Verdict::Faster, FigureId::ReadSeconds)), Tone::Good);
        assert_eq!(tone(by(Verdict::Slower, FigureId::ClientCpu)), Tone::Bad);
        assert_eq!(tone(by(Verdict::Slower, FigureId::RecordBytes)), Tone::Plain);
        assert_eq!(tone(Conclusion::Undecided(None)), Tone::Caution);
        assert_eq!(tone(Conclusion::BaselineWithoutFigure), Tone::Caution);
        assert_eq!(tone(Conclusion::Baseline), Tone::Plain);
    }
}
