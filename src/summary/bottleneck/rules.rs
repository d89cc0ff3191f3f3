//! The rules, the first that fits naming the bottleneck. `docs/method.md` ("Why") has them as a table with the same
//! numbers; a change here is a change there.

use super::fetching::{fetching, fetching_unseen, pausing, quota};
use super::response::{load_held, response};
use super::spread::{InOrder, Skew};
use super::threads::BusyThread;
use super::words::{self, cores};
use super::{Bottleneck, BottleneckKind as Kind, Case, limit, remedies};
use crate::scenario::Work;

/// Members that are in work, or wait for commits, for this share of their time are limited by that.
pub(super) const WORKING_SHARE: f64 = 0.80;
/// A machine, or the part of it that the consumers may use, is full at this share of its cores: the kernel's ticks and
/// the starting of threads leave no more.
pub(super) const CORES_SHARE: f64 = 0.93;
/// A thread that wants a core for this share of the time is full: it runs, or is ready to and has none.
pub(super) const THREAD_SHARE: f64 = 0.90;
/// Readers that wait with an empty queue for this share of their time are limited by what comes before them.
pub(super) const WAITING_SHARE: f64 = 0.50;
/// So are those of a backlog that wait for this share of it, and for longer than their client can have paused: what comes
/// before them is the fuller of the two.
pub(super) const WAITING_FOR_FULLER_SHARE: f64 = 0.25;
/// So are those to which a quota holds answers back for this share of the time, and that wait for as long.
pub(super) const THROTTLED_SHARE: f64 = 0.25;
/// A client that for this share of the time neither awaits an answer nor unpacks one is limited by its pauses.
pub(super) const PAUSING_SHARE: f64 = 0.50;
/// The busiest member reads so many times an even share of its group's records where reading is uneven,
pub(super) const SKEW_TIMES: f64 = 1.25;
/// and this share of the members' time is left over when they have read theirs.
pub(super) const SKEW_LEFT_SHARE: f64 = 0.15;
/// A trial that is shorter, in seconds, is over after a few exchanges with the brokers, and before the kernel's ticks and
/// the client's statistics say anything: what it waited for and which cores were full is not known.
pub(super) const SHORT_SECONDS: f64 = 0.1;
/// Where the client says nothing of its fetching: brokers here that together use this many cores are busy,
pub(super) const BROKER_BUSY_CORES: f64 = 0.80;
/// and brokers that use less than this have nothing to do with it.
pub(super) const BROKER_IDLE_CORES: f64 = 0.50;

type Rule = fn(&Case) -> Option<Bottleneck>;

/// In the order in which they are asked. A limit comes first: under one that is reached nothing else would gain what it
/// seems to, and more of anything only shares it. What was arranged comes next: where the load is too small, members have
/// nothing or one has most of it, no machine would help. Work that needs no core, and a client that pauses, come before
/// the cores, because neither would end sooner with more of them; work that needs one comes after them, because more do not.
const RULES: [Rule; 18] = [
    limit::quota,
    limit::memory,
    load_not_reached,
    while_behind,
    load_held,
    idle_members,
    skew,
    work_in_order,
    work_that_waits,
    quota,
    pausing,
    limit::no_room,
    all_cores,
    work_that_computes,
    full_thread,
    fetching,
    fetching_unseen,
    response,
];

/// Those that say of the members that read what limits them, where others are idle or records do not always lie before
/// them.
const OF_READERS: [Rule; 11] = [
    skew,
    work_in_order,
    work_that_waits,
    quota,
    pausing,
    limit::no_room,
    all_cores,
    work_that_computes,
    full_thread,
    fetching,
    fetching_unseen,
];

/// The bottleneck of a case.
pub(super) fn judge(case: &Case) -> Bottleneck {
    (RULES.iter().find_map(|rule| rule(case))).unwrap_or_else(|| nothing_fits(case))
}

pub(super) fn found(kind: Kind, evidence: String, remedy: String) -> Bottleneck {
    Bottleneck { kind, evidence, remedy }
}

fn load_not_reached(case: &Case) -> Option<Bottleneck> {
    let load = case.observed.load.as_ref().filter(|load| !load.reached)?;
    Some(found(
        Kind::Producers,
        words::load_not_reached(load),
        remedies::producers(),
    ))
}

/// Where records lie before the readers for a part of the time only, that part says what limits them.
fn while_behind(case: &Case) -> Option<Bottleneck> {
    let behind = case.observed.behind.filter(|_| !case.is_behind())?;
    let part = case.while_behind()?;
    let mut bottleneck = OF_READERS.iter().find_map(|rule| rule(&part))?;
    bottleneck.evidence = format!("{}: {}", words::while_behind(&behind), bottleneck.evidence);
    Some(bottleneck)
}

/// Idle members are the arrangement's own fault; what limits the others is said beside it.
fn idle_members(case: &Case) -> Option<Bottleneck> {
    let idle = case.observed.idle;
    if idle == 0 {
        return None;
    }
    let others = OF_READERS.iter().find_map(|rule| rule(case));
    let others = others.map_or_else(|| words::seen(case), |other| other.evidence);
    let evidence = format!(
        "{idle} of {} members held no partition; of those that read: {others}",
        case.configuration.members()
    );
    Some(found(Kind::IdleMembers, evidence, remedies::idle_members(case)))
}

