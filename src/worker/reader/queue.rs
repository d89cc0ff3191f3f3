//! The private queue of a member: every partition's queue is forwarded to it, and it is drained in batches, or by the
//! library's callback.
//!
//! All of the worker's `unsafe` is here. What it rests on: the client handle outlives every queue made of it (each
//! holds an `Arc` of the consumer), a message that is taken borrows its queue and is destroyed exactly once, when it is
//! dropped, and one that is only visited is the library's and not dropped.

#![allow(unsafe_code)]

use std::any::Any;
use std::borrow::Cow;
use std::ffi::{CString, c_void};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};

use super::source::{Message, Source, TopicHandle};
use crate::client_errors::ClientError;
use crate::work::Record;

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
        let source = queue_of_partition(&*self.consumer, topic, partition)?;
        // SAFETY: both queues are valid, `source` is a reference of our own; forwarding takes its own reference of the
        // target.
        unsafe {
            rd::rd_kafka_queue_forward(source.as_ptr(), self.queue.as_ptr());
            rd::rd_kafka_queue_destroy(source.as_ptr());
        }
        Ok(())
    }

    /// Ends the reader's wait for a message at once, or its next one.
    pub(crate) fn wake(&self) {
        // SAFETY: the queue is valid for as long as self.
        unsafe { rd::rd_kafka_queue_yield(self.queue.as_ptr()) }
    }
}

/// The queue of a partition, a reference to be destroyed by the caller.
fn queue_of_partition<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    topic: &str,
    partition: i32,
) -> Result<NonNull<rd::rd_kafka_queue_t>, String> {
    let name = CString::new(topic).map_err(|_| format!("topic name {topic:?} holds a zero byte"))?;
    // SAFETY: handle and name are valid for the call.
    let queue = unsafe { rd::rd_kafka_queue_get_partition(consumer.client().native_ptr(), name.as_ptr(), partition) };
    NonNull::new(queue).ok_or_else(|| format!("the client has no queue for {topic} [{partition}]"))
}

/// Makes a partition known to a consumer before it is assigned: one that the client does not know cannot be paused.
pub(crate) fn make_known<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    topic: &str,
    partition: i32,
) -> Result<(), String> {
    let queue = queue_of_partition(consumer, topic, partition)?;
    // SAFETY: a reference of our own, which is not used again.
    unsafe { rd::rd_kafka_queue_destroy(queue.as_ptr()) }
    Ok(())
}

/// Begins to close a consumer of any kind, which then gives up its partitions and leaves its group while it is polled.
/// False where there is nothing to leave: the client has closed already or cannot go on.
pub(crate) fn begin_close<C: ConsumerContext>(consumer: &impl Consumer<C>) -> bool {
    let client = consumer.client().native_ptr();
    // SAFETY: the handle is valid; queue and error are references of our own, destroyed after their use (destroying no
    // error does nothing).
    unsafe {
        let main = rd::rd_kafka_queue_get_consumer(client);
        if main.is_null() {
            return false;
        }
        let error = rd::rd_kafka_consumer_close_queue(client, main);
        rd::rd_kafka_queue_destroy(main);
        rd::rd_kafka_error_destroy(error);
        error.is_null()
    }
}

/// True once a consumer has left its group.
pub(crate) fn has_closed<C: ConsumerContext>(consumer: &impl Consumer<C>) -> bool {
    // SAFETY: the handle is valid.
    unsafe { rd::rd_kafka_consumer_closed(consumer.client().native_ptr()) == 1 }
}

