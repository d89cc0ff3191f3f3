//! Produces pieces of one shared text without copying each value and without looking up the topic for each record: the
//! largest costs of the ordinary producer.

use std::ffi::CString;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::client::Client;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;

use super::handles::Queue;

/// Bytes of a record's key.
const KEY_BYTES: usize = 8;

/// How long a flush waits for reports before it checks whether it is done.
const FLUSH_PAUSE: Duration = Duration::from_millis(5);

/// The partitioner chooses the partition.
const UNASSIGNED: i32 = -1;

/// A record to be sent: its value is a piece of the producer's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRecord {
    /// The key, if it has one.
    pub key: Option<[u8; KEY_BYTES]>,
    /// Where its value lies in the text, in bytes.
    pub value: Range<usize>,
}

/// A topic's native handle; destroyed when dropped, which has to be before its producer.
struct Topic(*mut rd::rd_kafka_topic_t);

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: the pointer came from rd_kafka_topic_new and was checked for null; this is its only owner, and the
        // client still lives: `TextProducer` drops its topics first.
        unsafe { rd::rd_kafka_topic_destroy(self.0) }
    }
}

/// Sends records whose values are pieces of one text that it shares. The order of the fields is that in which they
/// may be dropped: the client's end is the end of its use of the text.
pub struct TextProducer<C: ProducerContext + 'static> {
    topics: Vec<Topic>,
    reports: Queue,
    producer: BaseProducer<C>,
    text: Arc<[u8]>,
    /// The records of one call, in the library's form; kept for their memory.
    messages: Vec<rd::rd_kafka_message_t>,
}

impl<C: ProducerContext + 'static> TextProducer<C> {
    /// A producer of pieces of a text for `topics`, which are then named by their index. `text` is called once the client
    /// is there, which connects meanwhile.
    pub fn new(
        config: &ClientConfig,
        context: C,
        text: impl FnOnce() -> Arc<[u8]>,
        topics: &[String],
    ) -> KafkaResult<Self> {
        let producer: BaseProducer<C> = config.create_with_context(context)?;
        let text = text();
        let handles: KafkaResult<Vec<Topic>> = topics.iter().map(|name| open(producer.client(), name)).collect();
        Ok(TextProducer {
            topics: handles?,
            reports: Queue::main(producer.client()).map_err(|_| invalid())?,
            producer,
            text,
            messages: Vec::new(),
        })
    }

    /// Waits at most `timeout` for a report of the client, and reads all reports. Returns the number of records that were
    /// not delivered; `error` gets other errors.
    ///
    /// The ordinary producer's `poll` waits until its timeout even if reports arrive.
    pub fn wait(&self, timeout: Duration, error: &dyn Fn(&str)) -> u64 {
        let mut failed = 0;
        let mut event = self.reports.poll(timeout);
        while let Some(report) = event {
            if report.kind() == rd::RD_KAFKA_EVENT_DR {
                failed += report.undelivered();
            } else if let Some(reason) = report.error() {
                error(&reason);
            }
            event = self.reports.poll(Duration::ZERO);
        }
        failed
    }

    /// Records that were taken and not reported yet.
    pub fn under_way(&self) -> i32 {
        self.producer.in_flight_count()
    }

    /// Sends incomplete batches immediately and waits at most `timeout` until all records are reported; otherwise as
    /// [`TextProducer::wait`].
    ///
    /// The ordinary producer's `flush` hurries the library only for the moment of its call, and then waits for 100 ms
    /// whatever is reported meanwhile.
    pub fn flush(&self, timeout: Duration, error: &(dyn Fn(&str) + Sync)) -> u64 {
        let client = self.producer.client();
        std::thread::scope(|scope| {
            // Where reports are events, the library's call does nothing but wait, with all lingering off.
            let flushing = scope.spawn(|| {
                let limit = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
                // SAFETY: the client lives as long as this value, which outlives the scope.
                unsafe { rd::rd_kafka_flush(client.native_ptr(), limit) };
            });
            let mut failed = 0;
            loop {
                // Once at least: what is only waiting to be taken ends the library's call at once.
                failed += self.wait(FLUSH_PAUSE, error);
                if flushing.is_finished() {
                    return failed;
                }
            }
        })
    }

    /// The ordinary producer, for its errors.
    pub fn producer(&self) -> &BaseProducer<C> {
        &self.producer
    }

    /// Hands records for the topic of this index, and for `partition` of it or by the partitioner's choice, over to
    /// the client. Gives the number that it took, which is the first so many: less than all where its queue is full.
    ///
    /// # Panics
    /// If there is no such topic, or a value lies outside of the text.
    pub fn send(&mut self, topic: usize, partition: Option<i32>, records: &[TextRecord]) -> KafkaResult<usize> {
        let topic = self.topics[topic].0;
        self.messages.clear();
        for record in records {
            let value = &self.text[record.value.clone()];
            let key = record.key.as_ref().map_or(&[][..], |key| &key[..]);
            self.messages.push(rd::rd_kafka_message_t {
                err: rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR,
                rkt: ptr::null_mut(),
                partition: UNASSIGNED,
                payload: value.as_ptr().cast_mut().cast(),
                len: value.len(),
                key: if record.key.is_some() {
                    key.as_ptr().cast_mut().cast()
                } else {
                    ptr::null_mut()
                },
                key_len: key.len(),
                offset: 0,
                _private: ptr::null_mut(),
            });
        }
        let count = i32::try_from(self.messages.len()).map_err(|_| invalid())?;
        let partition = partition.unwrap_or(UNASSIGNED);
        // SAFETY: the topic's handle and its client live as long as this value, and the array holds `count` messages.
        // Without flags the library copies keys during the call and only reads values, later too, until the message
        // is delivered or given up or the client has ended. Values point into the text, which nothing changes and
        // which this value keeps until after the client's end; where this value is leaked, so are both.
        let taken = unsafe { rd::rd_kafka_produce_batch(topic, partition, 0, self.messages.as_mut_ptr(), count) };
        let taken = usize::try_from(taken).unwrap_or(0);
        if taken == records.len() {
            return Ok(taken);
        }
        let none = rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        let full = rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL;
        let refused = self
            .messages
            .iter()
            .find(|message| message.err != none && message.err != full);
        match refused {
            Some(message) => Err(KafkaError::MessageProduction(message.err.into())),
            // Once its queue is full, the library takes none of the rest of a call.
            None => Ok(taken),
        }
    }
}

/// Opens a topic, so that it is looked up only once.
fn open<C: ProducerContext>(client: &Client<C>, name: &str) -> KafkaResult<Topic> {
    let name = CString::new(name)?;
    // SAFETY: the client is alive during the call, the name ends with a null character and is copied, and a null
    // configuration stands for the client's default one.
    let topic = unsafe { rd::rd_kafka_topic_new(client.native_ptr(), name.as_ptr(), ptr::null_mut()) };
    if topic.is_null() {
        return Err(invalid());
    }
    Ok(Topic(topic))
}

/// The error for what the library cannot take.
fn invalid() -> KafkaError {
    KafkaError::MessageProduction(RDKafkaErrorCode::InvalidArgument)
}
