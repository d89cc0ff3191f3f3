#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use super::*;
use crate::measure::{BrokerRole, HostMeasurement, Measurement, OffsetSpan, Participant};
use crate::protocol::{Capability, FromWorker, Position};
use crate::testing::script::*;
use crate::trial::engine::Event;
use crate::trial::fold;
use crate::trial::script::Script as Plan;

const ONE: ActorId = Reader(0);
const TWO: ActorId = Reader(1);
const SECOND: Duration = Duration::from_secs(1);
const AT: When = When::At(SECOND);

trait Planning {
    fn step(self, when: When, target: impl Into<StepTarget>, act: Act) -> Self;
    fn pause(self, when: When, actor: ActorId, length: Duration) -> Self;
    fn restart(self, when: When, actor: ActorId, how: Act, away: Duration) -> Self;
}

impl Planning for Plan {
    fn step(mut self, when: When, target: impl Into<StepTarget>, act: Act) -> Self {
        let target = target.into();
        self.steps.push(Step { when, target, act });
        self
    }

    fn pause(self, when: When, actor: ActorId, length: Duration) -> Self {
        self.step(when, actor, Act::Pause)
            .step(When::AfterStep(length), actor, Act::Resume)
    }

    fn restart(self, when: When, actor: ActorId, how: Act, away: Duration) -> Self {
        self.step(when, actor, how)
            .step(When::AfterStep(away), actor, Act::Start)
    }
}

/// Two processes with a partition each that read, and three brokers, with these acts planned.
fn reading(plan: Plan) -> Script {
    let spec = spec(2, 1, 2).with_script(plan, &[1, 2, 3]);
    let mut script = Script::joining(spec, Capability::ALL);
    script.holds(0, &[&[0]]);
    script.holds(1, &[&[1]]);
    script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
    assert_eq!(script.machine.phase(), Phase::Reading);
    script.now_ns = start_ns(&script);
    script
}

/// The common start.
fn start_ns(script: &Script) -> u64 {
    *script.machine.log.latest(Happening::try_as_start_set_ref).unwrap()
}

/// An act is begun when this much time has passed, and carried out.
fn acts(script: &mut Script, time: Duration, actor: ActorId, act: Act) {
    let actions = script.passes(time);
    assert_eq!(actions, [Action::Act(actor, act)]);
    acted(script, actor, act);
}

fn acted(script: &mut Script, actor: ActorId, act: Act) -> Vec<Action> {
    let done = Ok(script.now_ns);
    script.event(Event::Acted(actor, act, done))
}

fn dies(script: &mut Script, actor: ActorId) -> Vec<Action> {
    script.event(Event::Died(actor, "it was killed (signal 9)".to_owned()))
}

/// What a process read with its only consumer.
fn read(runs: &[(i32, &[crate::measure::OffsetRun])]) -> FromWorker {
    result(&[member_result(runs)])
}

fn measured(script: &mut Script) -> (Measurement, Option<Failure>) {
    assert_eq!((script.machine.phase(), script.machine.failure()), (Phase::Over, None));
    fold::measure(&script.machine.ended(), HostMeasurement::default()).unwrap()
}

/// Process 2 read up to offset 40 of its partition, as far as it reported, and was killed as planned.
fn killed(plan: Plan) -> Script {
    let mut script = reading(plan);
    script.reaches(1, 1, 20);
    script.reaches(1, 1, 40);
    acts(&mut script, SECOND, TWO, Act::Kill);
    assert_eq!(dies(&mut script, TWO), []);
    script
}

/// Process 1 reads all that is left, and gives its result.
fn one_reads_the_rest(script: &mut Script, runs: &[crate::measure::OffsetRun]) {
    // Its result has times of the third second.
    script.now_ns += 6_000_000_000;
    script.reaches(0, 0, RECORDS);
    let actions = script.reaches(0, 1, RECORDS);
    assert_eq!(
        sent_to(&actions, &ToWorker::Stop),
        [ONE],
        "who is gone is asked for nothing"
    );
    script.says(ONE, read(&[(0, &[run(0, RECORDS, 1)]), (1, runs)]));
}

