//! The hot loop: takes records from a source, counts them, does the work, commits. One thread per member runs it, or
//! one for each of its lanes; the group membership is served elsewhere, except with a stream.

mod account;
mod commit;
mod direct;
mod locate;
mod memory;
mod pool;
mod queue;
mod reading;
mod run;
mod source;
mod stopwatch;
mod stream;
mod waits;
mod window;

#[cfg(test)]
mod handling_tests;
#[cfg(test)]
mod serving_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod waits_tests;

pub(super) use commit::Committer;
pub use memory::{Rehearsal, Stage};
pub(super) use queue::{PrivateQueue, begin_close, has_closed, make_known};
pub(super) use reading::{ReadAccounts, Reader, ReaderResult, batch_capacity};
pub(super) use source::{CommitError, Consumption, Offsets, Place, Source};
pub(super) use stream::StreamSource;
pub(super) use waits::WaitOrder;
