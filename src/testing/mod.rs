//! What tests of several modules share.

mod document;
mod environment;
pub(crate) mod trial;

pub(crate) use document::Document;
pub(crate) use environment::environment;
pub(crate) use trial::{measurement, trial};
