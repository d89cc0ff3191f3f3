#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use super::*;
use crate::load::{Arrivals, Profile, Schedule};
use crate::measure::latency::LatencyRecorder;
use crate::measure::{HostMeasurement, Measurement, OffsetRun, OrderedLoad, SecondOfLatency};
use crate::protocol::{
    Capability, ClockReading, FromWorker, MemberResult, ProducedPartition, ProducerProgress, ProducerResult,
};
use crate::scenario::{Configuration, Load, Mode};
use crate::testing::script::*;
use crate::testing::{arrangement, load, prepare_producer};
use crate::trial::engine::Event;
use crate::trial::{Phase, TrialSpec, measure};

const SECOND_NS: u64 = 1_000_000_000;
/// The only producer.
const PRODUCER: ActorId = ActorId::Producer(0);

fn schedule() -> Schedule {
    Schedule::new(Arrivals::Constant, Profile::Constant { rate: 100.0 }, 4 * SECOND_NS, 1).unwrap()
}

/// A second of warm-up and three of window at 100 records/s behind this backlog, for two processes with a partition
/// each.
fn load_spec(backlog: [i64; 2]) -> LoadSpec {
    LoadSpec {
        schedule: schedule(),
        lead: Duration::from_millis(500),
        warmup: Duration::from_secs(1),
        backlog_ends: vec![backlog.to_vec()],
        beside: Vec::new(),
    }
}

fn producers() -> Vec<PrepareProducer> {
    vec![PrepareProducer {
        warmup_ns: SECOND_NS,
        ..prepare_producer(&[("t", 2)], schedule())
    }]
}

fn live_spec(load_spec: LoadSpec) -> TrialSpec {
    let configuration = Configuration {
        mode: Mode::Live(Load {
            rate: 100.0,
            duration_ns: 3 * SECOND_NS,
            warmup_ns: SECOND_NS,
            ..load()
        }),
        ..arrangement("case", 2, 1)
    };
    let mut spec = spec_of(&configuration, 2);
    for range in &mut spec.terms.topics[0].partitions {
        range.end = i64::MAX;
    }
    spec.with_load(load_spec, producers())
}

fn live(backlog: [i64; 2]) -> Script {
    let mut script = Script::new(live_spec(load_spec(backlog)));
    for worker in 0..2 {
        script.says(Reader(worker), FromWorker::Hello(hello(Capability::ALL)));
    }
    script
}

/// All processes are there and the members have their partitions.
fn reading(backlog: [i64; 2]) -> (Script, Vec<Action>) {
    let mut script = live(backlog);
    script.says(PRODUCER, FromWorker::Hello(hello(&[Capability::Usage])));
    for actor in [PRODUCER, Reader(0), Reader(1)] {
        script.says(actor, FromWorker::Ready);
    }
    script.holds(0, &[&[0]]);
    script.holds(1, &[&[1]]);
    let actions = script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
    (script, actions)
}

#[test]
fn a_reader_on_another_host_than_the_producer_beside_it_fails_the_trial() {
    let mut script = Script::new(live_spec(LoadSpec {
        beside: vec![0],
        ..load_spec([0; 2])
    }));
    let stamps = |reader: usize| script.machine.cast.readers[reader].role.prepare.stamps.clone();
    assert_eq!(stamps(1).unwrap().only_producer, Some(0));
    script.says(PRODUCER, FromWorker::Hello(hello(&[Capability::Usage])));
    script.says(Reader(0), FromWorker::Hello(hello(Capability::ALL)));
    script.says(Reader(0), FromWorker::Ready);
    assert_eq!(script.machine.failure(), None);
    let mut far = hello(Capability::ALL);
    far.host = Some("another host".to_owned());
    let mut actions = script.says(Reader(1), FromWorker::Hello(far));
    while matches!(actions[..], [Action::Send(_, ToWorker::QueryClock)]) {
        let [received_ns, sent_ns] = [script.now_ns + 500_000; 2];
        actions = script.says(Reader(1), FromWorker::Clock(ClockReading { received_ns, sent_ns }));
    }
    script.says(Reader(1), FromWorker::Ready);
    let failure = script.machine.failure().unwrap();
    assert_eq!(failure.kind, FailureKind::NotAsPlanned);
    assert_eq!(failure.who.as_deref(), Some("group 1, process 2"));
    assert!(
        failure.message.contains("than producer 1, which is to be beside it"),
        "{failure:?}"
    );
}

