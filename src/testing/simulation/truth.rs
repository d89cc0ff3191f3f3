//! What truly happened in a simulated trial, compared with its measurement. The comparison counts offset by offset, where
//! the ledger of `measure` merges runs.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::Checker;
use super::mischief::{Error, What};
use super::plan::Records;
use super::world::World;
use crate::measure::{Measurement, MemberMeasurement, TopicPartition};
use crate::protocol::{OffsetRange, entry_of};
use crate::testing::script::BEGIN_NS;
use crate::trial::ActorId;

/// The sums over all groups.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Truth {
    pub lost: u64,
    pub duplicated: u64,
    pub redelivered: u64,
    /// Not read, and removed by the cluster during the trial.
    removed: u64,
    /// Arrived and not read when the draining was over.
    unread: u64,
    /// Read although not part of the trial.
    outside: u64,
}

impl Truth {
    /// What all groups truly read.
    pub fn of(world: &World, checker: &Checker) -> Self {
        let mut truth = Truth::default();
        for group in 0..world.cluster.groups.len() {
            for (partition, range) in &checker.facts().ranges {
                truth.add(world, checker, group, (*partition, *range));
            }
        }
        truth
    }

    fn add(
        &mut self,
        world: &World,
        checker: &Checker,
        group: usize,
        (partition, range): (TopicPartition, OffsetRange),
    ) {
        // By offset: who read it, under which assignment, how often.
        let mut reads: BTreeMap<i64, BTreeMap<(usize, usize, u32), u64>> = BTreeMap::new();
        let lives = world.readers.iter().chain(&world.past).enumerate();
        let readers = lives.filter(|(_, reader)| reader.group == group);
        for (reader, process) in readers {
            for (consumer, member) in process.consumers.iter().enumerate() {
                for run in member.reads.get(&partition).iter().flat_map(|read| &read.runs) {
                    for offset in run.first..run.end {
                        let owners = reads.entry(offset).or_default();
                        *owners.entry((reader, consumer, run.epoch)).or_default() += 1;
                    }
                }
            }
        }
        let log = world.cluster.log(partition);
        let furthest = reads.keys().next_back().map_or(0, |last| last + 1);
        let expected: BTreeSet<i64> = match world.plan.records {
            Records::Backlog | Records::Existing => {
                let offsets = log.offsets.iter().copied();
                offsets
                    .filter(|offset| (range.low..range.end).contains(offset))
                    .collect()
            }
            Records::Arriving => {
                let ends = checker.load_over.as_ref().map(|(_, ends)| ends);
                let end = ends.and_then(|ends| entry_of(ends, partition)).copied().unwrap_or(0);
                let has_failed = world.plan.has(|what| matches!(what, What::Fails { .. }));
                let end = if has_failed { end.max(furthest) } else { end };
                self.unread += u64::try_from(end - furthest).unwrap_or(0);
                (0..end.min(furthest)).collect()
            }
        };
        for offset in expected.iter().filter(|offset| !reads.contains_key(offset)) {
            if *offset < log.low {
                self.removed += 1;
            } else {
                self.lost += 1;
            }
        }
        for (offset, owners) in &reads {
            let times: u64 = owners.values().sum();
            if !expected.contains(offset) {
                self.outside += times;
                continue;
            }
            self.duplicated += times - owners.len() as u64;
            self.redelivered += owners.len() as u64 - 1;
        }
    }

    /// True if every record was read exactly once.
    pub fn is_exact(&self) -> bool {
        self.lost + self.duplicated + self.redelivered + self.outside == 0
    }
}

/// What is wrong with the account of a trial, good or not, as far as it can know what happened.
pub fn check_account(world: &World, checker: &Checker, measurement: &Measurement, is_good: bool) -> Result<(), String> {
    let truth = Truth::of(world, checker);
    let all_have_ledgers = (0..world.cluster.groups.len()).all(|group| world.has_ledger(group));
    if !all_have_ledgers {
        // Only the number of records of each partition is known: what one error adds another may hide.
        return Ok(());
    }
    if !world.plan.deeds.is_empty() {
        // What was read again, and what somebody read who was killed, is not known to the record.
        if is_good && truth.lost + truth.outside > 0 {
            return Err(format!("a good trial in which truly {truth:?}"));
        }
        return Ok(());
    }
    if is_good && !truth.is_exact() {
        return Err(format!("a good trial in which truly {truth:?}"));
    }
    let lies = |what: &What| matches!(what, What::Errs(_, Error::Foreign | Error::Beyond | Error::Miscounts));
    let result_is_cut = |what: &What| matches!(what, What::Breaks(..));
    if world.plan.has(lies) || world.plan.has(result_is_cut) {
        return Ok(());
    }
    let measured = Truth {
        lost: measurement.lost,
        duplicated: measurement.duplicated,
        redelivered: measurement.redelivered,
        removed: truth.removed,
        unread: measurement.load.as_ref().map_or(0, |load| load.unread),
        outside: truth.outside,
    };
    if measured != truth {
        return Err(format!("the account says {measured:?}, and truly {truth:?}"));
    }
    Ok(())
}

