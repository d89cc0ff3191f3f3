//! The rules, the first that fits naming the bottleneck. `docs/method.md` ("Why") has them as a table with the same
//! numbers; a change here is a change there.

use super::observed::{Machine, Skew};
use super::threads::BusyThread;
use super::words::{self, cores, percent};
use super::{Bottleneck, BottleneckKind as Kind, Case, limit, remedies};
use crate::scenario::{Mode, Work};

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
/// A client that for this share of the time neither awaits an answer nor unpacks one is limited by its pauses.
pub(super) const PAUSING_SHARE: f64 = 0.50;
/// The busiest member reads so many times an even share of its group's records where reading is uneven,
pub(super) const SKEW_TIMES: f64 = 1.25;
/// and this share of the members' time is left over when they have read theirs.
pub(super) const SKEW_LEFT_SHARE: f64 = 0.15;
/// Where the client says nothing of its fetching: brokers here that together use this many cores are busy,
pub(super) const BROKER_BUSY_CORES: f64 = 0.80;
/// and brokers that use less than this have nothing to do with it.
pub(super) const BROKER_IDLE_CORES: f64 = 0.50;

type Rule = fn(&Case) -> Option<Bottleneck>;

/// In the order in which they are asked. A limit comes first: under one that is reached nothing else would gain what it
/// seems to, and more of anything only shares it. What was arranged comes next: where the load is too small, members have
/// nothing or one has most of it, no machine would help. Work that needs no core, and a client that pauses, come before
/// the cores, because neither would end sooner with more of them; work that needs one comes after them, because more do not.
const RULES: [Rule; 14] = [
    limit::quota,
    limit::memory,
    load_not_reached,
    load_held,
    idle_members,
    skew,
    work_that_waits,
    pausing,
    limit::no_room,
    all_cores,
    work_that_computes,
    full_thread,
    fetching,
    fetching_unseen,
];

