//! Filling: the producers that send a data set's records.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{Producer, ProducerContext};

use super::error::DatasetError;
use super::shares::partition_counts;
use crate::contents::{RecordSource, compressible, text};
use crate::coordinator::clients::client_config;
use crate::kafka::{TextProducer, TextRecord, settings_cause};
use crate::scenario::{DatasetSpec, Keys, canonical_property};
use crate::secret::Secret;

/// Records sent to one partition before the next is taken: full batches, and all partitions grow together.
const DEAL: u64 = 2_000;
/// Records given to the client in one call.
const CALL: usize = 500;
/// How long to wait where the client's queue is full, until looking whether the user has asked to stop.
const FULL_WAIT: Duration = Duration::from_millis(100);
/// How long the brokers may take to acknowledge what is still under way at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(120);
/// How long to wait for that before looking whether the user has asked to stop.
const FLUSH_SLICE: Duration = Duration::from_millis(500);

/// Bytes of values that a producer gathers for one request to a partition, unless the data set says otherwise.
const BATCH_BYTES: u32 = 1_000_000;
/// A value of the largest size that a scenario allows, with its key; the broker's own limit is the same.
const MESSAGE_BYTES: u32 = 1_048_588;
/// The largest value of `message.max.bytes`.
const REQUEST_BYTES_MAX: u32 = 1_000_000_000;
/// The most KiB of records that a producer holds.
const QUEUE_KIB: f64 = 262_144.0;

/// What a producer of a data set sets beside its cluster's properties if it sends to so many partitions, by the library's
/// own names. The data set's own properties win over tandem's; what the filling needs is not among them.
pub fn producer_settings(spec: &DatasetSpec, partitions: usize) -> BTreeMap<&str, String> {
    let batch_bytes = spec.client.get("batch.size").and_then(|bytes| bytes.parse().ok());
    let batch_bytes = batch_bytes.unwrap_or(BATCH_BYTES);
    let mut settings = BTreeMap::from([
        ("enable.idempotence", "true".to_owned()),
        ("compression.codec", spec.compression.as_str().to_owned()),
        ("message.timeout.ms", "60000".to_owned()),
        ("queue.buffering.max.ms", "50".to_owned()),
        ("batch.num.messages", "10000".to_owned()),
        ("batch.size", batch_bytes.to_string()),
        ("queue.buffering.max.messages", "500000".to_owned()),
        (
            "queue.buffering.max.kbytes",
            queue_kib(spec, batch_bytes, partitions).to_string(),
        ),
        // It limits batches too.
        (
            "message.max.bytes",
            MESSAGE_BYTES.max(batch_bytes.min(REQUEST_BYTES_MAX)).to_string(),
        ),
        // Kafka's own choice for keys, so that a key goes where a Java producer would put it.
        ("partitioner", "murmur2_random".to_owned()),
    ]);
    let own = spec.client.iter();
    settings.extend(own.map(|(name, value)| (name.as_str(), value.clone())));
    settings
}

/// Space for a batch and a half of each partition: one under way and half of the next. An idempotent producer has one
/// batch of a partition under way at a time, and where the next one is complete meanwhile, the library's thread asks
/// again and again, without sleeping, whether it may send it: that took the CPU that the broker needed.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of KiB up to a limit that fits"
)]
fn queue_kib(spec: &DatasetSpec, batch_bytes: u32, partitions: usize) -> u32 {
    // Where a record is as large as a batch, a few can be under way.
    let each = 1.5 * f64::from(batch_bytes) + 4.0 * spec.size.mean_bytes();
    (each / 1024.0 * partitions.max(1) as f64).ceil().min(QUEUE_KIB) as u32
}

/// The sending of a data set's records to topics that are there.
pub struct Filling {
    config: ClientConfig,
    pub(super) spec: DatasetSpec,
    pub(super) names: Vec<String>,
    /// Records of each partition of each topic; only their sums count where keys choose the partition.
    pub(super) counts: Vec<Vec<u64>>,
    seed: u64,
    produced: Arc<AtomicU64>,
    interrupted: Arc<AtomicBool>,
}

