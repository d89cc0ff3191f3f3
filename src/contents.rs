//! What records hold: the keys and values of data sets and of live load. Knows neither Kafka nor trials.

mod bytes;
mod source;

/// Version of what records hold for a given data set and seed. A change of contents raises it: a data set that was kept
/// from before is then not the one that is looked for.
pub const CONTENTS_VERSION: u32 = 1;

pub use bytes::{compressible, text};
pub use source::{Cut, RecordSource};
