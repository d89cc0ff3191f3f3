//! How records and work are spread over members, partitions, keys and threads.

#![allow(clippy::unwrap_used)]

use super::tests::{Made, SECOND, WAIT, thread};
use super::*;
use crate::measure::{PartitionMeasurement, Rebalance, RebalanceKind, TopicPartition};
use crate::scenario::{Keys, WorkOrdering};

fn partition(partition: i32) -> TopicPartition {
    TopicPartition { topic: 0, partition }
}

fn read(number: i32, records: u64) -> PartitionMeasurement {
    PartitionMeasurement {
        partition: number,
        records,
        ..PartitionMeasurement::default()
    }
}

/// One member with so many threads that read these shares of its partitions, and whose threads were in work for so many
/// hundredths of the second together.
fn on_threads(threads: u32, ordering: WorkOrdering, shares: &[u64], percent: u64) -> Made {
    let mut made = Made::new(1, u32::try_from(shares.len()).unwrap()).working(WAIT, percent);
    made.scenario.configurations[0].threads = threads;
    made.scenario.configurations[0].ordering = ordering;
    made.measurement.members[0].partitions = (0..)
        .zip(shares)
        .map(|(number, share)| read(number, share * 800))
        .collect();
    made
}

#[test]
fn partitions_that_a_member_had_only_before_the_start_are_not_counted() {
    let mut made = Made::new(3, 4);
    let start_ns = made.measurement.start_ns;
    let members = &mut made.measurement.members;
    let records = [[20_000, 40_000], [10_000, 0], [10_000, 0]];
    for (index, member) in members.iter_mut().enumerate() {
        let number = i32::try_from(index).unwrap();
        member.assigned = vec![partition(number)];
        member.partitions = vec![read(number, records[index][0])];
        member.last_record_ns = Some(start_ns + if index == 0 { SECOND } else { SECOND / 2 });
    }
    // The first one held all four for a moment, under KIP-848, and has slots for them.
    members[0].assigned = vec![partition(0), partition(3)];
    members[0].partitions = vec![read(0, 20_000), read(1, 0), read(2, 0), read(3, 40_000)];
    members[0].rebalances = vec![Rebalance {
        at_ns: start_ns - 1,
        kind: RebalanceKind::Assigned,
        partitions: (0..4).map(partition).collect(),
    }];
    made.is(BottleneckKind::Skew, &["with 2 of 4 partitions for 3 members"]);
    // One that is given after the start counts.
    let later = Rebalance {
        at_ns: start_ns + 1,
        partitions: vec![partition(1)],
        ..made.measurement.members[0].rebalances[0].clone()
    };
    made.measurement.members[0].rebalances.push(later);
    made.is(BottleneckKind::Skew, &["with 3 of 4 partitions for 3 members"]);
}

#[test]
fn a_partition_with_most_records_is_skew_for_threads_as_it_is_for_members() {
    let made = on_threads(2, WorkOrdering::Partition, &[90, 10], 110);
    made.is(
        BottleneckKind::Skew,
        &[
            "partition 0 holds 90 % of the records, which are worked one after another",
            "the busiest was in work 99 % of the time, and all 2 threads 55 % of theirs",
        ],
    );
    assert!(made.found().remedy.contains("more threads or members will not"));
    // Without an order nobody waits for it, and threads that are full are limited by the work.
    on_threads(2, WorkOrdering::None, &[90, 10], 110).is(BottleneckKind::Unknown, &[]);
    on_threads(2, WorkOrdering::Partition, &[55, 45], 180).is(BottleneckKind::ConsumerWork, &["in work 90 %"]);
    // A partition that its thread has time for is no limit.
    on_threads(2, WorkOrdering::Partition, &[90, 10], 60).is(BottleneckKind::Unknown, &[]);
}