impl Filling {
    /// Prepares to fill the topics `names`, as many as `spec` says. `produced` counts records as they are handed to
    /// the client, and setting `interrupted` ends it early.
    pub fn new(
        bootstrap: &str,
        properties: &BTreeMap<String, Secret>,
        spec: &DatasetSpec,
        names: &[String],
        seed: u64,
        produced: Arc<AtomicU64>,
        interrupted: Arc<AtomicBool>,
    ) -> Self {
        Filling {
            config: client_config(bootstrap, properties, "tandem-dataset"),
            spec: spec.clone(),
            names: names.to_vec(),
            counts: (0..spec.topics).map(|topic| partition_counts(spec, topic)).collect(),
            seed,
            produced,
            interrupted,
        }
    }

    /// Fills every topic with as many producers as can help.
    pub fn run(&self) -> Result<(), DatasetError> {
        let text = OnceLock::new();
        let producers = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
        let shares = self.shares(producers);
        let filled: Vec<Result<(), DatasetError>> = thread::scope(|scope| {
            let handles: Vec<_> = (0u64..)
                .zip(shares)
                .map(|(index, share)| {
                    let text = &text;
                    scope.spawn(move || self.produce(text, index, share))
                })
                .collect();
            let panicked = || Err(self.failed("a producer panicked"));
            handles
                .into_iter()
                .map(|handle| handle.join().unwrap_or_else(|_| panicked()))
                .collect()
        });
        filled.into_iter().collect()
    }

    /// The failure of a data set.
    pub(super) fn failed(&self, cause: impl Into<String>) -> DatasetError {
        DatasetError::Produce {
            topic: self.names.join(", "),
            cause: cause.into(),
        }
    }

    fn failed_at(&self, topic: usize, cause: String) -> DatasetError {
        let topic = self.names[topic].clone();
        DatasetError::Produce { topic, cause }
    }

    /// The contents from which all values are cut.
    fn text(&self) -> Arc<[u8]> {
        match self.spec.compression_ratio {
            Some(ratio) => compressible(self.seed, self.spec.compression, ratio, self.spec.size.mean_bytes()),
            None => text(self.seed),
        }
        .into()
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
                        at: 0,
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
                        at: 0,
                    });
                }
            }
        }
        shares.retain(|share| !share.is_empty());
        shares
    }

    /// Sends one producer's share, its slices in turn. Whoever has its client first makes the text for all.
    fn produce(&self, text: &OnceLock<Arc<[u8]>>, index: u64, mut slices: Vec<Slice>) -> Result<(), DatasetError> {
        let topic = slices[0].topic;
        let failed = |cause: String| self.failed_at(topic, cause);
        let partitions = slices
            .iter()
            .map(|slice| slice.partition.map_or(self.counts[slice.topic].len(), |_| 1));
        let mut config = self.config.clone();
        for (name, value) in producer_settings(&self.spec, partitions.sum()) {
            set_alone(&mut config, name, value);
        }
        let deliveries = Deliveries::default();
        let shared = || Arc::clone(text.get_or_init(|| self.text()));
        let mut producer = TextProducer::new(&config, deliveries, shared, &self.names)
            .map_err(|error| failed(settings_cause(&error)))?;
        let contents = shared().len();
        let mut source =
            RecordSource::new(self.spec.size, self.spec.keys, contents, self.seed, index).map_err(failed)?;
        let mut records = Vec::with_capacity(CALL);
        while !slices.is_empty() {
            for slice in &mut slices {
                let mut deal = slice.records.min(DEAL);
                slice.records -= deal;
                while deal > 0 {
                    records.clear();
                    records.extend((0..deal.min(CALL as u64)).map(|_| TextRecord {
                        key: slice.partition.is_none().then(|| source.key(&mut slice.latest_key)),
                        value: source.value(&mut slice.at),
                    }));
                    deal -= records.len() as u64;
                    self.send(&mut producer, slice, &records)?;
                }
            }
            slices.retain(|slice| slice.records > 0);
        }
        self.finish(&producer)
    }

    /// Waits until the brokers have acknowledged everything.
    fn finish(&self, producer: &TextProducer<Deliveries>) -> Result<(), DatasetError> {
        let deadline = Instant::now() + FLUSH_LIMIT;
        let mut undelivered = 0;
        while producer.under_way() > 0 {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(DatasetError::Interrupted);
            }
            if Instant::now() > deadline {
                let (left, seconds) = (producer.under_way(), FLUSH_LIMIT.as_secs());
                return Err(self.failed(format!("{left} records were not acknowledged within {seconds} s")));
            }
            undelivered += producer.flush(FLUSH_SLICE, &log);
        }
        match producer.producer().context().failed.load(Ordering::Acquire) + undelivered {
            0 => Ok(()),
            count => Err(self.failed(format!("{count} records were not delivered"))),
        }
    }

    /// Hands records of one topic to the client, waiting while its queue is full.
    fn send(
        &self,
        producer: &mut TextProducer<Deliveries>,
        slice: &Slice,
        mut records: &[TextRecord],
    ) -> Result<(), DatasetError> {
        let failed = |cause: String| self.failed_at(slice.topic, cause);
        while !records.is_empty() {
            let taken = producer
                .send(slice.topic, slice.partition, records)
                .map_err(|error| failed(error.to_string()))?;
            records = &records[taken..];
            self.produced.fetch_add(taken as u64, Ordering::Relaxed);
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(DatasetError::Interrupted);
            }
            let waiting = if records.is_empty() { Duration::ZERO } else { FULL_WAIT };
            let undelivered = producer.wait(waiting, &log);
            let client = producer.producer();
            let so_far = client.context().failed.fetch_add(undelivered, Ordering::AcqRel) + undelivered;
            if let Some((_, cause)) = client.client().fatal_error() {
                return Err(failed(cause));
            }
            if so_far > 0 {
                // The rest would fail in the same way, each batch after its own long wait.
                return Err(failed("records were not delivered in time".to_owned()));
            }
        }
        Ok(())
    }
}

