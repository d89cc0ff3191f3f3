#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use super::*;
use crate::measure::{DeliveredTopics, FailureKind, HostCpu, OffsetRun};
use crate::protocol::FromWorker;
use crate::testing::arrangement;
use crate::testing::script::*;

const M1: &str = "group 1, process 1, consumer 1";
const M2: &str = "group 1, process 2, consumer 1";

/// The measurement of two processes with a partition each, which gave these results.
fn after(first: MemberResult, second: MemberResult) -> (Measurement, Option<Failure>) {
    let mut script = Script::reading();
    script.reaches(0, 0, RECORDS);
    // The results tell of seconds.
    script.now_ns = BEGIN_NS + 3_999_000_000;
    script.reaches(1, 1, RECORDS);
    script.says(Reader(0), result(&[first]));
    script.says(Reader(1), result(&[second]));
    assert_eq!(script.machine.failure(), None);
    let host = HostMeasurement {
        cpu: HostCpu::default(),
        cores: 2,
        ..HostMeasurement::default()
    };
    measure(&script.machine.ended(), host).unwrap()
}

#[test]
fn an_end_that_is_later_than_its_news_is_not_believed() {
    let mut late = read_all(1);
    late.partitions[0].last_ns = Some(BEGIN_NS + 5_000_000_000);
    let (measurement, _) = after(read_all(0), late);
    assert_eq!(measurement.end_ns, BEGIN_NS + 4_000_000_000);
    assert_eq!(measurement.not_observed.len(), 1, "{:?}", measurement.not_observed);
}

fn read_all(number: i32) -> MemberResult {
    member_result(&[(number, &[run(0, RECORDS, 1)])])
}

fn failed(outcome: &(Measurement, Option<Failure>), kind: FailureKind, who: &str, part: &str) {
    let failure = outcome.1.as_ref().expect("it did not fail");
    assert_eq!((failure.kind, failure.who.as_deref()), (kind, Some(who)), "{failure:?}");
    assert!(failure.message.contains(part), "{failure:?}");
}

#[test]
fn a_trial_that_read_everything_once_has_an_exact_account() {
    let (measurement, failure) = after(read_all(0), read_all(1));
    assert_eq!(failure, None);
    assert_eq!(
        (measurement.lost, measurement.duplicated, measurement.redelivered),
        (0, 0, 0)
    );
    assert_eq!((measurement.records(), measurement.records_expected), (200, 200));
    assert_eq!(measurement.end_ns, BEGIN_NS + 3_000_000_000);
    assert_eq!(measurement.not_observed, [] as [&str; 0]);
    let held: Vec<_> = measurement
        .members
        .iter()
        .map(|m| (m.name(), m.assigned.clone()))
        .collect();
    assert_eq!(
        held,
        [(M1.to_owned(), vec![partition(0)]), (M2.to_owned(), vec![partition(1)])]
    );
    assert_eq!((measurement.processes.len(), measurement.processes[1].process), (2, 1));
}

#[test]
fn a_record_that_was_skipped_is_lost_with_partition_offset_and_member() {
    let outcome = after(
        read_all(0),
        member_result(&[(1, &[run(0, 41, 1), run(42, RECORDS, 1)])]),
    );
    assert_eq!((outcome.0.lost, outcome.0.duplicated), (1, 0));
    failed(
        &outcome,
        FailureKind::Lost,
        M2,
        "offset 41 of partition 1 of topic 1 was never read",
    );
}

#[test]
fn a_record_counted_twice_is_named() {
    let outcome = after(member_result(&[(0, &[run(0, RECORDS, 1), run(7, 8, 1)])]), read_all(1));
    assert_eq!((outcome.0.lost, outcome.0.duplicated), (0, 1));
    failed(
        &outcome,
        FailureKind::Duplicated,
        M1,
        "offset 7 of partition 0 of topic 1 was read twice",
    );
}

#[test]
fn a_record_from_beyond_the_end_is_named() {
    let outcome = after(member_result(&[(0, &[run(0, RECORDS + 2, 1)])]), read_all(1));
    failed(&outcome, FailureKind::Duplicated, M1, "offsets 100 to 101");
}

