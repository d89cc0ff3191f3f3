use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::measure::DeliveredOffsets;

const P0: TopicPartition = TopicPartition { topic: 0, partition: 0 };
const P1: TopicPartition = TopicPartition { topic: 0, partition: 1 };
const ONE: &str = "group 1, process 1, consumer 1";
const TWO: &str = "group 1, process 2, consumer 1";

fn run(first: i64, end: i64, epoch: u32) -> OffsetRun {
    OffsetRun { first, end, epoch }
}

fn expected(partition: TopicPartition, low: i64, end: i64) -> ExpectedRange {
    ExpectedRange { partition, low, end }
}

fn reading<'a>(member: &'a str, partition: TopicPartition, runs: &'a [OffsetRun]) -> Reading<'a> {
    Reading {
        member,
        partition,
        runs,
        was_killed: false,
    }
}

#[test]
fn a_group_that_read_everything_once_has_nothing_to_account_for() {
    let books = account(
        &[expected(P0, 5, 15), expected(P1, 0, 10)],
        &[
            reading(ONE, P0, &[run(5, 9, 1), run(9, 15, 1)]),
            reading(TWO, P1, &[run(0, 10, 1)]),
        ],
    );
    assert!(books.is_exact() && books.findings.is_empty(), "{books:?}");
}

#[test]
fn a_skipped_record_is_lost_and_its_partition_and_reader_are_named() {
    let books = account(
        &[expected(P1, 0, 10)],
        &[reading(ONE, P1, &[run(0, 4, 1), run(5, 10, 1)])],
    );
    assert_eq!((books.lost, books.duplicated, books.redelivered), (1, 0, 0));
    assert_eq!(
        books.sentences(),
        ["offset 4 of partition 1 of topic 1 was never read; the partition was read by group 1, process 1, consumer 1"]
    );
}

#[test]
fn a_partition_that_nobody_read_is_lost() {
    let books = account(&[expected(P0, 0, 10), expected(P1, 3, 3)], &[]);
    assert_eq!(books.lost, 10);
    assert_eq!(
        books.sentences(),
        ["offsets 0 to 9 of partition 0 of topic 1 were never read; no member read the partition"]
    );
}

#[test]
fn a_record_counted_twice_by_one_owner_is_duplicated() {
    let books = account(
        &[expected(P0, 0, 10)],
        &[reading(TWO, P0, &[run(0, 5, 1), run(4, 10, 1)])],
    );
    assert_eq!((books.lost, books.duplicated, books.redelivered), (0, 1, 0));
    let twice = "offset 4 of partition 0 of topic 1 was read twice by group 1, process 2, consumer 1";
    assert_eq!(books.sentences(), [twice]);
}

#[test]
fn records_read_by_two_members_are_redelivered_and_both_are_named() {
    let books = account(
        &[expected(P0, 0, 10)],
        &[reading(ONE, P0, &[run(0, 7, 1)]), reading(TWO, P0, &[run(5, 10, 2)])],
    );
    assert_eq!((books.lost, books.duplicated, books.redelivered), (0, 0, 2));
    assert_eq!(
        books.sentences(),
        [
            "offsets 5 to 6 of partition 0 of topic 1 were read by group 1, process 1, consumer 1 \
          and by group 1, process 2, consumer 1"
        ]
    );
}

#[test]
fn records_read_again_under_a_new_assignment_are_redelivered() {
    let books = account(
        &[expected(P0, 0, 10)],
        &[reading(ONE, P0, &[run(0, 7, 1), run(5, 10, 3)])],
    );
    assert_eq!((books.duplicated, books.redelivered), (0, 2));
    assert!(books.sentences()[0].ends_with("were read by group 1, process 1, consumer 1 under two assignments"));
}

