//! Counts and lists in words.

/// `partition 0`, or `partitions 0 and 1`.
pub(super) fn partition_words(numbers: &[i32]) -> String {
    let named: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    match named.as_slice() {
        [] => "no partition".to_owned(),
        [one] => format!("partition {one}"),
        [first @ .., last] => format!("partitions {} and {last}", first.join(", ")),
    }
}
