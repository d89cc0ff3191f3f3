//! Topics that exist already: what the file says of them, and what a run finds when it looks at the cluster for the
//! first time. Nothing here looks itself.

use thiserror::Error;

use super::families;
use super::model::{DataSource, FoundTopics, Membership, PATTERN_START, Scenario, Size, TrialLength};
use super::suggest::nearest;
use crate::wording::with_commas;

/// Topics that cannot be read as the scenario wants it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FoundError {
    /// There is nothing to read.
    #[error("{0}: there is no record to read")]
    Empty(String),
    /// A partition has one owner in a group.
    #[error(
        "{configuration:?} has {members} members in a group for {partitions} partitions; with assignment = \"manual\" \
         two members cannot have one partition"
    )]
    ManualMembers {
        /// The configuration.
        configuration: String,
        /// Members of a group.
        members: u32,
        /// Partitions of all topics.
        partitions: u32,
    },
}

impl Scenario {
    /// True where some data set is topics that exist.
    pub fn reads_existing_topics(&self) -> bool {
        self.datasets.iter().any(|dataset| dataset.existing().is_some())
    }

    /// Names of the topics that exist and are read: those found, or, where nobody has looked yet, those that the file names.
    pub fn existing_topics(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for existing in self.datasets.iter().filter_map(|dataset| dataset.existing()) {
            match &existing.found {
                Some(found) => names.extend(found.topics.iter().map(|topic| topic.name.clone())),
                None => names.extend(
                    existing
                        .wanted
                        .iter()
                        .filter(|name| !name.starts_with(PATTERN_START))
                        .cloned(),
                ),
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// The scenario with what was found of each data set of existing topics; by data set.
    pub fn with_found(&self, found: impl IntoIterator<Item = (usize, FoundTopics)>) -> Result<Scenario, FoundError> {
        let mut scenario = self.clone();
        for (index, found) in found {
            let dataset = &mut scenario.datasets[index];
            let DataSource::Existing(existing) = &mut dataset.source else {
                continue;
            };
            let records = found.records();
            if records == 0 {
                return Err(FoundError::Empty(existing.wanted.join(", ")));
            }
            dataset.topics = count(found.topics.len());
            let partitions = found.topics.iter().map(|topic| count(topic.partitions.len()));
            dataset.partitions = partitions.max().unwrap_or(0);
            dataset.records = records;
            dataset.size = Size::Fixed(u32::try_from(found.bytes.div_ceil(records)).unwrap_or(u32::MAX).max(1));
            existing.found = Some(found);
        }
        scenario.check_manual_members()?;
        scenario.warn_of_short_topics();
        families::set_lengths(&mut scenario);
        Ok(scenario)
    }

    /// Trials read no more than there is.
    fn warn_of_short_topics(&mut self) {
        let TrialLength::Records(wanted) = self.trial else {
            return;
        };
        let existing = self.datasets.iter().filter(|dataset| dataset.existing().is_some());
        let fewest = existing.map(|dataset| dataset.records).min().unwrap_or(u64::MAX);
        if fewest < wanted {
            let (wanted, fewest) = (with_commas(wanted), with_commas(fewest));
            self.warnings.push(format!(
                "trials were to read {wanted} records, but the topics hold {fewest}: each reads all of them"
            ));
        }
    }

    fn check_manual_members(&self) -> Result<(), FoundError> {
        for configuration in self
            .configurations
            .iter()
            .filter(|c| c.membership == Membership::Manual)
        {
            let (members, partitions) = (
                configuration.members_per_group(),
                self.datasets[configuration.dataset].partitions_of_all(),
            );
            if members > partitions {
                return Err(FoundError::ManualMembers {
                    configuration: configuration.name.clone(),
                    members,
                    partitions,
                });
            }
        }
        Ok(())
    }
}

/// The names that are most like one that there is not: those a slip away from it, else any that share its beginning.
pub fn nearest_topics<'a>(wanted: &str, names: &[&'a str]) -> Vec<&'a str> {
    const SHOWN_MAX: usize = 5;
    let mut left = names.to_vec();
    let mut found = Vec::new();
    while let Some(name) = nearest(wanted, left.iter().copied()).filter(|_| found.len() < SHOWN_MAX) {
        found.push(name);
        left.retain(|other| *other != name);
    }
    found
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "existing_tests.rs"]
mod tests;
