//! Records taken in batches: has them handled, and counts what is safe.

use super::super::account::Counted;
use super::super::reading::IDLE_WAIT;
use super::super::source::{Consumption, Message as _, Source};
use super::super::waits::Handling;
use super::{Admitted, Pass};
use crate::measure::clock;
use crate::work::{Handler, Record as _};

/// How often a working reader notes its progress within a batch.
const NOTE_INTERVAL_NS: u64 = 10_000_000;

impl<S: Source, O: Consumption, H: Handler> Pass<'_, S, O, H> {
    /// Takes records in batches and works them off.
    pub(super) fn take(&mut self) {
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
                    self.stopwatch.wait(|| source.wait(&mut batch, IDLE_WAIT));
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

    /// Works off one batch that was taken.
    pub(super) fn consume(&mut self, batch: &[S::Message<'_>]) {
        if self.only_counts() {
            for record in batch {
                if !self.count_visited(record) && self.gate.is_wanted() {
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

    /// Has a batch handled and counts it; a record's finish is the next one's start. Between two calls of the handler a
    /// rebalance may come. Without work a backlog before the first stamp is counted as it ever is.
    fn work_all(&mut self, batch: &[S::Message<'_>]) {
        let received_ns = self.received_ns;
        let mut now_ns = received_ns;
        let mut note_ns = received_ns + NOTE_INTERVAL_NS;
        let mut rest = batch;
        while !rest.is_empty() {
            if self.reader.shared.is_stopped() {
                return;
            }
            if self.gate.is_wanted() {
                // What is finished by now is what the callback may commit.
                self.note(now_ns);
                self.gate.step_aside();
                now_ns = clock::now_ns();
            }
            let (entries, following) = rest.split_at(self.admit_next(rest));
            if self.admitted.is_empty() {
                // Nothing of the trial is left in the batch.
                return;
            }
            let records = self.admitted.iter().map(|each| &entries[each.place]);
            if let Err(failure) = self.handler.handle(records) {
                self.reader.shared.work_failed(failure);
                continue;
            }
            rest = following;
            let handling = Handling {
                received_ns,
                started_ns: now_ns,
                finished_ns: clock::now_ns(),
            };
            now_ns = handling.finished_ns;
            self.work_ns += now_ns - handling.started_ns;
            for next in 0..self.admitted.len() {
                let Admitted { place, slot, epoch } = self.admitted[next];
                let record = &entries[place];
                let counted = self.count((slot, epoch), record);
                self.accounts[slot].flowed(handling.started_ns, handling.finished_ns);
                if let Some(waits) = &mut self.waits {
                    let stamp = waits.stamp_of(slot, record);
                    waits.finished(slot, stamp, handling);
                }
                if counted == Counted::Last {
                    self.finish_partition(slot, now_ns);
                } else if H::IS_NONE && self.follows() {
                    rest = self.accounts[slot].follow(record, rest);
                }
                if self.commit_every() {
                    // A commit is not work.
                    now_ns = clock::now_ns();
                }
            }
            if now_ns >= note_ns {
                self.note(now_ns);
                note_ns = now_ns + NOTE_INTERVAL_NS;
            }
        }
    }

    /// Admits what the handler takes in its next call; how many entries of the batch that uses up.
    #[inline]
    fn admit_next(&mut self, entries: &[S::Message<'_>]) -> usize {
        let at_once = self.handler.at_once().get().min(self.until_commit());
        self.admitted.clear();
        for (place, record) in entries.iter().enumerate() {
            if self.waits_for_admitted(record) {
                return place;
            }
            if let Some((slot, epoch)) = self.admit(record) {
                self.reader
                    .begin(&self.reader.shared.slots()[slot], epoch, record.offset());
                self.admitted.push(Admitted { place, slot, epoch });
                if self.admitted.len() == at_once {
                    return place + 1;
                }
            }
        }
        entries.len()
    }

    /// True for a record beyond the end of a partition of which records are admitted: only when these are handled is it
    /// known whether the partition's last one is among them.
    #[inline]
    fn waits_for_admitted(&mut self, record: &S::Message<'_>) -> bool {
        if self.admitted.is_empty() || record.error().is_some() {
            return false;
        }
        let Some(index) = self.locator.slot_of(record) else {
            return false;
        };
        let slot = &self.reader.shared.slots()[index];
        let is_beyond = record.offset() >= slot.range.end && !slot.is_passed();
        is_beyond && self.admitted.iter().any(|each| each.slot == index)
    }
}
