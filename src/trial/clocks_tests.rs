#![allow(clippy::unwrap_used)]

use super::*;
use crate::measure::{FailureKind, Rebalance, RebalanceKind, Stretch};
use crate::protocol::{Capability, MemberAssignment, WorkerResult};
use crate::testing::script::*;
use crate::trial::{Action, Phase};

const MS: u64 = 1_000_000;
const P1: &str = "group 1, process 1";
const P2: &str = "group 1, process 2";
const FAR: &str = "another host";

/// What the clock of the other host shows more than the coordinator's.
const AHEAD_NS: u64 = 100_000 * MS;

fn on(host: &str) -> FromWorker {
    FromWorker::Hello(Hello {
        host: Some(host.to_owned()),
        ..hello(Capability::ALL)
    })
}

/// Who was asked what its clock shows.
fn asked(actions: &[Action]) -> Option<ActorId> {
    match actions {
        [Action::Send(actor, ToWorker::QueryClock)] => Some(*actor),
        _ => None,
    }
}

fn clock([received_ns, sent_ns]: [u64; 2]) -> FromWorker {
    FromWorker::Clock(ClockReading { received_ns, sent_ns })
}

/// Answers queries as long as there are any, each half a millisecond after it was asked and before the answer came, by a
/// clock that is so far ahead; what was to be done after the last.
fn answer_all(script: &mut Script, mut actions: Vec<Action>, ahead_ns: u64) -> (usize, Vec<Action>) {
    let mut answers = 0;
    while let Some(actor) = asked(&actions) {
        let reading_ns = script.now_ns + MS / 2 + ahead_ns;
        actions = script.says(actor, clock([reading_ns, reading_ns]));
        answers += 1;
    }
    (answers, actions)
}

fn is_prepare(actions: &[Action], actor: ActorId) -> bool {
    let mut orders = actions
        .iter()
        .filter(|action| matches!(action, Action::Send(_, ToWorker::Prepare(_))));
    orders.any(|action| matches!(action, Action::Send(to, _) if *to == actor))
}

/// Two processes, of which the second is on another host and has its order.
fn prepared() -> Script {
    let mut script = Script::new(spec(2, 1, 2));
    script.machine.clocks.here = Some("here".to_owned());
    assert!(is_prepare(&script.says(Reader(0), on("here")), Reader(0)));
    let question = script.says(Reader(1), on(FAR));
    let (answers, then) = answer_all(&mut script, question, AHEAD_NS);
    assert_eq!(answers, EXCHANGES);
    assert!(is_prepare(&then, Reader(1)), "{then:?}");
    script
}

/// The same, reading; with what was done for the start.
fn reading() -> (Script, Vec<Action>) {
    let mut script = prepared();
    script.says(Reader(0), FromWorker::Ready);
    script.says(Reader(1), FromWorker::Ready);
    script.holds(0, &[&[0]]);
    let query = script.machine.query;
    let member = MemberAssignment {
        consumer: 0,
        partitions: vec![partition(1)],
        assigned_ns: Some(script.now_ns + AHEAD_NS),
    };
    let members = vec![member];
    script.says(Reader(1), FromWorker::Assignments { query, members });
    let actions = script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
    assert_eq!(script.machine.phase(), Phase::Reading, "{:?}", script.machine.failure());
    (script, actions)
}

fn read_all(number: i32, ahead_ns: u64) -> WorkerResult {
    let mut member = member_result(&[(number, &[run(0, RECORDS, 1)])]);
    for read in &mut member.partitions {
        read.first_ns = read.first_ns.map(|ns| ns + ahead_ns);
        read.last_ns = read.last_ns.map(|ns| ns + ahead_ns);
    }
    member.rebalances = vec![Rebalance {
        at_ns: BEGIN_NS + 5 * MS + ahead_ns,
        kind: RebalanceKind::Assigned,
        partitions: vec![partition(number)],
    }];
    let pause = Stretch::new(BEGIN_NS + 600 * MS + ahead_ns, BEGIN_NS + 1_200 * MS + ahead_ns);
    WorkerResult {
        members: vec![member],
        pauses: Some(vec![pause]),
        ..WorkerResult::default()
    }
}

/// The same at its end, with the results of both processes, the second's times so far ahead.
fn collected(ahead_ns: u64) -> (Script, Vec<Action>) {
    let (mut script, _) = reading();
    script.reaches(0, 0, RECORDS);
    script.reaches(1, 1, RECORDS);
    script.says(Reader(0), FromWorker::Result(Box::new(read_all(0, 0))));
    let then = script.says(Reader(1), FromWorker::Result(Box::new(read_all(1, ahead_ns))));
    (script, then)
}

