//! How `produce` and `consume` show a record and a sum.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::wording::{plural, with_commas};

/// Characters of a shortened value.
pub(super) const LONGEST: usize = 60;

/// `partition 1  offset 3  key "anna"  hello there`.
pub(super) fn line(partition: i32, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>, shorten: bool) -> String {
    let mut text = format!("partition {partition}  offset {offset}");
    if let Some(key) = key {
        let _ = write!(text, "  key {:?}", String::from_utf8_lossy(key));
    }
    let Some(value) = value else {
        return text + "  (no value)";
    };
    let value = String::from_utf8_lossy(value);
    text += "  ";
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) if shorten => text + &value[..end] + "...",
        _ => text + &value,
    }
}

/// `10 records sent to words: 6 of partition 0, 4 of partition 1`.
pub(super) fn counted(done: &str, topic: &str, by_partition: &BTreeMap<i32, u64>) -> String {
    let sum: u64 = by_partition.values().sum();
    let mut text = format!("{} {done} {topic}", plural(sum, "record"));
    for (index, (partition, records)) in by_partition.iter().enumerate() {
        text += if index == 0 { ": " } else { ", " };
        let _ = write!(text, "{} of partition {partition}", with_commas(*records));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_shows_where_it_is_before_what_it_holds() {
        assert_eq!(
            line(1, 3, Some(b"anna"), Some(b"hello"), true),
            "partition 1  offset 3  key \"anna\"  hello"
        );
        assert_eq!(line(0, 0, None, None, true), "partition 0  offset 0  (no value)");
        let long = "x".repeat(LONGEST + 1);
        assert!(line(0, 0, None, Some(long.as_bytes()), true).ends_with("x..."));
        assert!(line(0, 0, None, Some(long.as_bytes()), false).ends_with("xx"));
    }

    #[test]
    fn a_sum_names_each_partition() {
        let sums = BTreeMap::from([(0, 6), (1, 4)]);
        assert_eq!(
            counted("read from", "words", &sums),
            "10 records read from words: 6 of partition 0, 4 of partition 1"
        );
        assert_eq!(
            counted("read from", "words", &BTreeMap::new()),
            "0 records read from words"
        );
    }
}
