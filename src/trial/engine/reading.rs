//! Reading: the common start, positions until every partition is at its end, and the results.

use std::time::Duration;

use super::{Action, Phase, TrialMachine, after, tell};
use crate::measure::Failure;
use crate::protocol::{Position, ProducerProgress, ProducerResult, ToWorker, WorkerResult};
use crate::trial::cast::{Actor, ActorId, AnyActor, Held, ProducerStage, Reader, ReaderStage};
use crate::trial::course::{Course, Scene, Turn};

/// How far ahead the common start is, so that it reaches every worker in time.
const START_LEAD: Duration = Duration::from_millis(15);
/// Added for each actor.
const START_LEAD_PER_ACTOR: Duration = Duration::from_millis(2);

impl TrialMachine {
    pub(super) fn begin_reading(&mut self, now_ns: u64, held: Vec<Held>) -> Vec<Action> {
        self.phase = Phase::Reading;
        self.joined_ns = now_ns;
        let actors = u32::try_from(self.cast.present().count()).unwrap_or(u32::MAX);
        self.start_ns = after(now_ns, START_LEAD + START_LEAD_PER_ACTOR * actors);
        for (reader, held) in self.cast.readers.iter_mut().zip(held) {
            reader.enter(ReaderStage::Reading(held));
        }
        let mut actions = tell(self.cast.present_readers(), &ToWorker::Start { at_ns: self.start_ns });
        let start_ns = self.start_ns;
        actions.extend(self.ask_course(now_ns, |course, scene| course.begin(start_ns, scene)));
        actions.push(Action::Started(self.start_ns));
        actions
    }

    /// Asks the course something, with all that it may look at.
    pub(super) fn ask_course<T>(
        &mut self,
        now_ns: u64,
        question: impl FnOnce(&mut dyn Course, &mut Scene<'_>) -> T,
    ) -> T {
        let mut scene = Scene {
            now_ns,
            terms: &self.terms,
            cast: &mut self.cast,
            positions: &mut self.positions,
        };
        question(self.course.as_mut(), &mut scene)
    }

    /// Tells the course what happened, and goes on as it says.
    pub(super) fn go_on(
        &mut self,
        now_ns: u64,
        news: impl FnOnce(&mut dyn Course, &mut Scene<'_>) -> Turn,
    ) -> Vec<Action> {
        let turn = self.ask_course(now_ns, news);
        self.take(now_ns, turn)
    }

    /// Goes on as the course says; what it says of a reading that is over no longer matters.
    pub(super) fn take(&mut self, now_ns: u64, turn: Turn) -> Vec<Action> {
        if self.phase == Phase::Reading && self.course.is_draining() {
            self.phase = Phase::Draining;
        }
        match turn {
            Turn::On(actions) => actions,
            Turn::Over if self.is_reading() => self.collect(now_ns),
            Turn::Over => Vec::new(),
        }
    }

    pub(super) fn on_progress(&mut self, now_ns: u64, reader: usize, positions: &[Position]) -> Vec<Action> {
        self.note_spans(now_ns, reader, positions);
        let advanced = self.positions.note(self.role(reader).group, positions);
        if !self.is_reading() {
            return Vec::new();
        }
        self.go_on(now_ns, |course, scene| course.on_progress(advanced, scene))
    }

    pub(super) fn on_producer_progress(
        &mut self,
        now_ns: u64,
        producer: usize,
        progress: ProducerProgress,
    ) -> Vec<Action> {
        let producer = &mut self.cast.producers[producer];
        if let (true, Some(ProducerStage::Sending)) = (progress.finished, producer.stage()) {
            producer.enter(ProducerStage::Finished);
        }
        self.go_on(now_ns, |course, scene| course.on_producers(scene))
    }

    pub(super) fn on_producer_result(
        &mut self,
        now_ns: u64,
        producer: usize,
        result: ProducerResult,
    ) -> Result<Vec<Action>, Failure> {
        if let Err(message) = self.cast.producers[producer].finish(result) {
            return self.broke_protocol(ActorId::Producer(producer), message);
        }
        let mut actions = self.go_on(now_ns, |course, scene| course.on_producers(scene));
        actions.extend(self.let_go(ActorId::Producer(producer)));
        Ok(actions)
    }

    /// Reading is over: everybody says what was recorded.
    fn collect(&mut self, now_ns: u64) -> Vec<Action> {
        self.phase = Phase::Collecting;
        self.heard_end_ns = now_ns;
        self.deadline_ns = after(now_ns, self.terms.limits.result);
        let mut actions = vec![Action::Ended];
        actions.extend(self.resume_all());
        let readers = self.cast.reader_ids().zip(&mut self.cast.readers);
        let stopped = readers.filter_map(|(actor, reader)| reader.stop().then_some(actor));
        actions.extend(tell(stopped.collect::<Vec<_>>().into_iter(), &ToWorker::Stop));
        self.end_when_collected(now_ns);
        actions
    }

    pub(super) fn on_result(
        &mut self,
        now_ns: u64,
        reader: usize,
        result: WorkerResult,
    ) -> Result<Vec<Action>, Failure> {
        if let Err(message) = self.cast.readers[reader].finish(result) {
            return self.broke_protocol(ActorId::Reader(reader), message);
        }
        self.end_when_collected(now_ns);
        Ok(self.let_go(ActorId::Reader(reader)))
    }

    /// Ends the trial once everybody who read has said what was recorded.
    pub(super) fn end_when_collected(&mut self, now_ns: u64) {
        let has_said = |reader: &Actor<Reader>| reader.result().is_some() || !reader.is_ready();
        if self.phase == Phase::Collecting && self.cast.readers.iter().all(has_said) {
            self.results_ns = Some(now_ns);
            self.phase = Phase::Over;
        }
    }
}
