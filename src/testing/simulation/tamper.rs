//! Faults of an engine, put between it and its world on purpose: the checks must find each. The engine itself has no hook
//! for them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::engine::Facts;
use crate::measure::{OffsetRun, PartitionMeasurement, TopicPartition};
use crate::protocol::{FromWorker, MemberAssignment, MemberResult, Position, ToWorker, WorkerResult};
use crate::trial::{Action, ActorId, Event};

/// What is wrong with the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tamper {
    Nothing,
    /// Its account fills gaps: a lost record counts as read.
    HidesLoss,
    /// Its barrier believes the cluster and not the members: two may own a partition.
    AllowsTwoOwners,
    /// It takes a partition for read as soon as something of it is.
    EndsEarly,
    /// A reader that died has read everything.
    DeathIsSuccess,
    /// A reader that was killed as planned has failed.
    PlannedDeathFails,
}

/// The layer between engine and world.
#[derive(Debug)]
pub struct Layer {
    tamper: Tamper,
    /// What each client owned by the cluster's last answer.
    owned: BTreeMap<String, BTreeSet<TopicPartition>>,
    /// What each consumer of a reader said last that it holds.
    words: BTreeMap<usize, Vec<MemberAssignment>>,
    dead: BTreeSet<usize>,
    /// Events that no part of the world made.
    pub invented: VecDeque<Event>,
    /// True once it changed anything.
    pub has_changed: bool,
}

impl Layer {
    pub fn new(tamper: Tamper) -> Self {
        Layer {
            tamper,
            owned: BTreeMap::new(),
            words: BTreeMap::new(),
            dead: BTreeSet::new(),
            invented: VecDeque::new(),
            has_changed: false,
        }
    }

    /// What the engine hears of an event.
    pub fn event(&mut self, event: Event, facts: &Facts) -> Event {
        match (self.tamper, event) {
            (Tamper::HidesLoss, Event::Message(actor, FromWorker::Result(mut result))) => {
                for read in result.members.iter_mut().flat_map(|member| &mut member.partitions) {
                    self.has_changed |= fill_gaps(read);
                }
                Event::Message(actor, FromWorker::Result(result))
            }
            (Tamper::AllowsTwoOwners, Event::Group(group, Ok(description))) => {
                for member in &description.members {
                    let partitions = member.assignment.iter().filter_map(|(topic, partition)| {
                        let topic = facts.topics.iter().position(|name| name == topic)?;
                        let (topic, partition) = (u32::try_from(topic).ok()?, *partition);
                        Some(TopicPartition { topic, partition })
                    });
                    self.owned.insert(member.client_id.clone(), partitions.collect());
                }
                Event::Group(group, Ok(description))
            }
            (
                Tamper::AllowsTwoOwners,
                Event::Message(ActorId::Reader(reader), FromWorker::Assignments { query, mut members }),
            ) => {
                for (client_id, member) in facts.client_ids[reader].iter().zip(&mut members) {
                    let before = member.partitions.len();
                    if let Some(owned) = self.owned.get(client_id) {
                        member.partitions.retain(|partition| owned.contains(partition));
                    }
                    self.has_changed |= member.partitions.len() < before;
                }
                Event::Message(ActorId::Reader(reader), FromWorker::Assignments { query, members })
            }
            (Tamper::EndsEarly, Event::Message(actor, FromWorker::Progress { mut positions })) => {
                for position in &mut positions {
                    let end = facts.ranges[&position.topic_partition()].end;
                    self.has_changed |= position.offset < end;
                    position.offset = end;
                }
                Event::Message(actor, FromWorker::Progress { positions })
            }
            (
                Tamper::DeathIsSuccess,
                Event::Message(ActorId::Reader(reader), FromWorker::Assignments { query, members }),
            ) => {
                self.words.insert(reader, members.clone());
                Event::Message(ActorId::Reader(reader), FromWorker::Assignments { query, members })
            }
            (Tamper::DeathIsSuccess, Event::Died(ActorId::Reader(reader), _)) => {
                self.has_changed = true;
                self.dead.insert(reader);
                let positions = self.partitions(reader).map(|partition| Position {
                    topic: partition.topic,
                    partition: partition.partition,
                    offset: facts.ranges[&partition].end,
                });
                let positions = positions.collect();
                Event::Message(ActorId::Reader(reader), FromWorker::Progress { positions })
            }
            (Tamper::PlannedDeathFails, Event::Died(actor, message)) => {
                self.has_changed = true;
                let (consumer, connect) = (None, false);
                Event::Message(
                    actor,
                    FromWorker::Failed {
                        consumer,
                        connect,
                        message,
                    },
                )
            }
            (_, event) => event,
        }
    }

    fn partitions(&self, reader: usize) -> impl Iterator<Item = TopicPartition> {
        let words = self.words.get(&reader).into_iter().flatten();
        words.flat_map(|member| member.partitions.iter().copied())
    }

    /// The engine did this.
    pub fn actions(&mut self, actions: &[Action], facts: &Facts) {
        for action in actions {
            if let Action::Send(ActorId::Reader(reader), ToWorker::Stop) = action
                && self.dead.contains(reader)
            {
                let result = FromWorker::Result(Box::new(self.complete_result(*reader, facts)));
                self.invented
                    .push_back(Event::Message(ActorId::Reader(*reader), result));
            }
        }
    }

    /// The result of a reader that read everything it held.
    fn complete_result(&self, reader: usize, facts: &Facts) -> WorkerResult {
        let words = self.words.get(&reader).into_iter().flatten();
        let members = words.map(|member| {
            let partitions = member.partitions.iter().map(|partition| {
                let range = facts.ranges[partition];
                PartitionMeasurement {
                    topic: partition.topic,
                    partition: partition.partition,
                    records: range.len(),
                    runs: Some(vec![OffsetRun {
                        first: range.low,
                        end: range.end,
                        epoch: 1,
                    }]),
                    ..PartitionMeasurement::default()
                }
            });
            MemberResult {
                partitions: partitions.collect(),
                ..MemberResult::default()
            }
        });
        WorkerResult {
            members: members.collect(),
            ..WorkerResult::default()
        }
    }
}

/// Lets the runs of a partition go on over gaps; true if there was one.
fn fill_gaps(read: &mut PartitionMeasurement) -> bool {
    let Some(runs) = &mut read.runs else { return false };
    let mut has_gap = false;
    for index in 1..runs.len() {
        let gap = runs[index].first - runs[index - 1].end;
        if gap > 0 {
            has_gap = true;
            read.records += gap.unsigned_abs();
            runs[index].first -= gap;
        }
    }
    has_gap
}
