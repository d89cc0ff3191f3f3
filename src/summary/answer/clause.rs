//! One comparison of an answer: what is compared, what came out, and its words.

use super::names::listed_labels;
use super::terms::Terms;
use crate::figures::{Better, Unit};
use crate::stats::Estimate;
use crate::summary::numbers::{figure, interval, time, times};
use crate::summary::undecided::Undecided;
use crate::verdict::{Comparison, Effect, Metric, Verdict};
use crate::wording::joined;

/// A comparison with the names of what it compares.
#[derive(Debug, Clone)]
pub(super) struct Clause<'a> {
    /// What both have in common: `with work=none`; may be empty.
    pub(super) context: String,
    pub(super) subject: String,
    pub(super) base: String,
    pub(super) comparison: &'a Comparison,
    /// Why it has no verdict.
    pub(super) why: Option<Undecided>,
    /// The same pair by stopwatch.
    pub(super) stopwatch: Option<&'a Comparison>,
}

impl Clause<'_> {
    pub(super) fn is_better(&self) -> bool {
        self.comparison.verdict == Verdict::Faster
    }

    /// How much better it is by what was measured, about 0, whatever the verdict.
    pub(super) fn point(&self) -> f64 {
        gained(self.comparison).unwrap_or(f64::NEG_INFINITY)
    }

    /// Whether it may be as good as this one, the best: their intervals are not apart.
    pub(super) fn rivals(&self, best: &Clause) -> bool {
        let meets = match (self.comparison.gain(), best.comparison.gain()) {
            (Some((_, high)), Some((low, _))) => high >= low,
            _ => false,
        };
        (meets || self.point() >= best.point()) && self.is_better() == best.is_better()
    }

    /// The complete statement, without its context: `"two processes" reads 1.42 times as fast as "one process"`.
    pub(super) fn stated(&self, terms: &Terms) -> String {
        let (subject, base) = (&self.subject, &self.base);
        match self.comparison.verdict {
            Verdict::Same => format!("{subject} {} {base}", terms.same),
            Verdict::Undecided => {
                let both = listed_labels(&[subject.clone(), base.clone()]);
                format!("{both} {}", predicate(self.comparison, self.why, terms, None, false))
            }
            Verdict::Faster | Verdict::Slower => self.measured(terms, false),
        }
    }

    /// What was measured, in the direction in which it lies.
    pub(super) fn measured(&self, terms: &Terms, with_interval: bool) -> String {
        let (subject, base) = (&self.subject, &self.base);
        let Some(amount) = Amount::of(self.comparison, terms) else {
            return format!("{subject} has no figure beside {base}");
        };
        let interval = if with_interval { &*amount.interval } else { "" };
        let (word, than) = amount.word;
        let said = [subject, terms.does, &amount.size, word, terms.object, than, base];
        joined(said, " ") + interval
    }

    /// The subject, without the key where what it is compared with has the same one and the value is a word: `lz4`.
    pub(super) fn brief(&self) -> &str {
        let is_word = |value: &str| !value.starts_with(|first: char| first.is_ascii_digit());
        self.value().filter(|value| is_word(value)).unwrap_or(&self.subject)
    }

    /// The value of the only key in which it differs from what it is compared with: `lz4`, `4`.
    pub(super) fn value(&self) -> Option<&str> {
        let (key, value) = self.subject.split_once('=')?;
        let shares_key = self.base.split_once('=').is_some_and(|(other, _)| other == key);
        (shares_key && !key.contains(' ') && !value.contains('=')).then_some(value)
    }
}

/// How far a configuration is from its baseline, as it is said: a ratio below 1 is turned, with the word of the other
/// direction, and a difference has no sign.
pub(super) struct Amount {
    /// `1.42 times`, `12.0 ms`.
    pub(super) size: String,
    /// `shorter` with `than`.
    pub(super) word: (&'static str, &'static str),
    /// ` [1.38, 1.46]`; may be empty.
    pub(super) interval: String,
}

impl Amount {
    pub(super) fn of(comparison: &Comparison, terms: &Terms) -> Option<Self> {
        let is_better = gained(comparison)? >= 0.0;
        let word = if is_better { terms.better } else { terms.worse };
        Some(match comparison.effect? {
            Effect::Ratio(ratio) => {
                let ratio = if is_better { ratio } else { ratio.map(f64::recip) };
                Amount {
                    size: times(ratio.point),
                    word,
                    interval: interval(ratio),
                }
            }
            Effect::Difference(difference) => {
                let turned = if difference.point < 0.0 {
                    difference.map(|value| -value)
                } else {
                    difference
                };
                Amount {
                    size: size(comparison.metric, turned.point),
                    word,
                    interval: ends(comparison.metric, turned),
                }
            }
        })
    }
}

/// How much better it is, about 0: the logarithm of the ratio, or the difference, turned where less is better.
fn gained(comparison: &Comparison) -> Option<f64> {
    Some(match comparison.effect? {
        Effect::Ratio(ratio) => ratio.point.ln(),
        Effect::Difference(difference) if comparison.metric.comparing().better == Better::Less => -difference.point,
        Effect::Difference(difference) => difference.point,
    })
}

/// A size in the unit of a metric's figure: `12.0 ms`. Things that are counted stand before their noun.
pub(super) fn size(metric: Metric, value: f64) -> String {
    let unit = metric.figure().figure().unit;
    match unit {
        Unit::Seconds => time(value * 1e3),
        Unit::Milliseconds => time(value),
        Unit::Microseconds => time(value / 1e3),
        Unit::Records | Unit::Members | Unit::Offsets => figure(value),
        _ => format!("{} {}", figure(value), unit.name()),
    }
}

fn ends(metric: Metric, difference: Estimate) -> String {
    difference.interval.map_or(String::new(), |(low, high)| {
        format!(" [{}, {}]", signed(metric, low), signed(metric, high))
    })
}

fn signed(metric: Metric, value: f64) -> String {
    if value < 0.0 {
        format!("-{}", size(metric, -value))
    } else {
        size(metric, value)
    }
}

/// What is said of one configuration, or of several, without what they are compared with: `reads 1.32 times as fast`,
/// `make no difference`. Only its size where the statement before has the same verb and word.
pub(super) fn predicate(
    comparison: &Comparison,
    why: Option<Undecided>,
    terms: &Terms,
    before: Option<Verdict>,
    is_one: bool,
) -> String {
    let (verb, rest) = match (comparison.verdict, why, Amount::of(comparison, terms)) {
        (Verdict::Same, _, _) => (["make", "makes"], "no difference"),
        (Verdict::Undecided, Some(Undecided::TooClose { .. }) | None, _) => (["are", "is"], "too close to call"),
        (Verdict::Undecided, Some(Undecided::TooFewBlocks { .. }), _) => (["have", "has"], "not enough blocks yet"),
        (Verdict::Undecided, Some(Undecided::Failures { .. } | Undecided::Behind { .. }), _) => {
            (["have", "has"], "no verdict")
        }
        (Verdict::Undecided, Some(Undecided::NoFigures), _) | (_, _, None) => (["have", "has"], "no figure"),
        (verdict, _, Some(amount)) if before == Some(verdict) => return amount.size,
        (_, _, Some(amount)) => {
            let said = [terms.does, &amount.size, amount.word.0, terms.object];
            return joined(said, " ");
        }
    };
    format!("{} {rest}", verb[usize::from(is_one)])
}
