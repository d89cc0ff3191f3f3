//! What each planned act of a configuration cost, over its trials, and what would lower it.

use serde::{Deserialize, Serialize};

use crate::measure::changes::{Episode, Gap, GapKind, PartKind, episodes, is_recorded};
use crate::measure::{Act, Measurement, MembershipTimes, Participant, PlannedAct};
use crate::scenario::{Configuration, GroupProtocol, Membership};
use crate::wording::{plural, with_commas};

const NS_PER_MS: f64 = 1e6;

/// What the planned acts of a configuration cost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChangesSummary {
    /// In the order in which they are done.
    pub acts: Vec<ActSummary>,
    /// True where some trial has acts of which it is not known what they caused: a reader did not say when it read.
    pub is_not_recorded: bool,
}

/// What one planned act cost. Times are milliseconds. All but the range are those of one trial, the one whose gap is the
/// median, so that they belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActSummary {
    /// In words, such as `process 2 is killed`.
    pub what: String,
    /// What the broker was to the cluster at that time, where something is done to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<String>,
    /// From the common start.
    pub at_s: f64,
    /// Trials in which it was done.
    pub trials: u32,
    /// Longest time in which a partition was not read because of it.
    pub gap_ms: f64,
    /// The shortest and the longest of all trials.
    pub range_ms: (f64, f64),
    /// What that gap is made of, in order.
    pub parts: Vec<PartSummary>,
    /// Partitions that went to another member.
    pub moved: u32,
    /// Partitions that stood still and went to nobody else.
    pub stood_still: u32,
    /// The longest gap of those.
    pub still_ms: f64,
    /// Records read a second time.
    pub redelivered: u64,
    /// Until all partitions were being read again.
    pub flowing_ms: f64,
    /// Until the lag was what it had been; `None` where nothing arrives, and where it stayed high.
    pub caught_up_ms: Option<f64>,
}

/// A part of a gap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartSummary {
    /// What went on.
    pub kind: PartKind,
    /// How long.
    pub ms: f64,
    /// The setting that sets it, with its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<PartSetting>,
}

/// The setting that sets the length of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartSetting {
    /// Its name.
    pub name: String,
    /// Its value, where it is a time that is known.
    pub ms: Option<f64>,
}

impl ActSummary {
    /// The gap if a setting had half of its value, as far as the part that it sets follows it.
    pub fn gap_with_half(&self, part: &PartSummary) -> Option<f64> {
        let value = part.setting.as_ref()?.ms?;
        // A session began with the last heartbeat, before the act: half of it ends earlier by half of it all the same.
        let saved = match part.kind {
            PartKind::Detection => part.ms.min(value / 2.0),
            // No more can go than the setting allows: the rest of the part is not its.
            _ => part.ms.min(value) / 2.0,
        };
        Some(self.gap_ms - saved)
    }

    /// How much of the gap no recorded happening explains.
    pub fn unexplained_ms(&self) -> f64 {
        let parts = self.parts.iter().filter(|part| part.kind == PartKind::Unexplained);
        parts.map(|part| part.ms).sum()
    }
}

impl ChangesSummary {
    /// Of these used trials; `None` where nothing was planned.
    pub(super) fn of(configuration: &Configuration, trials: &[&Measurement]) -> Option<Self> {
        let planned: Vec<&Measurement> = trials.iter().filter(|m| !m.acts.is_empty()).copied().collect();
        if planned.is_empty() {
            return None;
        }
        let recorded: Vec<(&Measurement, Vec<Episode>)> = planned
            .iter()
            .filter(|m| is_recorded(m))
            .map(|m| (*m, episodes(m)))
            .collect();
        let acts = recorded.iter().map(|(_, episodes)| episodes.len()).max().unwrap_or(0);
        let summaries = (0..acts).filter_map(|number| {
            let of_act = recorded
                .iter()
                .filter_map(|(m, episodes)| Some((*m, episodes.get(number)?)));
            summary_of(configuration, of_act.collect())
        });
        Some(ChangesSummary {
            acts: summaries.collect(),
            is_not_recorded: recorded.len() < planned.len(),
        })
    }

    /// The act with the longest gap.
    pub fn worst(&self) -> Option<&ActSummary> {
        self.acts.iter().max_by(|a, b| a.gap_ms.total_cmp(&b.gap_ms))
    }
}