/// Members of a good trial: records, and what they held from the start on.
pub fn check_members(world: &World, measurement: &Measurement) -> Result<(), String> {
    for member in &measurement.members {
        let reader = (member.group * world.plan.processes + member.process) as usize;
        let truth = &world.readers[reader].consumers[member.consumer as usize];
        for (partition, read) in &truth.reads {
            let measured = member
                .partitions
                .iter()
                .find(|read| read.topic_partition() == *partition);
            let records = measured.map_or(0, |read| read.records);
            if records != read.records {
                return Err(format!(
                    "{} read {} records of {partition:?} and not {records}",
                    member.name(),
                    read.records
                ));
            }
        }
        if member.partitions.len() != truth.reads.len() {
            return Err(format!("{} has partitions that it never read", member.name()));
        }
        if world.readers[reader].is_reading && member.assigned != truth.held_at_start {
            return Err(format!(
                "{} held {:?} at the start and not {:?}",
                member.name(),
                truth.held_at_start,
                member.assigned
            ));
        }
    }
    Ok(())
}

/// The times of a good trial are in order, those of other hosts but for this slack.
pub fn check_times(measurement: &Measurement, slack_ns: u64) -> Result<(), String> {
    let Measurement {
        spawn_ns,
        subscribe_ns,
        joined_ns,
        start_ns,
        end_ns,
        ..
    } = *measurement;
    let results_ns = measurement.results_ns.unwrap_or(0);
    let trial = [
        BEGIN_NS,
        spawn_ns,
        subscribe_ns,
        joined_ns,
        start_ns,
        end_ns,
        results_ns,
    ];
    if !trial.is_sorted_by(|earlier, later| *earlier <= later.saturating_add(slack_ns)) {
        return Err(format!("times are not in order: {trial:?}"));
    }
    for process in &measurement.processes {
        let times = [
            spawn_ns,
            process.spawn_ns,
            process.hello_ns,
            process.ready_ns,
            subscribe_ns,
        ];
        if !times.is_sorted() {
            return Err(format!(
                "times of process {} are not in order: {times:?}",
                process.process
            ));
        }
    }
    Ok(())
}

/// The times of partitions on other hosts, corrected for the drift of their clocks, are true within the bound that is
/// reported.
pub fn check_clocks(world: &World, measurement: &Measurement) -> Result<(), String> {
    for (actor, result) in &world.true_results {
        let ActorId::Reader(index) = *actor else { continue };
        let index = u32::try_from(index).unwrap();
        let (group, process) = (index / world.plan.processes, index % world.plan.processes);
        for (consumer, member) in (0u32..).zip(&result.members) {
            let is_it = |m: &&MemberMeasurement| (m.group, m.process, m.consumer) == (group, process, consumer);
            let measured = measurement.members.iter().find(is_it);
            let measured = measured.into_iter().flat_map(|measured| &measured.partitions);
            let host = measurement
                .processes
                .iter()
                .find(|p| (p.group, p.process) == (group, process));
            let index = host.and_then(|process| process.host.index());
            let clock = index.and_then(|index| measurement.clocks.0.get(index));
            let bound_ns = clock.map_or(0, |clock| clock.fitted_bound_ns.unwrap_or(clock.bound_ns));
            for (measured, reported) in measured.zip(&member.partitions) {
                for (found, truth) in [
                    (measured.first_ns, reported.first_ns),
                    (measured.last_ns, reported.last_ns),
                ] {
                    let wrong_ns = found.unwrap_or(0).abs_diff(truth.unwrap_or(0));
                    if wrong_ns > bound_ns {
                        return Err(format!(
                            "a time of {} is wrong by {wrong_ns} ns, and the bound is {bound_ns} ns",
                            world.name(*actor)
                        ));
                    }
                }
            }
        }
    }
    Ok(())
}
