//! A trial as a state machine: events in, actions out. It touches no process, socket or clock, so every way in which
//! a trial can go wrong is tested without any.

mod acts;
mod event;
mod failing;
mod hosts;
mod joining;
mod reading;
mod reports;
mod script_progress;
mod starting;
mod waves;

use std::collections::BTreeMap;
use std::time::Duration;

use script_progress::Acts;
use waves::Waves;

use super::cast::{ActorId, Cast, Reader};
use super::clocks::Clocks;
use super::course::{Course, Ended};
use super::happening::Happening;
use super::limits::after;
use super::log::TrialLog;
use super::phase::Phase;
use super::positions::Positions;
use super::spec::TrialSpec;
use super::terms::Terms;
pub(super) use event::tell;
pub use event::{Action, Event};

use crate::client_errors::Reports;
use crate::measure::GroupDescription;
use crate::measure::{DeliveredTopics, Failure, FailureKind};
use crate::protocol::{FromWorker, partitions_of};

/// Pause between two looks at a group that is still settling.
const LOOK_INTERVAL: Duration = Duration::from_millis(15);

/// One trial on its way.
#[derive(Debug)]
pub struct TrialMachine {
    pub(crate) terms: Terms,
    pub(crate) cast: Cast,
    /// What differs between a backlog, a load and existing topics.
    pub(super) course: Box<dyn Course>,
    /// Every time that comes in or goes out passes here.
    pub(super) clocks: Clocks,
    /// All results are there, and the clocks are compared again.
    is_comparing: bool,
    /// Who is yet to connect.
    waves: Waves,
    phase: Phase,
    /// When the present phase must be over; while records are read, the course knows.
    deadline_ns: u64,
    /// When the present look at the groups began.
    look_ns: u64,
    /// When to look at the groups again.
    next_look_ns: Option<u64>,
    pub(super) query: u64,
    descriptions: Vec<Option<GroupDescription>>,
    /// Questions about each group that the cluster has not answered yet.
    unanswered: Vec<u32>,
    positions: Positions,
    /// What clients reported, by reader and consumer.
    reports: BTreeMap<(usize, u32), Reports>,
    acts: Acts,
    /// What happened so far.
    pub(crate) log: TrialLog,
}

impl TrialMachine {
    /// A trial whose processes are being started now.
    pub fn new(TrialSpec { cast, terms, course }: TrialSpec, now_ns: u64) -> Self {
        let groups = terms.groups.len();
        let mut log = TrialLog::default();
        log.push(now_ns, None, Happening::Phase(Phase::Starting));
        let refused = terms.check_script(&cast).err();
        let mut machine = TrialMachine {
            cast,
            course,
            clocks: Clocks::new(now_ns),
            is_comparing: false,
            waves: Waves::default(),
            phase: Phase::Starting,
            deadline_ns: after(now_ns, terms.limits.hello),
            look_ns: 0,
            next_look_ns: None,
            query: 0,
            descriptions: vec![None; groups],
            unanswered: vec![0; groups],
            positions: Positions::new(groups),
            reports: BTreeMap::new(),
            acts: Acts::new(terms.script.steps.len()),
            log,
            terms,
        };
        if let Some(message) = refused {
            let (kind, who) = (FailureKind::NotAsPlanned, None);
            machine.fail(now_ns, Failure { kind, who, message });
        }
        machine
    }

    /// Where the trial is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Records read so far, as far as reported, and how many there are, over all groups.
    pub fn progress(&self) -> (u64, u64) {
        let groups = self.terms.groups.len() as u64;
        let total = self.course.records() * groups;
        let ranges = partitions_of(&self.terms.topics).map(|(_, range)| range.len());
        let offsets = ranges.fold(0, u64::saturating_add);
        let passed = self.positions.passed(&self.terms.topics);
        let done = self.course.records_among(passed, offsets);
        (done.min(total), total)
    }

    /// When the machine wants to hear [`Event::Tick`] at the latest.
    pub fn wake_ns(&self) -> u64 {
        let deadline_ns = if self.is_reading() {
            self.course.wake_ns()
        } else {
            self.deadline_ns
        };
        let wishes = [self.next_look_ns, self.next_step_ns()];
        wishes.into_iter().flatten().fold(deadline_ns, u64::min)
    }

    /// True while records are read, whether any still arrive or not.
    fn is_reading(&self) -> bool {
        matches!(self.phase, Phase::Reading | Phase::Draining)
    }

    /// Why it failed, once it has.
    pub fn failure(&self) -> Option<&Failure> {
        self.log.latest(Happening::try_as_failed_ref)
    }

