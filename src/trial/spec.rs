//! The specification of a trial, made before anything is started: its cast and its terms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::cast::{Actor, AnyActor, Broker, Cast, Reader};
use super::limits::Limits;
use super::script::Script;
use crate::load::Schedule;
use crate::measure::{DeliveredTopics, TopicPartition};
use crate::names;
use crate::protocol::{
    ConsumerOrder, Prepare, PrepareProducer, StampOrder, TopicTarget, WorkCalibration, partitions_of,
};
use crate::scenario::{Configuration, Membership, Work};
use crate::secret::Secret;

/// All that a trial needs to run.
#[derive(Debug)]
pub struct TrialSpec {
    /// Who takes part, each with its order.
    pub cast: Cast,
    /// What holds for all of them.
    pub terms: Terms,
}

/// What a trial is to read, and for how long.
#[derive(Debug, Clone)]
pub struct Terms {
    /// `group.id` of each group.
    pub groups: Vec<String>,
    /// True where members assign partitions to themselves.
    pub manual: bool,
    /// What each group reads. Where records arrive, a partition's end is open until the load is over.
    pub topics: Vec<TopicTarget>,
    /// The records that arrive, in live and mixed trials.
    pub load: Option<LoadSpec>,
    /// What the account of existing topics is compared with.
    pub reference: Option<TrialReference>,
    /// What is done on purpose meanwhile.
    pub script: Script,
    /// Time limits.
    pub limits: Limits,
}

/// The records that arrive during a trial.
#[derive(Debug, Clone)]
pub struct LoadSpec {
    /// When all producers together are to send.
    pub schedule: Schedule,
    /// From the common start to the producers' start.
    pub lead: Duration,
    /// From the producers' start to the window of the records that are measured.
    pub warmup: Duration,
    /// One past the last record of the backlog in each partition of each topic.
    pub backlog_ends: Vec<Vec<i64>>,
}

impl LoadSpec {
    /// From the common start to the end of the load.
    pub fn length(&self) -> Duration {
        self.lead + Duration::from_nanos(self.schedule.duration_ns())
    }

    /// True where there is something to read before anything arrives.
    pub fn has_backlog(&self) -> bool {
        self.backlog_ends.iter().flatten().any(|end| *end > 0)
    }
}

/// What the account of a trial of existing topics is compared with.
#[derive(Debug, Clone)]
pub struct TrialReference {
    /// The offsets that the cluster delivers of them.
    pub delivered: Arc<DeliveredTopics>,
    /// Records that each group is to read.
    pub records: u64,
    /// Records of the trial that the cluster had removed before it began, for each group.
    pub removed: u64,
}

impl TrialReference {
    /// Cuts off what the cluster has removed from the targets of a trial, given the first offset that each partition has
    /// now.
    pub fn new(delivered: Arc<DeliveredTopics>, topics: &mut [TopicTarget], low: &[Vec<i64>]) -> Self {
        let (mut records, mut removed) = (0, 0);
        for ((target, offsets), low) in topics.iter_mut().zip(&delivered.topics).zip(low) {
            for ((range, offsets), low) in target.partitions.iter_mut().zip(offsets).zip(low) {
                let kept = (*low).clamp(range.low, range.end.max(range.low));
                removed += offsets.count_within(range.low, kept);
                records += offsets.count_within(kept, range.end);
                range.low = kept;
            }
        }
        TrialReference {
            delivered,
            records,
            removed,
        }
    }
}

impl Terms {
    /// All partitions of the trial, empty ones included. Each needs an owner.
    pub fn partitions(&self) -> BTreeSet<TopicPartition> {
        partitions_of(&self.topics).map(|(partition, _)| partition).collect()
    }

    /// Records that each group reads; with a load, those that are to be expected.
    pub fn records(&self) -> u64 {
        if let Some(reference) = &self.reference {
            return reference.records;
        }
        let Some(load) = &self.load else {
            let ranges = self.topics.iter().flat_map(|topic| &topic.partitions);
            return ranges.map(|range| range.len()).sum();
        };
        let backlog: i64 = load.backlog_ends.iter().flatten().sum();
        u64::try_from(backlog).unwrap_or(0) + load.schedule.expected_records()
    }

    fn new(configuration: &Configuration, groups: Vec<String>, topics: Vec<TopicTarget>, limits: Limits) -> Self {
        let mut terms = Terms {
            groups,
            manual: configuration.membership == Membership::Manual,
            topics,
            load: None,
            reference: None,
            script: Script::default(),
            limits,
        };
        match configuration.mode.load() {
            None => terms.limits.read = limits.read.max(longest_reading(&terms, configuration.work)),
            Some(load) => terms.limits.drain = limits.drain.min(Duration::from_nanos(load.drain_ns)),
        }
        terms
    }
}

