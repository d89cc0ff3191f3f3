//! From what the workers of a trial recorded to its measurement: puts members in order, keeps the account of every
//! record, and says what could not be observed.

mod existing;
mod load;

use std::collections::BTreeMap;

use crate::kafka::client::fetch_pause_ms;
use crate::measure::ledger::{self, ExpectedRange, Finding, FindingKind, Reading};
use crate::measure::{
    Failure, FailureKind, HostMeasurement, Interruptions, Measurement, MemberMeasurement, OffsetRun,
    PartitionMeasurement, ProcessMeasurement, TopicPartition,
};
use crate::protocol::{Capability, MemberResult, OffsetRange, TopicTarget, WorkerResult};
use crate::scenario::Work;

use existing::{bridge_gaps, counts_of, reference_of, targets};

use super::spec::{WorkerSpec, producer_name};
use super::trial::TrialMachine;

/// What the workers of a trial that is over have recorded.
pub struct Recorded {
    results: Vec<WorkerResult>,
    members: Vec<MemberMeasurement>,
}

impl Recorded {
    /// Takes it.
    pub fn take(machine: &mut TrialMachine) -> Self {
        let results = machine.take_results();
        let members = members(machine, &results);
        Recorded { results, members }
    }

    /// Where offsets of topics that existed were not read that the cluster had delivered before: it is to be asked
    /// whether it delivers them still. `None` where nothing is missing.
    pub fn missing(&self, machine: &TrialMachine) -> Option<Vec<TopicTarget>> {
        machine.spec.reference.as_ref()?;
        let accounts = accounts(machine, &self.members);
        (!accounts.lost_between.is_empty()).then(|| targets(machine, &accounts.lost_between))
    }
}

/// Makes the measurement of a trial in which nothing is asked again.
#[cfg(test)]
pub fn measurement(machine: &mut TrialMachine, spawn_ns: u64, host: HostMeasurement) -> (Measurement, Option<Failure>) {
    let recorded = Recorded::take(machine);
    measure(machine, recorded, spawn_ns, host)
}

/// Makes the measurement of a trial that is over, with the failure that its account shows, if any.
///
/// `spawn_ns` is when the first process was being started.
pub fn measure(
    machine: &mut TrialMachine,
    recorded: Recorded,
    spawn_ns: u64,
    host: HostMeasurement,
) -> (Measurement, Option<Failure>) {
    let Recorded { results, mut members } = recorded;
    let accounts = accounts(machine, &members);
    if let Some(reference) = &machine.spec.reference {
        for member in &mut members {
            bridge_gaps(member, &reference.delivered);
        }
    }
    // Without the time of every member that read, the latest known one may not be the end.
    let times_known = members
        .iter()
        .all(|member| member.last_record_ns.is_some() || member.records() == 0);
    let last_ns = members.iter().filter_map(|member| member.last_record_ns).max();
    // Members of a load may read on until they hear that it is over.
    let is_after_end = |last_ns: u64| machine.spec.load.is_none() && last_ns > machine.heard_end_ns;
    let last_ns = last_ns.filter(|last_ns| times_known && !is_after_end(*last_ns));
    let interruptions = interruptions(machine, &results);
    let load = load::measurement(machine, accounts.unread, &members);
    let failure = accounts.failure.or_else(|| load::vanished(machine));
    let mut not_observed = not_observed(machine, last_ns.is_none());
    not_observed.extend(load.as_ref().and_then(load::lag_not_seen));
    let measurement = Measurement {
        start_ns: machine.start_ns,
        spawn_ns,
        subscribe_ns: machine.subscribe_ns,
        joined_ns: machine.joined_ns,
        end_ns: last_ns.unwrap_or(machine.heard_end_ns),
        records_expected: accounts.expected.unwrap_or_else(|| machine.spec.records()),
        lost: accounts.lost,
        duplicated: accounts.duplicated,
        redelivered: accounts.redelivered,
        not_delivered: accounts.not_delivered,
        removed: accounts.removed,
        processes: processes(machine, results),
        members,
        host,
        not_observed,
        load,
        interruptions,
        whole: None,
    };
    (measurement, failure)
}

