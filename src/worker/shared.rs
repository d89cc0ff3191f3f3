//! What the threads of a member share: one slot per partition of the trial, and whether to hold, read or stop.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::mpsc::Sender;

use crate::measure::{Rebalance, RebalanceKind, TopicPartition, clock};
use crate::protocol::{OffsetRange, TopicTarget};

/// State of one member that several threads see.
pub(super) struct MemberShared {
    topics: Vec<TopicTarget>,
    /// Index of the first slot of each topic.
    first_slots: Vec<usize>,
    slots: Vec<Slot>,
    /// True before the start: assignments are paused as they come. The lock is held while an assignment is made, so
    /// that none falls between "pause it" and "resume all".
    pub(super) holding: Mutex<bool>,
    rebalances: Mutex<Vec<Rebalance>>,
    stopped: AtomicBool,
    /// Tells the progress reporter that a partition's end was reached.
    ended: Sender<()>,
}

/// One partition of the trial as a member sees it.
pub(super) struct Slot {
    pub(super) partition: TopicPartition,
    pub(super) range: OffsetRange,
    /// Next offset to read; -1 before the first record.
    position: AtomicI64,
    /// How many times this member was given the partition.
    epoch: AtomicU32,
}

impl Slot {
    /// How many times the member was given the partition.
    #[inline]
    pub(super) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Next offset to read, once there was a record.
    pub(super) fn position(&self) -> Option<i64> {
        Some(self.position.load(Ordering::Relaxed)).filter(|position| *position >= 0)
    }

    /// Notes the next offset to read.
    pub(super) fn set_position(&self, offset: i64) {
        self.position.store(offset, Ordering::Relaxed);
    }
}

impl MemberShared {
    pub(super) fn new(topics: &[TopicTarget], ended: Sender<()>) -> Self {
        let mut first_slots = Vec::with_capacity(topics.len());
        let mut slots = Vec::new();
        for (topic, target) in (0u32..).zip(topics) {
            first_slots.push(slots.len());
            slots.extend((0i32..).zip(&target.partitions).map(|(partition, range)| Slot {
                partition: TopicPartition { topic, partition },
                range: *range,
                position: AtomicI64::new(-1),
                epoch: AtomicU32::new(0),
            }));
        }
        MemberShared {
            topics: topics.to_vec(),
            first_slots,
            slots,
            holding: Mutex::new(true),
            rebalances: Mutex::new(Vec::new()),
            stopped: AtomicBool::new(false),
            ended,
        }
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Name of a slot's topic.
    pub(super) fn topic_of(&self, slot: &Slot) -> &str {
        &self.topics[slot.partition.topic as usize].name
    }

    /// The slot of partition 0 of a topic of the trial.
    pub(super) fn first_slot_of(&self, topic: &str) -> Option<usize> {
        let index = self.topics.iter().position(|target| target.name == topic)?;
        Some(self.first_slots[index])
    }

    /// The slot of a partition of the trial.
    pub(super) fn slot(&self, topic: &str, partition: i32) -> Option<&Slot> {
        let offset = usize::try_from(partition).ok()?;
        let index = self.topics.iter().position(|target| target.name == topic)?;
        (offset < self.topics[index].partitions.len()).then(|| &self.slots[self.first_slots[index] + offset])
    }

    /// Names of the topics to read.
    pub(super) fn topic_names(&self) -> Vec<&str> {
        self.topics.iter().map(|target| target.name.as_str()).collect()
    }

    /// Begins a new epoch of each partition: it is about to be given to this member.
    pub(super) fn begin_epochs(&self, partitions: &[TopicPartition]) {
        for slot in self.slots.iter().filter(|slot| partitions.contains(&slot.partition)) {
            slot.epoch.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records a change of the assignment.
    pub(super) fn note_rebalance(&self, kind: RebalanceKind, partitions: Vec<TopicPartition>) {
        let rebalance = Rebalance {
            at_ns: clock::now_ns(),
            kind,
            partitions,
        };
        self.rebalances
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(rebalance);
    }

    /// The changes of the assignment so far, in order.
    pub(super) fn rebalances(&self) -> Vec<Rebalance> {
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the latest assignment came.
    pub(super) fn assigned_ns(&self) -> Option<u64> {
        let rebalances = self.rebalances.lock().unwrap_or_else(PoisonError::into_inner);
        rebalances
            .iter()
            .rev()
            .find(|r| r.kind == RebalanceKind::Assigned)
            .map(|r| r.at_ns)
    }

    /// A partition's end was reached.
    pub(super) fn partition_ended(&self) {
        // Nobody listens any more only when the worker is ending.
        let _ = self.ended.send(());
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    #[inline]
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}
