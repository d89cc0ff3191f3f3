//! The failures of a trial that runs out of time: which limit, who is late, and what was missing.

use std::time::Duration;

use super::super::barrier::Obstacle;
use super::{Phase, TrialMachine, after};
use crate::measure::{Failure, FailureKind};
use crate::trial::cast::{Actor, ActorId, AnyActor, Reader};
use crate::trial::happening::Happening;

/// A look at the groups that takes longer is not answered.
const ANSWER_PATIENCE: Duration = Duration::from_secs(1);

impl TrialMachine {
    /// The failure of a trial whose phase took too long. It names the first process that is late, if one is.
    pub(super) fn out_of_time(&self) -> Failure {
        // An exchange that goes on is not what is late where others have not introduced themselves.
        let is_comparing = self.is_comparing || self.cast.present().all(|actor| self.cast[actor].hello().is_some());
        if let Some(actor) = self.clocks.silent().filter(|_| is_comparing) {
            let message = "it is on another host than the coordinator and did not answer `query_clock`";
            return self.cast.failure(actor, FailureKind::WorkerProtocol, message);
        }
        let limits = self.terms.limits;
        let seconds = |limit: Duration| limit.as_secs();
        let without =
            |has: fn(&(dyn AnyActor + 'static)) -> bool| self.cast.present().find(|actor| !has(&self.cast[*actor]));
        let (late, kind, message) = match self.phase {
            Phase::Starting => match without(|actor| actor.hello().is_some()) {
                Some(actor) => {
                    let message = format!("it did not introduce itself within {} s", seconds(limits.hello));
                    (Some(actor), FailureKind::WorkerStart, message)
                }
                None => {
                    let message = format!("it was not ready within {} s", seconds(limits.ready));
                    (without(AnyActor::is_ready), FailureKind::Connect, message)
                }
            },
            Phase::Joining => return self.not_joined(seconds(limits.join)),
            // While records are read, the course says what is late.
            Phase::Reading | Phase::Draining | Phase::Collecting | Phase::Over => {
                let message = format!("it gave no result within {} s", seconds(limits.result));
                let late = self.cast.readers.iter().position(Actor::<Reader>::owes_result);
                (late.map(ActorId::Reader), FailureKind::Timeout, message)
            }
        };
        match late {
            Some(actor) => self.cast.failure(actor, kind, message),
            None => Failure {
                kind,
                who: None,
                message,
            },
        }
    }

    /// The failure of a trial whose members did not join in time, by what was in the way last.
    fn not_joined(&self, seconds: u64) -> Failure {
        // What was in the way at an earlier look says nothing where the present one is not answered.
        let is_waiting = self.next_look_ns.is_none() && self.deadline_ns >= after(self.look_ns, ANSWER_PATIENCE);
        let silence = is_waiting.then(|| self.silence()).flatten();
        let (kind, who, message) = match silence.or_else(|| self.log.latest(Happening::try_as_waits_ref).cloned()) {
            Some(Obstacle::Overlap { who, message }) => {
                let message = format!("{message}, for {seconds} s");
                (FailureKind::Overlap, Some(who), message)
            }
            Some(Obstacle::Member { who, message }) => {
                let message = format!("after {seconds} s: {message}");
                (FailureKind::Assignment, Some(who), message)
            }
            Some(Obstacle::Unsettled(message)) => {
                let message = format!("after {seconds} s: {message}");
                (FailureKind::Assignment, None, message)
            }
            None => (FailureKind::Assignment, None, format!("no answer within {seconds} s")),
        };
        Failure { kind, who, message }
    }
}
