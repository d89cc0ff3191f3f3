//! Records on which there is nothing to do: has them shown and counts them.

use super::super::account::{Counted, PartitionAccount};
use super::super::source::{Consumption, Message, Source, TopicHandle};
use super::super::{Accounting, IDLE_WAIT};
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
            match self.reader.accounting {
                Accounting::On => source.show(IDLE_WAIT, |record| self.see(record)),
                Accounting::Off => source.show(IDLE_WAIT, |record| self.look(record)),
            }
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

    /// Looks for the end of the trial's partitions and at nothing else, to measure what the accounting costs. False where
    /// the reader should look around before the next record.
    #[allow(clippy::inline_always, reason = "as for counting, which it is compared with")]
    #[inline(always)]
    pub(super) fn look(&mut self, record: &S::Message<'_>) -> bool {
        self.lookout.is_ahead_of(record) || self.look_apart(record)
    }

    /// Looks at a record of another partition than the one before, at the last of the trial, and at errors.
    fn look_apart(&mut self, record: &S::Message<'_>) -> bool {
        let goes_on = !self.gate.is_wanted() && !self.reader.shared.is_stopped();
        if let Some(error) = record.error() {
            self.reader.shared.reported().error(&error);
            return goes_on;
        }
        let Some(index) = self.locator.slot_of(record) else {
            return goes_on;
        };
        let slot = &self.reader.shared.slots()[index];
        self.lookout = Lookout {
            topic: record.topic_handle(),
            partition: record.partition(),
            last: slot.range.end - 1,
        };
        if record.offset() + 1 == slot.range.end {
            slot.set_finished(slot.range.end);
            self.accounts[index] = PartitionAccount::of_end(slot.range, self.reader.start_ns, clock::now_ns());
            self.reader.shared.partition_ended();
            self.reader.offsets.end(index);
        }
        goes_on
    }
}

/// The partition of the latest record and its last offset, where nothing is counted.
pub(super) struct Lookout {
    topic: TopicHandle,
    partition: i32,
    last: i64,
}

impl Lookout {
    /// Looks at nothing.
    pub(super) const NONE: Lookout = Lookout {
        topic: TopicHandle::NONE,
        partition: -1,
        last: 0,
    };

    /// True where the trial goes on behind this record, in the same partition.
    #[inline]
    fn is_ahead_of(&self, record: &impl Message) -> bool {
        record.offset() < self.last
            && record.partition() == self.partition
            && record.topic_handle() == self.topic
            && !record.is_error()
    }
}
