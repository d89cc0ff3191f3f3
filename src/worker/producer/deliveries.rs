//! What became of the records that were given to the client: counted for each partition, and by cause where they were
//! not delivered. The client reports each, and nothing is kept of it but the counts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use rdkafka::{Message, Timestamp};
use serde::Deserialize;

use crate::measure::{DeliveryDelay, DeliveryErrors, Stretch, TopicPartition, clock};
use crate::protocol::{LoadTopic, ProducedPartition};

/// Shorter delays are not noted.
const DELAY_FROM: Duration = Duration::from_millis(500);

/// Different causes that are counted apart; the client has fewer.
const CAUSES: usize = 64;

/// The counts of one producer.
pub(super) struct Deliveries {
    /// Of each topic its partitions.
    topics: Vec<Vec<PartitionCount>>,
    acknowledged: AtomicU64,
    failed: AtomicU64,
    /// The window, once it is known, and the records acknowledged in it.
    window_ns: OnceLock<Range<u64>>,
    acknowledged_in_window: AtomicU64,
    causes: Mutex<BTreeMap<String, u64>>,
    /// Times that the client has reported its statistics, and the records that it had put into requests by the last of them.
    looks: AtomicU64,
    transmitted: AtomicU64,
}

/// What is read of the library's statistics (its STATISTICS.md).
#[derive(Deserialize)]
struct Document {
    /// A record that is sent again counts again.
    txmsgs: u64,
}

/// What a partition acknowledged.
struct PartitionCount {
    acknowledged: AtomicU64,
    /// -1 before the first.
    highest_offset: AtomicI64,
    /// Where records waited for it, in order.
    delays: Mutex<Vec<Stretch>>,
}

impl PartitionCount {
    /// Notes that a record waited so long for its acknowledgement. Records that waited at the same time make one stretch.
    fn note_delay(&self, delay: Stretch) {
        let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        match delays.last_mut() {
            Some(last) if delay.from_ns <= last.until_ns => {
                last.from_ns = last.from_ns.min(delay.from_ns);
                last.until_ns = last.until_ns.max(delay.until_ns);
            }
            _ => delays.push(delay),
        }
    }
}

impl Deliveries {
    pub(super) fn new(topics: &[LoadTopic]) -> Self {
        let count = |_| PartitionCount {
            acknowledged: AtomicU64::new(0),
            highest_offset: AtomicI64::new(-1),
            delays: Mutex::default(),
        };
        Deliveries {
            topics: topics
                .iter()
                .map(|topic| (0..topic.partitions).map(count).collect())
                .collect(),
            acknowledged: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            window_ns: OnceLock::new(),
            acknowledged_in_window: AtomicU64::new(0),
            causes: Mutex::default(),
            looks: AtomicU64::new(0),
            transmitted: AtomicU64::new(0),
        }
    }

    /// Sets the window; before it is known nothing lies in it.
    pub(super) fn set_window(&self, window_ns: Range<u64>) {
        let _ = self.window_ns.set(window_ns);
    }

    /// Records acknowledged within the window.
    pub(super) fn acknowledged_in_window(&self) -> u64 {
        self.acknowledged_in_window.load(Ordering::Acquire)
    }

