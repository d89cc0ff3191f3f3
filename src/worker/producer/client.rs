//! The client of a producer: its settings, its first contact with the cluster, and the thread that takes its delivery
//! reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer, PurgeConfig};

use super::deliveries::Deliveries;
use crate::load::STAMP_BYTES;
use crate::protocol::{LoadTopic, PrepareProducer};
use crate::scenario::Size;
use crate::worker::settings::{ANSWER_LIMIT, client_config, refused};
use crate::worker::threads::spawn;

/// How often the thread of delivery reports looks whether it is to end.
const POLL_SLICE: Duration = Duration::from_millis(100);
/// How long the cluster may take to acknowledge what is under way when the sending ends. What it has not by then is
/// given up, and counted so. The coordinator waits longer for the result.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);
/// How long the client may take to report what it has given up.
const PURGE_LIMIT: Duration = Duration::from_secs(2);
/// How long the client's next statistics may take.
const STATISTICS_LIMIT: Duration = Duration::from_secs(1);
const STATISTICS_PAUSE: Duration = Duration::from_millis(10);

/// A client that reports its deliveries to a thread of its own, until dropped.
pub(super) struct Client {
    producer: Arc<BaseProducer<Deliveries>>,
    ending: Arc<AtomicBool>,
    reports: Option<JoinHandle<()>>,
    counts_retries: bool,
}

/// Refuses what cannot be sent.
pub(super) fn check(order: &PrepareProducer) -> Result<(), String> {
    let smallest = match order.size {
        Size::Fixed(bytes) => bytes,
        Size::Uniform { min, .. } => min,
        Size::LogNormal { max, .. } => max,
    };
    if (smallest as usize) < STAMP_BYTES {
        return Err(format!(
            "values of {smallest} bytes are too short for the stamp; they must have at least {STAMP_BYTES}"
        ));
    }
    let times = order.schedule.times_of(order.producer, order.producers);
    times.map(|_| ()).map_err(|error| error.to_string())
}

impl Client {
    /// Makes the client and finds all topics with all their partitions.
    pub(super) fn connect(order: &PrepareProducer) -> Result<Self, String> {
        let producer: BaseProducer<Deliveries> = client_config(&order.properties, &order.client_id)
            .create_with_context(Deliveries::new(&order.topics))
            .map_err(|error| refused(&error))?;
        let producer = Arc::new(producer);
        let ending = Arc::new(AtomicBool::new(false));
        let reports = {
            let (producer, ending) = (Arc::clone(&producer), Arc::clone(&ending));
            spawn("reports".to_owned(), move || {
                while !ending.load(Ordering::Acquire) {
                    producer.poll(POLL_SLICE);
                }
            })?
        };
        let client = Client {
            producer,
            ending,
            reports: Some(reports),
            counts_retries: order.counts_retries(),
        };
        order.topics.iter().try_for_each(|topic| client.find(topic))?;
        Ok(client)
    }

    /// Makes sure that the cluster has a topic as it is ordered, and that the client knows it before the first record.
    fn find(&self, topic: &LoadTopic) -> Result<(), String> {
        let name = topic.name.as_str();
        let metadata = self
            .producer
            .client()
            .fetch_metadata(Some(name), ANSWER_LIMIT)
            .map_err(|error| format!("the cluster did not answer: {error}"))?;
        let found = metadata.topics().iter().find(|found| found.name() == name);
        let found = found.ok_or_else(|| format!("the cluster said nothing of topic {name}"))?;
        if let Some(error) = found.error() {
            return Err(format!("topic {name}: {}", RDKafkaErrorCode::from(error)));
        }
        let partitions = found.partitions().len();
        if partitions != topic.partitions as usize {
            let ordered = topic.partitions;
            return Err(format!(
                "topic {name} has {partitions} partitions, not the {ordered} that were ordered"
            ));
        }
        Ok(())
    }

    /// The producer, for the thread that sends.
    pub(super) fn share(&self) -> Arc<BaseProducer<Deliveries>> {
        Arc::clone(&self.producer)
    }

    /// The counts of what was delivered.
    pub(super) fn deliveries(&self) -> Arc<Deliveries> {
        Arc::clone(self.producer.context())
    }

    /// Waits until it is known of all `sent` records what became of them; gives up what takes too long, so that it is
    /// counted as failed.
    pub(super) fn settle(&self, sent: u64) {
        if self.settled_within(sent, SETTLE_LIMIT) {
            return;
        }
        self.producer.purge(PurgeConfig::default().queue().inflight());
        self.settled_within(sent, PURGE_LIMIT);
        let deliveries = self.deliveries();
        let unknown = sent.saturating_sub(deliveries.acknowledged() + deliveries.failed());
        deliveries.give_up(unknown);
    }

    /// Of the records given to the client, whose delivery is known, those that were sent more than once; `None` where it does
    /// not say that. At least so many: of a record that was given up, nobody knows whether it was sent.
    pub(super) fn retried(&self, sent: u64) -> Option<u64> {
        let (deliveries, deadline) = (self.deliveries(), Instant::now() + STATISTICS_LIMIT);
        let known = deliveries.looks();
        while self.counts_retries && Instant::now() < deadline {
            if deliveries.looks() > known {
                return Some(deliveries.retried(sent));
            }
            sleep(STATISTICS_PAUSE);
        }
        None
    }

    fn settled_within(&self, sent: u64, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let deliveries = self.deliveries();
        while deliveries.acknowledged() + deliveries.failed() < sent {
            if Instant::now() > deadline {
                return false;
            }
            // Flushing sends at once what `linger.ms` would hold back; that it takes longer is seen by the counts.
            let _: Result<(), KafkaError> = self.producer.flush(Duration::from_millis(20));
        }
        true
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
        if let Some(reports) = self.reports.take() {
            // It ends with its slice. Were it to panic, nothing would be left for it to report.
            let _ = reports.join();
        }
    }
}
