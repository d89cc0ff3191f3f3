//! From the log of a trial to its measurement: puts members in order, keeps the account of every record, and says what
//! could not be observed.

mod accounts;
mod killed;
mod lives;
mod observed;
mod planned;

use crate::measure::changes;
use crate::measure::overload::is_seen;
use crate::measure::{
    Failure, HostMeasurement, Interruptions, LoadMeasurement, Measurement, MemberMeasurement, ProcessMeasurement,
    TopicPartition,
};
use crate::protocol::{Capability, MemberResult, TopicTarget, Without};
use crate::scenario::Work;
use crate::time::HostId;

use accounts::accounts;
use lives::{Lived, lives};

use super::cast::{Actor, AnyActor, Reader};
use super::course::Ended;
use super::happening::Happening;
use super::phase::Phase;

/// Ranges of existing topics with offsets that were not read although the cluster delivered them before. It is then asked
/// whether it still delivers them. `None` where nothing is missing.
pub fn missing(ended: &Ended<'_>) -> Option<Vec<TopicTarget>> {
    ended.course.reference(ended.log)?;
    let lost_between = accounts(ended, &members(ended)?).lost_between;
    ended.course.missing(ended, &lost_between)
}

/// Makes the measurement of a trial that is over, with the failure that its account shows, if any; `None` where it was
/// over before its reading was.
pub fn measure(ended: &Ended<'_>, host: HostMeasurement) -> Option<(Measurement, Option<Failure>)> {
    let Ended { course, log, .. } = ended;
    let mut members = members(ended)?;
    let accounts = accounts(ended, &members);
    let heard_end_ns = log.began_ns(Phase::Collecting)?;
    for member in &mut members {
        course.condense(member);
    }
    let last_ns = last_record_ns(&members).filter(|last_ns| course.reads_past_the_end() || *last_ns <= heard_end_ns);
    // The clocks of other hosts are compared after the last result.
    let result_of = |reader| log.of(reader, Happening::try_as_result_ref).map(|(at_ns, _)| at_ns);
    let results_ns = ended
        .cast
        .reader_ids()
        .filter_map(result_of)
        .max()
        .or(log.began_ns(Phase::Over));
    let load = course.measurement(ended, accounts.unread, &members);
    let course_failure = || course.failure(ended).or_else(|| ended.not_carried_out());
    let failure = accounts.failure.or_else(course_failure);
    let mut not_observed = not_observed(ended, last_ns.is_none());
    not_observed.extend(killed::not_observed(ended, accounts.not_observed));
    not_observed.extend(load.as_ref().and_then(lag_not_sampled));
    let measurement = Measurement {
        start_ns: *log.latest(Happening::try_as_start_set_ref)?,
        spawn_ns: spawn_ns(ended)?,
        subscribe_ns: log.began_ns(Phase::Joining)?,
        joined_ns: log.began_ns(Phase::Reading)?,
        end_ns: last_ns.unwrap_or(heard_end_ns),
        results_ns,
        clocks: ended.clocks.of_others(),
        other_hosts: Vec::new(),
        // Known once the processes have ended.
        ended_ns: None,
        records_expected: accounts.expected,
        lost: accounts.lost,
        duplicated: accounts.duplicated,
        redelivered: accounts.redelivered,
        not_delivered: accounts.not_delivered,
        removed: accounts.removed,
        processes: processes(ended),
        members,
        host,
        not_observed,
        load,
        interruptions: interruptions(ended),
        acts: ended.planned(),
        // The coordinator of the trial asks the cluster for these meanwhile.
        group_looks: Vec::new(),
        group_epochs: Vec::new(),
        roles: None,
        membership: ended.terms.membership.filter(|_| !ended.terms.script.steps.is_empty()),
        outside: observed::outside(ended),
        // Known once its tables have been counted.
        store: None,
        overall: None,
    };
    let failure = with_fault(failure, changes::fault(&measurement));
    Some((measurement, failure))
}

/// When the last record was finished. Without the time of every member that read, the latest known one may not be it.
fn last_record_ns(members: &[MemberMeasurement]) -> Option<u64> {
    let is_known = |member: &MemberMeasurement| member.last_record_ns.is_some() || member.records() == 0;
    let last_ns = members.iter().filter_map(|member| member.last_record_ns).max();
    last_ns.filter(|_| members.iter().all(is_known))
}

/// The failure of a trial, with what a member did that explains it, or that is one by itself.
fn with_fault(failure: Option<Failure>, fault: Option<Failure>) -> Option<Failure> {
    match (failure, fault) {
        (Some(mut failure), Some(fault)) if failure.kind == fault.kind => {
            let who = fault.who.unwrap_or_default();
            failure.message = format!("{}; {who}: {}", failure.message, fault.message);
            Some(failure)
        }
        (failure, fault) => failure.or(fault),
    }
}

