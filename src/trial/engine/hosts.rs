//! Hosts: the workers of another host get their orders once its clock is known, and it is compared again at the end.

use super::{Action, Phase, TrialMachine};
use crate::measure::{Failure, FailureKind};
use crate::protocol::Hello;
use crate::trial::cast::ActorId;
use crate::trial::clocks::Question;

impl TrialMachine {
    /// Names the coordinator's host, before any worker has introduced itself.
    #[must_use]
    pub fn on_host(mut self, host: Option<String>) -> Self {
        self.clocks.be_on(host);
        self
    }

    /// What an actor is sent when it has introduced itself: its order, or a question first.
    pub(super) fn greet(&mut self, now_ns: u64, actor: ActorId, hello: &Hello) -> Vec<Action> {
        if let Some(question) = self.clocks.meet(now_ns, actor, hello) {
            return vec![send(question)];
        }
        self.orders(|each| each == actor)
    }

    /// The orders of these actors, as far as the clocks of their hosts are known.
    fn orders(&self, which: impl Fn(ActorId) -> bool) -> Vec<Action> {
        let known = self
            .cast
            .ids()
            .filter(|actor| which(*actor) && self.clocks.knows(*actor));
        known.map(|actor| send((actor, self.cast[actor].order()))).collect()
    }

    pub(super) fn on_clock(
        &mut self,
        now_ns: u64,
        actor: ActorId,
        query: u64,
        times_ns: (u64, u64),
    ) -> Result<Vec<Action>, Failure> {
        let next = self.clocks.on_answer(now_ns, actor, query, times_ns);
        if let Some(question) = next.or_else(|message| self.broke_protocol(actor, message))? {
            return Ok(vec![send(question)]);
        }
        if self.phase == Phase::Collecting {
            self.end_when_compared();
            return Ok(Vec::new());
        }
        let host = self.clocks.host_of(actor);
        let waiting = |each: ActorId| self.clocks.host_of(each) == host && self.cast[each].introduction().is_some();
        Ok(self.orders(waiting))
    }

    /// All results are there: compares the clocks of other hosts again, and ends the trial after that.
    pub(super) fn compare_clocks(&mut self, now_ns: u64) -> Vec<Action> {
        let questions = self.clocks.compare_again(now_ns);
        self.end_when_compared();
        questions.into_iter().map(send).collect()
    }

    fn end_when_compared(&mut self) {
        if self.clocks.silent().is_none() {
            self.phase = Phase::Over;
        }
    }

    /// The failure of a worker of another host that has not answered in time.
    pub(super) fn clock_unknown(&self) -> Option<Failure> {
        let actor = self.clocks.silent()?;
        let message = "it is on another host than the coordinator and did not answer `query_clock`, without which its \
                       times say nothing; a worker of protocol 2 that is on this host says the same `host`";
        Some(self.failed(actor, FailureKind::WorkerProtocol, message))
    }
}

fn send((actor, message): Question) -> Action {
    Action::Send(actor, message)
}
