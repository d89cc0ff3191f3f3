//! Records on which there is nothing to do: has them shown and counts them.

use super::super::account::Counted;
use super::super::reading::IDLE_WAIT;
use super::super::source::{Consumption, Source};
use super::Pass;
use crate::measure::clock;

impl<S: Source, O: Consumption> Pass<'_, S, O> {
    /// Has the records shown, and takes none: each is destroyed while the processor still has it at hand. A batch is
    /// then what is noted and committed together.
    pub(super) fn watch(&mut self) {
        let source = self.reader.source;
        // Of the records from before the start: it would end the first wait before it began.
        self.shown_ns = None;
        while !self.reader.shared.is_stopped() {
            if self.gate.is_wanted() {
                self.gate.step_aside();
            }
            self.revocations = self.reader.shared.revocations();
            let from_ns = clock::now_ns();
            source.show(IDLE_WAIT, |record| self.see(record));
            let shown_ns = self.shown_ns.take().unwrap_or_else(clock::now_ns);
            self.stopwatch.waited(from_ns, shown_ns);
            self.end_batch();
        }
    }

    /// Counts one record on which there is nothing to do. The clock is read only where a batch begins or a partition
    /// ends. Nothing changes hands while this thread is inside its gate, so what holds for the first record of a run of
    /// offsets holds for the whole of it. False where the reader should look around before the next record.
    #[allow(clippy::inline_always, reason = "the whole of what is done with nearly every record")]
    #[inline(always)]
    pub(super) fn see(&mut self, record: &S::Message<'_>) -> bool {
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
        let goes_on = self.count_apart(record);
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
}