#[test]
fn a_planned_death_is_no_failure_and_what_is_read_again_after_it_is_redelivered() {
    let mut script = killed(Plan::default().step(AT, TWO, Act::Kill));
    one_reads_the_rest(&mut script, &[run(30, RECORDS, 1)]);
    let (measurement, failure) = measured(&mut script);
    assert_eq!(failure, None);
    let Measurement {
        lost,
        duplicated,
        redelivered,
        ..
    } = measurement;
    assert_eq!((lost, duplicated, redelivered), (0, 0, 10));
    let dead = &measurement.members[1];
    assert_eq!(
        (dead.name().as_str(), dead.was_killed, dead.records()),
        ("group 1, process 2, consumer 1", true, 40)
    );
    assert_eq!(
        measurement.processes.len(),
        1,
        "nothing is known of what the killed one used"
    );
    assert_eq!((measurement.acts.len(), measurement.acts[0].act), (1, Act::Kill));
    let unknown = "what group 1, process 2 did beyond its reports until it was killed; 0 offsets may have been read so";
    assert_eq!(measurement.not_observed, [unknown]);
}

#[test]
fn what_a_killed_reader_may_have_read_beside_its_reports_is_not_observed_and_any_other_gap_is_lost() {
    let mut script = killed(Plan::default().step(AT, TWO, Act::Kill));
    one_reads_the_rest(&mut script, &[run(55, 70, 1), run(75, RECORDS, 1)]);
    let (measurement, failure) = measured(&mut script);
    assert_eq!((measurement.lost, measurement.redelivered), (5, 0));
    assert_eq!(failure.unwrap().kind, FailureKind::Lost);
    assert!(measurement.not_observed[0].contains("; 15 offsets"), "{measurement:?}");
}

#[test]
fn a_reader_that_is_killed_before_its_first_report_leaves_what_it_held_unobserved() {
    let mut script = reading(Plan::default().step(AT, TWO, Act::Kill));
    acts(&mut script, SECOND, TWO, Act::Kill);
    dies(&mut script, TWO);
    one_reads_the_rest(&mut script, &[run(7, RECORDS, 1)]);
    let (measurement, failure) = measured(&mut script);
    assert_eq!((measurement.lost, failure), (0, None));
    assert!(measurement.not_observed[0].contains("; 7 offsets"), "{measurement:?}");
}

#[test]
fn a_killed_reader_that_began_again_below_its_reports_is_known_to_have_read_from_there() {
    let mut script = reading(Plan::default().step(AT, TWO, Act::Kill));
    for (begins, reaches) in [(0, 40), (10, 60)] {
        let position = Position {
            topic: 0,
            partition: 1,
            offset: begins,
        };
        script.says(TWO, FromWorker::Began { consumer: 0, position });
        script.reaches(1, 1, reaches);
    }
    acts(&mut script, SECOND, TWO, Act::Kill);
    dies(&mut script, TWO);
    one_reads_the_rest(&mut script, &[run(60, RECORDS, 1)]);
    let (measurement, failure) = measured(&mut script);
    assert_eq!((failure, measurement.redelivered), (None, 30));
    let dead = &measurement.members[1].partitions[0];
    assert_eq!(dead.runs.as_deref(), Some(&[run(0, 40, 1), run(10, 60, 2)][..]));
}

