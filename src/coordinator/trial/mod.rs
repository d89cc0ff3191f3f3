//! A trial as a state machine: events in, actions out. It touches no process, socket or clock, so every way in which
//! a trial can go wrong is tested without any.

mod event;
mod failing;
mod joining;
mod load;
mod phase;
mod reading;
mod removed_records;
mod reports;
mod starting;
mod state;

use std::collections::BTreeMap;
use std::time::Duration;

use super::barrier::Obstacle;
use super::spec::{TrialSpec, producer_name};
pub use event::{Action, Event};
pub use phase::Phase;
pub(super) use state::{LoadState, WorkerState};

use crate::kafka::GroupDescription;
use crate::kafka::doctor::client_note;
use crate::measure::{DeliveredTopics, Failure, FailureKind, TopicPartition};
use crate::protocol::{FromWorker, Hello, OffsetRange, ToWorker, partitions_of};

/// Pause between two looks at a group that is still settling.
const LOOK_INTERVAL: Duration = Duration::from_millis(15);

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
    /// When the coordinator received the last position that completed the reading.
    pub(super) heard_end_ns: u64,
    /// When the last result came.
    pub(super) results_ns: Option<u64>,
    pub(super) load: Option<LoadState>,
    /// The unread offsets that the cluster still delivers; `None` if it was not asked.
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
            results_ns: None,
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
        let read = |positions: &BTreeMap<TopicPartition, i64>, partition, OffsetRange { low, end }| {
            let position = positions.get(&partition).copied().unwrap_or(low);
            u64::try_from(position.min(end).saturating_sub(low)).unwrap_or(0)
        };
        let ranges = || partitions_of(&self.spec.topics);
        let of_group = |positions| -> u64 {
            ranges()
                .map(|(partition, range)| read(positions, partition, range))
                .sum()
        };
        let mut done: u64 = self.positions.iter().map(of_group).sum();
        let total = self.spec.records() * self.spec.groups.len() as u64;
        if self.spec.reference.is_some() {
            // Not every offset holds a record.
            let offsets = ranges().map(|(_, range)| range.len()).sum::<u64>() * self.spec.groups.len() as u64;
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
            Event::Message(worker, message) => self.on_message(now_ns, worker, message),
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
        if self.failure.is_none() {
            self.failure = Some(self.with_reports(failure));
        }
        self.phase = Phase::Over;
    }

    /// The producer that a process is, if it is one: they come after the consumers.
    pub(crate) fn producer_of(&self, worker: usize) -> Option<usize> {
        worker.checked_sub(self.workers.len())
    }

    /// What is known of a process, a consumer or a producer.
    fn state_of(&self, worker: usize) -> Option<&WorkerState> {
        match self.producer_of(worker) {
            Some(producer) => Some(&self.load.as_ref()?.producers.get(producer)?.process),
            None => self.workers.get(worker),
        }
    }

    fn state_of_mut(&mut self, worker: usize) -> Option<&mut WorkerState> {
        match self.producer_of(worker) {
            Some(producer) => Some(&mut self.load.as_mut()?.producers.get_mut(producer)?.process),
            None => self.workers.get_mut(worker),
        }
    }

    /// Notes when a process was being started.
    pub(crate) fn set_spawn_ns(&mut self, worker: usize, spawn_ns: u64) {
        if let Some(state) = self.state_of_mut(worker) {
            state.spawn_ns = spawn_ns;
        }
    }

    /// The name of a process.
    pub(super) fn name_of(&self, worker: usize) -> String {
        match self.producer_of(worker) {
            Some(producer) => producer_name(producer),
            None => self.spec.workers[worker].name(),
        }
    }

    /// Number of processes of the trial, consumers and producers.
    pub(super) fn processes(&self) -> usize {
        self.workers.len() + self.load.as_ref().map_or(0, |load| load.producers.len())
    }

    fn failed(&self, worker: usize, kind: FailureKind, message: impl Into<String>) -> Failure {
        let mut message = message.into();
        let hello = self.state_of(worker).and_then(|state| state.hello.as_ref());
        let note = |hello: &Hello| client_note(&message, &hello.client, &hello.client_version);
        if let Some(note) = hello.and_then(note) {
            message = format!("{message} ({note})");
        }
        Failure {
            kind,
            who: Some(self.name_of(worker)),
            message,
        }
    }

    /// A failure by which a worker broke the protocol.
    fn broke_protocol<T>(&self, worker: usize, message: impl Into<String>) -> Result<T, Failure> {
        Err(self.failed(worker, FailureKind::WorkerProtocol, message))
    }

    fn on_message(&mut self, now_ns: u64, worker: usize, message: FromWorker) -> Result<Vec<Action>, Failure> {
        let producer = self.producer_of(worker);
        match (message, producer) {
            (FromWorker::Hello(hello), _) => self.on_hello(now_ns, worker, hello),
            (FromWorker::Ready, _) => self.on_ready(now_ns, worker),
            (
                FromWorker::Failed {
                    consumer,
                    connect,
                    message,
                },
                _,
            ) => {
                let kind = if connect {
                    FailureKind::Connect
                } else {
                    FailureKind::WorkerFailed
                };
                let mut failure = self.failed(worker, kind, message);
                if let (Some(consumer), None) = (consumer, producer) {
                    failure.who = Some(self.spec.workers[worker].member_name(consumer as usize));
                }
                Err(failure)
            }
            (FromWorker::ProducerProgress(progress), Some(producer)) => {
                Ok(self.on_producer_progress(producer, progress))
            }
            (FromWorker::ProducerResult(result), Some(producer)) => self.on_producer_result(now_ns, producer, *result),
            (_, Some(_)) => self.broke_protocol(worker, "unexpected message from a producer"),
            (FromWorker::Assignments { query, members }, None) => self.on_assignments(now_ns, worker, query, members),
            (FromWorker::Progress { positions }, None) => Ok(self.on_progress(now_ns, worker, &positions)),
            (FromWorker::Result(result), None) => self.on_result(now_ns, worker, *result),
            (FromWorker::Seconds { seconds }, None) => {
                self.on_seconds(&seconds);
                Ok(Vec::new())
            }
            (FromWorker::Calibrated(_), None) => Ok(Vec::new()),
            (
                FromWorker::Reported {
                    consumer,
                    message,
                    times,
                },
                None,
            ) => {
                self.note_report(worker, consumer, &message, times);
                Ok(Vec::new())
            }
            (FromWorker::ProducerProgress(_) | FromWorker::ProducerResult(_), None) => {
                self.broke_protocol(worker, "message of a producer from a consumer")
            }
        }
    }

    fn send_all(&self, message: &ToWorker) -> Vec<Action> {
        (0..self.workers.len())
            .map(|worker| Action::Send(worker, message.clone()))
            .collect()
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
}

fn after(now_ns: u64, delay: Duration) -> u64 {
    now_ns.saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
#[allow(clippy::unchecked_time_subtraction, reason = "the limits of the tests are long")]
mod tests;
