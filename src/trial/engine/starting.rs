//! Starting: workers introduce themselves, get their orders, and say that they are ready.

use std::sync::Arc;

use super::{Action, Phase, TrialMachine, after, tell};
use crate::measure::Failure;
use crate::protocol::{Hello, ToWorker};
use crate::trial::cast::ActorId;
use crate::trial::happening::Happening;

impl TrialMachine {
    pub(super) fn on_hello(&mut self, now_ns: u64, actor: ActorId, hello: Hello) -> Result<Vec<Action>, Failure> {
        let introduced = &mut self.cast[actor];
        if introduced.hello().is_some() {
            return self.broke_protocol(actor, "it introduced itself a second time");
        }
        if let Some(message) = introduced.demands().unmet(&hello) {
            return self.broke_protocol(actor, message);
        }
        let hello = Arc::new(hello);
        introduced.introduce(Arc::clone(&hello));
        self.log.push(now_ns, actor, Happening::Introduced(Arc::clone(&hello)));
        // Once every process has introduced itself, they have the time that getting ready may take.
        let all_introduced = (self.cast.present()).all(|actor| self.cast[actor].hello().is_some());
        if self.phase == Phase::Starting && all_introduced {
            self.deadline_ns = after(now_ns, self.terms.limits.ready);
        }
        Ok(self.greet(now_ns, actor, &hello))
    }

    /// Lines before the introduction are somebody's log; after it they break the protocol.
    pub(super) fn on_garbage(&self, actor: ActorId, line: &str) -> Result<Vec<Action>, Failure> {
        if self.cast[actor].hello().is_none() {
            return Ok(Vec::new());
        }
        // A launcher that echoes its input repeats our own messages, and those may hold secrets.
        let excerpt: String = if line.contains("\"type\"") {
            "a line of JSON that is none of the worker's messages".to_owned()
        } else {
            line.chars().take(200).collect()
        };
        self.broke_protocol(actor, format!("not a message: {excerpt}"))
    }

    /// Once every process is ready, the members join.
    pub(super) fn on_ready(&mut self, now_ns: u64, actor: ActorId) -> Result<Vec<Action>, Failure> {
        if !self.waves.get_ready(actor) || !self.cast[actor].get_ready() {
            return self.broke_protocol(actor, "it said `ready` without having been asked to prepare");
        }
        self.log.push(now_ns, actor, Happening::Ready);
        self.check_beside()?;
        if self.phase != Phase::Starting {
            return Ok(self.join_late(now_ns, actor));
        }
        if !self.cast.present().all(|actor| self.cast[actor].is_ready()) {
            return Ok(Vec::new());
        }
        self.enter(now_ns, Phase::Joining);
        self.deadline_ns = after(now_ns, self.terms.limits.join);
        let mut actions = tell(self.cast.present_readers(), &ToWorker::Subscribe);
        actions.extend(self.look(now_ns));
        Ok(actions)
    }
}
