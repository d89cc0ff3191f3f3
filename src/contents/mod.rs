//! What records hold: the keys and values of data sets and of live load. Knows neither Kafka nor trials.

mod bytes;
mod source;

/// Version of what records hold for a given data set and seed. A change of contents raises it: a data set that was kept
/// from before is then not the one that is looked for.
pub const CONTENTS_VERSION: u32 = 2;

pub use bytes::{compressible, text};
pub use source::{KEY_BYTES, RecordSource};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scenario::{Compression, Keys, Size};

    /// Data sets are kept from one version of tandem to the next: whoever changes this digest raises
    /// [`CONTENTS_VERSION`], and writes the new one here.
    #[test]
    fn what_records_hold_has_not_changed_since_version_2() {
        let mut all = text(7);
        all.extend(compressible(7, Compression::Zstd, 2.0, 100.0));
        let size = Size::Uniform { min: 10, max: 200 };
        let keys = Keys::Zipf {
            exponent: 1.0,
            count: 100,
        };
        let mut source = RecordSource::new(size, keys, 10_000, 7, 1).unwrap();
        let (mut latest, mut at) = (0, 0);
        for _ in 0..200 {
            all.extend(source.key(&mut latest));
            let value = source.value(&mut at);
            all.extend([value.start, value.end].map(usize::to_le_bytes).concat());
        }
        let digest = openssl::sha::sha256(&all).map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(
            (CONTENTS_VERSION, digest.as_str()),
            (2, "de6c9fdded5b972891a0fc62b118bbab949e85b336b9b86b1ba6efb263080b67")
        );
    }
}