impl<C: ConsumerContext> Drop for PrivateQueue<C> {
    fn drop(&mut self) {
        // SAFETY: made by `new`, destroyed once; the consumer (and so the handle) is still alive.
        unsafe { rd::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

impl<C: ConsumerContext> Source for PrivateQueue<C> {
    type Message<'s>
        = QueueMessage<'s>
    where
        Self: 's;

    fn take<'s>(&'s self, batch: &mut Vec<QueueMessage<'s>>) {
        let spare = batch.spare_capacity_mut();
        if spare.is_empty() {
            return;
        }
        // SAFETY: a message is a pointer and nothing else (`repr(transparent)`), and `spare` is valid for writing
        // `spare.len()` of them, more than which the library does not write.
        let taken =
            unsafe { rd::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, spare.as_mut_ptr().cast(), spare.len()) };
        // A negative count is an error of the call's arguments, which are right; nothing was written then.
        let taken = usize::try_from(taken).unwrap_or(0);
        // SAFETY: the library has written `taken` valid messages there, which are ours to destroy from now on.
        unsafe { batch.set_len(batch.len() + taken) }
    }

    fn wait<'s>(&'s self, batch: &mut Vec<QueueMessage<'s>>, timeout: Duration) {
        // SAFETY: the queue is valid; a message returned is ours to destroy.
        let first = unsafe { rd::rd_kafka_consume_queue(self.queue.as_ptr(), in_milliseconds(timeout)) };
        if let Some(first) = NonNull::new(first) {
            batch.push(QueueMessage(first, PhantomData));
            // The library's own batch call would wait for a full batch; nothing is waited for here.
            self.take(batch);
        }
    }

    fn visit_each<'s>(&'s self, timeout: Duration, visit: impl FnMut(&QueueMessage<'s>) -> bool) {
        let mut visitor = Visitor {
            visit,
            client: self.consumer.client().native_ptr(),
            panic: None,
            messages: PhantomData,
        };
        // SAFETY: the queue is valid. The callback is called on this thread before the call returns, and with this
        // visitor, which outlives the call and is used by nothing else meanwhile.
        unsafe {
            rd::rd_kafka_consume_callback_queue(
                self.queue.as_ptr(),
                in_milliseconds(timeout),
                Some(callback_of(&visitor)),
                (&raw mut visitor).cast(),
            );
        }
        if let Some(panic) = visitor.panic {
            resume_unwind(panic);
        }
    }
}

fn in_milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

/// The library's callback for visitors of this type, which a closure's type has no name for.
fn callback_of<'s, F>(_: &Visitor<'s, F>) -> unsafe extern "C" fn(*mut rd::rd_kafka_message_t, *mut c_void)
where
    F: FnMut(&QueueMessage<'s>) -> bool,
{
    Visitor::<'s, F>::visit_message
}

/// What the library calls for each message of a queue.
struct Visitor<'s, F> {
    visit: F,
    client: *mut rd::rd_kafka_t,
    /// A panic cannot pass through the library.
    panic: Option<Box<dyn Any + Send>>,
    messages: PhantomData<&'s ()>,
}

impl<'s, F: FnMut(&QueueMessage<'s>) -> bool> Visitor<'s, F> {
    /// # Safety
    /// `message` is valid for the call, and `visitor` a pointer to a visitor of this type that nothing else uses.
    unsafe extern "C" fn visit_message(message: *mut rd::rd_kafka_message_t, visitor: *mut c_void) {
        // SAFETY: as required above.
        let visitor = unsafe { &mut *visitor.cast::<Self>() };
        let Some(message) = NonNull::new(message) else {
            return;
        };
        // The library destroys it after the call.
        let message = ManuallyDrop::new(QueueMessage(message, PhantomData));
        match catch_unwind(AssertUnwindSafe(|| (visitor.visit)(&message))) {
            Ok(true) => {}
            Ok(false) => visitor.stop(None),
            Err(panic) => visitor.stop(Some(panic)),
        }
    }

    /// Has the library call no more visits. Apart, so that nothing of it is in the way of each message.
    #[cold]
    #[inline(never)]
    fn stop(&mut self, panic: Option<Box<dyn Any + Send>>) {
        self.panic = self.panic.take().or(panic);
        // SAFETY: the client is valid, the queue holds it. The call sets a flag of this thread, upon which the library
        // puts what was not visited yet back to the head of the queue.
        unsafe { rd::rd_kafka_yield(self.client) }
    }
}

/// A message of a private queue, destroyed with this. The queue, which it borrows, holds the client that made it.
#[repr(transparent)]
pub(crate) struct QueueMessage<'s>(NonNull<rd::rd_kafka_message_t>, PhantomData<&'s ()>);

// SAFETY: a message belongs to whoever took it; the library lets any thread read and destroy it, and counts what
// messages share (the buffer, the partition) atomically.
unsafe impl Send for QueueMessage<'_> {}

