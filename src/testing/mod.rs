//! What tests of several modules share.

mod document;
#[allow(clippy::wildcard_imports)]
pub(crate) mod report;

pub(crate) use document::Document;
