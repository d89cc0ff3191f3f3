//! Whether partitions stay available while brokers are away.

use super::acts::Events;
use crate::scenario::draft::Draft;
use crate::scenario::keys::{Settings, TableKeys as _};
use crate::scenario::kinds::Assignment;
use crate::scenario::model::{ClusterSource, EventAct, EventStep, Party, StepTime};
use crate::scenario::problem::Problem;
use crate::wording::plural;

const IN_SYNC: &str = "min.insync.replicas";

/// The first event that takes a broker away without which the cluster cannot go on.
pub(super) fn check(events: &Events<'_>, draft: &Draft) -> Option<Problem> {
    let ClusterSource::Local { brokers, zookeeper, .. } = draft.cluster.source else {
        return None;
    };
    let goes =
        |step: &&EventStep| step.party.is_broker() && !matches!(step.act, EventAct::Pause { .. } | EventAct::Start);
    let going: Vec<&EventStep> = events.steps.iter().filter(goes).collect();
    let settings = events.settings;
    for step in going.iter().filter(|step| !step.expects_unavailable) {
        let away = away_with(events, &going, step);
        // The first broker is the only controller of two; of more, three are.
        let controllers = if brokers < 3 { 1 } else { 3 };
        let takes_controllers = !zookeeper
            && match (brokers, step.party) {
                (..3, Party::Broker(broker)) => broker == 1 || away > 1,
                (..3, _) => true,
                _ => away > controllers / 2,
            };
        let of_brokers = || draft.cluster.broker.get(IN_SYNC).cloned();
        let in_sync = settings
            .of_topics
            .get(IN_SYNC)
            .map(ToString::to_string)
            .or_else(of_brokers);
        let in_sync = in_sync.and_then(|value| value.parse().ok());
        let left = settings.replication.saturating_sub(away);
        let why = if left == 0 {
            let replicas = plural(settings.replication, "replica");
            format!(
                "partitions have {replicas}, and {} would be away",
                plural(away, "broker")
            )
        } else if takes_controllers {
            format!(
                "the cluster would have no majority of its {}",
                plural(controllers, "controller")
            )
        } else if in_sync.is_some_and(|in_sync: u32| left < in_sync) && settings.has_load() {
            format!(
                "{} would be left, and `{IN_SYNC}` asks for more",
                plural(left, "replica")
            )
        } else if let Some(why) = commits_stop(settings, draft, brokers, away) {
            why
        } else {
            continue;
        };
        let message = format!("{} makes partitions unavailable: {why}", events.name(step));
        let allowed =
            "must be used with replication = 2 or more on 3 brokers or more, or with expect = \"unavailable\"";
        let placed = &settings.events[step.event];
        let key = if placed.keys.given("do").is_some() { "do" } else { "at" };
        return Some(events.problem(step, key, message, allowed));
    }
    None
}

/// Why groups can neither commit nor rebalance while so many brokers are away: their topic has replicas of its own.
fn commits_stop(settings: &Settings, draft: &Draft, brokers: u32, away: u32) -> Option<String> {
    const FACTOR: &str = "offsets.topic.replication.factor";
    if settings.assignment == Assignment::Manual {
        return None;
    }
    let of_brokers = |name: &str| draft.cluster.broker.get(name)?.parse::<u32>().ok();
    // Kafka's default; of fewer brokers tandem asks for fewer.
    let replicas = of_brokers(FACTOR).unwrap_or(brokers.min(3));
    let left = replicas.saturating_sub(away);
    (left < of_brokers(IN_SYNC).unwrap_or(1)).then(|| {
        let all = plural(replicas, "replica");
        format!(
            "the topic of groups' commits has {all} (`{FACTOR}`), and {} would be away",
            plural(away, "broker")
        )
    })
}

/// How many brokers are away at once when this step takes one, itself included.
fn away_with(events: &Events<'_>, going: &[&EventStep], step: &EventStep) -> u32 {
    let Some((from_ns, _)) = step.span_ns() else {
        // One after the other: those that come back are back.
        let gone = going
            .iter()
            .filter(|other| other.event == step.event && other.act.is_for_good());
        return u32::try_from(gone.count()).unwrap_or(u32::MAX).max(1);
    };
    let is_back = |other: &EventStep| {
        let starts = events
            .steps
            .iter()
            .filter(|start| start.act == EventAct::Start && start.party == other.party);
        let mut starts = starts.filter_map(EventStep::span_ns);
        starts.any(|(at_ns, _)| {
            other
                .span_ns()
                .is_some_and(|(gone_ns, _)| (gone_ns..=from_ns).contains(&at_ns))
        })
    };
    let is_away = |other: &&&EventStep| match other.span_ns() {
        Some((gone_ns, back_ns)) => {
            gone_ns <= from_ns && (back_ns >= from_ns || other.act.is_for_good() && !is_back(other))
        }
        None => matches!(other.when, StepTime::Next | StepTime::Progress(_)) && other.act.is_for_good(),
    };
    u32::try_from(going.iter().filter(is_away).count()).unwrap_or(u32::MAX)
}
