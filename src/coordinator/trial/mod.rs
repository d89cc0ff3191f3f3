//! A trial as a state machine: events in, actions out. It touches no process, socket or clock, so every way in which
//! a trial can go wrong is tested without any.

mod existing;
mod failing;
mod joining;
mod load;

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use super::barrier::Obstacle;
use super::spec::{TrialSpec, producer_name};
pub(super) use load::LoadState;

use crate::kafka::GroupDescription;
use crate::kafka::doctor::client_note;
use crate::measure::{DeliveredTopics, Failure, FailureKind, TopicPartition};
use crate::protocol::{
    Capability, FromWorker, Hello, MemberAssignment, PROTOCOL_VERSION, Position, ToWorker, TopicTarget, WorkerResult,
};

/// Pause between two looks at a group that is still settling.
const LOOK_INTERVAL: Duration = Duration::from_millis(15);
/// How far ahead the common start lies, for every worker to hear of it in time.
const START_LEAD: Duration = Duration::from_millis(15);
/// Added for each worker.
const START_LEAD_PER_WORKER: Duration = Duration::from_millis(2);

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A worker said something.
    Message(usize, FromWorker),
    /// A worker wrote a line that is not a message.
    Garbage(usize, String),
    /// A worker's process ended, with how and its last words.
    Died(usize, String),
    /// What the cluster says of a group.
    Group(usize, Result<GroupDescription, String>),
    /// What the cluster says of the end of every partition of every topic.
    Ends(Result<Vec<Vec<i64>>, String>),
    /// Which of the offsets that nobody has read yet the cluster delivers now.
    Still(Vec<TopicTarget>, Result<DeliveredTopics, String>),
    /// Time passed.
    Tick,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Tell a worker.
    Send(usize, ToWorker),
    /// Ask the cluster about a group and report [`Event::Group`].
    Describe(usize),
    /// Ask the cluster for the ends of the load's partitions and report [`Event::Ends`].
    AskEnds,
    /// Reading begins at this time: sample the machine then.
    Started(u64),
    /// The last record was reported: sample the machine now.
    Ended,
}

/// Where a trial is, for the display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Processes are starting.
    Starting,
    /// Members are joining their groups.
    Joining,
    /// Records are being read, as they lie there or arrive.
    Reading,
    /// The load is over and what it sent is being read.
    Draining,
    /// Results are being collected.
    Collecting,
    /// It is over.
    Over,
}

/// What the machine knows of one worker.
#[derive(Debug, Default)]
pub(super) struct WorkerState {
    pub(super) spawn_ns: u64,
    pub(super) hello: Option<Hello>,
    pub(super) hello_ns: u64,
    pub(super) ready_ns: Option<u64>,
    assignments: Option<Vec<MemberAssignment>>,
    /// What each consumer held when the barrier was passed.
    pub(super) held: Vec<Vec<TopicPartition>>,
    pub(super) result: Option<WorkerResult>,
}

impl WorkerState {
    pub(super) fn can(&self, capability: Capability) -> bool {
        self.hello
            .as_ref()
            .is_some_and(|hello| hello.capabilities.contains(&capability))
    }
}

/// One trial on its way.
#[derive(Debug)]
pub struct TrialMachine {
    pub(super) spec: TrialSpec,
    pub(super) workers: Vec<WorkerState>,
    phase: Phase,
    /// When the present phase must be over.
    deadline_ns: u64,
    /// When to look at the groups again.
    next_look_ns: Option<u64>,
    pub(super) query: u64,
    descriptions: Vec<Option<GroupDescription>>,
    /// Questions about each group that the cluster has not answered yet.
    unanswered: Vec<u32>,
    obstacle: Option<Obstacle>,
    /// Next offset to read, by group and partition.
    positions: Vec<BTreeMap<TopicPartition, i64>>,
    progress_ns: u64,
    pub(super) subscribe_ns: u64,
    pub(super) joined_ns: u64,
    pub(super) start_ns: u64,
    /// When the coordinator heard that the last partition was read.
    pub(super) heard_end_ns: u64,
    pub(super) load: Option<LoadState>,
    /// What the cluster delivers still of what nobody had read in the end, where it was asked.
    pub(super) still: Option<DeliveredTopics>,
    failure: Option<Failure>,
}

