//! The order of a producer of load and what it reports. Times as everywhere in the protocol; topics are named by their
//! index in [`PrepareProducer::topics`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Secret;
use crate::load::Schedule;
use crate::measure::latency::LatencyRecorder;
use crate::measure::{DeliveryDelay, DeliveryErrors, ProcessUsage, Series, Stretch, TopicPartition};
use crate::scenario::{Keys, Size};

/// The property of librdkafka by which it reports its statistics, in milliseconds.
pub(super) const STATISTICS_INTERVAL: &str = "statistics.interval.ms";

/// All that a producer needs for a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrepareProducer {
    /// Its `client.id`.
    pub client_id: String,
    /// The topics to send to.
    pub topics: Vec<LoadTopic>,
    /// Client properties, `bootstrap.servers` among them. Secrets travel only here.
    pub properties: BTreeMap<String, Secret>,
    /// When all producers together are to send, from the start on.
    pub schedule: Schedule,
    /// From the start to the window, which ends with the schedule: what is due, sent and acknowledged in it is counted
    /// for itself.
    #[serde(default)]
    pub warmup_ns: u64,
    /// This producer's number, from 0, which is also in its records' stamps.
    pub producer: u32,
    /// Number of producers that share the schedule.
    pub producers: u32,
    /// Bytes of each value, at least [`crate::load::STAMP_BYTES`].
    pub size: Size,
    /// The records' keys, which choose the partition. Without keys all partitions take turns.
    pub keys: Keys,
    /// Seed of keys and values.
    pub seed: u64,
    /// What to add to this worker's times for stamps, which are of the coordinator's clock.
    #[serde(default)]
    pub stamp_offset_ns: i64,
}

impl PrepareProducer {
    /// Asks how many records are sent again, as often as the client's statistics can say it.
    pub fn count_retries(&mut self) {
        self.properties
            .entry(STATISTICS_INTERVAL.to_owned())
            .or_insert_with(|| Secret::new("100"));
    }

    /// Whether the client counts records that it sends again.
    pub fn counts_retries(&self) -> bool {
        self.properties.contains_key(STATISTICS_INTERVAL)
    }
}

/// A topic that a producer sends to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadTopic {
    /// Its name.
    pub name: String,
    /// Number of its partitions.
    pub partitions: u32,
}

/// How far a producer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProducerProgress {
    /// Records given to the client.
    pub sent: u64,
    /// Records that the cluster acknowledged.
    pub acknowledged: u64,
    /// Records that were not delivered.
    pub failed: u64,
    /// The schedule has ended and the delivery of every record is known.
    pub finished: bool,
}

/// What a producer recorded. Every record that fell due was sent or refused, and every one sent was acknowledged or
/// failed: `due = sent + refused`, `sent = acknowledged + failed`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProducerResult {
    /// Records of the schedule whose time came before the producer was stopped.
    pub due: u64,
    /// Records given to the client.
    pub sent: u64,
    /// Records that the client would not take (not counting a full queue, for which the producer waits).
    #[serde(default)]
    pub refused: u64,
    /// Records that the cluster acknowledged.
    pub acknowledged: u64,
    /// Records that were given to the client and not delivered.
    #[serde(default)]
    pub failed: u64,
    /// Records of the schedule intended in the window.
    #[serde(default)]
    pub due_in_window: u64,
    /// Records given to the client within the window, whenever they were intended.
    #[serde(default)]
    pub sent_in_window: u64,
    /// Records acknowledged within the window, whenever they were sent.
    #[serde(default)]
    pub acknowledged_in_window: u64,
    /// Refused and failed records by the client's error.
    #[serde(default)]
    pub errors: Vec<DeliveryErrors>,
    /// What each partition acknowledged.
    #[serde(default)]
    pub partitions: Vec<ProducedPartition>,
    /// The time from intended to sent of each record sent.
    #[serde(default)]
    pub lateness: LatencyRecorder,
    /// Records sent over time from the start.
    #[serde(default)]
    pub series: Series,
    /// The last record was sent.
    #[serde(default)]
    pub last_sent_ns: Option<u64>,
    /// Time in which the producer waited because the client's queue was full.
    #[serde(default)]
    pub queue_full_ns: u64,
    /// Records that the client put into requests again after those before had failed. Only where its statistics are ordered,
    /// and came once more when the delivery of every record was known.
    #[serde(default)]
    pub retried: Option<u64>,
    /// Where partitions took half a second or more to acknowledge.
    #[serde(default)]
    pub delays: Vec<DeliveryDelay>,
    /// Resources from the start to the last record.
    #[serde(default)]
    pub window: Option<ProcessUsage>,
    /// Resources since the process began.
    #[serde(default)]
    pub stopwatch: Option<ProcessUsage>,
    /// As in [`super::WorkerResult::pauses`].
    #[serde(default)]
    pub pauses: Option<Vec<Stretch>>,
}

/// What a partition acknowledged to one producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducedPartition {
    /// Index of the topic.
    pub topic: u32,
    /// Partition number.
    pub partition: i32,
    /// Records acknowledged.
    pub acknowledged: u64,
    /// The highest of their offsets; `None` where the cluster was not asked for them (`acks=0`).
    pub highest_offset: Option<i64>,
}

impl ProducedPartition {
    /// The partition.
    pub fn topic_partition(self) -> TopicPartition {
        TopicPartition {
            topic: self.topic,
            partition: self.partition,
        }
    }
}