fn skew(case: &Case) -> Option<Bottleneck> {
    let skew: &Skew = case.observed.skew.as_ref()?;
    let is_backlog = case.observed.load.is_none();
    let is_uneven = skew.share * skew.members as f64 >= SKEW_TIMES;
    // While records arrive everybody reads until the end, so nobody can be done early; and a member that is full reads no
    // more, however much arrives for it.
    let is_limit = if is_backlog {
        is_uneven && skew.finished_early >= SKEW_LEFT_SHARE
    } else if skew.working.is_empty() {
        is_uneven
    } else {
        is_busy_unevenly(skew)
    };
    (skew.members >= 2 && is_limit).then(|| {
        found(
            Kind::Skew,
            words::skew(skew, case.dataset.topics, is_backlog),
            remedies::skew(skew),
        )
    })
}

/// Some members are full, and others are not.
pub(super) fn is_busy_unevenly(skew: &Skew) -> bool {
    skew.members >= 2 && skew.busy().is_some_and(|busy| busy.times >= SKEW_TIMES)
}

/// The order of a partition or a key keeps one thread busy while others have nothing to do.
fn work_in_order(case: &Case) -> Option<Bottleneck> {
    let seen = &case.observed;
    let in_order: &InOrder = seen.in_order.as_ref()?;
    let working = seen.working.filter(|share| *share < WORKING_SHARE)?;
    if in_order.working < WORKING_SHARE {
        return None;
    }
    let is_uneven = in_order.share * in_order.usable as f64 >= SKEW_TIMES;
    Some(found(
        if is_uneven { Kind::Skew } else { Kind::ConsumerWork },
        words::in_order(in_order, is_uneven, working, case),
        remedies::in_order(in_order, is_uneven),
    ))
}

/// Waiting for something else than a core: a database that the work stands for, or the answers to commits.
fn work_that_waits(case: &Case) -> Option<Bottleneck> {
    let seen = &case.observed;
    let committing = seen.committing.unwrap_or(0.0);
    let waiting = match case.configuration.work {
        Work::Wait { .. } => seen.working.unwrap_or(0.0),
        Work::None | Work::Cpu { .. } => 0.0,
    };
    // With threads of their own for the work, the reading thread commits meanwhile.
    let share = if case.configuration.threads > 1 {
        waiting.max(committing)
    } else {
        waiting + committing
    };
    if share < WORKING_SHARE {
        return None;
    }
    let remedy = if committing > waiting {
        remedies::commits()
    } else {
        remedies::work(case)
    };
    Some(found(Kind::ConsumerWork, words::working(seen), remedy))
}

fn all_cores(case: &Case) -> Option<Bottleneck> {
    let machine = case.observed.machine.as_ref().filter(|_| !case.is_short())?;
    if machine.busy_share() >= CORES_SHARE {
        return Some(found(
            Kind::AllCores,
            words::saturated(machine),
            remedies::all_cores(case, machine),
        ));
    }
    let allowed = f64::from(case.cpus?);
    let used = case.observed.process_cores?;
    let clients = machine.clients.unwrap_or(used).max(used);
    (allowed < machine.cores && clients >= CORES_SHARE * allowed).then(|| Bottleneck {
        kind: Kind::AllCores,
        evidence: format!(
            "the consumers used {} of the {} that their place leaves to them",
            cores(clients),
            words::number_of(case.cpus.unwrap_or(0), "core")
        ),
        remedy: "More cores for their place would help; more members on the same ones will not.".to_owned(),
    })
}

fn work_that_computes(case: &Case) -> Option<Bottleneck> {
    let seen = &case.observed;
    (seen.working? + seen.committing.unwrap_or(0.0) >= WORKING_SHARE).then(|| Bottleneck {
        kind: Kind::ConsumerWork,
        evidence: words::working(seen),
        remedy: remedies::work(case),
    })
}

fn full_thread(case: &Case) -> Option<Bottleneck> {
    let thread = case.observed.thread.as_ref()?;
    (thread.wanting >= THREAD_SHARE && !case.is_short()).then(|| reader_thread(case, thread, ""))
}

pub(super) fn reader_thread(case: &Case, thread: &BusyThread, more: &str) -> Bottleneck {
    let idle = case
        .observed
        .machine
        .as_ref()
        .map(words::idle_cores)
        .unwrap_or_default();
    Bottleneck {
        kind: Kind::ReaderThread,
        evidence: format!("{}{more}{idle}", words::busy(thread)),
        remedy: remedies::reader_thread(case, thread.role),
    }
}

fn nothing_fits(case: &Case) -> Bottleneck {
    if let Some(seconds) = case.observed.seconds.filter(|_| case.is_short()) {
        return Bottleneck::unknown(&words::short(seconds), remedies::SHORT);
    }
    Bottleneck::unknown(&words::seen(case), remedies::NOTHING_FITS)
}
