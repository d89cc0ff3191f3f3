//! Which planned act a gap goes back to.

use crate::measure::{Act, Measurement, MemberMeasurement, Participant, PlannedAct, Stretch};

/// A pause in reading may begin so long before the act that causes it: the last record came a while before.
const BEFORE_ACT_NS: u64 = 250_000_000;

/// The process of a member as one to whom something is done.
pub(super) fn participant(member: &MemberMeasurement) -> Participant {
    let (group, process) = (member.group, member.process);
    Participant::Reader { group, process }
}

/// True where an act may concern the members of a group.
fn concerns(act: &PlannedAct, group: u32) -> bool {
    match act.who {
        Participant::Reader { group: of, .. } => of == group,
        _ => true,
    }
}

/// True for an act that keeps its process from reading.
fn takes_away(act: Act) -> bool {
    matches!(act, Act::Kill | Act::Leave | Act::Pause)
}

/// The act that took the owner away within its tenure or in the gap behind it.
pub(super) fn on_owner(measurement: &Measurement, owner: &MemberMeasurement, gap: Stretch) -> Option<usize> {
    let from_ns = gap.from_ns.saturating_sub(BEFORE_ACT_NS);
    measurement.acts.iter().position(|act| {
        act.who == participant(owner) && takes_away(act.act) && (from_ns..=gap.until_ns).contains(&act.at_ns)
    })
}

/// The latest act that may be why a group assigned a partition anew at a moment: only acts on its processes and on brokers
/// do that.
pub(super) fn of_change(measurement: &Measurement, group: u32, at_ns: u64) -> Option<usize> {
    let assigns = |act: &PlannedAct| matches!(act.who, Participant::Reader { .. } | Participant::Broker(_));
    let mut acts = measurement.acts.iter();
    acts.rposition(|act| assigns(act) && concerns(act, group) && reaches(act, at_ns))
}

/// The latest act that may be why something of a group changed at a moment.
fn before(measurement: &Measurement, group: u32, at_ns: u64) -> Option<usize> {
    let mut acts = measurement.acts.iter();
    acts.rposition(|act| concerns(act, group) && reaches(act, at_ns))
}

/// True for a moment at which an act may have an effect.
fn reaches(act: &PlannedAct, at_ns: u64) -> bool {
    (act.at_ns..=act.settled_ns).contains(&at_ns)
}

/// The act that a pause in the reading of a partition goes back to: the first within it, or the latest before it.
pub(super) fn of_pause(measurement: &Measurement, group: u32, pause: Stretch) -> Option<usize> {
    let within = measurement.acts.iter().position(|act| {
        let is_inside = (pause.from_ns..pause.until_ns).contains(&act.at_ns);
        concerns(act, group) && is_inside && !ends(measurement, act, pause)
    });
    within.or_else(|| before(measurement, group, pause.from_ns))
}

/// True for the return of somebody who had been taken away before a pause began: it may end that, and is not why.
fn ends(measurement: &Measurement, act: &PlannedAct, pause: Stretch) -> bool {
    let is_return = matches!(act.act, Act::Start | Act::Resume) && act.at_ns > pause.from_ns + BEFORE_ACT_NS;
    let took_away =
        |before: &PlannedAct| before.who == act.who && takes_away(before.act) && before.at_ns <= pause.from_ns;
    is_return && measurement.acts.iter().any(took_away)
}
