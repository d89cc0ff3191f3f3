//! Rules for what members and their threads do with records, and for the cores that they do it on.

use super::case::Case;
use super::model::{Bottleneck, BottleneckKind as Kind};
use super::remedies;
use super::spread::InOrder;
use super::threads::BusyThread;
use super::thresholds::{CORES_SHARE, SKEW_TIMES, THREAD_SHARE, WORKING_SHARE};
use super::words::{self, cores};
use crate::wording::plural;

/// The order of a partition or a key keeps one thread busy while others have nothing to do.
pub(super) fn work_in_order(case: &Case) -> Option<Bottleneck> {
    let observed = &case.observed;
    let in_order: &InOrder = observed.in_order.as_ref()?;
    let working = observed.working.filter(|share| *share < WORKING_SHARE)?;
    if in_order.working < WORKING_SHARE {
        return None;
    }
    let is_uneven = in_order.share * in_order.usable as f64 >= SKEW_TIMES;
    Some(Bottleneck::new(
        if is_uneven { Kind::Skew } else { Kind::ConsumerWork },
        words::in_order(in_order, is_uneven, working, case),
        remedies::in_order(in_order, is_uneven),
    ))
}

/// Waiting for something else than a core: a database that the work stands for, or the answers to commits.
pub(super) fn work_that_waits(case: &Case) -> Option<Bottleneck> {
    let observed = &case.observed;
    let committing = observed.committing.unwrap_or(0.0);
    // The rules of the store say what its transactions wait for, where they are what members wait for.
    let is_of_store = observed.store.is_some() && observed.working > observed.committing;
    let working = observed
        .working
        .filter(|_| case.configuration.work.waits() && !is_of_store);
    let waiting = working.unwrap_or(0.0);
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
        remedies::COMMITS.to_owned()
    } else {
        remedies::work(case)
    };
    Some(Bottleneck::new(Kind::ConsumerWork, words::working(observed), remedy))
}

pub(super) fn all_cores(case: &Case) -> Option<Bottleneck> {
    let machine = case.observed.machine.as_ref().filter(|_| !case.is_short())?;
    if machine.busy_share() >= CORES_SHARE {
        return Some(Bottleneck::new(
            Kind::AllCores,
            words::saturated(machine),
            remedies::all_cores(case, machine),
        ));
    }
    let mut others = case.observed.others.iter();
    if let Some((name, other)) = others.find(|(_, other)| other.busy_share() >= CORES_SHARE) {
        let evidence = words::saturated(other).replacen("machine saturated", &format!("host {name} saturated"), 1);
        let remedy = "More cores there would help, or workers on further hosts; more members on that host will not.";
        return Some(Bottleneck::new(Kind::AllCores, evidence, remedy));
    }
    let allowed = f64::from(case.cpus?);
    let used = case.observed.process_cores?;
    let clients = machine.clients.unwrap_or(used).max(used);
    (allowed < machine.cores && clients >= CORES_SHARE * allowed).then(|| Bottleneck {
        kind: Kind::AllCores,
        evidence: format!(
            "the consumers used {} of the {} that their place leaves to them",
            cores(clients),
            plural(case.cpus.unwrap_or(0), "core")
        ),
        remedy: "More cores for their place would help; more members on the same ones will not.".to_owned(),
    })
}

pub(super) fn work_that_computes(case: &Case) -> Option<Bottleneck> {
    let observed = &case.observed;
    (observed.working? + observed.committing.unwrap_or(0.0) >= WORKING_SHARE).then(|| Bottleneck {
        kind: Kind::ConsumerWork,
        evidence: words::working(observed),
        remedy: remedies::work(case),
    })
}

pub(super) fn full_thread(case: &Case) -> Option<Bottleneck> {
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
