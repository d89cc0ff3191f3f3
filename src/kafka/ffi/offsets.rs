//! The ends of many partitions in one request per broker, which rdkafka has no call for.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::bindings as rd;
use rdkafka::client::Client;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{Event, Options, Queue, text};

/// Asks the brokers for the end of each partition of these topics (name and number of partitions): the high watermark.
/// Blocks for at most about `timeout`.
pub(in crate::kafka) fn end_offsets<C: ClientContext>(
    client: &Client<C>,
    topics: &[(String, u32)],
    timeout: Duration,
) -> Result<Vec<Vec<i64>>, String> {
    let mut list = TopicPartitionList::new();
    for (topic, partitions) in topics {
        for partition in 0..partitions.cast_signed() {
            // As a specification of an offset, "end" is the latest.
            let added = list.add_partition_offset(topic, partition, Offset::End);
            added.map_err(|error| error.to_string())?;
        }
    }
    let operation = rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS;
    let (queue, options) = (Queue::new(client)?, Options::new(client, operation, timeout)?);
    // SAFETY: client, list, options and queue are valid for the call, and the library copies the list before it
    // returns.
    unsafe { rd::rd_kafka_ListOffsets(client.native_ptr(), list.ptr(), options.0, queue.0) };
    // The library answers within the request's timeout, by an error if need be; a second more is for its own delay.
    let event = queue
        .poll(timeout + Duration::from_secs(1))
        .ok_or("no answer to the question for the partitions' ends")?;
    if let Some(error) = event.error() {
        return Err(error);
    }
    let mut found = read_ends(&event)?;
    let of_topic = |(topic, partitions): &(String, u32)| {
        (0..partitions.cast_signed())
            .map(|partition| {
                let end = found.remove(&(topic.clone(), partition));
                end.ok_or_else(|| format!("the answer says nothing of {topic} [{partition}]"))?
            })
            .collect()
    };
    topics.iter().map(of_topic).collect()
}

/// What the answer says of each partition.
type Ends = BTreeMap<(String, i32), Result<i64, String>>;

/// Copies the ends out of the event.
fn read_ends(event: &Event) -> Result<Ends, String> {
    // SAFETY: the event is valid and outlives every pointer taken here, all of which it lends; the accessor returns
    // null for an event of another kind, which is checked; the array has `count` entries; the topic is a
    // null-terminated text.
    unsafe {
        let result = rd::rd_kafka_event_ListOffsets_result(event.0);
        if result.is_null() {
            return Err("an unexpected answer to the question for the partitions' ends".to_owned());
        }
        let mut count = 0;
        let infos = rd::rd_kafka_ListOffsets_result_infos(result, &raw mut count);
        let mut ends = Ends::new();
        for index in 0..count {
            let found = &*rd::rd_kafka_ListOffsetsResultInfo_topic_partition(*infos.add(index));
            let key = (text(found.topic), found.partition);
            let end = if found.err == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                Ok(found.offset)
            } else {
                Err(format!(
                    "{} [{}]: {}",
                    key.0,
                    key.1,
                    text(rd::rd_kafka_err2str(found.err))
                ))
            };
            ends.insert(key, end);
        }
        Ok(ends)
    }
}
