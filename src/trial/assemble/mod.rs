//! From what the workers of a trial recorded to its measurement: puts members in order, keeps the account of every
//! record, and says what could not be observed.

mod accounts;
mod killed;

use crate::measure::overload::is_seen;
use crate::measure::{
    Failure, HostMeasurement, Interruptions, LoadMeasurement, Measurement, MemberMeasurement, PartitionMeasurement,
    ProcessMeasurement, TopicPartition,
};
use crate::protocol::{Capability, MemberResult, TopicTarget, Without};
use crate::scenario::Work;

use super::cast::{Actor, AnyActor, Cast, Life, Reader, ReaderStage};
use super::engine::TrialMachine;
use accounts::accounts;

/// What the workers of a trial that is over have recorded.
pub struct Recorded {
    members: Vec<MemberMeasurement>,
}

impl Recorded {
    /// Takes it.
    pub fn take(machine: &TrialMachine) -> Self {
        let members = members(machine);
        Recorded { members }
    }

    /// Ranges of existing topics with offsets that were not read although the cluster delivered them before. It is then
    /// asked whether it still delivers them. `None` where nothing is missing.
    pub fn missing(&self, machine: &TrialMachine) -> Option<Vec<TopicTarget>> {
        let lost_between = accounts(machine, &self.members).lost_between;
        machine.course.missing(&machine.ended(), &lost_between)
    }
}

/// Makes the measurement of a trial in which nothing is asked again.
#[cfg(test)]
pub fn measurement(machine: &TrialMachine, spawn_ns: u64, host: HostMeasurement) -> (Measurement, Option<Failure>) {
    let recorded = Recorded::take(machine);
    measure(machine, recorded, spawn_ns, host)
}

/// Makes the measurement of a trial that is over, with the failure that its account shows, if any.
///
/// `spawn_ns` is when the first process was being started.
pub fn measure(
    machine: &TrialMachine,
    recorded: Recorded,
    spawn_ns: u64,
    host: HostMeasurement,
) -> (Measurement, Option<Failure>) {
    let Recorded { mut members } = recorded;
    let (accounts, ended) = (accounts(machine, &members), machine.ended());
    members.iter_mut().for_each(|member| machine.course.condense(member));
    // Without the time of every member that read, the latest known one may not be the end.
    let times_known = members
        .iter()
        .all(|member| member.last_record_ns.is_some() || member.records() == 0);
    let last_ns = members.iter().filter_map(|member| member.last_record_ns).max();
    let is_after_end = |last_ns: u64| !machine.course.reads_past_the_end() && last_ns > machine.heard_end_ns;
    let last_ns = last_ns.filter(|last_ns| times_known && !is_after_end(*last_ns));
    let interruptions = interruptions(machine);
    let load = machine.course.measurement(&ended, accounts.unread, &members);
    let failure = accounts.failure.or_else(|| machine.course.failure(&ended));
    let failure = failure.or_else(|| machine.not_carried_out());
    let mut not_observed = not_observed(machine, last_ns.is_none());
    not_observed.extend(killed::not_observed(machine, accounts.not_observed));
    not_observed.extend(load.as_ref().and_then(lag_not_sampled));
    let measurement = Measurement {
        start_ns: machine.start_ns,
        spawn_ns,
        subscribe_ns: machine.subscribe_ns,
        joined_ns: machine.joined_ns,
        end_ns: last_ns.unwrap_or(machine.heard_end_ns),
        results_ns: machine.results_ns,
        // Known once the processes have ended.
        ended_ns: None,
        records_expected: accounts.expected,
        lost: accounts.lost,
        duplicated: accounts.duplicated,
        redelivered: accounts.redelivered,
        not_delivered: accounts.not_delivered,
        removed: accounts.removed,
        processes: processes(machine),
        members,
        host,
        not_observed,
        load,
        interruptions,
        acts: machine.planned(),
        overall: None,
    };
    (measurement, failure)
}

