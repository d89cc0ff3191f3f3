#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::builders::*;
use super::*;
use crate::measure::delivered::DeliveredTopics;
use crate::measure::member::{MemberMeasurement, OffsetRun, OffsetSpan, PartitionMeasurement};

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

const UPSERTED: Stored<'static> = Stored {
    one_per_record: true,
    ..INSERTED
};

/// The account of a group, whose first member is named dead and whose second heir.
fn account_of(kind: Stored<'_>, members: &[MemberMeasurement], rows: &[StoredRun]) -> RowsAccount {
    let named = || members.iter().zip(["dead", "heir", "third", "fourth"]);
    let readings: Vec<_> = named()
        .flat_map(|(member, name)| Reading::of_member(member, name))
        .collect();
    let unconfirmed: Vec<_> = named()
        .flat_map(|(member, name)| Unconfirmed::of_member(member, name))
        .collect();
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
    let members = [dead(&[run(0, 50)]), heir(&[run(40, 100)])];
    let rows = [row(0, 40, 1), row(40, 60, 2), row(60, 100, 1)];
    assert_eq!(wrong(INSERTED, &members, &rows), (0, 0));
    // Not by its death: in what it had reported, and a third row.
    let before = [row(0, 30, 1), row(30, 31, 2), row(31, 100, 1)];
    assert_eq!(wrong(INSERTED, &members, &before), (1, 0));
    let third = [row(0, 50, 1), row(50, 55, 2), row(55, 56, 3), row(56, 100, 1)];
    assert_eq!(wrong(INSERTED, &members, &third), (1, 0));
}

#[test]
fn a_row_too_many_beyond_what_a_killed_process_can_have_stored_is_found_and_named() {
    let members = [dead(&[run(0, 50)]), heir(&[run(40, 100)])];
    // It stores in order: after 60 it had stored nothing more.
    let later = [
        row(0, 40, 1),
        row(40, 60, 2),
        row(60, 80, 1),
        row(80, 81, 2),
        row(81, 100, 1),
    ];
    let found = account_of(INSERTED, &members, &later);
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
    assert_eq!(wrong(INSERTED, &members, &beyond), (0, 1));
    assert_eq!(wrong(UPSERTED, &members, &beyond), (0, 1));
}

#[test]
fn tries_that_a_killed_process_reported_as_unanswered_explain_a_row_each_and_others_none() {
    let tried = |unanswered: &[OffsetSpan]| MemberMeasurement {
        unanswered: unanswered.to_vec(),
        ..dead(&[run(0, 50)])
    };
    let heir = heir(&[run(50, 100)]);
    // Before its last report, and of the transaction that it was about to try for the third time.
    let rows = [
        row(0, 10, 1),
        row(10, 20, 2),
        row(20, 50, 1),
        row(50, 55, 4),
        row(55, 100, 1),
    ];
    let all = tried(&[span(10, 20), span(50, 55), span(50, 55)]);
    assert_eq!(wrong(INSERTED, &[all, heir.clone()], &rows), (0, 0));
    let one_try = tried(&[span(10, 20), span(50, 55)]);
    assert_eq!(wrong(INSERTED, &[one_try, heir.clone()], &rows), (5, 0));
    assert_eq!(wrong(INSERTED, &[tried(&[]), heir], &rows), (20, 0));
}

#[test]
fn a_process_that_read_again_below_its_reports_explains_what_it_stored_from_where_it_began_again() {
    // It reported 50 and got the partition back with nothing committed. It reported 10 then, and had stored 30 when it was killed.
    let again = OffsetRun { epoch: 2, ..run(0, 10) };
    let members = [dead(&[run(0, 50), again]), heir(&[run(0, 100)])];
    let rows = [row(0, 30, 3), row(30, 50, 2), row(50, 100, 1)];
    assert_eq!(wrong(INSERTED, &members, &rows), (0, 0));
    // Not what lies beyond, below its first report or not.
    let elsewhere = [
        row(0, 30, 3),
        row(30, 40, 2),
        row(40, 41, 3),
        row(41, 80, 2),
        row(80, 100, 1),
    ];
    let found = account_of(INSERTED, &members, &elsewhere);
    assert_eq!(found.account.unexplained, 1);
    let later = [
        row(0, 30, 3),
        row(30, 50, 2),
        row(50, 60, 1),
        row(60, 61, 2),
        row(61, 100, 1),
    ];
    assert_eq!(wrong(INSERTED, &members, &later), (1, 0));
}

#[test]
fn a_process_that_said_where_it_began_explains_what_follows_and_of_other_partitions_nothing() {
    // The heir had the partition up to 30 and again from 40. Between that the process began at 25 and stored up to 45.
    let later = OffsetRun {
        epoch: 2,
        ..run(40, 100)
    };
    let members = [dead(&[run(25, 25)]), heir(&[run(0, 30), later])];
    let rows = [
        row(0, 25, 1),
        row(25, 30, 2),
        row(30, 40, 1),
        row(40, 45, 2),
        row(45, 100, 1),
    ];
    assert_eq!(wrong(INSERTED, &members, &rows), (0, 0));
    let never_began = [dead(&[]), heir(&[run(0, 30), later])];
    assert_eq!(wrong(INSERTED, &never_began, &rows), (10, 10));
    // Before where it began it stored nothing.
    let before = [
        row(0, 10, 1),
        row(10, 11, 2),
        row(11, 25, 1),
        row(25, 30, 2),
        row(30, 100, 1),
    ];
    assert_eq!(wrong(INSERTED, &members, &before), (1, 0));
}

