//! A trial as a state machine: events in, actions out. It touches no process, socket or clock, so every way in which
//! a trial can go wrong is tested without any.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use super::barrier::{self, MemberView, Obstacle};
use super::spec::TrialSpec;
use crate::kafka::GroupDescription;
use crate::measure::{Failure, FailureKind, TopicPartition};
use crate::protocol::{
    Capability, FromWorker, Hello, MemberAssignment, PROTOCOL_VERSION, Position, ToWorker, WorkerResult,
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
    /// Records are being read.
    Reading,
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
    query: u64,
    descriptions: Vec<Option<GroupDescription>>,
    obstacle: Option<Obstacle>,
    /// Next offset to read, by group and partition.
    positions: Vec<BTreeMap<TopicPartition, i64>>,
    progress_ns: u64,
    pub(super) subscribe_ns: u64,
    pub(super) joined_ns: u64,
    pub(super) start_ns: u64,
    /// When the coordinator heard that the last partition was read.
    pub(super) heard_end_ns: u64,
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
            obstacle: None,
            positions: vec![BTreeMap::new(); groups],
            progress_ns: now_ns,
            subscribe_ns: 0,
            joined_ns: 0,
            start_ns: 0,
            heard_end_ns: 0,
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
        let lows: BTreeMap<TopicPartition, i64> = self.ranges().map(|(p, low, _)| (p, low)).collect();
        let done: u64 = self
            .positions
            .iter()
            .flatten()
            .map(|(partition, position)| position - lows.get(partition).copied().unwrap_or(*position))
            .map(|read| u64::try_from(read).unwrap_or(0))
            .sum();
        (done, self.spec.records() * self.spec.groups.len() as u64)
    }

    /// When the machine wants to hear [`Event::Tick`] at the latest.
    pub fn wake_ns(&self) -> u64 {
        let stall_ns = match self.phase {
            Phase::Reading => after(self.progress_ns, self.spec.limits.stall),
            _ => u64::MAX,
        };
        self.deadline_ns
            .min(stall_ns)
            .min(self.next_look_ns.unwrap_or(u64::MAX))
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
            Event::Message(worker, message) => self.on_message(now_ns, worker, message),
            Event::Garbage(worker, line) => self.on_garbage(worker, &line),
            Event::Died(worker, how) => Err(self.failed(worker, FailureKind::WorkerDied, how)),
            Event::Group(group, description) => Ok(self.on_group(now_ns, group, description)),
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

    fn failed(&self, worker: usize, kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure {
            kind,
            who: Some(self.spec.workers[worker].name()),
            message: message.into(),
        }
    }

    fn on_message(&mut self, now_ns: u64, worker: usize, message: FromWorker) -> Result<Vec<Action>, Failure> {
        match message {
            FromWorker::Hello(hello) => self.on_hello(now_ns, worker, hello),
            FromWorker::Ready => Ok(self.on_ready(now_ns, worker)),
            FromWorker::Assignments { query, members } => self.on_assignments(now_ns, worker, query, members),
            FromWorker::Progress { positions } => Ok(self.on_progress(now_ns, worker, &positions)),
            FromWorker::Result(result) => self.on_result(worker, *result),
            FromWorker::Calibrated(_) => Ok(Vec::new()),
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
        if hello.protocol != PROTOCOL_VERSION {
            let message = format!("it speaks protocol {}, this tandem {PROTOCOL_VERSION}", hello.protocol);
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        if self.spec.manual && !hello.capabilities.contains(&Capability::Manual) {
            let message = "it cannot assign partitions by hand (capability `manual`)";
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        let state = &mut self.workers[worker];
        state.hello = Some(hello);
        state.hello_ns = now_ns;
        if self.workers.iter().all(|worker| worker.hello.is_some()) {
            self.deadline_ns = after(now_ns, self.spec.limits.ready);
        }
        Ok(vec![Action::Send(
            worker,
            ToWorker::Prepare(Box::new(self.spec.workers[worker].prepare.clone())),
        )])
    }

    /// Lines before the introduction are somebody's log; after it they break the protocol.
    fn on_garbage(&self, worker: usize, line: &str) -> Result<Vec<Action>, Failure> {
        if self.workers[worker].hello.is_none() {
            return Ok(Vec::new());
        }
        let shown: String = line.chars().take(200).collect();
        Err(self.failed(worker, FailureKind::WorkerProtocol, format!("not a message: {shown}")))
    }

    fn on_ready(&mut self, now_ns: u64, worker: usize) -> Vec<Action> {
        self.workers[worker].ready_ns = Some(now_ns);
        if self.phase != Phase::Starting || self.workers.iter().any(|worker| worker.ready_ns.is_none()) {
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

    /// Asks every worker that can tell, and the cluster, what the members hold now.
    fn look(&mut self) -> Vec<Action> {
        self.next_look_ns = None;
        self.query += 1;
        let mut actions = Vec::new();
        if !self.spec.manual {
            for group in 0..self.descriptions.len() {
                self.descriptions[group] = None;
                actions.push(Action::Describe(group));
            }
        }
        for worker in 0..self.workers.len() {
            self.workers[worker].assignments = None;
            if self.workers[worker].can(Capability::Assignment) {
                actions.push(Action::Send(worker, ToWorker::QueryAssignments { query: self.query }));
            }
        }
        actions
    }

    fn on_assignments(
        &mut self,
        now_ns: u64,
        worker: usize,
        query: u64,
        members: Vec<MemberAssignment>,
    ) -> Result<Vec<Action>, Failure> {
        if self.phase != Phase::Joining || query != self.query {
            return Ok(Vec::new());
        }
        if members.len() != self.spec.workers[worker].prepare.consumers.len() {
            let message = format!("it tells of {} members", members.len());
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        self.workers[worker].assignments = Some(members);
        Ok(self.judge_look(now_ns))
    }

    fn on_group(&mut self, now_ns: u64, group: usize, description: Result<GroupDescription, String>) -> Vec<Action> {
        if self.phase != Phase::Joining {
            return Vec::new();
        }
        match description {
            Ok(description) => {
                self.descriptions[group] = Some(description);
                self.judge_look(now_ns)
            }
            Err(cause) => {
                // A group's coordinator may still be on its way; the join limit ends the patience.
                self.obstacle = Some(Obstacle::Unsettled(cause));
                self.next_look_ns = Some(after(now_ns, LOOK_INTERVAL));
                Vec::new()
            }
        }
    }

    /// Once every answer of this look is here: passes the barrier or looks again soon.
    fn judge_look(&mut self, now_ns: u64) -> Vec<Action> {
        let unanswered = |worker: &WorkerState| worker.can(Capability::Assignment) && worker.assignments.is_none();
        let undescribed = !self.spec.manual && self.descriptions.iter().any(Option::is_none);
        if undescribed || self.workers.iter().any(unanswered) {
            return Vec::new();
        }
        match self.check_groups() {
            Ok(held) => {
                for (worker, held) in self.workers.iter_mut().zip(held) {
                    worker.held = held;
                }
                self.begin_reading(now_ns)
            }
            Err(obstacle) => {
                self.obstacle = Some(obstacle);
                self.next_look_ns = Some(after(now_ns, LOOK_INTERVAL));
                Vec::new()
            }
        }
    }

    /// What every consumer of every worker holds, once all groups are settled.
    fn check_groups(&self) -> Result<Vec<Vec<Vec<TopicPartition>>>, Obstacle> {
        let topics: Vec<String> = self.spec.topics.iter().map(|topic| topic.name.clone()).collect();
        let partitions = self.spec.partitions();
        let mut held = vec![Vec::new(); self.workers.len()];
        for group in 0..self.spec.groups.len() {
            let members = self.members_of(group);
            let names: Vec<String> = members
                .iter()
                .map(|&(w, c)| self.spec.workers[w].member_name(c))
                .collect();
            let views: Vec<MemberView<'_>> = members
                .iter()
                .zip(&names)
                .map(|(&(worker, consumer), name)| self.view(worker, consumer, name))
                .collect();
            let checked = barrier::check(&views, self.descriptions[group].as_ref(), &topics, &partitions)?;
            for ((worker, _), partitions) in members.into_iter().zip(checked) {
                held[worker].push(partitions);
            }
        }
        Ok(held)
    }

    fn view<'a>(&'a self, worker: usize, consumer: usize, name: &'a str) -> MemberView<'a> {
        let own = self.workers[worker]
            .assignments
            .as_ref()
            .map(|members| members[consumer].partitions.as_slice());
        MemberView {
            client_id: &self.spec.workers[worker].prepare.consumers[consumer].client_id,
            name,
            own,
        }
    }

    /// Worker and consumer of each member of a group, in order.
    fn members_of(&self, group: usize) -> Vec<(usize, usize)> {
        let workers = self
            .spec
            .workers
            .iter()
            .enumerate()
            .filter(|(_, worker)| worker.group == group);
        workers
            .flat_map(|(index, worker)| (0..worker.prepare.consumers.len()).map(move |c| (index, c)))
            .collect()
    }

    fn begin_reading(&mut self, now_ns: u64) -> Vec<Action> {
        self.phase = Phase::Reading;
        self.joined_ns = now_ns;
        let workers = u32::try_from(self.workers.len()).unwrap_or(u32::MAX);
        self.start_ns = after(now_ns, START_LEAD + START_LEAD_PER_WORKER * workers);
        self.progress_ns = self.start_ns;
        self.deadline_ns = after(self.start_ns, self.spec.limits.read);
        let mut actions = self.send_all(&ToWorker::Start { at_ns: self.start_ns });
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
        if self.phase != Phase::Reading || !self.unread().is_empty() {
            return Vec::new();
        }
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
        for (partition, low, end) in self.ranges().filter(|(_, low, end)| low < end) {
            for (group, positions) in self.positions.iter().enumerate() {
                if positions.get(&partition).copied().unwrap_or(low) < end {
                    unread.insert((group, partition));
                }
            }
        }
        unread
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
        if now_ns >= self.deadline_ns {
            return Err(self.out_of_time());
        }
        if self.phase == Phase::Reading && now_ns >= after(self.progress_ns, self.spec.limits.stall) {
            return Err(self.stalled());
        }
        if self.phase == Phase::Joining && self.next_look_ns.is_some_and(|at| now_ns >= at) {
            return Ok(self.look());
        }
        Ok(Vec::new())
    }

    fn out_of_time(&self) -> Failure {
        let limits = self.spec.limits;
        let late = |has: fn(&WorkerState) -> bool| self.workers.iter().position(|worker| !has(worker));
        let of = |worker: Option<usize>, kind, message: String| match worker {
            Some(worker) => self.failed(worker, kind, message),
            None => Failure {
                kind,
                who: None,
                message,
            },
        };
        match self.phase {
            Phase::Starting => match late(|worker| worker.hello.is_some()) {
                Some(worker) => {
                    let message = format!("it did not introduce itself within {} s", limits.hello.as_secs());
                    of(Some(worker), FailureKind::WorkerStart, message)
                }
                None => {
                    let message = format!("its consumers were not ready within {} s", limits.ready.as_secs());
                    of(late(|worker| worker.ready_ns.is_some()), FailureKind::Connect, message)
                }
            },
            Phase::Joining => {
                let seconds = limits.join.as_secs();
                match self.obstacle.clone() {
                    Some(Obstacle::Overlap { who, message }) => Failure {
                        kind: FailureKind::Overlap,
                        who: Some(who),
                        message: format!("{message}, for {seconds} s"),
                    },
                    Some(Obstacle::Unsettled(message)) => {
                        of(None, FailureKind::Assignment, format!("after {seconds} s: {message}"))
                    }
                    None => of(None, FailureKind::Assignment, format!("no answer within {seconds} s")),
                }
            }
            Phase::Reading => of(
                None,
                FailureKind::Timeout,
                format!("reading took more than {} s", limits.read.as_secs()),
            ),
            Phase::Collecting | Phase::Over => {
                let message = format!("it gave no result within {} s", limits.result.as_secs());
                of(late(|worker| worker.result.is_some()), FailureKind::Timeout, message)
            }
        }
    }

    fn stalled(&self) -> Failure {
        let unread = self.unread();
        let holders = unread
            .iter()
            .flat_map(|(group, partition)| self.holders(*group, *partition));
        let who: BTreeSet<String> = holders.collect();
        let who = (!who.is_empty()).then(|| who.into_iter().collect::<Vec<_>>().join(" and "));
        let message = format!(
            "no record for {} s with {} partitions unread{}",
            self.spec.limits.stall.as_secs(),
            unread.len(),
            unread
                .first()
                .map(|(_, p)| format!(", such as {}", crate::measure::ledger::partition_name(*p)))
                .unwrap_or_default()
        );
        Failure {
            kind: FailureKind::Stall,
            who,
            message,
        }
    }

    /// Members of a group that held a partition when reading began.
    fn holders(&self, group: usize, partition: TopicPartition) -> Vec<String> {
        let members = self.members_of(group).into_iter();
        members
            .filter(|&(worker, consumer)| {
                self.workers[worker]
                    .held
                    .get(consumer)
                    .is_some_and(|held| held.contains(&partition))
            })
            .map(|(worker, consumer)| self.spec.workers[worker].member_name(consumer))
            .collect()
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
