//! The ends and beginnings of many partitions in one request per broker, which rdkafka offers to consumers only.

use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::bindings as rd;
use rdkafka::client::Client;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::handles::text;

/// Asks the brokers for the beginning or the end of each partition of these topics (name and number of partitions).
/// Blocks for at most about `timeout`.
///
/// Uses the call that looks offsets up by time, in which both are special times: it retries by itself where a broker is not
/// the leader yet.
pub(in crate::kafka) fn offsets<C: ClientContext>(
    client: &Client<C>,
    topics: &[(String, u32)],
    position: Offset,
    timeout: Duration,
) -> Result<Vec<Vec<i64>>, String> {
    let mut list = TopicPartitionList::new();
    for (topic, partitions) in topics {
        for partition in 0..partitions.cast_signed() {
            let added = list.add_partition_offset(topic, partition, position);
            added.map_err(|error| error.to_string())?;
        }
    }
    let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: client and list are valid for the call, which fills in the list and keeps nothing of it.
    let code = unsafe { rd::rd_kafka_offsets_for_times(client.native_ptr(), list.ptr(), timeout_ms) };
    if code != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        // SAFETY: the library's names of its codes are texts that live for ever.
        return Err(unsafe { text(rd::rd_kafka_err2str(code)) });
    }
    let of_topic = |(topic, partitions): &(String, u32)| {
        (0..partitions.cast_signed())
            .map(|partition| offset_of(&list, topic, partition))
            .collect()
    };
    topics.iter().map(of_topic).collect()
}

/// The offset of a partition in the list.
fn offset_of(list: &TopicPartitionList, topic: &str, partition: i32) -> Result<i64, String> {
    let named = || format!("{topic} [{partition}]");
    let found = list.find_partition(topic, partition);
    let found = found.ok_or_else(|| format!("the answer lacks {}", named()))?;
    found.error().map_err(|error| format!("{}: {error}", named()))?;
    match found.offset() {
        Offset::Offset(offset) => Ok(offset),
        other => Err(format!("the answer for {} is {other:?}", named())),
    }
}
