//! What the threads of a member share: one slot per partition of the trial, and whether to hold, read or stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use super::gate::Gate;
use super::reported::Reported;
use super::seconds::Seconds;
pub(super) use super::slot::Slot;
use crate::measure::{Rebalance, RebalanceKind, Stretch, TopicPartition, clock};
use crate::protocol::{Position, TopicTarget};
use crate::work::Failure;

/// From a failure of the work that may pass to the next try.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// A commit that waits so long for its answer is one that explains why nothing is read.
const SLOW_COMMIT_NS: u64 = 50_000_000;
/// So many of them are kept.
const SLOW_COMMITS_MAX: usize = 1_000;

/// State of one member that several threads see.
pub(super) struct MemberShared {
    topics: Vec<TopicTarget>,
    /// Index of the first slot of each topic.
    first_slots: Vec<usize>,
    slots: Vec<Slot>,
    /// One for each reading thread.
    gates: Vec<Gate>,
    /// True before the start: assignments are paused as they come. The lock is held until an assignment is made and
    /// noted, so that none falls between "pause it" and "resume all", and none is reported before it is complete. Taken
    /// after the gates, never before.
    pub(super) holding: Mutex<bool>,
    rebalances: Mutex<Vec<Rebalance>>,
    /// Counts revocations; grows only while every gate is closed.
    revocations: AtomicU64,
    /// Commits that the broker has taken.
    commits: AtomicU64,
    /// Whether what a planned act changes is recorded.
    records_flow: bool,
    /// Commits whose answer was late.
    slow_commits: Mutex<Vec<Stretch>>,
    /// Response times of seconds that are over.
    seconds: Seconds,
    /// What the client reports.
    reported: Reported,
    /// Held while positions are reported, or where the reading of a partition begins: the reports come in the order in which
    /// that happens.
    positions: Mutex<()>,
    /// Rings when the work on a record of a revoked partition ends.
    work_ended: (Mutex<()>, Condvar),
    stopped: AtomicBool,
    /// Why the member's work failed.
    failure: OnceLock<String>,
    /// To the thread that reports progress.
    reporter: Sender<ReporterSignal>,
}

/// What the thread that reports progress is woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReporterSignal {
    /// A partition's end was reached.
    PartitionEnded,
    /// The reading is over.
    Stop,
}

impl MemberShared {
    /// The state of a member with so many reading threads.
    pub(super) fn new(topics: &[TopicTarget], readers: usize, reporter: Sender<ReporterSignal>) -> Self {
        let mut first_slots = Vec::with_capacity(topics.len());
        let mut slots = Vec::new();
        for (topic, target) in (0u32..).zip(topics) {
            first_slots.push(slots.len());
            let ranges = (0i32..).zip(&target.partitions);
            slots.extend(ranges.map(|(partition, range)| Slot::new(TopicPartition { topic, partition }, *range)));
        }
        MemberShared {
            topics: topics.to_vec(),
            first_slots,
            slots,
            gates: (0..readers).map(|_| Gate::new()).collect(),
            holding: Mutex::new(true),
            rebalances: Mutex::new(Vec::new()),
            revocations: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            records_flow: false,
            slow_commits: Mutex::new(Vec::new()),
            seconds: Seconds::default(),
            reported: Reported::default(),
            positions: Mutex::default(),
            work_ended: (Mutex::new(()), Condvar::new()),
            stopped: AtomicBool::new(false),
            failure: OnceLock::new(),
            reporter,
        }
    }

    /// The same, with a place for what the client reports.
    pub(super) fn reporting(self, reported: Reported) -> Self {
        MemberShared { reported, ..self }
    }

    /// The same, where what a planned act changes is recorded, or not.
    pub(super) fn recording_flow(self, records_flow: bool) -> Self {
        MemberShared { records_flow, ..self }
    }

    /// Whether what a planned act changes is recorded.
    pub(super) fn records_flow(&self) -> bool {
        self.records_flow
    }

    /// What the client reports.
    pub(super) fn reported(&self) -> &Reported {
        &self.reported
    }

