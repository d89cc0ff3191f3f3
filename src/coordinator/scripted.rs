//! A trial by hand for the tests of this room: workers that say what a script lets them say, at made-up times.

use std::collections::BTreeMap;
use std::time::Duration;

use super::spec::{Limits, TrialSpec};
use super::trial::{Action, Event, Phase, TrialMachine};
use crate::kafka::{GroupDescription, GroupMember, GroupState};
use crate::measure::{Failure, FailureKind, OffsetRun, TopicPartition};
use crate::protocol::{
    Capability, FromWorker, Hello, MemberAssignment, MemberResult, OffsetRange, PROTOCOL_VERSION, PartitionResult,
    Position, ToWorker, TopicTarget, WorkCalibration, WorkerResult,
};
use crate::scenario::{Configuration, Membership};
use crate::testing::ScenarioBuilder;

/// Everything that tandem's own worker can do.
pub(super) const ALL: &[Capability] = &[
    Capability::Hold,
    Capability::Assignment,
    Capability::Ledger,
    Capability::Usage,
    Capability::Work,
    Capability::Manual,
    Capability::Calibrate,
    Capability::Reading,
    Capability::Statistics,
];

/// When a scripted trial begins.
pub(super) const BEGIN_NS: u64 = 1_000_000_000_000;

/// Records of each partition.
pub(super) const RECORDS: i64 = 100;

pub(super) fn partition(partition: i32) -> TopicPartition {
    TopicPartition { topic: 0, partition }
}

pub(super) fn range(low: i64, end: i64) -> OffsetRange {
    OffsetRange { low, end }
}

pub(super) fn run(first: i64, end: i64, epoch: u32) -> OffsetRun {
    OffsetRun { first, end, epoch }
}

/// A configuration of one group with this many processes and consumers in each.
pub(super) fn configuration(processes: u32, consumers: u32) -> Configuration {
    let scenario = ScenarioBuilder::new().case("case", processes, consumers).build();
    scenario.configurations.into_iter().next().expect("one case")
}

/// One topic `t` with partitions of [`RECORDS`] records.
pub(super) fn topics(partitions: usize) -> Vec<TopicTarget> {
    vec![TopicTarget {
        name: "t".to_owned(),
        partitions: vec![range(0, RECORDS); partitions],
    }]
}

/// A trial of the configuration over one topic.
pub(super) fn spec_of(configuration: &Configuration, partitions: usize) -> TrialSpec {
    let limits = Limits::default();
    TrialSpec::new(
        configuration,
        "trial",
        topics(partitions),
        &BTreeMap::new(),
        WorkCalibration::default(),
        limits,
    )
}

/// A trial of one group over one topic.
pub(super) fn spec(processes: u32, consumers: u32, partitions: usize) -> TrialSpec {
    spec_of(&configuration(processes, consumers), partitions)
}

/// As [`spec`], with members that assign their partitions to themselves.
pub(super) fn manual_spec(processes: u32, partitions: usize) -> TrialSpec {
    let manual = Configuration {
        membership: Membership::Manual,
        ..configuration(processes, 1)
    };
    spec_of(&manual, partitions)
}

pub(super) fn hello(capabilities: &[Capability]) -> Hello {
    Hello {
        protocol: PROTOCOL_VERSION,
        client: "scripted".to_owned(),
        client_version: "1".to_owned(),
        pid: 4711,
        capabilities: capabilities.to_vec(),
    }
}

/// A settled group of the classic protocol: each member's number (process, consumer) with its partitions.
pub(super) fn group(members: &[((u32, u32), &[i32])]) -> GroupDescription {
    let member = |((process, consumer), held): &((u32, u32), &[i32])| GroupMember {
        client_id: format!("trial-g1-p{}-c{}", process + 1, consumer + 1),
        host: "/127.0.0.1".to_owned(),
        assignment: held.iter().map(|partition| ("t".to_owned(), *partition)).collect(),
        target: None,
    };
    GroupDescription {
        state: GroupState::Stable,
        members: members.iter().map(member).collect(),
    }
}

/// What a consumer read: each partition with its runs.
pub(super) fn member_result(read: &[(i32, &[OffsetRun])]) -> MemberResult {
    let partitions = read.iter().map(|(partition, runs)| PartitionResult {
        topic: 0,
        partition: *partition,
        records: runs.iter().map(|run| (run.end - run.first).unsigned_abs()).sum(),
        first_ns: Some(BEGIN_NS + 2_000_000_000),
        last_ns: Some(BEGIN_NS + 3_000_000_000),
        runs: Some(runs.to_vec()),
        ..PartitionResult::default()
    });
    MemberResult {
        partitions: partitions.collect(),
        ..MemberResult::default()
    }
}

