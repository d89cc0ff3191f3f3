//! How far the records reach that a killed process stored without reporting them. It stored them in order, so from where
//! they begin each has a row that no report explains, up to the last one.

use std::collections::{BTreeMap, BTreeSet};

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
    let mut all = Vec::new();
    for Unconfirmed { member, records, .. } in unconfirmed {
        let spans = match *records {
            Records::Within(first, end) => vec![(first, end)],
            Records::From(first) => vec![(first, reach.end_from(first))],
            Records::UpTo(end) => vec![(reach.first_up_to(end), end)],
            Records::AtChanges => reach.at_changes(),
        };
        let spans = spans.into_iter().filter(|(first, end)| first < end);
        all.extend(spans.map(|(first, end)| MayBe { member, first, end }));
    }
    all
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

    /// The first of the consecutive records before an offset that have a row which no report explains.
    fn first_up_to(&self, end: i64) -> i64 {
        if !self.stored.in_order {
            return i64::MIN;
        }
        let mut reached = end;
        for &(first, until, is_there) in self.stretches.iter().rev().filter(|(first, ..)| *first < end) {
            if is_there {
                reached = first;
            } else if !self.is_empty(first, until.min(end)) {
                break;
            }
        }
        reached
    }

    /// The consecutive records around each place where the partition changed its owner, none of them twice.
    fn at_changes(&self) -> Vec<(i64, i64)> {
        if !self.stored.in_order {
            return vec![(i64::MIN, i64::MAX)];
        }
        let mut spans: BTreeMap<i64, i64> = BTreeMap::new();
        for change in self.changes() {
            let first = self.first_up_to(change);
            let end = spans.entry(first).or_insert(first);
            *end = self.end_from(change).max(*end);
        }
        spans.into_iter().collect()
    }

    /// Where owners began and ended, and where the next one would begin. The first owner had the partition at the start, so
    /// nobody was there before it.
    fn changes(&self) -> BTreeSet<i64> {
        let readings = self.stored.readings.iter();
        let mut assignments = Vec::new();
        for reading in readings.filter(|reading| reading.partition == self.partition) {
            for runs in reading.runs.chunk_by(|one, next| one.epoch == next.epoch) {
                let first = runs.iter().map(|run| run.first).min();
                assignments.extend(first.zip(runs.iter().map(|run| run.end).max()));
            }
        }
        assignments.sort_unstable();
        let begins = assignments.iter().skip(1).map(|(first, _)| *first);
        let committed = self.stored.committed.iter();
        let next = committed.filter(|of| of.partition == self.partition).map(|of| of.end);
        begins
            .chain(assignments.iter().map(|(_, end)| *end))
            .chain(next)
            .collect()
    }

    /// True where no record is.
    fn is_empty(&self, first: i64, end: i64) -> bool {
        let delivered = self.stored.delivered;
        let delivered = delivered.and_then(|delivered| delivered.of(self.partition.topic, self.partition.partition));
        first >= end || delivered.is_some_and(|delivered| delivered.is_gap(first, end))
    }
}
