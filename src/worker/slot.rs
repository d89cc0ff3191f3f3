//! One partition of the trial as a member sees it: whether it holds it, how far it is, and what is committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::measure::TopicPartition;
use crate::protocol::OffsetRange;

/// One partition of the trial as a member sees it.
pub(super) struct Slot {
    pub(super) partition: TopicPartition,
    pub(super) range: OffsetRange,
    /// Next offset to read as it is reported; -1 before the first record.
    pub(super) position: AtomicI64,
    /// How many times this member was given the partition.
    pub(super) assignments: AtomicU32,
    /// The assignment under which the member holds it now; 0 where it does not.
    pub(super) epoch: AtomicU32,
    /// The assignment of which the member has said where it begins to read.
    begun: AtomicU32,
    /// Which revocation was its last.
    pub(super) revoked_at: AtomicU64,
    /// One past the last record below which all are finished in this epoch; -1 before the first.
    finished: AtomicI64,
    /// Of that, what is committed or stored in this epoch; -1 where nothing is.
    committed: AtomicI64,
    /// What the cluster took commits of, by assignment.
    taken: Mutex<BTreeMap<u32, i64>>,
    /// Threads that work one of its records.
    pub(super) working: AtomicU32,
    /// The reading thread that its records go to.
    pub(super) lane: AtomicU32,
}

impl Slot {
    pub(super) fn new(partition: TopicPartition, range: OffsetRange) -> Self {
        Slot {
            partition,
            range,
            position: AtomicI64::new(-1),
            assignments: AtomicU32::new(0),
            epoch: AtomicU32::new(0),
            begun: AtomicU32::new(0),
            revoked_at: AtomicU64::new(0),
            finished: AtomicI64::new(-1),
            committed: AtomicI64::new(-1),
            taken: Mutex::default(),
            working: AtomicU32::new(0),
            lane: AtomicU32::new(0),
        }
    }

    /// The assignment, counted from 1, under which the member holds the partition; 0 where it does not hold it.
    #[inline]
    pub(super) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// True where the member was ever given the partition.
    pub(super) fn was_held(&self) -> bool {
        self.assignments.load(Ordering::Relaxed) > 0
    }

    /// Next offset to read, once there was a record.
    pub(super) fn position(&self) -> Option<i64> {
        Some(self.position.load(Ordering::Relaxed)).filter(|position| *position >= 0)
    }

    /// True once the member has said where it begins to read under an assignment.
    #[inline]
    pub(super) fn has_begun(&self, epoch: u32) -> bool {
        self.begun.load(Ordering::Relaxed) == epoch
    }

    /// Notes that the member has said so.
    pub(super) fn begin(&self, epoch: u32, offset: i64) {
        self.begun.store(epoch, Ordering::Relaxed);
        self.go_to(offset);
    }

    /// Notes that every record of this epoch below an offset is finished.
    pub(super) fn set_finished(&self, offset: i64) {
        self.finished.store(offset, Ordering::Relaxed);
        self.go_to(offset);
    }

    fn go_to(&self, offset: i64) {
        // What is over stays over, wherever the last record was.
        if !self.is_passed() {
            self.position.store(offset, Ordering::Relaxed);
        }
    }

    /// Notes that nothing more of the trial comes of the partition, although its last offset was not read: the cluster
    /// holds no record there any more. Nothing is committed for that.
    pub(super) fn set_passed(&self) {
        self.position.store(self.range.end, Ordering::Relaxed);
    }

    /// True where nothing more of the trial comes of the partition.
    pub(super) fn is_passed(&self) -> bool {
        self.position.load(Ordering::Relaxed) >= self.range.end
    }

    /// What may be committed and is not yet.
    pub(super) fn uncommitted(&self) -> Option<i64> {
        let finished = self.finished.load(Ordering::Relaxed);
        (finished > self.committed.load(Ordering::Relaxed)).then_some(finished)
    }

    /// Notes what was committed or stored.
    pub(super) fn set_committed(&self, offset: i64) {
        self.committed.store(offset, Ordering::Relaxed);
    }

    /// Notes that the cluster took a commit under the latest assignment.
    pub(super) fn note_taken(&self, offset: i64) {
        let epoch = self.assignments.load(Ordering::Relaxed);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = taken.entry(epoch).or_insert(offset);
        *highest = offset.max(*highest);
    }

    /// What the cluster took commits of under an assignment.
    pub(super) fn taken_in(&self, epoch: u32) -> Option<i64> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.get(&epoch).copied()
    }

    /// Which of the member's revocations took the partition last; 0 for none.
    pub(super) fn revoked_at(&self) -> u64 {
        self.revoked_at.load(Ordering::Relaxed)
    }

    /// The reading thread that its records go to, from 0.
    pub(super) fn lane(&self) -> usize {
        self.lane.load(Ordering::Relaxed) as usize
    }

    pub(super) fn begin_epoch(&self) {
        self.finished.store(-1, Ordering::Relaxed);
        self.committed.store(-1, Ordering::Relaxed);
        let epoch = self.assignments.fetch_add(1, Ordering::Relaxed) + 1;
        self.epoch.store(epoch, Ordering::SeqCst);
    }
}
