//! What a user may do with a topic and with the cluster.

use std::ffi::CString;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::bindings as rd;
use rdkafka::client::Client;

use super::handles::{Event, Options, Queue, text};

/// Operations that are allowed on a topic, such as `Read`. Blocks for at most about `timeout`.
pub(in crate::kafka) fn topic_operations<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    timeout: Duration,
) -> Result<Vec<String>, String> {
    let name = CString::new(topic).map_err(|_| "a topic's name with a null character".to_owned())?;
    let queue = Queue::new(client)?;
    let options = Options::of(
        client,
        rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
        timeout,
    )?;
    options.with_operations()?;
    let mut names = [name.as_ptr()];
    // SAFETY: client, options and queue are valid for the call; `names` holds one pointer to a null-terminated text. The
    // library copies the names into the collection and the collection into the request; it is given back once.
    unsafe {
        let topics = rd::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        rd::rd_kafka_DescribeTopics(client.native_ptr(), topics, options.0, queue.0);
        rd::rd_kafka_TopicCollection_destroy(topics);
    }
    let event = answer(&queue, timeout)?;
    // SAFETY: the event is valid and outlives every pointer taken here, all of which it lends; the accessor gives null
    // for an event of another kind, which is checked; the first entry is read only where there is one.
    unsafe {
        let result = rd::rd_kafka_event_DescribeTopics_result(event.0);
        if result.is_null() {
            return Err("an unexpected answer to the description of a topic".to_owned());
        }
        let mut count = 0;
        let topics = rd::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() || count == 0 {
            return Err("an empty answer to the description of a topic".to_owned());
        }
        let error = rd::rd_kafka_TopicDescription_error(*topics);
        if !error.is_null() && rd::rd_kafka_error_code(error) != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(text(rd::rd_kafka_error_string(error)));
        }
        let mut count = 0;
        let operations = rd::rd_kafka_TopicDescription_authorized_operations(*topics, &raw mut count);
        Ok(names_of(operations, count))
    }
}

/// Operations that are allowed on the cluster, such as `Create`; empty where the user may not request them. Blocks for at
/// most about `timeout`.
pub(in crate::kafka) fn cluster_operations<C: ClientContext>(
    client: &Client<C>,
    timeout: Duration,
) -> Result<Vec<String>, String> {
    let queue = Queue::new(client)?;
    let options = Options::of(
        client,
        rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER,
        timeout,
    )?;
    options.with_operations()?;
    // SAFETY: client, options and queue are valid for the call.
    unsafe { rd::rd_kafka_DescribeCluster(client.native_ptr(), options.0, queue.0) };
    let event = answer(&queue, timeout)?;
    // SAFETY: as above.
    unsafe {
        let result = rd::rd_kafka_event_DescribeCluster_result(event.0);
        if result.is_null() {
            return Err("an unexpected answer to the description of the cluster".to_owned());
        }
        let mut count = 0;
        let operations = rd::rd_kafka_DescribeCluster_result_authorized_operations(result, &raw mut count);
        Ok(names_of(operations, count))
    }
}

fn answer(queue: &Queue, timeout: Duration) -> Result<Event, String> {
    // The library answers within the request's timeout, with an error if need be; one second more covers its own delay.
    let event = queue.poll(timeout + Duration::from_secs(1));
    let event = event.ok_or("no answer to a description")?;
    match event.error() {
        Some(error) => Err(error),
        None => Ok(event),
    }
}

/// # Safety
/// `operations` is null or points to `count` operations that stay valid for this call.
unsafe fn names_of(operations: *const rd::rd_kafka_AclOperation_t, count: usize) -> Vec<String> {
    if operations.is_null() {
        return Vec::new();
    }
    // SAFETY: not null, and the caller vouches for the rest; the library's names of operations live for ever.
    unsafe {
        std::slice::from_raw_parts(operations, count)
            .iter()
            .map(|operation| camel(&text(rd::rd_kafka_AclOperation_name(*operation))))
            .collect()
    }
}

/// `DescribeConfigs` for the library's `DESCRIBE_CONFIGS`, as Kafka's own tools write it.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    name.split('_').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::camel;

    #[test]
    fn operations_are_written_as_kafka_s_own_tools_write_them() {
        assert_eq!(camel("DESCRIBE_CONFIGS"), "DescribeConfigs");
        assert_eq!(camel("READ"), "Read");
        assert_eq!(camel(""), "");
    }
}
