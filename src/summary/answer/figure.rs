//! The answer where the scenario names the figure by which configurations are compared.

use super::numbers::{SENTENCES_MAX, counts, figure, percent};
use super::writer::Writer;
use crate::figures::Better;
use crate::scenario::Scenario;
use crate::stats::Estimate;
use crate::verdict::{Comparison, Effect, Metric, Verdict};
use crate::wording::{capitalised, plural};

impl Writer<'_> {
    /// A baseline with everything that is compared with it.
    pub(super) fn about_figure(&self, baseline: usize, metric: Metric) -> String {
        let is_about_it = |c: &&Comparison| c.metric == metric && c.baseline == baseline;
        let mut against: Vec<&Comparison> = self.comparisons.iter().filter(is_about_it).collect();
        let held = self.held_equal(&against);
        let context = self.context(baseline, &held);
        let lead = context.map_or(String::new(), |context| format!("with {context}, "));
        if against.len() <= SENTENCES_MAX {
            let clauses: Vec<String> = against.iter().map(|c| self.figure_clause(c, &held)).collect();
            return format!("{}.", capitalised(&format!("{lead}{}", clauses.join("; "))));
        }
        let middle = |c: &&Comparison| c.gain().map_or(f64::NEG_INFINITY, |(low, high)| low + high);
        against.sort_by(|a, b| middle(b).total_cmp(&middle(a)));
        let (best, others) = (against[0], &against[1..]);
        let comparing = metric.comparing();
        let (better, worse) = (comparing.verdict(true), comparing.verdict(false));
        let words = [
            (Verdict::Faster, &*better),
            (Verdict::Slower, &*worse),
            (Verdict::Same, "without a difference worth having"),
            (Verdict::Undecided, "undecided"),
        ];
        let clause = self.figure_clause(best, &held);
        let counts = counts(others.iter().copied(), words);
        let first = capitalised(&format!("{lead}{clause}"));
        format!(
            "{first}; that is the best of those compared. Of the {} others: {counts}.",
            others.len()
        )
    }

    /// `client CPU is 1.31 times less with "zstd" than with "none" [1.25, 1.37]`.
    fn figure_clause(&self, comparison: &Comparison, held: &[usize]) -> String {
        let comparing = comparison.metric.comparing();
        let [base, subject] = [comparison.baseline, comparison.configuration].map(|c| self.label(c, held));
        let Some(effect) = comparison.effect else {
            return format!("no answer for {subject}, since no complete block has a figure of both it and {base}");
        };
        let (amount, is_better, interval) = amount(comparison, effect);
        let far = format!("{amount} {}", comparing.adjective(is_better));
        let how_far = format!("{} is {far} with {subject} than with {base}{interval}", comparing.noun);
        match comparison.verdict {
            Verdict::Faster | Verdict::Slower if comparison.is_material(self.scenario) => how_far,
            Verdict::Faster | Verdict::Slower => {
                format!("{how_far}, though perhaps by less than {}", threshold(self.scenario))
            }
            Verdict::Same => format!("no difference worth having: {how_far}"),
            Verdict::Undecided => {
                let why = self.why_undecided(comparison);
                let why = why.map_or(String::new(), |why| format!("; {why}"));
                let blocks = plural(comparison.blocks, "block");
                format!("undecided after {blocks}: {how_far}{why}")
            }
        }
    }
}

/// `1.31 times` or `12 ms`, always a gain or a loss of so much, whether it is a gain, and its interval.
fn amount(comparison: &Comparison, effect: Effect) -> (String, bool, String) {
    let bracketed = |estimate: Estimate| {
        let text = |(low, high)| format!(" [{}, {}]", signed(low), signed(high));
        estimate.interval.map_or(String::new(), text)
    };
    match effect {
        Effect::Ratio(ratio) => {
            let is_better = ratio.point >= 1.0;
            let turned = if is_better { ratio } else { ratio.map(f64::recip) };
            (format!("{} times", figure(turned.point)), is_better, bracketed(turned))
        }
        Effect::Difference(difference) => {
            let is_higher = difference.point >= 0.0;
            let size = if is_higher {
                difference
            } else {
                difference.map(|value| -value)
            };
            let unit = comparison.metric.figure().figure().unit.name();
            let is_better = is_higher == (comparison.metric.comparing().better != Better::Less);
            (format!("{} {unit}", figure(size.point)), is_better, bracketed(size))
        }
    }
}

fn signed(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}", figure(value.abs()))
}

/// The practical threshold in words.
fn threshold(scenario: &Scenario) -> String {
    let chosen = scenario
        .metric
        .and_then(|chosen| Some((chosen.figure, chosen.difference?)));
    match chosen {
        Some((figure, difference)) => format!("{difference} {}", figure.figure().unit.name()),
        None => format!("{} %", percent(scenario.threshold)),
    }
}
