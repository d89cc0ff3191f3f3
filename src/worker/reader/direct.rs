//! A reader that works each record itself: takes what is there, counts it, does the work, commits.

use super::account::{Counted, Follower, PartitionAccount};
use super::commit::Committer;
use super::locate::Locator;
use super::source::{Consumption, Message, Source};
use super::stopwatch::Stopwatch;
use super::waits::{Handling, Waits};
use super::{Accounting, Early, ReadAccounts, Reader};
use crate::measure::clock;
use crate::scenario::Commit;
use crate::worker::gate::Inside;
use crate::worker::work::Labour;

/// How often a working reader notes its progress within a batch.
const NOTE_INTERVAL_NS: u64 = 10_000_000;

/// The state of one reading.
pub(super) struct Pass<'a, S, O> {
    reader: &'a Reader<'a, S, O>,
    labour: Labour,
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
    /// When the first record was shown since this was last asked for.
    shown_ns: Option<u64>,
    /// Partitions with records since the last note.
    touched: Vec<usize>,
    is_touched: Vec<bool>,
    /// The member's revocations when the batch was taken: records of partitions revoked later are stale.
    revocations: u64,
    records_uncommitted: u64,
    work_ns: u64,
    stopwatch: Stopwatch,
    error: Option<String>,
}

impl<'a, S: Source, O: Consumption> Pass<'a, S, O> {
    pub(super) fn new(reader: &'a Reader<'a, S, O>, gate: Inside<'a>) -> Self {
        let slots = reader.shared.slots();
        let mut accounts: Vec<_> = slots.iter().map(|slot| PartitionAccount::new(slot.range)).collect();
        if let Some(order) = reader.waits {
            for (index, account) in accounts.iter_mut().enumerate() {
                account.count_singly_from(order.stamped_from(index));
            }
        }
        Pass {
            reader,
            labour: Labour::prepare(reader.work, reader.calibration),
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
            shown_ns: None,
            touched: Vec::with_capacity(slots.len()),
            is_touched: vec![false; slots.len()],
            revocations: 0,
            records_uncommitted: 0,
            work_ns: 0,
            stopwatch: Stopwatch::default(),
            error: None,
        }
    }

    /// Reads until the member is told to stop; begins with records that came before the start.
    pub(super) fn run(mut self, early: Early<S::Message<'a>>) -> ReadAccounts {
        self.revocations = early.revocations;
        if !early.records.is_empty() {
            self.consume(&early.records);
        }
        drop(early);
        if self.only_counts() && self.reader.capacity > 1 {
            self.watch();
        } else {
            self.take();
        }
        ReadAccounts {
            work_ns: (!self.labour.is_none()).then_some(self.work_ns),
            time: self.stopwatch.time(),
            accounts: self.accounts,
            waited: self.waits.map(Waits::close),
            error: self.error,
            failure: self.committer.into_error(),
        }
    }

    /// True where nothing is done with a record but counting it.
    fn only_counts(&self) -> bool {
        self.labour.is_none() && self.waits.is_none()
    }

    /// Takes records in batches and works them off.
    fn take(&mut self) {
        let source = self.reader.source;
        let mut batch = Vec::with_capacity(self.reader.capacity);
        while !self.reader.shared.is_stopped() {
            if self.gate.is_wanted() {
                self.gate.step_aside();
            }
            self.revocations = self.reader.shared.revocations();
            source.take(&mut batch);
            if batch.is_empty() {
                // Whoever woke the source said why before: look once more, then wait.
                if !self.gate.is_wanted() && !self.reader.shared.is_stopped() {
                    self.stopwatch.wait(|| source.wait(&mut batch, super::IDLE_WAIT));
                }
            }
            if S::SERVES_MEMBERSHIP {
                self.revocations = self.reader.shared.revocations();
            }
            if !batch.is_empty() {
                self.consume(&batch);
                batch.clear();
            } else if let Some(waits) = &mut self.waits {
                waits.passed(clock::now_ns());
            }
        }
    }

    /// Has the records shown, and takes none: each is destroyed while the processor still has it at hand. A batch is
    /// then what is noted and committed together.
    fn watch(&mut self) {
        let source = self.reader.source;
        while !self.reader.shared.is_stopped() {
            if self.gate.is_wanted() {
                self.gate.step_aside();
            }
            self.revocations = self.reader.shared.revocations();
            let from_ns = clock::now_ns();
            source.show(super::IDLE_WAIT, |record| self.see(record));
            let shown_ns = self.shown_ns.take().unwrap_or_else(clock::now_ns);
            self.stopwatch.waited(from_ns, shown_ns);
            self.end_batch();
        }
    }

