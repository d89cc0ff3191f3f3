//! Data sets: topics filled once, verified, and read by every trial that can share them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Zipf};
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use crate::kafka::admin::{Admin, AdminError};
use crate::protocol::{OffsetRange, TopicTarget};
use crate::scenario::{DatasetSpec, Keys, Size};
use crate::secret::Secret;

/// Records sent to one partition before the next is taken: whole batches, and all partitions grow together.
const DEAL: u64 = 2_000;
/// Bytes of text from which record values are cut.
const TEXT_BYTES: usize = 8 << 20;
/// How long the brokers may take to acknowledge what is still under way at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(120);

/// Why a data set could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The cluster refused or did not answer.
    #[error(transparent)]
    Cluster(#[from] AdminError),
    /// Records were not accepted.
    #[error("cannot fill {topic}: {cause}")]
    Produce {
        /// The topic.
        topic: String,
        /// What the client or the broker said.
        cause: String,
    },
    /// The topic does not hold what was produced.
    #[error("{topic} holds {found} records where {expected} were produced")]
    Watermarks {
        /// The topic, or topic and partition.
        topic: String,
        /// `high - low`.
        found: u64,
        /// As produced.
        expected: u64,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// A filled data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Every topic with the whole of each partition.
    pub topics: Vec<TopicTarget>,
}

impl Dataset {
    /// The part that a trial of `records` records reads: the same share of every partition.
    pub fn target(&self, records: u64) -> Vec<TopicTarget> {
        let total: u64 = self
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .map(|range| range.len())
            .sum();
        let share = |range: &OffsetRange| {
            let wanted = u128::from(range.len()) * u128::from(records.min(total)) / u128::from(total.max(1));
            OffsetRange {
                low: range.low,
                end: range.low + i64::try_from(wanted).unwrap_or(i64::MAX),
            }
        };
        self.topics
            .iter()
            .map(|topic| TopicTarget {
                name: topic.name.clone(),
                partitions: topic.partitions.iter().map(share).collect(),
            })
            .collect()
    }
}

/// Makes the topics of a data set, fills and verifies them. `produced` counts records as they are sent.
pub async fn fill(
    admin: &Admin,
    properties: &std::collections::BTreeMap<String, Secret>,
    spec: &DatasetSpec,
    names: &[String],
    seed: u64,
    produced: Arc<AtomicU64>,
    interrupted: Arc<AtomicBool>,
) -> Result<Dataset, DatasetError> {
    for name in names {
        // Nothing of the data set may be removed while it is being read.
        admin
            .create_topic(
                name,
                spec.partitions,
                spec.replication,
                &[("retention.ms", "-1"), ("retention.bytes", "-1")],
            )
            .await?;
    }
    let config = producer_config(admin.bootstrap(), properties, spec);
    let work = Filling {
        config,
        spec: spec.clone(),
        names: names.to_vec(),
        counts: (0..spec.topics).map(|topic| partition_counts(spec, topic)).collect(),
        seed,
        produced,
        interrupted,
    };
    let filled = tokio::task::spawn_blocking(move || work.run().map(|()| work)).await;
    let work = filled.map_err(|_| DatasetError::Produce {
        topic: names.join(", "),
        cause: "a producer panicked".into(),
    })??;
    verify(admin, &work).await
}

async fn verify(admin: &Admin, work: &Filling) -> Result<Dataset, DatasetError> {
    let mut topics = Vec::with_capacity(work.names.len());
    let mut total = 0;
    for (name, counts) in work.names.iter().zip(&work.counts) {
        let mut partitions = Vec::with_capacity(counts.len());
        for (partition, expected) in (0i32..).zip(counts) {
            let (low, end) = admin.watermarks(name, partition).await?;
            let range = OffsetRange { low, end };
            // With keys the partition is the partitioner's choice, and only the sum is known.
            if work.spec.keys == Keys::None && range.len() != *expected {
                let topic = format!("{name} [{partition}]");
                return Err(DatasetError::Watermarks {
                    topic,
                    found: range.len(),
                    expected: *expected,
                });
            }
            total += range.len();
            partitions.push(range);
        }
        topics.push(TopicTarget {
            name: name.clone(),
            partitions,
        });
    }
    if total != work.spec.records {
        let topic = work.names.join(", ");
        return Err(DatasetError::Watermarks {
            topic,
            found: total,
            expected: work.spec.records,
        });
    }
    Ok(Dataset { topics })
}

/// Records of each partition of one of the data set's topics: equal, or by weight with the remainder to the largest
/// fractions.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares of a u64 are not negative and fit"
)]
fn partition_counts(spec: &DatasetSpec, topic: u32) -> Vec<u64> {
    let topics = u64::from(spec.topics);
    let of_topic = spec.records / topics + u64::from(u64::from(topic) < spec.records % topics);
    let partitions = spec.partitions as usize;
    let equal = vec![1.0 / f64::from(spec.partitions); partitions];
    let weights = if spec.weights.is_empty() { &equal } else { &spec.weights };
    let wanted: Vec<f64> = weights.iter().map(|weight| weight * of_topic as f64).collect();
    // The small addend keeps an exact share from falling below itself by rounding.
    let mut counts: Vec<u64> = wanted.iter().map(|wanted| (wanted + 1e-6).floor() as u64).collect();
    let mut order: Vec<usize> = (0..partitions).collect();
    let fraction = |index: usize| wanted[index] - wanted[index].floor();
    order.sort_by(|a, b| fraction(*b).total_cmp(&fraction(*a)));
    let mut left = of_topic.saturating_sub(counts.iter().sum());
    for index in order.into_iter().cycle() {
        if left == 0 {
            break;
        }
        counts[index] += 1;
        left -= 1;
    }
    counts
}

