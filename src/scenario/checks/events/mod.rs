//! Events of a configuration, checked all together before anything starts: those to whom something is done exist, are there
//! when it is done, and what it leaves can be read on.

mod acts;
mod order;
mod replication;

use self::acts::Events;
use crate::scenario::draft::Draft;
use crate::scenario::keys::{EVENT, PlacedEvent, Settings, TableKeys as _};
use crate::scenario::kinds::{Assignment, ModeName};
use crate::scenario::model::{
    ClusterSource, EventAct, EventTime, Parties, Party, Shape, Target, Work, count_of_steps, event_steps, seconds_ns,
    spans_of,
};
use crate::scenario::problem::{Problem, Problems};
use crate::wording::{plural, with_commas};

/// Acts of one configuration. All that events of a validated scenario do is far below this.
const STEPS_MAX: u64 = 1_000;

/// Checks one configuration; `name` tells the user which.
pub(crate) fn check(name: &str, settings: &Settings, draft: &Draft, problems: &mut Problems) {
    if settings.events.is_empty() {
        return;
    }
    if let Some(problem) = capacity(settings, draft) {
        problems.add(problem);
    }
    let parties = parties(settings, draft);
    let mut is_fit = true;
    for placed in &settings.events {
        let wrong = [
            missing(name, placed, settings, parties),
            not_ours(placed, settings, draft),
            share_of_load(placed, settings),
            changing_rate(placed, settings),
            nobody_takes_over(placed, settings),
        ];
        is_fit &= wrong.iter().all(Option::is_none);
        wrong.into_iter().flatten().for_each(|problem| problems.add(problem));
    }
    if !is_fit {
        return;
    }
    let count = count_of_steps(&events(settings), parties);
    if count > STEPS_MAX {
        let message = format!("events of {name:?} do {} acts in each trial", with_commas(count));
        let allowed = format!("must be at most {}: use smaller `times`", with_commas(STEPS_MAX));
        let most = settings.events.iter().max_by_key(|placed| placed.event.times);
        let span = most.map_or(0..0, |placed| placed.span_of("times"));
        problems.add(Problem::new(span, message, allowed));
        return;
    }
    let steps = event_steps(&events(settings), parties);
    let own = Events {
        settings,
        steps: &steps,
    };
    let wrong = order::check(&own, parties).or_else(|| replication::check(&own, draft));
    if let Some(problem) = wrong {
        problems.add(problem);
    }
}

fn events(settings: &Settings) -> Vec<crate::scenario::model::Event> {
    settings.events.iter().map(|placed| placed.event.clone()).collect()
}

/// How many there are to whom something can be done.
fn parties(settings: &Settings, draft: &Draft) -> Parties {
    let brokers = match draft.cluster.source {
        ClusterSource::Local { brokers, .. } => brokers,
        ClusterSource::Bootstrap(_) => 0,
    };
    Parties {
        groups: settings.groups,
        processes: settings.processes,
        brokers,
    }
}

#[allow(clippy::unnecessary_wraps, reason = "checks return what is wrong, or nothing")]
fn at_target(placed: &PlacedEvent, message: String, allowed: impl Into<String>) -> Option<Problem> {
    Some(Problem::new(placed.span_of("what"), message, allowed))
}

/// Somebody who is never there.
fn missing(name: &str, placed: &PlacedEvent, settings: &Settings, parties: Parties) -> Option<Problem> {
    let no = |what: &str, there: String| {
        let message = format!("there is no {what} in {name:?}");
        at_target(placed, message, format!("must be one of those that are there: {there}"))
    };
    let (groups, topics) = (settings.groups, settings.topics);
    let party = match placed.event.target {
        Target::One(party) => party,
        // Every group has a first process.
        Target::EachProcess { group } if group.is_some() => Party::Process { group, process: 1 },
        Target::EachProcess { .. } | Target::EachBroker => return None,
    };
    match party {
        Party::Process { group: None, .. } if groups > 1 => {
            let allowed = format!("must name the group, as in \"process 1 of group 1\": there are {groups}");
            at_target(placed, format!("`what` names no group of {name:?}"), allowed)
        }
        Party::Process { group: Some(group), .. } | Party::CoordinatorOf(group) if group > groups => {
            no(&format!("group {group}"), plural(groups, "group"))
        }
        Party::Process { process, .. } if process > parties.processes => {
            let there = format!("{} in a group", plural(parties.processes, "process"));
            no(&format!("process {process}"), there)
        }
        Party::Broker(broker) if parties.brokers > 0 && broker > parties.brokers => {
            no(&format!("broker {broker}"), plural(parties.brokers, "broker"))
        }
        Party::LeaderOf { topic: None, .. } if topics > 1 => {
            let allowed = format!("must name the topic, as in \"leader of 0 of topic 1\": there are {topics}");
            at_target(placed, format!("`what` names no topic of {name:?}"), allowed)
        }
        Party::LeaderOf { topic: Some(topic), .. } if topic > topics => {
            no(&format!("topic {topic}"), plural(topics, "topic"))
        }
        Party::LeaderOf { partition, .. } if partition >= settings.partitions => {
            let partitions = settings.partitions;
            no(
                &format!("partition {partition}"),
                format!("0 to {}", partitions.saturating_sub(1)),
            )
        }
        Party::Load if !settings.has_load() => {
            let allowed = "must be used where records arrive: with a [load]";
            at_target(placed, format!("{name:?} has no load"), allowed)
        }
        Party::Store if settings.work != Work::Store => {
            let allowed = "must be used with work = \"store\"";
            at_target(placed, format!("{name:?} has no store"), allowed)
        }
        _ => None,
    }
}

