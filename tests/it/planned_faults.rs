//! Faults that a script plans: brokers that are chosen by what they are, a store that goes away, and a load that changes. What
//! they cause is no failure, and who was what is recorded.

use tandem::measure::changes::{episodes, response_through};
use tandem::measure::latency::LatencyRecorder;
use tandem::measure::{
    Act, ActNumber, BrokerRole, BrokerRoles, FailureKind, FlagKind, GroupState, Measurement, Participant, Status,
    Stretch, TopicPartition,
};

use crate::planned_acts::{complete, read_once, run, run_in};
use crate::scene::Scene;

const SECOND_NS: u64 = 1_000_000_000;

/// Some six seconds of reading on three brokers.
const ON_BROKERS: &str = "[cluster]\nbrokers = 3\n[dataset]\npartitions = 4\nrecords = 12_000\nsize = 100\n\
                          replication = 2\n[trial]\nrecords = 12_000\n\
                          [consumer]\nprocesses = 2\nwork = 'wait 1ms'\ncommit = 'per-batch'\n";

const PARTITION: TopicPartition = TopicPartition { topic: 0, partition: 0 };

fn roles(measurement: &Measurement) -> &BrokerRoles {
    measurement.roles.as_ref().unwrap()
}

/// A trial in which the broker of a role is killed after a second of reading, and started three seconds later.
fn with_killed(what: &str, role: BrokerRole, settings: &str) -> Measurement {
    let event = format!("[[event]]\nat = '1s'\ndo = 'restart'\nhow = 'kill'\nfor = '3s'\nwhat = '{what}'\n");
    let trials = run_in(&Scene::new(), &(ON_BROKERS.to_owned() + settings + &event));
    let measurement = complete(&trials[0]).clone();
    assert_eq!(read_once(&measurement), measurement.records_expected);
    let roles_of_acts: Vec<_> = measurement.acts.iter().map(|act| act.role).collect();
    assert_eq!(roles_of_acts, [Some(role); 2]);
    assert_eq!(measurement.acts[0].who, measurement.acts[1].who);
    let numbers = measurement.acts.iter().map(|act| act.number);
    let steps = [1, 2].map(|step| Some(ActNumber { event: 1, step }));
    assert!(numbers.eq(steps), "{:?}", measurement.acts);
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
    let quick = "[cluster.broker]\n'broker.session.timeout.ms' = 2000\n'broker.heartbeat.interval.ms' = 500\n";
    let measurement = with_killed("leader of 0", BrokerRole::LeaderOf(PARTITION), quick);
    let (broker, at_ns) = killed(&measurement);
    let roles = roles(&measurement);
    assert_eq!(roles.leader_at(PARTITION, at_ns), Some(broker), "{roles:#?}");
    let elected_ns = roles.elected_ns(PARTITION, at_ns).unwrap() - at_ns;
    // Its session of two seconds, and longer on a busy machine, or if it was the active controller too.
    assert!((SECOND_NS..10 * SECOND_NS).contains(&elected_ns), "{elected_ns}");
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

/// A load through an event on the leader of partition 0, on three brokers.
fn loaded(seconds: u32, event: &str) -> Measurement {
    let tables = format!(
        "[cluster]\nbrokers = 3\n[dataset]\npartitions = 4\nsize = 100\nreplication = 2\n\
         [consumer]\nprocesses = 2\ncommit = 'per-batch'\n[load]\nrate = 400\nduration = {seconds}\nwarmup = 1\n\
         [[event]]\nat = '3s'\n{event}\nwhat = 'leader of 0'\n"
    );
    let trials = run_in(&Scene::new(), &tables);
    complete(&trials[0]).clone()
}

/// Where partition 0 kept the producer waiting.
fn delays(measurement: &Measurement) -> Vec<Stretch> {
    let producers = measurement.load.iter().flat_map(|load| &load.producers);
    let delays = producers.flat_map(|producer| &producer.delays);
    let of_partition = delays.filter(|delay| delay.partition == PARTITION);
    of_partition.map(|delay| delay.delay).collect()
}

#[test]
#[ignore = "scripts/test --all; the standard tier kills a leader: the_leader_of_a_partition_is_killed_..."]
fn a_leader_that_is_stopped_in_order_hands_over_at_once() {
    let measurement = loaded(8, "do = 'restart'\nfor = '1s'");
    let (broker, at_ns) = killed(&measurement);
    let elected_ns = roles(&measurement).elected_ns(PARTITION, at_ns).unwrap() - at_ns;
    eprintln!(
        "broker {broker} handed over after {elected_ns} ns; {:?}",
        delays(&measurement)
    );
    assert!(elected_ns < 2 * SECOND_NS, "{elected_ns}");
}

#[test]
#[ignore = "scripts/test --all; the standard tier kills a leader: the_leader_of_a_partition_is_killed_..."]
fn a_load_through_the_death_of_a_leader_waits_for_the_next_one_and_loses_nothing() {
    let measurement = loaded(20, "do = 'kill'");
    let (_, at_ns) = killed(&measurement);
    let elected_ns = roles(&measurement).elected_ns(PARTITION, at_ns).unwrap();
    let load = measurement.load.as_ref().unwrap();
    assert_eq!((load.failed, load.unread), (0, 0));
    let delays = delays(&measurement);
    eprintln!("killed at {at_ns}, elected at {elected_ns}, {delays:?}");
    let through = |delay: &Stretch| delay.from_ns < at_ns + SECOND_NS && delay.until_ns > elected_ns - SECOND_NS;
    assert!(delays.iter().any(through), "{delays:?}");
    let episodes = episodes(&measurement);
    let longest_ns = delays.iter().map(Stretch::length_ns).max().unwrap();
    assert!(episodes[0].unwritten_ns() >= longest_ns, "{episodes:#?}");
    let response = response_through(&measurement, &episodes).unwrap();
    let p99_ns = |recorder: &LatencyRecorder| recorder.percentile_ns(0.99).unwrap();
    let (disturbed_ns, quiet_ns) = (p99_ns(&response.disturbed), p99_ns(&response.quiet));
    eprintln!("p99 {disturbed_ns} ns in disturbed seconds, {quiet_ns} ns in the others");
    assert!(
        disturbed_ns > SECOND_NS && disturbed_ns > quiet_ns,
        "{disturbed_ns} {quiet_ns}"
    );
}

/// Numbers that follow from a seed (Knuth's MMIX generator; its high bits are the better ones).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

/// One event on a broker and one or two on processes, at any time of the first three seconds.
fn schedule(chance: &mut Chance) -> String {
    let mut events = String::new();
    let mut add = |chance: &mut Chance, what: &str, act: &str| {
        let at_ms = 300 + chance.below(2_700);
        let event = format!("[[case.event]]\nat = '{at_ms}ms'\nwhat = '{what}'\n{act}\n");
        events.push_str(&event);
    };
    let roles = [
        "broker 1",
        "broker 2",
        "broker 3",
        "leader of 0",
        "leader of 3",
        "controller",
        "coordinator of group 1",
    ];
    let away = [
        "do = 'restart'\nfor = '500ms'",
        "do = 'restart'\nhow = 'kill'\nfor = '2s'",
        "do = 'pause'\nfor = '1s'",
    ];
    let (what, act) = (chance.of(&roles), chance.of(&away));
    add(chance, what, act);
    for process in ["process 2", "process 3"] {
        let act = chance.of(&[
            "",
            "do = 'kill'",
            "do = 'leave'",
            "do = 'start'",
            "do = 'pause'\nfor = '700ms'",
            "do = 'restart'\nfor = '300ms'",
            "do = 'restart'\nhow = 'kill'\nfor = '1s'",
        ]);
        if !act.is_empty() {
            add(chance, process, act);
        }
    }
    events
}

#[test]
#[ignore = "scripts/test --all; simulated_trials_keep_every_invariant has schedules by the thousand"]
fn thirty_random_schedules_on_three_brokers_end_with_a_result_or_a_named_failure() {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let seed: u64 = number("TANDEM_SEED").unwrap_or(std::process::id().into());
    let mut chance = Chance(seed);
    let asked: u64 = number("TANDEM_TRIALS").unwrap_or(30);
    let cases = (1..=asked).map(|number| {
        let protocol = chance.of(&["classic", "consumer"]);
        format!(
            "[[case]]\nname = 's{number}'\nprotocol = '{protocol}'\n{}",
            schedule(&mut chance)
        )
    });
    let tables = format!(
        "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[cluster]\nbrokers = 3\n[cluster.broker]\n\
         'broker.session.timeout.ms' = 2000\n'broker.heartbeat.interval.ms' = 500\n\
         [dataset]\npartitions = 4\nrecords = 9_000\nsize = 100\nreplication = 3\n[trial]\nrecords = 9_000\n\
         [consumer]\nprocesses = 3\nwork = 'wait 1ms'\ncommit = 'per-batch'\nsession_timeout = '6s'\nheartbeat = '1s'\n{}",
        cases.collect::<String>()
    );
    let scene = Scene::new();
    scene.scenario(tables);
    let mut run = scene.spawn_run(&[]);
    for number in 1..=asked {
        run.wait_for(&format!("[{number}/"));
    }
    let ended = run.end();
    scene.assert_no_processes();
    let trials = scene.trials();
    let count = |is: fn(&Status) -> bool| trials.iter().filter(|trial| is(&trial.status)).count();
    eprintln!(
        "seed {seed}: {} complete, {} excluded, {} failed; exit code {:?}",
        count(|status| matches!(status, Status::Complete)),
        count(|status| matches!(status, Status::Excluded { .. })),
        count(|status| matches!(status, Status::Failed(_))),
        ended.code
    );
    for trial in &trials {
        if let Status::Failed(failure) = &trial.status {
            eprintln!("{}: {failure:?}", trial.configuration_name);
            assert!(!failure.message.is_empty());
            let is_known = matches!(
                failure.kind,
                FailureKind::NotAsPlanned
                    | FailureKind::Stall
                    | FailureKind::Timeout
                    | FailureKind::BrokerLost
                    | FailureKind::Connect
            );
            assert!(is_known, "seed {seed}, {}: {failure:?}", trial.configuration_name);
        }
    }
    assert_eq!(trials.len() as u64, asked, "seed {seed}");
}

#[test]
#[ignore = "scripts/test --all; the_leader_of_a_partition_is_killed_and_when_another_one_was_elected_is_recorded is as long"]
fn the_active_controller_is_killed_and_the_next_one_is_recorded() {
    let measurement = with_killed("controller", BrokerRole::Controller, "");
    let (broker, at_ns) = killed(&measurement);
    let roles = roles(&measurement);
    assert_eq!(roles.controller_at(at_ns), Some(broker), "{roles:#?}");
    let mut after = roles.controllers.iter().filter(|since| since.at_ns > at_ns);
    let next = after.find_map(|since| since.broker);
    assert!(next.is_some_and(|next| next != broker), "{roles:#?}");
}

#[test]
#[ignore = "scripts/test --all; the_leader_of_a_partition_is_killed_and_when_another_one_was_elected_is_recorded is as long"]
fn the_coordinator_of_a_group_is_killed_and_the_next_one_is_recorded() {
    let measurement = with_killed("coordinator of group 1", BrokerRole::CoordinatorOf(0), "");
    let (broker, at_ns) = killed(&measurement);
    let coordinators = &roles(&measurement).coordinators;
    let before = coordinators.iter().rfind(|since| since.at_ns <= at_ns);
    assert_eq!(before.and_then(|since| since.broker), Some(broker), "{coordinators:?}");
    let mut after = coordinators.iter().filter(|since| since.at_ns > at_ns);
    let next = after.find_map(|since| since.broker);
    assert!(next.is_some_and(|next| next != broker), "{coordinators:?}");
}

#[test]
#[ignore = "scripts/test --all; the_store_is_away_from_the_act_on_until_it_was_started_again has no database"]
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
