//! Records without work: visits and counts them.

use super::super::account::Counted;
use super::super::reading::IDLE_WAIT;
use super::super::source::{Consumption, Source};
use super::Pass;
use crate::measure::clock;
use crate::work::Handler;

impl<S: Source, O: Consumption, H: Handler> Pass<'_, S, O, H> {
    /// Visits records in the client's callback instead of dequeuing them, so each is freed while it is still in cache. A
    /// batch is then what is noted and committed together.
    pub(super) fn visit(&mut self) {
        let source = self.reader.source;
        // Of the records from before the start: it would end the first wait before it began.
        self.visited_ns = None;
        while !self.reader.shared.is_stopped() {
            if self.gate.is_wanted() {
                self.gate.step_aside();
            }
            self.revocations = self.reader.shared.revocations();
            let from_ns = clock::now_ns();
            source.visit_each(IDLE_WAIT, |record| self.count_visited(record));
            let visited_ns = self.visited_ns.take().unwrap_or_else(clock::now_ns);
            self.stopwatch.waited(from_ns, visited_ns);
            self.end_batch();
        }
    }

    /// Counts one record without work. The clock is read only where a batch begins or a partition
    /// ends. Nothing changes hands while this thread is inside its gate, so what holds for the first record of a run of
    /// offsets holds for all of it. False where the reader should look around before the next record.
    #[allow(clippy::inline_always, reason = "all that is done with nearly every record")]
    #[inline(always)]
    pub(super) fn count_visited(&mut self, record: &S::Message<'_>) -> bool {
        if self.batch_left > 0 && self.follower.takes(record) {
            self.batch_left -= 1;
            return true;
        }
        self.begin_run_or_batch(record)
    }

    /// Counts one record that begins a batch or carries on no run.
    fn begin_run_or_batch(&mut self, record: &S::Message<'_>) -> bool {
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
        let Some((index, epoch)) = self.admit(record) else {
            return true;
        };
        if self.count((index, epoch), record) == Counted::Last {
            self.finish_partition(index, clock::now_ns());
        } else if self.follows() {
            self.follower = self.accounts[index].follower(record);
            self.followed = index;
        }
        !(self.commit_every() && self.gate.is_wanted())
    }
}