    /// Records acknowledged so far.
    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Acquire)
    }

    /// Times that the client has reported its statistics.
    pub(super) fn looks(&self) -> u64 {
        self.looks.load(Ordering::Acquire)
    }

    /// Of so many records given to the client, those that it had sent more than once at its last statistics.
    pub(super) fn retried(&self, sent: u64) -> u64 {
        self.transmitted.load(Ordering::Acquire).saturating_sub(sent)
    }

    /// Records given to the client that will not be delivered.
    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Acquire)
    }

    /// Counts records that were not delivered, or not even taken, for a cause.
    pub(super) fn blame(&self, cause: &str, records: u64) {
        if records == 0 {
            return;
        }
        let mut causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        let cause = if causes.len() < CAUSES || causes.contains_key(cause) {
            cause
        } else {
            "other causes"
        };
        *causes.entry(cause.to_owned()).or_default() += records;
    }

    /// All causes, the commonest first.
    pub(super) fn errors(&self) -> Vec<DeliveryErrors> {
        let causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut errors: Vec<DeliveryErrors> = causes
            .iter()
            .map(|(cause, records)| DeliveryErrors {
                cause: cause.clone(),
                records: *records,
            })
            .collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.records));
        errors
    }

    /// The partitions that acknowledged anything.
    pub(super) fn partitions(&self) -> Vec<ProducedPartition> {
        let all = (0u32..).zip(&self.topics).flat_map(|(topic, partitions)| {
            (0i32..)
                .zip(partitions)
                .map(move |(partition, count)| ProducedPartition {
                    topic,
                    partition,
                    acknowledged: count.acknowledged.load(Ordering::Acquire),
                    highest_offset: Some(count.highest_offset.load(Ordering::Acquire)).filter(|offset| *offset >= 0),
                })
        });
        all.filter(|partition| partition.acknowledged > 0).collect()
    }

    /// Where partitions took their time to acknowledge, in order of the partitions.
    pub(super) fn delays(&self) -> Vec<DeliveryDelay> {
        let mut all = Vec::new();
        for (topic, partitions) in (0u32..).zip(&self.topics) {
            for (partition, count) in (0i32..).zip(partitions) {
                let partition = TopicPartition { topic, partition };
                let delays = count.delays.lock().unwrap_or_else(PoisonError::into_inner);
                all.extend(delays.iter().map(|delay| DeliveryDelay {
                    partition,
                    delay: *delay,
                }));
            }
        }
        all
    }

    /// Counts records whose delivery the client never reported: they count as failed.
    pub(super) fn give_up(&self, records: u64) {
        self.blame("the client did not say what became of it", records);
        self.failed.fetch_add(records, Ordering::Release);
    }

    /// What a partition acknowledged; `None` of one that was made after the start, which is in the total alone.
    fn count_of(&self, topic: usize, partition: i32) -> Option<&PartitionCount> {
        self.topics.get(topic)?.get(usize::try_from(partition).ok()?)
    }

    /// Notes how long a record waited for its acknowledgement. The client stamps it with the time at which it takes it.
    fn note_wait(&self, topic: usize, partition: i32, taken: Timestamp) {
        let Timestamp::CreateTime(taken_ms) = taken else { return };
        let taken = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(taken_ms).unwrap_or(0));
        // A clock that was set back says nothing.
        let Some(waited) = taken.elapsed().ok().filter(|waited| *waited >= DELAY_FROM) else {
            return;
        };
        if let Some(count) = self.count_of(topic, partition) {
            let now_ns = clock::now_ns();
            let waited_ns = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
            count.note_delay(Stretch::new(now_ns.saturating_sub(waited_ns), now_ns));
        }
    }

    /// Counts a record that the cluster has.
    fn acknowledge(&self, topic: usize, partition: i32, offset: i64) {
        if let Some(count) = self.count_of(topic, partition) {
            count.acknowledged.fetch_add(1, Ordering::Release);
            count.highest_offset.fetch_max(offset, Ordering::Release);
        }
        if self
            .window_ns
            .get()
            .is_some_and(|window_ns| window_ns.contains(&clock::now_ns()))
        {
            self.acknowledged_in_window.fetch_add(1, Ordering::Release);
        }
        self.acknowledged.fetch_add(1, Ordering::Release);
    }
}

impl ClientContext for Deliveries {
    fn error(&self, error: KafkaError, reason: &str) {
        eprintln!("librdkafka: {error}: {reason}");
    }

    fn stats_raw(&self, statistics: &[u8]) {
        match serde_json::from_slice(statistics) {
            Ok(Document { txmsgs }) => {
                self.transmitted.store(txmsgs, Ordering::Release);
                self.looks.fetch_add(1, Ordering::Release);
            }
            Err(error) => eprintln!("cannot read the client's statistics: {error}"),
        }
    }
}