/// One act over its trials.
fn summary_of(configuration: &Configuration, mut trials: Vec<(&Measurement, &Episode)>) -> Option<ActSummary> {
    let gap_ms = |episode: &Episode| {
        let longest_ns = episode.longest().map_or(0, |gap| gap.stretch.length_ns());
        longest_ns as f64 / NS_PER_MS
    };
    trials.sort_by(|(_, a), (_, b)| gap_ms(a).total_cmp(&gap_ms(b)));
    let range_ms = (gap_ms(trials.first()?.1), gap_ms(trials.last()?.1));
    let (measurement, episode) = trials[(trials.len() - 1) / 2];
    let act = &episode.act;
    let after = |at_ns: u64| at_ns.saturating_sub(act.at_ns) as f64 / NS_PER_MS;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let still = || episode.gaps.iter().filter(|gap| gap.kind != GapKind::Moved);
    Some(ActSummary {
        what: act_in_words(act, configuration.groups > 1),
        broker: broker_in_words(measurement, act),
        at_s: measurement.since_start_s(act.at_ns),
        trials: count(trials.len()),
        gap_ms: gap_ms(episode),
        range_ms,
        parts: episode
            .longest()
            .map_or_else(Vec::new, |gap| gap_parts(configuration, measurement, act, gap)),
        moved: count(episode.moved()),
        stood_still: count(still().count()),
        still_ms: still().map(|gap| gap.stretch.length_ns()).max().unwrap_or(0) as f64 / NS_PER_MS,
        redelivered: episode.redelivered(),
        flowing_ms: after(episode.flowing_ns()),
        caught_up_ms: episode.caught_up_ns.map(after),
    })
}

/// The parts of a gap with what sets them.
pub(crate) fn gap_parts(
    configuration: &Configuration,
    measurement: &Measurement,
    act: &PlannedAct,
    gap: &Gap,
) -> Vec<PartSummary> {
    // A broker that is stopped in order hands its partitions over: no session has to end.
    let is_set = |kind: PartKind| !matches!(kind, PartKind::Election | PartKind::Replication) || act.act != Act::Leave;
    let part = |part: &crate::measure::changes::Part| PartSummary {
        kind: part.kind,
        ms: part.stretch.length_ns() as f64 / NS_PER_MS,
        setting: setting(configuration, measurement.membership, part.kind).filter(|_| is_set(part.kind)),
    };
    gap.parts.iter().map(part).collect()
}

/// What sets the length of a part.
fn setting(configuration: &Configuration, times: Option<MembershipTimes>, kind: PartKind) -> Option<PartSetting> {
    let is_consumer = matches!(
        configuration.membership,
        Membership::Group(GroupProtocol::Consumer { .. })
    );
    let ms = |ns: fn(MembershipTimes) -> u64| times.map(|times| ns(times) as f64 / NS_PER_MS);
    let session = ms(|times| times.session_ns);
    let heartbeat = ms(|times| times.heartbeat_ns);
    let (name, ms) = match kind {
        PartKind::Election | PartKind::Replication => ("broker.session.timeout.ms", None),
        PartKind::Detection if is_consumer => ("group.consumer.session.timeout.ms", session),
        PartKind::Detection => ("session.timeout.ms", session),
        PartKind::Rejoin | PartKind::Division if is_consumer => ("group.consumer.heartbeat.interval.ms", heartbeat),
        PartKind::Rejoin | PartKind::Division => ("heartbeat.interval.ms", heartbeat),
        PartKind::BeforeAct
        | PartKind::Paused
        | PartKind::Absent
        | PartKind::LettingGo
        | PartKind::Leaving
        | PartKind::Joining
        | PartKind::Commit
        | PartKind::FirstRecord
        | PartKind::Unexplained => return None,
    };
    let name = name.to_owned();
    Some(PartSetting { name, ms })
}

/// `the active controller, leader of 2 partitions`.
fn broker_in_words(measurement: &Measurement, act: &PlannedAct) -> Option<String> {
    let (Participant::Broker(id), Some(roles)) = (act.who, &measurement.roles) else {
        return None;
    };
    let is_controller = roles.controller_at(act.at_ns) == Some(id);
    let partitions = measurement.members.iter().flat_map(|member| &member.partitions);
    let mut led: Vec<_> = partitions
        .map(crate::measure::PartitionMeasurement::topic_partition)
        .collect();
    led.sort_unstable();
    led.dedup();
    led.retain(|partition| roles.leader_at(*partition, act.at_ns) == Some(id));
    let controller = if is_controller {
        "the active controller"
    } else {
        "not the active controller"
    };
    Some(format!("{controller}, leader of {}", plural(led.len(), "partition")))
}

/// `process 2 is killed`.
pub(crate) fn act_in_words(act: &PlannedAct, names_group: bool) -> String {
    let who = match act.who {
        Participant::Reader { process, .. } if !names_group => format!("process {}", process + 1),
        Participant::Broker(id) if act.role.is_some() => {
            format!(
                "{} (broker {id})",
                act.role.map_or_else(String::new, |role| role.to_string())
            )
        }
        other => other.to_string(),
    };
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
        PartKind::Commit => "for the answer to a commit",
        PartKind::FirstRecord => "to the first record",
        PartKind::Unexplained => "unexplained",
    }
}
