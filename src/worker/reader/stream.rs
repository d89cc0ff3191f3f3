//! Records by the Rust client's own asynchronous stream. The stream also serves the group membership, as in every
//! program that uses it: whoever does not read is not served either.

use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rdkafka::Message as _;
use rdkafka::consumer::{ConsumerContext, StreamConsumer};
use rdkafka::message::BorrowedMessage;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::source::{Message, Source, TopicHandle};
use crate::client_errors::ClientError;
use crate::work::Record;

/// A stream consumer with the runtime of the thread that reads it.
pub(crate) struct StreamSource<C: ConsumerContext + 'static> {
    consumer: Arc<StreamConsumer<C>>,
    /// Of one thread: the reader's.
    runtime: Runtime,
    woken: Arc<Notify>,
}

impl<C: ConsumerContext + 'static> StreamSource<C> {
    /// `runtime` is the one in whose context the consumer was made.
    pub(crate) fn new(consumer: Arc<StreamConsumer<C>>, runtime: Runtime) -> Self {
        StreamSource {
            consumer,
            runtime,
            woken: Arc::new(Notify::new()),
        }
    }

    /// Ends the reader's wait for a record at once, or its next one, when it is notified.
    pub(crate) fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.woken)
    }
}

impl<C: ConsumerContext + 'static> Source for StreamSource<C> {
    type Message<'s>
        = BorrowedMessage<'s>
    where
        Self: 's;

    const SERVES_MEMBERSHIP: bool = true;

    /// Asks the stream as a task of the runtime would; nothing is left waiting where it has no record.
    fn take<'s>(&'s self, batch: &mut Vec<BorrowedMessage<'s>>) {
        let mut context = Context::from_waker(Waker::noop());
        while batch.len() < batch.capacity() {
            match pin!(self.consumer.recv()).poll(&mut context) {
                // An error has come to the consumer's context already.
                Poll::Ready(received) => batch.extend(received.ok()),
                Poll::Pending => return,
            }
        }
    }

    fn wait<'s>(&'s self, batch: &mut Vec<BorrowedMessage<'s>>, timeout: Duration) {
        let received = self.runtime.block_on(async {
            tokio::select! {
                received = self.consumer.recv() => Some(received),
                () = self.woken.notified() => None,
                () = tokio::time::sleep(timeout) => None,
            }
        });
        batch.extend(received.and_then(Result::ok));
    }
}

impl Record for BorrowedMessage<'_> {
    fn topic(&self) -> Cow<'_, str> {
        Cow::Borrowed(rdkafka::Message::topic(self))
    }

    #[inline]
    fn partition(&self) -> i32 {
        rdkafka::Message::partition(self)
    }

    #[inline]
    fn offset(&self) -> i64 {
        rdkafka::Message::offset(self)
    }

    fn key(&self) -> Option<&[u8]> {
        rdkafka::Message::key(self)
    }

    #[inline]
    fn value(&self) -> &[u8] {
        self.payload().unwrap_or_default()
    }
}

impl Message for BorrowedMessage<'_> {
    #[inline]
    fn topic_handle(&self) -> TopicHandle {
        TopicHandle::of(self.topic_ptr().cast_const())
    }

    #[inline]
    fn bytes(&self) -> u64 {
        (self.key_len() + self.payload_len()) as u64
    }

    #[inline]
    fn is_error(&self) -> bool {
        // An error came in place of the message.
        false
    }

    #[inline]
    fn error(&self) -> Option<ClientError> {
        None
    }
}
