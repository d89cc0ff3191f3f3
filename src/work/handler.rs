//! What a handler is: what it sees of a record, what it says of itself, and how it fails.

use std::borrow::Cow;
use std::num::NonZeroUsize;

/// A record as a handler sees it: in the client's own memory.
pub trait Record {
    /// Name of the topic.
    fn topic(&self) -> Cow<'_, str>;
    /// Partition number.
    fn partition(&self) -> i32;
    /// Offset.
    fn offset(&self) -> i64;
    /// The key, where there is one.
    fn key(&self) -> Option<&[u8]>;
    /// The value; empty for a tombstone.
    fn value(&self) -> &[u8];
}

/// Why records could not be handled. The text is for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Another try would fail too: the member cannot go on.
    Permanent(String),
    /// The cause may pass: the same records are handed over again, if the member still holds them by then.
    Passing(String),
}

/// Does the work of one thread. It is opened before the member is ready, so a connection that it needs is open before
/// the common start.
pub trait Handler: Send + 'static {
    /// True where nothing is done with a record: it need not even be handed over.
    const IS_NONE: bool = false;

    /// Prepares the thread that it works on, before the first record.
    fn begin(&mut self) {}

    /// Most records that it takes in one call. Fewer come where no more are there.
    fn at_once(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// Handles records, at least one. When it comes back without a failure, all of them are safe: their offsets may be
    /// committed. After a failure none of them counts as handled.
    ///
    /// # Errors
    /// Why it could not handle them.
    fn handle<'r, R: Record + 'r>(&mut self, records: impl Iterator<Item = &'r R>) -> Result<(), Failure>;
}

/// Where handlers are needed, of whichever type the work has: the type is chosen once and not for each record.
pub trait UseHandlers {
    /// What comes of it.
    type Output;

    /// Takes the handlers, one for each thread that works.
    fn use_handlers<H: Handler>(self, handlers: Vec<H>) -> Self::Output;
}