fn produced(sent: u64) -> ProducerResult {
    let partition = |partition| ProducedPartition {
        topic: 0,
        partition,
        acknowledged: sent / 2,
        highest_offset: None,
    };
    ProducerResult {
        due: sent,
        sent,
        acknowledged: sent,
        due_in_window: 300,
        sent_in_window: sent * 3 / 4,
        acknowledged_in_window: sent * 3 / 4,
        partitions: vec![partition(0), partition(1)],
        series: crate::measure::Series {
            bucket_ns: SECOND_NS,
            counts: vec![sent / 4; 4],
        },
        ..ProducerResult::default()
    }
}

fn progress(sent: u64, finished: bool) -> FromWorker {
    FromWorker::ProducerProgress(ProducerProgress {
        sent,
        acknowledged: sent,
        failed: 0,
        finished,
    })
}

fn ends(script: &mut Script, ends: [i64; 2]) -> Vec<Action> {
    script.event(Event::Ends(Ok(vec![ends.to_vec()])))
}

/// The load is over, with this many records in each partition.
fn draining(backlog: [i64; 2]) -> Script {
    let (mut script, _) = reading(backlog);
    script.passes(Duration::from_secs(5));
    let stop = script.says(PRODUCER, progress(400, true));
    assert_eq!(sent_to(&stop, &ToWorker::Stop), [PRODUCER]);
    let ask = script.says(PRODUCER, FromWorker::ProducerResult(Box::new(produced(400))));
    if ask.is_empty() {
        // A sample was under way.
        ends(&mut script, backlog);
        assert_eq!(script.passes(Duration::from_millis(1)), [Action::AskEnds]);
    } else {
        assert_eq!(ask, [Action::AskEnds]);
    }
    ends(&mut script, backlog.map(|end| end + 200));
    script
}

fn read(first: i64, end: i64) -> OffsetRun {
    run(first, end, 1)
}

fn measured(script: &mut Script, results: [MemberResult; 2]) -> (Measurement, Option<Failure>) {
    for (worker, member) in results.into_iter().enumerate() {
        script.says(Reader(worker), result(&[member]));
    }
    assert_eq!((script.machine.phase(), script.machine.failure()), (Phase::Over, None));
    measure(&script.machine.ended(), HostMeasurement::default()).unwrap()
}

/// What is measured of the load so far.
fn load_of(script: &Script) -> LoadMeasurement {
    let machine = &script.machine;
    machine.course.measurement(&machine.ended(), 0, &[]).unwrap()
}

#[test]
fn producers_start_after_the_members_and_the_trial_ends_when_all_they_sent_is_read() {
    let (script, actions) = reading([0, 0]);
    let start_ns = script.start_ns();
    assert_eq!(
        sent_to(&actions, &ToWorker::Start { at_ns: start_ns }),
        [Reader(0), Reader(1)]
    );
    let load_start = ToWorker::Start {
        at_ns: start_ns + SECOND_NS / 2,
    };
    assert_eq!(sent_to(&actions, &load_start), [PRODUCER]);
    assert_eq!(script.machine.progress().1, 400);

    let mut script = draining([0, 0]);
    assert_eq!(script.machine.phase(), Phase::Draining);
    assert_eq!(script.reaches(0, 0, 200), []);
    let actions = script.reaches(1, 1, 200);
    assert_eq!(actions[0], Action::Ended);
    assert_eq!(sent_to(&actions, &ToWorker::Stop), [Reader(0), Reader(1)]);
    let read_all = |partition| member_result(&[(partition, &[read(0, 200)])]);
    let (measurement, failure) = measured(&mut script, [read_all(0), read_all(1)]);
    assert_eq!(failure, None);
    let load = measurement.load.as_ref().unwrap();
    assert_eq!(
        (measurement.records_expected, load.acknowledged, load.unread),
        (400, 400, 0)
    );
    assert!(load.reached && load.is_meaningful(), "{load:?}");
    assert!((load.offered_per_second - 100.0).abs() < 1e-9 && (load.sent_per_second - 100.0).abs() < 1e-9);
    assert_eq!(load.window_from_ns - load.start_ns, SECOND_NS);
    assert_eq!(load.window_ns(), 3 * SECOND_NS);
}

