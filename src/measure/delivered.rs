//! Which offsets of a topic the cluster delivers: not those of control records, of aborted transactions (to readers of
//! committed records), and of records that were compacted away. The account of a trial on existing topics is compared
//! with it.

use serde::{Deserialize, Serialize};

/// Version of the stored form of [`DeliveredTopics`].
pub const DELIVERED_SCHEMA_VERSION: u32 = 1;

/// Consecutive offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveredRun {
    /// First offset.
    pub first: i64,
    /// One past the last.
    pub end: i64,
}

impl DeliveredRun {
    /// Number of offsets.
    pub fn count(&self) -> u64 {
        u64::try_from(self.end.saturating_sub(self.first)).unwrap_or(0)
    }
}

/// Offsets of one partition, as runs in ascending order that do not touch.
///
/// Stored as a flat list of numbers, for each run the offsets left out before it and then its length: a few bytes for
/// each gap, and nothing for each record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "Vec<i64>", try_from = "Vec<i64>")]
pub struct DeliveredOffsets {
    runs: Vec<DeliveredRun>,
}

impl DeliveredOffsets {
    /// Notes that an offset was delivered. One that is not above all before is passed over: a client may deliver again.
    pub fn push(&mut self, offset: i64) {
        match self.runs.last_mut() {
            Some(last) if offset == last.end => last.end += 1,
            Some(last) if offset < last.end => {}
            _ => self.runs.push(DeliveredRun {
                first: offset,
                end: offset + 1,
            }),
        }
    }

    /// Number of offsets.
    pub fn count(&self) -> u64 {
        self.runs.iter().map(DeliveredRun::count).sum()
    }

    /// One past the last; `None` where there is none.
    pub fn end(&self) -> Option<i64> {
        self.runs.last().map(|run| run.end)
    }

    /// The runs from `low` up to but not including `end`, cut at both.
    pub fn within(&self, low: i64, end: i64) -> impl Iterator<Item = DeliveredRun> {
        let from = self.runs.partition_point(|run| run.end <= low);
        // Of an empty range not even a run that it lies in.
        let runs = self.runs[from..]
            .iter()
            .take_while(move |run| run.first < end && low < end);
        runs.map(move |run| DeliveredRun {
            first: run.first.max(low),
            end: run.end.min(end),
        })
    }

    /// Number of offsets from `low` up to but not including `end`.
    pub fn count_within(&self, low: i64, end: i64) -> u64 {
        self.within(low, end).map(|run| run.count()).sum()
    }

    /// One past the `count`-th offset of all; `None` for 0 and where there are fewer.
    pub fn end_of(&self, count: u64) -> Option<i64> {
        let mut left = count.checked_sub(1)?;
        for run in &self.runs {
            if left < run.count() {
                return Some(run.first + i64::try_from(left).ok()? + 1);
            }
            left -= run.count();
        }
        None
    }

    /// Only those from `low` up to but not including `end`.
    #[must_use]
    pub fn cut(&self, low: i64, end: i64) -> Self {
        DeliveredOffsets {
            runs: self.within(low, end).collect(),
        }
    }

    /// True where none of the offsets from `first` up to but not including `end` is there.
    pub fn is_gap(&self, first: i64, end: i64) -> bool {
        self.within(first, end).next().is_none()
    }
}

impl FromIterator<i64> for DeliveredOffsets {
    /// Of offsets in ascending order.
    fn from_iter<T: IntoIterator<Item = i64>>(all: T) -> Self {
        let mut offsets = DeliveredOffsets::default();
        for offset in all {
            offsets.push(offset);
        }
        offsets
    }
}

impl From<DeliveredOffsets> for Vec<i64> {
    fn from(offsets: DeliveredOffsets) -> Self {
        let mut previous_end = 0;
        let mut numbers = Vec::with_capacity(offsets.runs.len() * 2);
        for run in offsets.runs {
            numbers.extend([run.first - previous_end, run.end - run.first]);
            previous_end = run.end;
        }
        numbers
    }
}

