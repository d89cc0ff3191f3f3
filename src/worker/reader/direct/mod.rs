//! A reader that works each record itself: takes records in batches, counts them, does the work, commits. Where there is
//! no work, it visits the records one by one instead.

mod take;
mod visit;

use super::account::{Counted, Follower, PartitionAccount};
use super::commit::Committer;
use super::locate::Locator;
use super::reading::{Early, ReadAccounts, Reader};
use super::source::{Consumption, Message, Source};
use super::stopwatch::Stopwatch;
use super::waits::Waits;
use crate::measure::clock;
use crate::scenario::Commit;
use crate::work::{Handler, Record};
use crate::worker::gate::Inside;
use crate::worker::shared::Slot;

/// The state of one reading.
pub(super) struct Pass<'a, S, O, H> {
    reader: &'a Reader<'a, S, O>,
    handler: H,
    gate: Inside<'a>,
    committer: Committer<'a, O>,
    locator: Locator<'a>,
    accounts: Vec<PartitionAccount>,
    /// Where records with a stamp are to be measured.
    waits: Option<Waits<'a>>,
    /// Counts what carries on the run of the latest record of a partition.
    follower: Follower,
    /// The slot of that partition.
    followed: usize,
    /// Records that the batch may still have; 0 before its first.
    batch_left: usize,
    /// Whether a batch was begun that is not noted yet.
    batch_open: bool,
    /// When its first was handed over.
    received_ns: u64,
    /// When the first record was visited since this was last taken.
    visited_ns: Option<u64>,
    /// Partitions with records since the last note.
    touched: Vec<usize>,
    is_touched: Vec<bool>,
    /// The member's revocations when the batch was taken: records of partitions revoked later are stale.
    revocations: u64,
    /// What the handler is about to take.
    admitted: Vec<Admitted>,
    records_uncommitted: u64,
    work_ns: u64,
    stopwatch: Stopwatch,
}

/// A record of the trial that the member holds.
#[derive(Clone, Copy)]
struct Admitted {
    /// Its place in the batch.
    place: usize,
    slot: usize,
    /// The assignment in which the member has it.
    epoch: u32,
}

impl<'a, S: Source, O: Consumption, H: Handler> Pass<'a, S, O, H> {
    pub(super) fn new(reader: &'a Reader<'a, S, O>, handler: H, gate: Inside<'a>) -> Self {
        let slots = reader.shared.slots();
        let account = |slot: &Slot| PartitionAccount::new(slot.range).recording_flow(reader.records_flow);
        let mut accounts: Vec<_> = slots.iter().map(account).collect();
        if let Some(order) = reader.waits {
            for (index, account) in accounts.iter_mut().enumerate() {
                account.count_singly_from(order.stamped_from(index));
            }
        }
        Pass {
            reader,
            admitted: Vec::with_capacity(handler.at_once().get().min(reader.capacity)),
            handler,
            gate,
            committer: Committer::new(reader.offsets, reader.shared, reader.commit),
            locator: Locator::new(reader.shared),
            accounts,
            waits: reader.waits.map(|order| Waits::new(order, reader.shared)),
            follower: Follower::NONE,
            followed: 0,
            batch_left: 0,
            batch_open: false,
            received_ns: 0,
            visited_ns: None,
            touched: Vec::with_capacity(slots.len()),
            is_touched: vec![false; slots.len()],
            revocations: 0,
            records_uncommitted: 0,
            work_ns: 0,
            stopwatch: Stopwatch::default(),
        }
    }

    /// Reads until the member is stopped; begins with records that came before the start.
    pub(super) fn run(mut self, early: Early<S::Message<'a>>) -> ReadAccounts {
        self.handler.begin();
        self.revocations = early.revocations;
        if !early.records.is_empty() {
            self.consume(&early.records);
        }
        drop(early);
        if self.only_counts() && self.reader.capacity > 1 {
            self.visit();
        } else {
            self.take();
        }
        ReadAccounts {
            work_ns: (!H::IS_NONE).then_some(self.work_ns),
            time: self.stopwatch.time(),
            accounts: self.accounts,
            waited: self.waits.map(Waits::close),
            failure: self.committer.into_error(),
        }
    }

    /// True where nothing is done with a record but counting it.
    fn only_counts(&self) -> bool {
        H::IS_NONE && self.waits.is_none()
    }

    fn begin_batch(&mut self) {
        self.received_ns = clock::now_ns();
        self.batch_left = self.reader.capacity;
        self.batch_open = true;
        self.visited_ns.get_or_insert(self.received_ns);
    }

