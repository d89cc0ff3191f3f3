//! Faults that a script plans: brokers that are chosen by what they are, a store that goes away, and a load that changes. What
//! they cause is no failure, and who was what is recorded.

use std::time::Duration;

use tandem::measure::{Act, BrokerRole, BrokerRoles, GroupState, Measurement, Participant, TopicPartition};
use tandem::trial::{ActorId, StepTarget, When};

use crate::planned_acts::{cluster, complete, read_once, run, step};

const SECOND: Duration = Duration::from_secs(1);
const SECOND_NS: u64 = 1_000_000_000;

/// Some ten seconds of reading on three brokers.
const ON_BROKERS: &str = "repetitions = 1\n[cluster]\nbrokers = 3\n[dataset]\npartitions = 4\nrecords = 20_000\nsize = 100\n\
                          replication = 2\n[trial]\nrecords = 20_000\n\
                          [consumer]\nprocesses = 2\nwork = 'wait 1ms'\ncommit = 'per-batch'\n";

const PARTITION: TopicPartition = TopicPartition { topic: 0, partition: 0 };

fn roles(measurement: &Measurement) -> &BrokerRoles {
    measurement.roles.as_ref().unwrap()
}

/// A trial in which the broker of a role is killed after a second of reading, and started three seconds later.
fn with_killed(name: &str, role: BrokerRole) -> Measurement {
    let run_id = format!("planned-{name}{}", std::process::id());
    let steps = vec![
        step(When::At(SECOND), StepTarget::Role(role), Act::Kill),
        step(When::AfterStep(3 * SECOND), StepTarget::AsBefore, Act::Start),
    ];
    let trials = run(ON_BROKERS, &run_id, steps);
    let measurement = complete(&trials[0]).clone();
    assert_eq!(read_once(&measurement), measurement.records_expected);
    let roles_of_acts: Vec<_> = measurement.acts.iter().map(|act| act.role).collect();
    assert_eq!(roles_of_acts, [Some(role); 2]);
    assert_eq!(measurement.acts[0].who, measurement.acts[1].who);
    measurement
}

/// The broker that was killed, and when.
fn killed(measurement: &Measurement) -> (i32, u64) {
    let act = measurement.acts[0];
    let Participant::Broker(broker) = act.who else {
        panic!("{act:?}");
    };
    (broker, act.at_ns)
}

#[test]
fn the_leader_of_a_partition_is_killed_and_when_another_one_was_elected_is_recorded() {
    let measurement = with_killed("leader", BrokerRole::LeaderOf(PARTITION));
    let (broker, at_ns) = killed(&measurement);
    let roles = roles(&measurement);
    assert_eq!(roles.leader_at(PARTITION, at_ns), Some(broker), "{roles:#?}");
    let elected_ns = roles.elected_ns(PARTITION, at_ns).unwrap() - at_ns;
    // The broker's session is nine seconds by default, and less where the broker was started again before.
    assert!(elected_ns < 15 * SECOND_NS, "{elected_ns}");
    assert!(roles.controller_at(at_ns).is_some());
    let members = measurement
        .group_looks
        .iter()
        .map(|look| (look.state, look.members.len()));
    assert!(
        members.clone().any(|look| look == (GroupState::Stable, 2)),
        "{:?}",
        measurement.group_looks
    );
}

#[test]
#[ignore = "scripts/test --all; the_leader_of_a_partition_is_killed_and_when_another_one_was_elected_is_recorded is as long"]
fn the_active_controller_is_killed_and_the_next_one_is_recorded() {
    let measurement = with_killed("controller", BrokerRole::Controller);
    let (broker, at_ns) = killed(&measurement);
    let roles = roles(&measurement);
    assert_eq!(roles.controller_at(at_ns), Some(broker), "{roles:#?}");
    let after = roles.controllers.iter().filter(|since| since.at_ns > at_ns);
    let next = after.filter_map(|since| since.broker).next();
    assert!(next.is_some_and(|next| next != broker), "{roles:#?}");
}

#[test]
#[ignore = "scripts/test --all; the_leader_of_a_partition_is_killed_and_when_another_one_was_elected_is_recorded is as long"]
fn the_coordinator_of_a_group_is_killed_and_the_next_one_is_recorded() {
    let measurement = with_killed("coordinator", BrokerRole::CoordinatorOf(0));
    let (broker, at_ns) = killed(&measurement);
    let coordinators = &roles(&measurement).coordinators;
    let before = coordinators.iter().filter(|since| since.at_ns <= at_ns).next_back();
    assert_eq!(before.and_then(|since| since.broker), Some(broker), "{coordinators:?}");
    let after = coordinators.iter().filter(|since| since.at_ns > at_ns);
    let next = after.filter_map(|since| since.broker).next();
    assert!(next.is_some_and(|next| next != broker), "{coordinators:?}");
}

#[test]
fn a_store_that_is_stopped_for_two_seconds_costs_no_row_and_is_no_failure() {
    let run_id = format!("planned-outage{}", std::process::id());
    let tables = "[dataset]\npartitions = 4\nsize = 100\n[store]\nkind = 'postgres'\nwrite = 'upsert'\non_error = 'retry'\n\
                  [consumer]\nprocesses = 2\nwork = 'store'\ncommit = 'per-batch'\n\
                  [load]\nrate = 200\nduration = 5\nwarmup = 1\n";
    let steps = vec![
        step(When::At(2 * SECOND), ActorId::Store, Act::Leave),
        step(When::AfterStep(2 * SECOND), ActorId::Store, Act::Start),
    ];
    let trials = run(&(cluster("planned-outage-") + tables), &run_id, steps);
    let measurement = complete(&trials[0]);
    assert_eq!(measurement.acts.len(), 2);
    assert!(measurement.acts.iter().all(|act| act.who == Participant::Store));
    let account = measurement.store.as_ref().unwrap().account.unwrap();
    assert_eq!((account.stored, account.lost), (measurement.records_expected, 0));
    let retries: u64 = measurement
        .members
        .iter()
        .filter_map(|member| Some(member.store?.retries))
        .sum();
    assert!(retries > 0, "nobody missed it");
    assert!(trials[0].flags.is_empty(), "{:?}", trials[0].flags);
}

#[test]
#[ignore = "scripts/test --all; a_rate_that_is_changed_holds_from_there_on_and_what_was_due_before_stays checks the schedule"]
fn a_load_that_is_changed_sends_its_new_rate_from_then_on() {
    let run_id = format!("planned-rate{}", std::process::id());
    let tables = "[dataset]\npartitions = 4\nsize = 100\n[consumer]\nprocesses = 1\n\
                  [load]\nrate = 200\nduration = 5\nwarmup = 1\n";
    let steps = vec![step(When::At(3 * SECOND), ActorId::Load, Act::SetRate(1_000))];
    let trials = run(&(cluster("planned-rate-") + tables), &run_id, steps);
    let measurement = complete(&trials[0]);
    assert_eq!(measurement.acts[0].act, Act::SetRate(1_000));
    // Six seconds of load, the rate changing after some two and a half of them.
    assert!(
        (3_800..=4_500).contains(&measurement.records()),
        "{}",
        measurement.records()
    );
}