#[test]
fn what_a_killed_reader_reported_as_unanswered_is_known_of_that_life_and_of_no_other() {
    let records = |first, end| {
        let partition = partition(1);
        vec![OffsetSpan { partition, first, end }]
    };
    let unanswered = |first, end| FromWorker::Unanswered {
        consumer: 0,
        records: records(first, end),
    };
    let mut script = reading(Plan::default().restart(AT, TWO, Act::Kill, 2 * SECOND));
    script.says(TWO, unanswered(30, 35));
    script.reaches(1, 1, 40);
    script.says(TWO, unanswered(40, 45));
    acts(&mut script, SECOND, TWO, Act::Kill);
    dies(&mut script, TWO);
    acts(&mut script, 2 * SECOND, TWO, Act::Start);
    comes(&mut script, TWO);
    script.says(TWO, unanswered(45, 50));
    script.reaches(0, 0, RECORDS);
    script.reaches(1, 1, RECORDS);
    script.says(ONE, read(&[(0, &[run(0, RECORDS, 1)])]));
    script.says(TWO, read(&[(1, &[run(35, RECORDS, 1)])]));
    let (measurement, _) = measured(&mut script);
    let members = measurement.members.into_iter();
    let unanswered: Vec<_> = members.map(|member| (member.was_killed, member.unanswered)).collect();
    let of_killed = [records(30, 35), records(40, 45)].concat();
    assert_eq!(
        unanswered,
        [(false, vec![]), (true, of_killed), (false, records(45, 50))]
    );
}

#[test]
fn of_a_partition_that_a_killed_reader_got_later_only_what_lies_between_its_reports_is_known() {
    let mut script = reading(Plan::default().step(When::At(3 * SECOND), TWO, Act::Kill));
    script.reaches(0, 0, 10);
    // It took over where the first had committed, read on, and the first got the partition back.
    for (reader, offset) in [(1, 20), (1, 30), (0, 45), (0, 50)] {
        script.reaches(reader, 0, offset);
    }
    acts(&mut script, 3 * SECOND, TWO, Act::Kill);
    dies(&mut script, TWO);
    script.reaches(0, 1, RECORDS);
    script.reaches(0, 0, RECORDS);
    let of_first = [run(0, 12, 1), run(40, RECORDS, 2)];
    script.says(ONE, read(&[(0, &of_first), (1, &[run(0, RECORDS, 1)])]));
    let (measurement, _) = measured(&mut script);
    assert_eq!(measurement.members[1].records(), 10, "{:?}", measurement.members[1]);
    assert!(measurement.not_observed[0].contains("; 18 offsets"), "{measurement:?}");
}

#[test]
fn after_a_clean_leave_the_account_is_exact() {
    let mut script = reading(Plan::default().step(When::AtProgress(0.2), TWO, Act::Leave));
    let actions = script.reaches(1, 1, 40);
    assert_eq!(actions, [Action::Send(TWO, ToWorker::Stop)]);
    let actions = script.says(TWO, read(&[(1, &[run(0, 45, 1)])]));
    assert_eq!(
        actions,
        [Action::Act(TWO, Act::Leave)],
        "it may go when it has said what it read"
    );
    assert_eq!(acted(&mut script, TWO, Act::Leave), []);
    assert_eq!(dies(&mut script, TWO), []);
    assert_eq!(script.machine.phase(), Phase::Reading);
    one_reads_the_rest(&mut script, &[run(45, RECORDS, 1)]);
    let (measurement, failure) = measured(&mut script);
    assert_eq!(
        (failure, measurement.redelivered, measurement.records()),
        (None, 0, 200)
    );
    assert_eq!(
        (measurement.not_observed, measurement.processes.len()),
        (Vec::<String>::new(), 2)
    );
}

#[test]
fn who_dies_before_it_has_left_has_died_unplanned() {
    let mut script = reading(Plan::default().step(AT, TWO, Act::Leave));
    script.passes(SECOND);
    dies(&mut script, TWO);
    script.failed(FailureKind::WorkerDied, Some("group 1, process 2"), "signal 9");
}

#[test]
fn a_death_that_nobody_planned_fails_the_trial_while_a_planned_one_is_under_way() {
    let mut script = reading(Plan::default().step(AT, TWO, Act::Kill));
    acts(&mut script, SECOND, TWO, Act::Kill);
    dies(&mut script, ONE);
    script.failed(FailureKind::WorkerDied, Some("group 1, process 1"), "signal 9");

    let mut script = killed(Plan::default().restart(AT, TWO, Act::Kill, SECOND));
    acts(&mut script, SECOND, TWO, Act::Start);
    dies(&mut script, TWO);
    script.failed(FailureKind::WorkerDied, Some("group 1, process 2"), "signal 9");
}

