//! What the threads of a member did with the store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::write::Row;
use crate::measure::{OffsetSpan, StoreUse};

/// Counts what the threads of a member did with the store; clones count together.
#[derive(Debug, Clone, Default)]
pub struct StoreCounts(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    transactions: AtomicU64,
    rows: AtomicU64,
    retries: AtomicU64,
    /// Of each try whose commit was not answered.
    unanswered: Mutex<Vec<UnansweredRun>>,
}

/// Consecutive records of a transaction whose commit was not answered.
#[derive(Debug)]
struct UnansweredRun {
    topic: String,
    partition: i32,
    span: OffsetSpan,
}

impl StoreCounts {
    /// A transaction with so many rows is committed.
    pub(super) fn committed(&self, rows: u64) {
        self.0.transactions.fetch_add(1, Ordering::Relaxed);
        self.0.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// A try failed, and another one follows.
    pub(super) fn retried(&self) {
        self.0.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// The commit of these rows was sent and not answered.
    pub(super) fn unanswered(&self, rows: &[Row<'_>]) {
        let mut runs = self.0.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        let known = runs.len();
        for (topic, partition, offset) in rows.iter().map(Row::place) {
            match runs[known..].last_mut() {
                Some(run) if (&*run.topic, run.partition, run.span.end) == (topic, partition, offset) => {
                    run.span.end += 1;
                }
                _ => runs.push(UnansweredRun {
                    topic: topic.to_owned(),
                    partition,
                    span: OffsetSpan {
                        first: offset,
                        end: offset + 1,
                    },
                }),
            }
        }
    }

    /// What of a partition was in transactions whose commits were not answered, once for each of them.
    pub fn unanswered_of(&self, topic: &str, partition: i32) -> Vec<OffsetSpan> {
        let runs = self.0.unanswered.lock().unwrap_or_else(PoisonError::into_inner);
        let of_partition = runs
            .iter()
            .filter(|run| (&*run.topic, run.partition) == (topic, partition));
        of_partition.map(|run| run.span).collect()
    }

    /// The counts so far.
    pub fn so_far(&self) -> StoreUse {
        StoreUse {
            transactions: self.0.transactions.load(Ordering::Relaxed),
            rows: self.0.rows.load(Ordering::Relaxed),
            retries: self.0.retries.load(Ordering::Relaxed),
        }
    }
}
