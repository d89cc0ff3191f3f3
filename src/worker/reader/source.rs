//! What a reader reads from and where it commits to. Everything that reads is written against these three traits, so
//! that it runs on the client library and on records in memory alike.

use std::os::raw::c_void;
use std::time::Duration;

use crate::client_errors::ClientError;
use crate::work::Record;

/// Where records come from. Only its reader takes; anyone may wake it.
pub(crate) trait Source: Sync {
    /// A record, or an entry with an error. It lives no longer than the source.
    type Message<'s>: Message + Send
    where
        Self: 's;

    /// True where taking serves the group membership too, so that partitions may go and come before it returns; what
    /// is taken, at most one record, is then of an assignment that is later than all of that.
    const SERVES_MEMBERSHIP: bool = false;

    /// Takes what is there into the batch, up to its capacity, without waiting.
    fn take<'s>(&'s self, batch: &mut Vec<Self::Message<'s>>);

    /// Waits for one message, takes it and what came with it. Comes back empty after `timeout`, and early where it
    /// was woken. Never waits for more than one: a full batch is not worth a record's delay.
    fn wait<'s>(&'s self, batch: &mut Vec<Self::Message<'s>>, timeout: Duration);

    /// Visits each message that is there, in turn, and destroys it after its visit. Waits for the first where there is
    /// none, like [`Source::wait`]. Where a visit returns `false`, the rest stays where it is.
    fn visit_each<'s>(&'s self, timeout: Duration, mut visit: impl FnMut(&Self::Message<'s>) -> bool) {
        let mut one = Vec::with_capacity(1);
        self.take(&mut one);
        if one.is_empty() {
            self.wait(&mut one, timeout);
        }
        while one.pop().is_some_and(|message| visit(&message)) {
            self.take(&mut one);
        }
    }
}

/// A record as its source hands it over. An entry with an error has no key and no value to ask for.
pub(crate) trait Message: Record {
    /// Identifies the topic: equal for two records of one topic of one consumer.
    fn topic_handle(&self) -> TopicHandle;
    /// Bytes of key and value; a tombstone has no value.
    fn bytes(&self) -> u64;
    /// True where this entry holds an error and no record.
    fn is_error(&self) -> bool;
    /// The error that this entry carries instead of a record, if it does.
    fn error(&self) -> Option<ClientError>;
}

/// Identity of a topic within one consumer: an address that is compared and never followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TopicHandle(*const c_void);

impl TopicHandle {
    /// Equal to no record's.
    pub(crate) const NONE: TopicHandle = TopicHandle(std::ptr::null());

    /// The identity that an address stands for.
    pub(crate) fn of<T>(topic: *const T) -> Self {
        TopicHandle(topic.cast())
    }
}

/// A position to commit: the slot's index and the next offset to read.
pub(crate) type Place = (usize, i64);

/// Where positions are committed.
pub(crate) trait Offsets {
    /// Commits and waits for the answer.
    fn commit(&self, places: &[Place]) -> Result<(), CommitError>;
    /// Stores for the client's own commit from time to time.
    fn store(&self, places: &[Place]) -> Result<(), CommitError>;
}

/// The consumer's side of reading.
pub(crate) trait Consumption: Offsets + Sync {
    /// Stops fetching a partition whose end is reached. Must not wait.
    fn end(&self, slot: usize);
}

/// Why a commit failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommitError {
    /// The partitions have gone, or are about to go, to another member: the next owner reads from what was committed
    /// before. Part of every rebalance, not a fault.
    NotOwner(String),
    /// Anything else.
    Failed(String),
}
