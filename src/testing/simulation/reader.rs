//! A simulated process of consumers: what it holds, reads and reports.

use std::collections::BTreeMap;

use super::chance::Chance;
use super::cluster::Cluster;
use super::mischief::Error;
use crate::measure::{OffsetRun, PartitionMeasurement, Rebalance, RebalanceKind, TopicPartition};
use crate::protocol::{
    Capability, ConsumerOrder, MemberAssignment, MemberResult, OffsetRange, Position, Prepare, WorkerResult,
    partitions_of,
};

/// What a consumer truly read of a partition.
#[derive(Debug, Clone, Default)]
pub struct Read {
    pub runs: Vec<OffsetRun>,
    pub records: u64,
    first_ns: Option<u64>,
    last_ns: Option<u64>,
}

impl Read {
    fn note(&mut self, now_ns: u64, offset: i64, epoch: u32) {
        match self.runs.last_mut() {
            Some(run) if run.end == offset && run.epoch == epoch => run.end += 1,
            _ => self.runs.push(OffsetRun {
                first: offset,
                end: offset + 1,
                epoch,
            }),
        }
        self.records += 1;
        self.first_ns.get_or_insert(now_ns);
        self.last_ns = Some(now_ns);
    }
}

/// One consumer.
#[derive(Debug, Clone, Default)]
pub struct Consumer {
    /// What it holds, with the next offset to read.
    pub held: BTreeMap<TopicPartition, i64>,
    /// Counts up with every assignment.
    epoch: u32,
    pub reads: BTreeMap<TopicPartition, Read>,
    rebalances: Vec<Rebalance>,
    /// It does not give this one back.
    pub keeps: Option<TopicPartition>,
    /// It reads this one without holding it, from the offset on.
    pub poaches: Option<(TopicPartition, i64)>,
    /// What it held at the common start.
    pub held_at_start: Vec<TopicPartition>,
}

impl Consumer {
    /// Gives back what it holds, and says what that was, with the positions.
    pub fn revoke(&mut self, now_ns: u64) -> BTreeMap<TopicPartition, i64> {
        let mut revoked = std::mem::take(&mut self.held);
        if let Some((partition, position)) = self.keeps.and_then(|kept| revoked.remove_entry(&kept)) {
            self.held.insert(partition, position);
        }
        if !revoked.is_empty() {
            self.rebalances.push(Rebalance {
                at_ns: now_ns,
                kind: RebalanceKind::Revoked,
                partitions: revoked.keys().copied().collect(),
            });
        }
        revoked
    }

    /// Takes partitions over at these positions.
    pub fn assign(&mut self, now_ns: u64, positions: BTreeMap<TopicPartition, i64>) {
        self.epoch += 1;
        self.rebalances.push(Rebalance {
            at_ns: now_ns,
            kind: RebalanceKind::Assigned,
            partitions: positions.keys().copied().collect(),
        });
        for (partition, position) in positions {
            self.held.entry(partition).or_insert(position);
        }
    }
}

/// What a reader did in a step.
#[derive(Debug, Default)]
pub struct Progress {
    pub positions: Vec<Position>,
    /// Errors that it made now.
    pub errors: Vec<Error>,
}

/// A process of consumers.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a trait of its own")]
pub struct SimReader {
    pub name: String,
    pub group: usize,
    pub capabilities: Vec<Capability>,
    pub consumers: Vec<Consumer>,
    /// As it was ordered; empty before.
    pub orders: Vec<ConsumerOrder>,
    pub is_manual: bool,
    /// From the offset of the trial's beginning to its end in each partition.
    pub ranges: BTreeMap<TopicPartition, OffsetRange>,
    pub is_reading: bool,
    pub is_stopped: bool,
    /// At the end of a partition it reports the end, whatever the last record was.
    pub reports_ends: bool,
    /// Errors that it will make.
    pub errors: Vec<Error>,
    /// It leaves out its last consumer in what it reports.
    pub hides_member: bool,
}

impl SimReader {
    pub fn new(name: String, group: usize, capabilities: Vec<Capability>, reports_ends: bool) -> Self {
        SimReader {
            name,
            group,
            capabilities,
            consumers: Vec::new(),
            orders: Vec::new(),
            is_manual: false,
            ranges: BTreeMap::new(),
            is_reading: false,
            is_stopped: false,
            reports_ends,
            errors: Vec::new(),
            hides_member: false,
        }
    }

    /// Takes its order.
    pub fn prepare(&mut self, order: &Prepare) {
        self.consumers = vec![Consumer::default(); order.consumers.len()];
        self.orders.clone_from(&order.consumers);
        self.is_manual = order.manual;
        self.ranges = partitions_of(&order.topics).collect();
    }

    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// What each consumer holds.
    pub fn assignments(&self) -> Vec<MemberAssignment> {
        let members = (0u32..)
            .zip(&self.consumers)
            .map(|(consumer, member)| MemberAssignment {
                consumer,
                partitions: member.held.keys().copied().collect(),
                assigned_ns: member.rebalances.last().map(|rebalance| rebalance.at_ns),
            });
        members.take(self.members_reported()).collect()
    }

    fn members_reported(&self) -> usize {
        self.consumers.len().saturating_sub(usize::from(self.hides_member))
    }

