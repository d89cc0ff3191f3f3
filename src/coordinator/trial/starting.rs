//! Starting: workers introduce themselves, are told what to prepare, and say that they are ready.

use super::super::demands::Demands;
use super::{Action, Phase, TrialMachine, WorkerState, after};
use crate::measure::Failure;
use crate::protocol::{Hello, ToWorker};

impl TrialMachine {
    pub(super) fn on_hello(&mut self, now_ns: u64, worker: usize, hello: Hello) -> Result<Vec<Action>, Failure> {
        if self.has_introduced_itself(worker) {
            return self.broke_protocol(worker, "it introduced itself a second time");
        }
        let (demands, prepare) = match (self.producer_of(worker), &self.spec.load) {
            (Some(producer), Some(load)) => {
                let order = Box::new(load.producers[producer].clone());
                (Demands::default(), ToWorker::PrepareProducer(order))
            }
            _ => {
                let order = &self.spec.workers[worker].prepare;
                let demands = Demands {
                    manual: self.spec.manual,
                    threads: order.threads > 1,
                    live: self.load.is_some(),
                };
                (demands, ToWorker::Prepare(Box::new(order.clone())))
            }
        };
        if let Some(message) = demands.unmet(&hello) {
            return self.broke_protocol(worker, message);
        }
        if let Some(state) = self.state_of_mut(worker) {
            state.hello = Some(hello);
            state.hello_ns = now_ns;
        }
        self.extend_for_ready(now_ns);
        Ok(vec![Action::Send(worker, prepare)])
    }

    fn has_introduced_itself(&self, worker: usize) -> bool {
        self.state_of(worker).is_some_and(|state| state.hello.is_some())
    }

    /// Lines before the introduction are somebody's log; after it they break the protocol.
    pub(super) fn on_garbage(&self, worker: usize, line: &str) -> Result<Vec<Action>, Failure> {
        if !self.has_introduced_itself(worker) {
            return Ok(Vec::new());
        }
        // A launcher that echoes its input shows our own messages, and those may hold secrets.
        let shown: String = if line.contains("\"type\"") {
            "a line of JSON that is none of the worker's messages".to_owned()
        } else {
            line.chars().take(200).collect()
        };
        self.broke_protocol(worker, format!("not a message: {shown}"))
    }

    pub(super) fn on_ready(&mut self, now_ns: u64, worker: usize) -> Result<Vec<Action>, Failure> {
        let expected = |state: &&mut WorkerState| state.hello.is_some() && state.ready_ns.is_none();
        let Some(state) = self.state_of_mut(worker).filter(expected) else {
            return self.broke_protocol(worker, "it said `ready` without having been asked to prepare");
        };
        state.ready_ns = Some(now_ns);
        Ok(self.subscribe_when_ready(now_ns))
    }

    /// Once every process has introduced itself, they have the time that getting ready may take.
    fn extend_for_ready(&mut self, now_ns: u64) {
        if (0..self.processes()).all(|worker| self.has_introduced_itself(worker)) {
            self.deadline_ns = after(now_ns, self.spec.limits.ready);
        }
    }

    /// Once every process is ready, the members join.
    fn subscribe_when_ready(&mut self, now_ns: u64) -> Vec<Action> {
        let is_ready = |worker| self.state_of(worker).is_some_and(|state| state.ready_ns.is_some());
        if !(0..self.processes()).all(is_ready) {
            return Vec::new();
        }
        self.phase = Phase::Joining;
        self.subscribe_ns = now_ns;
        self.deadline_ns = after(now_ns, self.spec.limits.join);
        let mut actions = self.send_all(&ToWorker::Subscribe);
        actions.extend(self.look());
        actions
    }
}
