//! A trial as a state machine: events in, actions out. It touches no process, socket or clock, so every way in which
//! a trial can go wrong is tested without any.

mod acts;
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

use acts::Acts;

use super::barrier::Obstacle;
use super::cast::{ActorId, Cast, Reader};
use super::spec::{Terms, TrialSpec};
pub use event::{Action, Event};
pub use phase::Phase;
pub(super) use state::LoadState;
use state::after;

use crate::client_errors::Reports;
use crate::client_errors::client_note;
use crate::measure::GroupDescription;
use crate::measure::{DeliveredTopics, Failure, FailureKind, TopicPartition};
use crate::protocol::{FromWorker, OffsetRange, ToWorker, partitions_of};

/// Pause between two looks at a group that is still settling.
const LOOK_INTERVAL: Duration = Duration::from_millis(15);

/// One trial on its way.
#[derive(Debug)]
pub struct TrialMachine {
    pub(crate) terms: Terms,
    pub(crate) cast: Cast,
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
    /// The load, from when reading begins.
    pub(super) load: Option<LoadState>,
    /// The unread offsets that the cluster still delivers; `None` if it was not asked.
    pub(super) still: Option<DeliveredTopics>,
    /// What clients reported, by reader and consumer.
    reports: BTreeMap<(usize, u32), Reports>,
    acts: Acts,
    failure: Option<Failure>,
}

impl TrialMachine {
    /// A trial whose processes are being started now.
    pub fn new(TrialSpec { cast, terms }: TrialSpec, now_ns: u64) -> Self {
        let groups = terms.groups.len();
        let refused = terms.script.check(&cast).err();
        let mut machine = TrialMachine {
            cast,
            phase: Phase::Starting,
            deadline_ns: after(now_ns, terms.limits.hello),
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
            load: None,
            still: None,
            reports: BTreeMap::new(),
            acts: Acts::new(terms.script.steps.len()),
            failure: None,
            terms,
        };
        if let Some(message) = refused {
            machine.fail(Failure {
                kind: FailureKind::NotAsPlanned,
                who: None,
                message,
            });
        }
        machine
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
        let ranges = || partitions_of(&self.terms.topics);
        let of_group = |positions| -> u64 {
            ranges()
                .map(|(partition, range)| read(positions, partition, range))
                .sum()
        };
        let mut done: u64 = self.positions.iter().map(of_group).sum();
        let total = self.terms.records() * self.terms.groups.len() as u64;
        if self.terms.reference.is_some() {
            // Not every offset holds a record.
            let offsets = ranges().map(|(_, range)| range.len()).sum::<u64>() * self.terms.groups.len() as u64;
            done = u64::try_from(u128::from(done) * u128::from(total) / u128::from(offsets.max(1))).unwrap_or(total);
        }
        (done.min(total), total)
    }

    /// When the machine wants to hear [`Event::Tick`] at the latest.
    pub fn wake_ns(&self) -> u64 {
        let wishes = [
            self.stall_ns(),
            self.next_look_ns,
            self.load_wake_ns(),
            self.next_step_ns(),
        ];
        wishes.into_iter().flatten().fold(self.deadline_ns(), u64::min)
    }

    /// When the present phase must be over, what was planned included.
    fn deadline_ns(&self) -> u64 {
        match self.phase {
            Phase::Draining => self.deadline_ns.max(self.settled_ns()),
            _ => self.deadline_ns,
        }
    }

    /// When a backlog counts as stalled if nothing more is read of it.
    fn stall_ns(&self) -> Option<u64> {
        let is_reading = self.phase == Phase::Reading && self.load.is_none();
        is_reading.then(|| after(self.progress_ns, self.terms.limits.stall).max(self.settled_ns()))
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
            Event::Message(actor, message) => self.on_message(now_ns, actor, message),
            Event::Garbage(actor, line) => self.on_garbage(actor, &line),
            Event::Died(actor, how) => self.on_died(now_ns, actor, how),
            Event::Acted(actor, act, done) => self.on_acted(actor, act, done).map(|()| Vec::new()),
            Event::Group(group, description) => Ok(self.on_group(now_ns, group, description)),
            Event::Ends(ends) => Ok(self.on_ends(now_ns, ends)),
            Event::Still(asked, still) => Ok(self.on_still(now_ns, &asked, still)),
            Event::Tick => self.on_tick(now_ns),
        };
        let result = result.and_then(|mut actions| {
            actions.extend(self.act(now_ns)?);
            Ok(actions)
        });
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