impl TryFrom<Vec<i64>> for DeliveredOffsets {
    type Error = String;

    fn try_from(numbers: Vec<i64>) -> Result<Self, String> {
        let mut runs: Vec<DeliveredRun> = Vec::with_capacity(numbers.len() / 2);
        for pair in numbers.chunks(2) {
            let [gap, length] = pair else {
                return Err("a run of delivered offsets has no length".to_owned());
            };
            let before = runs.last().map_or(0, |run| run.end);
            // Only before the first run nothing need be left out.
            let first = before
                .checked_add(*gap)
                .filter(|_| *gap > 0 || (runs.is_empty() && *gap == 0));
            let end = first
                .and_then(|first| first.checked_add(*length))
                .filter(|_| *length > 0);
            match first.zip(end) {
                Some((first, end)) => runs.push(DeliveredRun { first, end }),
                None => return Err(format!("{gap} and {length} are no run of delivered offsets")),
            }
        }
        Ok(DeliveredOffsets { runs })
    }
}

/// What the cluster delivers of a data set, by topic and partition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeliveredTopics {
    /// By topic in the order of the data set, then by partition.
    pub topics: Vec<Vec<DeliveredOffsets>>,
}

impl DeliveredTopics {
    /// Those of one partition; `None` for one that was not read.
    pub fn of(&self, topic: u32, partition: i32) -> Option<&DeliveredOffsets> {
        let partition = usize::try_from(partition).ok()?;
        self.topics.get(topic as usize)?.get(partition)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn offsets(all: &BTreeSet<i64>) -> DeliveredOffsets {
        all.iter().copied().collect()
    }

    #[test]
    fn nothing_is_within_an_empty_range() {
        let made: DeliveredOffsets = (100..200).collect();
        assert!(made.is_gap(150, 150) && made.is_gap(150, 140) && !made.is_gap(150, 151));
        assert_eq!((made.count_within(150, 150), made.cut(150, 150).count()), (0, 0));
    }

    proptest! {
        #[test]
        fn what_is_stored_is_what_was_delivered(all in proptest::collection::btree_set(0i64..300, 0..200)) {
            let made = offsets(&all);
            let text = serde_json::to_string(&made).unwrap();
            prop_assert_eq!(&serde_json::from_str::<DeliveredOffsets>(&text).unwrap(), &made);
        }

        #[test]
        fn counts_and_ends_are_those_of_the_set(
            all in proptest::collection::btree_set(0i64..300, 0..200), low in 0i64..300, length in 0i64..300, n in 0usize..250,
        ) {
            let made = offsets(&all);
            let end = low + length;
            prop_assert_eq!(made.count(), all.len() as u64);
            prop_assert_eq!(made.end(), all.last().map(|last| last + 1));
            prop_assert_eq!(made.count_within(low, end), all.range(low..end).count() as u64);
            prop_assert_eq!(made.cut(low, end), offsets(&all.range(low..end).copied().collect()));
            prop_assert_eq!(made.is_gap(low, end), all.range(low..end).next().is_none());
            let expected = n.checked_sub(1).and_then(|n| all.iter().nth(n)).map(|offset| offset + 1);
            prop_assert_eq!(made.end_of(n as u64), expected);
        }
    }

    #[test]
    fn an_offset_that_comes_again_is_there_once() {
        let made: DeliveredOffsets = [5, 6, 6, 5, 9].into_iter().collect();
        assert_eq!(Vec::from(made), [5, 2, 2, 1]);
    }

    #[test]
    fn a_list_that_no_set_makes_is_refused() {
        for numbers in ["[1]", "[0,0]", "[0,1,0,1]", "[-1,3]", "[9223372036854775807,1]"] {
            assert!(serde_json::from_str::<DeliveredOffsets>(numbers).is_err(), "{numbers}");
        }
    }
}