#[test]
fn offsets_outside_the_range_are_neither_read_nor_duplicated() {
    let books = account(
        &[expected(P0, 2, 5)],
        &[reading(ONE, P0, &[run(0, 7, 1)]), reading(TWO, P1, &[run(0, 2, 1)])],
    );
    assert_eq!(
        (books.lost, books.duplicated, books.redelivered, books.outside),
        (0, 0, 0, 6)
    );
    assert_eq!(books.findings.len(), 3, "{:?}", books.findings);
}

#[test]
fn many_findings_are_cut_and_counted() {
    let runs: Vec<OffsetRun> = (0..100).map(|i| run(2 * i, 2 * i + 1, 1)).collect();
    let books = account(&[expected(P0, 0, 200)], &[reading(ONE, P0, &runs)]);
    assert_eq!(books.lost, 100);
    assert_eq!(books.findings.len(), FINDINGS_MAX);
    assert_eq!(books.sentences().last().map(String::as_str), Some("and 80 more"));
}

#[test]
fn a_million_short_runs_are_accounted_for_in_a_moment() {
    let runs_of = |parity: i64| -> Vec<OffsetRun> {
        (0..500_000)
            .map(|i| run(2 * i + parity, 2 * i + parity + 1, 1))
            .collect()
    };
    let (even, odd) = (runs_of(0), runs_of(1));
    let books = account(
        &[expected(P0, 0, 1_000_000)],
        &[reading(ONE, P0, &even), reading(TWO, P0, &odd)],
    );
    assert!(books.is_exact());
}

/// Runs of two members over two partitions, with overlaps, gaps and epochs.
fn any_readings() -> impl Strategy<Value = Vec<(bool, bool, Vec<OffsetRun>)>> {
    let any_run = (0..40_i64, 0..15_i64, 1..3_u32).prop_map(|(first, length, epoch)| run(first, first + length, epoch));
    let runs = prop::collection::vec(any_run, 0..6);
    prop::collection::vec((any::<bool>(), any::<bool>(), runs), 0..6)
}

proptest! {
    #[test]
    fn the_account_agrees_with_one_kept_offset_by_offset(readings in any_readings(), low in 0..20_i64, length in 0..30_i64) {
        let partition = |second: bool| if second { P1 } else { P0 };
        let given: Vec<Reading> = (readings.iter())
            .map(|(two, second, runs)| reading(if *two { TWO } else { ONE }, partition(*second), runs))
            .collect();
        // The second partition was not to be read.
        let books = account(&[expected(P0, low, low + length)], &given);

        let (mut lost, mut duplicated, mut redelivered, mut outside) = (0, 0, 0, 0);
        for at in [P0, P1] {
            for offset in 0..60_i64 {
                let reads: Vec<(&str, u32)> = (given.iter())
                    .filter(|r| r.partition == at)
                    .flat_map(|r| r.runs.iter().map(move |run| (r.member, *run)))
                    .filter(|(_, run)| (run.first..run.end).contains(&offset))
                    .map(|(member, run)| (member, run.epoch))
                    .collect();
                let owners = reads.iter().collect::<BTreeSet<_>>().len() as u64;
                let times = reads.len() as u64;
                if at == P0 && (low..low + length).contains(&offset) {
                    lost += u64::from(times == 0);
                    duplicated += times - owners;
                    redelivered += owners.saturating_sub(1);
                } else {
                    outside += times;
                }
            }
        }
        prop_assert_eq!((books.lost, books.duplicated, books.redelivered, books.outside), (lost, duplicated, redelivered, outside));
        prop_assert_eq!(books.findings.is_empty(), books.is_exact());
    }
}

fn offsets(all: &[i64]) -> DeliveredOffsets {
    all.iter().copied().collect()
}

fn delivered(partition: &[i64]) -> DeliveredTopics {
    DeliveredTopics {
        topics: vec![vec![offsets(partition)]],
    }
}