    /// Notes what was counted, and commits it where every batch is committed.
    fn end_batch(&mut self) {
        self.end_run();
        self.batch_left = 0;
        if !std::mem::take(&mut self.batch_open) {
            return;
        }
        self.note(clock::now_ns());
        if matches!(self.reader.commit, Commit::Auto | Commit::PerBatch) {
            self.commit();
        }
    }

    /// Counts what was followed.
    #[inline]
    fn end_run(&mut self) {
        let followed = std::mem::replace(&mut self.follower, Follower::NONE);
        if !followed.is_none() {
            self.accounts[self.followed].add(&followed);
        }
    }

    /// False where each record may be followed by a commit.
    fn follows(&self) -> bool {
        !matches!(self.reader.commit, Commit::Every(_))
    }

    /// Slot and epoch of one record; `None` for what is not a record of this trial, or no longer this member's.
    #[inline]
    fn admit(&mut self, record: &S::Message<'_>) -> Option<(usize, u32)> {
        if let Some(error) = record.error() {
            self.reader.shared.reported().error(&error);
            return None;
        }
        let index = self.locator.slot_of(record)?;
        let slot = &self.reader.shared.slots()[index];
        let epoch = slot.epoch();
        if epoch == 0 || slot.revoked_at() > self.revocations {
            return None;
        }
        if !slot.range.contains(record.offset()) {
            if record.offset() >= slot.range.end && !slot.is_passed() {
                self.pass_end(index);
            }
            return None;
        }
        Some((index, epoch))
    }

    /// Counts one record that was admitted.
    #[inline]
    fn count(&mut self, (index, epoch): (usize, u32), record: &S::Message<'_>) -> Counted {
        if !self.is_touched[index] {
            self.is_touched[index] = true;
            self.touched.push(index);
        }
        self.accounts[index].count(record.offset(), record.bytes(), epoch, self.received_ns)
    }

    /// The partition's last record is finished: says so at once and stops fetching what nobody will read.
    fn finish_partition(&mut self, index: usize, now_ns: u64) {
        self.accounts[index].finished(now_ns, now_ns.saturating_sub(self.reader.start_ns));
        if self.only_counts() {
            self.accounts[index].flowed(self.received_ns, now_ns);
        }
        self.reader.shared.slots()[index].set_finished(self.accounts[index].position());
        self.reader.shared.partition_ended();
        self.reader.offsets.end(index);
    }

    /// A record beyond the end came although the last one was not read: there is none any more, or there never was
    /// anything to read.
    #[cold]
    fn pass_end(&mut self, index: usize) {
        let now_ns = clock::now_ns();
        let account = &mut self.accounts[index];
        account.finished(now_ns, now_ns.saturating_sub(self.reader.start_ns));
        let slot = &self.reader.shared.slots()[index];
        slot.set_passed();
        self.reader.shared.partition_ended();
        self.reader.offsets.end(index);
    }

    /// Makes what was counted visible: positions for progress and commits, records over time.
    fn note(&mut self, now_ns: u64) {
        if !self.touched.is_empty() {
            self.stopwatch.record_came();
        }
        let elapsed_ns = now_ns.saturating_sub(self.reader.start_ns);
        let only_counts = self.only_counts();
        for index in self.touched.drain(..) {
            self.is_touched[index] = false;
            let account = &mut self.accounts[index];
            account.finished(now_ns, elapsed_ns);
            if only_counts {
                account.flowed(self.received_ns, now_ns);
            }
            self.reader.shared.slots()[index].set_finished(account.position());
        }
    }

    /// Records until the next commit after every N records: the handler takes no more at once.
    fn until_commit(&self) -> usize {
        match self.reader.commit {
            Commit::Every(records) => {
                let left = records.saturating_sub(self.records_uncommitted);
                usize::try_from(left).unwrap_or(usize::MAX).max(1)
            }
            Commit::None | Commit::Auto | Commit::PerBatch => usize::MAX,
        }
    }

    /// Commits after every N records. True where it did.
    #[inline]
    fn commit_every(&mut self) -> bool {
        let Commit::Every(records) = self.reader.commit else {
            return false;
        };
        self.records_uncommitted += 1;
        if self.records_uncommitted < records {
            return false;
        }
        self.records_uncommitted = 0;
        self.note(clock::now_ns());
        self.commit();
        true
    }

    /// Commits the partitions of this reading thread that a callback is not about to take.
    fn commit(&mut self) {
        let lane = self.reader.lane;
        let committer = &mut self.committer;
        self.stopwatch.commit(self.reader.commit, || {
            committer.run(|slot| slot.lane() == lane && slot.epoch() > 0)
        });
        if let Some(waits) = &mut self.waits {
            waits.busy_until(clock::now_ns());
        }
    }
}