    fn failed(&self, actor: ActorId, kind: FailureKind, message: impl Into<String>) -> Failure {
        let mut message = message.into();
        let actor = &self.cast[actor];
        let hello = actor.introduction().map(|introduction| &introduction.hello);
        if let Some(note) = hello.and_then(|hello| client_note(&message, &hello.client, &hello.client_version)) {
            message = format!("{message} ({note})");
        }
        Failure {
            kind,
            who: Some(actor.name()),
            message,
        }
    }

    /// A failure by which an actor broke the protocol.
    fn broke_protocol<T>(&self, actor: ActorId, message: impl Into<String>) -> Result<T, Failure> {
        Err(self.failed(actor, FailureKind::WorkerProtocol, message))
    }

    fn on_message(&mut self, now_ns: u64, actor: ActorId, message: FromWorker) -> Result<Vec<Action>, Failure> {
        use ActorId::{Broker, Producer, Reader};
        match (actor, message) {
            (_, FromWorker::Hello(hello)) => self.on_hello(now_ns, actor, hello),
            (_, FromWorker::Ready) => self.on_ready(now_ns, actor),
            (
                _,
                FromWorker::Failed {
                    consumer,
                    connect,
                    message,
                },
            ) => Err(self.gave_up(actor, consumer, connect, message)),
            (Reader(reader), FromWorker::Assignments { query, members }) => {
                self.on_assignments(now_ns, reader, query, members)
            }
            (Reader(reader), FromWorker::Progress { positions }) => Ok(self.on_progress(now_ns, reader, &positions)),
            (Reader(reader), FromWorker::Result(result)) => self.on_result(now_ns, reader, *result),
            (Reader(_), FromWorker::Seconds { seconds }) => {
                self.on_seconds(&seconds);
                Ok(Vec::new())
            }
            (Reader(_), FromWorker::Calibrated(_)) => Ok(Vec::new()),
            (
                Reader(reader),
                FromWorker::Reported {
                    consumer,
                    message,
                    times,
                },
            ) => {
                self.note_report(reader, consumer, &message, times);
                Ok(Vec::new())
            }
            (Reader(_), FromWorker::ProducerProgress(_) | FromWorker::ProducerResult(_)) => {
                self.broke_protocol(actor, "message of a producer from a consumer")
            }
            (Producer(producer), FromWorker::ProducerProgress(progress)) => {
                Ok(self.on_producer_progress(producer, progress))
            }
            (Producer(producer), FromWorker::ProducerResult(result)) => {
                self.on_producer_result(now_ns, producer, *result)
            }
            (Producer(_), _) => self.broke_protocol(actor, "unexpected message from a producer"),
            (Broker(_), _) => self.broke_protocol(actor, "a message from a broker"),
        }
    }

    /// The failure by which an actor says that it cannot go on.
    fn gave_up(&self, actor: ActorId, consumer: Option<u32>, connect: bool, message: String) -> Failure {
        let kind = if connect {
            FailureKind::Connect
        } else {
            FailureKind::WorkerFailed
        };
        let mut failure = self.failed(actor, kind, message);
        if let (Some(consumer), ActorId::Reader(reader)) = (consumer, actor) {
            failure.who = Some(self.role(reader).member_name(consumer as usize));
        }
        failure
    }

    /// What a reader was ordered.
    fn role(&self, reader: usize) -> &Reader {
        &self.cast.readers[reader].role
    }

    fn on_tick(&mut self, now_ns: u64) -> Result<Vec<Action>, Failure> {
        if self.phase == Phase::Draining && now_ns >= self.deadline_ns() {
            // What is left unread is counted, and says that the readers fell behind.
            return Ok(self.collect(now_ns));
        }
        if now_ns >= self.deadline_ns() {
            return Err(self.out_of_time());
        }
        if let Some(actions) = self.on_load_tick(now_ns) {
            return Ok(actions);
        }
        if self.stall_ns().is_some_and(|stall_ns| now_ns >= stall_ns) {
            return Err(self.stalled());
        }
        if self.phase == Phase::Joining && self.next_look_ns.is_some_and(|at| now_ns >= at) {
            return Ok(self.look());
        }
        Ok(Vec::new())
    }
}

/// The same message to each of these.
fn tell(actors: impl Iterator<Item = ActorId>, message: &ToWorker) -> Vec<Action> {
    actors.map(|actor| Action::Send(actor, message.clone())).collect()
}

#[cfg(test)]
#[allow(clippy::unchecked_time_subtraction, reason = "the limits of the tests are long")]
mod tests;