impl TrialMachine {
    /// A trial whose processes are being started now.
    pub fn new(spec: TrialSpec, now_ns: u64) -> Self {
        let groups = spec.groups.len();
        let worker = || WorkerState {
            spawn_ns: now_ns,
            ..WorkerState::default()
        };
        TrialMachine {
            workers: spec.workers.iter().map(|_| worker()).collect(),
            phase: Phase::Starting,
            deadline_ns: after(now_ns, spec.limits.hello),
            next_look_ns: None,
            query: 0,
            descriptions: vec![None; groups],
            unanswered: vec![0; groups],
            obstacle: None,
            positions: vec![BTreeMap::new(); groups],
            progress_ns: now_ns,
            subscribe_ns: 0,
            joined_ns: 0,
            start_ns: 0,
            heard_end_ns: 0,
            load: spec.load.as_ref().map(|load| LoadState::new(load, groups, now_ns)),
            still: None,
            failure: None,
            spec,
        }
    }

    /// Where the trial is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Records read so far, as far as reported, and how many there are, over all groups.
    pub fn progress(&self) -> (u64, u64) {
        // A worker may say anything: no more counts than there is.
        let read = |positions: &BTreeMap<TopicPartition, i64>, partition, low: i64, end: i64| {
            let position = positions.get(&partition).copied().unwrap_or(low);
            u64::try_from(position.min(end).saturating_sub(low)).unwrap_or(0)
        };
        let of_group = |positions| -> u64 { self.ranges().map(|(p, low, end)| read(positions, p, low, end)).sum() };
        let mut done: u64 = self.positions.iter().map(of_group).sum();
        let total = self.spec.records() * self.spec.groups.len() as u64;
        if self.spec.reference.is_some() {
            // Not every offset holds a record.
            let lengths = self.ranges().map(|(_, low, end)| u64::try_from(end - low).unwrap_or(0));
            let offsets = lengths.sum::<u64>() * self.spec.groups.len() as u64;
            done = u64::try_from(u128::from(done) * u128::from(total) / u128::from(offsets.max(1))).unwrap_or(total);
        }
        (done.min(total), total)
    }

    /// When the machine wants to hear [`Event::Tick`] at the latest.
    pub fn wake_ns(&self) -> u64 {
        let stall_ns = match self.phase {
            Phase::Reading if self.load.is_none() => after(self.progress_ns, self.spec.limits.stall),
            _ => u64::MAX,
        };
        self.deadline_ns
            .min(stall_ns)
            .min(self.next_look_ns.unwrap_or(u64::MAX))
            .min(self.load_wake_ns())
    }

    /// Why it failed, once it has.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Takes an event in and says what is to be done.
    pub fn on(&mut self, now_ns: u64, event: Event) -> Vec<Action> {
        if self.phase == Phase::Over {
            return Vec::new();
        }
        let result = match event {
            Event::Message(worker, message) => match self.producer_of(worker) {
                Some(producer) => self.on_producer_message(now_ns, producer, message),
                None => self.on_message(now_ns, worker, message),
            },
            Event::Garbage(worker, line) => self.on_garbage(worker, &line),
            Event::Died(worker, how) => Err(self.failed(worker, FailureKind::WorkerDied, how)),
            Event::Group(group, description) => Ok(self.on_group(now_ns, group, description)),
            Event::Ends(ends) => Ok(self.on_ends(now_ns, ends)),
            Event::Still(asked, still) => Ok(self.on_still(now_ns, &asked, still)),
            Event::Tick => self.on_tick(now_ns),
        };
        result.unwrap_or_else(|failure| {
            self.fail(failure);
            Vec::new()
        })
    }

