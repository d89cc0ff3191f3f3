#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::measure::{DeliveredOffsets, DeliveredTopics};
use crate::measure::{GroupMember, GroupState};
use crate::protocol::{
    Capability, Hello, MemberAssignment, PROTOCOL_VERSION, Position, ToWorker, TopicTarget, WorkCalibration,
};
use crate::testing::arrangement;
use crate::testing::script::*;
use crate::trial::Existing;
use crate::trial::barrier::Obstacle;
use crate::trial::limits::Limits;

const P1: &str = "group 1, process 1";
const P2: &str = "group 1, process 2";
const M1: &str = "group 1, process 1, consumer 1";
const M2: &str = "group 1, process 2, consumer 1";

#[test]
fn a_trial_goes_from_hello_to_its_results() {
    let mut script = Script::new(spec(2, 1, 2));
    let actions = script.says(Reader(0), FromWorker::Hello(hello(Capability::ALL)));
    assert!(
        matches!(&actions[..], [Action::Send(Reader(0), ToWorker::Prepare(_))]),
        "{actions:?}"
    );
    script.says(Reader(1), FromWorker::Hello(hello(Capability::ALL)));
    assert_eq!(script.says(Reader(1), FromWorker::Ready), []);
    let actions = script.says(Reader(0), FromWorker::Ready);
    assert_eq!(sent_to(&actions, &ToWorker::Subscribe), [Reader(0), Reader(1)]);
    assert_eq!(
        sent_to(&actions, &ToWorker::QueryAssignments { query: 1 }),
        [Reader(0), Reader(1)]
    );
    assert!(actions.contains(&Action::Describe(0)));

    assert_eq!(script.holds(0, &[&[0]]), []);
    assert_eq!(script.holds(1, &[&[1]]), []);
    let actions = script.group(group(&[((1, 0), &[1]), ((0, 0), &[0])]));
    let at_ns = script.start_ns();
    assert!(
        at_ns > script.now_ns,
        "the start lies ahead for every worker to hear of it"
    );
    assert_eq!(sent_to(&actions, &ToWorker::Start { at_ns }), [Reader(0), Reader(1)]);
    assert!(actions.contains(&Action::Started(at_ns)));
    assert_eq!(script.machine.progress(), (0, 200));

    script.reaches(0, 0, 60);
    assert_eq!(script.reaches(0, 0, RECORDS), []);
    assert_eq!(script.machine.progress(), (100, 200));
    let actions = script.reaches(1, 1, RECORDS);
    assert_eq!(actions[0], Action::Ended);
    assert_eq!(sent_to(&actions, &ToWorker::Stop), [Reader(0), Reader(1)]);

    script.says(Reader(0), result(&[member_result(&[(0, &[run(0, RECORDS, 1)])])]));
    assert_eq!(script.machine.phase(), Phase::Collecting);
    script.says(Reader(1), result(&[member_result(&[(1, &[run(0, RECORDS, 1)])])]));
    assert_eq!((script.machine.phase(), script.machine.failure()), (Phase::Over, None));
}

#[test]
fn a_worker_that_dies_is_named_in_every_phase() {
    let scripts = [
        Script::new(spec(2, 1, 2)),
        Script::joining(spec(2, 1, 2), Capability::ALL),
        Script::reading(),
        Script::collecting(),
    ];
    for mut script in scripts {
        script.event(Event::Died(Reader(1), "it was killed (signal 9)".to_owned()));
        script.failed(FailureKind::WorkerDied, Some(P2), "signal 9");
    }
}

#[test]
fn a_worker_of_another_protocol_is_refused() {
    let mut script = Script::new(spec(1, 1, 1));
    let stranger = Hello {
        protocol: PROTOCOL_VERSION + 1,
        ..hello(Capability::ALL)
    };
    assert_eq!(script.says(Reader(0), FromWorker::Hello(stranger)), []);
    script.failed(FailureKind::WorkerProtocol, Some(P1), "protocol 3");
}