/// Brokers, or a database, that somebody else runs.
fn not_ours(placed: &PlacedEvent, settings: &Settings, draft: &Draft) -> Option<Problem> {
    let target = placed.event.target;
    if target.is_broker() && matches!(draft.cluster.source, ClusterSource::Bootstrap(_)) {
        let allowed = "must be used with brokers that tandem starts: those of `bootstrap` belong to somebody else";
        return at_target(
            placed,
            format!("nothing can be done to {target} of a running cluster"),
            allowed,
        );
    }
    let url = draft.store.as_ref().and_then(|store| store.keys.url.as_ref());
    if target == Target::One(Party::Store) && settings.work == Work::Store && url.is_some() {
        let allowed = "must be used with the PostgreSQL that tandem starts: the one of `url` belongs to somebody else";
        return at_target(placed, "nothing can be done to a running database".to_owned(), allowed);
    }
    None
}

/// How much of what arrives has been read depends on the time alone.
fn share_of_load(placed: &PlacedEvent, settings: &Settings) -> Option<Problem> {
    let is_share = matches!(placed.event.at, EventTime::Progress(_));
    (is_share && settings.mode_name() != ModeName::Backlog).then(|| {
        let message = "`at` cannot be a share of what is to be read where records arrive";
        Problem::new(placed.span_of("at"), message, "must be a time, such as at = \"10s\"")
    })
}

/// A rate that changes all the time has no moment from which it is another.
fn changing_rate(placed: &PlacedEvent, settings: &Settings) -> Option<Problem> {
    let is_changing = matches!(settings.profile, Shape::Ramp { .. } | Shape::Bursts { .. });
    (is_changing && placed.event.target == Target::One(Party::Load)).then(|| {
        let message = "`rate` cannot be changed where `profile` changes it all the time";
        let allowed = "must be used with a constant profile or with steps";
        Problem::new(placed.span_of("rate"), message, allowed)
    })
}

/// Without a group nobody takes over what a process had.
fn nobody_takes_over(placed: &PlacedEvent, settings: &Settings) -> Option<Problem> {
    let event = &placed.event;
    let stays = matches!(event.act, EventAct::Pause { .. });
    (settings.assignment == Assignment::Manual && event.target.is_process() && !stays).then(|| {
        let message = "processes cannot come and go with manual assignment";
        let allowed = "must be left out, or pause: without a group nobody takes over their partitions";
        Problem::new(placed.span_of("do"), message, allowed)
    })
}

/// A search decides by the response time at a steady rate.
fn capacity(settings: &Settings, draft: &Draft) -> Option<Problem> {
    let given = settings.given(EVENT)?;
    draft.capacity.as_ref().map(|_| {
        let allowed = "must be left out: the highest rate is that of undisturbed readers";
        Problem::new(
            given.span.clone(),
            "[capacity] cannot be searched for with events",
            allowed,
        )
    })
}

/// Events that come after the end of the trial, as far as the file says when that is.
pub(crate) fn warnings(named: &[(&str, &Settings)], draft: &Draft) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, settings) in named {
        let (end_ns, until) = match settings.load() {
            Some(load) => (load.warmup_ns.saturating_add(load.duration_ns), "the load lasts"),
            None if draft.trial.records.is_none() && !settings.reads_existing() => (
                seconds_ns(draft.trial.seconds),
                "about as long as trials read (`seconds`)",
            ),
            None => continue,
        };
        let steps = event_steps(&events(settings), parties(settings, draft));
        let spans = spans_of(&steps);
        let is_late = |span: &Option<(u64, u64)>| span.is_some_and(|(_, over_ns)| over_ns >= end_ns);
        if let Some(event) = spans.iter().position(is_late).map(|late| steps[late].event) {
            let end = crate::scenario::kinds::time_text(end_ns);
            let event_text = &settings.events[event].event;
            warnings.push(format!(
                "event {} ({event_text}) in {name:?} may not be over by the end of the trial, {end} after the start: {until}; \
                 a trial that ends before an event is over fails",
                event + 1
            ));
        }
    }
    warnings.dedup();
    warnings
}