    /// Takes the error off the list of those to come, if it is there.
    fn errs(&mut self, error: Error) -> bool {
        let index = self.errors.iter().position(|planned| *planned == error);
        index.map(|index| self.errors.remove(index)).is_some()
    }

    /// Reads some records of each partition.
    pub fn read(&mut self, now_ns: u64, cluster: &Cluster, burst: u64, chance: &mut Chance) -> Progress {
        let mut progress = Progress::default();
        for consumer in 0..self.consumers.len() {
            let held: Vec<(TopicPartition, i64)> = {
                let member = &self.consumers[consumer];
                let held = member.held.iter().map(|(partition, position)| (*partition, *position));
                held.chain(member.poaches).collect()
            };
            for (partition, position) in held {
                let most = chance.between(1, burst);
                let reached =
                    self.read_partition(now_ns, cluster, (consumer, partition, position), most, &mut progress);
                let member = &mut self.consumers[consumer];
                if let Some(poached) = member.poaches.as_mut().filter(|(poached, _)| *poached == partition) {
                    poached.1 = reached;
                    continue;
                }
                member.held.insert(partition, reached);
                let is_promised = reached > position && self.errs(Error::Promises);
                if is_promised {
                    progress.errors.push(Error::Promises);
                }
                let end = self.ranges[&partition].end;
                let offset = if is_promised { end } else { reached };
                if offset != position {
                    progress.positions.push(Position {
                        topic: partition.topic,
                        partition: partition.partition,
                        offset,
                    });
                }
            }
        }
        progress
    }

    /// Reads some records of a partition; the next offset to read.
    fn read_partition(
        &mut self,
        now_ns: u64,
        cluster: &Cluster,
        (consumer, partition, position): (usize, TopicPartition, i64),
        most: u64,
        progress: &mut Progress,
    ) -> i64 {
        let end = self.ranges[&partition].end;
        if !cluster.is_led(partition, now_ns) {
            return position;
        }
        let log = cluster.log(partition);
        let mut offsets = log.fetch(now_ns, position, end, most);
        let Some(reached) = offsets.last().map(|last| last + 1) else {
            let is_at_end = self.reports_ends && log.end(now_ns) >= end;
            return if is_at_end { position.max(end) } else { position };
        };
        if offsets.len() > 2 && self.errs(Error::Loses) {
            offsets.remove(1);
            progress.errors.push(Error::Loses);
        }
        if self.errs(Error::Doubles) {
            offsets.push(offsets[0]);
            progress.errors.push(Error::Doubles);
        }
        let member = &mut self.consumers[consumer];
        let epoch = member.epoch;
        let read = member.reads.entry(partition).or_default();
        for offset in offsets {
            read.note(now_ns, offset, epoch);
        }
        reached
    }

    /// Everything it recorded, with the errors of its account that are due; these are listed.
    pub fn result(&mut self) -> (WorkerResult, Vec<Error>) {
        let mut members: Vec<MemberResult> = self.consumers.iter().map(|member| self.member_result(member)).collect();
        let mut errors = Vec::new();
        let has_ledger = self.can(Capability::Ledger);
        let run = |first: i64| {
            let run = OffsetRun {
                first,
                end: first + 3,
                epoch: 1,
            };
            has_ledger.then(|| vec![run])
        };
        if !members.is_empty() && self.errs(Error::Foreign) {
            members[0].partitions.push(PartitionMeasurement {
                partition: 99,
                records: 3,
                runs: run(0),
                ..PartitionMeasurement::default()
            });
            errors.push(Error::Foreign);
        }
        let is_read = |read: &&mut PartitionMeasurement| read.partition != 99 && read.records > 0;
        if let Some(read) = members
            .iter_mut()
            .flat_map(|member| &mut member.partitions)
            .find(is_read)
        {
            if self.errs(Error::Beyond) {
                let partition = TopicPartition {
                    topic: read.topic,
                    partition: read.partition,
                };
                // No partition of a simulated load is so long.
                let end = self.ranges[&partition].end.min(1_000_000);
                read.records += 3;
                if let (Some(runs), Some(beyond)) = (&mut read.runs, run(end + 5)) {
                    runs.extend(beyond);
                }
                errors.push(Error::Beyond);
            }
            if self.errs(Error::Miscounts) {
                read.records += 1;
                errors.push(Error::Miscounts);
            }
        }
        members.truncate(self.members_reported());
        let result = WorkerResult {
            members,
            pauses: self.can(Capability::Pauses).then(Vec::new),
            ..WorkerResult::default()
        };
        (result, errors)
    }

    fn member_result(&self, member: &Consumer) -> MemberResult {
        let partitions = member.reads.iter().map(|(partition, read)| PartitionMeasurement {
            topic: partition.topic,
            partition: partition.partition,
            records: read.records,
            bytes: read.records * 100,
            first_ns: read.first_ns,
            last_ns: read.last_ns,
            runs: self.can(Capability::Ledger).then(|| read.runs.clone()),
            ..PartitionMeasurement::default()
        });
        MemberResult {
            partitions: partitions.collect(),
            queued_at_start: self.can(Capability::Hold).then_some(0),
            rebalances: member.rebalances.clone(),
            ..MemberResult::default()
        }
    }
}
