//! How reports name planned acts, those they are done to, and the parts of gaps.

use crate::measure::changes::{Episode, PartKind};
use crate::measure::{Act, BrokerRoles, Measurement, Participant, PartitionMeasurement, PlannedAct, TopicPartition};
use crate::wording::{plural, with_commas};

/// What the broker was to its cluster to which an act was done, over the trials: `the active controller in 3 of 10 trials,
/// leader of 1 to 2 partitions`.
pub(super) fn broker_in_words(trials: &[(&Measurement, &Episode)]) -> Option<String> {
    let known: Vec<(bool, usize)> = trials
        .iter()
        .filter_map(|(m, episode)| broker_was(m, &episode.act))
        .collect();
    let led = known.iter().map(|(_, led)| *led);
    let (least, most) = (led.clone().min()?, led.max()?);
    let controllers = known.iter().filter(|(is_controller, _)| *is_controller).count();
    let controller = match controllers {
        0 => "not the active controller".to_owned(),
        all if all == known.len() => "the active controller".to_owned(),
        some => format!("the active controller in {some} of {}", plural(known.len(), "trial")),
    };
    let led = if least == most {
        plural(most, "partition")
    } else {
        format!("{least} to {}", plural(most, "partition"))
    };
    Some(format!("{controller}, leader of {led}"))
}

/// Whether the broker of an act was the active controller, and how many partitions it led.
fn broker_was(measurement: &Measurement, act: &PlannedAct) -> Option<(bool, usize)> {
    let (Participant::Broker(id), Some(roles)) = (act.who, &measurement.roles) else {
        return None;
    };
    let is_controller = roles.controller_at(act.at_ns) == Some(id);
    Some((is_controller, led(measurement, roles, act.at_ns, id)))
}

/// How many partitions of a trial a broker led at a moment.
fn led(measurement: &Measurement, roles: &BrokerRoles, at_ns: u64, broker: i32) -> usize {
    let partitions = measurement.members.iter().flat_map(|member| &member.partitions);
    let mut led: Vec<TopicPartition> = partitions.map(PartitionMeasurement::topic_partition).collect();
    led.sort_unstable();
    led.dedup();
    led.retain(|partition| roles.leader_at(*partition, at_ns) == Some(broker));
    led.len()
}

/// An act over the trials in which it was done: a broker is named by its id only where it was the same in all of them.
pub(super) fn acts_in_words(acts: &[&PlannedAct], names_group: bool) -> Option<String> {
    let first = acts.first()?;
    let is_same = acts.iter().all(|act| act.who == first.who);
    Some(match first.role {
        Some(role) if !is_same => deed(&role.to_string(), first),
        _ => act_in_words(first, names_group),
    })
}

/// `process 2 is killed`.
pub(crate) fn act_in_words(act: &PlannedAct, names_group: bool) -> String {
    let who = match (act.who, act.role) {
        (Participant::Reader { process, .. }, _) if !names_group => format!("process {}", process + 1),
        (Participant::Broker(id), Some(role)) => format!("{role} (broker {id})"),
        (other, _) => other.to_string(),
    };
    deed(&who, act)
}

/// What is done to somebody who is named so.
fn deed(who: &str, act: &PlannedAct) -> String {
    let what = match act.act {
        Act::Start => "is started",
        Act::Leave if act.is_on_broker() || act.is_on_store() => "is stopped",
        Act::Leave => "is closed",
        Act::Kill => "is killed",
        Act::Pause => "is paused",
        Act::Resume => "is resumed",
        Act::SetRate(rate) => return format!("{who} gets {} records/s", with_commas(rate)),
    };
    format!("{who} {what}")
}

/// What went on in a part of a gap, to follow a length of time: `5.9 s until the group missed it`.
pub(crate) fn part_in_words(kind: PartKind) -> &'static str {
    match kind {
        PartKind::BeforeAct => "from the last record to the act",
        PartKind::Paused => "paused",
        PartKind::Absent => "away",
        PartKind::Leaving => "until the group knew",
        PartKind::Detection => "until the group gave it up",
        PartKind::Election => "until another broker led it",
        PartKind::Replication => "until its leader no longer waited for the copy there",
        PartKind::Rejoin => "until members learned of it",
        PartKind::LettingGo => "to give the partition up",
        PartKind::Division => "to divide the partitions anew",
        PartKind::Joining => "to start and join",
        PartKind::Resuming => "until its client fetched it again",
        PartKind::Commit => "for the answer to a commit",
        PartKind::Unwritten => "until records that were sent to it were acknowledged",
        PartKind::Standstill => "while the brokers or the machine stood still",
        PartKind::FirstRecord => "to the first record",
        PartKind::Unexplained => "unexplained",
    }
}
