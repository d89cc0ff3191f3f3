//! The answer where clusters, versions of Kafka or builds are compared: what a configuration does with another one of
//! them.

use super::{Writer, interval, times};
use crate::scenario::{BINARY_AXIS, VERSION_AXIS};
use crate::stats::Estimate;
use crate::summary::Comparison;

impl Writer<'_> {
    /// True where every configuration is compared with itself on another cluster or with another build.
    pub(super) fn is_of_variants(&self) -> bool {
        !self.scenario.variants.is_empty()
    }

    /// `with the build new, "two processes" reads 1.02 times as fast as with old [1.01, 1.03]`.
    pub(super) fn compared_variants(&self, comparison: &Comparison, ratio: Estimate) -> String {
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
    pub(super) fn variants_lead(&self, baseline: usize) -> String {
        let subject = self.without_variant(baseline);
        format!("{}, against {}: ", super::capitalised(&subject), self.variant(baseline))
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

    fn is_of_versions(&self) -> bool {
        self.scenario.axes.iter().any(|axis| axis.key == VERSION_AXIS)
    }

    /// A value of an axis of clusters or builds in words; `None` of another axis.
    pub(super) fn variant_part(&self, axis: usize, value: &str) -> Option<String> {
        let what = match &*self.scenario.axes[axis].key {
            BINARY_AXIS => "the build",
            VERSION_AXIS => "Apache Kafka",
            _ => "the cluster",
        };
        self.scenario.is_variant_axis(axis).then(|| format!("{what} {value}"))
    }

    fn variant_axes(&self) -> Vec<usize> {
        let axes = 0..self.scenario.axes.len();
        axes.filter(|axis| self.scenario.is_variant_axis(*axis)).collect()
    }

    /// The configuration whatever it is run with.
    fn without_variant(&self, configuration: usize) -> String {
        self.label(configuration, &self.variant_axes())
    }
}