    /// What the account and the measurement are made of, once it is over.
    pub fn ended(&self) -> Ended<'_> {
        Ended {
            terms: &self.terms,
            cast: &self.cast,
            course: self.course.as_ref(),
            log: &self.log,
            clocks: &self.clocks,
        }
    }

    /// Takes in what the cluster still delivers of what is missing in the end.
    pub fn note_still(&mut self, now_ns: u64, still: DeliveredTopics) {
        self.log.push(now_ns, None, Happening::Still(still));
    }

    /// Takes an event in and says what is to be done.
    pub fn on(&mut self, now_ns: u64, event: Event) -> Vec<Action> {
        if self.phase == Phase::Over {
            return Vec::new();
        }
        let result = match event {
            Event::Message(actor, message) => {
                let converted = self.clocks.to_common(now_ns, actor, message);
                let converted = converted.or_else(|cause| self.broke_protocol(actor, cause));
                converted.and_then(|message| self.on_message(now_ns, actor, message))
            }
            Event::Garbage(actor, line) => self.on_garbage(actor, &line),
            Event::Died(actor, how) => self.on_died(now_ns, actor, how),
            Event::Found(step, broker) => self.on_found(now_ns, step, broker),
            Event::Acted(actor, act, done) => self.on_acted(actor, act, done).map(|()| Vec::new()),
            Event::Group(group, description) => Ok(self.on_group(now_ns, group, description)),
            Event::Ends(ends) => Ok(self.go_on(now_ns, |course, scene| course.on_ends(ends, scene))),
            Event::Still(asked, still) => Ok(self.go_on(now_ns, |course, scene| course.on_still(&asked, still, scene))),
            Event::Tick => self.on_tick(now_ns),
        };
        let result = result.and_then(|mut actions| {
            actions.extend(self.next_orders());
            actions.extend(self.act(now_ns)?);
            Ok(actions)
        });
        let mut actions = result.unwrap_or_else(|failure| {
            self.fail(now_ns, failure);
            Vec::new()
        });
        for action in &mut actions {
            if let Action::Send(actor, message) = action {
                self.clocks.to_host(*actor, message);
            }
        }
        actions
    }

    /// Ends the trial from outside, as when the cluster is gone.
    pub fn fail(&mut self, now_ns: u64, failure: Failure) {
        let failure = self.with_reports(failure);
        self.log.push(now_ns, None, Happening::Failed(failure));
        self.enter(now_ns, Phase::Over);
    }

    /// An actor's process was started.
    pub fn start(&mut self, now_ns: u64, actor: ActorId) {
        self.cast[actor].start();
        self.log.push(now_ns, actor, Happening::Started);
    }

    /// Goes on to another phase.
    fn enter(&mut self, now_ns: u64, phase: Phase) {
        self.phase = phase;
        self.log.push(now_ns, None, Happening::Phase(phase));
    }

    /// A failure by which an actor broke the protocol.
    fn broke_protocol<T>(&self, actor: ActorId, message: impl Into<String>) -> Result<T, Failure> {
        Err(self.cast.failure(actor, FailureKind::WorkerProtocol, message))
    }

    /// Fails where a reader names a consumer that it does not have.
    fn check_consumer(&self, reader: usize, consumer: u32) -> Result<(), Failure> {
        let consumers = self.role(reader).prepare.consumers.len();
        if (consumer as usize) < consumers {
            return Ok(());
        }
        self.broke_protocol(
            ActorId::Reader(reader),
            format!("message of consumer {consumer}, and the process has {consumers}, numbered from 0"),
        )
    }

    fn on_message(&mut self, now_ns: u64, actor: ActorId, message: FromWorker) -> Result<Vec<Action>, Failure> {
        use ActorId::{Broker, Load, Producer, Reader, Store};
        match (actor, message) {
            (_, FromWorker::Hello(hello)) => self.on_hello(now_ns, actor, hello),
            (_, FromWorker::Ready) => self.on_ready(now_ns, actor),
            (_, FromWorker::Clock(read)) => self.on_clock(now_ns, actor, read),
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
            (Reader(reader), FromWorker::Began { consumer, position }) => {
                self.check_consumer(reader, consumer)?;
                Ok(self.note_begin(now_ns, reader, consumer, position))
            }
            (Reader(reader), FromWorker::Result(result)) => self.on_result(now_ns, reader, *result),
            (Reader(_), FromWorker::Seconds { seconds }) => {
                // A worker that reports some before there are any is not believed.
                if !matches!(self.phase, Phase::Starting | Phase::Joining) {
                    self.log.push(now_ns, actor, Happening::Seconds(seconds));
                }
                Ok(Vec::new())
            }
            (Reader(reader), FromWorker::Unanswered { consumer, records }) => {
                self.check_consumer(reader, consumer)?;
                Ok(self.note(now_ns, actor, Happening::Unanswered { consumer, records }))
            }
            (Reader(_), FromWorker::Calibrated(_)) => Ok(Vec::new()),
            (Reader(_), FromWorker::ProgramReady { at_ns }) => Ok(self.note(at_ns, actor, Happening::ProgramReady)),
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
                Ok(self.on_producer_progress(now_ns, producer, progress))
            }
            (Producer(producer), FromWorker::ProducerResult(result)) => {
                self.on_producer_result(now_ns, producer, *result)
            }
            (Producer(_), _) => self.broke_protocol(actor, "unexpected message from a producer"),
            (Broker(_) | Store | Load, _) => self.broke_protocol(actor, "a message from one who does not speak"),
        }
    }

    /// Logs what happened, which asks for no action.
    fn note(&mut self, at_ns: u64, actor: ActorId, happening: Happening) -> Vec<Action> {
        self.log.push(at_ns, actor, happening);
        Vec::new()
    }

    /// The failure by which an actor says that it cannot go on.
    fn gave_up(&self, actor: ActorId, consumer: Option<u32>, connect: bool, message: String) -> Failure {
        let kind = if connect {
            FailureKind::Connect
        } else {
            FailureKind::WorkerFailed
        };
        let mut failure = self.cast.failure(actor, kind, message);
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
        if self.is_reading() {
            let turn = self.ask_course(now_ns, |course, scene| course.on_tick(scene))?;
            return Ok(self.take(now_ns, turn));
        }
        if now_ns >= self.deadline_ns {
            return Err(self.out_of_time());
        }
        if self.phase == Phase::Joining && self.next_look_ns.is_some_and(|at| now_ns >= at) {
            return Ok(self.look(now_ns));
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
#[allow(clippy::unchecked_time_subtraction, reason = "the limits of the tests are long")]
mod tests;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod observed_tests;
