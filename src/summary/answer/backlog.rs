//! The answer where a backlog is read: how many times as fast, and whether a stopwatch agrees.

use super::numbers::{SENTENCES_MAX, counts, interval, percent, times};
use super::writer::Writer;
use crate::figures::FigureId;
use crate::stats::{Estimate, is_material};
use crate::verdict::{Comparison, Metric, Verdict};
use crate::wording::{capitalised, plural, thousands};

impl Writer<'_> {
    pub(super) fn about_backlog(&self, baseline: usize) -> String {
        let is_about_it = |c: &&Comparison| c.metric == Metric::READ_TIME && c.baseline == baseline;
        let against: Vec<&Comparison> = self.comparisons.iter().filter(is_about_it).collect();
        match against[..] {
            [] => self.alone(baseline),
            [only] => self.single(only),
            _ => self.several(baseline, &against),
        }
    }

    /// Nothing to compare with: the figure itself.
    fn alone(&self, configuration: usize) -> String {
        let name = self.label(configuration, &[]);
        let Some(rate) = self.summaries[configuration].estimate(FigureId::RecordsPerSecond) else {
            return format!("No answer: no trial of {name} can be used.");
        };
        let interval = rate.interval.map_or(String::new(), |(low, high)| {
            format!(" [{}, {}]", thousands(low), thousands(high))
        });
        format!(
            "{} reads {} records/s{interval}.",
            capitalised(&name),
            thousands(rate.point)
        )
    }

    fn single(&self, comparison: &Comparison) -> String {
        let held = self.held_in_lead(&[comparison]);
        let subject = self.label(comparison.configuration, &held);
        let baseline = self.label(comparison.baseline, &held);
        let context = self.context(comparison.baseline, &held);
        let Some(ratio) = comparison.ratio() else {
            let with = context.map_or(String::new(), |context| format!(" with {context}"));
            return format!("No answer{with}: no complete block has usable trials of both {subject} and {baseline}.");
        };
        let compared = if self.is_of_variants() {
            self.compared_variants(comparison, ratio)
        } else {
            let note = self.note(comparison);
            let (times, interval) = (times(ratio), interval(ratio));
            format!("{subject} reads {times} as fast as {baseline}{interval}{note}")
        };
        let with = |lead: &str| {
            context
                .as_ref()
                .map_or(lead.to_owned(), |context| format!("{lead} with {context}"))
        };
        let rest = self.stopwatch(comparison);
        let sentence = match comparison.verdict {
            Verdict::Faster | Verdict::Slower => {
                let lead = context
                    .as_ref()
                    .map_or(String::new(), |context| format!("With {context}, "));
                format!("{lead}{compared}: {}{rest}", self.verdict(comparison))
            }
            Verdict::Same => format!("{}: {compared}{rest}", with("No difference worth having")),
            Verdict::Undecided => {
                let blocks = plural(comparison.blocks, "block");
                let lead = with(&format!("Undecided after {blocks}"));
                let why = self
                    .why_undecided(comparison)
                    .map_or(String::new(), |why| format!("; {why}"));
                format!("{lead}: {compared}{why}{rest}")
            }
        };
        format!("{}.", capitalised(&sentence))
    }

    fn several(&self, baseline: usize, against: &[&Comparison]) -> String {
        let held = self.held_in_lead(against);
        let base = self.label(baseline, &held);
        let lead = match self.context(baseline, &held) {
            _ if self.is_of_variants() => self.variants_lead(baseline),
            Some(context) => format!("With {context}, against {base}: "),
            None => format!("Against {base}: "),
        };
        if against.len() <= SENTENCES_MAX {
            let clauses = against.iter().map(|c| self.one_of_several(c, &held));
            let sentence = |(index, clauses): (usize, String)| if index == 0 { clauses } else { capitalised(&clauses) };
            let clauses: Vec<String> = clauses.enumerate().map(sentence).collect();
            return format!("{lead}{}.", clauses.join(". "));
        }
        let measured = against.iter().filter(|c| c.ratio().is_some());
        let point = |c: &&&Comparison| c.ratio().map_or(0.0, |ratio| ratio.point);
        let Some(best) = measured.max_by(|a, b| point(a).total_cmp(&point(b))) else {
            return format!("{lead}no answer, since no complete block has usable trials to compare.");
        };
        let others = || {
            against
                .iter()
                .copied()
                .filter(|c| c.configuration != best.configuration)
        };
        let words = [
            (Verdict::Faster, "faster"),
            (Verdict::Slower, "slower"),
            (Verdict::Same, "without a difference worth having"),
            (Verdict::Undecided, "undecided"),
        ];
        let (number, counts) = (others().count(), counts(others(), words));
        let best = self.one_of_several(best, &held);
        format!("{lead}{best}; that is the highest figure of those compared. Of the {number} others: {counts}.")
    }

    fn one_of_several(&self, comparison: &Comparison, held: &[usize]) -> String {
        let subject = if self.is_of_variants() {
            format!("{} {} it", self.with(), self.variant(comparison.configuration))
        } else {
            self.label(comparison.configuration, held)
        };
        let Some(ratio) = comparison.ratio() else {
            return format!("{subject} has no answer, since no complete block has usable trials of both");
        };
        let verdict = match comparison.verdict {
            Verdict::Undecided => {
                let why = self
                    .why_undecided(comparison)
                    .map_or(String::new(), |why| format!("; {why}"));
                format!("undecided after {}{why}", plural(comparison.blocks, "block"))
            }
            _ => self.verdict(comparison),
        };
        let note = self.note(comparison);
        let stopwatch = self.stopwatch(comparison);
        format!(
            "{subject} reads {} as fast{}{note}: {verdict}{stopwatch}",
            times(ratio),
            interval(ratio)
        )
    }

    fn verdict(&self, comparison: &Comparison) -> String {
        let word = match comparison.verdict {
            Verdict::Faster => "faster",
            Verdict::Slower => "slower",
            Verdict::Same => return "no difference worth having".to_owned(),
            Verdict::Undecided => return "undecided".to_owned(),
        };
        let threshold = self.scenario.threshold;
        let interval = comparison.ratio().and_then(|ratio| ratio.interval);
        if interval.is_some_and(|interval| is_material(interval, threshold)) {
            word.to_owned()
        } else {
            format!("{word}, though perhaps by less than {} %", percent(threshold))
        }
    }

    /// With another number of groups another number of records is delivered: the time is compared, not that.
    fn note(&self, comparison: &Comparison) -> &'static str {
        let groups = |c| self.configuration(c).groups;
        if groups(comparison.configuration) == groups(comparison.baseline) {
            ""
        } else {
            " (by the time until every group has read everything)"
        }
    }

    /// What a stopwatch says, and whether it contradicts.
    fn stopwatch(&self, comparison: &Comparison) -> String {
        let is_its_stopwatch = |c: &&Comparison| {
            c.metric == Metric::STOPWATCH
                && (c.baseline, c.configuration) == (comparison.baseline, comparison.configuration)
        };
        let Some(stopwatch) = self.comparisons.iter().find(is_its_stopwatch) else {
            return String::new();
        };
        let Some(ratio) = stopwatch.ratio() else {
            return String::new();
        };
        let figure = format!("{}{}", times(ratio), interval(ratio));
        let including = "by stopwatch, which includes starting and joining:";
        match (comparison.verdict, stopwatch.verdict) {
            (Verdict::Faster | Verdict::Same, Verdict::Slower) => format!("; but slower {including} {figure}"),
            (Verdict::Slower | Verdict::Same, Verdict::Faster) => format!("; but faster {including} {figure}"),
            (Verdict::Faster | Verdict::Slower, Verdict::Same) => format!("; but no different {including} {figure}"),
            (Verdict::Faster | Verdict::Slower, Verdict::Undecided) => {
                format!("; not clearly so {including} {figure}")
            }
            _ => format!("; by stopwatch {figure}"),
        }
    }

    /// The axes that the lead of a sentence holds; none where clusters or builds are compared, since the configuration is
    /// named once, with all its values.
    fn held_in_lead(&self, comparisons: &[&Comparison]) -> Vec<usize> {
        if self.is_of_variants() {
            return Vec::new();
        }
        self.held_equal(comparisons)
    }

    /// `with the build new, "two processes" reads 1.02 times as fast as with old [1.01, 1.03]`.
    fn compared_variants(&self, comparison: &Comparison, ratio: Estimate) -> String {
        let (subject, axes) = (self.without_variant(comparison.configuration), self.variant_axes());
        let baseline = match axes[..] {
            // What kind of thing it is has been said.
            [axis] => self.configuration(comparison.baseline).axis_values[axis].clone(),
            _ => self.variant(comparison.baseline),
        };
        let with = self.with();
        format!(
            "{with} {}, {subject} reads {} as fast as {with} {baseline}{}",
            self.variant(comparison.configuration),
            times(ratio),
            interval(ratio)
        )
    }

    /// What several comparisons with a baseline have in common: `"two processes", against the build old: `.
    fn variants_lead(&self, baseline: usize) -> String {
        let subject = self.without_variant(baseline);
        format!("{}, against {}: ", capitalised(&subject), self.variant(baseline))
    }
}