/// Where the processes of the trial did not run.
fn interruptions(machine: &TrialMachine) -> Interruptions {
    let mut interruptions = Interruptions::default();
    let Cast { readers, producers, .. } = &machine.cast;
    let reading = readers.iter().flat_map(|actor| {
        let results = actor.lives().filter_map(|(_, life)| life.result());
        results.map(|result| (actor.name(), &result.pauses))
    });
    let sending = producers
        .iter()
        .filter_map(|actor| Some((actor.name(), &actor.result()?.pauses)));
    for (name, pauses) in reading.chain(sending) {
        interruptions.add_process(&name, pauses.as_deref());
    }
    interruptions
}

fn members(machine: &TrialMachine) -> Vec<MemberMeasurement> {
    let mut members = Vec::new();
    for (index, reader) in machine.cast.readers.iter().enumerate() {
        for (number, life) in reader.lives() {
            let results = life.result().into_iter().flat_map(|result| &result.members);
            for ((consumer, member), held) in (0u32..).zip(results).zip(life.held()) {
                let group = u32::try_from(reader.role.group).unwrap_or(u32::MAX);
                let name = (group, reader.role.process, consumer);
                members.push(MemberMeasurement {
                    life: number,
                    ..member_measurement(name, held.clone(), member, machine.start_ns)
                });
            }
            members.extend(killed::members(machine, (index, number), life));
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
        ..MemberMeasurement::default()
    }
}

fn processes(machine: &TrialMachine) -> Vec<ProcessMeasurement> {
    let lives = machine.cast.readers.iter().flat_map(|reader| {
        let lives = reader.lives();
        lives.map(|(_, life)| (&reader.role, life.lived()))
    });
    let process = |(role, life): (&Reader, &Life<ReaderStage>)| {
        let Life::Ready {
            introduction,
            ready_ns,
            stage: ReaderStage::Done(_, result),
        } = life
        else {
            return None;
        };
        Some(ProcessMeasurement {
            group: u32::try_from(role.group).unwrap_or(u32::MAX),
            process: role.process,
            pid: introduction.hello.pid,
            client: introduction.hello.client.clone(),
            client_version: introduction.hello.client_version.clone(),
            spawn_ns: introduction.spawn_ns,
            hello_ns: introduction.hello_ns,
            ready_ns: *ready_ns,
            window: result.window.clone(),
            stopwatch: result.stopwatch.clone(),
        })
    };
    lives.filter_map(process).collect()
}

/// What could not be observed, by the capabilities that readers lack.
fn not_observed(machine: &TrialMachine, no_times: bool) -> Vec<String> {
    // What the same readers lack is in one sentence.
    let mut missing: Vec<(String, Vec<&str>)> = Vec::new();
    for &capability in Capability::ALL {
        let Without::NotObserved(what) = capability.without() else {
            continue;
        };
        let matters = |reader: &Actor<Reader>| capability != Capability::Work || reader.role.prepare.work != Work::None;
        // Workers reported their pauses before that was a capability.
        let reported = |reader: &Actor<Reader>| {
            capability == Capability::Pauses && reader.result().is_some_and(|result| result.pauses.is_some())
        };
        let readers = machine.cast.readers.iter();
        let without = readers.filter(|reader| matters(reader) && !reader.can(capability) && !reported(reader));
        let names: Vec<String> = without.map(AnyActor::name).collect();
        if names.is_empty() {
            continue;
        }
        let names = names.join(" and ");
        match missing.iter_mut().find(|(others, _)| *others == names) {
            Some((_, all)) => all.push(what),
            None => missing.push((names, vec![what])),
        }
    }
    let mut sentences: Vec<String> = missing
        .into_iter()
        .map(|(names, what)| format!("{names}: {}", what.join("; ")))
        .collect();
    if no_times {
        sentences.push(
            "when the last record was finished; the time at which the coordinator received its position is used"
                .to_owned(),
        );
    }
    sentences
}

/// Names the lag as not observed where the cluster said too seldom where its partitions end.
fn lag_not_sampled(load: &LoadMeasurement) -> Option<String> {
    let window_ns = (load.window_from_ns, load.window_end_ns);
    (!is_seen(&load.lag, window_ns)).then(|| {
        "how far the readers were behind: the cluster said too seldom in the window where its partitions end".to_owned()
    })
}

#[cfg(test)]
mod tests;
