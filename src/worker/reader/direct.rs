//! A reader that works each record itself: takes what is there, counts it, does the work, commits.

use super::account::{Counted, PartitionAccount};
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
        let source = self.reader.source;
        self.revocations = early.revocations;
        if !early.records.is_empty() {
            self.consume(&early.records);
        }
        drop(early);
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
        ReadAccounts {
            work_ns: (!self.labour.is_none()).then_some(self.work_ns),
            time: self.stopwatch.time(),
            accounts: self.accounts,
            waited: self.waits.map(Waits::close),
            error: self.error,
            failure: self.committer.into_error(),
        }
    }

    /// Works off one batch.
    fn consume(&mut self, batch: &[S::Message<'_>]) {
        if self.reader.accounting == Accounting::Off {
            self.follow_all(batch);
            return;
        }
        let received_ns = clock::now_ns();
        if self.labour.is_none() && self.waits.is_none() {
            self.count_all(batch, received_ns);
        } else {
            self.work_all(batch, received_ns);
        }
        self.note(clock::now_ns());
        if matches!(self.reader.commit, Commit::Auto | Commit::PerBatch) {
            self.commit();
        }
    }

    /// Counts a batch without work: the clock is read only where a partition ends. Nothing changes hands while this
    /// thread is inside its gate, so what holds for the first record of a run of offsets holds for the whole of it.
    fn count_all(&mut self, batch: &[S::Message<'_>], received_ns: u64) {
        let mut rest = batch;
        while let Some((record, following)) = rest.split_first() {
            rest = following;
            let Some((index, counted)) = self.count(record, received_ns) else {
                continue;
            };
            if counted == Counted::Last {
                self.finish_partition(index, clock::now_ns());
            } else {
                rest = self.follow(index, record, rest);
            }
            if self.commit_every() && self.gate.is_wanted() {
                self.gate.step_aside();
            }
        }
    }

    /// Follows the positions and nothing else, to measure what the accounting costs.
    fn follow_all(&mut self, batch: &[S::Message<'_>]) {
        for record in batch {
            if let Some(error) = record.error() {
                self.error.get_or_insert(error);
                continue;
            }
            let Some(index) = self.locator.slot_of(record) else {
                continue;
            };
            let slot = &self.reader.shared.slots()[index];
            if record.offset() + 1 == slot.range.end {
                slot.set_finished(slot.range.end);
                self.accounts[index] = PartitionAccount::of_end(slot.range, self.reader.start_ns, clock::now_ns());
                self.reader.shared.partition_ended();
                self.reader.offsets.end(index);
            }
        }
    }

    /// Counts a batch and does each record's work, if there is any; a record's finish is the next one's start. Between
    /// two records a rebalance may come. Without work a backlog before the first stamp is counted as it ever is.
    fn work_all(&mut self, batch: &[S::Message<'_>], received_ns: u64) {
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
                if self.labour.is_none() {
                    rest = self.follow(index, record, rest);
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

    /// Counts what carries on the run of a record that was just counted, and returns the rest; not where each record may
    /// be followed by a commit.
    #[inline]
    fn follow<'m, 's>(
        &mut self,
        index: usize,
        latest: &S::Message<'s>,
        records: &'m [S::Message<'s>],
    ) -> &'m [S::Message<'s>] {
        match self.reader.commit {
            Commit::Every(_) => records,
            _ => self.accounts[index].follow(latest, records),
        }
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