impl ProducerContext for Deliveries {
    /// Index of the topic.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, topic: usize) {
        match result {
            Ok(message) => {
                self.note_wait(topic, message.partition(), message.timestamp());
                self.acknowledge(topic, message.partition(), message.offset());
            }
            Err((error, _)) => {
                self.blame(&cause_of(error), 1);
                self.failed.fetch_add(1, Ordering::Release);
            }
        }
    }
}

/// What the client said of a record that it did not take or deliver.
pub(super) fn cause_of(error: &KafkaError) -> String {
    error
        .rdkafka_error_code()
        .map_or_else(|| error.to_string(), |code| code.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deliveries() -> Deliveries {
        let topic = |name: &str, partitions| LoadTopic {
            name: name.to_owned(),
            partitions,
        };
        Deliveries::new(&[topic("a", 1), topic("b", 2)])
    }

    #[test]
    fn each_partition_counts_its_own_records_and_keeps_the_highest_offset() {
        let deliveries = deliveries();
        for (topic, partition, offset) in [(1, 1, 7), (1, 1, 9), (1, 1, 8), (0, 0, -1)] {
            deliveries.acknowledge(topic, partition, offset);
        }
        let partition = |topic, partition, acknowledged, highest_offset| ProducedPartition {
            topic,
            partition,
            acknowledged,
            highest_offset,
        };
        assert_eq!(
            deliveries.partitions(),
            [partition(0, 0, 1, None), partition(1, 1, 3, Some(9))]
        );
        assert_eq!(deliveries.acknowledged(), 4);
    }

    #[test]
    fn errors_are_counted_by_cause_and_their_causes_are_bounded() {
        let deliveries = deliveries();
        deliveries.blame("never", 0);
        for number in 0..1_000 {
            deliveries.blame(&format!("cause {number}"), 1);
            deliveries.blame("the common one", 2);
        }
        let errors = deliveries.errors();
        assert_eq!(errors[0].cause, "the common one");
        assert_eq!(errors[0].records, 2_000);
        assert_eq!(errors.iter().map(|error| error.records).sum::<u64>(), 3_000);
        assert!(errors.len() <= CAUSES + 1 && errors.iter().all(|error| error.cause != "never"));
    }

    #[test]
    fn what_was_put_into_requests_beyond_what_was_given_was_sent_again() {
        let deliveries = deliveries();
        assert_eq!((deliveries.looks(), deliveries.retried(5)), (0, 0));
        deliveries.stats_raw(br#"{"ts": 1, "txmsgs": 12, "brokers": {}}"#);
        deliveries.stats_raw(b"{");
        assert_eq!((deliveries.looks(), deliveries.retried(5)), (1, 7));
    }

    #[test]
    fn records_that_wait_at_the_same_time_make_one_delay_and_short_waits_none() {
        let deliveries = deliveries();
        let ago = |ms: u64| {
            let sent = SystemTime::now() - Duration::from_millis(ms);
            let since = sent.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Timestamp::CreateTime(i64::try_from(since.as_millis()).unwrap_or(0))
        };
        let end_ns = clock::now_ns();
        for (partition, taken) in [
            (0, ago(3_000)),
            (0, ago(700)),
            (1, ago(200)),
            (1, Timestamp::NotAvailable),
        ] {
            deliveries.note_wait(1, partition, taken);
        }
        let delays = deliveries.delays();
        assert_eq!(delays.len(), 1, "{delays:?}");
        let DeliveryDelay { partition, delay } = delays[0];
        assert_eq!(partition, TopicPartition { topic: 1, partition: 0 });
        assert!((2_990_000_000..3_500_000_000).contains(&delay.length_ns()), "{delay:?}");
        assert!(delay.until_ns >= end_ns);
    }
}
