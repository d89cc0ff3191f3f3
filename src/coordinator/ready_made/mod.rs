//! The ready-made clients in tandem's cache: found there, or built from the sources that this program holds. A client is
//! there completely or not at all, once for each version and state of its sources. Starts no worker.

mod build;
mod cache;
mod error;
#[cfg(test)]
mod tests;

pub(super) use cache::provide;
pub use cache::{Found, found};
pub use error::ClientError;
