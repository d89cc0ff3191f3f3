//! What no member may do when partitions change hands.

use super::*;
use crate::measure::FailureKind;

/// The fault of a cooperative join of which this is changed.
fn fault_of(change: impl FnOnce(&mut Measurement)) -> Option<(FailureKind, String, String)> {
    let mut trial = cooperative_join().0;
    for (member, committed) in [(0, 590), (2, 3_000)] {
        let read = trial.members[member]
            .partitions
            .iter_mut()
            .find(|read| read.partition == 1);
        read.unwrap().flow[0].committed = Some(committed);
    }
    change(&mut trial);
    let failure = fault(&trial)?;
    Some((failure.kind, failure.who.unwrap(), failure.message))
}

fn read_of(trial: &mut Measurement, member: usize) -> &mut PartitionMeasurement {
    let partitions = trial.members[member].partitions.iter_mut();
    partitions.into_iter().find(|read| read.partition == 1).unwrap()
}

#[test]
fn partitions_that_change_hands_as_they_should_are_no_fault() {
    assert_eq!(fault_of(|_| ()), None);
}

#[test]
fn a_member_that_reads_after_its_partition_was_revoked_is_found() {
    let (kind, who, message) = fault_of(|trial| trial.members[0].rebalances[1].at_ns -= 510 * MS).unwrap();
    assert_eq!(
        (kind, who.as_str()),
        (FailureKind::Overlap, "group 1, process 1, consumer 1")
    );
    assert_eq!(
        message,
        "it read until 500.0 ms after its partition was revoked, of partition 1 of topic 1"
    );
}

#[test]
fn an_owner_that_skips_what_was_not_committed_is_found() {
    let (kind, who, message) = fault_of(|trial| read_of(trial, 0).flow[0].committed = Some(570)).unwrap();
    assert_eq!(
        (kind, who.as_str()),
        (FailureKind::Lost, "group 1, process 3, consumer 1")
    );
    assert!(
        message.starts_with("it began at offset 590 although 570 was committed"),
        "{message}"
    );
}

#[test]
fn a_commit_ahead_of_the_work_is_found() {
    let (kind, who, message) = fault_of(|trial| {
        read_of(trial, 0).flow[0].committed = Some(600);
        read_of(trial, 2).runs.as_mut().unwrap()[0].first = 600;
    })
    .unwrap();
    assert_eq!(
        (kind, who.as_str()),
        (FailureKind::Lost, "group 1, process 1, consumer 1")
    );
    assert!(
        message.starts_with("it committed offset 600 although it had read to 590"),
        "{message}"
    );
}
