//! What came out, in sentences.

use super::model::{Measure, RunComparison, RunFacts, RunVerdict};
use crate::stats::{Estimate, is_material};
use crate::summary::answer::Terms;
use crate::summary::numbers::{interval, times};
use crate::verdict::Verdict;
use crate::wording::{joined, plural};

/// A sentence per run and measure.
pub(super) fn answer(comparison: &RunComparison) -> Vec<String> {
    let others = comparison.runs.iter().skip(1);
    others.flat_map(|run| about(comparison, run)).collect()
}

fn about(comparison: &RunComparison, run: &RunFacts) -> Vec<String> {
    let name = &run.name;
    if let Some(first) = &run.same_as {
        return vec![format!(
            "{name} is the same run as {first}, trial for trial: everything is the same."
        )];
    }
    let verdicts = |measure: Measure| -> Vec<&RunVerdict> {
        let all = comparison.verdicts.iter();
        all.filter(|v| v.run == *name && v.measure == measure).collect()
    };
    let measures = comparison.measures().into_iter();
    measures
        .filter_map(|measure| sentence(comparison, name, measure, &verdicts(measure)))
        .collect()
}

fn sentence(comparison: &RunComparison, name: &str, measure: Measure, verdicts: &[&RunVerdict]) -> Option<String> {
    let terms = terms(measure);
    if let [only] = verdicts {
        let what = match only.ratio {
            Some(ratio) => format!("{name} {}", compared(ratio, &terms, true)),
            None => format!("{name} cannot be compared with A by {}", noun(measure)),
        };
        let word = word(only, &terms, comparison.threshold);
        let note = only.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
        return Some(format!("{what}: {word}{note}."));
    }
    let total = verdicts.len();
    let kinds = [
        (Verdict::Slower, decided(&terms, false)),
        (Verdict::Faster, decided(&terms, true)),
        (Verdict::Same, "the same".to_owned()),
        (Verdict::Undecided, "undecided".to_owned()),
    ];
    let clauses: Vec<String> = kinds
        .iter()
        .filter_map(|(kind, word)| {
            let alike: Vec<&&RunVerdict> = verdicts.iter().filter(|v| v.verdict == *kind).collect();
            (!alike.is_empty()).then(|| format!("{word} in {}{}", alike.len(), farthest(*kind, &alike, &terms)))
        })
        .collect();
    (total > 0).then(|| {
        format!(
            "{name} against A by {}, of {total} configurations: {}.",
            noun(measure),
            clauses.join("; ")
        )
    })
}

/// The largest difference of those that are faster or slower.
fn farthest(kind: Verdict, verdicts: &[&&RunVerdict], terms: &Terms) -> String {
    if !matches!(kind, Verdict::Faster | Verdict::Slower) {
        return String::new();
    }
    let far = |v: &RunVerdict| v.ratio.map_or(0.0, |ratio| ratio.point.ln().abs());
    let most = verdicts.iter().max_by(|a, b| far(a).total_cmp(&far(b)));
    most.and_then(|v| Some((v, v.ratio?)))
        .map_or(String::new(), |(v, ratio)| {
            let lead = if verdicts.len() > 1 { "most in " } else { "" };
            format!(" ({lead}{}: {})", v.configuration, compared(ratio, terms, false))
        })
}

/// The words of a measure.
fn terms(measure: Measure) -> Terms {
    let of_capacity = || Terms::of_verb("holds a rate", ("as high", "as"), "high", ["higher", "lower"]);
    measure.metric().map_or_else(of_capacity, Terms::of)
}

/// What a measure is in a sentence.
fn noun(measure: Measure) -> &'static str {
    measure.metric().map_or("capacity", |metric| &metric.comparing().noun)
}

/// `faster`, `less client CPU`.
fn decided(terms: &Terms, is_better: bool) -> String {
    joined([terms.are[usize::from(!is_better)], terms.object], " ")
}

fn word(verdict: &RunVerdict, terms: &Terms, threshold: f64) -> String {
    let interval = verdict.ratio.and_then(|ratio| ratio.interval);
    let material = interval.is_some_and(|interval| is_material(interval, threshold));
    let materially = if material { "materially " } else { "" };
    match verdict.verdict {
        Verdict::Faster => format!("{materially}{}", decided(terms, true)),
        Verdict::Slower => format!("{materially}{}", decided(terms, false)),
        Verdict::Same => "no difference worth having".to_owned(),
        Verdict::Undecided => "undecided".to_owned(),
    }
}

/// `1.20 times as fast [1.18, 1.22]`, with a verb `reads 1.20 times as fast as A`; a ratio below 1 is turned: `3.40 times
/// slower [3.30, 3.50]`.
fn compared(ratio: Estimate, terms: &Terms, with_verb: bool) -> String {
    let is_better = ratio.point >= 1.0;
    let ratio = if is_better { ratio } else { ratio.map(f64::recip) };
    let (word, than) = if is_better { terms.better } else { terms.worse };
    let (does, than, a) = if with_verb {
        (terms.does, than, "A")
    } else {
        ("", "", "")
    };
    joined([does, &times(ratio.point), word, terms.object, than, a], " ") + &interval(ratio)
}

/// What runs made at different times cannot say.
pub(super) fn caution(comparison: &RunComparison) -> Option<String> {
    let is_other = |run: &&RunFacts| run.same_as.is_none();
    let others: Vec<&RunFacts> = comparison.runs.iter().skip(1).filter(is_other).collect();
    if others.is_empty() {
        return None;
    }
    let first = comparison.runs.first()?;
    let gap = others.iter().filter_map(|run| gap_seconds(first, run)).max();
    let apart = gap.map_or(String::new(), |seconds| format!(", {} apart", time(seconds)));
    Some(format!(
        "The runs were made at different times{apart}. Intervals and p hold how trials vary within each run, and not how \
         the machine and its company changed from one run to the other: a verdict may be about that. To be sure, \
         measure both in the same blocks: tandem run FILE --binary OLD,NEW, or --against HOST:PORT for two clusters."
    ))
}

/// Seconds from the end of the earlier run to the beginning of the later one; 0 where they overlap.
fn gap_seconds(one: &RunFacts, other: &RunFacts) -> Option<i64> {
    let between = |end: jiff::Timestamp, begin: jiff::Timestamp| begin.as_second() - end.as_second();
    let after = between(one.last_trial_at?, other.first_trial_at?);
    let before = between(other.last_trial_at?, one.first_trial_at?);
    Some(after.max(before).max(0))
}

fn time(seconds: i64) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let unit = units
        .into_iter()
        .find(|(length, _)| seconds >= *length)
        .unwrap_or((1, "second"));
    plural(seconds / unit.0, unit.1)
}
