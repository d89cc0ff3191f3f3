//! The answer in sentences, made from the names that the user gave.

mod brokers;
mod capacity;
mod ending;
mod live;
mod variants;

pub(super) use brokers::broker_changes;
pub(super) use ending::ending;

use super::{Comparison, ConfigurationSummary, Metric, Question, Verdict};
use crate::figures::FigureId;
use crate::measure::Trial;
use crate::plan::Plan;
use crate::scenario::{Configuration, Mode, Scenario};
use crate::stats::{Estimate, SIGNIFICANCE, is_material, observations_for_significance};
use crate::verdict::{Method, fell_behind, is_tainted};

/// Comparisons with one baseline that are told one by one; of more, the outstanding one and counts.
const TOLD_ONE_BY_ONE: usize = 4;

/// A sentence or more per baseline: one for each family, and within it for each combination of the keys that are
/// held equal.
pub(super) fn answer(
    plan: &Plan,
    trials: &[Trial],
    summaries: &[ConfigurationSummary],
    comparisons: &[Comparison],
) -> Vec<String> {
    let configurations = &plan.scenario.configurations;
    let behind = |(index, c): (usize, &Configuration)| fell_behind(&c.mode, trials, index);
    // What each key of a matrix does is told in the tables.
    let own = comparisons.iter().filter(|c| c.question == Question::Scenario);
    let writer = Writer {
        scenario: &plan.scenario,
        summaries,
        comparisons: own.cloned().collect(),
        tainted: (0..configurations.len()).map(|c| is_tainted(trials, c)).collect(),
        behind: configurations.iter().enumerate().map(behind).collect(),
    };
    // One that does something else than its baseline is not compared with it, and told alone.
    let alone = |index: &usize| {
        let c = &configurations[*index];
        c.baseline
            .is_none_or(|baseline| configurations[baseline].mode.name() != c.mode.name())
    };
    (0..summaries.len()).filter(alone).map(|c| writer.about(c)).collect()
}

struct Writer<'a> {
    scenario: &'a Scenario,
    summaries: &'a [ConfigurationSummary],
    /// Those of the scenario's own question.
    comparisons: Vec<Comparison>,
    /// Of each configuration: trials of it failed, or lost or doubled records.
    tainted: Vec<bool>,
    /// Of each configuration: its readers fell behind in some trial.
    behind: Vec<bool>,
}