#[test]
fn a_worker_that_cannot_assign_by_hand_is_refused_where_it_has_to() {
    let mut script = Script::new(manual_spec(1, 1));
    script.says(Reader(0), FromWorker::Hello(hello(&[Capability::Hold])));
    script.failed(FailureKind::WorkerProtocol, Some(P1), "manual");
}

#[test]
fn a_worker_without_threads_is_refused_where_records_are_worked_on_several() {
    let threaded = |threads| {
        let configuration = crate::scenario::Configuration {
            threads,
            ..arrangement("case", 1, 1)
        };
        Script::new(spec_of(&configuration, 1))
    };
    let mut script = threaded(4);
    script.says(Reader(0), FromWorker::Hello(hello(&[Capability::Hold])));
    script.failed(FailureKind::WorkerProtocol, Some(P1), "capability `threads`");
    let actions = threaded(4).says(Reader(0), FromWorker::Hello(hello(&[Capability::Threads])));
    let [Action::Send(Reader(0), ToWorker::Prepare(prepare))] = &actions[..] else {
        panic!("{actions:?}");
    };
    assert_eq!(prepare.threads, 4);
    assert_eq!(threaded(1).says(Reader(0), FromWorker::Hello(hello(&[]))).len(), 1);
}

#[test]
fn lines_before_the_introduction_are_a_log_and_after_it_an_error() {
    let mut script = Script::new(spec(1, 1, 1));
    script.event(Event::Garbage(Reader(0), "Picked up JAVA_TOOL_OPTIONS".to_owned()));
    assert_eq!(script.machine.failure(), None);
    script.says(Reader(0), FromWorker::Hello(hello(Capability::ALL)));
    script.event(Event::Garbage(Reader(0), "Exception in thread \"main\"".repeat(100)));
    script.failed(FailureKind::WorkerProtocol, Some(P1), "Exception in thread");
    assert!(script.failure().message.len() < 300, "a long line is cut");
}

#[test]
fn messages_out_of_turn_are_an_error_of_their_worker() {
    let mut early = Script::new(spec(2, 1, 2));
    early.says(Reader(1), FromWorker::Ready);
    early.failed(FailureKind::WorkerProtocol, Some(P2), "ready");

    let mut again = Script::reading();
    again.says(Reader(0), FromWorker::Hello(hello(Capability::ALL)));
    again.failed(FailureKind::WorkerProtocol, Some(P1), "second time");

    let mut hasty = Script::reading();
    hasty.says(Reader(0), result(&[member_result(&[])]));
    hasty.failed(FailureKind::WorkerProtocol, Some(P1), "before it was asked");

    let mut twice = Script::collecting();
    twice.says(Reader(0), result(&[member_result(&[])]));
    twice.says(Reader(0), result(&[member_result(&[])]));
    twice.failed(FailureKind::WorkerProtocol, Some(P1), "second time");

    let mut short = Script::collecting();
    short.says(Reader(0), result(&[]));
    short.failed(FailureKind::WorkerProtocol, Some(P1), "0 members");

    let mut many = Script::joining(spec(2, 1, 2), Capability::ALL);
    many.holds(0, &[&[0], &[1]]);
    many.failed(FailureKind::WorkerProtocol, Some(P1), "2 members");

    let of_none = FromWorker::Unanswered {
        consumer: 1,
        records: Vec::new(),
    };
    let mut stranger = Script::reading();
    stranger.says(Reader(0), of_none);
    stranger.failed(
        FailureKind::WorkerProtocol,
        Some(P1),
        "consumer 1, and the process has 1",
    );
}

#[test]
fn a_worker_that_gives_up_is_named_with_its_consumer() {
    let mut script = Script::joining(spec(1, 2, 2), Capability::ALL);
    script.says(
        Reader(0),
        FromWorker::Failed {
            consumer: Some(1),
            connect: false,
            message: "no memory".to_owned(),
        },
    );
    script.failed(
        FailureKind::WorkerFailed,
        Some("group 1, process 1, consumer 2"),
        "no memory",
    );

    let mut script = Script::new(spec(1, 1, 1));
    script.says(
        Reader(0),
        FromWorker::Failed {
            consumer: None,
            connect: true,
            message: "refused".to_owned(),
        },
    );
    script.failed(FailureKind::Connect, Some(P1), "refused");
}

