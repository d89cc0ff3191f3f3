//! Starting: workers introduce themselves, are told what to prepare, and say that they are ready.

use super::super::demands::Demands;
use super::{Action, LoadState, Phase, TrialMachine, after};
use crate::measure::{Failure, FailureKind};
use crate::protocol::{Hello, ToWorker};

impl TrialMachine {
    pub(super) fn on_hello(&mut self, now_ns: u64, worker: usize, hello: Hello) -> Result<Vec<Action>, Failure> {
        if self.workers[worker].hello.is_some() {
            let message = "it introduced itself a second time";
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        let demands = Demands {
            manual: self.spec.manual,
            threads: self.spec.workers[worker].prepare.threads > 1,
            live: self.load.is_some(),
        };
        if let Some(message) = demands.unmet(&hello) {
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        let state = &mut self.workers[worker];
        state.hello = Some(hello);
        state.hello_ns = now_ns;
        self.extend_for_ready(now_ns);
        Ok(vec![Action::Send(
            worker,
            ToWorker::Prepare(Box::new(self.spec.workers[worker].prepare.clone())),
        )])
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
        Err(self.failed(worker, FailureKind::WorkerProtocol, format!("not a message: {shown}")))
    }

    pub(super) fn on_ready(&mut self, now_ns: u64, worker: usize) -> Result<Vec<Action>, Failure> {
        let state = &mut self.workers[worker];
        if state.hello.is_none() || state.ready_ns.is_some() {
            let message = "it said that it is ready when nobody had asked";
            return Err(self.failed(worker, FailureKind::WorkerProtocol, message));
        }
        state.ready_ns = Some(now_ns);
        Ok(self.subscribe_when_ready(now_ns))
    }

    /// Once every process has introduced itself, they have the time that getting ready may take.
    pub(super) fn extend_for_ready(&mut self, now_ns: u64) {
        if (0..self.processes()).all(|worker| self.has_introduced_itself(worker)) {
            self.deadline_ns = after(now_ns, self.spec.limits.ready);
        }
    }

    /// Once every process is ready, the members join.
    pub(super) fn subscribe_when_ready(&mut self, now_ns: u64) -> Vec<Action> {
        let producers_ready = self.load.as_ref().is_none_or(LoadState::is_ready);
        if !producers_ready || self.workers.iter().any(|worker| worker.ready_ns.is_none()) {
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
