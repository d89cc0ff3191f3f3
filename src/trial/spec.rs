//! The specification of a trial, made before anything is started: its cast, its terms and its course.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::cast::{Actor, AnyActor, Broker, Cast, Reader};
use super::course::{Backlog, Course, Existing, Live, LoadSpec};
use super::limits::Limits;
use super::script::Script;
use super::terms::Terms;
use crate::measure::TopicPartition;
use crate::names;
use crate::protocol::{
    ConsumerOrder, Prepare, PrepareProducer, Program, StampOrder, StoreOrder, TopicTarget, WorkCalibration,
    partitions_of,
};
use crate::scenario::{Configuration, Membership};
use crate::secret::Secret;

/// How long a program may take to end: longer than its observer waits before it kills it.
const PROGRAM_EXIT: Duration = Duration::from_secs(15);

/// All that a trial needs to run.
#[derive(Debug)]
pub struct TrialSpec {
    /// Who takes part, each with its order.
    pub cast: Cast,
    /// What holds for all of them.
    pub terms: Terms,
    /// What is read, and when that ends: a backlog unless something else was said.
    pub course: Box<dyn Course>,
}

/// What holds at one of the places of a trial's processes.
#[derive(Debug, Clone, Default)]
pub struct AtPlace {
    /// As [`Prepare::properties`], without the group: with the brokers' addresses as they are reached from there.
    pub properties: BTreeMap<String, Secret>,
    /// What work costs there.
    pub calibration: WorkCalibration,
}

/// What holds for everybody, with the time that reading may take.
fn terms_of(configuration: &Configuration, fresh_groups: &[String], topics: Vec<TopicTarget>, limits: Limits) -> Terms {
    let fixed_group = configuration.group.as_ref().map(|group| vec![group.clone()]);
    let mut terms = Terms {
        groups: fixed_group.unwrap_or_else(|| fresh_groups.to_vec()),
        manual: configuration.membership == Membership::Manual,
        topics,
        script: Script::default(),
        limits,
        fetch_pause_ns: 0,
        membership: None,
    };
    match configuration.mode.load() {
        None => terms.limits.read = limits.read.max(longest_reading(&terms.topics, configuration.work.ns())),
        Some(load) => terms.limits.drain = limits.drain.min(Duration::from_nanos(load.drain_ns)),
    }
    terms
}

impl TrialSpec {
    /// Says that the topics existed, and what of them is delivered.
    #[must_use]
    pub fn with_existing(mut self, existing: Existing) -> Self {
        self.course = Box::new(existing);
        self
    }

    /// Says that the readers are programs that speak nothing: what `program` makes for each is observed. One observer of
    /// a group asks for its committed offsets, unless something is done to them.
    #[must_use]
    pub fn with_programs(mut self, program: impl Fn(&Reader) -> Program) -> Self {
        for reader in &mut self.cast.readers {
            let asks_offsets = reader.role.process == 0;
            reader.role.prepare.program = Some(Program {
                asks_offsets,
                ..program(&reader.role)
            });
        }
        self.terms.limits.exit = self.terms.limits.exit.max(PROGRAM_EXIT);
        self
    }

    /// Spreads the processes of each group over these places in turn.
    #[must_use]
    pub fn with_places(mut self, places: &[AtPlace]) -> Self {
        for reader in &mut self.cast.readers {
            let Some(at) = places.get(reader.role.process as usize % places.len().max(1)) else {
                return self;
            };
            let prepare = &mut reader.role.prepare;
            prepare.properties.extend(at.properties.clone());
            prepare.calibration = at.calibration;
        }
        self
    }

    /// Adds what the consumers' client gets in its own names, and how long it may pause between two fetches.
    #[must_use]
    pub fn with_client(mut self, properties: &BTreeMap<String, Secret>, fetch_pause: Duration) -> Self {
        for reader in &mut self.cast.readers {
            reader.role.prepare.client_properties.clone_from(properties);
        }
        self.terms.fetch_pause_ns = nanoseconds(fetch_pause);
        self
    }

    /// Says that the run started the store, so that a script may act on it.
    #[must_use]
    pub fn with_own_store(mut self) -> Self {
        self.cast.store.start();
        self
    }