#[test]
fn an_old_client_that_is_refused_a_login_is_named_with_its_version() {
    let mut script = Script::new(spec(1, 1, 1));
    let old = Hello {
        client_version: "2.0.2".to_owned(),
        client: "librdkafka".to_owned(),
        ..hello(Capability::ALL)
    };
    script.says(Reader(0), FromWorker::Hello(old));
    let message = "SASL authentication error: Authentication failed due to invalid credentials".to_owned();
    script.says(
        Reader(0),
        FromWorker::Failed {
            consumer: None,
            connect: true,
            message,
        },
    );
    let note = "librdkafka 2.0.2: librdkafka before 2.6 is refused so by Kafka 4.x with the right SCRAM password";
    script.failed(FailureKind::Connect, Some(P1), note);
}

#[test]
fn the_worker_that_is_late_is_named() {
    let limits = Limits::default();
    let mut silent = Script::new(spec(2, 1, 2));
    silent.says(Reader(0), FromWorker::Hello(hello(Capability::ALL)));
    silent.passes(limits.hello);
    silent.failed(FailureKind::WorkerStart, Some(P2), "within 15 s");

    let mut unready = Script::new(spec(2, 1, 2));
    unready.says(Reader(0), FromWorker::Hello(hello(Capability::ALL)));
    unready.says(Reader(1), FromWorker::Hello(hello(Capability::ALL)));
    unready.says(Reader(1), FromWorker::Ready);
    unready.passes(limits.ready.saturating_sub(Duration::from_secs(1)));
    assert_eq!(unready.machine.failure(), None);
    unready.passes(Duration::from_secs(1));
    unready.failed(FailureKind::Connect, Some(P1), "within 30 s");

    let mut without_result = Script::collecting();
    without_result.says(Reader(0), result(&[member_result(&[(0, &[run(0, RECORDS, 1)])])]));
    without_result.passes(limits.result);
    without_result.failed(FailureKind::Timeout, Some(P2), "no result within 15 s");
}

/// Lets the same answers come again and again until the time to join is over.
fn never_settles(script: &mut Script, answer: impl Fn(&mut Script)) {
    let deadline = script.now_ns + 61_000_000_000;
    while script.machine.phase() == Phase::Joining && script.now_ns < deadline {
        answer(script);
        script.passes(Duration::from_secs(1));
    }
}

#[test]
fn members_that_never_join_fail_with_what_the_group_lacks() {
    let mut nobody = Script::joining(spec(2, 1, 2), Capability::ALL);
    never_settles(&mut nobody, |script| {
        script.holds(0, &[&[]]);
        script.holds(1, &[&[]]);
        let state = GroupState::Empty;
        script.group(GroupDescription { state, members: vec![] });
    });
    nobody.failed(FailureKind::Assignment, None, "Empty with 0 of 2 members");

    let mut alone = Script::joining(spec(2, 1, 2), Capability::ALL);
    never_settles(&mut alone, |script| {
        script.holds(0, &[&[0, 1]]);
        script.holds(1, &[&[]]);
        script.group(group(&[((0, 0), &[0, 1])]));
    });
    alone.failed(FailureKind::Assignment, Some(M2), "not in the group");

    let mut unanswered = Script::joining(spec(2, 1, 2), Capability::ALL);
    unanswered.passes(Limits::default().join);
    unanswered.failed(
        FailureKind::Assignment,
        Some(P1),
        "it does not answer what its members hold",
    );
}

