//! A trial by hand: workers say what a script lets them say, at made-up times.

use std::collections::BTreeMap;
use std::time::Duration;

use super::configuration::arrangement;
use crate::measure::{Failure, FailureKind, OffsetRun, PartitionMeasurement, TopicPartition};
use crate::measure::{GroupDescription, GroupMember, GroupState};
use crate::protocol::{
    Capability, FromWorker, Hello, MemberAssignment, MemberResult, OffsetRange, PROTOCOL_VERSION, Position, ToWorker,
    TopicTarget, WorkCalibration, WorkerResult,
};
use crate::scenario::{Configuration, Membership};
pub(crate) use crate::trial::ActorId::{self, Reader};
use crate::trial::{Action, Event, Happening, Limits, Phase, TrialMachine, TrialSpec};

/// When a scripted trial begins.
pub(crate) const BEGIN_NS: u64 = 1_000_000_000_000;

/// Results come so long after that, at the earliest.
const RESULT_AFTER_NS: u64 = 6_000_000_000;

/// Records of each partition.
pub(crate) const RECORDS: i64 = 100;

pub(crate) fn partition(partition: i32) -> TopicPartition {
    TopicPartition { topic: 0, partition }
}

pub(crate) fn range(low: i64, end: i64) -> OffsetRange {
    OffsetRange { low, end }
}

pub(crate) fn run(first: i64, end: i64, epoch: u32) -> OffsetRun {
    OffsetRun { first, end, epoch }
}

/// One topic `t` with partitions of [`RECORDS`] records.
pub(crate) fn topics(partitions: usize) -> Vec<TopicTarget> {
    vec![TopicTarget {
        name: "t".to_owned(),
        partitions: vec![range(0, RECORDS); partitions],
    }]
}

/// A trial of the configuration over topic `t`.
pub(crate) fn spec_of(configuration: &Configuration, partitions: usize) -> TrialSpec {
    spec_over(configuration, topics(partitions))
}

/// A trial of the configuration over these topics.
pub(crate) fn spec_over(configuration: &Configuration, topics: Vec<TopicTarget>) -> TrialSpec {
    let (properties, calibration) = (BTreeMap::new(), WorkCalibration::default());
    TrialSpec::new(
        configuration,
        "trial",
        topics,
        &properties,
        calibration,
        Limits::default(),
    )
}

/// A trial of one group over one topic.
pub(crate) fn spec(processes: u32, consumers: u32, partitions: usize) -> TrialSpec {
    spec_of(&arrangement("case", processes, consumers), partitions)
}

/// As [`spec`], with members that assign their partitions to themselves.
pub(crate) fn manual_spec(processes: u32, partitions: usize) -> TrialSpec {
    let manual = Configuration {
        membership: Membership::Manual,
        ..arrangement("case", processes, 1)
    };
    spec_of(&manual, partitions)
}

pub(crate) fn hello(capabilities: &[Capability]) -> Hello {
    Hello {
        protocol: PROTOCOL_VERSION,
        client: "scripted".to_owned(),
        client_version: "1".to_owned(),
        pid: 4711,
        capabilities: capabilities.to_vec(),
        host: None,
    }
}

