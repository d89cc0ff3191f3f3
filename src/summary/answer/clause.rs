//! One comparison of an answer: what is compared, what came out, and its words.

use super::terms::Terms;
use crate::stats::Estimate;
use crate::summary::numbers::{interval, times};
use crate::summary::undecided::Undecided;
use crate::verdict::{Comparison, Verdict};

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

    /// How much better it is by what was measured, whatever the verdict.
    pub(super) fn point(&self) -> f64 {
        self.comparison.ratio.map_or(0.0, |ratio| ratio.point)
    }

    /// Orders comparisons with a verdict that they are better before all others.
    pub(super) fn rank(&self) -> f64 {
        let first = if self.is_better() { 0.0 } else { f64::MIN_POSITIVE.ln() };
        first + self.point().max(f64::MIN_POSITIVE).ln()
    }

    /// Whether it may be as good as this one, the best, by the interval of either.
    pub(super) fn rivals(&self, best: &Clause) -> bool {
        let reaches = |one: &Clause, other: f64| {
            let interval = one.comparison.ratio.and_then(|ratio| ratio.interval);
            interval.is_some_and(|(low, high)| (low..=high).contains(&other))
        };
        let as_good = self.point() >= best.point() || reaches(self, best.point()) || reaches(best, self.point());
        as_good && self.is_better() == best.is_better()
    }

    /// The complete statement, without its context: `"two processes" reads 1.42 times as fast as "one process"`.
    pub(super) fn stated(&self, terms: &Terms) -> String {
        let (subject, base) = (&self.subject, &self.base);
        match (self.comparison.verdict, &self.why) {
            (Verdict::Same, _) => format!("{subject} {} {base}", terms.same),
            (Verdict::Undecided, Some(Undecided::TooClose { .. })) => {
                format!("{subject} and {base} are too close to call")
            }
            (Verdict::Undecided, _) => format!("there is no verdict on {subject} against {base}"),
            (Verdict::Faster | Verdict::Slower, _) => self.measured(terms, false),
        }
    }

    /// What was measured, in the direction in which it lies.
    pub(super) fn measured(&self, terms: &Terms, with_interval: bool) -> String {
        let (subject, base) = (&self.subject, &self.base);
        let Some(ratio) = self.comparison.ratio else {
            return format!("{subject} has no figure beside {base}");
        };
        let (ratio, (word, than)) = turned(ratio, terms);
        let interval = if with_interval { interval(ratio) } else { String::new() };
        let object = if terms.object.is_empty() {
            String::new()
        } else {
            format!(" {}", terms.object)
        };
        let (does, times) = (terms.does, times(ratio.point));
        format!("{subject} {does} {times} {word}{object} {than} {base}{interval}")
    }

    /// The same behind another statement: `1.32 times`, `no difference`.
    pub(super) fn short(&self, terms: &Terms, before: Option<Verdict>) -> String {
        short(self.comparison, self.why, terms, before)
    }
}

/// A ratio without what it compares; without its word where the statement `before` has it.
pub(super) fn short(
    comparison: &Comparison,
    why: Option<Undecided>,
    terms: &Terms,
    before: Option<Verdict>,
) -> String {
    match (comparison.verdict, comparison.ratio) {
        (Verdict::Same, _) => "no difference".to_owned(),
        (Verdict::Undecided, _) => why_short(why).to_owned(),
        (_, None) => "no figure".to_owned(),
        (verdict, Some(ratio)) => {
            let (ratio, (word, _)) = turned(ratio, terms);
            if before == Some(verdict) {
                times(ratio.point)
            } else {
                format!("{} {word}", times(ratio.point))
            }
        }
    }
}

fn why_short(why: Option<Undecided>) -> &'static str {
    match why {
        Some(Undecided::NoFigures) => "no figure",
        Some(Undecided::Failures { .. } | Undecided::Behind { .. }) => "no verdict",
        Some(Undecided::TooFewBlocks { .. }) => "not enough blocks yet",
        Some(Undecided::TooClose { .. }) | None => "too close to call",
    }
}

/// A ratio as it is said: one below 1 is turned, with the word of the other direction.
pub(super) fn turned(ratio: Estimate, terms: &Terms) -> (Estimate, (&'static str, &'static str)) {
    if ratio.point < 1.0 {
        (ratio.map(f64::recip), terms.worse)
    } else {
        (ratio, terms.better)
    }
}