#[test]
fn after_an_error_the_cluster_is_asked_again_and_the_last_error_is_reported() {
    let mut script = Script::joining(spec(2, 1, 2), Capability::ALL);
    script.event(Event::Group(0, Err("coordinator not available".to_owned())));
    assert_eq!(script.machine.failure(), None);
    let actions = script.passes(Duration::from_millis(20));
    assert!(actions.contains(&Action::Describe(0)), "{actions:?}");
    never_settles(&mut script, |script| {
        script.event(Event::Group(0, Err("coordinator not available".to_owned())));
    });
    script.failed(FailureKind::Assignment, None, "coordinator not available");
}

#[test]
fn a_reason_to_wait_is_logged_once_for_as_long_as_it_lasts() {
    let mut script = Script::joining(spec(2, 1, 2), Capability::ALL);
    for reason in ["no coordinator", "no coordinator", "not yet"] {
        script.event(Event::Group(0, Err(reason.to_owned())));
        script.passes(Duration::from_millis(20));
    }
    let waits = script.machine.log.all(Happening::try_as_waits_ref);
    let reasons = waits.map(|(_, obstacle)| obstacle.clone());
    let expected = ["no coordinator", "not yet"].map(|reason| Obstacle::Unsettled(reason.to_owned()));
    assert_eq!(reasons.collect::<Vec<_>>(), expected);
}

#[test]
fn two_members_that_claim_one_partition_for_all_the_time_are_both_named() {
    let both = format!("{M1} and {M2}");
    let mut script = Script::joining(spec(2, 1, 2), Capability::ALL);
    never_settles(&mut script, |script| {
        script.holds(0, &[&[0, 1]]);
        script.holds(1, &[&[1]]);
        script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
    });
    script.failed(FailureKind::Overlap, Some(&both), "partition 1 of topic 1");

    let mut manual = Script::joining(manual_spec(2, 2), Capability::ALL);
    never_settles(&mut manual, |script| {
        script.holds(0, &[&[0, 1]]);
        script.holds(1, &[&[1]]);
    });
    manual.failed(FailureKind::Overlap, Some(&both), "for 60 s");
}

#[test]
fn an_overlap_that_passes_is_none() {
    let mut script = Script::joining(spec(2, 1, 2), Capability::ALL);
    script.holds(0, &[&[0, 1]]);
    script.holds(1, &[&[1]]);
    script.group(group(&[((0, 0), &[0, 1]), ((1, 0), &[1])]));
    script.passes(Duration::from_millis(20));
    script.holds(0, &[&[0]]);
    script.holds(1, &[&[1]]);
    script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
    assert_eq!(script.machine.phase(), Phase::Reading);
}

#[test]
fn a_group_whose_members_have_not_reached_their_targets_is_waited_for() {
    let member = |client: &str, held: &[i32], target: &[i32]| {
        let named = |partitions: &[i32]| partitions.iter().map(|p| ("t".to_owned(), *p)).collect::<Vec<_>>();
        GroupMember {
            client_id: client.to_owned(),
            host: "/127.0.0.1".to_owned(),
            assignment: named(held),
            target: Some(named(target)),
        }
    };
    let stable = |members| GroupDescription {
        state: GroupState::Stable,
        members,
    };
    let mut script = Script::joining(spec(2, 1, 2), Capability::ALL);
    script.holds(0, &[&[0, 1]]);
    script.holds(1, &[&[]]);
    let (one, two) = ("trial-g1-p1-c1", "trial-g1-p2-c1");
    script.group(stable(vec![member(one, &[0, 1], &[0]), member(two, &[], &[1])]));
    assert_eq!(script.machine.phase(), Phase::Joining);
    script.passes(Duration::from_millis(20));
    script.holds(0, &[&[0]]);
    script.holds(1, &[&[1]]);
    script.group(stable(vec![member(one, &[0], &[0]), member(two, &[1], &[1])]));
    assert_eq!(script.machine.phase(), Phase::Reading);
}

