//! Ratios and intervals as the answer writes them.

use crate::stats::Estimate;
use crate::verdict::{Comparison, Verdict};

/// Comparisons with one baseline that are reported one by one; of more, the best one and counts.
pub(super) const SENTENCES_MAX: usize = 4;

/// `1.99 times`.
pub(super) fn times(ratio: Estimate) -> String {
    format!("{} times", figure(ratio.point))
}

/// ` [1.97, 2.01]`, or nothing where there is none.
pub(super) fn interval(ratio: Estimate) -> String {
    ratio.interval.map_or(String::new(), |(low, high)| {
        format!(" [{}, {}]", figure(low), figure(high))
    })
}

/// Three significant digits or so, as ratios are read.
pub(super) fn figure(ratio: f64) -> String {
    match ratio {
        r if r < 0.1 => format!("{r:.3}"),
        r if r < 10.0 => format!("{r:.2}"),
        r if r < 100.0 => format!("{r:.1}"),
        r => format!("{r:.0}"),
    }
}

/// A share in percent without idle decimals: `3`, `2.5`.
pub(super) fn percent(share: f64) -> String {
    format!("{}", (share * 1000.0).round() / 10.0)
}

/// `2 faster, 1 undecided`, by these words for each verdict.
pub(super) fn counts<'a>(comparisons: impl Iterator<Item = &'a Comparison>, words: [(Verdict, &str); 4]) -> String {
    let verdicts: Vec<Verdict> = comparisons.map(|comparison| comparison.verdict).collect();
    let counts = words.map(|(verdict, word)| (verdicts.iter().filter(|other| **other == verdict).count(), word));
    let counts = counts.iter().filter(|(number, _)| *number > 0);
    let counts: Vec<String> = counts.map(|(number, word)| format!("{number} {word}")).collect();
    counts.join(", ")
}
