//! What tests of several modules share.

mod document;

pub(crate) use document::Document;
