//! The account of one partition whose records are worked on several threads: they begin in the order of dispatch and
//! finish in any, and only what is finished without a gap counts as read.

use std::collections::VecDeque;

use super::account::{Counted, PartitionAccount};
use crate::protocol::OffsetRange;

/// The records of a partition that are dispatched and not yet counted, and the account of those that are.
#[derive(Debug)]
pub(crate) struct Window {
    account: PartitionAccount,
    range: OffsetRange,
    /// The assignment that the pending records belong to.
    epoch: u32,
    /// In the order of dispatch; the first is never finished.
    pending: VecDeque<Pending>,
    /// Ticket of the first one.
    first_ticket: u64,
    /// Nothing more of the trial comes of the partition in this assignment.
    passed: bool,
    /// When the latest record was finished, on the clock and since the common start.
    latest: (u64, u64),
}

#[derive(Debug)]
struct Pending {
    offset: i64,
    bytes: u64,
    received_ns: u64,
    finished: bool,
}

/// What finishing a record brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advance {
    /// An earlier one is still being worked.
    None,
    /// Everything below this offset is finished.
    To(i64),
    /// As [`Advance::To`], and that is the end of what the trial reads.
    ToEnd(i64),
}

impl Window {
    pub(crate) fn new(range: OffsetRange, records_flow: bool) -> Self {
        Window {
            account: PartitionAccount::new(range).recording_flow(records_flow),
            range,
            epoch: 0,
            pending: VecDeque::new(),
            first_ticket: 0,
            passed: false,
            latest: (0, 0),
        }
    }

    /// Takes in a record that is about to be dispatched; `None` if it does not belong to the trial. The ticket names it
    /// when it is finished.
    pub(crate) fn admit(&mut self, offset: i64, bytes: u64, epoch: u32, received_ns: u64) -> Option<u64> {
        if !self.range.contains(offset) {
            return None;
        }
        if epoch != self.epoch {
            self.close_epoch();
            self.epoch = epoch;
            self.passed = false;
        }
        self.pending.push_back(Pending {
            offset,
            bytes,
            received_ns,
            finished: false,
        });
        Some(self.first_ticket + self.pending.len() as u64 - 1)
    }

    /// A record beyond the end came: nothing more of the trial follows. Says whether nothing is being worked either;
    /// `None` where it was known before.
    pub(crate) fn pass(&mut self) -> Option<bool> {
        let known = std::mem::replace(&mut self.passed, true);
        (!known).then_some(self.pending.is_empty())
    }

    /// The work on a record ended at `now_ns`, `elapsed_ns` after the common start.
    pub(crate) fn finish(&mut self, ticket: u64, now_ns: u64, elapsed_ns: u64) -> Advance {
        let place = usize::try_from(ticket - self.first_ticket).unwrap_or(usize::MAX);
        if let Some(record) = self.pending.get_mut(place) {
            record.finished = true;
        }
        let mut advance = Advance::None;
        self.latest = (now_ns, elapsed_ns);
        while self.pending.front().is_some_and(|record| record.finished) {
            let Some(record) = self.pending.pop_front() else { break };
            self.first_ticket += 1;
            let counted = self
                .account
                .count(record.offset, record.bytes, self.epoch, record.received_ns);
            advance = match (counted, advance) {
                (Counted::Last, _) | (_, Advance::ToEnd(_)) => Advance::ToEnd(self.account.position()),
                _ => Advance::To(self.account.position()),
            };
        }
        if advance != Advance::None {
            self.account.finished(now_ns, elapsed_ns);
        }
        if self.passed && self.pending.is_empty() {
            advance = Advance::ToEnd(self.account.position());
        }
        advance
    }

    /// Says that the records that were finished latest were worked between these times.
    pub(crate) fn flowed(&mut self, from_ns: u64, until_ns: u64) {
        self.account.flowed(from_ns, until_ns);
    }

    /// Ends an assignment: what was finished above a gap has been worked, and will be again by the next owner.
    fn close_epoch(&mut self) {
        for record in self.pending.drain(..) {
            self.first_ticket += 1;
            if record.finished {
                self.account
                    .count(record.offset, record.bytes, self.epoch, record.received_ns);
            }
        }
        self.account.finished(self.latest.0, self.latest.1);
    }

    /// Closes the account at the end of the reading. Of the assignment that holds until then (`held_epoch`), what is not
    /// finished leaves no gap behind: it and all after it count as not read.
    pub(crate) fn into_account(mut self, held_epoch: u32) -> PartitionAccount {
        if self.epoch != held_epoch {
            self.close_epoch();
        }
        self.account
    }
}
