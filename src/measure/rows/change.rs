//! Where in a partition the number of readings, of rows and of what else may be stored changes.

use std::collections::BTreeMap;

use super::compared::{Stored, StoredRun};
use crate::measure::member::TopicPartition;

/// What changes at an offset: readings, rows and what else may be stored, as they begin or end there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Change {
    pub(super) readings: i64,
    pub(super) unconfirmed: i64,
    pub(super) rows: i64,
    pub(super) committed: i64,
}

impl Change {
    pub(super) fn plus(self, by: Change, sign: i64) -> Self {
        Change {
            readings: self.readings + sign * by.readings,
            unconfirmed: self.unconfirmed + sign * by.unconfirmed,
            rows: self.rows + sign * by.rows,
            committed: self.committed + sign * by.committed,
        }
    }
}

/// Consecutive records, each of which a member may have stored once without reporting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MayBe<'a> {
    /// The member, as it is to be named.
    pub(super) member: &'a str,
    /// First offset.
    pub(super) first: i64,
    /// One past the last.
    pub(super) end: i64,
}

/// The changes of a partition, by offset.
pub(super) fn changes_of(
    partition: TopicPartition,
    rows: &[StoredRun],
    stored: Stored<'_>,
    may_be: &[MayBe<'_>],
) -> BTreeMap<i64, Change> {
    let mut changes: BTreeMap<i64, Change> = BTreeMap::new();
    let mut change = |first: i64, end: i64, by: Change| {
        if first < end {
            let begin = changes.entry(first).or_default();
            *begin = begin.plus(by, 1);
            let finish = changes.entry(end).or_default();
            *finish = finish.plus(by, -1);
        }
    };
    let none = Change::default();
    let readings = stored.readings.iter().filter(|reading| reading.partition == partition);
    for run in readings.flat_map(|reading| reading.runs) {
        change(run.first, run.end, Change { readings: 1, ..none });
    }
    for span in may_be {
        change(span.first, span.end, Change { unconfirmed: 1, ..none });
    }
    for run in rows.iter().filter(|run| run.partition == partition) {
        let rows = i64::try_from(run.copies).unwrap_or(i64::MAX);
        change(run.first, run.end, Change { rows, ..none });
    }
    let committed = stored.committed.iter();
    for of in committed.filter(|committed| committed.partition == partition) {
        change(of.low, of.end, Change { committed: 1, ..none });
    }
    changes
}