    /// Works off one batch that was taken.
    fn consume(&mut self, batch: &[S::Message<'_>]) {
        if self.only_counts() {
            for record in batch {
                if !self.see(record) && self.gate.is_wanted() {
                    self.end_batch();
                    self.gate.step_aside();
                }
            }
        } else {
            self.begin_batch();
            self.work_all(batch);
        }
        self.end_batch();
    }

    fn begin_batch(&mut self) {
        self.received_ns = clock::now_ns();
        self.batch_left = self.reader.capacity;
        self.batch_open = true;
        self.shown_ns.get_or_insert(self.received_ns);
    }

    /// Notes what was counted, and commits it where every batch is committed.
    fn end_batch(&mut self) {
        self.end_run();
        self.batch_left = 0;
        if !std::mem::take(&mut self.batch_open) || self.reader.accounting == Accounting::Off {
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

    /// Counts one record on which there is nothing to do. The clock is read only where a batch begins or a partition
    /// ends. Nothing changes hands while this thread is inside its gate, so what holds for the first record of a run of
    /// offsets holds for the whole of it. False where the reader should look around before the next record.
    #[allow(clippy::inline_always, reason = "the whole of what is done with nearly every record")]
    #[inline(always)]
    fn see(&mut self, record: &S::Message<'_>) -> bool {
        if self.batch_left > 0 && self.follower.takes(record) {
            self.batch_left -= 1;
            return true;
        }
        self.see_apart(record)
    }

    /// Counts one record that begins a batch or carries on no run.
    fn see_apart(&mut self, record: &S::Message<'_>) -> bool {
        let begins = self.batch_left == 0;
        if begins {
            self.end_batch();
            self.begin_batch();
        }
        self.batch_left -= 1;
        let goes_on = match self.reader.accounting {
            Accounting::Off => self.look_for_end(record),
            Accounting::On => self.count_apart(record),
        };
        goes_on && !(begins && (self.gate.is_wanted() || self.reader.shared.is_stopped()))
    }

    /// Counts one record and has those followed that carry on from it. False where a callback waits after a commit.
    fn count_apart(&mut self, record: &S::Message<'_>) -> bool {
        self.end_run();
        let Some((index, counted)) = self.count(record, self.received_ns) else {
            return true;
        };
        if counted == Counted::Last {
            self.finish_partition(index, clock::now_ns());
        } else if self.follows() {
            self.follower = self.accounts[index].follower(record);
            self.followed = index;
        }
        !(self.commit_every() && self.gate.is_wanted())
    }

    /// Follows the positions and nothing else, to measure what the accounting costs. Always true.
    fn look_for_end(&mut self, record: &S::Message<'_>) -> bool {
        if let Some(error) = record.error() {
            self.error.get_or_insert(error);
            return true;
        }
        let Some(index) = self.locator.slot_of(record) else {
            return true;
        };
        let slot = &self.reader.shared.slots()[index];
        if record.offset() + 1 == slot.range.end {
            slot.set_finished(slot.range.end);
            self.accounts[index] = PartitionAccount::of_end(slot.range, self.reader.start_ns, clock::now_ns());
            self.reader.shared.partition_ended();
            self.reader.offsets.end(index);
        }
        true
    }

    /// Counts a batch and does each record's work, if there is any; a record's finish is the next one's start. Between
    /// two records a rebalance may come. Without work a backlog before the first stamp is counted as it ever is.
    fn work_all(&mut self, batch: &[S::Message<'_>]) {
        let received_ns = self.received_ns;
        let mut now_ns = received_ns;
        let mut note_ns = received_ns + NOTE_INTERVAL_NS;
        let mut rest = batch;
        while let Some((record, following)) = rest.split_first() {
            rest = following;
            if self.reader.shared.is_stopped() {
                return;
            }
            if self.gate.is_wanted() {
                // What is finished by now is what the callback may commit.
                self.note(now_ns);
                self.gate.step_aside();
                now_ns = clock::now_ns();
            }
            let Some((index, counted)) = self.count(record, received_ns) else {
                continue;
            };
            self.labour.perform();
            let finished_ns = clock::now_ns();
            self.work_ns += finished_ns - now_ns;
            if let Some(waits) = &mut self.waits {
                let stamp = waits.stamp_of(index, record);
                let handling = Handling {
                    received_ns,
                    started_ns: now_ns,
                    finished_ns,
                };
                waits.finished(index, stamp, handling);
            }
            now_ns = finished_ns;
            if counted == Counted::Last {
                self.finish_partition(index, now_ns);
            } else {
                if self.labour.is_none() && self.follows() {
                    rest = self.accounts[index].follow(record, rest);
                }
                if now_ns >= note_ns {
                    self.note(now_ns);
                    note_ns = now_ns + NOTE_INTERVAL_NS;
                }
            }
            if self.commit_every() {
                // A commit is not work.
                now_ns = clock::now_ns();
            }
        }
    }

    /// False where each record may be followed by a commit.
    fn follows(&self) -> bool {
        !matches!(self.reader.commit, Commit::Every(_))
    }

    /// Counts one record; `None` for what is not a record of this trial, or no longer this member's.
    #[inline]
    fn count(&mut self, record: &S::Message<'_>, received_ns: u64) -> Option<(usize, Counted)> {
        if let Some(error) = record.error() {
            eprintln!("the client gave an error: {error}");
            self.error.get_or_insert(error);
            return None;
        }
        let index = self.locator.slot_of(record)?;
        let slot = &self.reader.shared.slots()[index];
        let epoch = slot.epoch();
        if epoch == 0 || slot.revoked_at() > self.revocations {
            return None;
        }
        let counted = self.accounts[index].count(record.offset(), record.bytes(), epoch, received_ns);
        if counted == Counted::Outside {
            if record.offset() >= slot.range.end && !slot.is_passed() {
                self.pass_end(index);
            }
            return None;
        }
        if !self.is_touched[index] {
            self.is_touched[index] = true;
            self.touched.push(index);
        }
        Some((index, counted))
    }

    /// The partition's last record is finished: says so at once and stops fetching what nobody will read.
    fn finish_partition(&mut self, index: usize, now_ns: u64) {
        self.accounts[index].finished(now_ns, now_ns.saturating_sub(self.reader.start_ns));
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
        for index in self.touched.drain(..) {
            self.is_touched[index] = false;
            let account = &mut self.accounts[index];
            account.finished(now_ns, elapsed_ns);
            self.reader.shared.slots()[index].set_finished(account.position());
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
    }
}
