//! Reads `[[event]]` and `[[case.event]]`: the keys of each event, and what of them can stand together.

use std::ops::Range;
use std::rc::Rc;

use super::keys::read_keys;
use crate::scenario::choice::Choice as _;
use crate::scenario::document::{Entry, tables};
use crate::scenario::keys::{EVENT, EventKeys, Parsed, PlacedEvent, Setting, Settings, Table, TableKeys as _};
use crate::scenario::kinds::Deed;
use crate::scenario::model::{Event, EventAct, EventTime, Party, Target};
use crate::scenario::problem::{Problem, Problems};

/// Reads all events of an entry; each is a setting that adds it.
pub(super) fn read_events(entry: &Entry<'_>, stands_in: Table, problems: &mut Problems) -> Vec<Setting<Settings>> {
    let all = tables(entry).map_err(|problem| match stands_in {
        Table::Case => Problem {
            allowed: "must be written [[case.event]] before each one".to_owned(),
            ..problem
        },
        _ => problem,
    });
    let mut settings = Vec::new();
    for (table, span) in problems.keep(all).unwrap_or_default() {
        let mut own = Problems::default();
        let keys: EventKeys = read_keys(table, Table::Event, &mut own);
        // What a refused value leaves open is no second problem.
        let event = if own.is_empty() {
            event(&keys, &span, &mut own)
        } else {
            None
        };
        own.into_list().into_iter().for_each(|problem| problems.add(problem));
        let Some(event) = event else { continue };
        let text = event.to_string();
        let placed = PlacedEvent {
            event,
            keys,
            span: span.clone(),
        };
        let change = Rc::new(move |settings: &mut Settings| settings.events.push(placed.clone()));
        let parsed = Parsed { text, change };
        settings.push(Setting::placed(EVENT.to_owned(), entry.key_span.clone(), span, parsed));
    }
    settings
}

/// The event that the keys describe; nothing where they cannot stand together.
fn event(keys: &EventKeys, span: &Range<usize>, problems: &mut Problems) -> Option<Event> {
    let Some(at) = keys.at else {
        let allowed = "must have one, such as at = \"10s\"";
        problems.add(Problem::new(span.clone(), "this event has no `at`", allowed));
        return None;
    };
    let (act, target) = problems.keep(act(keys, span))?;
    let unfit = [
        deed_of_target(keys, target),
        without_effect(keys, target),
        rhythm(keys, at, target),
    ];
    let is_fit = unfit.iter().all(Option::is_none);
    unfit.into_iter().flatten().for_each(|problem| problems.add(problem));
    is_fit.then(|| Event {
        at,
        act,
        target,
        every_ns: keys.every_ns,
        times: keys.times,
        spread_ns: keys.spread_ns,
        expects_unavailable: keys.expected.is_some(),
    })
}

/// What is done, and to whom.
fn act(keys: &EventKeys, span: &Range<usize>) -> Result<(EventAct, Target), Problem> {
    let missing = |message: &str, allowed: &str| Err(Problem::new(span.clone(), message, allowed));
    let (deed, target) = match (keys.deed, keys.rate, keys.target) {
        (None, None, _) => {
            return missing(
                "this event has neither `do` nor `rate`",
                "must have one of the two, such as do = \"kill\"",
            );
        }
        (Some(_), Some(_), _) => {
            let allowed = "must be left out beside `do`: the rate of the load is an event of its own";
            return Err(at_key(keys, "rate", span, "`rate` cannot stand beside `do`", allowed));
        }
        (None, Some(rate), None | Some(Target::One(Party::Load))) => {
            return Ok((EventAct::Rate(rate), Target::One(Party::Load)));
        }
        (None, Some(_), Some(other)) => {
            let message = format!("`rate` cannot be that of {other}");
            return Err(at_key(keys, "what", span, &message, "must be \"load\", or be left out"));
        }
        (Some(_), None, None) => {
            return missing(
                "this event has no `what`",
                "must have one, such as what = \"process 2\"",
            );
        }
        (Some(deed), None, Some(target)) => (deed, target),
    };
    let for_ns = || {
        let message = format!("this event has no `for`, and does {:?}", deed.name());
        let allowed = "must have one, such as for = \"2s\"";
        keys.for_ns.ok_or_else(|| at_key(keys, "do", span, &message, allowed))
    };
    let act = match deed {
        Deed::Start => EventAct::Start,
        Deed::Leave => EventAct::Leave,
        Deed::Kill => EventAct::Kill,
        Deed::Stop => EventAct::Stop,
        Deed::Pause => EventAct::Pause { for_ns: for_ns()? },
        Deed::Restart => EventAct::Restart {
            for_ns: for_ns()?,
            how: keys.how,
        },
    };
    Ok((act, target))
}