#[test]
fn threads_that_keep_no_order_may_have_stored_any_record_after_the_last_report() {
    let members = [dead(&[run(0, 50)]), heir(&[run(50, 100)])];
    let rows = [row(0, 60, 1), row(60, 61, 2), row(61, 100, 1)];
    assert_eq!(wrong(INSERTED, &members, &rows), (1, 0));
    let out_of_order = Stored {
        in_order: false,
        ..INSERTED
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
        ..INSERTED
    };
    let members = [dead(&[run(0, 50)]), heir(&[run(50, 100)])];
    let rows = [row(0, 50, 1), row(50, 52, 2), row(56, 60, 2), row(60, 100, 1)];
    assert_eq!(wrong(of_existing, &members, &rows), (0, 0));
}

#[test]
fn what_is_committed_to_kafka_must_have_a_row_even_if_a_killed_process_alone_knew_of_it() {
    let committed = [committed_up_to(15)];
    let kind = Stored {
        committed: &committed,
        ..INSERTED
    };
    let found = account_of(kind, &[dead(&[run(0, 10)])], &[row(0, 12, 1)]);
    assert_eq!((found.failure(), found.account.lost), (Some(FailureKind::RowsLost), 3));
    assert_eq!(
        found.sentences()[1],
        "offsets 12 to 14 of partition 0 of topic 1 were committed to Kafka and have no row"
    );
}

/// What really happened: owners one after another, each from where the group's commits stood.
#[derive(Debug, Clone)]
struct Owner {
    process: u32,
    /// Records that it stored, how many of them it did not commit, and how many it did not report in time.
    stored: i64,
    uncommitted: i64,
    unreported: i64,
}

const PROCESSES: u32 = 3;

fn owners() -> impl Strategy<Value = Vec<Owner>> {
    let numbers = (0..PROCESSES, 0i64..30, 0i64..40, 0i64..20);
    let owner = numbers.prop_map(|(process, stored, uncommitted, unreported)| Owner {
        process,
        stored,
        uncommitted,
        unreported,
    });
    prop::collection::vec(owner, 1..8)
}

/// The members as they are known afterwards, how many rows each offset really has, and what is committed in the end. Of the
/// process that was killed only its reports are known.
fn played(owners: &[Owner], killed: u32) -> (Vec<MemberMeasurement>, BTreeMap<i64, u64>, Committed) {
    let (mut runs, mut rows) = (BTreeMap::<u32, Vec<OffsetRun>>::new(), BTreeMap::new());
    let mut committed: i64 = 0;
    for (epoch, owner) in (1u32..).zip(owners) {
        let (first, end) = (committed, committed + owner.stored);
        (first..end).for_each(|offset| *rows.entry(offset).or_insert(0) += 1);
        let unreported = if owner.process == killed { owner.unreported } else { 0 };
        let end_known = first.max(end - unreported);
        let known = OffsetRun {
            first,
            end: end_known,
            epoch,
        };
        runs.entry(owner.process).or_default().push(known);
        committed = first.max(end - owner.uncommitted);
    }
    let runs_of = |process| runs.get(&process).map_or(&[][..], Vec::as_slice);
    let members = (0..PROCESSES).map(|process| member(process, process == killed, runs_of(process)));
    (members.collect(), rows, committed_up_to(committed))
}

fn as_runs(rows: &BTreeMap<i64, u64>) -> Vec<StoredRun> {
    rows.iter()
        .map(|(offset, copies)| row(*offset, offset + 1, *copies))
        .collect()
}

proptest! {
    #[test]
    fn a_correct_trial_is_never_condemned(owners in owners(), killed in 0..PROCESSES) {
        let (members, rows, committed) = played(&owners, killed);
        let committed = [committed];
        let stored = |kind| Stored {
            committed: &committed,
            ..kind
        };
        prop_assert_eq!(account_of(stored(INSERTED), &members, &as_runs(&rows)).failure(), None);
        let upserted = rows.keys().map(|offset| (*offset, 1)).collect();
        prop_assert_eq!(account_of(stored(UPSERTED), &members, &as_runs(&upserted)).failure(), None);
    }

    #[test]
    fn a_row_too_many_in_what_a_killed_process_had_reported_is_always_found(owners in owners(), killed in 0..PROCESSES) {
        let (members, rows, _) = played(&owners, killed);
        let reads = members.iter().filter(|of| of.was_killed).flat_map(|of| &of.partitions);
        let runs: Vec<OffsetRun> = reads.flat_map(|read| read.runs.iter().flatten()).copied().collect();
        let inside = runs.iter().flat_map(|run| run.first + 1..run.end - 1);
        // Not where it may have stored more, which begins where its reports end, and of nobody else.
        let is_end = |offset: &i64| runs.iter().any(|run| run.end == *offset);
        let is_alone = |offset: &i64| (offset - 1..=offset + 1).all(|near| rows.get(&near) == Some(&1));
        for offset in inside.filter(is_alone).filter(|offset| !is_end(offset)) {
            let mut rows = rows.clone();
            rows.insert(offset, 2);
            prop_assert_eq!(account_of(INSERTED, &members, &as_runs(&rows)).account.unexplained, 1, "offset {}", offset);
        }
    }
}
