//! Whether those to whom something is done are there when it is done, and are left alone until it is over.

use std::collections::BTreeMap;

use super::acts::Events;
use crate::scenario::kinds::time_text;
use crate::scenario::model::{EventAct, EventStep, Parties, Party, StepTime};
use crate::scenario::problem::Problem;

/// The first thing that is wrong with the order of events.
pub(super) fn check(events: &Events<'_>, parties: Parties) -> Option<Problem> {
    let mut of_each: BTreeMap<Party, Vec<&EventStep>> = BTreeMap::new();
    for step in events.steps.iter().filter(|step| step.party != Party::Load) {
        of_each.entry(step.party).or_default().push(step);
    }
    let of_each_wrong = of_each.values_mut().find_map(|steps| order(events, steps));
    of_each_wrong
        .or_else(|| roles(events))
        .or_else(|| nobody_left(events, parties, &of_each))
}

/// Walks through what is done to one of them.
fn order(events: &Events<'_>, steps: &mut [&EventStep]) -> Option<Problem> {
    let target = steps.first()?.party;
    let is_timed = |step: &&EventStep| matches!(step.when, StepTime::After(_));
    if !steps.iter().all(is_timed) {
        let first = steps[0];
        if let Some(other) = steps.iter().find(|step| step.event != first.event) {
            let message = format!(
                "nobody knows beforehand when {target} is free for {}",
                events.name(other)
            );
            let allowed = format!("must be a time, and that of {} too", events.name(first));
            return Some(events.problem(other, "at", message, allowed));
        }
        return presence(events, steps);
    }
    steps.sort_by_key(|step| step.span_ns());
    for pair in steps.windows(2) {
        let (Some((_, over_ns)), Some((begins_ns, _))) = (pair[0].span_ns(), pair[1].span_ns()) else {
            continue;
        };
        if begins_ns <= over_ns {
            let (before, message) = (
                pair[0],
                format!("{} overlaps with {}", events.name(pair[1]), events.name(pair[0])),
            );
            let allowed = format!(
                "must come after {}, when {target} is {}",
                time_text(over_ns),
                if before.act.for_ns() > 0 { "back" } else { "free again" }
            );
            return Some(events.problem(pair[1], "at", message, allowed));
        }
    }
    presence(events, steps)
}

/// Somebody who is away can only start, and nobody else can.
fn presence(events: &Events<'_>, steps: &[&EventStep]) -> Option<Problem> {
    let first = steps.first()?;
    let starts_later = first.party.is_process() && first.act == EventAct::Start;
    let mut gone = None;
    let mut is_there = !starts_later;
    for step in steps {
        let starts = step.act == EventAct::Start;
        if starts && is_there {
            let message = format!("{} is there already", step.party);
            let allowed = "must come after it left, stopped or was killed, or be its first event";
            return Some(events.problem(step, "do", message, allowed));
        }
        if let (Some(before), false) = (gone, starts) {
            let message = format!("{} is not there any more after {}", step.party, events.name(before));
            return Some(events.problem(step, "do", message, "must be \"start\", or come before that"));
        }
        if starts {
            (gone, is_there) = (None, true);
        } else if step.act.is_for_good() {
            (gone, is_there) = (Some(*step), false);
        }
    }
    None
}

/// A role may be any broker's, so nothing else may be done to brokers meanwhile, and none may be away.
fn roles(events: &Events<'_>) -> Option<Problem> {
    let mut brokers: Vec<&EventStep> = events.steps.iter().filter(|step| step.party.is_broker()).collect();
    if !brokers.iter().any(|step| step.party.is_role()) {
        return None;
    }
    brokers.sort_by_key(|step| step.span_ns());
    for pair in brokers.windows(2) {
        let (Some((_, over_ns)), Some((begins_ns, _))) = (pair[0].span_ns(), pair[1].span_ns()) else {
            let message = format!(
                "nobody knows beforehand whether {} is done to another broker",
                events.name(pair[1])
            );
            let allowed = "must be a time, as that of all events of brokers beside \"leader of\", \"controller\" and \
                           \"coordinator of\"";
            return Some(events.problem(pair[1], "at", message, allowed));
        };
        let (concerns_role, stays) = (
            pair.iter().any(|step| step.party.is_role()),
            !pair[0].act.is_for_good() && begins_ns > over_ns,
        );
        if concerns_role && !stays {
            let message = format!(
                "{} may be done to the broker of {}",
                events.name(pair[1]),
                events.name(pair[0])
            );
            let allowed = "must come when that broker is back: which broker has a role is known in the trial";
            return Some(events.problem(pair[1], "what", message, allowed));
        }
    }
    None
}

/// Somebody of each group must read at the beginning, and at the end.
fn nobody_left(events: &Events<'_>, parties: Parties, of_each: &BTreeMap<Party, Vec<&EventStep>>) -> Option<Problem> {
    for group in 1..=parties.groups {
        let steps_of = |process| {
            of_each.get(&Party::Process {
                group: (parties.groups > 1).then_some(group),
                process,
            })
        };
        let starts_later = |process: u32| steps_of(process).is_some_and(|steps| steps[0].act == EventAct::Start);
        let is_gone = |process: u32| {
            let last = steps_of(process).and_then(|steps| steps.last());
            last.is_some_and(|step| step.act.is_for_good())
        };
        let last_of = |process: u32| steps_of(process).and_then(|steps| steps.last().copied());
        let whose = if parties.groups > 1 {
            format!(" of group {group}")
        } else {
            String::new()
        };
        if (1..=parties.processes).all(starts_later) {
            let step = last_of(parties.processes)?;
            let message = format!("no process{whose} is there at the beginning");
            let allowed = "must leave one without \"start\" as its first event: a trial begins with readers";
            return Some(events.problem(step, "do", message, allowed));
        }
        if (1..=parties.processes).all(is_gone) {
            let step = (1..=parties.processes)
                .filter_map(last_of)
                .max_by_key(|step| step.span_ns())?;
            let message = format!("no process{whose} is left after {}", events.name(step));
            let allowed = "must leave one that reads on, or start one again";
            return Some(events.problem(step, "do", message, allowed));
        }
    }
    None
}