/// A settled group of the classic protocol: each member's number (process, consumer) with its partitions.
pub(crate) fn group(members: &[((u32, u32), &[i32])]) -> GroupDescription {
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
pub(crate) fn member_result(read: &[(i32, &[OffsetRun])]) -> MemberResult {
    let partitions = read.iter().map(|(partition, runs)| PartitionMeasurement {
        topic: 0,
        partition: *partition,
        records: runs.iter().map(|run| (run.end - run.first).unsigned_abs()).sum(),
        first_ns: Some(BEGIN_NS + 2_000_000_000),
        last_ns: Some(BEGIN_NS + 3_000_000_000),
        runs: Some(runs.to_vec()),
        ..PartitionMeasurement::default()
    });
    MemberResult {
        partitions: partitions.collect(),
        ..MemberResult::default()
    }
}

pub(crate) fn result(members: &[MemberResult]) -> FromWorker {
    FromWorker::Result(Box::new(WorkerResult {
        members: members.to_vec(),
        ..WorkerResult::default()
    }))
}

/// A machine with a clock that the script moves.
pub(crate) struct Script {
    pub(crate) machine: TrialMachine,
    pub(crate) now_ns: u64,
    /// The latest question for assignments.
    query: u64,
}

impl Script {
    pub(crate) fn new(spec: TrialSpec) -> Self {
        let mut machine = TrialMachine::new(spec, BEGIN_NS);
        let actors = machine.cast.ids();
        for actor in actors
            .filter(|actor| !machine.terms.script.starts_later(*actor))
            .collect::<Vec<_>>()
        {
            machine.start(BEGIN_NS, actor);
        }
        Script {
            machine,
            now_ns: BEGIN_NS,
            query: 0,
        }
    }

    /// Workers that have introduced themselves and are ready: all have been asked to subscribe.
    pub(crate) fn joining(spec: TrialSpec, capabilities: &[Capability]) -> Self {
        let readers = spec.cast.readers.len();
        let mut script = Script::new(spec);
        for reader in 0..readers {
            script.says(Reader(reader), FromWorker::Hello(hello(capabilities)));
        }
        for reader in 0..readers {
            script.says(Reader(reader), FromWorker::Ready);
        }
        assert_eq!(script.machine.phase(), Phase::Joining);
        script
    }

    /// Two processes with a partition each that have been asked to start.
    pub(crate) fn reading() -> Self {
        Script::reading_of(spec(2, 1, 2))
    }

    /// The same of another trial with two such processes.
    pub(crate) fn reading_of(spec: TrialSpec) -> Self {
        let mut script = Script::joining(spec, Capability::ALL);
        script.holds(0, &[&[0]]);
        script.holds(1, &[&[1]]);
        script.group(group(&[((0, 0), &[0]), ((1, 0), &[1])]));
        assert_eq!(script.machine.phase(), Phase::Reading);
        script
    }

    /// Both partitions read to their ends: results are awaited.
    pub(crate) fn collecting() -> Self {
        let mut script = Script::reading();
        script.reaches(0, 0, RECORDS);
        script.reaches(1, 1, RECORDS);
        assert_eq!(script.machine.phase(), Phase::Collecting);
        script
    }

    pub(crate) fn event(&mut self, event: Event) -> Vec<Action> {
        self.now_ns += 1_000_000;
        self.on(event)
    }

    fn on(&mut self, event: Event) -> Vec<Action> {
        let actions = self.machine.on(self.now_ns, event);
        for action in &actions {
            if let Action::Send(_, ToWorker::QueryAssignments { query }) = action {
                self.query = *query;
            }
        }
        actions
    }

    pub(crate) fn says(&mut self, actor: ActorId, message: FromWorker) -> Vec<Action> {
        // Results report of seconds; the script's own steps take milliseconds.
        if let FromWorker::Result(_) = message {
            self.now_ns = self.now_ns.max(BEGIN_NS + RESULT_AFTER_NS);
        }
        self.event(Event::Message(actor, message))
    }

    /// A reader answers the latest question: what each of its consumers holds.
    pub(crate) fn holds(&mut self, reader: usize, consumers: &[&[i32]]) -> Vec<Action> {
        let query = self.query;
        let members = (0u32..).zip(consumers).map(|(consumer, held)| MemberAssignment {
            consumer,
            partitions: held.iter().map(|number| partition(*number)).collect(),
            assigned_ns: Some(self.now_ns),
        });
        let members = members.collect();
        self.says(Reader(reader), FromWorker::Assignments { query, members })
    }

    /// The cluster answers for the only group.
    pub(crate) fn group(&mut self, description: GroupDescription) -> Vec<Action> {
        self.event(Event::Group(0, Ok(description)))
    }

    pub(crate) fn reaches(&mut self, reader: usize, partition: i32, offset: i64) -> Vec<Action> {
        let position = Position {
            topic: 0,
            partition,
            offset,
        };
        let positions = vec![position];
        self.says(Reader(reader), FromWorker::Progress { positions })
    }

    pub(crate) fn passes(&mut self, time: Duration) -> Vec<Action> {
        self.now_ns += u64::try_from(time.as_nanos()).unwrap();
        self.on(Event::Tick)
    }

    /// The common start.
    pub(crate) fn start_ns(&self) -> u64 {
        *self.machine.log.latest(Happening::try_as_start_set_ref).unwrap()
    }

    /// The failure by which the trial ended.
    pub(crate) fn failure(&self) -> &Failure {
        assert_eq!(self.machine.phase(), Phase::Over);
        self.machine.failure().unwrap()
    }

    /// Checks kind, culprit and a part of the message of the failure.
    pub(crate) fn failed(&self, kind: FailureKind, who: Option<&str>, part: &str) {
        let failure = self.failure();
        assert_eq!((failure.kind, failure.who.as_deref()), (kind, who), "{failure:?}");
        assert!(failure.message.contains(part), "{failure:?}");
    }
}

/// The actors that a message was sent to, in order.
pub(crate) fn sent_to(actions: &[Action], what: &ToWorker) -> Vec<ActorId> {
    let actors = actions.iter().filter_map(|action| match action {
        Action::Send(actor, message) if message == what => Some(*actor),
        _ => None,
    });
    actors.collect()
}