impl TrialSpec {
    /// Says that the topics existed, and what of them is delivered.
    pub fn with_reference(mut self, reference: TrialReference) -> Self {
        self.terms.reference = Some(reference);
        self
    }

    /// Plans acts on those who take part and on these brokers, which the run started.
    pub fn with_script(mut self, script: Script, brokers: &[u32]) -> Self {
        self.cast.brokers = brokers.iter().map(|id| Actor::new(Broker { id: *id })).collect();
        self.cast.brokers.iter_mut().for_each(|broker| broker.start(0));
        self.terms.script = script;
        self
    }

    /// Adds records that these producers send; every partition is then read from its first offset to an end that the load
    /// decides.
    pub fn with_load(mut self, load: LoadSpec, producers: Vec<PrepareProducer>) -> Self {
        let stamps = StampOrder {
            lead_ns: nanoseconds(load.lead),
            warmup_ns: nanoseconds(load.warmup),
            duration_ns: load.schedule.duration_ns().saturating_sub(nanoseconds(load.warmup)),
            stamped_from: load.backlog_ends.clone(),
        };
        for reader in &mut self.cast.readers {
            reader.role.prepare.stamps = Some(stamps.clone());
        }
        self.cast.producers = producers.into_iter().map(Actor::new).collect();
        self.terms.load = Some(load);
        self
    }

    /// Makes the specification of one trial of a configuration.
    ///
    /// `trial` is the start of the names of groups and clients; unique within the cluster.
    pub fn new(
        configuration: &Configuration,
        trial: &str,
        topics: Vec<TopicTarget>,
        properties: &BTreeMap<String, Secret>,
        calibration: WorkCalibration,
        limits: Limits,
    ) -> Self {
        let fresh_groups: Vec<String> = (1..=configuration.groups)
            .map(|group| names::trial_group(trial, group))
            .collect();
        let fixed_group = configuration.group.as_ref().map(|group| vec![group.clone()]);
        let groups = fixed_group.unwrap_or_else(|| fresh_groups.clone());
        let terms = Terms::new(configuration, groups, topics, limits);
        let members = if terms.manual {
            configuration.members_per_group()
        } else {
            0
        };
        let dealt = deal(&terms.partitions(), members);
        // Each group reads all partitions.
        let mut hands = dealt.iter().cycle();
        let mut readers = Vec::new();
        // Names of clients contain the trial in a fixed group too, so that no client is taken for one of another trial.
        for (group, (group_id, clients)) in terms.groups.iter().zip(&fresh_groups).enumerate() {
            let mut properties = properties.clone();
            properties.insert("group.id".to_owned(), Secret::new(group_id));
            for process in 0..configuration.processes {
                let consumers = (1..=configuration.consumers).map(|consumer| ConsumerOrder {
                    client_id: format!("{clients}-p{}-c{consumer}", process + 1),
                    manual: hands.next().cloned().unwrap_or_default(),
                });
                let prepare = Prepare {
                    consumers: consumers.collect(),
                    topics: terms.topics.clone(),
                    group_id: group_id.clone(),
                    properties: properties.clone(),
                    work: configuration.work,
                    calibration,
                    commit: configuration.commit,
                    read: configuration.read,
                    threads: configuration.threads,
                    ordering: configuration.ordering,
                    manual: terms.manual,
                    stamps: None,
                    joins_late: false,
                };
                readers.push(Actor::new(Reader {
                    group,
                    process,
                    prepare,
                }));
            }
        }
        let cast = Cast {
            readers,
            ..Cast::default()
        };
        TrialSpec { cast, terms }
    }
}

/// The topics with their numbers of partitions.
pub fn topic_sizes(topics: &[TopicTarget]) -> Vec<(String, u32)> {
    let size = |target: &TopicTarget| u32::try_from(target.partitions.len()).unwrap_or(u32::MAX);
    topics
        .iter()
        .map(|target| (target.name.clone(), size(target)))
        .collect()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Upper bound on the read time: ten times the total work, done by one member.
fn longest_reading(terms: &Terms, work: Work) -> Duration {
    Duration::from_nanos(terms.records().saturating_mul(work.ns()).saturating_mul(10))
}

/// Deals partitions out in turn.
fn deal(partitions: &BTreeSet<TopicPartition>, members: u32) -> Vec<Vec<TopicPartition>> {
    let mut hands = vec![Vec::new(); members as usize];
    if !hands.is_empty() {
        for (index, partition) in partitions.iter().enumerate() {
            let hand = index % hands.len();
            hands[hand].push(*partition);
        }
    }
    hands
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
