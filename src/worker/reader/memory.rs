//! A reader over records in memory: for tests that need to decide what comes when, and for benches of the loop
//! without a client.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;

use super::reading::{Early, Reader};
use super::source::{CommitError, Consumption, Message, Offsets, Place, Source, TopicHandle};
use super::waits::WaitOrder;
use crate::client_errors::ClientError;
use crate::load::Stamp;
use crate::measure::{TopicPartition, clock};
use crate::protocol::{OffsetRange, StampOrder, TopicTarget};
use crate::work::{Nothing, Record};
use crate::worker::shared::MemberShared;

/// The only topic of records in memory.
pub(super) const TOPIC: &str = "memory";

/// A record in memory.
#[derive(Debug, Clone)]
pub(super) struct MemoryRecord {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) key: Option<Box<[u8]>>,
    pub(super) value: Box<[u8]>,
    pub(super) error: Option<Box<str>>,
}

/// A record in memory on its way through a reader.
pub(super) struct MemoryMessage<'s> {
    record: &'s MemoryRecord,
    source: &'s MemorySource,
}

impl Drop for MemoryMessage<'_> {
    fn drop(&mut self) {
        if let Some(on_drop) = &self.source.on_drop {
            on_drop(self.record);
        }
    }
}

impl Record for MemoryMessage<'_> {
    fn topic(&self) -> Cow<'_, str> {
        Cow::Borrowed(TOPIC)
    }

    #[inline]
    fn partition(&self) -> i32 {
        self.record.partition
    }

    #[inline]
    fn offset(&self) -> i64 {
        self.record.offset
    }

    fn key(&self) -> Option<&[u8]> {
        self.record.key.as_deref()
    }

    #[inline]
    fn value(&self) -> &[u8] {
        &self.record.value
    }
}

impl Message for MemoryMessage<'_> {
    #[inline]
    fn topic_handle(&self) -> TopicHandle {
        TopicHandle::of(TOPIC.as_ptr())
    }

    #[inline]
    fn bytes(&self) -> u64 {
        self.record.key.as_ref().map_or(100, |key| key.len() as u64)
    }

    #[inline]
    fn is_error(&self) -> bool {
        self.record.error.is_some()
    }

    #[inline]
    fn error(&self) -> Option<ClientError> {
        let text = self.record.error.as_deref()?;
        Some(ClientError::new(RDKafkaErrorCode::BadMessage, text))
    }
}

/// Called with each record when it is destroyed.
type OnDrop = Box<dyn Fn(&MemoryRecord) + Send + Sync>;

/// Records that are handed over in their order.
#[derive(Default)]
pub(super) struct MemorySource {
    records: Vec<MemoryRecord>,
    /// Indices of those that are still to come.
    coming: Mutex<VecDeque<usize>>,
    on_drop: Option<OnDrop>,
    woken: Mutex<bool>,
    changed: Condvar,
}

impl MemorySource {
    pub(super) fn new(records: Vec<MemoryRecord>) -> Self {
        MemorySource {
            coming: Mutex::new((0..records.len()).collect()),
            records,
            ..MemorySource::default()
        }
    }

    /// Ends the reader's wait.
    pub(super) fn wake(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn coming(&self) -> MutexGuard<'_, VecDeque<usize>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl MemorySource {
    /// Calls this with each record when it is destroyed.
    pub(super) fn watched(mut self, on_drop: impl Fn(&MemoryRecord) + Send + Sync + 'static) -> Self {
        self.on_drop = Some(Box::new(on_drop));
        self
    }

    /// As the client does with a partition that is taken and given back: forgets what it has fetched of it and fetches
    /// again from an offset.
    pub(super) fn fetch_again(&self, partition: i32, from: i64) {
        let mut coming = self.coming();
        coming.retain(|index| self.records[*index].partition != partition);
        let again = |(index, record): (usize, &MemoryRecord)| {
            (record.partition == partition && record.offset >= from).then_some(index)
        };
        coming.extend(self.records.iter().enumerate().filter_map(again));
    }
}

impl Source for MemorySource {
    type Message<'s> = MemoryMessage<'s>;

    fn take<'s>(&'s self, batch: &mut Vec<MemoryMessage<'s>>) {
        let mut coming = self.coming();
        let count = (batch.capacity() - batch.len()).min(coming.len());
        batch.extend(coming.drain(..count).map(|index| MemoryMessage {
            record: &self.records[index],
            source: self,
        }));
    }