#[test]
fn a_count_that_is_not_the_ledger_s_is_named() {
    let mut more = read_all(1);
    more.partitions[0].records += 1;
    let outcome = after(read_all(0), more);
    assert_eq!((outcome.0.lost, outcome.0.duplicated), (0, 1));
    failed(
        &outcome,
        FailureKind::Duplicated,
        M2,
        "101 records of partition 1 of topic 1",
    );
    let mut fewer = read_all(1);
    fewer.partitions[0].records -= 1;
    failed(&after(read_all(0), fewer), FailureKind::Lost, M2, "99 records");
}

#[test]
fn records_read_again_after_a_change_of_owner_are_noted_and_no_failure() {
    let second = member_result(&[(1, &[run(0, RECORDS, 1)]), (0, &[run(90, RECORDS, 2)])]);
    let (measurement, failure) = after(read_all(0), second);
    assert_eq!(
        (measurement.redelivered, measurement.duplicated, failure),
        (10, 0, None)
    );
    let again = member_result(&[(0, &[run(0, 60, 1), run(50, RECORDS, 2)])]);
    let (measurement, failure) = after(again, read_all(1));
    assert_eq!(
        (measurement.redelivered, measurement.duplicated, failure),
        (10, 0, None)
    );
}

#[test]
fn a_ledger_of_absurd_numbers_is_an_account_all_the_same() {
    let outcome = after(
        member_result(&[(0, &[run(0, i64::MAX, 1), run(1, i64::MAX, 2)])]),
        read_all(1),
    );
    failed(&outcome, FailureKind::Duplicated, M1, "outside");
}

/// A trial of one process without any capability, which read this many records of its only partition.
fn plain(records: u64) -> (Measurement, Option<Failure>) {
    let mut script = Script::joining(spec(1, 1, 1), &[]);
    script.group(group(&[((0, 0), &[0])]));
    script.passes(std::time::Duration::from_secs(1));
    script.reaches(0, 0, RECORDS);
    let mut member = member_result(&[(0, &[])]);
    member.partitions[0].records = records;
    member.partitions[0].runs = None;
    member.partitions[0].last_ns = None;
    script.says(Reader(0), result(&[member]));
    measure(&script.machine.ended(), HostMeasurement::default()).unwrap()
}

#[test]
fn what_a_plain_worker_cannot_observe_is_said() {
    let (measurement, failure) = plain(100);
    assert_eq!(failure, None);
    let all = measurement.not_observed.join("\n");
    for part in [
        "fetched before the start",
        "own view",
        "which offsets",
        "CPU",
        "the last record was finished",
    ] {
        assert!(all.contains(part), "{part} is not in: {all}");
    }
    assert!(measurement.not_observed[0].starts_with("group 1, process 1: "), "{all}");
    assert!(
        !all.contains("in work"),
        "nothing is said of work where there is none: {all}"
    );
    assert!(
        (900_000_000..1_000_000_000).contains(&measurement.read_ns()),
        "{}",
        measurement.read_ns()
    );
}

#[test]
fn a_plain_worker_is_held_to_the_number_of_records() {
    failed(
        &plain(99),
        FailureKind::Lost,
        M1,
        "99 records of partition 0 of topic 1 were read where there are 100",
    );
    failed(&plain(101), FailureKind::Duplicated, M1, "101 records");
}

#[test]
fn a_plain_worker_s_missing_record_is_not_made_up_for_by_another_partition() {
    let mut script = Script::joining(spec(1, 1, 2), &[]);
    script.group(group(&[((0, 0), &[0, 1])]));
    script.reaches(0, 0, RECORDS);
    script.reaches(0, 1, RECORDS);
    let mut member = member_result(&[(0, &[]), (1, &[])]);
    (member.partitions[0].records, member.partitions[1].records) = (99, 101);
    script.says(Reader(0), result(&[member]));
    let (measurement, _) = measure(&script.machine.ended(), HostMeasurement::default()).unwrap();
    assert_eq!((measurement.lost, measurement.duplicated), (1, 1));
}