fn at_key(keys: &EventKeys, key: &str, header: &Range<usize>, message: &str, allowed: &str) -> Problem {
    let span = keys
        .given(key)
        .map_or_else(|| header.clone(), |given| given.span.clone());
    Problem::new(span, message, allowed)
}

/// A deed that cannot be done to such a target.
fn deed_of_target(keys: &EventKeys, target: Target) -> Option<Problem> {
    let (deed, given) = (keys.deed?, keys.given("do")?);
    let allowed = match target {
        Target::One(Party::Load) => {
            let what = keys.given("what")?;
            let allowed = "must be left out with `rate`; the load takes nothing but rate = ...";
            let message = format!("`do` cannot be {:?} for the load", deed.name());
            return Some(Problem::new(what.span.clone(), message, allowed));
        }
        target if target.is_process() => match deed {
            Deed::Stop => "must be \"leave\" for a clean end of a process: it leaves its group",
            _ => return None,
        },
        _ => match deed {
            Deed::Leave => "must be \"stop\" for a clean end: only members leave",
            Deed::Start if matches!(target, Target::One(party) if party.is_role()) => {
                "must be \"stop\", \"kill\", \"pause\" or \"restart\": nobody has this role who is away"
            }
            _ => return None,
        },
    };
    let message = format!("`do` cannot be {:?} for {target}", deed.name());
    Some(Problem::new(given.span.clone(), message, allowed))
}

/// A key that means nothing here.
fn without_effect(keys: &EventKeys, target: Target) -> Option<Problem> {
    let lasts = matches!(keys.deed, Some(Deed::Pause | Deed::Restart));
    let unfit: [(&str, bool, &str); 3] = [
        ("for", lasts, "must be left out: only a pause and a restart last"),
        (
            "how",
            keys.deed == Some(Deed::Restart),
            "must be left out: only a restart has an end of one kind or another",
        ),
        (
            "expect",
            target.is_broker(),
            "must be left out: without brokers' events partitions stay available",
        ),
    ];
    let (key, _, allowed) = unfit
        .into_iter()
        .find(|(key, fits, _)| !fits && keys.given(key).is_some())?;
    let given = keys.given(key)?;
    Some(Problem::new(
        given.key_span.clone(),
        format!("`{key}` has no effect here"),
        allowed,
    ))
}

/// A rhythm that is none.
fn rhythm(keys: &EventKeys, at: EventTime, target: Target) -> Option<Problem> {
    let is_share = matches!(at, EventTime::Progress(_));
    if let Some(key) = ["every", "spread"]
        .into_iter()
        .find(|key| is_share && keys.given(key).is_some())
    {
        let given = keys.given(key)?;
        let message = format!("`{key}` cannot be used where `at` is a share of what is to be read");
        let allowed = "must be left out, or `at` be a time, such as at = \"10s\"";
        return Some(Problem::new(given.key_span.clone(), message, allowed));
    }
    if let (Some(given), 1, false) = (keys.given("every"), keys.times, target.is_each()) {
        let allowed = "must be used with `times`, such as times = 3, or with each process or each broker";
        return Some(Problem::new(
            given.key_span.clone(),
            "`every` has no effect here",
            allowed,
        ));
    }
    if let (Some(given), None, false) = (keys.given("times"), keys.every_ns, target.is_each() || keys.times == 1) {
        let allowed = "must be used with `every`, such as every = \"5s\"";
        return Some(Problem::new(
            given.key_span.clone(),
            "`times` is not enough to say when",
            allowed,
        ));
    }
    None
}
