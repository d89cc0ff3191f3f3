#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::measure::delivered::DeliveredTopics;
use crate::measure::member::{MemberMeasurement, OffsetRun, OffsetSpan, PartitionMeasurement};

const PARTITION: TopicPartition = TopicPartition { topic: 0, partition: 0 };

fn run(first: i64, end: i64, epoch: u32) -> OffsetRun {
    OffsetRun { first, end, epoch }
}

fn row(first: i64, end: i64, copies: u64) -> StoredRun {
    StoredRun {
        partition: PARTITION,
        first,
        end,
        copies,
        bytes: 0,
    }
}

fn span(first: i64, end: i64) -> OffsetSpan {
    OffsetSpan {
        partition: PARTITION,
        first,
        end,
    }
}

/// A process of the group with what it read, or reported until it was killed.
fn member(process: u32, was_killed: bool, runs: &[OffsetRun]) -> MemberMeasurement {
    let read = PartitionMeasurement {
        runs: Some(runs.to_vec()),
        ..PartitionMeasurement::default()
    };
    MemberMeasurement {
        process,
        was_killed,
        partitions: (!runs.is_empty()).then_some(read).into_iter().collect(),
        ..MemberMeasurement::default()
    }
}

fn dead(runs: &[OffsetRun]) -> MemberMeasurement {
    member(0, true, runs)
}

fn heir(runs: &[OffsetRun]) -> MemberMeasurement {
    member(1, false, runs)
}

const INSERT: Stored<'static> = Stored {
    readings: &[],
    committed: &[],
    delivered: None,
    unconfirmed: &[],
    in_order: true,
    one_per_record: false,
    values: &[],
    same_length: false,
};
const UPSERT: Stored<'static> = Stored {
    one_per_record: true,
    ..INSERT
};

/// The account of a group, whose first member is named dead and whose second heir.
fn account_of(kind: Stored<'_>, members: &[MemberMeasurement], rows: &[StoredRun]) -> RowsAccount {
    let named: Vec<Named<'_>> = members.iter().zip(["dead", "heir", "third", "fourth"]).collect();
    let readings: Vec<_> = named
        .iter()
        .flat_map(|(member, name)| Reading::of_member(member, name))
        .collect();
    let unconfirmed = Unconfirmed::of_group(&named, &[(PARTITION, 0)], true);
    let stored = Stored {
        readings: &readings,
        unconfirmed: &unconfirmed,
        ..kind
    };
    account(rows, stored, 0)
}

/// Too many rows, and rows outside.
fn wrong(kind: Stored<'_>, members: &[MemberMeasurement], rows: &[StoredRun]) -> (u64, u64) {
    let found = account_of(kind, members, rows).account;
    assert_eq!(found.lost, 0);
    (found.unexplained, found.outside)
}

#[test]
fn a_killed_process_explains_one_row_of_each_record_that_it_stored_after_its_last_report() {
    // Reported up to 50, committed up to 40, and stored up to 60.
    let members = [dead(&[run(0, 50, 1)]), heir(&[run(40, 100, 1)])];
    let rows = [row(0, 40, 1), row(40, 60, 2), row(60, 100, 1)];
    assert_eq!(wrong(INSERT, &members, &rows), (0, 0));
    // Not by its death: in what it had reported, and a third row.
    let before = [row(0, 30, 1), row(30, 31, 2), row(31, 100, 1)];
    assert_eq!(wrong(INSERT, &members, &before), (1, 0));
    let third = [row(0, 50, 1), row(50, 55, 2), row(55, 56, 3), row(56, 100, 1)];
    assert_eq!(wrong(INSERT, &members, &third), (1, 0));
}

#[test]
fn a_row_too_many_beyond_what_a_killed_process_can_have_stored_is_found_and_named() {
    let members = [dead(&[run(0, 50, 1)]), heir(&[run(40, 100, 1)])];
    // It stores in order: after 60 it had stored nothing more.
    let later = [
        row(0, 40, 1),
        row(40, 60, 2),
        row(60, 80, 1),
        row(80, 81, 2),
        row(81, 100, 1),
    ];
    let found = account_of(INSERT, &members, &later);
    assert_eq!(
        (found.failure(), found.account.unexplained),
        (Some(FailureKind::RowsTwice), 1)
    );
    assert_eq!(
        found.sentences()[1],
        "offset 80 of partition 0 of topic 1 has 2 rows, and heir wrote 1"
    );
    // The same of rows that nobody reported: the trial's partition ends at 100.
    let beyond = [row(0, 100, 1), row(120, 121, 1)];
    assert_eq!(wrong(INSERT, &members, &beyond), (0, 1));
    assert_eq!(wrong(UPSERT, &members, &beyond), (0, 1));
}