#[test]
fn the_groups_are_accounted_for_one_by_one() {
    let two_groups = crate::scenario::Configuration {
        groups: 2,
        ..arrangement("case", 1, 1)
    };
    let mut script = Script::joining(spec_of(&two_groups, 1), &[Capability::Ledger]);
    for number in 0..2 {
        let mut described = group(&[((0, 0), &[0])]);
        described.members[0].client_id = format!("trial-g{}-p1-c1", number + 1);
        script.event(super::super::engine::Event::Group(number, Ok(described)));
    }
    script.reaches(0, 0, RECORDS);
    assert_eq!(script.machine.phase(), Phase::Reading);
    script.reaches(1, 0, RECORDS);
    script.says(Reader(0), result(&[read_all(0)]));
    let lacking: FromWorker = result(&[member_result(&[(0, &[run(1, RECORDS, 1)])])]);
    script.says(Reader(1), lacking);
    let outcome = measure(&script.machine.ended(), HostMeasurement::default()).unwrap();
    assert_eq!(outcome.0.lost, 1);
    failed(
        &outcome,
        FailureKind::Lost,
        "group 2, process 1, consumer 1",
        "group 2: 1 lost",
    );
}

/// Two partitions of an existing topic with a record at every second offset, read so.
fn existing(runs: &[OffsetRun], still: Option<[&[i64]; 2]>) -> (Measurement, Option<Failure>) {
    let delivered = DeliveredTopics {
        topics: vec![vec![(0..RECORDS).step_by(2).collect(); 2]],
    };
    let mut spec = spec(2, 1, 2);
    // The first ten offsets of partition 0 had been removed before the trial.
    let low = [vec![10, 0]];
    let existing = crate::trial::Existing::new(Arc::new(delivered), &mut spec.terms.topics, &low);
    let mut script = Script::reading_of(spec.with_existing(existing));
    script.reaches(0, 0, RECORDS);
    script.reaches(1, 1, RECORDS);
    if let Some(still) = still {
        let topics = vec![still.map(|all| all.iter().copied().collect()).to_vec()];
        script.machine.note_still(script.now_ns, DeliveredTopics { topics });
    }
    let every = |from: i64| {
        (from..RECORDS)
            .step_by(2)
            .map(|first| run(first, first + 1, 1))
            .collect::<Vec<_>>()
    };
    script.says(Reader(0), result(&[member_result(&[(0, &every(10))])]));
    script.says(Reader(1), result(&[member_result(&[(1, runs)])]));
    measure(&script.machine.ended(), HostMeasurement::default()).unwrap()
}

#[test]
fn of_an_existing_topic_gaps_are_no_loss_and_are_not_stored_one_by_one() {
    let every: Vec<_> = (0..RECORDS).step_by(2).map(|first| run(first, first + 1, 1)).collect();
    let (measurement, failure) = existing(&every, None);
    assert_eq!(failure, None);
    assert_eq!((measurement.lost, measurement.removed), (0, 5));
    assert_eq!((measurement.records_expected, measurement.records()), (95, 95));
    assert_eq!(measurement.not_delivered, 45 + 50);
    let runs = |member: usize| measurement.members[member].partitions[0].runs.clone().unwrap();
    assert_eq!(runs(0), [run(10, 99, 1)]);
    assert_eq!(runs(1), [run(0, 99, 1)]);
}

#[test]
fn what_is_missing_of_an_existing_topic_is_lost_or_removed() {
    let some: Vec<_> = (0..90).step_by(2).map(|first| run(first, first + 1, 1)).collect();
    let outcome = existing(&some, None);
    failed(&outcome, FailureKind::Lost, M2, "5 lost");
    let (measurement, failure) = existing(&some, Some([&[], &[]]));
    assert_eq!(failure, None);
    assert_eq!((measurement.lost, measurement.removed), (0, 10));
    let outcome = existing(&some, Some([&[], &[92, 94]]));
    failed(&outcome, FailureKind::Lost, M2, "2 lost");
    assert_eq!(outcome.0.removed, 8);
}
