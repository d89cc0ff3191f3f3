//! Gaps because of brokers that are away.

use super::*;
use crate::measure::{BrokerRoles, DeliveryDelay, LeaderSince, ProducerMeasurement};

#[test]
fn a_partition_waits_for_the_copy_on_a_dead_broker_as_long_as_that_is_in_sync() {
    let mut trial = Invented::new().act(Participant::Broker(2), Act::Kill, 1_000);
    let since = |ms: u64, number, leader, epoch, in_sync: &[i32]| LeaderSince {
        at_ns: at(ms),
        partition: partition(number),
        leader: Some(leader),
        epoch,
        replicas: 2,
        in_sync: in_sync.to_vec(),
    };
    let mut roles = BrokerRoles::default();
    for known in [
        since(0, 0, 2, 1, &[1, 2]),
        since(0, 1, 1, 1, &[1, 2]),
        since(0, 2, 1, 1, &[1, 3]),
        since(9_400, 0, 1, 2, &[1]),
        since(9_500, 1, 1, 1, &[1]),
    ] {
        roles.note_leader(known);
    }
    trial.0.roles = Some(roles);
    trial.0.load = Some(LoadMeasurement::default());
    for number in 0..3 {
        trial = trial.rebalance(0, RebalanceKind::Assigned, 0, &[number]).reads(
            0,
            number,
            (1, [0, 100]),
            &[[10, 1_000], [10_000, 12_000]],
        );
    }
    let episodes = trial.episodes();
    let parts = |number| in_ms(gap_of(&episodes[0], number));
    assert_eq!(parts(0), [(PartKind::Election, 8_400), (FirstRecord, 600)]);
    assert_eq!(parts(1), [(PartKind::Replication, 8_500), (FirstRecord, 500)]);
    // No copy of it was there.
    assert_eq!(parts(2), [(Unexplained, 9_000)]);
    // What is read lay there before.
    trial.0.load = None;
    assert_eq!(in_ms(gap_of(&trial.episodes()[0], 1)), [(Unexplained, 9_000)]);
}

#[test]
fn what_was_fetched_from_the_old_leader_may_be_read_before_the_new_one_is_followed() {
    let parts = |elected_ms: u64| {
        let mut trial = Invented::new()
            .act(Participant::Broker(2), Act::Kill, 1_000)
            .rebalance(0, RebalanceKind::Assigned, 0, &[0])
            .reads(0, 0, (1, [0, 900]), &[[0, 990], [3_500, 3_510], [4_500, 12_000]]);
        let mut roles = BrokerRoles::default();
        for (ms, leader, epoch) in [(0, 2, 1), (elected_ms, 1, 2)] {
            roles.note_leader(LeaderSince {
                at_ns: at(ms),
                partition: partition(0),
                leader: Some(leader),
                epoch,
                replicas: 2,
                in_sync: vec![leader],
            });
        }
        trial.0.roles = Some(roles);
        let episodes = trial.episodes();
        in_ms(episodes[0].gaps.last().unwrap())
    };
    assert_eq!(parts(3_000), [(FirstRecord, 990)]);
    assert_eq!(parts(2_000), [(Unexplained, 990)]);
}

#[test]
fn where_the_lag_could_not_be_asked_for_either_brokers_or_the_machine_stood_still() {
    let mut trial = Invented::new()
        .act(process(2), Act::Start, 1_000)
        .rebalance(0, RebalanceKind::Assigned, 0, &[0])
        .reads(0, 0, (1, [0, 1_150]), &[[0, 7_020], [7_250, 12_000]]);
    let times = (0..120)
        .map(|number| number * 100)
        .filter(|ms| ![7_100, 7_200].contains(ms));
    trial.0.load = Some(LoadMeasurement {
        lag: LagSeries {
            at_ns: times.map(at).collect(),
            partitions: Vec::new(),
        },
        ..LoadMeasurement::default()
    });
    let episodes = trial.episodes();
    assert_eq!(in_ms(gap_of(&episodes[0], 0)), [(PartKind::Standstill, 230)]);
}

#[test]
fn what_waits_for_the_answer_to_a_commit_is_no_unexplained_part() {
    let mut trial = Invented::new()
        .act(Participant::Broker(2), Act::Kill, 1_000)
        .rebalance(0, RebalanceKind::Assigned, 0, &[0])
        .reads(0, 0, (1, [0, 100]), &[[10, 1_000], [10_000, 12_000]]);
    trial.0.members[0].slow_commits = vec![
        Stretch::new(at(500), at(600)),
        Stretch::new(at(1_100), at(9_000)),
        Stretch::new(at(9_500), at(9_800)),
    ];
    let episodes = trial.episodes();
    let expected = [
        (Unexplained, 100),
        (PartKind::Commit, 7_900),
        (FirstRecord, 500),
        (PartKind::Commit, 300),
        (FirstRecord, 200),
    ];
    assert_eq!(in_ms(gap_of(&episodes[0], 0)), expected);
}

#[test]
fn a_short_commit_explains_no_long_time_after_it() {
    let mut trial = Invented::new()
        .act(Participant::Broker(2), Act::Kill, 1_000)
        .rebalance(0, RebalanceKind::Assigned, 0, &[0])
        .reads(0, 0, (1, [0, 100]), &[[10, 1_000], [10_000, 12_000]]);
    trial.0.members[0].slow_commits = vec![Stretch::new(at(1_100), at(1_160))];
    let parts = in_ms(gap_of(&trial.episodes()[0], 0));
    assert_eq!(
        parts,
        [(Unexplained, 100), (PartKind::Commit, 60), (Unexplained, 8_840)]
    );
}

#[test]
fn where_nothing_that_was_sent_is_acknowledged_there_is_nothing_to_read() {
    let mut trial = Invented::new()
        .act(Participant::Broker(2), Act::Kill, 1_000)
        .rebalance(0, RebalanceKind::Assigned, 0, &[0, 1])
        .reads(0, 0, (1, [0, 100]), &[[10, 1_000], [10_000, 12_000]])
        .reads(0, 1, (1, [0, 100]), &[[10, 1_000], [10_000, 12_000]]);
    let delay = DeliveryDelay {
        partition: partition(0),
        delay: Stretch::new(at(1_005), at(9_990)),
    };
    let delays = vec![delay];
    trial.0.load = Some(LoadMeasurement {
        producers: vec![ProducerMeasurement {
            delays,
            ..ProducerMeasurement::default()
        }],
        ..LoadMeasurement::default()
    });
    let episodes = trial.episodes();
    let parts = |number| in_ms(gap_of(&episodes[0], number));
    assert_eq!(
        parts(0),
        [(Unexplained, 5), (PartKind::Unwritten, 8_985), (FirstRecord, 10)]
    );
    assert_eq!(parts(1), [(Unexplained, 9_000)]);
}