pub(super) fn result(members: &[MemberResult]) -> FromWorker {
    FromWorker::Result(Box::new(WorkerResult {
        members: members.to_vec(),
        ..WorkerResult::default()
    }))
}

/// A machine with a clock that the script moves.
pub(super) struct Script {
    pub(super) machine: TrialMachine,
    pub(super) now_ns: u64,
}

impl Script {
    pub(super) fn new(spec: TrialSpec) -> Self {
        Script {
            machine: TrialMachine::new(spec, BEGIN_NS),
            now_ns: BEGIN_NS,
        }
    }

    /// Workers that have introduced themselves and are ready: all are told to subscribe.
    pub(super) fn joining(spec: TrialSpec, capabilities: &[Capability]) -> Self {
        let mut script = Script::new(spec);
        let workers = script.machine.workers.len();
        for worker in 0..workers {
            script.says(worker, FromWorker::Hello(hello(capabilities)));
        }
        for worker in 0..workers {
            script.says(worker, FromWorker::Ready);
        }
        assert_eq!(script.machine.phase(), Phase::Joining);
        script
    }

    /// Two processes with a partition each, told to start.
    pub(super) fn reading() -> Self {
        let mut script = Script::joining(spec(2, 1, 2), ALL);
        script.holds(0, &[&[0]]);
        script.holds(1, &[&[1]]);
        script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
        assert_eq!(script.machine.phase(), Phase::Reading);
        script
    }

    /// Both partitions read to their ends: results are awaited.
    pub(super) fn collecting() -> Self {
        let mut script = Script::reading();
        script.reaches(0, 0, RECORDS);
        script.reaches(1, 1, RECORDS);
        assert_eq!(script.machine.phase(), Phase::Collecting);
        script
    }

    pub(super) fn event(&mut self, event: Event) -> Vec<Action> {
        self.now_ns += 1_000_000;
        self.machine.on(self.now_ns, event)
    }

    pub(super) fn says(&mut self, worker: usize, message: FromWorker) -> Vec<Action> {
        self.event(Event::Message(worker, message))
    }

    /// A worker answers the latest question: what each of its consumers holds.
    pub(super) fn holds(&mut self, worker: usize, consumers: &[&[i32]]) -> Vec<Action> {
        let query = self.machine.query;
        let members = (0u32..).zip(consumers).map(|(consumer, held)| MemberAssignment {
            consumer,
            partitions: held.iter().map(|number| partition(*number)).collect(),
            assigned_ns: Some(self.now_ns),
        });
        let members = members.collect();
        self.says(worker, FromWorker::Assignments { query, members })
    }

    /// The cluster answers for the only group.
    pub(super) fn group(&mut self, description: GroupDescription) -> Vec<Action> {
        self.event(Event::Group(0, Ok(description)))
    }

    pub(super) fn reaches(&mut self, worker: usize, partition: i32, offset: i64) -> Vec<Action> {
        let position = Position {
            topic: 0,
            partition,
            offset,
        };
        let positions = vec![position];
        self.says(worker, FromWorker::Progress { positions })
    }

    pub(super) fn passes(&mut self, time: Duration) -> Vec<Action> {
        self.now_ns += u64::try_from(time.as_nanos()).expect("a short time");
        self.machine.on(self.now_ns, Event::Tick)
    }

    /// The failure by which the trial ended.
    pub(super) fn failure(&self) -> &Failure {
        assert_eq!(self.machine.phase(), Phase::Over);
        self.machine.failure().expect("it did not fail")
    }

    /// Checks kind, culprit and a part of the message of the failure.
    pub(super) fn failed(&self, kind: FailureKind, who: Option<&str>, part: &str) {
        let failure = self.failure();
        assert_eq!((failure.kind, failure.who.as_deref()), (kind, who), "{failure:?}");
        assert!(failure.message.contains(part), "{failure:?}");
    }
}

/// The workers told to do something, in order.
pub(super) fn told(actions: &[Action], what: &ToWorker) -> Vec<usize> {
    let told = actions.iter().filter_map(|action| match action {
        Action::Send(worker, message) if message == what => Some(*worker),
        _ => None,
    });
    told.collect()
}