#[test]
fn tries_that_a_killed_process_reported_as_unanswered_explain_a_row_each_and_others_none() {
    let tried = |unanswered: &[OffsetSpan]| MemberMeasurement {
        unanswered: unanswered.to_vec(),
        ..dead(&[run(0, 50, 1)])
    };
    let heir = heir(&[run(50, 100, 1)]);
    // Before its last report, and of the transaction that it was about to try for the third time.
    let rows = [
        row(0, 10, 1),
        row(10, 20, 2),
        row(20, 50, 1),
        row(50, 55, 4),
        row(55, 100, 1),
    ];
    let all = tried(&[span(10, 20), span(50, 55), span(50, 55)]);
    assert_eq!(wrong(INSERT, &[all, heir.clone()], &rows), (0, 0));
    let one_try = tried(&[span(10, 20), span(50, 55)]);
    assert_eq!(wrong(INSERT, &[one_try, heir.clone()], &rows), (5, 0));
    assert_eq!(wrong(INSERT, &[tried(&[]), heir], &rows), (20, 0));
}

#[test]
fn what_a_killed_process_stored_before_its_first_report_of_a_later_assignment_is_explained_from_where_it_began() {
    // The heir had the partition up to 30. The process began at 25, reported 60 first and 70 last, and stored up to 80.
    let members = [dead(&[run(60, 70, 1)]), heir(&[run(0, 30, 1), run(70, 100, 2)])];
    let rows = [
        row(0, 25, 1),
        row(25, 30, 2),
        row(30, 70, 1),
        row(70, 80, 2),
        row(80, 100, 1),
    ];
    assert_eq!(wrong(INSERT, &members, &rows), (0, 0));
    let earlier = [row(0, 10, 1), row(10, 11, 2), row(11, 100, 1)];
    assert_eq!(wrong(INSERT, &members, &earlier), (1, 0));
}

#[test]
fn a_process_that_was_killed_before_its_first_report_of_a_partition_explains_what_is_next_to_a_change_of_owner() {
    // The heir had the partition up to 30 and again from 40. Between that the process began at 25 and stored up to 45.
    let members = [dead(&[]), heir(&[run(0, 30, 1), run(40, 100, 2)])];
    let rows = [
        row(0, 25, 1),
        row(25, 30, 2),
        row(30, 40, 1),
        row(40, 45, 2),
        row(45, 100, 1),
    ];
    assert_eq!(wrong(INSERT, &members, &rows), (0, 0));
    let elsewhere = [
        row(0, 10, 1),
        row(10, 11, 2),
        row(11, 30, 1),
        row(30, 40, 1),
        row(40, 90, 1),
        row(90, 91, 2),
        row(91, 100, 1),
    ];
    assert_eq!(wrong(INSERT, &members, &elsewhere), (2, 0));
    // At the beginning of the trial the first owner was there.
    let first = [row(0, 1, 2), row(1, 100, 1)];
    assert_eq!(wrong(INSERT, &members, &first), (1, 0));
    // Or where the group's commits stand: the next owner would begin there.
    let only_owner = [dead(&[]), heir(&[run(0, 100, 1)])];
    let rows = [row(0, 80, 1), row(80, 85, 2), row(85, 100, 1)];
    let committed = [Committed {
        partition: PARTITION,
        low: 0,
        end: 82,
    }];
    let kind = Stored {
        committed: &committed,
        ..INSERT
    };
    assert_eq!(wrong(kind, &only_owner, &rows), (0, 0));
    // Of a partition that another member has from beginning to end it can only have had the end.
    let only_owner = [dead(&[]), heir(&[run(0, 100, 1)])];
    let rows = [row(0, 50, 1), row(50, 51, 2), row(51, 100, 1)];
    assert_eq!(wrong(INSERT, &only_owner, &rows), (1, 0));
}