    /// Keeps the member from saying where it begins, until positions that were looked up are reported.
    pub(super) fn hold_positions(&self) -> MutexGuard<'_, ()> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says where the member begins to read a partition under an assignment, once for each.
    #[inline]
    pub(super) fn begin_reading(&self, slot: &Slot, epoch: u32, offset: i64) {
        if slot.has_begun(epoch) {
            return;
        }
        let _reporting = self.hold_positions();
        let TopicPartition { topic, partition } = slot.partition;
        self.reported.began(Position {
            topic,
            partition,
            offset,
        });
        slot.begin(epoch, offset);
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The gates of the reading threads.
    pub(super) fn gates(&self) -> &[Gate] {
        &self.gates
    }

    /// Name of a slot's topic.
    pub(super) fn topic_of(&self, slot: &Slot) -> &str {
        &self.topics[slot.partition.topic as usize].name
    }

    /// First slot and number of slots of a topic of the trial.
    pub(super) fn slots_of_topic(&self, topic: &str) -> Option<(usize, usize)> {
        let index = self.topics.iter().position(|target| target.name == topic)?;
        Some((self.first_slots[index], self.topics[index].partitions.len()))
    }

    /// The slot of a partition of the trial.
    pub(super) fn slot(&self, topic: &str, partition: i32) -> Option<&Slot> {
        let (first, partitions) = self.slots_of_topic(topic)?;
        let offset = usize::try_from(partition).ok()?;
        (offset < partitions).then(|| &self.slots[first + offset])
    }

    /// Names of the topics to read.
    pub(super) fn topic_names(&self) -> Vec<&str> {
        self.topics.iter().map(|target| target.name.as_str()).collect()
    }

    /// The slots of these partitions of the trial.
    pub(super) fn slots_of<'a>(&'a self, partitions: &'a [TopicPartition]) -> impl Iterator<Item = &'a Slot> {
        partitions.iter().filter_map(|partition| {
            let first = self.first_slots.get(partition.topic as usize)?;
            self.slots.get(first + usize::try_from(partition.partition).ok()?)
        })
    }

    /// Begins a new epoch of each partition: it is about to be given to this member.
    pub(super) fn begin_epochs(&self, partitions: &[TopicPartition]) {
        self.slots_of(partitions).for_each(Slot::begin_epoch);
    }

    /// Deals partitions that are about to be given to this member to its reading threads: each goes to the one that
    /// holds fewest.
    pub(super) fn deal(&self, partitions: &[TopicPartition]) {
        let mut held = vec![0; self.gates.len()];
        // What is about to be given is not held yet.
        let kept = self.slots.iter().filter(|slot| slot.epoch() > 0);
        kept.for_each(|slot| held[slot.lane()] += 1);
        for slot in self.slots_of(partitions) {
            let fewest = (0u32..).zip(&held).min_by_key(|(_, count)| **count);
            let lane = fewest.map_or(0, |(lane, _)| lane);
            slot.lane.store(lane, Ordering::Relaxed);
            held[lane as usize] += 1;
        }
    }

    /// Takes partitions from the reading and working threads: after this, none of their records that was handed over
    /// so far is worked any more. Waits for what is being worked, at most one record for each thread.
    ///
    /// With the gates closed (to be kept until the client has let the partitions go) the positions are final.
    pub(super) fn revoke(&self, partitions: &[TopicPartition]) {
        let revocation = self.revocations.fetch_add(1, Ordering::Relaxed) + 1;
        for slot in self.slots_of(partitions) {
            slot.revoked_at.store(revocation, Ordering::Relaxed);
            self.await_end_of_work(slot);
        }
    }

    /// Marks partitions as no longer held. No work on a record of theirs begins after this.
    pub(super) fn end_epochs(&self, partitions: &[TopicPartition]) {
        self.slots_of(partitions)
            .for_each(|slot| slot.epoch.store(0, Ordering::SeqCst));
    }

    /// How often partitions were revoked so far.
    pub(super) fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::Relaxed)
    }

    fn await_end_of_work(&self, slot: &Slot) {
        let (lock, rung) = &self.work_ended;
        let mut guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        while slot.working.load(Ordering::SeqCst) > 0 {
            guard = rung.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Begins the work on a record of an epoch on one of several threads. False where the member does not hold the
    /// partition in that epoch any more. A revocation waits until the work has ended.
    pub(super) fn begin_work(&self, slot: &Slot, epoch: u32) -> bool {
        // This count and the epoch are each written by one side and then read by the other: in the one order of all
        // such accesses, either the revocation sees the count or the work sees the epoch's end.
        slot.working.fetch_add(1, Ordering::SeqCst);
        let is_held = slot.epoch.load(Ordering::SeqCst) == epoch;
        if !is_held {
            self.end_work(slot, epoch);
        }
        is_held
    }

    /// Ends the work on a record that was begun.
    pub(super) fn end_work(&self, slot: &Slot, epoch: u32) {
        slot.working.fetch_sub(1, Ordering::SeqCst);
        if slot.epoch.load(Ordering::SeqCst) != epoch {
            let _guard = self.work_ended.0.lock().unwrap_or_else(PoisonError::into_inner);
            self.work_ended.1.notify_all();
        }
    }

    /// Takes in that records could not be handled: pauses before they are handed over again, or stops the member.
    #[cold]
    pub(super) fn work_failed(&self, failure: Failure) {
        match failure {
            Failure::Passing(cause) => {
                self.reported.report(&format!("the work is tried again: {cause}"));
                thread::sleep(RETRY_PAUSE);
            }
            Failure::Permanent(cause) => {
                let failure = format!("the work failed: {cause}");
                if self.failure.set(failure.clone()).is_ok() {
                    self.reported.fail(failure);
                }
                self.stop();
            }
        }
    }

    /// Why the member's work failed, if it did.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Where threads that work records with a stamp hand over the seconds that are over.
    pub(super) fn seconds(&self) -> &Seconds {
        &self.seconds
    }

    /// Counts a commit that the broker has taken.
    pub(super) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// Commits, and notes from when until when that waited for its answer, if it was long.
    pub(super) fn timed_commit<T>(&self, commit: impl FnOnce() -> T) -> T {
        if !self.records_flow {
            return commit();
        }
        let from_ns = clock::now_ns();
        let done = commit();
        let waited = Stretch::new(from_ns, clock::now_ns());
        if waited.length_ns() >= SLOW_COMMIT_NS {
            let mut slow = self.slow_commits.lock().unwrap_or_else(PoisonError::into_inner);
            if slow.len() < SLOW_COMMITS_MAX {
                slow.push(waited);
            }
        }
        done
    }

    /// The commits that waited long for their answer, in the order of the answers.
    pub(super) fn slow_commits(&self) -> Vec<Stretch> {
        self.slow_commits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Commits so far.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
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
        let _ = self.reporter.send(ReporterSignal::PartitionEnded);
    }

    /// Ends the reading, except of a reader that waits for records: the source wakes that.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.gates.iter().for_each(Gate::ring);
    }

    #[inline]
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}
