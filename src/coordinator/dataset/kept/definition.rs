//! What defines a kept data set, and the hash by which later runs find it.

use crate::contents::CONTENTS_VERSION;
use crate::coordinator::dataset::DatasetError;
use crate::names;
use crate::scenario::DatasetSpec;

/// A data set by what defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Everything that decides what the set holds, as text.
    pub text: String,
    /// The start of that text's SHA-256, [`names::HASH_DIGITS`] hexadecimal digits.
    pub hash: String,
}

impl Definition {
    /// Of a data set whose contents are drawn with this seed.
    pub fn of(spec: &DatasetSpec, seed: u64) -> Result<Self, DatasetError> {
        let value = serde_json::json!({ "contents": CONTENTS_VERSION, "seed": seed, "dataset": spec });
        let text = serde_json::to_string(&value).map_err(|error| DatasetError::Kept(error.to_string()))?;
        let digest = openssl::sha::sha256(text.as_bytes());
        let mut start = [0; names::HASH_DIGITS / 2];
        start.copy_from_slice(&digest[..names::HASH_DIGITS / 2]);
        let hash = format!("{:016x}", u64::from_be_bytes(start));
        Ok(Definition { text, hash })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;
    use crate::scenario::{Compression, Keys, Size};
    use crate::testing::dataset;

    #[test]
    fn whatever_defines_a_set_changes_its_hash_and_nothing_else_does() {
        let hash = |spec: &DatasetSpec, seed| Definition::of(spec, seed).unwrap().hash;
        let mut all = vec![hash(&dataset(), 1), hash(&dataset(), 2)];
        let changes: [fn(&mut DatasetSpec); 11] = [
            |s| s.topics = 2,
            |s| s.partitions = 3,
            |s| s.records = 999,
            |s| s.size = Size::Fixed(101),
            |s| s.keys = Keys::Unique,
            |s| s.weights = vec![0.9, 0.1],
            |s| s.compression = Compression::Zstd,
            |s| s.compression_ratio = Some(2.0),
            |s| s.replication = 2,
            |s| s.settings = BTreeMap::from([("segment.ms".to_owned(), "1000".to_owned())]),
            |s| s.client = BTreeMap::from([("batch.size".to_owned(), "1000".to_owned())]),
        ];
        for change in changes {
            let mut other = dataset();
            change(&mut other);
            all.push(hash(&other, 1));
        }
        assert_eq!(hash(&dataset(), 1), all[0]);
        assert_eq!(all[0].len(), names::HASH_DIGITS);
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{all:?}");
    }
}