/// Where the processes of the trial did not run, and how long the consumers' settings let them pause.
fn interruptions(machine: &TrialMachine, results: &[WorkerResult]) -> Interruptions {
    let mut interruptions = Interruptions::default();
    for (spec, result) in machine.spec.workers.iter().zip(results) {
        interruptions.add_process(&spec.name(), result.pauses.as_deref());
    }
    let producers = machine.load.iter().flat_map(|load| &load.producers).enumerate();
    for (producer, result) in producers.filter_map(|(number, state)| Some((number, state.result.as_ref()?))) {
        interruptions.add_process(&producer_name(producer), result.pauses.as_deref());
    }
    let pauses = machine
        .spec
        .workers
        .iter()
        .map(|spec| fetch_pause_ms(&spec.prepare.properties));
    interruptions.fetch_pause_ns = pauses.max().unwrap_or(0).saturating_mul(1_000_000);
    interruptions
}

fn members(machine: &TrialMachine, results: &[WorkerResult]) -> Vec<MemberMeasurement> {
    let mut members = Vec::new();
    for ((spec, state), result) in machine.spec.workers.iter().zip(&machine.workers).zip(results) {
        for (consumer, member) in result.members.iter().enumerate() {
            let held = state.held.get(consumer).cloned().unwrap_or_default();
            let group = u32::try_from(spec.group).unwrap_or(u32::MAX);
            let consumer = u32::try_from(consumer).unwrap_or(u32::MAX);
            members.push(member_measurement(
                (group, spec.process, consumer),
                held,
                member,
                machine.start_ns,
            ));
        }
    }
    members
}

fn member_measurement(
    (group, process, consumer): (u32, u32, u32),
    assigned: Vec<TopicPartition>,
    result: &MemberResult,
    start_ns: u64,
) -> MemberMeasurement {
    use crate::measure::RebalanceKind::Assigned;
    let given = result
        .rebalances
        .iter()
        .filter(|r| r.kind == Assigned && r.at_ns <= start_ns);
    MemberMeasurement {
        group,
        process,
        consumer,
        assigned,
        assigned_ns: given.map(|rebalance| rebalance.at_ns).max(),
        first_record_ns: result.partitions.iter().filter_map(|p| p.first_ns).min(),
        last_record_ns: result.partitions.iter().filter_map(|p| p.last_ns).max(),
        work_ns: result.work_ns,
        queued_at_start: result.queued_at_start,
        commits: result.commits,
        reading: result.reading,
        client: result.client,
        rebalances: result.rebalances.clone(),
        partitions: result
            .partitions
            .iter()
            .map(|p| PartitionMeasurement {
                topic: p.topic,
                partition: p.partition,
                records: p.records,
                bytes: p.bytes,
                first_ns: p.first_ns,
                last_ns: p.last_ns,
                runs: p.runs.clone(),
                series: p.series.clone(),
                latencies: p.latencies.clone(),
                waits: p.waits.clone(),
            })
            .collect(),
    }
}

fn processes(machine: &TrialMachine, results: Vec<WorkerResult>) -> Vec<ProcessMeasurement> {
    let workers = machine.spec.workers.iter().zip(&machine.workers).zip(results);
    workers
        .filter_map(|((spec, state), result)| {
            let hello = state.hello.as_ref()?;
            Some(ProcessMeasurement {
                group: u32::try_from(spec.group).unwrap_or(u32::MAX),
                process: spec.process,
                pid: hello.pid,
                client: hello.client.clone(),
                client_version: hello.client_version.clone(),
                spawn_ns: state.spawn_ns,
                hello_ns: state.hello_ns,
                ready_ns: state.ready_ns.unwrap_or(state.hello_ns),
                window: result.window,
                stopwatch: result.stopwatch,
            })
        })
        .collect()
}

/// The accounts of all groups together.
#[derive(Default)]
struct Accounts {
    lost: u64,
    duplicated: u64,
    redelivered: u64,
    /// Offsets that hold no record for readers.
    not_delivered: u64,
    /// Records that the cluster had removed.
    removed: u64,
    /// Where records are lost, of all groups.
    lost_between: BTreeMap<TopicPartition, (i64, i64)>,
    /// Records that arrived and were not read by the end of the draining.
    unread: u64,
    /// Records that each group was to read, where that was not known beforehand.
    expected: Option<u64>,
    failure: Option<Failure>,
}

