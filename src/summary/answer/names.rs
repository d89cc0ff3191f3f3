//! Configurations in the names that the user gave, and what several of them have in common.

use crate::figures::FigureId;
use crate::scenario::{BINARY_AXIS, Configuration, Mode, Scenario, Shape, VERSION_AXIS};
use crate::summary::model::ConfigurationSummary;
use crate::summary::numbers::rate;

/// The axis that sentences write as a rate and not as a key with its value.
const RATE: &str = "rate";

/// Names configurations.
pub(super) struct Names<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) summaries: &'a [ConfigurationSummary],
}

/// What configurations have in common, so that their names need not say it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Common {
    case: bool,
    axes: Vec<usize>,
}

impl Names<'_> {
    pub(super) fn configuration(&self, index: usize) -> &Configuration {
        &self.scenario.configurations[index]
    }

    pub(super) fn common(&self, configurations: &[usize]) -> Common {
        let all = || configurations.iter().map(|&c| self.configuration(c));
        let Some(first) = all().next() else {
            return Common::default();
        };
        let is_equal = |axis: &usize| all().all(|c| c.axis_values.get(*axis) == first.axis_values.get(*axis));
        let has_cases = self.scenario.configurations.iter().any(|c| c.case != first.case);
        Common {
            case: has_cases && all().all(|c| c.case == first.case),
            axes: self.varying_axes().filter(is_equal).collect(),
        }
    }

    fn varying_axes(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.scenario.axes.len()).filter(|axis| self.scenario.axes[*axis].values.len() > 1)
    }

    /// `with work=none, partitions=4` or `at 2,000 records/s`: what these configurations have in common; empty where
    /// that is nothing.
    pub(super) fn context(&self, configurations: &[usize], common: &Common) -> String {
        let Some(&first) = configurations.first() else {
            return String::new();
        };
        let configuration = self.configuration(first);
        let rate = self.common_rate(configurations);
        let is_said = |axis: &&usize| rate.is_none() || self.scenario.axes[**axis].key != RATE;
        let case = common.case.then(|| format!("\"{}\"", configuration.case));
        let axes = common.axes.iter().filter(is_said);
        let axes = axes.map(|&axis| self.part(axis, &configuration.axis_values));
        let parts: Vec<String> = case.into_iter().chain(axes).collect();
        let with = (!parts.is_empty()).then(|| format!("with {}", parts.join(", ")));
        let rate = rate.map(|rate| match configuration.mode {
            Mode::Mixed(_) => format!("with {rate} arriving"),
            _ => format!("at {rate}"),
        });
        with.into_iter().chain(rate).collect::<Vec<String>>().join(" ")
    }

    /// The rate at which records arrive, if it is the same for all of these.
    fn common_rate(&self, configurations: &[usize]) -> Option<String> {
        let mut rates = configurations.iter().map(|&c| self.rate_text(c));
        let first = rates.next()??;
        rates.all(|other| other.as_ref() == Some(&first)).then_some(first)
    }

    /// `2,000 records/s`, the mean where the rate changes over time. A search for capacity has no rate of its own.
    fn rate_text(&self, configuration: usize) -> Option<String> {
        let load = self.configuration(configuration).mode.load()?;
        if self.scenario.capacity.is_some() {
            return None;
        }
        let offered = self.summaries[configuration].point(FigureId::OfferedPerSecond);
        match (&load.shape, offered) {
            (Shape::Constant, _) | (_, None) => Some(format!("{} records/s", rate(load.rate))),
            (_, Some(offered)) => Some(format!("{} records/s on average", rate(offered))),
        }
    }

    /// The case in quotes and the axes that are not in common, or `this arrangement` where there is neither.
    pub(super) fn label(&self, configuration: usize, common: &Common) -> String {
        let configuration = self.configuration(configuration);
        let own_axes = self.varying_axes().filter(|axis| !common.axes.contains(axis));
        let own: Vec<String> = own_axes
            .map(|axis| self.part(axis, &configuration.axis_values))
            .collect();
        match (configuration.case.is_empty() || common.case, own.is_empty()) {
            (true, true) => "this arrangement".to_owned(),
            (true, false) => own.join(", "),
            (false, true) => format!("\"{}\"", configuration.case),
            (false, false) => format!("\"{}\" with {}", configuration.case, own.join(", ")),
        }
    }

    /// `work=none`, or a cluster, a build or a version in words.
    fn part(&self, axis: usize, values: &[String]) -> String {
        let value = values.get(axis).map_or("", String::as_str);
        let key = &*self.scenario.axes[axis].key;
        if !self.scenario.is_variant_axis(axis) {
            return format!("{key}={value}");
        }
        let what = match key {
            BINARY_AXIS => "the build",
            VERSION_AXIS => "Apache Kafka",
            _ => "the cluster",
        };
        format!("{what} {value}")
    }
}

/// `a, b and c`; labels that are values of one key name it once: `consumers=6, 8 and 10`.
pub(super) fn listed_labels(labels: &[String]) -> String {
    let key = |label: &str| {
        Some(
            label
                .split_once('=')
                .filter(|(key, _)| !key.contains([' ', '"']))?
                .0
                .to_owned(),
        )
    };
    let first = labels.first().and_then(|label| key(label));
    let shares_key = |label: &String| first.is_some() && key(label) == first;
    let shorter = labels
        .iter()
        .enumerate()
        .map(|(place, label)| match label.split_once('=') {
            Some((_, value)) if place > 0 && labels.iter().all(shares_key) => value,
            _ => label,
        });
    crate::wording::listed(&shorter.collect::<Vec<&str>>())
}
