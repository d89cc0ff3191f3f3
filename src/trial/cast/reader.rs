//! Readers: processes of consumers.

use super::life::{Actor, AnyActor, EARLY_RESULT, Role, SECOND_RESULT};
use crate::measure::{Participant, TopicPartition, member_name};
use crate::protocol::{MemberAssignment, Prepare, ToWorker};
use crate::scenario::Work;
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
    /// Its consumers read.
    Reading,
    /// It was asked for its result.
    Stopping,
    /// It gave its result.
    Done,
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
            store: self.prepare.work == Work::Store,
            is_static: self.prepare.static_membership,
        }
    }

    fn order(&self) -> Option<ToWorker> {
        Some(ToWorker::Prepare(Box::new(self.prepare.clone())))
    }
}

impl Reader {
    /// True of the observer of a program that speaks nothing.
    pub fn is_observer(&self) -> bool {
        self.prepare.program.is_some()
    }

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

    /// True once it gave its result.
    pub fn is_done(&self) -> bool {
        matches!(self.stage(), Some(ReaderStage::Done))
    }

    /// True while it owes the result that it was asked for. One that got ready when all had been read owes none.
    pub fn owes_result(&self) -> bool {
        self.is_ready() && matches!(self.stage(), Some(ReaderStage::Stopping))
    }

    /// It is asked for its result, unless it does not read. True where it was.
    pub fn stop(&mut self) -> bool {
        let reads = matches!(self.stage(), Some(ReaderStage::Reading)) && self.is_present();
        if reads {
            self.enter(ReaderStage::Stopping);
        }
        reads
    }

    /// It gave its result, of so many members; the error is what is wrong with that.
    pub fn finish(&mut self, members: usize) -> Result<(), String> {
        match self.stage() {
            Some(ReaderStage::Stopping) if members == self.role.prepare.consumers.len() => {
                self.enter(ReaderStage::Done);
                Ok(())
            }
            Some(ReaderStage::Stopping) => Err(format!("its result is of {members} members")),
            Some(ReaderStage::Done) => Err(SECOND_RESULT.to_owned()),
            Some(ReaderStage::Waiting | ReaderStage::Joining(_) | ReaderStage::Reading) | None => {
                Err(EARLY_RESULT.to_owned())
            }
        }
    }
}