    fn wait<'s>(&'s self, batch: &mut Vec<MemoryMessage<'s>>, timeout: Duration) {
        self.take(batch);
        if batch.is_empty() {
            let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = self.changed.wait_timeout_while(woken, timeout, |woken| !*woken);
            *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
        }
    }

    /// As the client does: takes all that is there at once, and puts back what was not visited.
    fn visit_each<'s>(&'s self, timeout: Duration, mut visit: impl FnMut(&MemoryMessage<'s>) -> bool) {
        let mut queued = std::mem::take(&mut *self.coming());
        if queued.is_empty() {
            self.wait(&mut Vec::new(), timeout);
            queued = std::mem::take(&mut *self.coming());
        }
        while let Some(index) = queued.pop_front() {
            let record = &self.records[index];
            if !visit(&MemoryMessage { record, source: self }) {
                break;
            }
        }
        let mut coming = self.coming();
        queued.append(&mut coming);
        *coming = queued;
    }
}

/// A consumer that commits nowhere.
pub(super) struct Nowhere;

impl Offsets for Nowhere {
    fn commit(&self, _: &[Place]) -> Result<(), CommitError> {
        Ok(())
    }

    fn store(&self, _: &[Place]) -> Result<(), CommitError> {
        Ok(())
    }
}

impl Consumption for Nowhere {
    fn end(&self, _: usize) {}
}

/// The target of a trial over so many partitions of the topic in memory.
pub(super) fn target(partitions: i32, end: i64) -> TopicTarget {
    TopicTarget {
        name: TOPIC.to_owned(),
        partitions: (0..partitions).map(|_| OffsetRange { low: 0, end }).collect(),
    }
}

/// All partitions of the topic in memory.
pub(super) fn partitions(count: i32) -> Vec<TopicPartition> {
    (0..count)
        .map(|partition| TopicPartition { topic: 0, partition })
        .collect()
}

/// The reader's loop over records in memory, without a client: what a bench measures.
pub struct Rehearsal {
    records: Vec<MemoryRecord>,
    partitions: i32,
    records_per_partition: i64,
    /// Whether the records have stamps, which are then measured.
    stamped: bool,
}

impl Rehearsal {
    /// Records of so many partitions, in stretches of 1,000 of one partition as a broker sends them.
    pub fn new(partitions: i32, records_per_partition: i64) -> Self {
        const STRETCH: i64 = 1_000;
        let stretches = (0..records_per_partition).step_by(1_000);
        let records = stretches.flat_map(|from| {
            (0..partitions).flat_map(move |partition| {
                (from..(from + STRETCH).min(records_per_partition)).map(move |offset| MemoryRecord {
                    partition,
                    offset,
                    key: None,
                    value: Box::default(),
                    error: None,
                })
            })
        });
        Rehearsal {
            records: records.collect(),
            partitions,
            records_per_partition,
            stamped: false,
        }
    }

    /// The same with values of 100 bytes that begin with a stamp. All records count as stamped and in the window.
    #[must_use]
    pub fn stamped(mut self) -> Self {
        self.stamped = true;
        self
    }

    /// Number of records in one reading.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// A source of them. Made apart from the reading, so that a bench need not count it.
    pub fn stage(&self) -> Stage {
        let mut records = self.records.clone();
        if self.stamped {
            for (record, sequence) in records.iter_mut().zip(0..) {
                let now_ns = clock::now_ns();
                let stamp = Stamp {
                    intended_ns: now_ns.saturating_sub(2_000),
                    sent_ns: now_ns,
                    producer: 0,
                    sequence,
                };
                let mut value = stamp.to_bytes().to_vec();
                value.resize(100, 0);
                record.value = value.into();
            }
        }
        let stamped_from = vec![0; usize::try_from(self.partitions).unwrap_or(0)];
        Stage {
            source: MemorySource::new(records),
            stamps: self.stamped.then(|| StampOrder {
                duration_ns: u64::MAX,
                stamped_from: vec![stamped_from],
                ..StampOrder::default()
            }),
            partitions: self.partitions,
            end: self.records_per_partition,
        }
    }
}

/// Records in memory that are about to be read.
pub struct Stage {
    source: MemorySource,
    stamps: Option<StampOrder>,
    partitions: i32,
    end: i64,
}

impl Stage {
    /// Reads all records without work on so many threads and returns how many were counted.
    pub fn read(&self, threads: usize) -> u64 {
        let (ended_sender, ended) = channel();
        let shared = MemberShared::new(&[target(self.partitions, self.end)], 1, ended_sender);
        shared.begin_epochs(&partitions(self.partitions));
        let waits = self.stamps.as_ref().map(|order| WaitOrder::new(order, 0));
        let reader = Reader {
            waits: waits.as_ref(),
            ..Reader::counting(&self.source, &Nowhere, &shared, 0)
        };
        let accounts = thread::scope(|scope| {
            let (shared, source) = (&shared, &self.source);
            let partitions = usize::try_from(self.partitions).unwrap_or(0);
            scope.spawn(move || {
                ended.iter().take(partitions).for_each(drop);
                shared.stop();
                source.wake();
            });
            reader.run(vec![Nothing; threads], Early::none())
        });
        accounts.into_result(&shared).partitions.iter().map(|p| p.records).sum()
    }
}