#[test]
fn partitions_that_are_taken_by_hand_never_change_their_owner() {
    let members = [dead(&[]), heir(&[run(0, 30, 1), run(30, 100, 2)])];
    let named: Vec<Named<'_>> = members.iter().zip(["dead", "heir"]).collect();
    assert_eq!(Unconfirmed::of_group(&named, &[(PARTITION, 0)], false), []);
    let dealt = Unconfirmed::of_group(&named, &[(PARTITION, 0)], true);
    assert_eq!(
        dealt.iter().map(|of| of.records).collect::<Vec<_>>(),
        [Records::AtChanges]
    );
    // The reports of a process are those of all its consumers.
    let other = MemberMeasurement {
        consumer: 1,
        ..dead(&[run(0, 10, 1)])
    };
    let both: [Named<'_>; 2] = [(&members[0], "dead"), (&other, "other")];
    let of_both = Unconfirmed::of_group(&both, &[(PARTITION, 0)], true);
    assert_eq!(
        of_both.iter().map(|of| of.records).collect::<Vec<_>>(),
        [Records::From(10)]
    );
}

#[test]
fn threads_that_keep_no_order_may_have_stored_any_record_after_the_last_report() {
    let members = [dead(&[run(0, 50, 1)]), heir(&[run(50, 100, 1)])];
    let rows = [row(0, 60, 1), row(60, 61, 2), row(61, 100, 1)];
    assert_eq!(wrong(INSERT, &members, &rows), (1, 0));
    let out_of_order = Stored {
        in_order: false,
        ..INSERT
    };
    assert_eq!(wrong(out_of_order, &members, &rows), (0, 0));
}

#[test]
fn offsets_without_a_record_do_not_end_what_a_killed_process_stored() {
    let delivered = DeliveredTopics {
        topics: vec![vec![(0..52).chain(56..100).collect()]],
    };
    let of_existing = Stored {
        delivered: Some(&delivered),
        ..INSERT
    };
    let members = [dead(&[run(0, 50, 1)]), heir(&[run(50, 100, 1)])];
    let rows = [row(0, 50, 1), row(50, 52, 2), row(56, 60, 2), row(60, 100, 1)];
    assert_eq!(wrong(of_existing, &members, &rows), (0, 0));
}

#[test]
fn what_is_committed_to_kafka_must_have_a_row_even_if_a_killed_process_alone_knew_of_it() {
    let committed = [Committed {
        partition: PARTITION,
        low: 0,
        end: 15,
    }];
    let kind = Stored {
        committed: &committed,
        ..INSERT
    };
    let found = account_of(kind, &[dead(&[run(0, 10, 1)])], &[row(0, 12, 1)]);
    assert_eq!((found.failure(), found.account.lost), (Some(FailureKind::RowsLost), 3));
    assert_eq!(
        found.sentences()[1],
        "offsets 12 to 14 of partition 0 of topic 1 were committed to Kafka and have no row"
    );
}

/// What really happened: owners one after another, each from where the group's commits stood.
#[derive(Debug, Clone)]
struct Owner {
    /// Records that it stored, and how many of them it did not commit.
    stored: i64,
    uncommitted: i64,
    /// If its process was killed, how many of the records are before its first report, and after its last one.
    unreported: Option<(i64, i64)>,
}

fn owners() -> impl Strategy<Value = Vec<Owner>> {
    let killed = prop::option::of((0i64..20, 0i64..20));
    let owner = (0i64..30, 0i64..10, killed).prop_map(|(stored, uncommitted, unreported)| Owner {
        stored,
        uncommitted,
        unreported,
    });
    prop::collection::vec(owner, 1..5)
}

/// The members as they are known afterwards, how many rows each offset really has, and what is committed in the end.
fn played(owners: &[Owner]) -> (Vec<MemberMeasurement>, BTreeMap<i64, u64>, Committed) {
    let (mut members, mut rows) = (Vec::new(), BTreeMap::new());
    let mut committed: i64 = 0;
    for (process, owner) in (0u32..).zip(owners) {
        let (first, end) = (committed, committed + owner.stored);
        (first..end).for_each(|offset| *rows.entry(offset).or_insert(0) += 1);
        let known = match owner.unreported {
            None => Some((first, end)),
            // Who held it at the start read it from its first record.
            Some((before, after)) => {
                let from = if process == 0 { first } else { first + before };
                (from < end - after).then_some((from, end - after))
            }
        };
        let known = known.or_else(|| (process == 0).then_some((0, 0)));
        let runs: Vec<OffsetRun> = known.map(|(first, end)| run(first, end, 1)).into_iter().collect();
        members.push(member(process, owner.unreported.is_some(), &runs));
        committed = first.max(end - owner.uncommitted);
    }
    let committed = Committed {
        partition: PARTITION,
        low: 0,
        end: committed,
    };
    (members, rows, committed)
}

fn as_runs(rows: &BTreeMap<i64, u64>) -> Vec<StoredRun> {
    rows.iter()
        .map(|(offset, copies)| row(*offset, offset + 1, *copies))
        .collect()
}

proptest! {
    #[test]
    fn a_correct_trial_is_never_condemned(owners in owners()) {
        let (members, rows, committed) = played(&owners);
        let committed = [committed];
        let stored = |kind| Stored {
            committed: &committed,
            ..kind
        };
        prop_assert_eq!(account_of(stored(INSERT), &members, &as_runs(&rows)).failure(), None);
        let upserted = rows.keys().map(|offset| (*offset, 1)).collect();
        prop_assert_eq!(account_of(stored(UPSERT), &members, &as_runs(&upserted)).failure(), None);
    }

    #[test]
    fn a_row_too_many_in_what_a_killed_process_had_reported_is_always_found(owners in owners()) {
        let (members, rows, _) = played(&owners);
        let killed = || members.iter().filter(|of| of.was_killed);
        // One without any report may have stored what is next to a change of owner.
        let all_reported = killed().all(|of| !of.partitions.is_empty());
        let runs = killed().flat_map(|of| &of.partitions).flat_map(|read| read.runs.iter().flatten());
        // Not next to what it may have stored beside its reports, and of nobody else.
        let inside = runs.flat_map(|run| run.first + 1..run.end - 1);
        let is_alone = |offset: &i64| (offset - 1..=offset + 1).all(|near| rows.get(&near) == Some(&1));
        for offset in inside.filter(is_alone).filter(|_| all_reported) {
            let mut rows = rows.clone();
            rows.insert(offset, 2);
            prop_assert_eq!(account_of(INSERT, &members, &as_runs(&rows)).account.unexplained, 1, "offset {}", offset);
        }
    }
}