/// A process that was started in the middle of the trial introduces itself and is ready.
fn comes(script: &mut Script, actor: ActorId) {
    let actions = script.says(actor, FromWorker::Hello(hello(Capability::ALL)));
    let [Action::Send(_, ToWorker::Prepare(prepare))] = &actions[..] else {
        panic!("{actions:?}");
    };
    assert!(prepare.joins_late);
    let at_ns = start_ns(script);
    let actions = script.says(actor, FromWorker::Ready);
    let joins = [ToWorker::Subscribe, ToWorker::Start { at_ns }].map(|message| Action::Send(actor, message));
    assert_eq!(actions, joins);
}

#[test]
fn a_process_that_is_started_later_is_not_waited_for_at_the_barrier_and_reads_too() {
    let spec = spec(2, 1, 2).with_script(Plan::default().step(AT, TWO, Act::Start), &[]);
    let mut script = Script::new(spec);
    script.says(ONE, FromWorker::Hello(hello(Capability::ALL)));
    let actions = script.says(ONE, FromWorker::Ready);
    assert_eq!(sent_to(&actions, &ToWorker::Subscribe), [ONE]);
    script.holds(0, &[&[0, 1]]);
    script.group(group(&[((0, 0), &[0, 1])]));
    assert_eq!(script.machine.phase(), Phase::Reading);
    acts(&mut script, 2 * SECOND, TWO, Act::Start);
    comes(&mut script, TWO);
    script.reaches(0, 0, RECORDS);
    let actions = script.reaches(1, 1, RECORDS);
    assert_eq!(sent_to(&actions, &ToWorker::Stop), [ONE, TWO]);
    script.says(ONE, read(&[(0, &[run(0, RECORDS, 1)]), (1, &[run(0, 60, 1)])]));
    script.says(TWO, read(&[(1, &[run(60, RECORDS, 1)])]));
    let (measurement, failure) = measured(&mut script);
    assert_eq!(
        (failure, measurement.records(), measurement.redelivered),
        (None, 200, 0)
    );
    assert_eq!(
        measurement.idle_members().count(),
        0,
        "it was not there when the others began"
    );
}

#[test]
fn a_process_that_is_killed_and_started_again_lives_twice_and_its_records_are_kept_apart() {
    let mut script = killed(Plan::default().restart(AT, TWO, Act::Kill, 2 * SECOND));
    assert_eq!(script.passes(SECOND), []);
    acts(&mut script, SECOND, TWO, Act::Start);
    comes(&mut script, TWO);
    script.reaches(0, 0, RECORDS);
    let actions = script.reaches(1, 1, RECORDS);
    assert_eq!(sent_to(&actions, &ToWorker::Stop), [ONE, TWO]);
    script.says(ONE, read(&[(0, &[run(0, RECORDS, 1)])]));
    script.says(TWO, read(&[(1, &[run(35, RECORDS, 1)])]));
    let (measurement, failure) = measured(&mut script);
    assert_eq!((failure, measurement.duplicated, measurement.redelivered), (None, 0, 5));
    let names: Vec<String> = measurement
        .members
        .iter()
        .map(crate::measure::MemberMeasurement::name)
        .collect();
    let second = "group 1, process 2, consumer 1";
    assert_eq!(names[1..], [second.to_owned(), format!("{second}, life 2")]);
    assert_eq!(measurement.processes.len(), 2);
}

#[test]
fn a_process_that_is_started_and_does_not_get_ready_fails_the_trial() {
    let mut script = killed(Plan::default().restart(AT, TWO, Act::Kill, SECOND));
    acts(&mut script, SECOND, TWO, Act::Start);
    script.reaches(0, 0, 10);
    script.passes(Duration::from_secs(40));
    assert_eq!(
        script.machine.failure(),
        None,
        "nothing stalls before what was planned is over"
    );
    script.passes(Duration::from_secs(5));
    script.failed(
        FailureKind::NotAsPlanned,
        Some("group 1, process 2"),
        "to start group 1, process 2",
    );
}

