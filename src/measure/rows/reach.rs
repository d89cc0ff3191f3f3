//! How far the records reach that a killed process stored without reporting them. It stored them in order, so from where
//! they begin each has a row that no report explains, up to the last one.

use super::change::{Change, MayBe, changes_of};
use super::compared::{Stored, StoredRun};
use super::unconfirmed::{Records, Unconfirmed};
use crate::measure::member::TopicPartition;

/// What members may have stored of a partition without reporting it.
pub(super) fn may_be<'a>(partition: TopicPartition, rows: &[StoredRun], stored: Stored<'a>) -> Vec<MayBe<'a>> {
    let unconfirmed = stored.unconfirmed.iter().filter(|of| of.partition == partition);
    let unconfirmed: Vec<&Unconfirmed<'a>> = unconfirmed.collect();
    if unconfirmed.is_empty() {
        return Vec::new();
    }
    let reach = Reach::new(partition, rows, stored);
    let spans = unconfirmed.into_iter().map(|Unconfirmed { member, records, .. }| {
        let (first, end) = match *records {
            Records::Within(first, end) => (first, end),
            Records::From(first) => (first, reach.end_from(first)),
        };
        MayBe { member, first, end }
    });
    spans.filter(|span| span.first < span.end).collect()
}

/// Where a partition has rows that no report explains.
struct Reach<'a> {
    partition: TopicPartition,
    stored: Stored<'a>,
    /// Consecutive offsets that have one or not, in order and without a gap.
    stretches: Vec<(i64, i64, bool)>,
}

impl<'a> Reach<'a> {
    fn new(partition: TopicPartition, rows: &[StoredRun], stored: Stored<'a>) -> Self {
        let mut stretches = Vec::new();
        let (mut now, mut from) = (Change::default(), i64::MIN);
        for (at, by) in changes_of(partition, rows, stored, &[]) {
            // Where rows take each other's place, one that is there may be anybody's.
            let explained = if stored.one_per_record { 0 } else { now.readings };
            stretches.push((from, at, now.rows > explained));
            now = now.plus(by, 1);
            from = at;
        }
        stretches.push((from, i64::MAX, false));
        Reach {
            partition,
            stored,
            stretches,
        }
    }

    /// One past the last of the consecutive records from an offset on that have a row which no report explains.
    fn end_from(&self, first: i64) -> i64 {
        if !self.stored.in_order {
            return i64::MAX;
        }
        let mut reached = first;
        for &(from, end, is_there) in self.stretches.iter().filter(|(_, end, _)| *end > first) {
            if is_there {
                reached = end;
            } else if !self.is_empty(from.max(first), end) {
                break;
            }
        }
        reached
    }

    /// True where no record is.
    fn is_empty(&self, first: i64, end: i64) -> bool {
        let delivered = self.stored.delivered;
        let delivered = delivered.and_then(|delivered| delivered.of(self.partition.topic, self.partition.partition));
        first >= end || delivered.is_some_and(|delivered| delivered.is_gap(first, end))
    }
}
