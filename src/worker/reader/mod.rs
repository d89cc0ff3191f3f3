//! The hot loop: takes records from a source, counts them, does the work, commits. One thread per member runs it, or
//! one for each of its lanes; the group membership is served elsewhere, except with a stream.

mod account;
mod commit;
mod direct;
mod locate;
mod memory;
mod pool;
mod queue;
mod source;
mod stopwatch;
mod stream;
mod waits;
mod window;

#[cfg(test)]
mod serving_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod waits_tests;

use std::time::Duration;

use account::PartitionAccount;
pub(super) use commit::Committer;
pub use memory::{Rehearsal, Stage};
pub(super) use queue::{PrivateQueue, begin_close, has_closed, make_known};
pub(super) use source::{CommitError, Consumption, Offsets, Place, Source};
pub(super) use stream::StreamSource;
pub(super) use waits::WaitOrder;
use waits::Waited;

use super::gate::Gate;
use super::shared::MemberShared;
use crate::measure::ReadingTime;
use crate::protocol::{PartitionResult, WorkCalibration};
use crate::scenario::{Commit, Read, Work, WorkOrdering};

/// How long an idle reader waits before it looks around; it is woken for whatever matters.
const IDLE_WAIT: Duration = Duration::from_millis(200);

/// Most records taken at once.
const BATCH_RECORDS: usize = 1_000;

/// Records taken at once in each way of reading.
pub(super) fn batch_capacity(read: Read) -> usize {
    match read {
        Read::Batch => BATCH_RECORDS,
        Read::Poll | Read::Stream => 1,
    }
}

/// One reading thread of a member.
pub(super) struct Reader<'a, S, O> {
    pub(super) source: &'a S,
    pub(super) offsets: &'a O,
    pub(super) shared: &'a MemberShared,
    pub(super) gate: &'a Gate,
    /// Its number among the member's reading threads, from 0.
    pub(super) lane: usize,
    pub(super) work: Work,
    pub(super) calibration: WorkCalibration,
    pub(super) commit: Commit,
    /// Most records to take at once.
    pub(super) capacity: usize,
    /// Threads that work; with 1 it is this one.
    pub(super) threads: usize,
    pub(super) ordering: WorkOrdering,
    /// What the names of its threads begin with.
    pub(super) thread_name: String,
    /// The common start.
    pub(super) start_ns: u64,
    /// What to measure of records with a stamp, where there are any.
    pub(super) waits: Option<&'a WaitOrder>,
}

/// Records that came before the start.
pub(super) struct Early<M> {
    pub(super) records: Vec<M>,
    /// The member's revocations when they were taken.
    revocations: u64,
}

impl<M> Early<M> {
    /// None.
    pub(super) fn none() -> Self {
        Early {
            records: Vec::new(),
            revocations: 0,
        }
    }
}

impl<'a, S: Source, O: Consumption> Reader<'a, S, O> {
    /// Takes what is there before the start.
    pub(super) fn take_early(&self, mut records: Vec<S::Message<'a>>) -> Early<S::Message<'a>> {
        let _inside = self.gate.enter();
        let revocations = self.shared.revocations();
        self.source.take(&mut records);
        Early { records, revocations }
    }

    /// Reads, inside its gate, until the member is told to stop. Records that came before the start are counted like
    /// any others.
    pub(super) fn run(&'a self, early: Early<S::Message<'a>>) -> ReadAccounts {
        let gate = self.gate.enter();
        if self.threads > 1 {
            pool::run(self, gate, early)
        } else {
            direct::Pass::new(self, gate).run(early)
        }
    }
}

/// What one reading thread recorded.
#[derive(Debug, Default)]
pub(super) struct ReadAccounts {
    /// By slot.
    accounts: Vec<PartitionAccount>,
    /// How long the records with a stamp waited, where that was to be measured.
    waited: Option<Waited>,
    work_ns: Option<u64>,
    /// What this thread did with its time.
    time: ReadingTime,
    /// What went wrong in the reader itself, such as a commit.
    failure: Option<String>,
}

impl ReadAccounts {
    /// Adds what another reading thread of the member has recorded.
    pub(super) fn absorb(&mut self, other: ReadAccounts) {
        for (mine, its) in self.accounts.iter_mut().zip(other.accounts) {
            mine.absorb(its);
        }
        Waited::merge(&mut self.waited, other.waited);
        self.work_ns = self.work_ns.map(|ns| ns + other.work_ns.unwrap_or(0));
        self.time.add(other.time);
        self.failure = self.failure.take().or(other.failure);
    }

    /// Notes that a reading thread could not do what it should.
    pub(super) fn fail(&mut self, failure: &str) {
        self.failure.get_or_insert_with(|| failure.to_owned());
    }

    /// Closes the accounts.
    pub(super) fn into_result(mut self, shared: &MemberShared) -> ReaderResult {
        if let Some(failure) = self.waited.as_ref().and_then(|waited| waited.failure(shared)) {
            self.fail(&failure);
        }
        if let Some(waited) = &self.waited {
            self.time.add(waited.idle());
        }
        let partitions = self.accounts.into_iter().zip(shared.slots()).enumerate();
        ReaderResult {
            partitions: partitions
                .filter(|(_, (_, slot))| slot.was_held())
                .map(|(index, (account, slot))| {
                    let result = account.into_result(slot.partition.topic, slot.partition.partition);
                    match &mut self.waited {
                        Some(waited) => waited.complete(index, result),
                        None => result,
                    }
                })
                .collect(),
            work_ns: self.work_ns,
            time: self.time,
            failure: self.failure,
        }
    }
}

/// What a member's readers recorded.
#[derive(Debug, Default)]
pub(super) struct ReaderResult {
    pub(super) partitions: Vec<PartitionResult>,
    pub(super) work_ns: Option<u64>,
    pub(super) time: ReadingTime,
    /// What went wrong in the reader itself, such as a commit: the figures are then not those of what was asked for.
    pub(super) failure: Option<String>,
}