impl QueueMessage<'_> {
    #[inline]
    fn native(&self) -> &rd::rd_kafka_message_t {
        // SAFETY: made from a message that the library handed over, which is destroyed by `drop` only.
        unsafe { self.0.as_ref() }
    }

    /// The error of an entry that holds one, with its partition, which the library's text leaves out.
    #[cold]
    fn client_error(&self) -> ClientError {
        // SAFETY: an error entry's payload is a text owned by the message; rd_kafka_message_errstr never returns null
        // for an entry with an error, and the text lives as long as the message.
        let text = unsafe { std::ffi::CStr::from_ptr(rd::rd_kafka_message_errstr(self.native())) };
        let text = format!("{} [{}]: {}", self.topic(), self.partition(), text.to_string_lossy());
        ClientError::new(self.native().err.into(), &text)
    }
}

impl Drop for QueueMessage<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: destroyed once; the client is alive, because the queue that is borrowed holds it.
        unsafe { rd::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}

impl Record for QueueMessage<'_> {
    fn topic(&self) -> Cow<'_, str> {
        if self.native().rkt.is_null() {
            return Cow::Borrowed("");
        }
        // SAFETY: the message holds a reference of its topic; the name lives as long as the topic.
        let name = unsafe { std::ffi::CStr::from_ptr(rd::rd_kafka_topic_name(self.native().rkt)) };
        name.to_string_lossy()
    }

    #[inline]
    fn partition(&self) -> i32 {
        self.native().partition
    }

    #[inline]
    fn offset(&self) -> i64 {
        self.native().offset
    }

    fn key(&self) -> Option<&[u8]> {
        let message = self.native();
        if message.key.is_null() {
            return None;
        }
        // SAFETY: the key's bytes belong to the message and live as long as it.
        Some(unsafe { std::slice::from_raw_parts(message.key.cast(), message.key_len) })
    }

    #[inline]
    fn value(&self) -> &[u8] {
        let message = self.native();
        if message.payload.is_null() {
            return &[];
        }
        // SAFETY: the value's bytes belong to the message and live as long as it.
        unsafe { std::slice::from_raw_parts(message.payload.cast(), message.len) }
    }
}

impl Message for QueueMessage<'_> {
    #[inline]
    fn topic_handle(&self) -> TopicHandle {
        TopicHandle::of(self.native().rkt)
    }

    #[inline]
    fn bytes(&self) -> u64 {
        (self.native().len + self.native().key_len) as u64
    }

    #[inline]
    fn is_error(&self) -> bool {
        self.native().err != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
    }

    #[inline]
    fn error(&self) -> Option<ClientError> {
        self.is_error().then(|| self.client_error())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Calls a visitor as the library does, with messages of these offsets.
    fn visited(offsets: &[i64], visit: impl FnMut(&QueueMessage<'_>) -> bool) -> Option<Box<dyn Any + Send>> {
        let mut visitor = Visitor {
            visit,
            client: std::ptr::null_mut(),
            panic: None,
            messages: PhantomData,
        };
        for &offset in offsets {
            // SAFETY: a message of zeros is one without a topic, a key or a value.
            let mut message: rd::rd_kafka_message_t = unsafe { std::mem::zeroed() };
            message.offset = offset;
            // SAFETY: message and visitor are valid and used by nothing else; to yield needs no client.
            unsafe { callback_of(&visitor)(&raw mut message, (&raw mut visitor).cast()) }
        }
        visitor.panic
    }

    #[test]
    fn a_message_is_visited_and_stays_the_library_s() {
        let mut found = Vec::new();
        let panic = visited(&[3, 4], |message| {
            found.push((
                message.offset(),
                message.bytes(),
                message.value().len(),
                message.is_error(),
            ));
            true
        });
        assert!(panic.is_none());
        assert_eq!(found, [(3, 0, 0, false), (4, 0, 0, false)]);
    }

    #[test]
    fn a_panic_of_a_visit_is_kept_for_after_the_library_s_call() {
        let panic = visited(&[1], |_| panic!("a visit")).unwrap();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a visit"));
    }
}
