//! What each planned act of a configuration cost, over its trials, and what would lower it.

mod parts;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::words::{acts_in_words, broker_in_words};
use crate::measure::changes::{Episode, GapKind, PartKind, ResponseThrough, episodes, is_recorded, response_through};
use crate::measure::{ActNumber, LoadMeasurement, Measurement, PlannedAct};
use crate::scenario::Configuration;

pub(crate) use parts::gap_parts;
pub use parts::{PartSetting, PartSummary};
pub(crate) use words::{act_in_words, part_in_words};

const NS_PER_MS: f64 = 1e6;
const P99: f64 = 0.99;

/// What the planned acts of a configuration cost.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChangesSummary {
    /// In the order in which they are done.
    pub acts: Vec<ActSummary>,
    /// How long records took in the seconds that acts disturbed and in the others; `None` where nothing arrives, where nobody
    /// says how long records took, and where no second was disturbed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<DisturbedSummary>,
    /// Records that the producers' clients could not deliver, over all trials; `None` where nothing arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undelivered: Option<u64>,
    /// Records that the producers' clients sent again after an attempt that failed, over all trials; `None` where nothing is
    /// done to brokers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<u64>,
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
    /// How exact times are where readers are observed from outside: the longest time between two commits; `None` where
    /// readers say themselves when they read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution_ms: Option<f64>,
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
    /// The longest time in which a partition acknowledged nothing to those who write; `None` where nobody writes, and of acts
    /// that are not done to brokers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwritten_ms: Option<f64>,
    /// Epoch of the group before, and when all was over; `None` where it was not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<(i32, i32)>,
    /// Until all replicas were in sync again; `None` where none was out of sync, and where that never came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_ms: Option<f64>,
}

/// Response times of all trials, by whether an act disturbed the second. Times are milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DisturbedSummary {
    /// The 99th percentile in the other seconds of the window; `None` of fewer than a thousand records.
    pub quiet_p99_ms: Option<f64>,
    /// The 99th percentile in the disturbed seconds; `None` of fewer than a thousand records.
    pub disturbed_p99_ms: Option<f64>,
    /// The longest in the disturbed seconds.
    pub disturbed_max_ms: f64,
    /// Records whose work ended in disturbed seconds, as a share of those of both.
    pub disturbed_share: f64,
    /// Records that took longer than the load allows; `None` where it sets no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<LateSummary>,
}

/// Records that took longer than `late` of the load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LateSummary {
    /// That time.
    pub limit_ms: f64,
    /// Those in disturbed seconds.
    pub disturbed: u64,
    /// Those in the others.
    pub quiet: u64,
}

