//! Who read a partition when, assignment by assignment.

use super::observed;
use super::tenure::{Tenure, Tenures};
use crate::measure::{Flow, Measurement, MemberMeasurement, PartitionMeasurement, RebalanceKind, TopicPartition};

/// A member notes an assignment after it is made, when another of its threads may read already.
const NOTED_LATE_NS: u64 = 50_000_000;

/// The tenures of every partition that anybody read.
pub(super) fn tenures(measurement: &Measurement) -> Tenures {
    if measurement.outside.is_some() {
        return observed::tenures(measurement);
    }
    let mut all = Tenures::new();
    for (place, member) in measurement.members.iter().enumerate() {
        for partition in &member.partitions {
            let key = (member.group, partition.topic_partition());
            let held = held(member, partition.topic_partition());
            let tenures = partition.flow.iter().map(|flow| {
                let (given_ns, taken_ns) = held_in(&held, flow).unwrap_or_default();
                // It was there before it was read, whenever that was noted.
                let given_ns = given_ns.map(|given_ns| {
                    if given_ns > flow.from_ns {
                        flow.from_ns - 1
                    } else {
                        given_ns
                    }
                });
                Tenure {
                    member: place,
                    given_ns,
                    taken_ns,
                    from_ns: flow.from_ns,
                    committed: flow.committed,
                    spells: flow.spells(),
                    offsets: offsets_of(partition, flow.epoch),
                }
            });
            all.entry(key).or_default().extend(tenures);
        }
    }
    for tenures in all.values_mut() {
        tenures.sort_by_key(|tenure| (tenure.first_ns(), tenure.last_ns()));
    }
    all
}

/// When a member was given a partition and when it was taken again.
type Held = (Option<u64>, Option<u64>);

/// Each time that a member held a partition, in order.
fn held(member: &MemberMeasurement, partition: TopicPartition) -> Vec<Held> {
    let mut held: Vec<Held> = Vec::new();
    for rebalance in &member.rebalances {
        if !rebalance.partitions.contains(&partition) {
            continue;
        }
        match (rebalance.kind, held.last_mut()) {
            (RebalanceKind::Assigned, _) => held.push((Some(rebalance.at_ns), None)),
            (RebalanceKind::Revoked | RebalanceKind::Lost, Some((_, taken @ None))) => *taken = Some(rebalance.at_ns),
            (RebalanceKind::Revoked | RebalanceKind::Lost, _) => {}
        }
    }
    held
}

/// The time that a flow belongs to: by its number, or, if the worker counts otherwise, the latest that began before it.
fn held_in(held: &[Held], flow: &Flow) -> Option<Held> {
    let begins_before = |held: &&Held| {
        held.0
            .is_some_and(|given_ns| given_ns <= flow.from_ns.saturating_add(NOTED_LATE_NS))
    };
    let by_number = (flow.epoch as usize).checked_sub(1).and_then(|place| held.get(place));
    let by_time = || held.iter().rev().find(begins_before);
    by_number.filter(begins_before).or_else(by_time).copied()
}

/// What a member read of a partition under one assignment.
fn offsets_of(partition: &PartitionMeasurement, epoch: u32) -> Option<(i64, i64)> {
    let runs = partition.runs.iter().flatten().filter(|run| run.epoch == epoch);
    let first = runs.clone().map(|run| run.first).min()?;
    Some((first, runs.map(|run| run.end).max()?))
}
