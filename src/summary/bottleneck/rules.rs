//! The rules, the first that fits naming the bottleneck. `docs/method.md` ("Why") has them as a table with the same
//! numbers; a change here is a change there.

use super::case::Case;
use super::fetching::{fetching, fetching_unseen, pausing, quota};
use super::limit;
use super::model::{Bottleneck, BottleneckKind as Kind};
use super::remedies;
use super::response::{load_held, response};
use super::spread::Skew;
use super::store::{store, store_that_waits};
use super::thresholds::{SKEW_LEFT_SHARE, SKEW_TIMES};
use super::words;
use super::work::{all_cores, full_thread, work_in_order, work_that_computes, work_that_waits};

type Rule = fn(&Case) -> Option<Bottleneck>;

/// In the order in which they are asked. A limit comes first: under one that is reached nothing else would gain what it
/// seems to, and more of anything only shares it. What was arranged comes next: where the load is too small, members have
/// nothing or one has most of it, no machine would help. Work that needs no core, a store that waits for its disk and a
/// client that pauses come before the cores, because none would end sooner with more of them; work that needs one comes
/// after them, because more do not.
const RULES: [Rule; 20] = [
    limit::quota,
    limit::memory,
    load_not_reached,
    while_behind,
    load_held,
    idle_members,
    skew,
    work_in_order,
    work_that_waits,
    store_that_waits,
    quota,
    pausing,
    limit::no_room,
    all_cores,
    store,
    work_that_computes,
    full_thread,
    fetching,
    fetching_unseen,
    response,
];

/// Those that say of the members that read what limits them, where others are idle or records do not always lie before
/// them.
const OF_READERS: [Rule; 13] = [
    skew,
    work_in_order,
    work_that_waits,
    store_that_waits,
    quota,
    pausing,
    limit::no_room,
    all_cores,
    store,
    work_that_computes,
    full_thread,
    fetching,
    fetching_unseen,
];

/// The bottleneck of a case.
pub(super) fn judge(case: &Case) -> Bottleneck {
    (RULES.iter().find_map(|rule| rule(case))).unwrap_or_else(|| nothing_fits(case))
}

fn load_not_reached(case: &Case) -> Option<Bottleneck> {
    let load = case.observed.load.as_ref().filter(|load| !load.reached)?;
    Some(Bottleneck::new(
        Kind::Producers,
        words::load_not_reached(load),
        remedies::PRODUCERS,
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
    Some(Bottleneck::new(
        Kind::IdleMembers,
        evidence,
        remedies::idle_members(case),
    ))
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
        skew.is_busy_unevenly()
    };
    (skew.members >= 2 && is_limit).then(|| {
        Bottleneck::new(
            Kind::Skew,
            words::skew(skew, case.dataset.topics, is_backlog),
            remedies::skew(skew),
        )
    })
}

fn nothing_fits(case: &Case) -> Bottleneck {
    if let Some(seconds) = case.observed.seconds.filter(|_| case.is_short()) {
        return Bottleneck::unknown(words::short(seconds), remedies::SHORT);
    }
    Bottleneck::unknown(words::seen(case), remedies::NOTHING_FITS)
}