#[test]
fn answers_to_an_earlier_look_do_not_count() {
    let mut script = Script::joining(spec(2, 1, 2), Capability::ALL);
    let stale = script.machine.query;
    script.event(Event::Group(0, Err("try again".to_owned())));
    script.passes(Duration::from_millis(20));
    let members = vec![MemberAssignment {
        consumer: 0,
        partitions: vec![partition(0)],
        assigned_ns: None,
    }];
    script.says(Reader(0), FromWorker::Assignments { query: stale, members });
    script.holds(1, &[&[1]]);
    script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
    assert_eq!(script.machine.phase(), Phase::Joining);
    script.holds(0, &[&[0]]);
    assert_eq!(script.machine.phase(), Phase::Reading);
}

#[test]
fn a_member_of_somebody_else_is_named_in_the_reason() {
    let mut script = Script::joining(spec(2, 1, 2), Capability::ALL);
    never_settles(&mut script, |script| {
        script.holds(0, &[&[0]]);
        script.holds(1, &[&[]]);
        let mut described = group(&[((0, 0), &[0]), ((1, 0), &[])]);
        described.members.push(GroupMember {
            client_id: "console-consumer".to_owned(),
            host: "/127.0.0.1".to_owned(),
            assignment: vec![("t".to_owned(), 1)],
            target: None,
        });
        script.group(described);
    });
    script.failed(FailureKind::Assignment, None, "console-consumer");
}

#[test]
fn a_stall_names_the_members_that_hold_what_is_unread() {
    let limits = Limits::default();
    let mut script = Script::reading();
    script.reaches(0, 0, RECORDS);
    script.reaches(1, 1, 40);
    // The same position again is no progress.
    script.passes(limits.stall.saturating_sub(Duration::from_secs(1)));
    script.reaches(1, 1, 40);
    assert_eq!(script.machine.failure(), None);
    script.passes(Duration::from_millis(1_100));
    script.failed(FailureKind::Stall, Some(M2), "t [1]");

    let mut both = Script::reading();
    both.passes(limits.stall + Duration::from_secs(1));
    both.failed(
        FailureKind::Stall,
        Some(&format!("{M1} and {M2}")),
        "2 partitions unread",
    );
}

#[test]
fn reading_that_goes_on_for_ever_is_ended() {
    let mut script = Script::reading();
    let mut offset = 0;
    while script.machine.phase() == Phase::Reading {
        offset += 1;
        assert!(offset < RECORDS, "the limit was not kept");
        script.reaches(0, 0, offset);
        script.passes(Duration::from_secs(19));
    }
    script.failed(FailureKind::Timeout, None, "more than 1800 s");
}

#[test]
fn the_machine_wants_to_be_woken_for_the_next_look_and_for_a_stall() {
    let mut script = Script::joining(spec(1, 1, 1), Capability::ALL);
    script.event(Event::Group(0, Err("try again".to_owned())));
    assert_eq!(script.machine.wake_ns(), script.now_ns + 15_000_000);
    let script = Script::reading();
    assert_eq!(script.machine.wake_ns(), script.start_ns() + 20_000_000_000);
}

#[test]
fn an_empty_partition_is_read_before_it_begins() {
    let mut spec = spec(2, 1, 2);
    spec.terms.topics[0].partitions[1] = range(7, 7);
    let mut script = Script::joining(spec, Capability::ALL);
    script.holds(0, &[&[0]]);
    script.holds(1, &[&[1]]);
    script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
    script.reaches(0, 0, RECORDS);
    assert_eq!(script.machine.phase(), Phase::Collecting);
}

#[test]
fn positions_beyond_the_data_count_for_no_more_than_there_is() {
    let mut script = Script::reading();
    for (number, offset) in [(0, i64::MAX), (7, i64::MAX), (1, i64::MIN)] {
        script.reaches(0, number, offset);
    }
    assert_eq!(script.machine.progress(), (100, 200));
}

