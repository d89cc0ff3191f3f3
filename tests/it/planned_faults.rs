//! Faults that a script plans: brokers that are chosen by what they are, a store that goes away, and a load that changes. What
//! they cause is no failure, and who was what is recorded.

use tandem::measure::{Act, BrokerRole, BrokerRoles, FlagKind, GroupState, Measurement, Participant, TopicPartition};

use crate::planned_acts::{complete, read_once, run, run_in};
use crate::scene::Scene;

const SECOND_NS: u64 = 1_000_000_000;

/// Some ten seconds of reading on three brokers.
const ON_BROKERS: &str = "[cluster]\nbrokers = 3\n[dataset]\npartitions = 4\nrecords = 20_000\nsize = 100\n\
                          replication = 2\n[trial]\nrecords = 20_000\n\
                          [consumer]\nprocesses = 2\nwork = 'wait 1ms'\ncommit = 'per-batch'\n";

const PARTITION: TopicPartition = TopicPartition { topic: 0, partition: 0 };

fn roles(measurement: &Measurement) -> &BrokerRoles {
    measurement.roles.as_ref().unwrap()
}

/// A trial in which the broker of a role is killed after a second of reading, and started three seconds later.
fn with_killed(what: &str, role: BrokerRole) -> Measurement {
    let event = format!("[[event]]\nat = '1s'\ndo = 'restart'\nhow = 'kill'\nfor = '3s'\nwhat = '{what}'\n");
    let trials = run_in(&Scene::new(), &(ON_BROKERS.to_owned() + &event));
    let measurement = complete(&trials[0]).clone();
    assert_eq!(read_once(&measurement), measurement.records_expected);
    let roles_of_acts: Vec<_> = measurement.acts.iter().map(|act| act.role).collect();
    assert_eq!(roles_of_acts, [Some(role); 2]);
    assert_eq!(measurement.acts[0].who, measurement.acts[1].who);
    let (broker, at_ns) = killed(&measurement);
    let elected_ns = roles(&measurement).elected_ns(PARTITION, at_ns);
    eprintln!(
        "broker {broker} killed, controller was {:?}, partition 0 was led by another one after {:?} ns",
        roles(&measurement).controller_at(at_ns),
        elected_ns.map(|elected_ns| elected_ns - at_ns)
    );
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
    let measurement = with_killed("leader of 0", BrokerRole::LeaderOf(PARTITION));
    let (broker, at_ns) = killed(&measurement);
    let roles = roles(&measurement);
    assert_eq!(roles.leader_at(PARTITION, at_ns), Some(broker), "{roles:#?}");
    let elected_ns = roles.elected_ns(PARTITION, at_ns).unwrap() - at_ns;
    // The session of a broker is nine seconds by default.
    assert!((5 * SECOND_NS..15 * SECOND_NS).contains(&elected_ns), "{elected_ns}");
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
#[ignore = "scripts/test --all; the standard tier kills a leader: the_leader_of_a_partition_is_killed_..."]
fn a_leader_that_is_stopped_in_order_hands_over_at_once_and_a_load_sees_no_long_delay() {
    let run_id = format!("planned-handover{}", std::process::id());
    let tables = "repetitions = 1\n[cluster]\nbrokers = 3\n[dataset]\npartitions = 4\nsize = 100\nreplication = 2\n\
                  [consumer]\nprocesses = 2\ncommit = 'per-batch'\n[load]\nrate = 400\nduration = 8\nwarmup = 1\n";
    let steps = vec![
        step(
            When::At(3 * SECOND),
            StepTarget::Role(BrokerRole::LeaderOf(PARTITION)),
            Act::Leave,
        ),
        step(When::AfterStep(SECOND), StepTarget::AsBefore, Act::Start),
    ];
    let trials = run(tables, &run_id, steps);
    let measurement = complete(&trials[0]);
    let (broker, at_ns) = killed(measurement);
    let elected_ns = roles(measurement).elected_ns(PARTITION, at_ns).unwrap() - at_ns;
    let delays: Vec<_> = measurement
        .load
        .iter()
        .flat_map(|load| &load.producers)
        .flat_map(|producer| &producer.delays)
        .collect();
    eprintln!("broker {broker} handed over after {elected_ns} ns; delays: {delays:?}");
    assert!(elected_ns < 2 * SECOND_NS, "{elected_ns}");
}

#[test]
#[ignore = "scripts/test --all; the standard tier kills a leader: the_leader_of_a_partition_is_killed_..."]
fn a_load_through_the_death_of_a_leader_waits_for_the_next_one_and_loses_nothing() {
    let run_id = format!("planned-writes{}", std::process::id());
    let tables = "repetitions = 1\n[cluster]\nbrokers = 3\n[dataset]\npartitions = 4\nsize = 100\nreplication = 2\n\
                  [consumer]\nprocesses = 2\ncommit = 'per-batch'\n[load]\nrate = 400\nduration = 20\nwarmup = 1\n";
    let leader = StepTarget::Role(BrokerRole::LeaderOf(PARTITION));
    let trials = run(tables, &run_id, vec![step(When::At(3 * SECOND), leader, Act::Kill)]);
    let measurement = complete(&trials[0]);
    let (_, at_ns) = killed(measurement);
    let elected_ns = roles(measurement).elected_ns(PARTITION, at_ns).unwrap();
    let load = measurement.load.as_ref().unwrap();
    assert_eq!((load.failed, load.unread), (0, 0));
    let mut delays = load.producers.iter().flat_map(|producer| &producer.delays);
    let delay = delays.find(|delay| delay.partition == PARTITION).unwrap().delay;
    eprintln!("killed at {at_ns}, elected at {elected_ns}, {delay:?}");
    assert!(
        delay.from_ns < at_ns + SECOND_NS && delay.until_ns > elected_ns.saturating_sub(SECOND_NS),
        "{delay:?}"
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
    let measurement = with_killed("coordinator of group 1", BrokerRole::CoordinatorOf(0));
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
    let tables = "[dataset]\npartitions = 4\nsize = 100\n[store]\nkind = 'postgres'\nwrite = 'upsert'\non_error = 'retry'\n\
                  [consumer]\nprocesses = 2\nwork = 'store'\ncommit = 'per-batch'\n\
                  [load]\nrate = 200\nduration = 5\nwarmup = 1\n\
                  [[event]]\nat = '2s'\ndo = 'restart'\nfor = '2s'\nwhat = 'store'\n";
    let trials = run("planned-outage-", tables);
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
    let is_flagged = trials[0].flags.iter().any(|flag| flag.kind == FlagKind::StoreRetried);
    assert!(!is_flagged, "what was planned: {:?}", trials[0].flags);
}

#[test]
#[ignore = "scripts/test --all; a_rate_that_is_changed_holds_from_there_on_and_what_was_due_before_stays checks the schedule"]
fn a_load_that_is_changed_sends_its_new_rate_from_then_on() {
    let tables = "[dataset]\npartitions = 4\nsize = 100\n[consumer]\nprocesses = 1\n\
                  [load]\nrate = 200\nduration = 5\nwarmup = 1\n\
                  [[event]]\nat = '3s'\nrate = 1_000\n";
    let trials = run("planned-rate-", tables);
    let measurement = complete(&trials[0]);
    assert_eq!(measurement.acts[0].act, Act::SetRate(1_000));
    // Six seconds of load, the rate changing after some two and a half of them.
    assert!(
        (3_800..=4_500).contains(&measurement.records()),
        "{}",
        measurement.records()
    );
}