/// When the first process of the trial was being started: of programs that are observed, the first of them.
fn spawn_ns(ended: &Ended<'_>) -> Option<u64> {
    let readers = 0..ended.cast.readers.len();
    let programs = readers.filter_map(|reader| ended.log.result(reader)?.program.as_ref());
    let first_ns = programs.map(|program| program.started_ns).min();
    first_ns.or_else(|| ended.log.began_ns(Phase::Starting))
}

/// Where the processes of the trial did not run.
fn interruptions(Ended { cast, log, .. }: &Ended<'_>) -> Interruptions {
    let mut interruptions = Interruptions::default();
    for actor in cast.ids() {
        let readers = lives(log, actor)
            .into_iter()
            .filter_map(|life| Some(&life.result?.pauses));
        let producer = log.of(actor, Happening::try_as_produced_ref);
        for pauses in readers.chain(producer.map(|(_, result)| &result.pauses)) {
            interruptions.add_process(&cast[actor].name(), pauses.as_deref());
        }
    }
    interruptions
}

/// What each member recorded; `None` where the reading did not begin.
fn members(ended: &Ended<'_>) -> Option<Vec<MemberMeasurement>> {
    let Ended { cast, log, .. } = ended;
    let start_ns = *log.latest(Happening::try_as_start_set_ref)?;
    let mut members = Vec::new();
    for (actor, reader) in cast.reader_ids().zip(&cast.readers) {
        for (number, life) in (0u32..).zip(lives(log, actor)) {
            let results = life.result.into_iter().flat_map(|result| &result.members);
            for ((consumer, member), held) in (0u32..).zip(results).zip(life.held) {
                let group = u32::try_from(reader.role.group).unwrap_or(u32::MAX);
                let place = (group, reader.role.process, consumer);
                members.push(MemberMeasurement {
                    life: number,
                    unanswered: life.unanswered_of(consumer),
                    ..member_measurement(place, held.clone(), member, start_ns)
                });
            }
            members.extend(killed::members(ended, &reader.role, number, &life));
        }
    }
    observed::attribute(ended, start_ns, &mut members);
    Some(members)
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
        store: result.store,
        queued_at_start: result.queued_at_start,
        commits: result.commits,
        reading: result.reading,
        client: result.client,
        rebalances: result.rebalances.clone(),
        heartbeats: result.heartbeats.clone(),
        slow_commits: result.slow_commits.clone(),
        partitions: result.partitions.clone(),
        ..MemberMeasurement::default()
    }
}

fn processes(Ended { cast, log, clocks, .. }: &Ended<'_>) -> Vec<ProcessMeasurement> {
    let readers = cast.reader_ids().zip(&cast.readers);
    let all = readers.flat_map(|(actor, reader)| {
        let host = clocks.host_of(actor);
        lives(log, actor)
            .into_iter()
            .map(move |life| (&reader.role, host, life))
    });
    let process = |(role, host, life): (&Reader, HostId, Lived<'_>)| {
        let (result, (hello_ns, hello)) = (life.result?, life.hello?);
        // Of a program that is observed, its own start counts and not that of its observer.
        let program = result.program.as_ref();
        let started_ns = program.map(|program| program.started_ns);
        let ready_ns = started_ns.map(|started_ns| program.and_then(|program| program.ready_ns).unwrap_or(started_ns));
        Some(ProcessMeasurement {
            group: u32::try_from(role.group).unwrap_or(u32::MAX),
            process: role.process,
            host,
            pid: program.map_or(hello.pid, |program| program.pid),
            client: hello.client.clone(),
            client_version: hello.client_version.clone(),
            spawn_ns: started_ns.unwrap_or(life.spawn_ns),
            hello_ns: started_ns.unwrap_or(hello_ns),
            ready_ns: ready_ns.or(life.ready_ns)?,
            window: result.window.clone(),
            stopwatch: result.stopwatch.clone(),
        })
    };
    all.filter_map(process).collect()
}

/// What could not be observed, by the capabilities that readers lack.
fn not_observed(ended: &Ended<'_>, no_times: bool) -> Vec<String> {
    let Ended { cast, log, .. } = ended;
    // What the same readers lack is in one sentence.
    let mut missing: Vec<(String, Vec<&str>)> = Vec::new();
    for &capability in Capability::ALL {
        let Without::NotObserved(what) = capability.without() else {
            continue;
        };
        let matters = |Actor { role, .. }: &Actor<Reader>| match capability {
            Capability::Work => role.prepare.work != Work::None,
            Capability::Flow => role.prepare.flow,
            _ => true,
        };
        // Workers reported their pauses before that was a capability.
        let reported = |reader: usize| {
            capability == Capability::Pauses && log.result(reader).is_some_and(|result| result.pauses.is_some())
        };
        let readers = cast.readers.iter().enumerate();
        let without = readers.filter(|(index, reader)| matters(reader) && !reader.can(capability) && !reported(*index));
        let names: Vec<String> = without.map(|(_, reader)| reader.name()).collect();
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
    sentences.extend(observed::not_observed(ended));
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

#[cfg(test)]
mod recorded_tests;
