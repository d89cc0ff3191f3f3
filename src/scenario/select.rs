//! Parts of a scenario: chosen cases, another number of blocks. Names do not change.

use std::collections::BTreeSet;

use thiserror::Error;

use super::checks::{no_width, obstacle};
use super::families;
use super::model::{AT_MOST, Configuration, DatasetSpec, Keys, Mode, Repetitions, Scenario, Until};
use super::suggest::{any_value, did_you_mean_value};

/// A name that is neither a case nor a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no case or configuration {name:?}; there is {known}{hint}")]
pub struct UnknownName {
    name: String,
    known: String,
    hint: String,
}

/// A scenario whose number of blocks cannot be left to what is measured.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("--until cannot be used: {message}; it {allowed}")]
pub struct CannotGoOn {
    message: String,
    allowed: String,
}

impl Scenario {
    /// The configurations with these names and those of the cases with these names, with their baselines.
    pub fn only(&self, names: &[impl AsRef<str>]) -> Result<Scenario, UnknownName> {
        let mut chosen = BTreeSet::new();
        for name in names.iter().map(AsRef::as_ref) {
            let matches = |configuration: &Configuration| configuration.name == name || configuration.case == name;
            let all = self.configurations.iter().enumerate();
            let matching: Vec<usize> = all.filter(|(_, each)| matches(each)).map(|(index, _)| index).collect();
            if matching.is_empty() || name.is_empty() {
                return Err(self.unknown(name));
            }
            chosen.extend(matching.iter().copied());
            chosen.extend(matching.iter().filter_map(|index| self.configurations[*index].baseline));
        }
        let names: BTreeSet<&str> = chosen
            .iter()
            .map(|index| self.configurations[*index].name.as_str())
            .collect();
        Ok(self.keeping(|configuration| names.contains(configuration.name.as_str())))
    }

    /// The same with another number of counted blocks.
    #[must_use]
    pub fn with_repetitions(self, repetitions: u32) -> Scenario {
        self.with_blocks(Repetitions::Fixed(repetitions))
    }

    /// The same with another rule for the number of counted blocks.
    #[must_use]
    pub fn with_blocks(mut self, repetitions: Repetitions) -> Scenario {
        let before = families::blocks_warning(&self);
        self.repetitions = repetitions;
        self.replace_blocks_warning(before.as_deref());
        self
    }

    /// The same, going on until this holds: for as many blocks as its own rule allows at most, or the usual number.
    pub fn until(self, until: Until) -> Result<Scenario, CannotGoOn> {
        let own = self.repetitions.until().map(|_| self.repetitions.at_most());
        let repetitions = Repetitions::until_holds(until, own.unwrap_or(AT_MOST));
        if let (Until::HalfWidth(_), Some((message, allowed))) = (until, no_width(self.metric)) {
            return Err(CannotGoOn { message, allowed });
        }
        match obstacle(repetitions, self.capacity.is_some(), &self.configurations) {
            Some((message, allowed)) => Err(CannotGoOn { message, allowed }),
            None => Ok(self.with_blocks(repetitions)),
        }
    }

    fn unknown(&self, name: &str) -> UnknownName {
        const SHOWN_MAX: usize = 20;
        let cases = self
            .configurations
            .iter()
            .map(|configuration| configuration.case.as_str());
        let cases: BTreeSet<&str> = cases.filter(|case| !case.is_empty()).collect();
        let names = self
            .configurations
            .iter()
            .map(|configuration| configuration.name.as_str());
        let mut listed = cases.clone();
        let names: Vec<&str> = cases
            .into_iter()
            .chain(names.filter(|name| listed.insert(name)))
            .collect();
        let more = names.len().saturating_sub(SHOWN_MAX);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        UnknownName {
            name: name.to_owned(),
            known: format!("{}{more}", any_value(names.iter().take(SHOWN_MAX).copied())),
            hint: did_you_mean_value(name, names).map_or(String::new(), |hint| format!("; {hint}")),
        }
    }

    pub(super) fn replace_blocks_warning(&mut self, before: Option<&str>) {
        self.warnings.retain(|warning| Some(warning.as_str()) != before);
        self.warnings.extend(families::blocks_warning(self));
    }

    /// The scenario with only those configurations; what they do not use is left out.
    pub(super) fn keeping(&self, keep: impl Fn(&Configuration) -> bool) -> Scenario {
        let all = self.configurations.iter().enumerate();
        let kept: Vec<usize> = all
            .filter(|(_, configuration)| keep(configuration))
            .map(|(index, _)| index)
            .collect();
        let mut part = self.clone();
        part.configurations = kept.iter().map(|index| self.configurations[*index].clone()).collect();
        for configuration in &mut part.configurations {
            for baseline in [&mut configuration.baseline, &mut configuration.variant.own_baseline] {
                *baseline = baseline.and_then(|baseline| kept.binary_search(&baseline).ok());
            }
        }
        part.keep_axes();
        part.keep_datasets();
        part.keep_families();
        part.replace_blocks_warning(families::blocks_warning(self).as_deref());
        part
    }

    fn keep_axes(&mut self) {
        for (index, axis) in self.axes.iter_mut().enumerate() {
            let used = |value: &String| self.configurations.iter().any(|each| each.axis_values[index] == *value);
            axis.values.retain(used);
        }
    }

    fn keep_datasets(&mut self) {
        let used: BTreeSet<usize> = self
            .configurations
            .iter()
            .map(|configuration| configuration.dataset)
            .collect();
        let used: Vec<usize> = used.into_iter().collect();
        self.datasets = used.iter().map(|index| self.datasets[*index].clone()).collect();
        for configuration in &mut self.configurations {
            configuration.dataset = used.binary_search(&configuration.dataset).unwrap_or(0);
        }
    }

    /// Puts the configurations into families again.
    pub(super) fn keep_families(&mut self) {
        let multiple = |configuration: &Configuration| {
            let dataset = &self.datasets[configuration.dataset];
            record_multiple(dataset).filter(|_| !matches!(configuration.mode, Mode::Live(_)))
        };
        let multiples: Vec<Option<u64>> = self.configurations.iter().map(multiple).collect();
        families::set_families(self, &multiples);
    }
}

impl DatasetSpec {
    /// Keeps this share of the records, and the same number for every partition if there was.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count, which is not negative and fits"
    )]
    pub(super) fn shorten(&mut self, share: f64) {
        let kept = (self.records as f64 * share).ceil() as u64;
        let multiple = record_multiple(self).unwrap_or(1).max(1);
        self.records = kept.next_multiple_of(multiple).min(self.records);
    }
}

fn record_multiple(dataset: &DatasetSpec) -> Option<u64> {
    let equal = dataset.weights.is_empty() && dataset.keys == Keys::None && dataset.existing().is_none();
    equal.then(|| u64::from(dataset.topics) * u64::from(dataset.partitions))
}
