//! Reads records one by one, as a member of a group or from given partitions, and reports who reads what.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::Message as _;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use super::settings::client_config;
use crate::kafka::admin::AdminError;
use crate::kafka::settings_cause;
use crate::kafka::words::partition_words;
use crate::secret::Secret;

/// How long a poll waits; the caller may stop between two polls.
const POLL: Duration = Duration::from_millis(100);

/// Where reading begins in a partition without a committed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first record that the partition still has.
    Beginning,
    /// After the last record.
    End,
}

/// What is read, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The topic.
    pub topic: String,
    /// The group to join; its members share the partitions. Without one, `partitions` are read.
    pub group: Option<String>,
    /// Partition numbers, for a reader without a group.
    pub partitions: Vec<i32>,
    /// Where reading begins.
    pub start: Start,
    /// The name by which the cluster knows this reader.
    pub client_id: String,
}

/// A record that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Partition number.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Its key, where it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
}

/// Reads until `on_record` or `stop` says so; blocks. `notice` gets changes of the membership and errors of the client. A
/// group's offsets are committed up to the last record that `on_record` got.
pub fn read(
    bootstrap: &str,
    properties: &BTreeMap<String, Secret>,
    reading: &Reading,
    on_record: &mut dyn FnMut(Record<'_>) -> bool,
    notice: fn(&str),
    stop: &dyn Fn() -> bool,
) -> Result<(), AdminError> {
    let consumer = consumer(bootstrap, properties, reading, notice)?;
    let refused = |error: &KafkaError| AdminError::refused(format!("read topic {}", reading.topic), error);
    begin(&consumer, reading).map_err(|error| refused(&error))?;
    let mut read_any = false;
    while !stop() {
        match consumer.poll(POLL) {
            None => {}
            Some(Ok(message)) => {
                read_any = true;
                let record = Record {
                    partition: message.partition(),
                    offset: message.offset(),
                    key: message.key(),
                    value: message.payload(),
                };
                if !on_record(record) {
                    break;
                }
            }
            Some(Err(error)) if is_final(&consumer, &error) => return Err(refused(&error)),
            Some(Err(error)) => notice(&format!("the client reports: {error}")),
        }
    }
    if reading.group.is_some() && read_any {
        match consumer.commit_consumer_state(CommitMode::Sync) {
            Ok(()) | Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => return Err(refused(&error)),
        }
    }
    Ok(())
}

fn consumer(
    bootstrap: &str,
    properties: &BTreeMap<String, Secret>,
    reading: &Reading,
    notice: fn(&str),
) -> Result<BaseConsumer<Member>, AdminError> {
    let reset = match reading.start {
        Start::Beginning => "earliest",
        Start::End => "latest",
    };
    let defaults = [("client.id", reading.client_id.as_str()), ("auto.offset.reset", reset)];
    let mut config = client_config(bootstrap, properties, &defaults);
    match &reading.group {
        Some(group) => config.set("group.id", group).set("enable.auto.commit", "true"),
        // The library wants a name even of a group that is never joined.
        None => config
            .set("group.id", &reading.client_id)
            .set("enable.auto.commit", "false"),
    };
    let member = Member {
        name: reading.client_id.clone(),
        notice,
    };
    config
        .create_with_context(member)
        .map_err(|error| AdminError::Settings(settings_cause(&error)))
}

fn begin(consumer: &BaseConsumer<Member>, reading: &Reading) -> Result<(), KafkaError> {
    if reading.group.is_some() {
        return consumer.subscribe(&[&reading.topic]);
    }
    let offset = match reading.start {
        Start::Beginning => Offset::Beginning,
        Start::End => Offset::End,
    };
    let mut list = TopicPartitionList::new();
    for partition in &reading.partitions {
        list.add_partition_offset(&reading.topic, *partition, offset)?;
    }
    consumer.assign(&list)
}

/// True for errors that waiting does not fix.
fn is_final(consumer: &BaseConsumer<Member>, error: &KafkaError) -> bool {
    consumer.client().fatal_error().is_some()
        || matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::Authentication
                    | RDKafkaErrorCode::TopicAuthorizationFailed
                    | RDKafkaErrorCode::GroupAuthorizationFailed
                    | RDKafkaErrorCode::UnknownTopicOrPartition
                    | RDKafkaErrorCode::InvalidSessionTimeout
                    | RDKafkaErrorCode::InconsistentGroupProtocol
            )
        )
}

/// Reports what happens to a member.
struct Member {
    name: String,
    notice: fn(&str),
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, _facility: &str, message: &str) {
        if level as i32 <= RDKafkaLogLevel::Error as i32 {
            (self.notice)(&format!("the client reports: {message}"));
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        (self.notice)(&format!("the client reports: {error}: {reason}"));
    }
}

impl ConsumerContext for Member {
    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let sentence = match rebalance {
            Rebalance::Assign(list) if list.count() == 0 => {
                "reads no partition: the group has as many members as partitions, or more".to_owned()
            }
            Rebalance::Assign(list) => format!("reads {}", partition_words(&numbers(list))),
            Rebalance::Revoke(list) => format!("gives up {}", partition_words(&numbers(list))),
            Rebalance::Error(error) => format!("cannot take part in the group: {error}"),
        };
        (self.notice)(&format!("{} {sentence}", self.name));
    }
}

fn numbers(list: &TopicPartitionList) -> Vec<i32> {
    let mut numbers: Vec<i32> = list.elements().iter().map(TopicPartitionListElem::partition).collect();
    numbers.sort_unstable();
    numbers
}
