//! Hosts: the workers of another host get their orders once its clock is known, and it is compared again at the end.

use std::iter;

use super::{Action, Phase, TrialMachine, after, tell};
use crate::measure::{Failure, FailureKind};
use crate::protocol::{ClockReading, Hello, ToWorker};
use crate::time::HostId;
use crate::trial::cast::ActorId;

impl TrialMachine {
    /// Names the coordinator's host, before any worker has introduced itself.
    #[must_use]
    pub fn on_host(mut self, host: Option<String>) -> Self {
        self.clocks.here = host;
        self
    }

    /// The hosts of the trial whose clocks have such names.
    pub fn hosts_with(&self, is_it: impl Fn(Option<&str>) -> bool) -> Vec<HostId> {
        self.clocks.named(is_it)
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

    /// Fails the trial where a reader is on another host than the producer that is to be beside it, as far as both have
    /// introduced themselves.
    pub(super) fn check_beside(&self) -> Result<(), Failure> {
        for (actor, reader) in self.cast.reader_ids().zip(&self.cast.readers) {
            let only = reader
                .role
                .prepare
                .stamps
                .as_ref()
                .and_then(|stamps| stamps.only_producer);
            let Some(producer) = only.map(|only| ActorId::Producer(only as usize)) else {
                continue;
            };
            let are_known = [actor, producer].iter().all(|each| self.cast[*each].hello().is_some());
            if are_known && self.clocks.host_of(actor) != self.clocks.host_of(producer) {
                let message = format!(
                    "it is on another host than {}, which is to be beside it: with producers = \"beside\" all processes of a \
                     place must be on one host",
                    self.cast[producer].name()
                );
                return Err(self.cast.failure(actor, FailureKind::NotAsPlanned, message));
            }
        }
        Ok(())
    }

    /// The orders that can be given now.
    pub(super) fn next_orders(&mut self) -> Vec<Action> {
        let cast = &self.cast;
        let is_preparing = |actor: &ActorId| cast[*actor].is_present() && !cast[*actor].is_ready();
        let members = |actor: &ActorId| match actor {
            ActorId::Reader(reader) => cast.readers[*reader].role.prepare.consumers.len(),
            _ => 1,
        };
        let next = self.waves.next(is_preparing, members);
        let order = |actor: ActorId| {
            let mut order = cast[actor].order()?;
            if let ToWorker::Prepare(prepare) = &mut order {
                prepare.joins_late = self.phase != Phase::Starting;
            }
            Some(Action::Send(actor, order))
        };
        next.into_iter().filter_map(order).collect()
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
            let clocks = &self.clocks;
            self.log.correct_results(|actor, ns| {
                let drift = clocks.drift_of(actor);
                drift.map_or(ns, |drift| drift.corrected(ns))
            });
            self.enter(now_ns, Phase::Over);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Capability, FromWorker};
    use crate::testing::script::{Reader, Script, hello, spec};

    fn ordered(actions: &[Action]) -> Vec<ActorId> {
        let order = |action: &Action| match action {
            Action::Send(actor, ToWorker::Prepare(_)) => Some(*actor),
            _ => None,
        };
        actions.iter().filter_map(order).collect()
    }

    #[test]
    fn of_many_members_the_next_connect_when_others_are_ready() {
        let mut script = Script::new(spec(4, 20, 200));
        let introduced: Vec<Vec<ActorId>> = (0..4)
            .map(|reader| ordered(&script.says(Reader(reader), FromWorker::Hello(hello(Capability::ALL)))))
            .collect();
        assert_eq!(introduced, [vec![Reader(0)], vec![Reader(1)], vec![], vec![]]);
        assert_eq!(ordered(&script.says(Reader(1), FromWorker::Ready)), [Reader(2)]);
        assert_eq!(ordered(&script.says(Reader(2), FromWorker::Ready)), [Reader(3)]);
        script.says(Reader(0), FromWorker::Ready);
        let actions = script.says(Reader(3), FromWorker::Ready);
        assert_eq!(script.machine.phase(), Phase::Joining);
        assert!(actions.contains(&Action::Send(Reader(3), ToWorker::Subscribe)));
    }

    #[test]
    fn a_process_with_more_members_than_a_wave_connects_alone() {
        let mut script = Script::new(spec(2, 150, 300));
        let first = script.says(Reader(1), FromWorker::Hello(hello(Capability::ALL)));
        assert_eq!(ordered(&first), [Reader(1)]);
        let second = script.says(Reader(0), FromWorker::Hello(hello(Capability::ALL)));
        assert_eq!(ordered(&second), []);
        assert_eq!(ordered(&script.says(Reader(1), FromWorker::Ready)), [Reader(0)]);
    }
}