#[test]
fn a_pause_is_ended_in_time_whether_its_session_ends_first_or_not() {
    for length in [3 * SECOND, 60 * SECOND] {
        let mut script = reading(Plan::default().pause(AT, TWO, length));
        acts(&mut script, SECOND, TWO, Act::Pause);
        assert_eq!(script.passes(length.saturating_sub(SECOND)), []);
        assert_eq!(
            (script.machine.phase(), script.machine.failure()),
            (Phase::Reading, None)
        );
        acts(&mut script, SECOND, TWO, Act::Resume);
        script.reaches(1, 1, 50);
        // What stands still without a plan is a failure as before.
        script.passes(Duration::from_secs(30));
        script.failed(
            FailureKind::Stall,
            Some("group 1, process 1, consumer 1 and group 1, process 2, consumer 1"),
            "no record for 20 s",
        );
    }
}

#[test]
fn a_trial_that_ends_during_a_pause_lets_the_process_go_on_and_did_not_go_as_planned() {
    let mut script = reading(Plan::default().pause(AT, TWO, 60 * SECOND));
    acts(&mut script, SECOND, TWO, Act::Pause);
    script.reaches(0, 0, RECORDS);
    let actions = script.reaches(0, 1, RECORDS);
    let resumed = actions
        .iter()
        .position(|action| *action == Action::Act(TWO, Act::Resume))
        .unwrap();
    let stopped = actions
        .iter()
        .position(|action| *action == Action::Send(TWO, ToWorker::Stop))
        .unwrap();
    assert!(resumed < stopped, "{actions:?}");
    script.says(ONE, read(&[(0, &[run(0, RECORDS, 1)]), (1, &[run(0, RECORDS, 1)])]));
    script.says(TWO, read(&[]));
    let (_, failure) = measured(&mut script);
    let failure = failure.unwrap();
    assert_eq!(failure.kind, FailureKind::NotAsPlanned);
    assert_eq!(
        failure.message,
        "step 2 of the script, to resume group 1, process 2, was not carried out: the trial ended before"
    );
}

#[test]
fn a_step_after_the_end_of_the_trial_fails_it_with_its_figures_kept() {
    let mut script = reading(Plan::default().step(When::At(600 * SECOND), TWO, Act::Kill));
    script.reaches(0, 0, RECORDS);
    script.reaches(1, 1, RECORDS);
    script.says(ONE, read(&[(0, &[run(0, RECORDS, 1)])]));
    script.says(TWO, read(&[(1, &[run(0, RECORDS, 1)])]));
    let (measurement, failure) = measured(&mut script);
    assert_eq!((measurement.records(), measurement.acts.len()), (200, 0));
    assert_eq!(failure.unwrap().kind, FailureKind::NotAsPlanned);
}

#[test]
fn a_step_that_cannot_be_carried_out_fails_the_trial_with_the_reason() {
    let again = |act, time| Plan::default().step(AT, TWO, Act::Kill).step(When::At(time), TWO, act);
    let mut script = killed(again(Act::Leave, 2 * SECOND));
    script.passes(2 * SECOND);
    script.failed(
        FailureKind::NotAsPlanned,
        Some("group 1, process 2"),
        "step 2 of the script, to leave group 1, process 2",
    );
    assert!(
        script.failure().message.ends_with("it does not run"),
        "{:?}",
        script.failure()
    );

    for (acts, reason) in [
        ([Act::Kill, Act::Pause], "a step before it is not over"),
        ([Act::Resume, Act::Kill], "it is not paused"),
    ] {
        let plan = acts.iter().fold(Plan::default(), |plan, act| plan.step(AT, TWO, *act));
        let mut script = reading(plan);
        script.passes(SECOND);
        script.failed(FailureKind::NotAsPlanned, Some("group 1, process 2"), reason);
    }
    let started = Plan::default()
        .step(AT, TWO, Act::Pause)
        .step(When::At(2 * SECOND), TWO, Act::Start);
    let mut script = reading(started);
    acts(&mut script, SECOND, TWO, Act::Pause);
    script.passes(SECOND);
    script.failed(FailureKind::NotAsPlanned, Some("group 1, process 2"), "it runs already");

    let mut script = reading(Plan::default().step(AT, TWO, Act::Kill));
    script.passes(SECOND);
    script.event(Event::Acted(
        TWO,
        Act::Kill,
        Err("it ended with exit code 1".to_owned()),
    ));
    script.failed(
        FailureKind::NotAsPlanned,
        Some("group 1, process 2"),
        "it ended with exit code 1",
    );
}

