//! Sends one line after the other as a record and reports where each one went.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::future_producer::{DeliveryFuture, FutureProducer, FutureRecord};

use super::settings::client_config;
use crate::kafka::admin::AdminError;
use crate::kafka::settings_cause;
use crate::secret::Secret;

/// Pause while the client's queue is full.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// Properties that the user's own override. The partitioner is the Java client's, so that a key goes to the same
/// partition as from a Java program.
const DEFAULTS: &[(&str, &str)] = &[
    ("client.id", "tandem-produce"),
    ("partitioner", "murmur2_random"),
    ("enable.idempotence", "true"),
    ("message.timeout.ms", "30000"),
];

/// Sends records to one topic.
pub struct Sender {
    producer: FutureProducer,
    topic: String,
}

/// A record that the client has and the cluster may not have yet.
pub struct Pending(DeliveryFuture);

/// Where a record went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// Partition number.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
}

/// A line that cannot become a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} has no key separator \"{separator}\": write KEY{separator}VALUE, or leave out --key-separator")]
pub struct LineError {
    /// Line number from 1.
    pub line: u64,
    /// The separator.
    pub separator: String,
}

/// The key before the first `separator` and the value after it.
pub fn split_key<'a>(line: &'a [u8], separator: &str, number: u64) -> Result<(&'a [u8], &'a [u8]), LineError> {
    let separator_bytes = separator.as_bytes();
    let position = line
        .windows(separator_bytes.len().max(1))
        .position(|window| window == separator_bytes);
    match position {
        Some(start) => Ok((&line[..start], &line[start + separator_bytes.len()..])),
        None => Err(LineError {
            line: number,
            separator: separator.to_owned(),
        }),
    }
}

impl Sender {
    /// Makes a producer; connects when the first record is sent.
    pub fn new(bootstrap: &str, properties: &BTreeMap<String, Secret>, topic: &str) -> Result<Self, AdminError> {
        let config = client_config(bootstrap, properties, DEFAULTS);
        let producer = config
            .create()
            .map_err(|error| AdminError::Settings(settings_cause(&error)))?;
        Ok(Sender {
            producer,
            topic: topic.to_owned(),
        })
    }

    /// Hands a record to the client, and waits while its queue is full.
    pub async fn send(&self, key: Option<&[u8]>, value: &[u8]) -> Result<Pending, KafkaError> {
        let mut record = FutureRecord::<[u8], [u8]>::to(&self.topic).payload(value);
        if let Some(key) = key {
            record = record.key(key);
        }
        loop {
            match self.producer.send_result(record) {
                Ok(delivery) => return Ok(Pending(delivery)),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    record = again;
                    tokio::time::sleep(FULL_PAUSE).await;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }
}

impl Pending {
    /// Waits until the cluster has acknowledged the record, or the client has given it up.
    pub async fn delivered(self) -> Result<Delivered, KafkaError> {
        match self.0.await {
            Ok(Ok(delivery)) => Ok(Delivered {
                partition: delivery.partition,
                offset: delivery.offset,
            }),
            Ok(Err((error, _))) => Err(error),
            Err(_) => Err(KafkaError::Canceled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_separator_ends_the_key_and_either_part_may_be_empty() {
        assert_eq!(split_key(b"a:b:c", ":", 1), Ok((&b"a"[..], &b"b:c"[..])));
        assert_eq!(split_key(b"::", "::", 1), Ok((&b""[..], &b""[..])));
        assert_eq!(split_key(b"a=>b", "=>", 1), Ok((&b"a"[..], &b"b"[..])));
    }

    #[test]
    fn a_line_without_the_separator_is_named_by_its_number() {
        let error = split_key(b"no key", ":", 3).err();
        let message = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(message.starts_with("line 3 has no key separator \":\""), "{message}");
    }
}