#[test]
fn members_subscribe_only_when_the_producers_are_ready_too() {
    let mut script = live([0, 0]);
    script.says(Reader(0), FromWorker::Ready);
    assert_eq!(script.says(Reader(1), FromWorker::Ready), []);
    let actions = script.says(PRODUCER, FromWorker::Hello(hello(&[])));
    assert!(
        matches!(&actions[..], [Action::Send(PRODUCER, ToWorker::PrepareProducer(_))]),
        "{actions:?}"
    );
    let actions = script.says(PRODUCER, FromWorker::Ready);
    assert_eq!(sent_to(&actions, &ToWorker::Subscribe), [Reader(0), Reader(1)]);
}

#[test]
fn a_worker_without_stamps_is_refused() {
    let spec = spec(1, 1, 2).with_load(load_spec([0, 0]), producers());
    let mut script = Script::new(spec);
    script.says(Reader(0), FromWorker::Hello(hello(&[Capability::Ledger])));
    script.failed(
        FailureKind::WorkerProtocol,
        Some("group 1, process 1"),
        "capability `stamps`",
    );
}

#[test]
fn a_producer_that_dies_is_named() {
    for mut script in [live([0, 0]), reading([0, 0]).0] {
        script.event(Event::Died(PRODUCER, "it was killed (signal 9)".to_owned()));
        script.failed(FailureKind::WorkerDied, Some("producer 1"), "signal 9");
    }
}

#[test]
fn a_producer_that_speaks_before_its_turn_is_not_believed() {
    let mut script = live([0, 0]);
    script.says(PRODUCER, FromWorker::Hello(hello(&[])));
    script.says(PRODUCER, FromWorker::Ready);
    assert_eq!(script.says(PRODUCER, progress(400, true)), []);
    script.says(PRODUCER, FromWorker::ProducerResult(Box::new(produced(400))));
    script.failed(FailureKind::WorkerProtocol, Some("producer 1"), "before it was asked");
}

#[test]
fn a_producer_that_is_behind_is_stopped_two_seconds_after_the_end_of_the_load() {
    let (mut script, _) = reading([0, 0]);
    script.passes(Duration::from_secs(1));
    let end_ns = load_of(&script).window_end_ns;
    let left = Duration::from_nanos(end_ns - script.now_ns);
    assert!(sent_to(&script.passes(left), &ToWorker::Stop).is_empty());
    ends(&mut script, [10, 10]);
    assert_eq!(
        sent_to(&script.passes(Duration::from_secs(2)), &ToWorker::Stop),
        [PRODUCER]
    );
    // It sent a quarter of what it should have.
    script.says(PRODUCER, FromWorker::ProducerResult(Box::new(produced(100))));
    ends(&mut script, [50, 50]);
    script.reaches(0, 0, 50);
    script.reaches(1, 1, 50);
    let read_all = |partition| member_result(&[(partition, &[read(0, 50)])]);
    let (measurement, failure) = measured(&mut script, [read_all(0), read_all(1)]);
    assert_eq!(failure, None);
    let load = measurement.load.unwrap();
    assert!(!load.reached && !load.is_meaningful());
    assert!((load.sent_per_second - 25.0).abs() < 1e-9);
}

#[test]
fn an_answer_given_before_the_last_record_is_not_taken_for_the_end() {
    let (mut script, _) = reading([0, 0]);
    assert_eq!(script.passes(Duration::from_secs(1)), [Action::AskEnds]);
    script.says(PRODUCER, progress(400, true));
    let actions = script.says(PRODUCER, FromWorker::ProducerResult(Box::new(produced(400))));
    assert_eq!(actions, [], "the question under way is answered first");
    ends(&mut script, [190, 190]);
    assert_eq!(script.machine.phase(), Phase::Reading);
    assert_eq!(script.passes(Duration::from_millis(1)), [Action::AskEnds]);
    ends(&mut script, [200, 200]);
    assert_eq!(script.machine.phase(), Phase::Draining);
}

#[test]
fn records_not_read_in_time_are_unread_and_a_gap_before_them_is_a_loss() {
    let mut script = draining([0, 0]);
    script.reaches(0, 0, 200);
    let actions = script.passes(script.machine.terms.limits.drain);
    assert_eq!(sent_to(&actions, &ToWorker::Stop), [Reader(0), Reader(1)]);
    let first = member_result(&[(0, &[read(0, 200)])]);
    let (measurement, failure) = measured(&mut script, [first.clone(), member_result(&[(1, &[read(0, 120)])])]);
    assert_eq!(failure, None);
    assert_eq!((measurement.lost, measurement.load.unwrap().unread), (0, 80));

    let mut script = draining([0, 0]);
    script.passes(script.machine.terms.limits.drain);
    let gap = member_result(&[(1, &[read(0, 50), read(60, 120)])]);
    let (measurement, failure) = measured(&mut script, [first, gap]);
    assert_eq!(failure.unwrap().kind, FailureKind::Lost);
    assert_eq!((measurement.lost, measurement.load.unwrap().unread), (10, 80));
}