    /// Says where each group's records end, by the group.
    #[must_use]
    pub fn with_store(mut self, orders: &[StoreOrder]) -> Self {
        for reader in &mut self.cast.readers {
            reader.role.prepare.store = orders.get(reader.role.group).cloned();
        }
        self
    }

    /// Plans acts on those who take part and on these brokers, which the run started.
    #[must_use]
    pub fn with_script(mut self, script: Script, brokers: &[u32]) -> Self {
        self.cast.brokers = brokers.iter().map(|id| Actor::new(Broker { id: *id })).collect();
        self.cast.brokers.iter_mut().for_each(AnyActor::start);
        let acts_on_readers = script.acts_on_readers();
        for reader in &mut self.cast.readers {
            match &mut reader.role.prepare.program {
                // Any of them may be away.
                Some(program) => program.asks_offsets |= acts_on_readers,
                None => reader.role.prepare.record_flow(!script.steps.is_empty()),
            }
        }
        if script.acts_on_brokers() {
            let producers = self.cast.producers.iter_mut();
            producers.for_each(|producer| producer.role.count_retries());
        }
        self.terms.script = script;
        self
    }

    /// Adds records that these producers send; every partition is then read from its first offset to an end that the load
    /// decides.
    #[must_use]
    pub fn with_load(mut self, load: LoadSpec, producers: Vec<PrepareProducer>) -> Self {
        let stamps = StampOrder {
            lead_ns: nanoseconds(load.lead),
            warmup_ns: nanoseconds(load.warmup),
            duration_ns: load.schedule.duration_ns().saturating_sub(nanoseconds(load.warmup)),
            stamped_from: load.backlog_ends.clone(),
            stamp_offset_ns: 0,
            only_producer: None,
        };
        let readers = self.cast.readers.iter_mut();
        for reader in readers.filter(|reader| !reader.role.is_observer()) {
            let in_turn = reader.role.process as usize % load.beside.len().max(1);
            reader.role.prepare.stamps = Some(StampOrder {
                only_producer: load.beside.get(in_turn).copied(),
                ..stamps.clone()
            });
        }
        self.cast.producers = producers.into_iter().map(Actor::new).collect();
        self.cast.load.start();
        self.course = Box::new(Live::new(load));
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
        let limits = limits.of_many(configuration.processes * configuration.groups, configuration.members());
        let groups = 1..=configuration.groups;
        let fresh_groups: Vec<String> = groups.map(|group| names::trial_group(trial, group)).collect();
        let terms = terms_of(configuration, &fresh_groups, topics, limits);
        let members = configuration.members_per_group() * u32::from(terms.manual);
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
                    group_id: group_id.clone(),
                    properties: properties.clone(),
                    ..order(configuration, &terms, consumers.collect(), calibration)
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
        let course = Box::new(Backlog::of(records_of(&terms.topics)));
        TrialSpec { cast, terms, course }
    }
}

/// The order of a process with these consumers, without its group.
fn order(
    configuration: &Configuration,
    terms: &Terms,
    consumers: Vec<ConsumerOrder>,
    calibration: WorkCalibration,
) -> Prepare {
    Prepare {
        consumers,
        topics: terms.topics.clone(),
        group_id: String::new(),
        properties: BTreeMap::new(),
        client_properties: BTreeMap::new(),
        work: configuration.work,
        store: None,
        calibration,
        commit: configuration.commit,
        read: configuration.read,
        threads: configuration.threads,
        ordering: configuration.ordering,
        warmup_records: configuration.warmup_records,
        manual: terms.manual,
        stamps: None,
        joins_late: false,
        static_membership: configuration.is_static,
        flow: false,
        program: None,
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

/// Offsets of all partitions; of those whose end is open, as many as there can be.
fn records_of(topics: &[TopicTarget]) -> u64 {
    partitions_of(topics).fold(0, |records, (_, range)| range.len().saturating_add(records))
}

/// Upper bound on the read time: ten times the total work, done by one member. Where nobody knows how long the work takes
/// there is none, and a trial that stands still ends by [`Limits::stall`].
fn longest_reading(topics: &[TopicTarget], work_ns: Option<u64>) -> Duration {
    let longest_ns = work_ns.map(|ns| records_of(topics).saturating_mul(ns).saturating_mul(10));
    longest_ns.map_or(Duration::MAX, Duration::from_nanos)
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