#[test]
fn a_broker_is_away_from_the_act_on_until_it_was_started_again() {
    let broker = ActorId::Broker(1);
    let mut script = reading(Plan::default().restart(AT, broker, Act::Leave, SECOND));
    assert_eq!(script.machine.brokers_away(), [] as [u32; 0]);
    let actions = script.passes(SECOND);
    assert_eq!(
        (actions, script.machine.brokers_away()),
        (vec![Action::Act(broker, Act::Leave)], vec![2])
    );
    acted(&mut script, broker, Act::Leave);
    assert_eq!(script.machine.brokers_away(), [2]);
    acts(&mut script, SECOND, broker, Act::Start);
    assert_eq!(
        script.machine.brokers_away(),
        [] as [u32; 0],
        "from now on its death is a failure"
    );
    assert_eq!(script.machine.ended().planned().len(), 2);
}

#[test]
fn a_script_that_names_nobody_or_no_moment_is_refused_before_anything_starts() {
    let cases = [
        (AT, Reader(7), Act::Kill),
        (AT, ActorId::Broker(3), Act::Kill),
        (AT, ActorId::Producer(0), Act::Start),
        (When::AfterStep(SECOND), ONE, Act::Kill),
    ];
    for (when, actor, act) in cases {
        let plan = Plan::default().step(when, actor, act);
        let named = format!("{:?}", plan.steps[0]);
        let script = Script::new(spec(2, 1, 2).with_script(plan, &[1, 2, 3]));
        script.failed(FailureKind::NotAsPlanned, None, &named);
    }
}

#[test]
fn the_machine_wants_to_be_woken_for_the_next_step() {
    let script = reading(Plan::default().step(AT, TWO, Act::Kill));
    assert_eq!(script.machine.wake_ns(), start_ns(&script) + 1_000_000_000);
    assert!(script.machine.cast[TWO].is_present());
}

const LEADER: BrokerRole = BrokerRole::LeaderOf(crate::measure::TopicPartition { topic: 0, partition: 1 });

/// Nothing is done to a role before it is known who that is.
fn looking_for(plan: Plan, role: BrokerRole) -> Script {
    let mut script = reading(plan);
    assert_eq!(script.passes(SECOND), [Action::Find(0, role)]);
    assert_eq!(script.passes(SECOND), []);
    script
}

#[test]
fn a_role_is_that_of_the_broker_that_has_it_when_the_step_is_due_and_the_next_step_may_be_done_to_the_same() {
    let plan = Plan::default().step(AT, StepTarget::Role(LEADER), Act::Kill).step(
        When::AfterStep(2 * SECOND),
        StepTarget::AsBefore,
        Act::Start,
    );
    let mut script = looking_for(plan, LEADER);
    let broker = ActorId::Broker(1);
    assert_eq!(script.event(Event::Found(0, Ok(2))), [Action::Act(broker, Act::Kill)]);
    assert_eq!(script.event(Event::Found(0, Ok(3))), [], "once is enough");
    assert_eq!(script.machine.brokers_away(), [2]);
    acted(&mut script, broker, Act::Kill);
    acts(&mut script, 2 * SECOND, broker, Act::Start);
    let planned = script.machine.ended().planned();
    let of_each = planned.iter().map(|act| (act.who, act.role, act.act));
    let who = Participant::Broker(2);
    assert_eq!(
        of_each.collect::<Vec<_>>(),
        [(who, Some(LEADER), Act::Kill), (who, Some(LEADER), Act::Start)]
    );
}

