//! Topics that exist already: what the file says of them, and what a run finds when it looks at the cluster for the
//! first time. Nothing here looks itself.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::error::{Grouped, nearest};
use super::families;
use super::model::{Membership, Scenario, Size, TrialLength};

/// What begins the name of a topic that is a pattern, as it does for Kafka's clients; no name begins so.
pub const PATTERN_START: char = '^';

/// Where the records of a data set come from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// The run fills topics of its own.
    #[default]
    Filled,
    /// Topics that are there, which are read and not changed.
    Existing(ExistingTopics),
}

/// Topics that are there, as they are to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExistingTopics {
    /// Names, and patterns that begin with [`PATTERN_START`], as the file has them.
    pub wanted: Vec<String>,
    /// The last so many records of each partition; `None` for all.
    pub last: Option<u64>,
    /// The clients' `isolation.level`.
    pub isolation: Isolation,
    /// What a run has found there when it began; `None` before.
    pub found: Option<FoundTopics>,
}

/// Which records of transactions consumers are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// All, those of aborted transactions and of open ones too.
    ReadUncommitted,
    /// Those of committed transactions, up to the first open one.
    ReadCommitted,
}

impl Isolation {
    /// The value of `isolation.level`.
    pub fn as_str(self) -> &'static str {
        match self {
            Isolation::ReadUncommitted => "read_uncommitted",
            Isolation::ReadCommitted => "read_committed",
        }
    }
}

/// What a run has found when it looked first; every trial, of every session, reads of this and of nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTopics {
    /// The topics, by name.
    pub topics: Vec<FoundTopic>,
    /// Bytes of keys and values of the records.
    pub bytes: u64,
}

/// One of the topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTopic {
    /// Its name.
    pub name: String,
    /// Its partitions, by number.
    pub partitions: Vec<FoundPartition>,
}

/// The part of a partition that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPartition {
    /// First offset.
    pub low: i64,
    /// One past the last: the high watermark, or the last stable offset where only committed records are read.
    pub end: i64,
    /// Records that the cluster delivers of it; the other offsets hold none.
    pub records: u64,
}

impl FoundTopics {
    /// The partitions of all topics.
    pub fn partitions(&self) -> impl Iterator<Item = &FoundPartition> {
        self.topics.iter().flat_map(|topic| &topic.partitions)
    }

    /// Records that the cluster delivers, of all partitions.
    pub fn records(&self) -> u64 {
        self.partitions().map(|partition| partition.records).sum()
    }

    /// Offsets that are read, delivered or not.
    pub fn offsets(&self) -> u64 {
        let length = |partition: &FoundPartition| u64::try_from(partition.end - partition.low).unwrap_or(0);
        self.partitions().map(length).sum()
    }

    /// Offsets that the cluster delivers no record for.
    pub fn not_delivered(&self) -> u64 {
        self.offsets().saturating_sub(self.records())
    }
}

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
        let there = existing.map(|dataset| dataset.records).min().unwrap_or(u64::MAX);
        if there < wanted {
            let (wanted, there) = (Grouped(wanted.into()), Grouped(there.into()));
            self.warnings.push(format!(
                "trials were to read {wanted} records, but the topics hold {there}: each reads all of them"
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
