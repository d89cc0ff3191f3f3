//! The acts of the script: which are due, what stands in their way, what came of them, and what is known of a reader that
//! was killed.

use super::script_progress::Progress;
use super::{Action, Phase, TrialMachine};
use crate::measure::{Act, Failure, FailureKind};
use crate::protocol::{Position, ToWorker, partitions_of};
use crate::trial::cast::{ActorId, AnyActor, ReaderStage};
use crate::trial::happening::{Happening, Span};
use crate::trial::limits::after;
use crate::trial::script::{Step, StepTarget, When};

impl TrialMachine {
    /// Begins what is due of the script.
    pub(super) fn act(&mut self, now_ns: u64) -> Result<Vec<Action>, Failure> {
        let mut actions = Vec::new();
        for index in 0..self.acts.progress.len() {
            if self.next_ns(index).is_some_and(|at_ns| now_ns >= at_ns) {
                actions.extend(self.begin(now_ns, index)?);
            }
        }
        self.course.wait_until(self.settled_ns());
        Ok(actions)
    }

    /// When something of the script is due next, as far as that is known.
    pub(super) fn next_step_ns(&self) -> Option<u64> {
        (0..self.acts.progress.len())
            .filter_map(|index| self.next_ns(index))
            .min()
    }

    /// Until when what was planned may keep the reading from going on.
    fn settled_ns(&self) -> u64 {
        let steps = self.terms.script.steps.iter().zip(&self.acts.progress).enumerate();
        let known = steps.filter_map(|(index, (step, progress))| {
            let is_coming =
                progress.asked_ns.max(progress.begun_ns).is_some() || matches!(step.when, When::AfterStep(_));
            let next_ns = self.next_ns(index).filter(|_| is_coming);
            progress
                .asked_ns
                .max(progress.begun_ns)
                .max(progress.done_ns)
                .max(next_ns)
        });
        known.max().map_or(0, |at_ns| after(at_ns, self.terms.limits.settle))
    }

    /// When a step is due that waits; of a role that is looked up, when it must be known; of a reader that is being
    /// started, when it must be ready.
    fn next_ns(&self, index: usize) -> Option<u64> {
        let Step { when, act, .. } = self.terms.script.steps[index];
        let Progress {
            asked_ns,
            actor,
            begun_ns,
            done_ns,
        } = self.acts.progress[index];
        if done_ns.is_some() || !self.is_reading() {
            return None;
        }
        if let Some(begun_ns) = begun_ns {
            let limit = self.terms.limits.hello + self.terms.limits.ready;
            let gets_ready = act == Act::Start && matches!(actor, Some(ActorId::Reader(_)));
            return gets_ready.then(|| after(begun_ns, limit));
        }
        if let Some(asked_ns) = asked_ns {
            return Some(after(asked_ns, self.terms.limits.find));
        }
        Some(match when {
            When::At(delay) => after(*self.log.latest(Happening::try_as_start_set_ref)?, delay),
            When::AfterJoin(delay) => after(self.log.began_ns(Phase::Reading)?, delay),
            When::AfterStep(delay) => after(self.acts.progress[index.checked_sub(1)?].done_ns?, delay),
            When::AtProgress(share) => {
                let (done, total) = self.progress();
                return (done as f64 >= share * total as f64).then_some(0);
            }
        })
    }

    fn begin(&mut self, now_ns: u64, index: usize) -> Result<Vec<Action>, Failure> {
        let Progress { asked_ns, begun_ns, .. } = self.acts.progress[index];
        let actor = match self.terms.script.steps[index].target {
            _ if begun_ns.is_some() => return Err(self.not_as_planned(index, "its worker was not ready in time")),
            _ if asked_ns.is_some() => {
                return Err(self.not_as_planned(index, "the cluster did not say in time who that is"));
            }
            StepTarget::Actor(actor) => actor,
            StepTarget::Role(role) => {
                self.acts.progress[index].asked_ns = Some(now_ns);
                return Ok(vec![Action::Find(index, role)]);
            }
            StepTarget::AsBefore => {
                let before = index.checked_sub(1).and_then(|before| self.acts.progress[before].actor);
                before.ok_or_else(|| self.not_as_planned(index, "the step before it was done to nobody"))?
            }
        };
        self.begin_on(now_ns, index, actor)
    }

    /// Takes in which broker has the role that a step names.
    pub(super) fn on_found(
        &mut self,
        now_ns: u64,
        index: usize,
        broker: Result<u32, String>,
    ) -> Result<Vec<Action>, Failure> {
        let waits = self
            .acts
            .progress
            .get(index)
            .is_some_and(|progress| progress.asked_ns.is_some() && progress.begun_ns.is_none());
        if !waits || !self.is_reading() {
            return Ok(Vec::new());
        }
        let broker = broker.map_err(|cause| self.not_as_planned(index, &cause))?;
        let unknown = || format!("that is broker {broker}, which the run did not start");
        let actor = self
            .cast
            .broker(broker)
            .ok_or_else(|| self.not_as_planned(index, &unknown()))?;
        self.begin_on(now_ns, index, actor)
    }