impl Writer<'_> {
    fn about(&self, baseline: usize) -> String {
        match (&self.configuration(baseline).mode, &self.scenario.capacity) {
            (Mode::Backlog, _) => self.about_backlog(baseline),
            (Mode::Live(_) | Mode::Mixed(_), Some(wanted)) => self.about_capacity(baseline, wanted),
            (Mode::Live(_), None) => self.about_load(baseline, Metric::ResponseP99),
            (Mode::Mixed(_), None) => self.about_load(baseline, Metric::CatchUp),
        }
    }

    fn about_backlog(&self, baseline: usize) -> String {
        let of = |c: &&Comparison| c.metric == Metric::ReadTime && c.baseline == baseline;
        let against: Vec<&Comparison> = self.comparisons.iter().filter(of).collect();
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
        let Some(ratio) = comparison.ratio else {
            let with = context.map_or(String::new(), |context| format!(" with {context}"));
            return format!("No answer{with}: no whole block holds a usable trial of both {subject} and {baseline}.");
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
        if against.len() <= TOLD_ONE_BY_ONE {
            let told = against.iter().map(|c| self.one_of_several(c, &held));
            let sentence = |(index, told): (usize, String)| if index == 0 { told } else { capitalised(&told) };
            let told: Vec<String> = told.enumerate().map(sentence).collect();
            return format!("{lead}{}.", told.join(". "));
        }
        let measured = against.iter().filter(|c| c.ratio.is_some());
        let point = |c: &&&Comparison| c.ratio.map_or(0.0, |ratio| ratio.point);
        let Some(best) = measured.max_by(|a, b| point(a).total_cmp(&point(b))) else {
            return format!("{lead}no answer, since no whole block holds usable trials to compare.");
        };
        let others: Vec<&&Comparison> = against
            .iter()
            .filter(|c| c.configuration != best.configuration)
            .collect();
        let words = [
            (Verdict::Faster, "faster"),
            (Verdict::Slower, "slower"),
            (Verdict::Same, "without a difference worth having"),
            (Verdict::Undecided, "undecided"),
        ];
        let counts: Vec<String> = words
            .iter()
            .map(|(verdict, word)| (others.iter().filter(|c| c.verdict == *verdict).count(), word))
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        let best = self.one_of_several(best, &held);
        format!(
            "{lead}{best}; that is the highest figure of those compared. Of the {} others: {}.",
            others.len(),
            counts.join(", ")
        )
    }

    fn one_of_several(&self, comparison: &Comparison, held: &[usize]) -> String {
        let subject = if self.is_of_variants() {
            format!("{} {} it", self.with(), self.variant(comparison.configuration))
        } else {
            self.label(comparison.configuration, held)
        };
        let Some(ratio) = comparison.ratio else {
            return format!("{subject} has no answer, since no whole block holds a usable trial of both");
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
        let interval = comparison.ratio.and_then(|ratio| ratio.interval);
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

    /// What keeps a comparison from a verdict, or what would bring one.
    fn why_undecided(&self, comparison: &Comparison) -> Option<String> {
        let favoured = match comparison.ratio?.interval {
            Some((low, _)) if low > 1.0 => Some(comparison.configuration),
            Some((_, high)) if high < 1.0 => Some(comparison.baseline),
            _ => None,
        };
        if let Some(favoured) = favoured.filter(|&c| self.tainted[c]) {
            let who = if favoured == comparison.configuration {
                "it"
            } else {
                "the other"
            };
            return Some(format!(
                "{who} is not called faster, since trials of it failed or lost or repeated records"
            ));
        }
        let behind = |c: &usize| self.behind[*c] && favoured.is_none_or(|favoured| favoured == *c);
        let behind = [comparison.configuration, comparison.baseline].into_iter().find(behind);
        if let Some(behind) = behind {
            let who = self.label(behind, &self.held_equal(&[comparison]));
            return Some(format!(
                "there is no verdict for {who}, whose readers fell behind or left records unread in some trials"
            ));
        }
        let same_metric = |c: &&Comparison| c.metric == comparison.metric;
        let comparisons = self.comparisons.iter().filter(same_metric).count();
        let fewest = match comparison.method {
            Method::Fixed => observations_for_significance(comparisons, SIGNIFICANCE),
            Method::Sequential { first_look, .. } => first_look,
        };
        if comparison.blocks < fewest {
            let made = plural(u32::try_from(comparisons).unwrap_or(u32::MAX), "comparison");
            return Some(format!("a verdict takes at least {fewest} blocks with {made}"));
        }
        let more = comparison.blocks_more?;
        Some(format!("about {} more would probably decide it", plural(more, "block")))
    }

    /// What a stopwatch says, and whether it contradicts.
    fn stopwatch(&self, comparison: &Comparison) -> String {
        let of = |c: &&Comparison| {
            c.metric == Metric::Stopwatch
                && (c.baseline, c.configuration) == (comparison.baseline, comparison.configuration)
        };
        let Some(stopwatch) = self.comparisons.iter().find(of) else {
            return String::new();
        };
        let Some(ratio) = stopwatch.ratio else {
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

    /// Axes with more than one value whose value is the same in all these configurations and their baselines.
    fn held_equal(&self, comparisons: &[&Comparison]) -> Vec<usize> {
        let all = || comparisons.iter().flat_map(|c| [c.baseline, c.configuration]);
        let value = |c: usize, axis: usize| self.configuration(c).axis_values.get(axis);
        let varies = |axis: &usize| self.scenario.axes[*axis].values.len() > 1;
        let equal = |axis: &usize| {
            let mut values = all().map(|c| value(c, *axis));
            let first = values.next();
            values.all(|value| Some(value) == first)
        };
        (0..self.scenario.axes.len()).filter(varies).filter(equal).collect()
    }

    /// `work=none, partitions=4`, from the axes held equal.
    fn context(&self, configuration: usize, held: &[usize]) -> Option<String> {
        let values = &self.configuration(configuration).axis_values;
        let parts: Vec<String> = held.iter().map(|&axis| self.part(axis, values)).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// The case in quotes and the axes that are not held equal, or `this arrangement` where neither is there.
    fn label(&self, configuration: usize, held: &[usize]) -> String {
        let configuration = self.configuration(configuration);
        let axes = (0..self.scenario.axes.len()).filter(|a| self.scenario.axes[*a].values.len() > 1);
        let varying: Vec<String> = axes
            .filter(|axis| !held.contains(axis))
            .map(|axis| self.part(axis, &configuration.axis_values))
            .collect();
        match (configuration.case.is_empty(), varying.is_empty()) {
            (true, true) => "this arrangement".to_owned(),
            (true, false) => varying.join(", "),
            (false, true) => format!("\"{}\"", configuration.case),
            (false, false) => format!("\"{}\" with {}", configuration.case, varying.join(", ")),
        }
    }

    fn part(&self, axis: usize, values: &[String]) -> String {
        let value = values.get(axis).map_or("", String::as_str);
        let variant = self.variant_part(axis, value);
        variant.unwrap_or_else(|| format!("{}={value}", self.scenario.axes[axis].key))
    }

    fn configuration(&self, index: usize) -> &Configuration {
        &self.scenario.configurations[index]
    }
}

/// `1.99 times`.
fn times(ratio: Estimate) -> String {
    format!("{} times", figure(ratio.point))
}

/// ` [1.97, 2.01]`, or nothing where there is none.
fn interval(ratio: Estimate) -> String {
    ratio.interval.map_or(String::new(), |(low, high)| {
        format!(" [{}, {}]", figure(low), figure(high))
    })
}

/// Three significant digits or so, as ratios are read.
fn figure(ratio: f64) -> String {
    match ratio {
        r if r < 0.1 => format!("{r:.3}"),
        r if r < 10.0 => format!("{r:.2}"),
        r if r < 100.0 => format!("{r:.1}"),
        r => format!("{r:.0}"),
    }
}

/// A share in percent without idle decimals: `3`, `2.5`.
fn percent(share: f64) -> String {
    format!("{}", (share * 1000.0).round() / 10.0)
}

/// `1,234,567`.
pub(super) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn plural(number: u32, word: &str) -> String {
    if number == 1 {
        format!("1 {word}")
    } else {
        format!("{number} {word}s")
    }
}

/// Capital first letter, unless the sentence begins with a key, a name in quotes or a `p99`, which stay as written.
fn capitalised(sentence: &str) -> String {
    let first_word = sentence.split(' ').next().unwrap_or_default();
    let mut rest = sentence.chars();
    match rest.next() {
        Some(first) if !first_word.contains(|c: char| c == '=' || c.is_ascii_digit()) => {
            first.to_uppercase().chain(rest).collect()
        }
        _ => sentence.to_owned(),
    }
}