fn accounts(machine: &TrialMachine, members: &[MemberMeasurement]) -> Accounts {
    let mut sum = Accounts::default();
    for group in 0..machine.spec.groups.len() {
        let of_group = |member: &&MemberMeasurement| member.group as usize == group;
        let members: Vec<&MemberMeasurement> = members.iter().filter(of_group).collect();
        let workers = machine
            .spec
            .workers
            .iter()
            .zip(&machine.workers)
            .filter(|(spec, _)| spec.group == group);
        let kept = workers.into_iter().all(|(_, state)| state.can(Capability::Ledger));
        let account = if machine.spec.load.is_some() {
            let (expected, unread) = load::expected(machine, &members);
            let there: u64 = expected.iter().map(|range| range.end.unsigned_abs()).sum();
            sum.unread += unread;
            sum.expected = Some(there + unread);
            by_ledger(&expected, None, &members)
        } else if kept {
            by_ledger(&expected_of(machine), reference_of(machine), &members)
        } else {
            by_count(machine, &members)
        };
        sum.lost += account.lost;
        sum.duplicated += account.duplicated;
        sum.redelivered += account.redelivered;
        sum.not_delivered += account.not_delivered;
        for (partition, (first, end)) in &account.lost_between {
            let between = sum.lost_between.entry(*partition).or_insert((*first, *end));
            *between = (between.0.min(*first), between.1.max(*end));
        }
        sum.removed += account.removed + machine.spec.reference.as_ref().map_or(0, |reference| reference.removed);
        if sum.failure.is_none() {
            sum.failure = failure_of(group, &account, &members);
        }
    }
    sum
}

/// What each group of a backlog trial was to read.
fn expected_of(machine: &TrialMachine) -> Vec<ExpectedRange> {
    (0u32..)
        .zip(&machine.spec.topics)
        .flat_map(|(topic, target)| {
            (0i32..)
                .zip(&target.partitions)
                .map(move |(partition, range)| ExpectedRange {
                    partition: TopicPartition { topic, partition },
                    low: range.low,
                    end: range.end,
                })
        })
        .collect()
}

/// Compares the offsets read with the offsets there are.
fn by_ledger(
    expected: &[ExpectedRange],
    reference: Option<ledger::Reference<'_>>,
    members: &[&MemberMeasurement],
) -> ledger::Account {
    let names: Vec<String> = members.iter().map(|member| member.name()).collect();
    let no_runs: &[OffsetRun] = &[];
    let readings: Vec<Reading<'_>> = members
        .iter()
        .zip(&names)
        .flat_map(|(member, name)| {
            member.partitions.iter().map(move |p| Reading {
                member: name,
                partition: TopicPartition {
                    topic: p.topic,
                    partition: p.partition,
                },
                runs: p.runs.as_deref().unwrap_or(no_runs),
            })
        })
        .collect();
    let mut account = match reference {
        Some(reference) => ledger::account_against(reference, expected, &readings),
        None => ledger::account(expected, &readings),
    };
    // Where offsets are missing or doubled, the ledger says more than the counts could.
    if account.lost == 0 && account.duplicated == 0 && account.outside == 0 {
        let counted = members.iter().flat_map(|member| &member.partitions);
        for (reading, counted) in readings.iter().zip(counted) {
            contradiction(&mut account, reading, counted.records);
        }
    }
    account
}

/// The rates rest on what a member counted: it must be as much as its ledger holds.
fn contradiction(account: &mut ledger::Account, reading: &Reading<'_>, counted: u64) {
    let length = |run: &OffsetRun| u64::try_from(run.end.saturating_sub(run.first)).unwrap_or(0);
    let noted = reading.runs.iter().map(length).fold(0, u64::saturating_add);
    if noted == counted {
        return;
    }
    account.lost = account.lost.saturating_add(noted.saturating_sub(counted));
    account.duplicated = account.duplicated.saturating_add(counted.saturating_sub(noted));
    account.findings.push(Finding {
        kind: FindingKind::Contradiction {
            counted,
            in_ledger: noted,
        },
        partition: reading.partition,
        members: vec![reading.member.to_owned()],
    });
}