#[test]
fn a_worker_of_another_host_gets_the_start_on_its_clock_and_recorded_on_the_coordinators() {
    let (script, actions) = reading();
    let start_ns = script.start_ns();
    assert_eq!(sent_to(&actions, &ToWorker::Start { at_ns: start_ns }), [Reader(0)]);
    let start = ToWorker::Start {
        at_ns: start_ns + AHEAD_NS,
    };
    assert_eq!(sent_to(&actions, &start), [Reader(1)]);

    let (mut script, then) = collected(AHEAD_NS);
    assert_eq!(script.machine.phase(), Phase::Collecting, "its clock is compared again");
    let (answers, _) = answer_all(&mut script, then, AHEAD_NS);
    assert_eq!((answers, script.machine.phase()), (EXCHANGES, Phase::Over));
    assert_eq!(script.machine.failure(), None);
    let host = crate::measure::HostMeasurement::default();
    let (measurement, failure) = crate::trial::measure(&script.machine.ended(), host).unwrap();
    assert_eq!(failure, None);
    let [here, far] = &measurement.members[..] else {
        panic!()
    };
    assert_eq!(
        (far.first_record_ns, far.last_record_ns),
        (here.first_record_ns, here.last_record_ns)
    );
    assert_eq!(far.rebalances[0].at_ns, here.rebalances[0].at_ns);
    let pauses = &measurement.interruptions.processes;
    assert_eq!(pauses[0].pause, pauses[1].pause);
    let hosts: Vec<HostId> = measurement.processes.iter().map(|process| process.host).collect();
    assert_eq!(hosts, [HostId::COORDINATOR, HostId::other(0)]);
    // Half of the millisecond that each exchange took.
    let bounds: Vec<u64> = measurement.clocks.0.iter().map(|clock| clock.bound_ns).collect();
    assert_eq!(bounds, [MS / 2]);
}

#[test]
fn processes_of_one_host_share_its_clock_and_get_their_orders_when_it_is_known() {
    let mut script = Script::new(spec(3, 1, 3));
    script.machine.clocks.here = Some("here".to_owned());
    let question = script.says(Reader(0), on(FAR));
    assert_eq!(
        script.says(Reader(1), on(FAR)),
        [],
        "it waits for the clock of its host"
    );
    let (answers, then) = answer_all(&mut script, question, AHEAD_NS);
    assert_eq!(answers, EXCHANGES);
    assert!(is_prepare(&then, Reader(0)) && is_prepare(&then, Reader(1)), "{then:?}");
    assert!(is_prepare(&script.says(Reader(2), on(FAR)), Reader(2)), "known by now");
    assert_eq!(script.machine.clocks.of_others().0.len(), 1);
}

#[test]
fn a_worker_of_another_host_that_does_not_answer_is_refused_with_the_reason() {
    let mut script = Script::new(spec(2, 1, 2));
    script.machine.clocks.here = Some("here".to_owned());
    script.says(Reader(0), on("here"));
    script.says(Reader(1), on(FAR));
    script.passes(Duration::from_secs(31));
    script.failed(FailureKind::WorkerProtocol, Some(P2), "did not answer `query_clock`");

    let (mut script, _) = collected(AHEAD_NS);
    script.passes(Duration::from_secs(16));
    script.failed(FailureKind::WorkerProtocol, Some(P2), "did not answer `query_clock`");
}

#[test]
fn answers_that_cannot_be_are_refused() {
    let mut script = Script::new(spec(1, 1, 1));
    script.machine.clocks.here = Some("here".to_owned());
    assert_eq!(asked(&script.says(Reader(0), on(FAR))), Some(Reader(0)));
    script.says(Reader(0), clock([7, 3_000_000_000]));
    let part = "cannot be true: ClockReading { received_ns: 7, sent_ns: 3000000000 }";
    script.failed(FailureKind::WorkerProtocol, Some(P1), part);

    let mut script = prepared();
    script.says(Reader(0), clock([7, 7]));
    script.failed(FailureKind::WorkerProtocol, Some(P1), "without having been asked");
}

#[test]
fn a_clock_that_jumped_during_the_trial_fails_it() {
    let (mut script, then) = collected(AHEAD_NS);
    answer_all(&mut script, then, AHEAD_NS + 20 * MS);
    script.failed(
        FailureKind::WorkerProtocol,
        Some(P2),
        "its host's clock moved by 20.000 ms",
    );
}

#[test]
fn drift_widens_the_bound() {
    let (mut script, then) = collected(AHEAD_NS);
    answer_all(&mut script, then, AHEAD_NS + MS);
    assert_eq!(script.machine.failure(), None);
    assert_eq!(script.machine.clocks.of_others().0[0].bound_ns, MS + MS / 2);
}

#[test]
fn times_that_cannot_be_of_the_coordinators_clock_fail_a_worker_that_is_taken_to_be_here() {
    let old = Hello {
        protocol: FIRST_WITH_HOST - 1,
        ..hello(Capability::ALL)
    };
    for (assigned_ns, part) in [
        (BEGIN_NS + AHEAD_NS, "s after its message came"),
        (BEGIN_NS - AHEAD_NS, "it gave a time 100.003 s before its message came"),
    ] {
        let mut script = Script::new(spec(1, 1, 1));
        script.machine.clocks.here = Some("here".to_owned());
        script.says(Reader(0), FromWorker::Hello(old.clone()));
        script.says(Reader(0), FromWorker::Ready);
        let (query, consumer) = (script.machine.query, 0);
        let partitions = vec![partition(0)];
        let member = MemberAssignment {
            consumer,
            partitions,
            assigned_ns: Some(assigned_ns),
        };
        let members = vec![member];
        script.says(Reader(0), FromWorker::Assignments { query, members });
        script.failed(FailureKind::WorkerProtocol, Some(P1), part);
        let cause = "its clock is not that of the coordinator's host";
        script.failed(FailureKind::WorkerProtocol, Some(P1), cause);
    }
}

#[test]
fn a_time_of_another_host_that_cannot_be_is_found_too() {
    let (script, _) = collected(AHEAD_NS + 60_000 * MS);
    script.failed(FailureKind::WorkerProtocol, Some(P2), "was set after it was compared");
}