/// The account of partition 0 over offsets 0 to 9 against what was delivered first, and still is where that was asked.
fn against(first: &[i64], still: Option<&[i64]>, runs: &[OffsetRun]) -> Account {
    let (delivered, still) = (delivered(first), still.map(delivered));
    let reference = Reference {
        delivered: &delivered,
        still: still.as_ref(),
    };
    account_by(
        Repeats::Fault,
        Some(reference),
        &[expected(P0, 0, 10)],
        &[reading(ONE, P0, runs)],
    )
}

#[test]
fn offsets_that_are_not_delivered_are_no_loss() {
    let books = against(&[0, 1, 5, 6], None, &[run(0, 2, 1), run(5, 7, 1)]);
    assert!(books.is_exact() && books.findings.is_empty(), "{books:?}");
    assert_eq!((books.not_delivered, books.removed), (6, 0));
}

#[test]
fn what_was_delivered_and_is_not_read_is_lost_unless_the_cluster_no_longer_delivers_it() {
    let books = against(&[0, 1, 5, 6], None, &[run(0, 2, 1)]);
    assert_eq!((books.lost, books.removed, books.not_delivered), (2, 0, 6));
    assert_eq!(books.lost_between, BTreeMap::from([(P0, (5, 7))]));
    let books = against(&[0, 1, 5, 6], Some(&[6]), &[run(0, 2, 1)]);
    assert_eq!((books.lost, books.removed, books.not_delivered), (1, 1, 6));
    assert_eq!(
        books.sentences(),
        ["offset 6 of partition 0 of topic 1 was never read; the partition was read by group 1, process 1, consumer 1"]
    );
    let books = against(&[0, 1, 5, 6], Some(&[]), &[run(5, 6, 1)]);
    assert_eq!((books.lost, books.removed, books.not_delivered), (0, 3, 6));
}

#[test]
fn what_is_read_although_it_was_not_delivered_before_is_outside() {
    let books = against(&[0, 1, 5, 6], None, &[run(0, 3, 1), run(5, 7, 1)]);
    assert_eq!((books.lost, books.outside), (0, 1));
    assert!(
        books.sentences()[0].contains("offset 2 of partition 0"),
        "{:?}",
        books.findings
    );
}

proptest! {
    #[test]
    fn every_offset_to_be_read_is_read_lost_removed_or_not_delivered(
        first in proptest::collection::btree_set(0i64..10, 0..10),
        still in proptest::option::of(proptest::collection::btree_set(0i64..10, 0..10)),
        read in proptest::collection::btree_set(0i64..10, 0..10),
    ) {
        let read: BTreeSet<i64> = read.intersection(&first).copied().collect();
        let runs: Vec<OffsetRun> = read.iter().map(|offset| run(*offset, offset + 1, 1)).collect();
        let list = |set: &BTreeSet<i64>| set.iter().copied().collect::<Vec<_>>();
        let still_list = still.as_ref().map(list);
        let books = against(&list(&first), still_list.as_deref(), &runs);
        let missing: BTreeSet<i64> = first.difference(&read).copied().collect();
        let lost = still.as_ref().map_or(missing.len(), |still| missing.intersection(still).count());
        prop_assert_eq!(books.lost, lost as u64);
        prop_assert_eq!(books.removed, (missing.len() - lost) as u64);
        prop_assert_eq!(books.not_delivered, 10 - first.len() as u64);
        prop_assert_eq!((books.duplicated, books.outside), (0, 0));
    }
}

#[test]
fn where_the_cluster_may_deliver_again_a_second_reading_by_one_owner_is_redelivered() {
    let runs = [run(0, 10, 1), run(3, 5, 1)];
    let by = |repeats| account_by(repeats, None, &[expected(P0, 0, 10)], &[reading(ONE, P0, &runs)]);
    let (fault, allowed) = (by(Repeats::Fault), by(Repeats::Allowed));
    assert_eq!((fault.duplicated, fault.redelivered), (2, 0));
    assert_eq!((allowed.duplicated, allowed.redelivered, allowed.lost), (0, 2, 0));
}
