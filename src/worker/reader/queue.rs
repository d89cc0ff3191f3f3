//! The private queue of a member: every partition's queue is forwarded to it, and it is drained in batches.
//!
//! All of the worker's `unsafe` is here. What it rests on: the client handle outlives every queue made of it (each
//! holds an `Arc` of the consumer), and a message is destroyed exactly once, by [`Batch`].

#![allow(unsafe_code)]

use std::ffi::CString;
use std::os::raw::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use rdkafka::bindings as rd;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};

/// A queue of the client that no one else reads.
pub(crate) struct PrivateQueue<C: ConsumerContext> {
    queue: NonNull<rd::rd_kafka_queue_t>,
    // Keeps the client handle alive for as long as the queue.
    consumer: Arc<BaseConsumer<C>>,
}

// SAFETY: librdkafka's queues may be used from any thread; they lock themselves.
unsafe impl<C: ConsumerContext> Send for PrivateQueue<C> {}
// SAFETY: as above; no method hands out a reference into the queue.
unsafe impl<C: ConsumerContext> Sync for PrivateQueue<C> {}

impl<C: ConsumerContext> PrivateQueue<C> {
    /// Makes an empty queue.
    pub(crate) fn new(consumer: Arc<BaseConsumer<C>>) -> Self {
        // SAFETY: the handle is valid, `consumer` holds it; the call allocates and never returns null (it aborts
        // when memory is out, like every allocation of the library).
        let queue = unsafe { rd::rd_kafka_queue_new(consumer.client().native_ptr()) };
        let queue = NonNull::new(queue).unwrap_or_else(|| unreachable!("rd_kafka_queue_new returned null"));
        PrivateQueue { queue, consumer }
    }

    /// Sends everything fetched from a partition here from now on. To be called before the partition is assigned:
    /// the library then leaves the forwarding alone when it starts to fetch.
    pub(crate) fn forward(&self, topic: &str, partition: i32) -> Result<(), String> {
        let name = CString::new(topic).map_err(|_| format!("topic name {topic:?} holds a zero byte"))?;
        // SAFETY: handle and name are valid for the call; the result is a reference of our own, destroyed below.
        let source =
            unsafe { rd::rd_kafka_queue_get_partition(self.consumer.client().native_ptr(), name.as_ptr(), partition) };
        if source.is_null() {
            return Err(format!("the client has no queue for {topic} [{partition}]"));
        }
        // SAFETY: both queues are valid; forwarding takes its own reference of the target.
        unsafe {
            rd::rd_kafka_queue_forward(source, self.queue.as_ptr());
            rd::rd_kafka_queue_destroy(source);
        }
        Ok(())
    }

    /// Takes what is there, at most the batch's capacity; where nothing is, waits up to `timeout_ms` for one message
    /// and takes what came with it. (The library's own batch call would wait for a *full* batch.)
    pub(crate) fn take(&self, batch: &mut Batch, timeout_ms: i32) {
        batch.clear();
        batch.fill(self.queue, 0);
        if batch.len == 0 {
            // SAFETY: the queue is valid; a message returned is ours to destroy, and goes into the batch.
            let first = unsafe { rd::rd_kafka_consume_queue(self.queue.as_ptr(), timeout_ms) };
            if !first.is_null() {
                batch.messages[0] = first;
                batch.len = 1;
                batch.fill(self.queue, 0);
            }
        }
    }

    /// Ends another thread's wait in [`Self::take`] at once.
    pub(crate) fn wake(&self) {
        // SAFETY: the queue is valid for as long as self.
        unsafe { rd::rd_kafka_queue_yield(self.queue.as_ptr()) }
    }

    /// Ends a wait of another thread on the consumer's main queue at once.
    pub(crate) fn wake_consumer(consumer: &BaseConsumer<C>) {
        // SAFETY: the handle is valid; the queue returned is a reference of our own, destroyed after its use.
        unsafe {
            let main = rd::rd_kafka_queue_get_consumer(consumer.client().native_ptr());
            if !main.is_null() {
                rd::rd_kafka_queue_yield(main);
                rd::rd_kafka_queue_destroy(main);
            }
        }
    }
}