impl ActSummary {
    /// The gap if a setting had half of its value, as far as the part that it sets follows it.
    pub fn gap_with_half(&self, part: &PartSummary) -> Option<f64> {
        let value = part.setting.as_ref()?.ms?;
        // A session began with the last heartbeat, before the act: half of it ends earlier by half of it all the same.
        let saved = match part.kind {
            PartKind::Detection | PartKind::Election | PartKind::Replication => part.ms.min(value / 2.0),
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
        let mut by_act: BTreeMap<ActKey, Vec<(&Measurement, &Episode)>> = BTreeMap::new();
        for (m, episodes) in &recorded {
            for (place, episode) in episodes.iter().enumerate() {
                by_act.entry(key(&episode.act, place)).or_default().push((*m, episode));
            }
        }
        let mut acts: Vec<(f64, ActSummary)> = by_act
            .into_values()
            .filter_map(|of_act| {
                let times = of_act.iter().map(|(m, episode)| m.since_start_s(episode.act.at_ns));
                Some((times.fold(f64::INFINITY, f64::min), summary_of(configuration, of_act)?))
            })
            .collect();
        acts.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let loads = planned.iter().filter_map(|m| m.load.as_ref());
        let undelivered = loads.clone().map(|load| load.failed + load.refused);
        let retried = loads.filter_map(LoadMeasurement::retried);
        Some(ChangesSummary {
            acts: acts.into_iter().map(|(_, act)| act).collect(),
            response: response(configuration, &recorded),
            undelivered: undelivered.reduce(|sum, more| sum + more),
            retried: retried.reduce(|sum, more| sum + more),
            is_not_recorded: recorded.len() < planned.len(),
        })
    }

    /// The act with the longest gap.
    pub fn worst(&self) -> Option<&ActSummary> {
        self.acts.iter().max_by(|a, b| a.gap_ms.total_cmp(&b.gap_ms))
    }
}

/// Which act of a scenario it is; of runs stored before acts had numbers, which in the order of its trial.
type ActKey = (Option<ActNumber>, usize);

fn key(act: &PlannedAct, place: usize) -> ActKey {
    (act.number, if act.number.is_some() { 0 } else { place })
}

/// The response times of these trials together.
fn response(configuration: &Configuration, recorded: &[(&Measurement, Vec<Episode>)]) -> Option<DisturbedSummary> {
    let mut all = ResponseThrough::default();
    for through in recorded
        .iter()
        .filter_map(|(m, episodes)| response_through(m, episodes))
    {
        all.disturbed.merge(&through.disturbed);
        all.quiet.merge(&through.quiet);
    }
    let ms = |ns: u64| ns as f64 / NS_PER_MS;
    let (disturbed, quiet) = (all.disturbed.count() as f64, all.quiet.count() as f64);
    Some(DisturbedSummary {
        quiet_p99_ms: all.quiet.percentile_ns(P99).map(ms),
        disturbed_p99_ms: all.disturbed.percentile_ns(P99).map(ms),
        disturbed_max_ms: all.disturbed.max_ns().map(ms)?,
        disturbed_share: disturbed / (disturbed + quiet),
        late: configuration
            .mode
            .load()
            .and_then(|load| load.late_ns)
            .map(|limit_ns| LateSummary {
                limit_ms: ms(limit_ns),
                disturbed: all.disturbed.beyond(limit_ns),
                quiet: all.quiet.beyond(limit_ns),
            }),
    })
}

/// One act over its trials.
fn summary_of(configuration: &Configuration, mut trials: Vec<(&Measurement, &Episode)>) -> Option<ActSummary> {
    let gap_ms = |episode: &Episode| {
        let longest_ns = episode.longest().map_or(0, |gap| gap.stretch.length_ns());
        longest_ns as f64 / NS_PER_MS
    };
    let acts: Vec<&PlannedAct> = trials.iter().map(|(_, episode)| &episode.act).collect();
    let (what, broker) = (
        acts_in_words(&acts, configuration.groups > 1)?,
        broker_in_words(&trials),
    );
    trials.sort_by(|(_, a), (_, b)| gap_ms(a).total_cmp(&gap_ms(b)));
    let range_ms = (gap_ms(trials.first()?.1), gap_ms(trials.last()?.1));
    let (measurement, episode) = trials[(trials.len() - 1) / 2];
    let act = &episode.act;
    let after = |at_ns: u64| at_ns.saturating_sub(act.at_ns) as f64 / NS_PER_MS;
    let resolutions = trials
        .iter()
        .filter_map(|(m, _)| Some(m.outside.as_ref()?.resolution_ns()));
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let still = || episode.gaps.iter().filter(|gap| gap.kind != GapKind::Moved);
    Some(ActSummary {
        what,
        broker,
        at_s: measurement.since_start_s(act.at_ns),
        trials: count(trials.len()),
        gap_ms: gap_ms(episode),
        resolution_ms: resolutions.max().map(|ns| ns as f64 / NS_PER_MS),
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
        unwritten_ms: (act.is_on_broker() && measurement.load.is_some())
            .then(|| episode.unwritten_ns() as f64 / NS_PER_MS),
        epochs: episode.epochs,
        restored_ms: episode.restored_ns.map(after),
    })
}