#[test]
fn a_role_that_nobody_has_or_that_nobody_names_in_time_fails_the_trial() {
    let plan = || Plan::default().step(AT, StepTarget::Role(BrokerRole::Controller), Act::Kill);
    let failed = |event: Option<Event>, cause: &str| {
        let mut script = looking_for(plan(), BrokerRole::Controller);
        match event {
            Some(event) => script.event(event),
            None => script.passes(Duration::from_secs(15)),
        };
        let message = format!("to kill the active controller, was not carried out: {cause}");
        script.failed(FailureKind::NotAsPlanned, Some("the active controller"), &message);
    };
    failed(
        Some(Event::Found(0, Err("nobody was that".to_owned()))),
        "nobody was that",
    );
    failed(None, "the cluster did not say in time who that is");
    let elsewhere = "that is broker 7, which the run did not start";
    failed(Some(Event::Found(0, Ok(7))), elsewhere);
}

#[test]
fn a_role_that_is_found_when_the_reading_is_over_is_left_alone() {
    let mut script = looking_for(Plan::default().step(AT, StepTarget::Role(LEADER), Act::Kill), LEADER);
    script.reaches(0, 0, RECORDS);
    script.reaches(1, 1, RECORDS);
    assert_eq!(script.event(Event::Found(0, Ok(1))), []);
    assert_eq!(
        (script.machine.phase(), script.machine.failure()),
        (Phase::Collecting, None)
    );
    script.says(ONE, read(&[(0, &[run(0, RECORDS, 1)])]));
    script.says(TWO, read(&[(1, &[run(0, RECORDS, 1)])]));
    let (_, failure) = measured(&mut script);
    let message =
        "step 1 of the script, to kill the leader of partition 1, was not carried out: the trial ended before";
    assert_eq!(failure.unwrap().message, message);
}

#[test]
fn the_store_is_away_from_the_act_on_until_it_was_started_again() {
    let plan = Plan::default().restart(AT, ActorId::Store, Act::Leave, SECOND);
    let spec = spec(2, 1, 2).with_own_store().with_script(plan, &[]);
    let mut script = Script::reading_of(spec);
    script.now_ns = start_ns(&script);
    assert!(!script.machine.is_store_away());
    acts(&mut script, SECOND, ActorId::Store, Act::Leave);
    assert!(script.machine.is_store_away());
    let actions = script.passes(SECOND);
    assert_eq!(actions, [Action::Act(ActorId::Store, Act::Start)]);
    assert!(script.machine.is_store_away(), "it takes a while until it answers");
    acted(&mut script, ActorId::Store, Act::Start);
    assert!(!script.machine.is_store_away(), "from now on its death is a failure");
    let planned = script.machine.ended().planned();
    assert!(planned.iter().all(|act| act.who == Participant::Store), "{planned:?}");
}

#[test]
fn a_role_without_brokers_of_the_run_and_a_rate_without_a_load_are_refused_before_anything_starts() {
    let coordinator = StepTarget::Role(BrokerRole::CoordinatorOf(1));
    let unknown = StepTarget::Role(BrokerRole::LeaderOf(crate::measure::TopicPartition {
        topic: 0,
        partition: 2,
    }));
    let cases: [(StepTarget, Act, &[u32]); 7] = [
        (StepTarget::Role(LEADER), Act::Kill, &[]),
        (coordinator, Act::Kill, &[1]),
        (unknown, Act::Kill, &[1]),
        (StepTarget::AsBefore, Act::Kill, &[1]),
        (ActorId::Load.into(), Act::SetRate(5), &[1]),
        (ActorId::Store.into(), Act::Kill, &[1]),
        (ONE.into(), Act::SetRate(5), &[1]),
    ];
    for (target, act, brokers) in cases {
        let plan = Plan::default().step(AT, target, act);
        let named = format!("{:?}", plan.steps[0]);
        Script::new(spec(2, 1, 2).with_script(plan, brokers)).failed(FailureKind::NotAsPlanned, None, &named);
    }
}
