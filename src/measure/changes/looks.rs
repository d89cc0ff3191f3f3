//! What the looks at a group say of an act: when its coordinator knew.

use crate::measure::{Act, GroupLook, GroupState, Measurement, Participant, PlannedAct};

/// What was reported of a group after an act on one of its processes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reported {
    /// The coordinator knew of it: members join anew, or are others than before.
    pub(super) noticed_ns: Option<u64>,
    /// It had given up a process that was killed, or paused for longer than its session.
    pub(super) given_up_ns: Option<u64>,
}

/// What the looks at a group say; nothing of acts on others.
pub(super) fn reported(measurement: &Measurement, group: u32, act: &PlannedAct) -> Reported {
    let Participant::Reader { group: of, .. } = act.who else {
        return Reported::default();
    };
    let looks = || measurement.group_looks.iter().filter(|look| look.group == group);
    let (Some(before), true) = (looks().rfind(|look| look.at_ns <= act.at_ns), of == group) else {
        return Reported::default();
    };
    let mut after = looks().filter(|look| look.at_ns > act.at_ns);
    let noticed = after.find(|look| !is_as(look, before));
    let epoch = epoch_at(measurement, group, act.at_ns);
    let mut epochs = measurement.group_epochs.iter().filter(|noted| noted.group == group);
    let rose = epochs.find(|noted| noted.at_ns > act.at_ns && epoch.is_some_and(|before| noted.epoch > before));
    let times = noticed
        .map(|look| look.at_ns)
        .into_iter()
        .chain(rose.map(|noted| noted.at_ns));
    Reported {
        noticed_ns: times.min(),
        given_up_ns: given_up_ns(measurement, group, act),
    }
}

/// The epoch of a group at a moment, as far as it was reported.
fn epoch_at(measurement: &Measurement, group: u32, at_ns: u64) -> Option<i32> {
    let mut noted = measurement.group_epochs.iter();
    let noted = noted.rfind(|noted| noted.group == group && noted.at_ns <= at_ns);
    noted.map(|noted| noted.epoch)
}

/// The epochs of the group of an act on one of its processes: before it, and later.
pub(super) fn epochs(measurement: &Measurement, act: &PlannedAct, later_ns: u64) -> Option<(i32, i32)> {
    let Participant::Reader { group, .. } = act.who else {
        return None;
    };
    Some((
        epoch_at(measurement, group, act.at_ns)?,
        epoch_at(measurement, group, later_ns)?,
    ))
}

/// True for a look at a group to which nothing has happened.
fn is_as(look: &GroupLook, before: &GroupLook) -> bool {
    look.members == before.members && (look.state == before.state || look.state == GroupState::Stable)
}

/// When the last process of the group that was killed or paused by then had been given up: a rebalance waits for all of
/// them.
fn given_up_ns(measurement: &Measurement, group: u32, act: &PlannedAct) -> Option<u64> {
    let is_kill = |kill: &&PlannedAct| matches!(kill.act, Act::Kill | Act::Pause) && kill.at_ns <= act.at_ns;
    let kills = measurement.acts.iter().filter(is_kill);
    let given_up = kills.filter_map(|kill| {
        let Participant::Reader { group: of, process } = kill.who else {
            return None;
        };
        let looks: Vec<&GroupLook> = measurement
            .group_looks
            .iter()
            .filter(|look| look.group == group)
            .collect();
        let places = |look: &GroupLook| look.members.iter().filter(|place| place.process == process).count();
        let fewer = looks
            .windows(2)
            .find(|pair| pair[1].at_ns > kill.at_ns && places(pair[1]) < places(pair[0]))?;
        (of == group).then_some(fewer[1].at_ns)
    });
    given_up.max()
}