#[test]
fn records_beyond_the_end_do_not_make_those_before_it_lost() {
    let mut script = draining([0, 0]);
    script.passes(script.machine.terms.limits.drain);
    let first = member_result(&[(0, &[read(0, 200)])]);
    let beyond = member_result(&[(1, &[read(0, 120), read(205, 208)])]);
    let (measurement, failure) = measured(&mut script, [first, beyond]);
    let failure = failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Duplicated);
    assert!(failure.message.contains("outside what was to be read"), "{failure:?}");
    assert_eq!((measurement.lost, measurement.load.unwrap().unread), (0, 80));
}

#[test]
fn acknowledged_records_that_the_cluster_does_not_have_are_lost() {
    let (mut script, _) = reading([0, 0]);
    script.passes(Duration::from_secs(1));
    ends(&mut script, [0, 0]);
    script.says(PRODUCER, progress(400, true));
    script.says(PRODUCER, FromWorker::ProducerResult(Box::new(produced(400))));
    ends(&mut script, [200, 199]);
    // Records may show a moment later: it is asked again, but not for ever.
    let mut query_count = 1;
    while script.machine.phase() == Phase::Reading {
        assert_eq!(script.passes(Duration::from_millis(500)), [Action::AskEnds]);
        ends(&mut script, [200, 199]);
        query_count += 1;
    }
    assert!((10..100).contains(&query_count), "asked {query_count} times");
    script.reaches(0, 0, 200);
    script.reaches(1, 1, 199);
    let read = |partition, end| member_result(&[(partition, &[read(0, end)])]);
    let (_, failure) = measured(&mut script, [read(0, 200), read(1, 199)]);
    let failure = failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Lost);
    assert!(failure.message.contains("acknowledged 200 records"), "{failure:?}");
}

#[test]
fn the_lag_is_sampled_and_a_backlog_is_caught_up_when_it_is_gone() {
    let (mut script, _) = reading([1_000, 1_000]);
    assert_eq!(script.machine.progress().1, 2_400);
    for (step, position) in [0, 600, 1_005, 1_010].into_iter().enumerate() {
        if position > 0 {
            script.reaches(0, 0, position);
            script.reaches(1, 1, position);
        }
        let actions = script.passes(Duration::from_millis(if step == 0 { 600 } else { 200 }));
        assert_eq!(actions, [Action::AskEnds], "step {step}");
        ends(&mut script, [1_010, 1_010]);
        let caught_up = load_of(&script).caught_up_ns;
        assert_eq!(caught_up.is_some(), step >= 2, "step {step}");
    }
    let lag = load_of(&script).lag;
    assert_eq!(lag.totals(), [2_020, 820, 10, 0]);
    // Between the samples of 820 and 10, on the straight line, and so nearly at the second.
    let caught_up = load_of(&script).caught_up_ns.unwrap();
    let (before, after) = (lag.at_ns[1], lag.at_ns[2]);
    assert!(
        before + (after - before) / 2 < caught_up && caught_up < after,
        "{before} {caught_up} {after}"
    );
    assert_eq!(super::lag::crossing((1_000, 900), (2_000, 100), 300.0), 1_750);
    assert_eq!(super::lag::crossing((1_000, 901), (2_000, 900), 900.0), 2_000);
    assert_eq!(lag.partitions.len(), 2);
}

#[test]
fn an_unanswered_query_is_repeated_and_does_not_end_the_trial() {
    let (mut script, _) = reading([0, 0]);
    assert_eq!(script.passes(Duration::from_secs(1)), [Action::AskEnds]);
    script.event(Event::Ends(Err("no answer".to_owned())));
    assert_eq!(script.machine.failure(), None);
    assert_eq!(script.passes(Duration::from_millis(200)), [Action::AskEnds]);
}

#[test]
fn seconds_of_several_workers_are_added_up() {
    let (mut script, _) = reading([0, 0]);
    let mut response = LatencyRecorder::default();
    response.record_ns(1_000_000);
    for worker in 0..2 {
        let seconds = vec![SecondOfLatency {
            second: 3,
            response: response.clone().into(),
        }];
        script.says(Reader(worker), FromWorker::Seconds { seconds });
    }
    let seconds = load_of(&script).seconds;
    assert_eq!(
        (seconds.len(), seconds[0].second, seconds[0].response.unpack().count()),
        (1, 3, 2)
    );
}

