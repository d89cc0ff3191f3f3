//! Reads topics without measuring, and notes which offsets the cluster delivers. That also puts what fits of the topics
//! into the page cache.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::error::ExistingError;
use super::listener::Listener;
use crate::coordinator::clients::client_config;
use crate::kafka::settings_cause;
use crate::measure::DeliveredOffsets;
use crate::protocol::{OffsetRange, TopicTarget};
use crate::scenario::{FoundPartition, FoundTopic, Isolation};
use crate::secret::Secret;

/// Without a record and without the end of a partition for this long the cluster is taken to deliver no more. It delivers
/// nothing either while it passes over what aborted transactions have left, however much that is.
const PATIENCE: Duration = Duration::from_secs(120);

/// The same where the client reports errors, such as of brokers that it cannot reach.
const PATIENCE_WITH_ERRORS: Duration = Duration::from_secs(30);

/// Limit of a question for the ends of a partition.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// How much is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Every record.
    All,
    /// The first record of each partition: is there any?
    First,
}

/// How far a reading is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Offsets to be read, as far as they are known.
    total: AtomicU64,
    /// Offsets passed.
    done: AtomicU64,
    /// Bytes of keys and values read.
    pub(super) bytes: AtomicU64,
}

impl Progress {
    /// Offsets passed in percent.
    pub(super) fn percent(&self) -> u64 {
        let total = self.total.load(Ordering::Relaxed).max(1);
        let done = u128::from(self.done.load(Ordering::Relaxed).min(total));
        u64::try_from(done * 100 / u128::from(total)).unwrap_or(100)
    }
}

/// Reads topics as one client, apart from all groups.
#[derive(Clone)]
pub(super) struct Pass {
    pub(super) bootstrap: String,
    /// Those of every client of the run, and the largest limits of its consumers.
    pub(super) properties: BTreeMap<String, Secret>,
    /// Names the client; no group is joined and nothing committed.
    pub(super) group: String,
    pub(super) isolation: Isolation,
    pub(super) interrupted: Arc<AtomicBool>,
}

impl Pass {
    /// Reads these topics (names and numbers of partitions) up to the end that they have now, or only the `last` so many
    /// offsets of each partition. Blocks.
    pub(super) fn read_all(
        &self,
        topics: &[(String, u32)],
        last: Option<u64>,
        progress: &Progress,
    ) -> Result<Vec<(FoundTopic, Vec<DeliveredOffsets>)>, ExistingError> {
        let consumer = self.consumer(topics.iter().map(|(name, _)| name.as_str()))?;
        let mut targets = Vec::with_capacity(topics.len());
        // All ends first, so that they are of one moment.
        for (name, partitions) in topics {
            let partitions = (0..partitions.cast_signed()).map(|partition| range(&consumer, name, partition, last));
            targets.push(TopicTarget {
                name: name.clone(),
                partitions: partitions.collect::<Result<_, _>>()?,
            });
        }
        let ranges = targets.iter().flat_map(|target| &target.partitions);
        let total = ranges.map(|range| range.len()).sum();
        progress.total.store(total, Ordering::Relaxed);
        let mut read = Vec::with_capacity(targets.len());
        for target in &targets {
            let offsets = self.read(&consumer, target, Amount::All, progress)?;
            read.push(found(&consumer, target, &offsets)?);
        }
        Ok(read)
    }

    /// Which offsets within these ranges are delivered now, or the first of them, by topic and partition. Blocks.
    pub(super) fn parts(
        &self,
        targets: &[TopicTarget],
        amount: Amount,
    ) -> Result<Vec<Vec<DeliveredOffsets>>, ExistingError> {
        let consumer = self.consumer(targets.iter().map(|target| target.name.as_str()))?;
        let progress = Progress::default();
        let read = targets
            .iter()
            .map(|target| self.read(&consumer, target, amount, &progress));
        read.collect()
    }

    fn consumer<'a>(&self, topics: impl Iterator<Item = &'a str>) -> Result<BaseConsumer<Listener>, ExistingError> {
        let mut config = client_config(&self.bootstrap, &self.properties, "tandem-first-reading");
        config
            .set("group.id", &self.group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", self.isolation.as_str())
            // Where the last offsets hold no record, only this shows that they have been passed.
            .set("enable.partition.eof", "true")
            .set("fetch.queue.backoff.ms", "10");
        config.set_log_level(RDKafkaLogLevel::Warning);
        config
            .create_with_context(Listener::default())
            .map_err(|error| failed(&topics.collect::<Vec<_>>().join(", "), settings_cause(&error)))
    }

    /// The offsets delivered of each partition of one topic. One topic at a time, because the library reports the end
    /// of a partition by its number alone.
    fn read(
        &self,
        consumer: &BaseConsumer<Listener>,
        target: &TopicTarget,
        amount: Amount,
        progress: &Progress,
    ) -> Result<Vec<DeliveredOffsets>, ExistingError> {
        let topic = target.name.as_str();
        let mut reading = Reading::new(&target.partitions, amount);
        let list = reading.assignment(topic).map_err(|error| failed(topic, error))?;
        consumer.assign(&list).map_err(|error| failed(topic, error))?;
        let listener = consumer.context();
        let mut latest = Instant::now();
        while reading.left > 0 {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(ExistingError::Interrupted);
            }
            let ended = match consumer.poll(Duration::from_millis(200)) {
                Some(Ok(record)) => {
                    latest = Instant::now();
                    listener.forget();
                    // What was fetched of the topic before may still come.
                    if record.topic() != topic {
                        continue;
                    }
                    let bytes = record.key_len() + record.payload_len();
                    reading.count(record.partition(), record.offset(), bytes as u64, progress)
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    latest = Instant::now();
                    reading.end(partition, progress)
                }
                Some(Err(_)) | None => None,
            };
            if let Some(error) = listener.permanent() {
                return Err(failed(topic, error));
            }
            if let Some(partition) = ended {
                // A topic that grows would be read on and on.
                let mut list = TopicPartitionList::with_capacity(1);
                list.add_partition(topic, partition);
                consumer.pause(&list).map_err(|error| failed(topic, error))?;
            }
            let reported = listener.reported();
            let patience = if reported.is_empty() {
                PATIENCE
            } else {
                PATIENCE_WITH_ERRORS
            };
            if latest.elapsed() > patience {
                let (seconds, left) = (patience.as_secs(), reading.left);
                return Err(failed(
                    topic,
                    format!("no record for {seconds} s with {left} partitions to go{reported}"),
                ));
            }
        }
        consumer.unassign().map_err(|error| failed(topic, error))?;
        Ok(reading.delivered)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "a cause is made for this")]
