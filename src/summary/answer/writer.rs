//! Configurations, cases and clusters in the names that the user gave, and why comparisons have no verdict.

use crate::measure::Trial;
use crate::plan::Plan;
use crate::scenario::{BINARY_AXIS, Configuration, Scenario, VERSION_AXIS};
use crate::stats::{SIGNIFICANCE, observations_for_significance};
use crate::summary::model::ConfigurationSummary;
use crate::verdict::{Comparison, Method, Question, fell_behind, is_tainted};
use crate::wording::plural;

/// Names configurations by what the user called them, and knows what stands in the way of verdicts.
pub(super) struct Writer<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) summaries: &'a [ConfigurationSummary],
    /// Those of the scenario's own question.
    pub(super) comparisons: Vec<Comparison>,
    /// Of each configuration: trials of it failed, or lost or doubled records.
    pub(super) tainted: Vec<bool>,
    /// Of each configuration: its readers fell behind in some trial.
    pub(super) behind: Vec<bool>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        trials: &[Trial],
        summaries: &'a [ConfigurationSummary],
        comparisons: &[Comparison],
    ) -> Self {
        let configurations = &plan.scenario.configurations;
        let behind = |(index, c): (usize, &Configuration)| fell_behind(&c.mode, trials, index);
        // The tables show what each key of a matrix does.
        let own = comparisons.iter().filter(|c| c.question == Question::Scenario);
        Writer {
            scenario: &plan.scenario,
            summaries,
            comparisons: own.cloned().collect(),
            tainted: (0..configurations.len()).map(|c| is_tainted(trials, c)).collect(),
            behind: configurations.iter().enumerate().map(behind).collect(),
        }
    }

    /// What keeps a comparison from a verdict, or what would bring one.
    pub(super) fn why_undecided(&self, comparison: &Comparison) -> Option<String> {
        comparison.effect?;
        let favoured = match comparison.gain() {
            Some((low, _)) if low > 0.0 => Some(comparison.configuration),
            Some((_, high)) if high < 0.0 => Some(comparison.baseline),
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

    /// Axes with more than one value whose value is the same in all these configurations and their baselines.
    pub(super) fn held_equal(&self, comparisons: &[&Comparison]) -> Vec<usize> {
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
    pub(super) fn context(&self, configuration: usize, held: &[usize]) -> Option<String> {
        let values = &self.configuration(configuration).axis_values;
        let parts: Vec<String> = held.iter().map(|&axis| self.part(axis, values)).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// The case in quotes and the axes that are not held equal, or `this arrangement` where neither is there.
    pub(super) fn label(&self, configuration: usize, held: &[usize]) -> String {
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

    pub(super) fn configuration(&self, index: usize) -> &Configuration {
        &self.scenario.configurations[index]
    }

    /// True where every configuration is compared with itself on another cluster or with another build.
    pub(super) fn is_of_variants(&self) -> bool {
        !self.scenario.variants.is_empty()
    }

    /// `the cluster b:9092 and the build new`, or `Apache Kafka 4.3.1 with the build new`.
    pub(super) fn variant(&self, configuration: usize) -> String {
        let values = &self.configuration(configuration).axis_values;
        let parts = self.variant_axes().into_iter().map(|axis| self.part(axis, values));
        let and = if self.is_of_versions() { " with " } else { " and " };
        parts.collect::<Vec<_>>().join(and)
    }

    /// `with` a cluster or a build, `on` a version of Kafka.
    pub(super) fn with(&self) -> &'static str {
        if self.is_of_versions() { "on" } else { "with" }
    }

    pub(super) fn is_of_versions(&self) -> bool {
        self.scenario.axes.iter().any(|axis| axis.key == VERSION_AXIS)
    }

    /// A value of an axis of clusters or builds in words; `None` of another axis.
    fn variant_part(&self, axis: usize, value: &str) -> Option<String> {
        let what = match &*self.scenario.axes[axis].key {
            BINARY_AXIS => "the build",
            VERSION_AXIS => "Apache Kafka",
            _ => "the cluster",
        };
        self.scenario.is_variant_axis(axis).then(|| format!("{what} {value}"))
    }

    pub(super) fn variant_axes(&self) -> Vec<usize> {
        let axes = 0..self.scenario.axes.len();
        axes.filter(|axis| self.scenario.is_variant_axis(*axis)).collect()
    }

    /// The configuration whatever it is run with.
    pub(super) fn without_variant(&self, configuration: usize) -> String {
        self.label(configuration, &self.variant_axes())
    }
}
