//! Programs that speak nothing, by a scripted fleet of observers.

use std::time::Duration;

use super::*;
use crate::measure::{Act, FailureKind, GroupDescription, GroupState, Measurement};
use crate::protocol::{Capability, CommittedStep, MemberResult, Program, ProgramResult, ToWorker, WorkerResult};
use crate::secret::Secret;
use crate::testing::script::{BEGIN_NS, RECORDS, Reader, Script, group, partition, sent_to, spec};
use crate::trial::script::{Script as Plan, Step, When};
use crate::trial::{Limits, TrialSpec, measure};

const OBSERVES: &[Capability] = &[Capability::Usage, Capability::Pauses];
const SECOND_NS: u64 = 1_000_000_000;

fn observed(processes: u32, partitions: usize, ready: Option<&str>) -> TrialSpec {
    spec(processes, 1, partitions).with_programs(|_| Program {
        command: vec![Secret::new("service")],
        env: [].into(),
        ready: ready.map(str::to_owned),
        properties: None,
        file_prefix: String::new(),
        asks_offsets: false,
        log: false,
    })
}

/// The members of the group with partitions `held`, all under the client library's own name.
fn nameless(held: &[&[i32]]) -> GroupDescription {
    let members: Vec<_> = (0..).zip(held).map(|(process, held)| ((process, 0), *held)).collect();
    let mut group = group(&members);
    for member in &mut group.members {
        "rdkafka".clone_into(&mut member.client_id);
    }
    group
}

/// An observer's result: when offsets were committed, in seconds from the trial's beginning.
fn observed_result(steps: &[(i32, u64, i64)]) -> FromWorker {
    let step = |(number, seconds, offset): &(i32, u64, i64)| CommittedStep {
        partition: partition(*number),
        at_ns: BEGIN_NS + seconds * SECOND_NS,
        offset: *offset,
    };
    FromWorker::Result(Box::new(WorkerResult {
        members: vec![MemberResult::default()],
        program: Some(ProgramResult {
            pid: 815,
            started_ns: BEGIN_NS + SECOND_NS / 10,
            ready_ns: None,
            steps: steps.iter().map(step).collect(),
        }),
        ..WorkerResult::default()
    }))
}

fn measured(script: &Script) -> Measurement {
    assert_eq!((script.machine.phase(), script.machine.failure()), (Phase::Over, None));
    let (measurement, failure) = measure(&script.machine.ended(), crate::measure::HostMeasurement::default()).unwrap();
    assert_eq!(failure, None);
    measurement
}

#[test]
fn one_observer_of_a_group_asks_for_its_offsets_and_is_the_only_one_that_gets_the_program() {
    let asks = |spec: &TrialSpec| -> Vec<bool> {
        let programs = spec
            .cast
            .readers
            .iter()
            .map(|reader| reader.role.prepare.program.as_ref());
        programs.map(|program| program.unwrap().asks_offsets).collect()
    };
    assert_eq!(asks(&observed(3, 2, None)), [true, false, false]);
    let kill = Step {
        when: When::At(Duration::from_secs(1)),
        target: Reader(0).into(),
        act: Act::Kill,
    };
    let plan = Plan {
        steps: vec![kill],
        numbers: Vec::new(),
    };
    // It would take with it what it saw.
    assert_eq!(asks(&observed(3, 2, None).with_script(plan, &[])), [true; 3]);
}

#[test]
fn three_instances_on_two_partitions_are_read_by_their_commits_and_the_third_is_named_idle() {
    let mut script = Script::joining(observed(3, 2, None), OBSERVES);
    // It reads before anybody says that it may.
    script.reaches(0, 0, 40);
    script.group(nameless(&[&[1], &[], &[0]]));
    assert_eq!(script.machine.phase(), Phase::Reading);
    script.passes(Duration::from_secs(4));
    script.reaches(0, 0, RECORDS);
    script.reaches(0, 1, RECORDS);
    assert_eq!(script.machine.phase(), Phase::Collecting);
    let steps = [
        (0, 0, 0),
        (0, 1, 40),
        (0, 2, 80),
        (0, 3, RECORDS),
        (1, 1, 50),
        (1, 2, RECORDS),
    ];
    script.says(Reader(0), observed_result(&steps));
    script.says(Reader(1), observed_result(&[]));
    script.says(Reader(2), observed_result(&[]));
    let measurement = measured(&script);
    let idle: Vec<String> = measurement
        .idle_members()
        .map(crate::measure::MemberMeasurement::name)
        .collect();
    assert_eq!(idle, ["group 1, member 3"]);
    let records: Vec<u64> = measurement
        .members
        .iter()
        .map(crate::measure::MemberMeasurement::records)
        .collect();
    assert_eq!(records, [100, 100, 0]);
    // From the start of the program to the commit of the last record.
    assert_eq!(measurement.stopwatch_ns(), 3 * SECOND_NS - SECOND_NS / 10);
    assert!(!measurement.has_read_time());
    let outside = measurement.outside.as_ref().unwrap();
    assert_eq!(outside.commit_interval_ns, Some(SECOND_NS));
    assert_eq!(measurement.processes[0].pid, 815);
    let (_, excluded) = crate::measure::judge::judge(&measurement, &crate::measure::judge::ExclusionRules::default());
    assert_eq!(excluded, None);
}

#[test]
fn a_program_that_says_when_it_is_ready_is_waited_for() {
    let mut script = Script::joining(observed(1, 1, Some("^ready")), OBSERVES);
    script.group(nameless(&[&[0]]));
    assert_eq!(script.machine.phase(), Phase::Joining);
    let at_ns = script.now_ns;
    script.says(Reader(0), FromWorker::ProgramReady { at_ns });
    script.passes(Duration::from_millis(20));
    let actions = script.group(nameless(&[&[0]]));
    assert_eq!(script.machine.phase(), Phase::Reading);
    let start_ns = script.start_ns();
    assert_eq!(sent_to(&actions, &ToWorker::Start { at_ns: start_ns }), [Reader(0)]);
    let mut late = Script::joining(observed(1, 1, Some("^ready")), OBSERVES);
    late.group(nameless(&[&[0]]));
    late.passes(Limits::default().join + Duration::from_secs(1));
    late.failed(
        FailureKind::Assignment,
        Some("group 1, process 1"),
        "has printed no line that matches `ready`",
    );
}

#[test]
fn a_program_that_never_joins_that_ends_and_that_commits_nothing_fail_by_messages_of_their_own() {
    let mut lonely = Script::joining(observed(1, 1, None), OBSERVES);
    let empty = GroupDescription {
        state: GroupState::Empty,
        members: Vec::new(),
    };
    lonely.group(empty);
    lonely.passes(Limits::default().join + Duration::from_secs(1));
    lonely.failed(FailureKind::Assignment, None, "no member has joined the group");

    let mut ended = Script::joining(observed(1, 1, None), OBSERVES);
    ended.says(
        Reader(0),
        FromWorker::Failed {
            consumer: None,
            connect: false,
            message: "the program ended with exit code 3; its last words: alas".to_owned(),
        },
    );
    ended.failed(
        FailureKind::WorkerFailed,
        Some("group 1, process 1"),
        "exit code 3; its last words: alas",
    );

    let mut silent = Script::joining(observed(1, 1, None), OBSERVES);
    silent.group(nameless(&[&[0]]));
    silent.passes(Limits::default().stall + Duration::from_secs(1));
    silent.failed(
        FailureKind::Stall,
        Some("group 1, process 1, consumer 1"),
        "the group committed no offset for 20 s",
    );
}