/// Those that say of the members that read what limits them, where others are idle.
const BESIDE_IDLE: [Rule; 9] = [
    skew,
    work_that_waits,
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

fn found(kind: Kind, evidence: String, remedy: String) -> Bottleneck {
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

/// A live load that was held is no limit of anything.
fn load_held(case: &Case) -> Option<Bottleneck> {
    let is_live = matches!(case.configuration.mode, Mode::Live(_));
    let load = case.observed.load.as_ref().filter(|load| is_live && !load.behind)?;
    if case.is_beyond {
        return None;
    }
    let seen = if load.not_held.0 > 0 {
        words::load_partly_held(load)
    } else {
        words::load_held(load, &case.observed)
    };
    Some(Bottleneck::unknown(&seen, remedies::LOAD_HELD))
}

/// Idle members are the arrangement's own fault; what limits the others is said beside it.
fn idle_members(case: &Case) -> Option<Bottleneck> {
    let idle = case.observed.idle;
    if idle == 0 {
        return None;
    }
    let others = BESIDE_IDLE.iter().find_map(|rule| rule(case));
    let others = others.map_or_else(|| words::seen(case), |other| other.evidence);
    let evidence = format!(
        "{idle} of {} members held no partition; of those that read: {others}",
        case.configuration.members()
    );
    Some(found(Kind::IdleMembers, evidence, remedies::idle_members(case)))
}

fn skew(case: &Case) -> Option<Bottleneck> {
    let skew: &Skew = case.observed.skew.as_ref()?;
    let times = skew.share * skew.members as f64;
    // While records arrive everybody reads until the end, so nobody can be done early.
    let is_left = case.observed.load.is_some() || skew.finished_early >= SKEW_LEFT_SHARE;
    if skew.members < 2 || times < SKEW_TIMES || !is_left {
        return None;
    }
    let is_backlog = case.observed.load.is_none();
    Some(found(
        Kind::Skew,
        words::skew(skew, case.dataset.topics, is_backlog),
        remedies::skew(skew),
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
    let machine = case.observed.machine.as_ref()?;
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
    (thread.wanting >= THREAD_SHARE).then(|| reader_thread(case, thread, ""))
}

fn reader_thread(case: &Case, thread: &BusyThread, more: &str) -> Bottleneck {
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

/// True where there is always something to fetch. Readers that keep up with what arrives wait for want of it, whether in a
/// live trial or once a backlog is gone, and their waiting says nothing of the fetching.
pub(super) fn is_never_without_records(case: &Case) -> bool {
    case.observed.load.as_ref().is_none_or(|load| load.behind)
}

/// How the fetching before readers that wait spends its time: the library's thread sends a request, awaits the answer,
/// unpacks it, and perhaps pauses before the next.
struct Fetching {
    waiting: f64,
    awaited: f64,
    unpacking: f64,
    pausing: f64,
}

impl Fetching {
    fn of(case: &Case) -> Option<Self> {
        if !is_never_without_records(case) {
            return None;
        }
        let seen = &case.observed;
        let (waiting, awaited) = (seen.waiting?, seen.awaited?);
        let unpacking = seen.fetcher.as_ref().map_or(0.0, |thread| thread.wanting);
        // Awaiting and unpacking overlap, so this is the most that it may have paused.
        let pausing_at_most = 1.0 - awaited.max(unpacking);
        // While records arrive, a client that awaits an answer may have nothing to fetch.
        let is_fuller = seen.load.is_none() && waiting >= WAITING_FOR_FULLER_SHARE && waiting > pausing_at_most;
        (waiting >= WAITING_SHARE || is_fuller).then(|| Fetching {
            waiting,
            awaited,
            unpacking,
            pausing: (1.0 - awaited - unpacking).max(0.0),
        })
    }

    fn evidence(&self) -> String {
        format!(
            "readers waited {} of the time with an empty queue; an answer of a broker was awaited {} of it",
            percent(self.waiting),
            percent(self.awaited)
        )
    }

    fn pauses(&self, case: &Case) -> Bottleneck {
        let evidence = format!(
            "{}, and for {} of it nothing was asked for or unpacked{}",
            self.evidence(),
            percent(self.pausing),
            words::brokers_and_cores(&case.observed)
        );
        found(Kind::FetchSettings, evidence, remedies::fetch_settings(case))
    }
}

/// A pause needs no core, so it comes before them.
fn pausing(case: &Case) -> Option<Bottleneck> {
    let fetching = Fetching::of(case).filter(|fetching| fetching.pausing >= PAUSING_SHARE)?;
    Some(fetching.pauses(case))
}

/// The longest part of the fetching limits readers that wait.
fn fetching(case: &Case) -> Option<Bottleneck> {
    let (seen, parts) = (&case.observed, Fetching::of(case)?);
    match &seen.fetcher {
        Some(thread) if parts.unpacking >= parts.awaited.max(parts.pausing) => {
            let more = format!(
                ", and answers were awaited {} of it, while readers waited {} of it with an empty queue",
                percent(parts.awaited),
                percent(parts.waiting)
            );
            Some(reader_thread(case, thread, &more))
        }
        _ if parts.awaited >= parts.pausing => {
            let evidence = format!("{}{}", parts.evidence(), words::brokers_and_cores(seen));
            Some(found(Kind::Brokers, evidence, remedies::brokers()))
        }
        _ => Some(parts.pauses(case)),
    }
}

/// The same without the client library's own figures: by the brokers' processors, where they run here.
fn fetching_unseen(case: &Case) -> Option<Bottleneck> {
    let seen = &case.observed;
    let waiting = seen
        .waiting
        .filter(|share| *share >= WAITING_SHARE && is_never_without_records(case))?;
    let brokers = seen.machine.as_ref().and_then(|machine: &Machine| machine.brokers)?;
    let evidence = format!(
        "readers waited {} of the time with an empty queue{}; what their client did meanwhile was not observed",
        percent(waiting),
        words::brokers_and_cores(seen)
    );
    if brokers >= BROKER_BUSY_CORES {
        Some(found(Kind::Brokers, evidence, remedies::brokers()))
    } else if brokers < BROKER_IDLE_CORES {
        Some(found(Kind::FetchSettings, evidence, remedies::fetch_settings(case)))
    } else {
        None
    }
}

fn nothing_fits(case: &Case) -> Bottleneck {
    Bottleneck::unknown(&words::seen(case), remedies::NOTHING_FITS)
}
