//! Whether readers keep up with what arrives, judged for every member and every partition: by the growth of the lag, by
//! the rise of the waiting over the window, and by how much of the window was left over. Knows no Kafka.

mod observed;
mod stream;
#[cfg(test)]
mod tests;

pub use observed::{Observed, Servers, is_seen, judge};
pub use stream::{Finding, Stream, resolution_expected};
