//! Rows and readings of one partition, for tests.

use super::*;
use crate::measure::member::{OffsetRun, OffsetSpan};

pub(super) const PARTITION: TopicPartition = TopicPartition { topic: 0, partition: 0 };

/// Rows by `insert`, compared with nothing.
pub(super) const INSERTED: Stored<'static> = Stored {
    readings: &[],
    committed: &[],
    delivered: None,
    unconfirmed: &[],
    in_order: true,
    one_per_record: false,
    values: &[],
    same_length: false,
};

/// What was read under the first assignment.
pub(super) fn run(first: i64, end: i64) -> OffsetRun {
    OffsetRun { first, end, epoch: 1 }
}

pub(super) fn row(first: i64, end: i64, copies: u64) -> StoredRun {
    StoredRun {
        partition: PARTITION,
        first,
        end,
        copies,
        bytes: 0,
    }
}

pub(super) fn span(first: i64, end: i64) -> OffsetSpan {
    OffsetSpan {
        partition: PARTITION,
        first,
        end,
    }
}

pub(super) fn reading<'a>(member: &'a str, runs: &'a [OffsetRun]) -> Reading<'a> {
    Reading {
        member,
        partition: PARTITION,
        runs,
        was_killed: false,
    }
}

/// The group has committed all offsets below this one.
pub(super) fn committed_up_to(end: i64) -> Committed {
    Committed {
        partition: PARTITION,
        low: 0,
        end,
    }
}