/// Sets a property, and removes what the cluster's properties say of it under its other names.
fn set_alone(config: &mut ClientConfig, name: &str, value: String) {
    let is_other_name = |known: &str| canonical_property(known) == canonical_property(name);
    let names = config.config_map().into_keys().filter(|known| is_other_name(known));
    let others: Vec<String> = names.map(str::to_owned).collect();
    for other in &others {
        config.remove(other);
    }
    config.set(name, value);
}

fn log(reason: &str) {
    eprintln!("librdkafka: {reason}");
}

/// Records that one producer still has to send to a topic, or to one partition of it.
#[derive(Debug, Clone)]
struct Slice {
    topic: usize,
    partition: Option<i32>,
    records: u64,
    latest_key: u64,
    /// Where the next value lies in the contents, in bytes.
    at: usize,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::dataset;

    fn filled_with(name: &str, value: &str) -> DatasetSpec {
        DatasetSpec {
            client: BTreeMap::from([(name.to_owned(), value.to_owned())]),
            ..dataset()
        }
    }

    #[test]
    fn what_a_data_set_says_of_its_producers_wins_and_the_queue_fits_its_batches() {
        let small = filled_with("batch.size", "16384");
        let settings = producer_settings(&small, 4);
        assert_eq!(settings["batch.size"], "16384");
        assert_eq!(settings["queue.buffering.max.ms"], "50");
        let kib = |spec: &DatasetSpec| {
            producer_settings(spec, 4)["queue.buffering.max.kbytes"]
                .parse::<u32>()
                .ok()
        };
        assert!(kib(&small) < kib(&dataset()));
        assert_eq!(kib(&filled_with("queue.buffering.max.kbytes", "77")), Some(77));
        // Else no batch would be larger than the broker's default.
        assert_eq!(
            producer_settings(&filled_with("batch.size", "4000000"), 4)["message.max.bytes"],
            "4000000"
        );
        assert_eq!(settings["message.max.bytes"], "1048588");
    }

    #[test]
    fn a_setting_replaces_what_the_cluster_says_under_another_name() {
        let mut config = ClientConfig::new();
        config.set("linger.ms", "7").set("batch.num.messages", "3");
        set_alone(&mut config, "queue.buffering.max.ms", "50".to_owned());
        let names: Vec<&str> = {
            let mut names: Vec<&str> = config.config_map().into_keys().collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names, ["batch.num.messages", "queue.buffering.max.ms"]);
    }
}
