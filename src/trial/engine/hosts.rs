//! Hosts: the workers of another host get their orders once its clock is known, and it is compared again at the end.

use std::iter;

use super::{Action, Phase, TrialMachine, after, tell};
use crate::measure::Failure;
use crate::protocol::{ClockReading, Hello, ToWorker};
use crate::trial::cast::ActorId;

impl TrialMachine {
    /// Names the coordinator's host, before any worker has introduced itself.
    #[must_use]
    pub fn on_host(mut self, host: Option<String>) -> Self {
        self.clocks.here = host;
        self
    }

    /// What is sent to an actor that has introduced itself: its order, or first a question.
    pub(super) fn greet(&mut self, now_ns: u64, actor: ActorId, hello: &Hello) -> Vec<Action> {
        if self.clocks.meet(now_ns, actor, hello) {
            return tell(iter::once(actor), &ToWorker::QueryClock);
        }
        if self.clocks.clock_of(now_ns, actor).is_some() {
            self.waves.wait([actor]);
        }
        Vec::new()
    }

    /// Once the clock of a host is known, its workers get their orders; once all are compared again, the trial is over.
    pub(super) fn on_clock(&mut self, now_ns: u64, actor: ActorId, read: ClockReading) -> Result<Vec<Action>, Failure> {
        let is_complete = self.clocks.on_answer(now_ns, actor, read);
        if !is_complete.or_else(|cause| self.broke_protocol(actor, cause))? {
            return Ok(tell(iter::once(actor), &ToWorker::QueryClock));
        }
        if !self.is_comparing {
            self.waves.wait(self.clocks.neighbours(actor));
            return Ok(Vec::new());
        }
        self.end_when_compared(now_ns);
        Ok(Vec::new())
    }

    /// All results are there: compares the clocks of other hosts again, and ends the trial after that.
    pub(super) fn compare_clocks(&mut self, now_ns: u64) -> Vec<Action> {
        if std::mem::replace(&mut self.is_comparing, true) {
            return Vec::new();
        }
        self.deadline_ns = after(now_ns, self.terms.limits.result);
        let asked = self.clocks.compare_again(now_ns, |actor| self.cast[actor].is_present());
        self.end_when_compared(now_ns);
        tell(asked.into_iter(), &ToWorker::QueryClock)
    }

    fn end_when_compared(&mut self, now_ns: u64) {
        if self.clocks.silent().is_none() {
            self.enter(now_ns, Phase::Over);
        }
    }
}
