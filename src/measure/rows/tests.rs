#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::builders::*;
use super::*;
use crate::measure::delivered::DeliveredTopics;
use crate::measure::member::{MemberMeasurement, OffsetRun, OffsetSpan};

fn of(rows: &[StoredRun], readings: &[Reading<'_>], unconfirmed: &[Unconfirmed<'_>]) -> RowsAccount {
    let stored = Stored {
        readings,
        unconfirmed,
        ..INSERTED
    };
    account(rows, stored, 0)
}

fn unconfirmed(first: i64, end: i64) -> Unconfirmed<'static> {
    Unconfirmed {
        member: "a",
        partition: PARTITION,
        records: Records::Within(first, end),
    }
}

#[test]
fn records_with_one_row_each_are_in_order() {
    let (first, second) = ([run(0, 60)], [run(60, 100)]);
    let found = of(&[row(0, 100, 1)], &[reading("a", &first), reading("b", &second)], &[]);
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
    let found = of(
        &[row(0, 40, 1), row(42, 99, 1)],
        &[reading("a", &runs)],
        &[unconfirmed(0, 100)],
    );
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
fn a_second_row_is_explained_by_a_second_delivery_and_by_a_commit_that_was_not_answered() {
    let (first, second) = ([run(0, 50)], [run(40, 100)]);
    let readings = [reading("a", &first), reading("b", &second)];
    let redelivered = of(&[row(0, 40, 1), row(40, 50, 2), row(50, 100, 1)], &readings, &[]);
    assert_eq!((redelivered.failure(), redelivered.account.stored_twice), (None, 10));
    // Rows that take each other's place.
    assert_eq!(of(&[row(0, 100, 1)], &readings, &[]).failure(), None);
    let rows = [
        row(0, 40, 1),
        row(40, 50, 2),
        row(50, 60, 1),
        row(60, 70, 2),
        row(70, 100, 1),
    ];
    assert_eq!(of(&rows, &readings, &[unconfirmed(60, 70)]).failure(), None);
    let found = of(&rows, &readings, &[unconfirmed(50, 63)]);
    assert_eq!(
        (found.failure(), found.account.unexplained),
        (Some(FailureKind::RowsTwice), 7)
    );
    assert_eq!(found.account.stored_twice, 20);
    assert_eq!(
        found.sentences()[1],
        "offsets 63 to 69 of partition 0 of topic 1 have 2 rows each, and b wrote 1"
    );
}

#[test]
fn more_rows_than_an_unanswered_commit_explains_are_said_with_what_it_explains() {
    let runs = [run(0, 10)];
    let rows = [row(0, 4, 1), row(4, 5, 3), row(5, 10, 1)];
    let found = of(&rows, &[reading("a", &runs)], &[unconfirmed(0, 10)]);
    assert_eq!(found.account.unexplained, 1);
    assert_eq!(
        found.sentences()[1],
        "offset 4 of partition 0 of topic 1 has 3 rows, and a wrote 1, and perhaps 1 more without reporting it"
    );
}

#[test]
fn a_row_that_nobody_reported_is_outside_unless_its_commit_was_not_answered() {
    let runs = [run(0, 10)];
    let rows = [row(0, 12, 1)];
    let found = of(&rows, &[reading("a", &runs)], &[]);
    assert_eq!(
        (found.failure(), found.account.outside),
        (Some(FailureKind::RowsOutside), 2)
    );
    let found = of(&rows, &[reading("a", &runs)], &[unconfirmed(10, 12)]);
    assert_eq!(found.failure(), None);
    let found = of(&rows, &[reading("a", &runs)], &[unconfirmed(11, 15)]);
    assert_eq!(found.account.outside, 1);
    let elsewhere = Stored {
        readings: &[reading("a", &runs)],
        ..INSERTED
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
fn values_that_are_shorter_in_their_rows_than_when_they_were_read_are_found() {
    let runs = [run(0, 10)];
    let readings = [reading("a", &runs)];
    let compared = |bytes, read: Option<u64>, rows: &[StoredRun], same_length| {
        let mut rows = rows.to_vec();
        rows[0].bytes = bytes;
        let values = [ValuesRead {
            partition: PARTITION,
            records: 10,
            bytes: read,
        }];
        let stored = Stored {
            readings: &readings,
            values: &values,
            same_length,
            ..INSERTED
        };
        account(&rows, stored, 0)
    };
    assert_eq!(
        compared(1_000, Some(1_000), &[row(0, 10, 1)], false),
        RowsAccount {
            account: StoreAccount {
                rows: 10,
                stored: 10,
                ..StoreAccount::default()
            },
            ..RowsAccount::default()
        }
    );
    let found = compared(999, Some(1_000), &[row(0, 10, 1)], false);
    assert_eq!(
        (found.failure(), found.account.altered),
        (Some(FailureKind::RowsAltered), 1)
    );
    assert_eq!(
        found.sentences(),
        [
            "1 partition with other values than were read",
            "the values in the rows of partition 0 of topic 1, which a read, have 999 bytes instead of 1,000"
        ]
    );
    // Upserts of records that came twice, and workers that count no bytes.
    for found in [
        compared(900, Some(1_000), &[row(0, 9, 1)], false),
        compared(900, None, &[row(0, 10, 1)], true),
    ] {
        assert_eq!((found.account.altered, found.not_compared), (0, 1));
    }
    let twice = [row(0, 9, 1), row(9, 10, 2)];
    assert_eq!(compared(1_100, Some(1_000), &twice, true).account.altered, 0);
    assert_eq!(compared(1_099, Some(1_000), &twice, true).account.altered, 1);
}

#[test]
fn offsets_of_existing_topics_without_a_record_need_no_row() {
    let delivered = DeliveredTopics {
        topics: vec![vec![(0..5).chain(8..10).collect()]],
    };
    let runs = [run(0, 10)];
    let stored = Stored {
        readings: &[reading("a", &runs)],
        delivered: Some(&delivered),
        ..INSERTED
    };
    assert_eq!(account(&[row(0, 5, 1), row(8, 10, 1)], stored, 0).failure(), None);
    assert_eq!(account(&[row(0, 4, 1), row(8, 10, 1)], stored, 0).account.lost, 1);
}

/// Each pair of a first offset and a length as a span.
fn spans(pairs: &[(i64, i64)]) -> Vec<OffsetSpan> {
    pairs
        .iter()
        .map(|(first, length)| span(*first, first + length))
        .collect()
}

proptest! {
    #[test]
    fn counts_are_those_of_looking_at_each_offset(
        readings in prop::collection::vec((0i64..40, 0i64..15), 0..6),
        unanswered in prop::collection::vec((0i64..40, 0i64..15), 0..6),
        committed in 0i64..60,
        rows in prop::collection::vec((0i64..40, 1i64..15, 1u64..4), 0..6),
    ) {
        let runs: Vec<OffsetRun> = readings.iter().map(|(first, length)| run(*first, first + length)).collect();
        let tried = MemberMeasurement { unanswered: spans(&unanswered), ..MemberMeasurement::default() };
        let unconfirmed = Unconfirmed::of_member(&tried, "a").collect::<Vec<_>>();
        // Stored runs of one partition do not overlap.
        let mut next = 0;
        let rows: Vec<StoredRun> = rows.iter().map(|(gap, length, copies)| {
            let first = next + gap;
            next = first + length;
            row(first, next, *copies)
        }).collect();
        let committed = committed_up_to(committed);
        let stored = Stored {
            readings: &[reading("a", &runs)],
            committed: &[committed],
            unconfirmed: &unconfirmed,
            ..INSERTED
        };
        let found = account(&rows, stored, 0).account;
        let mut expected = StoreAccount::default();
        for offset in 0..400 {
            let read = runs.iter().filter(|run| (run.first..run.end).contains(&offset)).count() as u64;
            let tried = spans(&unanswered).iter().filter(|span| (span.first..span.end).contains(&offset)).count() as u64;
            let copies = rows.iter().filter(|run| (run.first..run.end).contains(&offset)).map(|run| run.copies).sum::<u64>();
            expected.rows += copies;
            expected.stored += u64::from(copies > 0);
            expected.stored_twice += copies.saturating_sub(1);
            expected.lost += u64::from(copies == 0 && (read > 0 || offset < committed.end));
            expected.outside += u64::from(copies > 0 && read + tried == 0);
            expected.unexplained += copies.saturating_sub((read + tried).max(1));
        }
        prop_assert_eq!(found, expected);
    }
}
