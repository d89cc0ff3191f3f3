//! What planned acts cost: which partitions stood still after each, for how long and why, until all was as before. Pure:
//! everything follows from what the members and the coordinator recorded.

mod cause;
mod faults;
mod gaps;
mod lag;
mod looks;
mod model;
mod observed;
mod parts;
mod response;
mod tenure;
mod tenures;
#[cfg(test)]
mod tests;
mod writes;

use super::interruption::Stretch;
use super::measurement::Measurement;
use super::member::{MemberMeasurement, RebalanceKind, TopicPartition};
use super::planned::{Participant, PlannedAct};

pub use faults::fault;
pub use model::{Episode, Gap, GapKind, MemberChange};
pub use parts::{Part, PartKind};
pub use response::{ResponseThrough, response_through};
pub use writes::WriteGap;

/// What each planned act of a trial caused, in order; nothing where nothing was planned.
pub fn episodes(measurement: &Measurement) -> Vec<Episode> {
    if measurement.acts.is_empty() {
        return Vec::new();
    }
    let mut gaps = gaps::gaps(measurement);
    let episode = |(number, act): (usize, &PlannedAct)| {
        let own: Vec<Gap> = gaps
            .extract_if(.., |(cause, _)| *cause == number)
            .map(|(_, gap)| gap)
            .collect();
        let mut episode = Episode {
            act: *act,
            writes: writes::writes(measurement, number),
            restored_ns: writes::restored_ns(measurement, number),
            epochs: looks::epochs(measurement, act, over_ns(measurement, number)),
            members: members(measurement, number),
            caught_up_ns: None,
            gaps: own,
        };
        episode.caught_up_ns = lag::caught_up_ns(measurement, number, episode.flowing_ns());
        episode
    };
    measurement.acts.iter().enumerate().map(episode).collect()
}

/// The longest time of a gap that no recorded happening explains.
pub fn unexplained_ns(episodes: &[Episode]) -> u64 {
    let gaps = episodes.iter().flat_map(|episode| &episode.gaps);
    gaps.map(Gap::unexplained_ns).max().unwrap_or(0)
}

/// How long at least one partition stood still.
pub fn disturbed_ns(episodes: &[Episode]) -> u64 {
    let gaps = episodes.iter().flat_map(|episode| &episode.gaps);
    let mut stretches: Vec<Stretch> = gaps.map(|gap| gap.stretch).collect();
    stretches.sort_unstable_by_key(|stretch| stretch.from_ns);
    let (mut disturbed_ns, mut reached_ns) = (0, 0);
    for Stretch { from_ns, until_ns } in stretches {
        disturbed_ns += until_ns.saturating_sub(from_ns.max(reached_ns));
        reached_ns = reached_ns.max(until_ns);
    }
    disturbed_ns
}

/// The longest time from an act until the lag was what it had been; `None` where that is not known of each.
pub fn catch_up_ns(episodes: &[Episode]) -> Option<u64> {
    let times = episodes
        .iter()
        .map(|episode| Some(episode.caught_up_ns?.saturating_sub(episode.act.at_ns)));
    times.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

/// Whether times of reading were recorded for every member: without them nothing is known of gaps.
pub fn is_recorded(measurement: &Measurement) -> bool {
    if let Some(outside) = &measurement.outside {
        return !measurement.acts.is_empty() && observed::is_recorded(measurement, outside);
    }
    let reads = |member: &&MemberMeasurement| member.records() > 0;
    let readers = measurement.members.iter().filter(reads);
    let flows = |member: &MemberMeasurement| {
        let mut read = member.partitions.iter().filter(|partition| partition.records > 0);
        read.all(|partition| !partition.flow.is_empty())
    };
    !measurement.acts.is_empty() && readers.clone().count() > 0 && readers.clone().all(flows)
}

/// When each partition was read and by whom: its group, the place of the member in [`Measurement::members`], and the
/// stretches of reading.
pub fn readings(measurement: &Measurement) -> Vec<(u32, TopicPartition, usize, Vec<Stretch>)> {
    let tenures = tenures::tenures(measurement).into_iter();
    let readings = tenures.flat_map(|((group, partition), tenures)| {
        let reading = move |tenure: tenure::Tenure| (group, partition, tenure.member, tenure.spells);
        tenures.into_iter().map(reading)
    });
    readings.collect()
}

/// When what an act causes is over, or another act may be why.
fn over_ns(measurement: &Measurement, number: usize) -> u64 {
    let next = measurement.acts.get(number + 1);
    let next_ns = next.map_or(u64::MAX, |act| act.at_ns);
    measurement.acts[number].settled_ns.min(next_ns)
}

/// The changes of assignments from an act to the next one, as far as this one may be why.
fn members(measurement: &Measurement, number: usize) -> Vec<MemberChange> {
    let act = &measurement.acts[number];
    let until_ns = over_ns(measurement, number);
    let change = |(place, member): (usize, &MemberMeasurement)| {
        let mut change = MemberChange {
            member: place,
            ..MemberChange::default()
        };
        let within = |at_ns: u64| at_ns >= act.at_ns && at_ns < until_ns;
        for rebalance in member.rebalances.iter().filter(|rebalance| within(rebalance.at_ns)) {
            let at_ns = Some(rebalance.at_ns);
            match rebalance.kind {
                RebalanceKind::Revoked => change.revoked_ns = change.revoked_ns.or(at_ns),
                RebalanceKind::Lost => change.lost_ns = change.lost_ns.or(at_ns),
                RebalanceKind::Assigned => change.assigned_ns = at_ns,
            }
        }
        let flows = member.partitions.iter().flat_map(|partition| &partition.flow);
        let after = |flow_ns: u64| change.assigned_ns.is_some_and(|assigned_ns| flow_ns >= assigned_ns);
        let firsts = flows.map(|flow| flow.from_ns).filter(|from_ns| after(*from_ns));
        change.first_record_ns = firsts.min();
        change
    };
    let concerns = |member: &MemberMeasurement| match act.who {
        Participant::Reader { group, .. } => group == member.group,
        _ => true,
    };
    let all = measurement.members.iter().enumerate();
    let changes = all.filter(|(_, member)| concerns(member)).map(change);
    let is_change = |change: &MemberChange| change.assigned_ns.or(change.revoked_ns).or(change.lost_ns).is_some();
    changes.filter(is_change).collect()
}
