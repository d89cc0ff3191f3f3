//! Reading: the common start, positions until every partition is at its end, and the results.

use std::time::Duration;

use super::joining::Joined;
use super::{Action, Phase, TrialMachine, after, tell};
use crate::measure::Failure;
use crate::protocol::{Position, ProducerProgress, ProducerResult, ToWorker, WorkerResult};
use crate::trial::cast::{Actor, ActorId, ProducerStage, Reader, ReaderStage};
use crate::trial::course::{Course, Scene, Turn};
use crate::trial::happening::Happening;

/// How far ahead the common start is, so that it reaches every worker in time.
const START_LEAD: Duration = Duration::from_millis(15);
/// Added for each actor.
const START_LEAD_PER_ACTOR: Duration = Duration::from_millis(2);

impl TrialMachine {
    pub(super) fn begin_reading(&mut self, now_ns: u64, Joined { held, nameless }: Joined) -> Vec<Action> {
        let actors = u32::try_from(self.cast.present().count()).unwrap_or(u32::MAX);
        let lead = START_LEAD + START_LEAD_PER_ACTOR * actors + self.clocks.longest_way();
        let start_ns = after(now_ns, lead);
        self.enter(now_ns, Phase::Reading);
        self.log.push(now_ns, None, Happening::StartSet(start_ns));
        for group in nameless {
            self.log.push(now_ns, None, Happening::Nameless(group));
        }
        for (reader, held) in self.cast.reader_ids().zip(held) {
            self.log.push(now_ns, reader, Happening::Held(held));
        }
        for reader in &mut self.cast.readers {
            reader.enter(ReaderStage::Reading);
        }
        let mut actions = tell(self.cast.present_readers(), &ToWorker::Start { at_ns: start_ns });
        actions.extend(self.ask_course(now_ns, |course, scene| course.begin(start_ns, scene)));
        actions.push(Action::Started(start_ns));
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
            log: &mut self.log,
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
            self.enter(now_ns, Phase::Draining);
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
        let (done, total) = self.progress();
        self.log.push(now_ns, None, Happening::Read { done, total });
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
        let actor = ActorId::Producer(producer);
        if let Err(message) = self.cast.producers[producer].finish() {
            return self.broke_protocol(actor, message);
        }
        self.log.push(now_ns, actor, Happening::Produced(Box::new(result)));
        let mut actions = self.go_on(now_ns, |course, scene| course.on_producers(scene));
        actions.extend(self.let_go(actor));
        Ok(actions)
    }

    /// Reading is over: everybody says what was recorded.
    fn collect(&mut self, now_ns: u64) -> Vec<Action> {
        self.enter(now_ns, Phase::Collecting);
        self.deadline_ns = after(now_ns, self.terms.limits.result);
        let mut actions = vec![Action::Ended];
        actions.extend(self.resume_all());
        let readers = self.cast.reader_ids().zip(&mut self.cast.readers);
        let stopped = readers.filter_map(|(actor, reader)| reader.stop().then_some(actor));
        actions.extend(tell(stopped.collect::<Vec<_>>().into_iter(), &ToWorker::Stop));
        actions.extend(self.end_when_collected(now_ns));
        actions
    }

    pub(super) fn on_result(
        &mut self,
        now_ns: u64,
        reader: usize,
        result: WorkerResult,
    ) -> Result<Vec<Action>, Failure> {
        let actor = ActorId::Reader(reader);
        if let Err(message) = self.cast.readers[reader].finish(result.members.len()) {
            return self.broke_protocol(actor, message);
        }
        self.log.push(now_ns, actor, Happening::Result(Box::new(result)));
        let mut actions = self.let_go(actor);
        actions.extend(self.end_when_collected(now_ns));
        Ok(actions)
    }

    /// Once everybody who read has said what was recorded, the clocks of other hosts are compared again.
    pub(super) fn end_when_collected(&mut self, now_ns: u64) -> Vec<Action> {
        let is_complete = !self.cast.readers.iter().any(Actor::<Reader>::owes_result);
        if self.phase != Phase::Collecting || !is_complete {
            return Vec::new();
        }
        self.compare_clocks(now_ns)
    }
}
