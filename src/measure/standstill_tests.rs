#![allow(clippy::unwrap_used)]

use super::super::judge::tests::quiet;
use super::super::{BrokerPause, ClientStatistics, PartitionMeasurement, ProducerMeasurement, StoreUse, Suspension};
use super::*;

const MS: u64 = 1_000_000;
const LIMIT_NS: u64 = 1_000 * MS;
const START_NS: u64 = 10_000 * MS;

/// A trial of ten seconds from 10 s, begun a second before.
fn trial() -> Measurement {
    Measurement {
        end_ns: START_NS + 10_000 * MS,
        ..quiet()
    }
}

fn at(from_ms: u64, until_ms: u64) -> Stretch {
    Stretch::new(START_NS + from_ms * MS, START_NS + until_ms * MS)
}

fn report(measurement: &Measurement) -> Option<String> {
    standstill(measurement, LIMIT_NS)
}

/// One partition with records in these milliseconds from the start on.
fn partition(with_records: impl IntoIterator<Item = u64>) -> PartitionMeasurement {
    let series = series(with_records.into_iter().map(|ms| (ms, 1)));
    PartitionMeasurement {
        records: series.counts.iter().sum(),
        series: Some(series),
        ..PartitionMeasurement::default()
    }
}

fn series(counts: impl Iterator<Item = (u64, u64)>) -> Series {
    let mut series = Series {
        bucket_ns: 10 * MS,
        counts: vec![0; 1_000],
    };
    counts.for_each(|(ms, count)| series.counts[usize::try_from(ms / 10).unwrap()] += count);
    series
}

/// A member that has read for all of the trial and waited once for so long.
fn waited(measurement: &mut Measurement, member: usize, wait: Stretch) {
    let member = &mut measurement.members[member];
    member.partitions = vec![partition((0..10_000).step_by(10))];
    member.client = Some(ClientStatistics::default());
    member.reading = Some(ReadingTime {
        readers: 1,
        longest_wait: Some(wait),
        ..ReadingTime::default()
    });
}

#[test]
fn every_process_at_once_is_reported_in_one_sentence_and_a_single_one_by_name() {
    let mut trial = trial();
    let pauses = &mut trial.interruptions;
    pauses.add_process("the coordinator", Some(&[at(3_000, 9_000)]));
    pauses.add_process("group 1, process 1", Some(&[at(3_040, 9_010)]));
    pauses.add_process("group 1, process 2", Some(&[at(3_010, 8_990)]));
    let all = "every process of the run stood still (stopped or frozen) for 6.0 s, 3.0 s after the start";
    assert_eq!(report(&trial).as_deref(), Some(all));
    trial.interruptions.processes.remove(0);
    let two = "group 1, process 1 stood still for 6.0 s, 3.0 s after the start; group 1, process 2 stood still for 6.0 s, \
               3.0 s after the start";
    assert_eq!(report(&trial).as_deref(), Some(two));
}

#[test]
fn a_suspended_machine_has_a_name_of_its_own() {
    let mut trial = trial();
    trial.interruptions.suspended.push(Suspension {
        at_ns: START_NS + 1_200 * MS,
        length_ns: 30_000 * MS,
    });
    let expected = "the machine was suspended for 30.0 s, 1.2 s after the start";
    assert_eq!(report(&trial).as_deref(), Some(expected));
}

#[test]
fn a_frozen_broker_is_named_once_and_not_those_who_waited_for_it() {
    let mut trial = trial();
    trial.interruptions.brokers.push(BrokerPause {
        broker: 2,
        pause: at(2_000, 7_000),
    });
    waited(&mut trial, 0, at(2_100, 7_300));
    let expected = "broker 2 stood still for 5.0 s, 2.0 s after the start";
    assert_eq!(report(&trial).as_deref(), Some(expected));
}

#[test]
fn a_standstill_before_the_start_counts_and_one_after_the_end_does_not() {
    let mut trial = trial();
    let pause = |from_ns, until_ns| BrokerPause {
        broker: 1,
        pause: Stretch::new(from_ns, until_ns),
    };
    trial.spawn_ns = START_NS - 5_000 * MS;
    trial.interruptions.brokers = vec![pause(START_NS - 4_000 * MS, START_NS - 2_000 * MS)];
    let expected = "broker 1 stood still for 2.0 s, 4.0 s before the start";
    assert_eq!(report(&trial).as_deref(), Some(expected));
    // Of this only half a second lies within the trial.
    trial.interruptions.brokers = vec![pause(trial.end_ns - 500 * MS, trial.end_ns + 4_000 * MS)];
    assert_eq!(report(&trial), None);
}

#[test]
fn a_member_that_waited_with_records_left_is_named_with_the_seconds() {
    let mut trial = trial();
    waited(&mut trial, 0, at(1_300, 3_300));
    let expected = "nothing arrived at group 1, process 1, consumer 1 for 2.0 s, 1.3 s after the start";
    assert_eq!(report(&trial).as_deref(), Some(expected));
    waited(&mut trial, 1, at(1_300, 3_400));
    let both = "nothing arrived at group 1, process 1, consumer 1 and at group 1, process 2, consumer 1 for 2.1 s, 1.3 s \
                after the start";
    assert_eq!(report(&trial).as_deref(), Some(both));
    waited(&mut trial, 0, at(1_300, 2_250));
    waited(&mut trial, 1, at(1_300, 2_250));
    assert_eq!(report(&trial), None);
}