    fn begin_on(&mut self, now_ns: u64, index: usize, actor: ActorId) -> Result<Vec<Action>, Failure> {
        let act = self.terms.script.steps[index].act;
        if let Some(obstacle) = self.obstacle_to(actor, act) {
            return Err(self.not_as_planned(index, obstacle));
        }
        self.acts.progress[index].actor = Some(actor);
        self.acts.progress[index].begun_ns = Some(now_ns);
        self.log.push(now_ns, actor, Happening::ActBegun(index));
        // Who leaves in order gives its result first.
        let stops = match (actor, act) {
            (ActorId::Reader(reader), Act::Leave) => self.cast.readers[reader].stop(),
            (ActorId::Producer(producer), Act::Leave) => self.cast.producers[producer].stop(),
            // The producers' schedule has it.
            (ActorId::Load, _) => {
                self.finish(now_ns, index, actor);
                return Ok(Vec::new());
            }
            _ => false,
        };
        let stop = stops.then_some(Action::Send(actor, ToWorker::Stop));
        Ok(vec![stop.unwrap_or(Action::Act(actor, act))])
    }

    /// Why this cannot be done to an actor now.
    fn obstacle_to(&self, actor: ActorId, act: Act) -> Option<&'static str> {
        if self.under_way(actor, |_| true).is_some() {
            return Some("a step before it is not over");
        }
        let (is_present, is_paused) = (self.cast[actor].is_present(), self.acts.paused.contains(&actor));
        match act {
            Act::Start if is_present => Some("it runs already"),
            Act::Leave | Act::Kill | Act::Pause | Act::Resume if !is_present => Some("it does not run"),
            Act::Leave | Act::Pause if is_paused => Some("it is paused"),
            Act::Resume if !is_paused => Some("it is not paused"),
            Act::Start | Act::Leave | Act::Kill | Act::Pause | Act::Resume | Act::SetRate(_) => None,
        }
    }

    /// The step that is being done to an actor, if it is such an act.
    fn under_way(&self, actor: ActorId, is_such: impl Fn(Act) -> bool) -> Option<usize> {
        let mut steps = self.terms.script.steps.iter().zip(&self.acts.progress);
        steps.position(|(step, progress)| {
            progress.actor == Some(actor) && is_such(step.act) && progress.done_ns.is_none()
        })
    }

    fn finish(&mut self, now_ns: u64, index: usize, actor: ActorId) {
        self.acts.progress[index].done_ns = Some(now_ns);
        self.log.push(now_ns, actor, Happening::ActDone(index));
    }

    /// Takes in what came of an act. Of one that ends a worker, its end says it; of one that starts it, `ready`.
    pub(super) fn on_acted(&mut self, actor: ActorId, act: Act, done: Result<u64, String>) -> Result<(), Failure> {
        let Some(index) = self.under_way(actor, |under_way| under_way == act) else {
            return Ok(());
        };
        let done_ns = done.map_err(|cause| self.not_as_planned(index, &cause))?;
        let is_server = matches!(actor, ActorId::Broker(_) | ActorId::Store);
        match act {
            Act::Start => self.start(done_ns, actor),
            Act::Leave | Act::Kill if is_server => self.go(done_ns, actor, <&str>::from(act).to_owned(), true),
            Act::Leave | Act::Kill => return Ok(()),
            Act::Pause => drop(self.acts.paused.insert(actor)),
            Act::Resume => drop(self.acts.paused.remove(&actor)),
            Act::SetRate(_) => {}
        }
        if act != Act::Start || is_server {
            self.finish(done_ns, index, actor);
        }
        Ok(())
    }

    /// A worker's process ended, which is a failure unless a step of the script ends it: by force, or in order once it
    /// gave its result.
    pub(super) fn on_died(&mut self, now_ns: u64, actor: ActorId, how: String) -> Result<Vec<Action>, Failure> {
        let gave_result = match actor {
            ActorId::Reader(reader) => self.cast.readers[reader].is_done(),
            ActorId::Producer(producer) => self.cast.producers[producer].is_done(),
            ActorId::Broker(_) | ActorId::Store | ActorId::Load => false,
        };
        let planned = self.under_way(actor, |act| act == Act::Kill || gave_result && act == Act::Leave);
        let failure = self.cast.failure(actor, FailureKind::WorkerDied, &how);
        self.go(now_ns, actor, how, planned.is_some());
        self.finish(now_ns, planned.ok_or(failure)?, actor);
        Ok(match actor {
            ActorId::Producer(_) => self.go_on(now_ns, |course, scene| course.on_producers(scene)),
            _ => self.end_when_collected(now_ns),
        })
    }

    /// An actor's process ended.
    fn go(&mut self, now_ns: u64, actor: ActorId, how: String, planned: bool) {
        self.cast[actor].go();
        self.acts.paused.remove(&actor);
        let mut reported = Vec::new();
        for (name, span) in self.acts.spans.values_mut().flatten() {
            if name.map(ActorId::Reader) == Some(actor) {
                reported.push(span.clone());
                *name = None;
            }
        }
        let gone = Happening::Gone { how, planned, reported };
        self.log.push(now_ns, actor, gone);
    }

    /// Who leaves by the script gave its result, and may go.
    pub(super) fn let_go(&self, actor: ActorId) -> Vec<Action> {
        let leaves = self.under_way(actor, |act| act == Act::Leave).is_some();
        leaves.then_some(Action::Act(actor, Act::Leave)).into_iter().collect()
    }

    /// A reader that was started in the middle of the trial joins, and reads at once.
    pub(super) fn join_late(&mut self, now_ns: u64, actor: ActorId) -> Vec<Action> {
        let (Some(index), ActorId::Reader(reader), true) =
            (self.under_way(actor, |act| act == Act::Start), actor, self.is_reading())
        else {
            return Vec::new();
        };
        self.finish(now_ns, index, actor);
        self.cast.readers[reader].enter(ReaderStage::Reading);
        let held = vec![Vec::new(); self.role(reader).prepare.consumers.len()];
        self.log.push(now_ns, actor, Happening::Held(held));
        let start = self
            .log
            .latest(Happening::try_as_start_set_ref)
            .map(|at_ns| ToWorker::Start { at_ns: *at_ns });
        let messages = [Some(ToWorker::Subscribe), start].into_iter().flatten();
        messages.map(|message| Action::Send(actor, message)).collect()
    }

    /// The reading is over: who is paused must run to say what it recorded.
    pub(super) fn resume_all(&mut self) -> Vec<Action> {
        let paused = std::mem::take(&mut self.acts.paused).into_iter();
        paused.map(|actor| Action::Act(actor, Act::Resume)).collect()
    }

    /// Notes how far a reader is, where it may be killed.
    pub(super) fn note_spans(&mut self, now_ns: u64, reader: usize, positions: &[Position]) {
        // Observers report what their group has committed, whoever read it.
        if self.terms.script.steps.is_empty() || self.cast.is_observed() {
            return;
        }
        let group = self.role(reader).group;
        for position in positions {
            let (partition, offset) = (position.topic_partition(), position.offset);
            let spans = self.acts.spans.entry((group, partition)).or_default();
            if let Some((name, span)) = spans.last_mut()
                && *name == Some(reader)
                && offset >= span.end
            {
                (span.end, span.at_ns) = (offset, now_ns);
                span.reports.push((now_ns, offset));
                continue;
            }
            // Whoever held it at the barrier read it from its first record. Where another began is not known, unless it said
            // so.
            let holder = (self.log.held(reader).iter()).position(|held| held.contains(&partition));
            let is_first = spans.is_empty() && holder.is_some();
            let range = partitions_of(&self.terms.topics).find(|(of, _)| is_first && *of == partition);
            let first = range.map_or(offset, |(_, range)| range.low.min(offset));
            // Which consumer of several reads what was assigned after the start is not known either.
            let consumer = holder.unwrap_or(0);
            spans.push((Some(reader), Span::reported(partition, consumer, first..offset, now_ns)));
        }
    }

    /// Notes where a consumer of a reader begins, where it may be killed.
    pub(super) fn note_begin(&mut self, now_ns: u64, reader: usize, consumer: u32, position: Position) -> Vec<Action> {
        if self.terms.script.steps.is_empty() {
            return Vec::new();
        }
        let (partition, offset) = (position.topic_partition(), position.offset);
        let spans = self.acts.spans.entry((self.role(reader).group, partition)).or_default();
        let consumer = usize::try_from(consumer).unwrap_or(usize::MAX);
        spans.push((
            Some(reader),
            Span::reported(partition, consumer, offset..offset, now_ns),
        ));
        Vec::new()
    }

    /// The brokers that are away, or may be, because that was planned.
    pub fn brokers_away(&self) -> Vec<u32> {
        let is_changing = |id: usize| self.under_way(ActorId::Broker(id), |act| act != Act::Pause).is_some();
        let brokers = self.cast.brokers.iter().enumerate();
        let away = brokers.filter(|(id, broker)| !broker.is_present() || is_changing(*id));
        away.map(|(_, broker)| broker.role.id).collect()
    }

    /// True where the store is away, or may be, because that was planned.
    pub fn is_store_away(&self) -> bool {
        self.cast.store.is_gone() || self.under_way(ActorId::Store, |act| act != Act::Pause).is_some()
    }

    fn not_as_planned(&self, index: usize, cause: &str) -> Failure {
        self.ended().not_as_planned(index, cause)
    }
}

#[cfg(test)]
#[path = "acts_tests.rs"]
mod tests;