impl<C: ConsumerContext> Drop for PrivateQueue<C> {
    fn drop(&mut self) {
        // SAFETY: made by `new`, destroyed once; the consumer (and so the handle) is still alive.
        unsafe { rd::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

/// Messages taken from the client at once.
pub(crate) struct Batch {
    messages: Vec<*mut rd::rd_kafka_message_t>,
    len: usize,
}

impl Batch {
    /// Room for `capacity` messages, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Batch {
            messages: vec![std::ptr::null_mut(); capacity.max(1)],
            len: 0,
        }
    }

    /// The messages in the order in which the client gave them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        // SAFETY: the first `len` pointers are valid messages until `clear`, which needs `&mut self`.
        self.messages[..self.len]
            .iter()
            .map(|&message| Record(unsafe { &*message }))
    }

    /// Number of records, not counting entries that tell of an error.
    pub(crate) fn records(&self) -> u64 {
        self.iter().filter(|record| record.error().is_none()).count() as u64
    }

    /// True where nothing was taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes up to the free capacity, waiting at most `timeout_ms`.
    fn fill(&mut self, queue: NonNull<rd::rd_kafka_queue_t>, timeout_ms: i32) {
        let room = &mut self.messages[self.len..];
        if room.is_empty() {
            return;
        }
        // SAFETY: `room` is valid for `room.len()` pointers, and the library writes no more than that.
        let taken =
            unsafe { rd::rd_kafka_consume_batch_queue(queue.as_ptr(), timeout_ms, room.as_mut_ptr(), room.len()) };
        // A negative count is an error of the call's arguments, which are right; nothing was written then.
        self.len += usize::try_from(taken).unwrap_or(0);
    }

    /// Gives the messages back to the client.
    pub(crate) fn clear(&mut self) {
        for message in &mut self.messages[..self.len] {
            // SAFETY: each pointer was returned by the library and is destroyed once: `len` is reset below.
            unsafe { rd::rd_kafka_message_destroy(*message) };
            *message = std::ptr::null_mut();
        }
        self.len = 0;
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.clear();
    }
}

/// One message of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a>(&'a rd::rd_kafka_message_t);

impl Record<'_> {
    /// Identifies the topic: equal for two records of one topic of one consumer.
    #[inline]
    pub(crate) fn topic_handle(self) -> TopicHandle {
        TopicHandle(self.0.rkt.cast())
    }

    /// Partition number.
    #[inline]
    pub(crate) fn partition(self) -> i32 {
        self.0.partition
    }

    /// Offset.
    #[inline]
    pub(crate) fn offset(self) -> i64 {
        self.0.offset
    }

    /// Bytes of key and value.
    #[inline]
    pub(crate) fn bytes(self) -> u64 {
        (self.0.len + self.0.key_len) as u64
    }

    /// The error that this entry carries instead of a record, if it does.
    #[inline]
    pub(crate) fn error(self) -> Option<String> {
        if self.0.err == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: an error entry's payload is a text owned by the message; rd_kafka_message_errstr never returns
        // null for an entry with an error, and the text lives as long as the message.
        let text = unsafe { std::ffi::CStr::from_ptr(rd::rd_kafka_message_errstr(self.0)) };
        Some(text.to_string_lossy().into_owned())
    }

    /// Name of the topic.
    pub(crate) fn topic_name(self) -> String {
        if self.0.rkt.is_null() {
            return String::new();
        }
        // SAFETY: the message holds a reference of its topic; the name lives as long as the topic.
        let name = unsafe { std::ffi::CStr::from_ptr(rd::rd_kafka_topic_name(self.0.rkt)) };
        name.to_string_lossy().into_owned()
    }
}

/// Identity of a topic within one consumer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TopicHandle(*const c_void);

impl TopicHandle {
    /// Equal to no record's.
    pub(crate) const NONE: TopicHandle = TopicHandle(std::ptr::null());
}