#[test]
fn what_a_quota_or_the_client_s_settings_make_a_member_wait_is_no_standstill() {
    let mut trial = trial();
    waited(&mut trial, 0, at(1_300, 4_300));
    trial.members[0].client = Some(ClientStatistics {
        throttled_ns: 2_500 * MS,
        ..ClientStatistics::default()
    });
    assert_eq!(report(&trial), None);
    waited(&mut trial, 0, at(1_300, 4_300));
    trial.interruptions.fetch_pause_ns = 3_010 * MS;
    assert_eq!(report(&trial), None);
    // Where the client says nothing of quotas, waiting again and again for as long is the quota's.
    trial.interruptions.fetch_pause_ns = 0;
    trial.members[0].client = None;
    trial.members[0].partitions = vec![partition([0, 3_000, 6_000, 9_000])];
    assert_eq!(report(&trial), None);
    trial.members[0].partitions = vec![partition((0..1_300).chain(4_300..9_000).step_by(10))];
    assert!(report(&trial).is_some());
}

#[test]
fn a_worker_that_says_nothing_of_its_waiting_is_judged_by_its_own_pace() {
    let mut trial = trial();
    // Work of a second for each record is slow, and steady.
    trial.members[0].partitions = vec![partition((0..10_000).step_by(1_000))];
    assert_eq!(report(&trial), None);
    // Batches of 400 ms, one of which does not come for 2.5 s.
    let batches = (0..4_000).chain(6_500..10_000).step_by(400);
    trial.members[0].partitions = vec![partition(batches)];
    assert!(
        report(&trial)
            .unwrap()
            .starts_with("nothing arrived at group 1, process 1, consumer 1 for 2.")
    );
    // Saying how long it waited in all does not say how long at once.
    trial.members[0].reading = Some(ReadingTime {
        readers: 1,
        waiting_ns: 5_000 * MS,
        ..ReadingTime::default()
    });
    assert!(report(&trial).is_some());
    // Another partition of the member has records meanwhile.
    let others = partition((0..10_000).step_by(300));
    trial.members[0].partitions.push(others);
    assert_eq!(report(&trial), None);
}

/// A live trial whose producer sends in these milliseconds and whose only member finishes in those.
fn live(sent: impl Iterator<Item = u64>, finished: impl Iterator<Item = u64>) -> Measurement {
    let mut trial = trial();
    trial.members.truncate(1);
    trial.members[0].partitions = vec![partition(finished)];
    trial.load = Some(LoadMeasurement {
        start_ns: START_NS,
        producers: vec![ProducerMeasurement {
            series: series(sent.map(|ms| (ms, 1))),
            ..ProducerMeasurement::default()
        }],
        ..LoadMeasurement::default()
    });
    trial
}

#[test]
fn a_load_that_pauses_by_its_profile_is_no_standstill_and_one_that_waits_is() {
    let pausing = || (0..2_000).chain(5_000..9_000).step_by(20);
    assert_eq!(report(&live(pausing(), pausing())), None);
    let steady = (0..9_000).step_by(20);
    let expected = "nothing arrived at any member of group 1 for 3.0 s, 2.0 s after the start";
    assert_eq!(report(&live(steady, pausing())).as_deref(), Some(expected));
}

#[test]
fn a_gap_of_a_member_whose_store_was_away_says_nothing_of_what_arrived() {
    let away = || (0..2_000).chain(5_000..9_000).step_by(20);
    let mut backlog = trial();
    backlog.members[0].partitions = vec![partition(away())];
    for mut trial in [backlog, live((0..9_000).step_by(20), away())] {
        assert!(report(&trial).is_some());
        let store = StoreUse {
            transactions: 300,
            rows: 300,
            retries: 0,
        };
        trial.members[0].store = Some(store);
        assert!(report(&trial).is_some());
        trial.members[0].store = Some(StoreUse { retries: 1, ..store });
        assert_eq!(report(&trial), None);
    }
}

#[test]
fn a_load_of_which_nothing_arrives_at_first_stands_still() {
    let from_the_third = (3_000..9_000).step_by(20);
    let expected = "nothing arrived at any member of group 1 for 3.0 s, at the start";
    assert_eq!(
        report(&live((0..9_000).step_by(20), from_the_third.clone())).as_deref(),
        Some(expected)
    );
    assert_eq!(report(&live(from_the_third.clone(), from_the_third)), None);
}

#[test]
fn brokers_that_go_and_come_are_named_one_by_one() {
    let change = |broker, at_ms: u64, came| BrokerChange {
        broker,
        address: format!("b:{broker}"),
        at_ns: START_NS + at_ms * MS,
        came,
    };
    let changes_of = |changes: Vec<BrokerChange>| {
        let interruptions = Interruptions {
            changes,
            ..Interruptions::default()
        };
        broker_changes(&interruptions, START_NS, START_NS + 9_000 * MS)
    };
    assert_eq!(changes_of(Vec::new()), None);
    assert_eq!(
        changes_of(vec![
            change(2, 3_100, false),
            change(3, 4_000, true),
            change(2, 7_200, true)
        ])
        .as_deref(),
        Some(
            "broker 2 (b:2) went away 3.1 s after the start and was back 4.1 s later; broker 3 (b:3) came 4.0 s after the \
             start"
        )
    );
    assert_eq!(
        changes_of(vec![change(1, 1_000, false)]).as_deref(),
        Some("broker 1 (b:1) went away 1.0 s after the start and did not come back")
    );
    // After the last record it is no matter of this trial.
    assert_eq!(changes_of(vec![change(1, 9_100, false)]), None);
}
