//! The parts of a gap with the settings that set them.

use serde::{Deserialize, Serialize};

use crate::measure::changes::{Gap, PartKind};
use crate::measure::{Act, Measurement, MembershipTimes, PlannedAct};
use crate::scenario::{Configuration, GroupProtocol, Membership};

const NS_PER_MS: f64 = 1e6;

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
pub(super) fn setting(
    configuration: &Configuration,
    times: Option<MembershipTimes>,
    kind: PartKind,
) -> Option<PartSetting> {
    let is_consumer = matches!(
        configuration.membership,
        Membership::Group(GroupProtocol::Consumer { .. })
    );
    let ms = |ns: u64| ns as f64 / NS_PER_MS;
    let session = times.map(|times| ms(times.session_ns));
    let heartbeat = times.map(|times| ms(times.heartbeat_ns));
    // A setting of the group alone, or of all groups of the brokers.
    let of_consumer = |own_ms: Option<u64>, name: &str| {
        let of_brokers = if own_ms.is_some() { "" } else { "group." };
        format!("{of_brokers}consumer.{name}")
    };
    let (name, ms) = match kind {
        // Brokers that ZooKeeper keeps together have another one, and so have those that somebody else runs.
        PartKind::Election | PartKind::Replication => (
            "broker.session.timeout.ms".to_owned(),
            Some(times?.broker_session_ns.map(ms)?),
        ),
        PartKind::Detection if is_consumer => (
            of_consumer(configuration.session_timeout_ms, "session.timeout.ms"),
            session,
        ),
        PartKind::Detection => ("session.timeout.ms".to_owned(), session),
        PartKind::Rejoin | PartKind::Division if is_consumer => (
            of_consumer(configuration.heartbeat_ms, "heartbeat.interval.ms"),
            heartbeat,
        ),
        PartKind::Rejoin | PartKind::Division => ("heartbeat.interval.ms".to_owned(), heartbeat),
        PartKind::BeforeAct
        | PartKind::Paused
        | PartKind::Absent
        | PartKind::LettingGo
        | PartKind::Leaving
        | PartKind::Joining
        | PartKind::Resuming
        | PartKind::Commit
        | PartKind::Unwritten
        | PartKind::Standstill
        | PartKind::FirstRecord
        | PartKind::Unexplained => return None,
    };
    Some(PartSetting { name, ms })
}
