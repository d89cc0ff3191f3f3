#![allow(clippy::unwrap_used)]

use super::*;
use crate::measure::{
    Act, BrokerRole, BrokerRoles, LeaderSince, MembershipTimes, Participant, RoleSince, TopicPartition, Trial,
};
use crate::scenario::{GroupProtocol, Membership, parse};
use crate::testing::report::Fixture;

/// The measured trials of one configuration of the run in which a process is killed.
fn killed() -> Vec<Measurement> {
    let of_first = |trial: &&Trial| trial.order.configuration == 0 && trial.is_used();
    let fixture = Fixture::changes();
    let trials = fixture.trials.iter().filter(of_first);
    trials.filter_map(|trial| trial.measurement.clone()).collect()
}

fn summarised(trials: &[Measurement]) -> ChangesSummary {
    let fixture = Fixture::changes();
    let trials: Vec<&Measurement> = trials.iter().collect();
    ChangesSummary::of(&fixture.scenario.configurations[0], &trials).unwrap()
}

/// The same act on a broker by its role.
fn on_leader(act: &PlannedAct, broker: i32, number: u32) -> PlannedAct {
    PlannedAct {
        number: Some(ActNumber { event: number, step: 1 }),
        who: Participant::Broker(broker),
        role: Some(BrokerRole::LeaderOf(TopicPartition { topic: 0, partition: 0 })),
        ..*act
    }
}

#[test]
fn acts_are_the_same_by_their_number_whatever_their_order_in_a_trial() {
    let mut trials = killed();
    for (place, trial) in trials.iter_mut().enumerate() {
        let kill = trial.acts[0];
        let other = PlannedAct {
            number: Some(ActNumber { event: 2, step: 1 }),
            who: Participant::Load,
            act: Act::SetRate(200),
            // In every other trial it comes first.
            at_ns: if place % 2 == 0 {
                kill.at_ns + 500
            } else {
                kill.at_ns - 500
            },
            settled_ns: kill.at_ns,
            ..kill
        };
        trial.acts.push(other);
        trial.acts.sort_by_key(|act| act.at_ns);
    }
    let changes = summarised(&trials);
    let mut said: Vec<(&str, u32)> = changes.acts.iter().map(|act| (&*act.what, act.trials)).collect();
    said.sort_unstable();
    let all = u32::try_from(trials.len()).unwrap();
    assert_eq!(
        said,
        [("process 2 is killed", all), ("the load gets 200 records/s", all)]
    );
}

#[test]
fn brokers_that_differ_between_trials_are_named_by_their_role_and_counted_by_what_they_were() {
    let mut trials = killed();
    trials.truncate(4);
    for (trial, broker) in trials.iter_mut().zip([1, 2, 2, 3]) {
        trial.acts = vec![on_leader(&trial.acts[0], broker, 1)];
        let (at_ns, partition) = (0, TopicPartition { topic: 0, partition: 0 });
        trial.roles = Some(BrokerRoles {
            controllers: vec![RoleSince { at_ns, broker: Some(2) }],
            partitions: vec![LeaderSince {
                at_ns,
                partition,
                leader: Some(broker),
                epoch: 0,
                replicas: 2,
                in_sync: vec![broker, 4],
            }],
            ..BrokerRoles::default()
        });
    }
    let act = &summarised(&trials).acts[0];
    assert_eq!(act.what, "the leader of partition 0 is killed");
    let broker = act.broker.as_deref().unwrap();
    assert_eq!(broker, "the active controller in 2 of 4 trials, leader of 1 partition");
    trials.drain(..1);
    trials.truncate(2);
    let act = &summarised(&trials).acts[0];
    assert_eq!(act.what, "the leader of partition 0 (broker 2) is killed");
    assert_eq!(
        act.broker.as_deref(),
        Some("the active controller, leader of 1 partition")
    );
}

#[test]
fn a_part_names_the_setting_by_which_it_was_set() {
    let mut configuration = parse("s", "s", "question = '?'").unwrap().configurations.remove(0);
    configuration.membership = Membership::Group(GroupProtocol::Consumer { assignor: None });
    let times = MembershipTimes {
        session_ns: 6_000_000_000,
        heartbeat_ns: 500_000_000,
        broker_session_ns: Some(2_000_000_000),
    };
    let name = |configuration: &Configuration, kind| parts::setting(configuration, Some(times), kind).unwrap().name;
    assert_eq!(
        name(&configuration, PartKind::Detection),
        "group.consumer.session.timeout.ms"
    );
    configuration.session_timeout_ms = Some(6_000);
    assert_eq!(name(&configuration, PartKind::Detection), "consumer.session.timeout.ms");
    assert_eq!(
        name(&configuration, PartKind::Rejoin),
        "group.consumer.heartbeat.interval.ms"
    );
    let election = parts::setting(&configuration, Some(times), PartKind::Election).unwrap();
    assert_eq!(
        (&*election.name, election.ms),
        ("broker.session.timeout.ms", Some(2_000.0))
    );
    let unknown = MembershipTimes {
        broker_session_ns: None,
        ..times
    };
    assert_eq!(parts::setting(&configuration, Some(unknown), PartKind::Election), None);
}
