//! Who read a partition when, of programs that are observed: whose it was by what the coordinator of their group reported,
//! and when it was read by the offsets that the group committed. No time of it is more exact than the time between two commits.

use super::tenure::{Tenure, Tenures};
use crate::measure::{Measurement, MemberPlace, Outside, Stretch, TopicPartition};

/// Commits so many times further apart than usual have a pause between them.
const PAUSE_INTERVALS: u64 = 2;

/// True where it is known whose partitions were read when.
pub(super) fn is_recorded(measurement: &Measurement, outside: &Outside) -> bool {
    let is_named = || measurement.group_looks.iter().any(|look| !look.held.is_empty());
    !outside.commits.is_empty() && is_named()
}

/// The tenures of every partition that a group committed offsets of.
pub(super) fn tenures(measurement: &Measurement) -> Tenures {
    let Some(outside) = &measurement.outside else {
        return Tenures::new();
    };
    let pause_ns = PAUSE_INTERVALS.saturating_mul(outside.resolution_ns());
    let mut all = Tenures::new();
    for commit in &outside.commits {
        let Some((member, given_ns)) = owner(measurement, commit.group, commit.partition, commit.at_ns) else {
            continue;
        };
        let of_partition = all.entry((commit.group, commit.partition)).or_default();
        match of_partition.last_mut() {
            Some(tenure) if tenure.member == member => note(&mut tenure.spells, commit.at_ns, pause_ns),
            _ => of_partition.push(Tenure {
                member,
                given_ns,
                taken_ns: None,
                from_ns: commit.at_ns,
                committed: None,
                spells: vec![Stretch::new(commit.at_ns, commit.at_ns)],
                offsets: None,
            }),
        }
    }
    all
}

/// Adds a commit to stretches of reading: to the last of them unless there was a pause between them.
fn note(spells: &mut Vec<Stretch>, at_ns: u64, pause_ns: u64) {
    match spells.last_mut() {
        Some(spell) if at_ns - spell.until_ns < pause_ns => spell.until_ns = at_ns,
        _ => spells.push(Stretch::new(at_ns, at_ns)),
    }
}

/// The place in [`Measurement::members`] of the first life of the process that had a partition at a moment, and since when
/// if that was not so from the beginning.
fn owner(measurement: &Measurement, group: u32, partition: TopicPartition, at_ns: u64) -> Option<(usize, Option<u64>)> {
    let members = || measurement.members.iter().enumerate();
    let of_place = |place: MemberPlace| {
        let mut members = members();
        let found = members.find(|(_, member)| {
            member.group == group && (member.process, member.consumer) == (place.process, place.consumer)
        });
        found.map(|(number, _)| number)
    };
    let mut first = members().filter(|(_, member)| member.group == group && !member.is_nameless);
    let first = first.find(|(_, member)| member.assigned.contains(&partition));
    let mut owner = first.map(|(number, _)| (number, None));
    let looks = measurement.group_looks.iter();
    for look in looks
        .take_while(|look| look.at_ns <= at_ns)
        .filter(|look| look.group == group)
    {
        let mut holders = look.held.iter().filter(|held| held.partitions.contains(&partition));
        let holder = holders.find_map(|held| of_place(held.member));
        if let Some(holder) = holder.filter(|holder| owner.is_none_or(|(before, _)| before != *holder)) {
            owner = Some((holder, Some(look.at_ns)));
        }
    }
    owner
}