fn any_message() -> impl Strategy<Value = FromWorker> {
    let position = (0u32..2, -1i32..3, any::<i64>()).prop_map(|(topic, partition, offset)| Position {
        topic,
        partition,
        offset,
    });
    let held = proptest::collection::vec(0i32..3, 0..3);
    let members = proptest::collection::vec(held, 0..3);
    let runs = proptest::collection::vec((any::<i64>(), any::<i64>()), 0..3);
    prop_oneof![
        3 => Just(FromWorker::Hello(hello(Capability::ALL))),
        1 => Just(FromWorker::Hello(hello(&[]))),
        3 => Just(FromWorker::Ready),
        3 => (1u64..4, members).prop_map(|(query, members)| FromWorker::Assignments {
            query,
            members: (0u32..).zip(members).map(|(consumer, held)| MemberAssignment {
                consumer,
                partitions: held.into_iter().map(partition).collect(),
                assigned_ns: None,
            }).collect(),
        }),
        3 => proptest::collection::vec(position, 0..4).prop_map(|positions| FromWorker::Progress { positions }),
        1 => runs.prop_map(|runs| {
            let runs: Vec<_> = runs.into_iter().map(|(first, end)| crate::measure::OffsetRun { first, end, epoch: 0 }).collect();
            let mut member = member_result(&[]);
            member.partitions.push(crate::measure::PartitionMeasurement { records: 3, runs: Some(runs), ..Default::default() });
            result(&[member])
        }),
        1 => Just(FromWorker::Reported { consumer: Some(9), message: String::new(), times: 0 }),
        1 => Just(FromWorker::Failed { consumer: Some(9), connect: false, message: String::new() }),
        1 => Just(FromWorker::Calibrated(WorkCalibration { iterations_per_us: f64::NAN, sleep_excess_ns: 0 })),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let description = prop_oneof![
        Just(Ok(group(&[((0, 0), &[0]), ((1, 0), &[1])]))),
        Just(Ok(group(&[((0, 0), &[0, 1]), ((1, 0), &[1])]))),
        Just(Err("unreachable".to_owned())),
    ];
    prop_oneof![
        10 => (0usize..2, any_message()).prop_map(|(worker, message)| Event::Message(Reader(worker), message)),
        2 => description.prop_map(|description| Event::Group(0, description)),
        2 => (0u8..1).prop_map(|_| Event::Tick),
        1 => (0usize..2).prop_map(|worker| Event::Garbage(Reader(worker), "é".repeat(300))),
        1 => (0usize..2).prop_map(|worker| Event::Died(Reader(worker), String::new())),
    ]
}

/// The beginnings from which random events go on.
fn any_beginning() -> impl Strategy<Value = usize> {
    0usize..4
}

proptest! {
    #[test]
    fn whatever_comes_nothing_panics_and_what_is_over_stays_over(
        beginning in any_beginning(),
        events in proptest::collection::vec((any_event(), 0u64..30_000_000_000), 0..40),
    ) {
        let mut script = match beginning {
            0 => Script::new(spec(2, 1, 2)),
            1 => Script::joining(spec(2, 1, 2), Capability::ALL),
            2 => Script::reading(),
            _ => Script::collecting(),
        };
        let mut over = false;
        for (event, pause_ns) in events {
            script.now_ns += pause_ns;
            let before = script.machine.failure().cloned();
            let actions = script.event(event);
            let (done, total) = script.machine.progress();
            prop_assert!(done <= total);
            let _ = script.machine.wake_ns();
            if over {
                prop_assert_eq!(script.machine.phase(), Phase::Over);
                prop_assert_eq!(script.machine.failure(), before.as_ref());
                prop_assert!(actions.is_empty());
            }
            over |= script.machine.phase() == Phase::Over;
        }
        if over && script.machine.failure().is_none() {
            let host = crate::measure::HostMeasurement::default();
            let _ = crate::trial::measure(&script.machine.ended(), host);
        }
    }
}

/// Two partitions of an existing topic, each with a record at every second offset.
fn existing() -> Script {
    let offsets: DeliveredOffsets = (0..RECORDS).step_by(2).collect();
    let delivered = DeliveredTopics {
        topics: vec![vec![offsets; 2]],
    };
    let mut spec = spec(2, 1, 2);
    let existing = Existing::new(Arc::new(delivered), &mut spec.terms.topics, &[vec![0, 0]]);
    Script::reading_of(spec.with_existing(existing))
}

/// What the cluster is asked for when nothing was read for a while.
fn asked(script: &mut Script) -> Vec<TopicTarget> {
    match &script.passes(Duration::from_millis(2_100))[..] {
        [Action::AskStill(targets)] => targets.clone(),
        other => panic!("{other:?}"),
    }
}

/// The answer to this question.
fn still(asked: Vec<TopicTarget>, first: &[i64], second: &[i64]) -> Event {
    let offsets = |all: &[i64]| all.iter().copied().collect();
    let delivered = DeliveredTopics {
        topics: vec![vec![offsets(first), offsets(second)]],
    };
    Event::Still(asked, Ok(delivered))
}

#[test]
fn a_partition_of_which_nothing_is_delivered_any_more_is_at_its_end() {
    let mut script = existing();
    assert_eq!(script.machine.progress(), (0, 100), "records, and not offsets");
    script.reaches(0, 0, RECORDS);
    assert_eq!(script.machine.progress(), (50, 100));
    script.reaches(1, 1, 40);
    let targets = asked(&mut script);
    assert_eq!(targets[0].partitions, [range(RECORDS, RECORDS), range(40, RECORDS)]);
    assert_eq!(script.passes(Duration::from_secs(3)), [], "one question at a time");
    // The reader goes on before the answer comes, which knows only the first record that was there.
    script.reaches(1, 1, 45);
    assert_eq!(script.event(still(targets, &[], &[40])), [], "something of it is left");
    assert_eq!(script.machine.phase(), Phase::Reading);
    let unanswered = Event::Still(asked(&mut script), Err("no answer".to_owned()));
    assert_eq!(script.event(unanswered), []);
    assert_eq!(script.machine.phase(), Phase::Reading);
    let nothing = still(asked(&mut script), &[], &[]);
    let actions = script.event(nothing);
    assert_eq!(sent_to(&actions, &ToWorker::Stop), [Reader(0), Reader(1)]);
    assert_eq!(script.machine.phase(), Phase::Collecting);
}

#[test]
fn as_long_as_records_come_the_cluster_is_not_asked_for_what_is_left() {
    let mut script = existing();
    for offset in 1..20 {
        script.reaches(0, 0, offset);
        assert_eq!(script.passes(Duration::from_secs(1)), []);
    }
}

#[test]
fn filled_topics_are_not_queried_again() {
    let mut script = Script::reading();
    assert_eq!(script.passes(Duration::from_secs(19)), []);
    assert_eq!(script.event(still(topics(2), &[], &[])), []);
    assert_eq!(script.machine.phase(), Phase::Reading);
}

#[test]
fn who_does_not_answer_is_named_and_not_what_an_earlier_look_found() {
    let limits = Limits::default();
    // Of the first look everything is answered: the second member is not there yet.
    let looked = || {
        let mut script = Script::joining(spec(2, 1, 2), Capability::ALL);
        script.holds(0, &[&[0, 1]]);
        script.holds(1, &[&[]]);
        script.group(group(&[((0, 0), &[0, 1])]));
        script.passes(Duration::from_millis(20));
        script
    };
    let mut silent_worker = looked();
    silent_worker.holds(0, &[&[0]]);
    silent_worker.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
    silent_worker.passes(limits.join);
    silent_worker.failed(
        FailureKind::Assignment,
        Some(P2),
        "after 60 s: it does not answer what its members hold",
    );

    let mut silent_cluster = looked();
    silent_cluster.holds(0, &[&[0]]);
    silent_cluster.holds(1, &[&[1]]);
    silent_cluster.passes(limits.join);
    silent_cluster.failed(
        FailureKind::Assignment,
        None,
        "the cluster does not answer about group trial-g1",
    );
}