#[test]
fn the_plan_orders_the_same_window_that_the_load_has() {
    let ordered = OrderedLoad {
        rate: 100.0,
        duration_ns: 3 * SECOND_NS,
    };
    let stamps = live([5, 7]).machine.cast.readers[0]
        .role
        .prepare
        .stamps
        .clone()
        .unwrap();
    assert_eq!((stamps.duration_ns, stamps.warmup_ns), (ordered.duration_ns, SECOND_NS));
    assert_eq!((stamps.lead_ns, stamps.stamped_from), (SECOND_NS / 2, vec![vec![5, 7]]));
}

/// A live trial with two producers and these acts planned, and the first of them reading.
fn reading_of_two_producers(plan: crate::trial::Script) -> Script {
    let machine = live([0, 0]).machine;
    let second = PrepareProducer {
        producer: 1,
        ..producers()[0].clone()
    };
    let producers = vec![producers()[0].clone(), second];
    let spec = crate::trial::spec::TrialSpec {
        terms: machine.terms,
        ..spec_of(&arrangement("case", 2, 1), 2)
    };
    let load = load_spec([0, 0]);
    let mut script = Script::new(spec.with_load(load, producers).with_script(plan, &[]));
    let actors: Vec<ActorId> = script.machine.cast.ids().collect();
    for actor in &actors {
        script.says(*actor, FromWorker::Hello(hello(Capability::ALL)));
    }
    for actor in &actors {
        script.says(*actor, FromWorker::Ready);
    }
    script.holds(0, &[&[0]]);
    script.holds(1, &[&[1]]);
    script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
    assert_eq!(script.machine.phase(), Phase::Reading);
    script
}

#[test]
fn a_producer_that_leaves_or_is_killed_as_planned_is_not_waited_for() {
    use crate::measure::Act;
    let second = ActorId::Producer(1);
    for act in [Act::Leave, Act::Kill] {
        let when = crate::trial::When::At(Duration::from_secs(2));
        let step = crate::trial::Step {
            when,
            target: second.into(),
            act,
        };
        let mut script = reading_of_two_producers(crate::trial::Script {
            steps: vec![step],
            ..crate::trial::Script::default()
        });
        let actions = script.passes(Duration::from_millis(2_100));
        let begun = match act {
            Act::Leave => Action::Send(second, ToWorker::Stop),
            _ => Action::Act(second, act),
        };
        assert!(actions.contains(&begun), "{actions:?}");
        if act == Act::Leave {
            let actions = script.says(second, FromWorker::ProducerResult(Box::new(produced(100))));
            assert_eq!(actions, [Action::Act(second, Act::Leave)]);
        }
        script.event(Event::Died(second, "it was killed (signal 9)".to_owned()));
        script.passes(Duration::from_secs(3));
        let stop = script.says(PRODUCER, progress(400, true));
        assert_eq!(sent_to(&stop, &ToWorker::Stop), [PRODUCER]);
        script.says(PRODUCER, FromWorker::ProducerResult(Box::new(produced(400))));
        let sent = script.machine.log.sent().count();
        assert_eq!(
            (script.machine.cast.all_sent(), sent),
            (true, 1 + usize::from(act == Act::Leave))
        );
        assert_eq!(script.machine.failure(), None);
    }
}

#[test]
fn a_planned_rate_is_in_the_schedule_beforehand_and_counts_from_the_common_start() {
    use crate::measure::Act;
    use crate::trial::When;
    let plan = |when| {
        let (target, act) = (ActorId::Load.into(), Act::SetRate(200));
        crate::trial::Script {
            steps: vec![crate::trial::Step { when, target, act }],
            ..crate::trial::Script::default()
        }
    };
    // Half a second after the common start the producers begin.
    let due = When::At(Duration::from_millis(2_500));
    let load = load_spec([0, 0]).with_rates(&plan(due)).unwrap();
    assert_eq!(load.schedule.expected_records(), 2 * 100 + 2 * 200);
    let configuration = arrangement("case", 2, 1);
    let spec = |when| {
        let spec = spec_of(&configuration, 2).with_load(load_spec([0, 0]), producers());
        Script::new(spec.with_script(plan(when), &[]))
    };
    assert_eq!(spec(due).machine.failure(), None);
    spec(When::AtProgress(0.5)).failed(FailureKind::NotAsPlanned, None, "SetRate");
}
