//! Records taken in batches: counts them and does their work.

use super::super::account::Counted;
use super::super::reading::IDLE_WAIT;
use super::super::source::{Consumption, Source};
use super::super::waits::Handling;
use super::Pass;
use crate::measure::clock;

/// How often a working reader notes its progress within a batch.
const NOTE_INTERVAL_NS: u64 = 10_000_000;

impl<S: Source, O: Consumption> Pass<'_, S, O> {
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
}
