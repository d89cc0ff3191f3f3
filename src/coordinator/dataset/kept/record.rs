//! The record of a kept data set, stored beside it on the cluster: a topic of one partition whose last record says
//! whether the set is complete and which offsets it has. So another machine finds it too, and a half-filled set is
//! never used.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use crate::coordinator::clients::client_config;
use crate::coordinator::dataset::DatasetError;
use crate::kafka::admin::{Admin, AdminError};
use crate::kafka::settings_cause;
use crate::protocol::TopicTarget;
use crate::secret::Secret;

/// How long reading or writing the one record may take.
const LIMIT: Duration = Duration::from_secs(15);

const CLIENT_ID: &str = "tandem-kept";

/// The last record of a kept data set's topic of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRecord {
    /// What defines the set, as it was hashed.
    pub definition: String,
    /// When this was written, UTC.
    pub at: Timestamp,
    /// The run that wrote it.
    pub run: String,
    /// The host of that run.
    pub host: String,
    /// Bytes of values, before compression and replication.
    pub value_bytes: u64,
    /// The set's topics with the offsets that were found in them when they were full and verified; `None` where the
    /// filling has only begun.
    #[serde(rename = "whole")]
    pub filled: Option<Vec<TopicTarget>>,
}

impl KeptRecord {
    /// Records of the set; 0 while it is being filled.
    pub fn records(&self) -> u64 {
        let topics = self.filled.iter().flatten();
        topics
            .flat_map(|topic| &topic.partitions)
            .map(|range| range.len())
            .sum()
    }

    /// Writes it behind those that are there.
    pub(super) async fn write(
        &self,
        admin: &Admin,
        properties: &BTreeMap<String, Secret>,
        topic: &str,
    ) -> Result<(), DatasetError> {
        let failed = |cause: String| DatasetError::Produce {
            topic: topic.to_owned(),
            cause,
        };
        let mut config = client_config(admin.bootstrap(), properties, CLIENT_ID);
        config
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", LIMIT.as_millis().to_string());
        let producer: FutureProducer = config.create().map_err(|error| failed(settings_cause(&error)))?;
        let text = serde_json::to_string(self).map_err(|error| failed(error.to_string()))?;
        let record = FutureRecord::<(), str>::to(topic).partition(0).payload(&text);
        let sent = producer.send(record, LIMIT).await;
        sent.map(|_| ()).map_err(|(error, _)| failed(error.to_string()))
    }
}

/// The last record of the topic; `None` where there is none, or one that this version of tandem cannot read.
///
/// `group` names the client; no group is joined and nothing is committed.
pub async fn read(
    admin: &Admin,
    properties: &BTreeMap<String, Secret>,
    topic: &str,
    group: &str,
) -> Result<Option<KeptRecord>, AdminError> {
    let (low, end) = admin.watermarks(topic, 0).await?;
    if end <= low {
        return Ok(None);
    }
    let refused = |cause: String| AdminError::Refused {
        action: format!("read {topic}"),
        cause,
    };
    let mut config = client_config(admin.bootstrap(), properties, CLIENT_ID);
    config.set("group.id", group).set("enable.auto.commit", "false");
    let name = topic.to_owned();
    let reading = tokio::task::spawn_blocking(move || read_at(&config, &name, end - 1)).await;
    let text = reading.map_err(|error| refused(error.to_string()))?.map_err(refused)?;
    Ok(serde_json::from_slice(&text).ok())
}

fn read_at(config: &ClientConfig, topic: &str, offset: i64) -> Result<Vec<u8>, String> {
    let consumer: BaseConsumer = config.create().map_err(|error| settings_cause(&error))?;
    let mut place = TopicPartitionList::new();
    let added = place.add_partition_offset(topic, 0, Offset::Offset(offset));
    added.map_err(|error| error.to_string())?;
    consumer.assign(&place).map_err(|error| error.to_string())?;
    let deadline = Instant::now() + LIMIT;
    let mut latest = String::new();
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(record)) => return Ok(record.payload().unwrap_or_default().to_vec()),
            Some(Err(error)) => latest = format!(": {error}"),
            None => {}
        }
    }
    Err(format!("no record within {} s{latest}", LIMIT.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::OffsetRange;

    #[test]
    fn a_record_of_a_filling_that_has_only_begun_holds_nothing() {
        let mut record = KeptRecord {
            definition: String::new(),
            at: Timestamp::UNIX_EPOCH,
            run: "r".into(),
            host: "h".into(),
            value_bytes: 7,
            filled: None,
        };
        assert_eq!(record.records(), 0);
        let range = |low, end| OffsetRange { low, end };
        record.filled = Some(vec![TopicTarget {
            name: "t".into(),
            partitions: vec![range(0, 5), range(2, 4)],
        }]);
        assert_eq!(record.records(), 7);
    }
}