    /// Ends the trial from outside, as when the cluster is gone.
    pub fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
        self.phase = Phase::Over;
    }

    /// The name of a process: the producers come after the consumers.
    pub(super) fn name_of(&self, worker: usize) -> String {
        match self.producer_of(worker) {
            Some(producer) => producer_name(producer),
            None => self.spec.workers[worker].name(),
        }
    }

    /// The processes of the trial, consumers and producers.
    pub(super) fn processes(&self) -> usize {
        self.workers.len() + self.load.as_ref().map_or(0, |load| load.producers.len())
    }

    fn failed(&self, worker: usize, kind: FailureKind, message: impl Into<String>) -> Failure {
        let mut message = message.into();
        let note = |hello: &Hello| client_note(&message, &hello.client, &hello.client_version);
        if let Some(note) = self.hello_of(worker).and_then(note) {
            message = format!("{message} ({note})");
        }
        Failure {
            kind,
            who: Some(self.name_of(worker)),
            message,
        }
    }

    fn on_message(&mut self, now_ns: u64, worker: usize, message: FromWorker) -> Result<Vec<Action>, Failure> {
        match message {
            FromWorker::Hello(hello) => self.on_hello(now_ns, worker, hello),
            FromWorker::Ready => self.on_ready(now_ns, worker),
            FromWorker::Assignments { query, members } => self.on_assignments(now_ns, worker, query, members),
            FromWorker::Progress { positions } => Ok(self.on_progress(now_ns, worker, &positions)),
            FromWorker::Result(result) => self.on_result(worker, *result),
            FromWorker::Seconds { seconds } => {
                self.on_seconds(&seconds);
                Ok(Vec::new())
            }
            FromWorker::Calibrated(_) => Ok(Vec::new()),
            FromWorker::ProducerProgress(_) | FromWorker::ProducerResult(_) => {
                let message = "it speaks as a producer, but it is to consume";
                Err(self.failed(worker, FailureKind::WorkerProtocol, message))
            }
            FromWorker::Failed {
                consumer,
                connect,
                message,
            } => {
                let kind = if connect {
                    FailureKind::Connect
                } else {
                    FailureKind::WorkerFailed
                };
                let mut failure = self.failed(worker, kind, message);
                if let Some(consumer) = consumer {
                    failure.who = Some(self.spec.workers[worker].member_name(consumer as usize));
                }
                Err(failure)
            }
        }
    }

    fn on_hello(&mut self, now_ns: u64, worker: usize, hello: Hello) -> Result<Vec<Action>, Failure> {
        if self.workers[worker].hello.is_some() {
            let message = "it introduced itself a second time";
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        if hello.protocol != PROTOCOL_VERSION {
            let message = format!("it speaks protocol {}, this tandem {PROTOCOL_VERSION}", hello.protocol);
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        if self.spec.manual && !hello.capabilities.contains(&Capability::Manual) {
            let message = "it cannot assign partitions by hand (capability `manual`)";
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        if self.spec.workers[worker].prepare.threads > 1 && !hello.capabilities.contains(&Capability::Threads) {
            let message = "it cannot work records on several threads (capability `threads`)";
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        for (needed, what) in [
            (Capability::Stamps, "say how long records waited (capability `stamps`)"),
            (Capability::Ledger, "say which offsets it read (capability `ledger`)"),
        ] {
            if self.load.is_some() && !hello.capabilities.contains(&needed) {
                let message = format!("it cannot {what}, which live trials need");
                return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
            }
        }
        let state = &mut self.workers[worker];
        state.hello = Some(hello);
        state.hello_ns = now_ns;
        self.extend_for_ready(now_ns);
        Ok(vec![Action::Send(
            worker,
            ToWorker::Prepare(Box::new(self.spec.workers[worker].prepare.clone())),
        )])
    }

    /// Lines before the introduction are somebody's log; after it they break the protocol.
    fn on_garbage(&self, worker: usize, line: &str) -> Result<Vec<Action>, Failure> {
        if !self.has_introduced_itself(worker) {
            return Ok(Vec::new());
        }
        // A launcher that echoes its input shows our own messages, and those may hold secrets.
        let shown: String = if line.contains("\"type\"") {
            "a line of JSON that is none of the worker's messages".to_owned()
        } else {
            line.chars().take(200).collect()
        };
        Err(self.failed(worker, FailureKind::WorkerProtocol, format!("not a message: {shown}")))
    }

    fn on_ready(&mut self, now_ns: u64, worker: usize) -> Result<Vec<Action>, Failure> {
        let state = &mut self.workers[worker];
        if state.hello.is_none() || state.ready_ns.is_some() {
            let message = "it said that it is ready when nobody had asked";
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        state.ready_ns = Some(now_ns);
        Ok(self.subscribe_when_ready(now_ns))
    }

    /// Once every process has introduced itself, they have the time that getting ready may take.
    fn extend_for_ready(&mut self, now_ns: u64) {
        if (0..self.processes()).all(|worker| self.has_introduced_itself(worker)) {
            self.deadline_ns = after(now_ns, self.spec.limits.ready);
        }
    }

    /// Once every process is ready, the members join.
    fn subscribe_when_ready(&mut self, now_ns: u64) -> Vec<Action> {
        let producers_ready = self.load.as_ref().is_none_or(LoadState::is_ready);
        if !producers_ready || self.workers.iter().any(|worker| worker.ready_ns.is_none()) {
            return Vec::new();
        }
        self.phase = Phase::Joining;
        self.subscribe_ns = now_ns;
        self.deadline_ns = after(now_ns, self.spec.limits.join);
        let mut actions = self.send_all(&ToWorker::Subscribe);
        actions.extend(self.look());
        actions
    }

    fn send_all(&self, message: &ToWorker) -> Vec<Action> {
        (0..self.workers.len())
            .map(|worker| Action::Send(worker, message.clone()))
            .collect()
    }

    fn begin_reading(&mut self, now_ns: u64) -> Vec<Action> {
        self.phase = Phase::Reading;
        self.joined_ns = now_ns;
        let workers = u32::try_from(self.processes()).unwrap_or(u32::MAX);
        self.start_ns = after(now_ns, START_LEAD + START_LEAD_PER_WORKER * workers);
        self.progress_ns = self.start_ns;
        self.deadline_ns = after(self.start_ns, self.spec.limits.read);
        let mut actions = self.send_all(&ToWorker::Start { at_ns: self.start_ns });
        actions.extend(self.begin_load());
        actions.push(Action::Started(self.start_ns));
        actions
    }

    /// The partitions with their ranges.
    fn ranges(&self) -> impl Iterator<Item = (TopicPartition, i64, i64)> {
        (0u32..).zip(&self.spec.topics).flat_map(|(topic, target)| {
            (0i32..)
                .zip(&target.partitions)
                .map(move |(partition, range)| (TopicPartition { topic, partition }, range.low, range.end))
        })
    }

    fn on_progress(&mut self, now_ns: u64, worker: usize, positions: &[Position]) -> Vec<Action> {
        let group = self.spec.workers[worker].group;
        for position in positions {
            let partition = TopicPartition {
                topic: position.topic,
                partition: position.partition,
            };
            let known = self.positions[group].entry(partition).or_insert(i64::MIN);
            if position.offset > *known {
                *known = position.offset;
                self.progress_ns = self.progress_ns.max(now_ns);
            }
        }
        self.collect_if_read(now_ns)
    }

    /// Ends the reading once every partition is at its end.
    fn collect_if_read(&mut self, now_ns: u64) -> Vec<Action> {
        let may_end = match &self.load {
            None => self.phase == Phase::Reading,
            Some(_) => self.phase == Phase::Draining,
        };
        if !may_end || !self.unread().is_empty() {
            return Vec::new();
        }
        self.note_catch_up(now_ns);
        self.collect(now_ns)
    }

    /// Reading is over: everybody says what was recorded.
    fn collect(&mut self, now_ns: u64) -> Vec<Action> {
        self.phase = Phase::Collecting;
        self.heard_end_ns = now_ns;
        self.deadline_ns = after(now_ns, self.spec.limits.result);
        let mut actions = vec![Action::Ended];
        actions.extend(self.send_all(&ToWorker::Stop));
        actions
    }

    /// Partitions, by group, whose end nobody has reached.
    fn unread(&self) -> BTreeSet<(usize, TopicPartition)> {
        let mut unread = BTreeSet::new();
        for (partition, low, open_end) in self.ranges() {
            let end = self.load.as_ref().map_or(open_end, |load| load.end_of(partition));
            if low >= end {
                continue;
            }
            for (group, positions) in self.positions.iter().enumerate() {
                if positions.get(&partition).copied().unwrap_or(low) < end {
                    unread.insert((group, partition));
                }
            }
        }
        unread
    }

    /// Where a group is in a partition, as far as reported.
    pub(super) fn position(&self, group: usize, partition: TopicPartition) -> i64 {
        self.positions[group].get(&partition).copied().unwrap_or(0).max(0)
    }

    fn on_result(&mut self, worker: usize, result: WorkerResult) -> Result<Vec<Action>, Failure> {
        if self.phase != Phase::Collecting {
            return Err(self.failed(
                worker,
                FailureKind::WorkerProtocol,
                "it sent its result before it was asked",
            ));
        }
        if result.members.len() != self.spec.workers[worker].prepare.consumers.len() {
            let message = format!("its result tells of {} members", result.members.len());
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        self.workers[worker].result = Some(result);
        if self.workers.iter().all(|worker| worker.result.is_some()) {
            self.phase = Phase::Over;
        }
        Ok(Vec::new())
    }

    fn on_tick(&mut self, now_ns: u64) -> Result<Vec<Action>, Failure> {
        if self.phase == Phase::Draining && now_ns >= self.deadline_ns {
            // What is left unread is counted, and says that the readers fell behind.
            return Ok(self.collect(now_ns));
        }
        if now_ns >= self.deadline_ns {
            return Err(self.out_of_time());
        }
        if let Some(actions) = self.on_load_tick(now_ns) {
            return Ok(actions);
        }
        if self.load.is_none()
            && self.phase == Phase::Reading
            && now_ns >= after(self.progress_ns, self.spec.limits.stall)
        {
            return Err(self.stalled());
        }
        if self.phase == Phase::Joining && self.next_look_ns.is_some_and(|at| now_ns >= at) {
            return Ok(self.look());
        }
        Ok(Vec::new())
    }

    /// The results of the workers, once the trial is over without failure.
    pub(super) fn take_results(&mut self) -> Vec<WorkerResult> {
        self.workers
            .iter_mut()
            .filter_map(|worker| mem::take(&mut worker.result))
            .collect()
    }
}

fn after(now_ns: u64, delay: Duration) -> u64 {
    now_ns.saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
#[allow(clippy::unchecked_time_subtraction, reason = "the limits of the tests are long")]
mod tests;
