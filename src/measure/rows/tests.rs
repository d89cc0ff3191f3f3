#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::measure::member::OffsetRun;

const PARTITION: TopicPartition = TopicPartition { topic: 0, partition: 0 };

fn run(first: i64, end: i64) -> OffsetRun {
    OffsetRun { first, end, epoch: 1 }
}

fn row(first: i64, end: i64, copies: u64) -> StoredRun {
    StoredRun {
        partition: PARTITION,
        first,
        end,
        copies,
    }
}

fn reading<'a>(member: &'a str, runs: &'a [OffsetRun]) -> Reading<'a> {
    Reading {
        member,
        partition: PARTITION,
        runs,
        was_killed: false,
    }
}

fn of(rows: &[StoredRun], readings: &[Reading<'_>], tried_again: u64) -> RowsAccount {
    let stored = Stored {
        readings,
        committed: &[],
        delivered: None,
        tried_again,
    };
    account(rows, stored, 0)
}

#[test]
fn records_with_one_row_each_are_in_order() {
    let (first, second) = ([run(0, 60)], [run(60, 100)]);
    let found = of(&[row(0, 100, 1)], &[reading("a", &first), reading("b", &second)], 0);
    assert_eq!(found.failure(), None);
    let StoreAccount {
        rows,
        stored,
        stored_twice,
        ..
    } = found.account;
    assert_eq!((rows, stored, stored_twice), (100, 100, 0));
}

#[test]
fn a_record_that_was_reported_and_has_no_row_is_lost_and_its_member_named() {
    let runs = [run(0, 100)];
    let found = of(&[row(0, 40, 1), row(42, 99, 1)], &[reading("a", &runs)], 1_000);
    assert_eq!((found.failure(), found.account.lost), (Some(FailureKind::RowsLost), 3));
    assert_eq!(
        found.sentences()[1..],
        [
            "offsets 40 to 41 of partition 0 of topic 1 were reported as stored by a and have no row",
            "offset 99 of partition 0 of topic 1 was reported as stored by a and has no row"
        ]
    );
    assert_eq!(found.members().into_iter().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn a_second_row_is_explained_by_a_second_delivery_and_by_a_transaction_that_was_tried_again() {
    let (first, second) = ([run(0, 50)], [run(40, 100)]);
    let readings = [reading("a", &first), reading("b", &second)];
    let redelivered = of(&[row(0, 40, 1), row(40, 50, 2), row(50, 100, 1)], &readings, 0);
    assert_eq!((redelivered.failure(), redelivered.account.stored_twice), (None, 10));
    // Rows that take each other's place.
    assert_eq!(of(&[row(0, 100, 1)], &readings, 0).failure(), None);
    let rows = [
        row(0, 40, 1),
        row(40, 50, 2),
        row(50, 60, 1),
        row(60, 70, 2),
        row(70, 100, 1),
    ];
    assert_eq!(of(&rows, &readings, 10).failure(), None);
    let found = of(&rows, &readings, 3);
    assert_eq!(
        (found.failure(), found.account.unexplained),
        (Some(FailureKind::RowsTwice), 7)
    );
    assert_eq!(found.account.stored_twice, 20);
    assert_eq!(
        found.sentences()[1],
        "offsets 60 to 69 of partition 0 of topic 1 have 2 rows each, and b wrote 1"
    );
}

#[test]
fn a_row_that_nobody_reported_is_outside_unless_a_process_was_killed_or_a_transaction_tried_again() {
    let runs = [run(0, 10)];
    let rows = [row(0, 12, 1)];
    let found = of(&rows, &[reading("a", &runs)], 0);
    assert_eq!(
        (found.failure(), found.account.outside),
        (Some(FailureKind::RowsOutside), 2)
    );
    assert_eq!(of(&rows, &[reading("a", &runs)], 2).failure(), None);
    let killed = Reading {
        was_killed: true,
        ..reading("a", &runs)
    };
    assert_eq!(of(&rows, &[killed], 0).failure(), None);
    let elsewhere = Stored {
        readings: &[reading("a", &runs)],
        committed: &[],
        delivered: None,
        tried_again: 0,
    };
    let found = account(&[row(0, 10, 1)], elsewhere, 5);
    assert_eq!(
        (found.failure(), found.account.rows),
        (Some(FailureKind::RowsOutside), 15)
    );
    assert_eq!(
        found.sentences()[1],
        "5 rows in partitions that the trial does not read"
    );
}

#[test]
fn what_is_committed_to_kafka_must_have_a_row_even_if_a_killed_process_alone_knew_of_it() {
    let runs = [run(0, 10)];
    let killed = Reading {
        was_killed: true,
        ..reading("a", &runs)
    };
    let committed = Committed {
        partition: PARTITION,
        low: 0,
        end: 15,
    };
    let stored = Stored {
        readings: &[killed],
        committed: &[committed],
        delivered: None,
        tried_again: 0,
    };
    let found = account(&[row(0, 12, 1)], stored, 0);
    assert_eq!((found.failure(), found.account.lost), (Some(FailureKind::RowsLost), 3));
    assert_eq!(
        found.sentences()[1],
        "offsets 12 to 14 of partition 0 of topic 1 were committed to Kafka and have no row"
    );
}

#[test]
fn offsets_of_existing_topics_without_a_record_need_no_row() {
    let delivered = DeliveredTopics {
        topics: vec![vec![(0..5).chain(8..10).collect()]],
    };
    let runs = [run(0, 10)];
    let stored = Stored {
        readings: &[reading("a", &runs)],
        committed: &[],
        delivered: Some(&delivered),
        tried_again: 0,
    };
    assert_eq!(account(&[row(0, 5, 1), row(8, 10, 1)], stored, 0).failure(), None);
    assert_eq!(account(&[row(0, 4, 1), row(8, 10, 1)], stored, 0).account.lost, 1);
}

proptest! {
    #[test]
    fn counts_are_those_of_looking_at_each_offset(
        readings in prop::collection::vec((0i64..40, 0i64..15), 0..6),
        rows in prop::collection::vec((0i64..40, 1i64..15, 1u64..4), 0..6),
    ) {
        let runs: Vec<OffsetRun> = readings.iter().map(|(first, length)| run(*first, first + length)).collect();
        // Stored runs of one partition do not overlap.
        let mut next = 0;
        let rows: Vec<StoredRun> = rows.iter().map(|(gap, length, copies)| {
            let first = next + gap;
            next = first + length;
            row(first, next, *copies)
        }).collect();
        let found = of(&rows, &[reading("a", &runs)], 0).account;
        let mut expected = StoreAccount::default();
        for offset in 0..400 {
            let read = runs.iter().filter(|run| (run.first..run.end).contains(&offset)).count() as u64;
            let copies = rows.iter().filter(|run| (run.first..run.end).contains(&offset)).map(|run| run.copies).sum::<u64>();
            expected.rows += copies;
            expected.stored += u64::from(copies > 0);
            expected.stored_twice += copies.saturating_sub(1);
            expected.lost += u64::from(copies == 0 && read > 0);
            expected.outside += u64::from(copies > 0 && read == 0);
            expected.unexplained += copies.saturating_sub(read.max(1));
        }
        prop_assert_eq!(found, expected);
    }
}
