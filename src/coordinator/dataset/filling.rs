//! Filling: the producers that send a data set's records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use super::DatasetError;
use crate::contents::{RecordSource, text};
use crate::kafka::settings_cause;
use crate::scenario::{DatasetSpec, Keys};
use crate::secret::Secret;

/// Records sent to one partition before the next is taken: whole batches, and all partitions grow together.
const DEAL: u64 = 2_000;
/// How long the brokers may take to acknowledge what is still under way at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(120);
/// How long to wait for that before looking whether the user has asked to stop.
const FLUSH_SLICE: Duration = Duration::from_millis(500);

/// Settings of the producers of a data set.
pub(super) fn producer_config(
    bootstrap: &str,
    properties: &BTreeMap<String, Secret>,
    spec: &DatasetSpec,
) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in properties {
        config.set(name, value.reveal());
    }
    config
        .set("bootstrap.servers", bootstrap)
        .set("client.id", "tandem-dataset")
        .set("enable.idempotence", "true")
        .set("compression.type", spec.compression.as_str())
        .set("message.timeout.ms", "60000")
        .set("linger.ms", "50")
        .set("batch.num.messages", "10000")
        .set("batch.size", "1000000")
        .set("queue.buffering.max.messages", "500000")
        .set("queue.buffering.max.kbytes", "262144")
        // A value of the largest size that a scenario allows, with its key; the broker's own limit is the same.
        .set("message.max.bytes", "1048588")
        // Kafka's own choice for keys, so that a key goes where a Java producer would put it.
        .set("partitioner", "murmur2_random");
    config
}

/// Everything that the producers need.
pub(super) struct Filling {
    pub(super) config: ClientConfig,
    pub(super) spec: DatasetSpec,
    pub(super) names: Vec<String>,
    pub(super) counts: Vec<Vec<u64>>,
    pub(super) seed: u64,
    pub(super) produced: Arc<AtomicU64>,
    pub(super) interrupted: Arc<AtomicBool>,
}

impl Filling {
    /// Fills every topic with as many producers as can help.
    pub(super) fn run(&self) -> Result<(), DatasetError> {
        let text = text(self.seed);
        let producers = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
        let shares = self.shares(producers);
        let filled: Vec<Result<(), DatasetError>> = thread::scope(|scope| {
            let handles: Vec<_> = (0u64..)
                .zip(shares)
                .map(|(index, share)| {
                    let text = text.as_slice();
                    scope.spawn(move || self.produce(text, index, share))
                })
                .collect();
            let panicked = || {
                Err(DatasetError::Produce {
                    topic: self.names.join(", "),
                    cause: "a producer panicked".into(),
                })
            };
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap_or_else(|_| panicked()))
                .collect()
        });
        filled.into_iter().collect()
    }

    /// Deals the work out: partitions where records have no key, numbers of records where they have.
    fn shares(&self, producers: usize) -> Vec<Vec<Slice>> {
        let mut shares = vec![Vec::new(); producers];
        for (topic, counts) in self.counts.iter().enumerate() {
            if self.spec.keys == Keys::None {
                for (partition, records) in (0i32..).zip(counts) {
                    let slice = Slice {
                        topic,
                        partition: Some(partition),
                        records: *records,
                        latest_key: 0,
                    };
                    shares[(topic * counts.len() + usize::try_from(partition).unwrap_or(0)) % producers].push(slice);
                }
            } else {
                let (total, producers) = (counts.iter().sum::<u64>(), producers as u64);
                for (index, share) in (0u64..).zip(&mut shares) {
                    let records = total / producers + u64::from(index < total % producers);
                    share.push(Slice {
                        topic,
                        partition: None,
                        records,
                        latest_key: index << 40 | (topic as u64) << 56,
                    });
                }
            }
        }
        shares.retain(|share| !share.is_empty());
        shares
    }

    /// Sends one producer's share, its slices in turn.
    fn produce(&self, text: &[u8], index: u64, mut slices: Vec<Slice>) -> Result<(), DatasetError> {
        let failed = |topic: &str, cause: String| DatasetError::Produce {
            topic: topic.to_owned(),
            cause,
        };
        let first = self.names[slices[0].topic].clone();
        let producer: BaseProducer<Deliveries> = self
            .config
            .create_with_context(Deliveries::default())
            .map_err(|error| failed(&first, settings_cause(&error)))?;
        let mut source = RecordSource::new(self.spec.size, self.spec.keys, text, self.seed, index)
            .map_err(|error| failed(&first, error))?;
        while !slices.is_empty() {
            for slice in &mut slices {
                let deal = slice.records.min(DEAL);
                self.send(&producer, &mut source, slice, deal)?;
                slice.records -= deal;
                self.produced.fetch_add(deal, Ordering::Relaxed);
            }
            slices.retain(|slice| slice.records > 0);
            producer.poll(Duration::ZERO);
        }
        let deadline = Instant::now() + FLUSH_LIMIT;
        while let Err(error) = producer.flush(FLUSH_SLICE) {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(DatasetError::Interrupted);
            }
            if Instant::now() > deadline || error.rdkafka_error_code() != Some(RDKafkaErrorCode::OperationTimedOut) {
                return Err(failed(&first, error.to_string()));
            }
        }
        match producer.context().failed.load(Ordering::Acquire) {
            0 => Ok(()),
            count => Err(failed(&first, format!("{count} records were not delivered"))),
        }
    }

    fn send(
        &self,
        producer: &BaseProducer<Deliveries>,
        source: &mut RecordSource<'_>,
        slice: &mut Slice,
        records: u64,
    ) -> Result<(), DatasetError> {
        let topic = self.names[slice.topic].as_str();
        for _ in 0..records {
            let key = slice.partition.is_none().then(|| source.key(&mut slice.latest_key));
            let value = source.value();
            let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).payload(value);
            if let Some(key) = &key {
                record = record.key(&key[..]);
            }
            if let Some(partition) = slice.partition {
                record = record.partition(partition);
            }
            while let Err((error, back)) = producer.send(record) {
                if self.interrupted.load(Ordering::Relaxed) {
                    return Err(DatasetError::Interrupted);
                }
                if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                    return Err(DatasetError::Produce {
                        topic: topic.to_owned(),
                        cause: error.to_string(),
                    });
                }
                if let Some(cause) = producer.client().fatal_error() {
                    return Err(DatasetError::Produce {
                        topic: topic.to_owned(),
                        cause: cause.1,
                    });
                }
                producer.poll(Duration::from_millis(10));
                if producer.context().failed.load(Ordering::Acquire) > 0 {
                    // The rest would fail in the same way, each batch after its own long wait.
                    let cause = "records were not delivered in time".to_owned();
                    return Err(DatasetError::Produce {
                        topic: topic.to_owned(),
                        cause,
                    });
                }
                record = back;
            }
        }
        if self.interrupted.load(Ordering::Relaxed) {
            Err(DatasetError::Interrupted)
        } else {
            Ok(())
        }
    }
}

/// Records that one producer still has to send to a topic, or to one partition of it.
#[derive(Debug, Clone)]
struct Slice {
    topic: usize,
    partition: Option<i32>,
    records: u64,
    latest_key: u64,
}

/// Counts what the brokers did not accept.
#[derive(Default)]
struct Deliveries {
    failed: AtomicU64,
}

impl ClientContext for Deliveries {
    fn error(&self, error: KafkaError, reason: &str) {
        eprintln!("librdkafka: {error}: {reason}");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _opaque: ()) {
        if result.is_err() {
            self.failed.fetch_add(1, Ordering::Release);
        }
    }
}