#[test]
fn partitions_that_do_not_divide_among_threads_and_too_few_of_them_are_named() {
    let uneven = on_threads(2, WorkOrdering::Partition, &[34, 33, 33], 148);
    uneven.is(
        BottleneckKind::Skew,
        &["one of 2 threads has 2 of 3 partitions with 67 % of the records"],
    );
    assert!(uneven.found().remedy.starts_with("A number of threads that divides"));
    let few = on_threads(16, WorkOrdering::Partition, &[50, 50], 196);
    few.is(
        BottleneckKind::ConsumerWork,
        &["no more than 2 of 16 threads can work at once, one for each partition: the busiest was in work 98 %"],
    );
    assert!(
        few.found().remedy.starts_with("More partitions would help"),
        "{:?}",
        few.found()
    );
}

#[test]
fn a_frequent_key_and_too_few_keys_are_named_where_keys_keep_their_order() {
    let keyed = |exponent, count, percent| {
        let mut made = on_threads(16, WorkOrdering::Key, &[100], percent);
        made.scenario.datasets[0].keys = Keys::Zipf { exponent, count };
        made
    };
    // 1 / (1 + 1/2 + ... + 1/50) is 22 %, which keeps one thread busy when all together are in work for 4.4 of 16.
    keyed(1.0, 50, 440).is(
        BottleneckKind::Skew,
        &["the most frequent of 50 keys has about 22 %", "all 16 threads 28 %"],
    );
    let few = keyed(0.0, 2, 195);
    few.is(
        BottleneckKind::ConsumerWork,
        &["no more than 2 of 16 threads can work at once, one for each key"],
    );
    assert!(few.found().remedy.starts_with("More keys would help"));
    keyed(0.0, 1_000, 1_500).is(BottleneckKind::ConsumerWork, &["in work 94 % of their time"]);
    keyed(0.0, 1_000, 800).is(BottleneckKind::Unknown, &[]);
}

#[test]
fn more_members_are_no_advice_where_one_partition_has_nearly_all_records() {
    let mut made = Made::new(1, 2).working(WAIT, 97);
    made.measurement.members[0].partitions = vec![read(0, 72_000), read(1, 8_000)];
    made.is(BottleneckKind::ConsumerWork, &[]);
    let remedy = made.found().remedy;
    let gain = "more members would make it at most 1.11 times as fast, because partition 0 holds 90 % of the records";
    assert!(remedy.contains(gain) && !remedy.contains("More members"), "{remedy}");
    for member in &mut made.measurement.members {
        member.work_ns = None;
    }
    let reading = made.threads(&[thread("reader-0", 99, 0)]);
    reading.is(BottleneckKind::ReaderThread, &[]);
    let remedy = reading.found().remedy;
    assert!(
        remedy.contains("at most 1.11 times") && !remedy.contains("second consumer"),
        "{remedy}"
    );
}

#[test]
fn members_that_are_full_beside_others_that_are_not_are_skew_under_a_load() {
    // 8 members on 12 partitions under a load that gives each partition as much: four have two of them and are full.
    let mut made = Made::new(8, 12).working(WAIT, 100).load(true, true);
    for (index, member) in made.measurement.members.iter_mut().enumerate() {
        let number = i32::try_from(index).unwrap();
        let held = if index < 4 {
            vec![number, number + 8]
        } else {
            vec![number]
        };
        member.assigned = held.iter().map(|number| partition(*number)).collect();
        member.partitions = held.iter().map(|number| read(*number, 10_000)).collect();
        if index >= 4 {
            member.work_ns = Some(SECOND / 2);
        }
    }
    made.is(
        BottleneckKind::Skew,
        &["4 of 8 members were in work 100 % of their time, with up to 2 of 12 partitions each, the others 50 %"],
    );
    // Where all are nearly full, it is the work.
    for member in made.measurement.members.iter_mut().skip(4) {
        member.work_ns = Some(SECOND / 100 * 95);
    }
    made.is(BottleneckKind::ConsumerWork, &["in work 98 %"]);
}
