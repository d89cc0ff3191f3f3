//! One reading thread of a member: what it is given, and what it recorded.

use std::time::Duration;

use super::account::PartitionAccount;
use super::source::{Consumption, Source};
use super::waits::{WaitOrder, Waited};
use crate::measure::{PartitionMeasurement, ReadingTime};
use crate::scenario::{Commit, Read, WorkOrdering};
use crate::worker::gate::Gate;
use crate::worker::shared::{MemberShared, Slot};

/// How long an idle reader waits before it looks whether it is to stop; it is woken for records and callbacks.
pub(super) const IDLE_WAIT: Duration = Duration::from_millis(200);

/// Most records taken at once.
pub(super) const BATCH_RECORDS: usize = 1_000;

/// Records taken at once in each way of reading.
pub(crate) fn batch_capacity(read: Read) -> usize {
    match read {
        Read::Batch => BATCH_RECORDS,
        Read::Poll | Read::Stream => 1,
    }
}

/// One reading thread of a member.
pub(crate) struct Reader<'a, S, O> {
    pub(crate) source: &'a S,
    pub(crate) offsets: &'a O,
    pub(crate) shared: &'a MemberShared,
    pub(crate) gate: &'a Gate,
    /// Its number among the member's reading threads, from 0.
    pub(crate) lane: usize,
    pub(crate) commit: Commit,
    /// Most records to take at once.
    pub(crate) capacity: usize,
    pub(crate) ordering: WorkOrdering,
    /// How long the work on a record takes, where that is known beforehand.
    pub(crate) work_ns: Option<u64>,
    /// What the names of its threads begin with.
    pub(crate) thread_name: String,
    /// The common start.
    pub(crate) start_ns: u64,
    /// What to measure of records with a stamp, where there are any.
    pub(crate) waits: Option<&'a WaitOrder>,
    /// Whether to record when each partition is read and when not.
    pub(crate) records_flow: bool,
    /// Whether to say where each assignment begins, before a record of it is worked: of a process that is killed after that,
    /// nothing else is known.
    pub(crate) says_where_it_begins: bool,
}

impl<'a, S, O> Reader<'a, S, O> {
    /// A reading thread that counts records in batches, commits nothing and starts at once. What is to be different is set
    /// in a literal that takes the rest from here.
    pub(crate) fn counting(source: &'a S, offsets: &'a O, shared: &'a MemberShared, lane: usize) -> Self {
        Reader {
            source,
            offsets,
            shared,
            gate: &shared.gates()[lane],
            lane,
            commit: Commit::None,
            capacity: BATCH_RECORDS,
            ordering: WorkOrdering::None,
            work_ns: Some(0),
            thread_name: "reader".to_owned(),
            start_ns: 0,
            waits: None,
            records_flow: false,
            says_where_it_begins: false,
        }
    }
}

/// Records that came before the start.
pub(crate) struct Early<M> {
    pub(crate) records: Vec<M>,
    /// The member's revocations when they were taken.
    pub(super) revocations: u64,
}

impl<M> Early<M> {
    /// None.
    pub(crate) fn none() -> Self {
        Early {
            records: Vec::new(),
            revocations: 0,
        }
    }
}

impl<'a, S: Source, O: Consumption> Reader<'a, S, O> {
    /// A record of an assignment is about to be worked.
    #[inline]
    pub(super) fn begin(&self, slot: &Slot, epoch: u32, offset: i64) {
        if self.says_where_it_begins {
            self.shared.begin_reading(slot, epoch, offset);
        }
    }

    /// Takes what is there before the start.
    pub(crate) fn take_early(&self, mut records: Vec<S::Message<'a>>) -> Early<S::Message<'a>> {
        let _inside = self.gate.enter();
        let revocations = self.shared.revocations();
        self.source.take(&mut records);
        Early { records, revocations }
    }
}

/// What one reading thread recorded.
#[derive(Debug, Default)]
pub(crate) struct ReadAccounts {
    /// By slot.
    pub(super) accounts: Vec<PartitionAccount>,
    /// How long the records with a stamp waited, where that was to be measured.
    pub(super) waited: Option<Waited>,
    pub(super) work_ns: Option<u64>,
    /// What this thread did with its time.
    pub(super) time: ReadingTime,
    /// What went wrong in the reader itself, such as a commit.
    pub(super) failure: Option<String>,
}

impl ReadAccounts {
    /// Adds what another reading thread of the member has recorded.
    pub(crate) fn absorb(&mut self, other: ReadAccounts) {
        for (mine, its) in self.accounts.iter_mut().zip(other.accounts) {
            mine.absorb(its);
        }
        Waited::merge(&mut self.waited, other.waited);
        self.work_ns = self.work_ns.map(|ns| ns + other.work_ns.unwrap_or(0));
        self.time.add(other.time);
        self.failure = self.failure.take().or(other.failure);
    }

    /// Notes that a reading thread could not do what it should.
    pub(crate) fn fail(&mut self, failure: &str) {
        self.failure.get_or_insert_with(|| failure.to_owned());
    }

    /// Closes the accounts.
    pub(crate) fn into_result(mut self, shared: &MemberShared) -> ReaderResult {
        if let Some(failure) = shared.failure() {
            self.fail(failure);
        }
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
                    let mut result = account.into_result(slot.partition.topic, slot.partition.partition);
                    for flow in &mut result.flow {
                        flow.committed = slot.taken_in(flow.epoch);
                    }
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
pub(crate) struct ReaderResult {
    pub(crate) partitions: Vec<PartitionMeasurement>,
    pub(crate) work_ns: Option<u64>,
    pub(crate) time: ReadingTime,
    /// What went wrong in the reader itself, such as a commit: the figures are then not those of what was asked for.
    pub(crate) failure: Option<String>,
}