fn producer_config(
    bootstrap: &str,
    properties: &std::collections::BTreeMap<String, Secret>,
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
        .set("linger.ms", "50")
        .set("batch.num.messages", "10000")
        .set("batch.size", "1000000")
        .set("queue.buffering.max.messages", "500000")
        .set("queue.buffering.max.kbytes", "262144")
        // Kafka's own choice for keys, so that a key goes where a Java producer would put it.
        .set("partitioner", "murmur2_random");
    config
}

/// Everything that the producers need.
struct Filling {
    config: ClientConfig,
    spec: DatasetSpec,
    names: Vec<String>,
    counts: Vec<Vec<u64>>,
    seed: u64,
    produced: Arc<AtomicU64>,
    interrupted: Arc<AtomicBool>,
}

impl Filling {
    /// Fills every topic with as many producers as can help.
    fn run(&self) -> Result<(), DatasetError> {
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
                        first_key: 0,
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
                        first_key: index << 40 | (topic as u64) << 56,
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
            .map_err(|error| failed(&first, error.to_string()))?;
        let mut source =
            RecordSource::new(&self.spec, text, self.seed, index).map_err(|error| failed(&first, error))?;
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
        producer
            .flush(FLUSH_LIMIT)
            .map_err(|error| failed(&first, error.to_string()))?;
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
            let key = source.key(slice);
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
    first_key: u64,
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

/// Makes keys and values.
struct RecordSource<'a> {
    text: &'a [u8],
    rng: ChaCha8Rng,
    size: Size,
    log_normal: Option<LogNormal<f64>>,
    zipf: Option<Zipf<f64>>,
}

impl<'a> RecordSource<'a> {
    fn new(spec: &DatasetSpec, text: &'a [u8], seed: u64, producer: u64) -> Result<Self, String> {
        let log_normal = match spec.size {
            Size::LogNormal { median, sigma, .. } => {
                Some(LogNormal::new(f64::from(median).ln(), sigma).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        let zipf = match spec.keys {
            Keys::Zipf { exponent, count } => {
                Some(Zipf::new(count as f64, exponent).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        let rng = ChaCha8Rng::seed_from_u64(seed ^ (producer + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Ok(RecordSource {
            text,
            rng,
            size: spec.size,
            log_normal,
            zipf,
        })
    }

    /// The next record's key as eight bytes.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "drawn from 1 to a u64 count"
    )]
    fn key(&mut self, slice: &mut Slice) -> Option<[u8; 8]> {
        if slice.partition.is_some() {
            return None;
        }
        let number = match &self.zipf {
            Some(zipf) => zipf.sample(&mut self.rng) as u64,
            None => {
                slice.first_key += 1;
                slice.first_key
            }
        };
        Some(number.to_be_bytes())
    }

    /// The next record's value: a piece of the text from a random place.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=max"
    )]
    fn value(&mut self) -> &'a [u8] {
        let bytes = match self.size {
            Size::Fixed(bytes) => bytes,
            Size::Uniform { min, max } => self.rng.random_range(min..=max),
            Size::LogNormal { max, .. } => {
                let drawn = self
                    .log_normal
                    .as_ref()
                    .map_or(0.0, |normal| normal.sample(&mut self.rng));
                drawn.round().clamp(0.0, f64::from(max)) as u32
            }
        } as usize;
        let from = self.rng.next_u32() as usize % (self.text.len() - bytes.min(self.text.len() - 1));
        &self.text[from..(from + bytes).min(self.text.len())]
    }
}

/// Words of lower-case letters, drawn so that general-purpose compressors get about a half: neither noise, which no
/// compressor shortens, nor a constant, which every one does.
fn text(seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let words: Vec<Vec<u8>> = (0..4_096)
        .map(|_| {
            (0..rng.random_range(2..=9))
                .map(|_| rng.random_range(b'a'..=b'z'))
                .chain([b' '])
                .collect()
        })
        .collect();
    let mut text = Vec::with_capacity(TEXT_BYTES + 16);
    while text.len() < TEXT_BYTES {
        text.extend_from_slice(&words[rng.random_range(0..words.len())]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Compression;

    fn spec(partitions: u32, records: u64, weights: &[f64]) -> DatasetSpec {
        DatasetSpec {
            topics: 1,
            partitions,
            records,
            size: Size::Fixed(100),
            keys: Keys::None,
            weights: weights.to_vec(),
            compression: Compression::None,
            replication: 1,
        }
    }

    #[test]
    fn partitions_get_equal_shares_or_their_weights_and_nothing_is_lost() {
        assert_eq!(partition_counts(&spec(4, 8_000, &[]), 0), [2_000; 4]);
        assert_eq!(partition_counts(&spec(3, 10, &[]), 0), [4, 3, 3]);
        assert_eq!(partition_counts(&spec(2, 1_000, &[0.9, 0.1]), 0), [900, 100]);
        let sums: u64 = (0..3)
            .map(|t| {
                partition_counts(
                    &DatasetSpec {
                        topics: 3,
                        ..spec(2, 11, &[])
                    },
                    t,
                )
                .iter()
                .sum::<u64>()
            })
            .sum();
        assert_eq!(sums, 11);
    }

    #[test]
    fn a_trial_reads_the_same_share_of_every_partition() {
        let range = |low, end| OffsetRange { low, end };
        let topic = TopicTarget {
            name: "t".into(),
            partitions: vec![range(0, 900), range(5, 105)],
        };
        let part = Dataset { topics: vec![topic] }.target(100);
        assert_eq!(part[0].partitions, [range(0, 90), range(5, 15)]);
    }

    #[test]
    fn a_trial_of_more_records_than_there_are_reads_them_all() {
        let topic = TopicTarget {
            name: "t".into(),
            partitions: vec![OffsetRange { low: 3, end: 10 }],
        };
        let set = Dataset { topics: vec![topic] };
        assert_eq!(set.target(1_000), set.topics);
    }

    #[test]
    fn values_have_their_size_and_differ() {
        let text = text(1);
        let Ok(mut source) = RecordSource::new(&spec(1, 1, &[]), &text, 1, 0) else {
            panic!("no source")
        };
        let values: std::collections::HashSet<&[u8]> = (0..100).map(|_| source.value()).collect();
        assert!(values.iter().all(|value| value.len() == 100));
        assert!(values.len() > 95);
    }
}