fn failed(topic: &str, cause: impl ToString) -> ExistingError {
    ExistingError::Read {
        topic: topic.to_owned(),
        cause: cause.to_string(),
    }
}

/// From the first offset to read to the end now.
fn range(
    consumer: &BaseConsumer<Listener>,
    topic: &str,
    partition: i32,
    last: Option<u64>,
) -> Result<OffsetRange, ExistingError> {
    let (low, end) = watermarks(consumer, topic, partition)?;
    let first = last.map_or(low, |last| end.saturating_sub_unsigned(last));
    Ok(OffsetRange {
        low: low.max(first),
        end,
    })
}

/// The library asks by the client's isolation level, and so gets the last stable offset for the end where only committed
/// records are read.
fn watermarks(consumer: &BaseConsumer<Listener>, topic: &str, partition: i32) -> Result<(i64, i64), ExistingError> {
    let found = consumer.fetch_watermarks(topic, partition, REQUEST_LIMIT);
    found.map_err(|error| failed(topic, format!("the ends of partition {partition}: {error}")))
}

/// A topic as it was found. What was removed while it was being read is none of it.
fn found(
    consumer: &BaseConsumer<Listener>,
    target: &TopicTarget,
    offsets: &[DeliveredOffsets],
) -> Result<(FoundTopic, Vec<DeliveredOffsets>), ExistingError> {
    let mut partitions = Vec::with_capacity(offsets.len());
    let mut delivered = Vec::with_capacity(offsets.len());
    for ((partition, range), offsets) in (0..).zip(&target.partitions).zip(offsets) {
        let (low_now, _) = watermarks(consumer, &target.name, partition)?;
        let low = range.low.max(low_now).min(range.end);
        let offsets = offsets.cut(low, range.end);
        partitions.push(FoundPartition {
            low,
            end: range.end,
            records: offsets.count(),
        });
        delivered.push(offsets);
    }
    let name = target.name.clone();
    Ok((FoundTopic { name, partitions }, delivered))
}

/// The reading of one topic.
struct Reading<'a> {
    ranges: &'a [OffsetRange],
    amount: Amount,
    delivered: Vec<DeliveredOffsets>,
    /// Offset up to which each partition is passed.
    positions: Vec<i64>,
    open: Vec<bool>,
    left: usize,
}

impl<'a> Reading<'a> {
    fn new(ranges: &'a [OffsetRange], amount: Amount) -> Self {
        let open: Vec<bool> = ranges.iter().map(|range| !range.is_empty()).collect();
        Reading {
            ranges,
            amount,
            delivered: vec![DeliveredOffsets::default(); ranges.len()],
            positions: ranges.iter().map(|range| range.low).collect(),
            left: open.iter().filter(|open| **open).count(),
            open,
        }
    }

    /// The partitions that hold anything, each from its first offset.
    fn assignment(&self, topic: &str) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        for (partition, range) in (0..).zip(self.ranges).filter(|(_, range)| !range.is_empty()) {
            list.add_partition_offset(topic, partition, Offset::Offset(range.low))?;
        }
        Ok(list)
    }

    /// Counts a record; the partition's number where that was its last one.
    fn count(&mut self, partition: i32, offset: i64, bytes: u64, progress: &Progress) -> Option<i32> {
        let index = usize::try_from(partition).ok()?;
        let range = self.ranges.get(index)?;
        if offset >= range.low && offset < range.end {
            self.delivered[index].push(offset);
            progress.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.pass(index, offset + 1, progress);
        }
        let enough = self.amount == Amount::First && offset >= range.low;
        (offset + 1 >= range.end || enough)
            .then(|| self.end(partition, progress))
            .flatten()
    }

    /// A partition is read; its number where that was new.
    fn end(&mut self, partition: i32, progress: &Progress) -> Option<i32> {
        let index = usize::try_from(partition).ok()?;
        let open = self.open.get_mut(index)?;
        std::mem::replace(open, false).then(|| {
            self.left -= 1;
            self.pass(index, self.ranges[index].end, progress);
            partition
        })
    }

    /// Everything before this offset is passed, whether it held records or not.
    fn pass(&mut self, index: usize, to: i64, progress: &Progress) {
        let step = u64::try_from(to - self.positions[index]).unwrap_or(0);
        self.positions[index] = self.positions[index].max(to);
        progress.done.fetch_add(step, Ordering::Relaxed);
    }
}