/// Without a ledger only the number of records of each partition is known.
fn by_count(machine: &TrialMachine, members: &[&MemberMeasurement]) -> ledger::Account {
    let mut counts: BTreeMap<TopicPartition, u64> = machine.spec.partitions().into_iter().map(|p| (p, 0)).collect();
    for p in members.iter().flat_map(|member| &member.partitions) {
        let partition = TopicPartition {
            topic: p.topic,
            partition: p.partition,
        };
        let count = counts.entry(partition).or_default();
        *count = count.saturating_add(p.records);
    }
    let mut account = ledger::Account::default();
    for (partition, read) in counts {
        let target = machine.spec.topics.get(partition.topic as usize);
        let number = usize::try_from(partition.partition).unwrap_or(usize::MAX);
        let range = target.and_then(|target| target.partitions.get(number));
        let range = range.copied().unwrap_or(OffsetRange { low: 0, end: 0 });
        let (expected, removed) = counts_of(machine, partition, range);
        account.not_delivered += range.len() - expected;
        account.removed += removed.min(expected.saturating_sub(read));
        if read <= expected && read + removed >= expected {
            continue;
        }
        account.lost = account.lost.saturating_add(expected.saturating_sub(read + removed));
        if read < expected {
            account.lost_between.insert(partition, (range.low, range.end));
        }
        account.duplicated = account.duplicated.saturating_add(read.saturating_sub(expected));
        let readers = members.iter().filter(|member| {
            let mut read = member.partitions.iter();
            read.any(|p| p.topic == partition.topic && p.partition == partition.partition)
        });
        account.findings.push(Finding {
            kind: FindingKind::Count { read, expected },
            partition,
            members: readers.map(|member| member.name()).collect(),
        });
    }
    account
}

/// The failure that an account shows. Records read again after a change of owner are noted, and are no failure.
fn failure_of(group: usize, account: &ledger::Account, members: &[&MemberMeasurement]) -> Option<Failure> {
    let kind = if account.lost > 0 {
        FailureKind::Lost
    } else if account.duplicated > 0 || account.outside > 0 {
        FailureKind::Duplicated
    } else {
        return None;
    };
    let found = |name: &String| account.findings.iter().any(|finding| finding.members.contains(name));
    let named: Vec<String> = members.iter().map(|member| member.name()).filter(found).collect();
    let message = format!(
        "group {}: {} lost, {} counted twice, {} outside of the trial: {}",
        group + 1,
        account.lost,
        account.duplicated,
        account.outside,
        account.sentences().join("; ")
    );
    Some(Failure {
        kind,
        who: (!named.is_empty()).then(|| named.join(" and ")),
        message,
    })
}

fn not_observed(machine: &TrialMachine, no_times: bool) -> Vec<String> {
    let lacking = [
        (
            Capability::Hold,
            "it cannot hold before the start, so records may have been fetched early",
        ),
        (
            Capability::Assignment,
            "its own view of its assignment; the cluster's was used",
        ),
        (
            Capability::Ledger,
            "which offsets were read; only their number was compared",
        ),
        (Capability::Usage, "its CPU, memory and threads"),
        (Capability::Work, "the time that it spent in work"),
        (Capability::Reading, "how long it waited for records and for commits"),
        (Capability::Statistics, "what its client library counts itself"),
    ];
    let works = |spec: &WorkerSpec| spec.prepare.work != Work::None;
    let mut sentences: Vec<String> = lacking
        .into_iter()
        .filter_map(|(capability, what)| {
            let without: Vec<String> = machine
                .spec
                .workers
                .iter()
                .zip(&machine.workers)
                .filter(|(spec, state)| !state.can(capability) && (capability != Capability::Work || works(spec)))
                .map(|(spec, _)| spec.name())
                .collect();
            (!without.is_empty()).then(|| format!("{}: {what}", without.join(", ")))
        })
        .collect();
    if no_times {
        sentences.push(
            "when the last record was finished; the time at which the coordinator heard of it is used".to_owned(),
        );
    }
    sentences
}

#[cfg(test)]
mod tests;
