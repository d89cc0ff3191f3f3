//! Readers: processes of consumers.

use super::life::{Actor, EARLY_RESULT, Life, Role};
use crate::measure::{Participant, TopicPartition, member_name};
use crate::protocol::{MemberAssignment, Prepare, ToWorker, WorkerResult};
use crate::trial::demands::Demands;

/// A process of consumers.
#[derive(Debug)]
pub struct Reader {
    /// Its group, from 0.
    pub group: usize,
    /// Its number within the group, from 0.
    pub process: u32,
    /// Its order.
    pub prepare: Prepare,
}

/// What each consumer of a reader holds.
pub type Held = Vec<Vec<TopicPartition>>;

/// What a reader does.
#[derive(Debug, Default)]
pub enum ReaderStage {
    /// It waits for the others to be ready.
    #[default]
    Waiting,
    /// Its consumers join; its answer to the latest query.
    Joining(Option<Vec<MemberAssignment>>),
    /// Its consumers read what they held when the barrier was passed.
    Reading(Held),
    /// It was asked for its result.
    Stopping(Held),
    /// It gave its result.
    Done(Held, WorkerResult),
}

impl Role for Reader {
    type Stage = ReaderStage;

    fn who(&self) -> Participant {
        let (group, process) = (u32::try_from(self.group).unwrap_or(u32::MAX), self.process);
        Participant::Reader { group, process }
    }

    fn demands(&self) -> Demands {
        Demands {
            manual: self.prepare.manual,
            threads: self.prepare.threads > 1,
            live: self.prepare.stamps.is_some(),
        }
    }

    fn order(&self) -> Option<ToWorker> {
        Some(ToWorker::Prepare(Box::new(self.prepare.clone())))
    }
}

impl Reader {
    /// The name of one of its consumers for people.
    pub fn member_name(&self, consumer: usize) -> String {
        let group = u32::try_from(self.group).unwrap_or(u32::MAX);
        member_name(group, self.process, u32::try_from(consumer).unwrap_or(u32::MAX))
    }
}

impl Actor<Reader> {
    /// What its consumers hold by its answer to the latest query.
    pub fn assignments(&self) -> Option<&[MemberAssignment]> {
        match self.stage() {
            Some(ReaderStage::Joining(assignments)) => assignments.as_deref(),
            _ => None,
        }
    }

    /// What its consumers held when the barrier was passed; nothing before.
    pub fn held(&self) -> &[Vec<TopicPartition>] {
        self.life.held()
    }

    /// Its result, once it gave it.
    pub fn result(&self) -> Option<&WorkerResult> {
        self.life.result()
    }

    /// It is asked for its result, unless it does not read. True where it was.
    pub fn stop(&mut self) -> bool {
        let reads = matches!(&self.life, Life::Ready { stage, .. } if matches!(stage, ReaderStage::Reading(_)));
        if reads {
            self.enter(ReaderStage::Stopping(self.held().to_vec()));
        }
        reads
    }

    /// It gave its result; the error is what is wrong with that.
    pub fn finish(&mut self, result: WorkerResult) -> Result<(), String> {
        let Some(ReaderStage::Stopping(held) | ReaderStage::Done(held, _)) = self.stage() else {
            return Err(EARLY_RESULT.to_owned());
        };
        if result.members.len() != self.role.prepare.consumers.len() {
            return Err(format!("its result is of {} members", result.members.len()));
        }
        let held = held.clone();
        self.enter(ReaderStage::Done(held, result));
        Ok(())
    }
}

impl Life<ReaderStage> {
    /// As [`Actor::held`].
    pub fn held(&self) -> &[Vec<TopicPartition>] {
        match self.stage() {
            Some(ReaderStage::Reading(held) | ReaderStage::Stopping(held) | ReaderStage::Done(held, _)) => held,
            Some(ReaderStage::Waiting | ReaderStage::Joining(_)) | None => &[],
        }
    }

    /// As [`Actor::result`].
    pub fn result(&self) -> Option<&WorkerResult> {
        match self.stage() {
            Some(ReaderStage::Done(_, result)) => Some(result),
            _ => None,
        }
    }
}
