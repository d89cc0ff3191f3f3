//! What the threads of a member did with the store.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::write::Row;
use crate::measure::StoreUse;

/// What is done with the records of a transaction whose commit was not answered.
type OnUnanswered = Arc<dyn Fn(&[UnansweredRun]) + Send + Sync>;

/// Counts what the threads of a member did with the store, and says which commits it did not answer; clones count together.
#[derive(Clone)]
pub struct StoreCounts {
    counters: Arc<Counters>,
    on_unanswered: OnUnanswered,
}

#[derive(Debug, Default)]
struct Counters {
    transactions: AtomicU64,
    rows: AtomicU64,
    retries: AtomicU64,
}

/// Consecutive records of a transaction whose commit was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnansweredRun {
    /// Name of the topic.
    pub topic: String,
    /// Partition number.
    pub partition: i32,
    /// First offset.
    pub first: i64,
    /// One past the last.
    pub end: i64,
}

impl StoreCounts {
    /// Nothing yet. Whenever a commit was not answered, this is called with the records of its transaction, before they are
    /// tried again.
    pub fn reporting(on_unanswered: impl Fn(&[UnansweredRun]) + Send + Sync + 'static) -> Self {
        StoreCounts {
            counters: Arc::default(),
            on_unanswered: Arc::new(on_unanswered),
        }
    }

    /// A transaction with so many rows is committed.
    pub(super) fn committed(&self, rows: u64) {
        self.counters.transactions.fetch_add(1, Ordering::Relaxed);
        self.counters.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// A try failed, and another one follows.
    pub(super) fn retried(&self) {
        self.counters.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// The commit of these rows was sent and not answered.
    pub(super) fn unanswered(&self, rows: &[Row<'_>]) {
        let mut runs: Vec<UnansweredRun> = Vec::new();
        for (topic, partition, offset) in rows.iter().map(Row::place) {
            match runs.last_mut() {
                Some(run) if (&*run.topic, run.partition, run.end) == (topic, partition, offset) => run.end += 1,
                _ => runs.push(UnansweredRun {
                    topic: topic.to_owned(),
                    partition,
                    first: offset,
                    end: offset + 1,
                }),
            }
        }
        (self.on_unanswered)(&runs);
    }

    /// The counts so far.
    pub fn so_far(&self) -> StoreUse {
        StoreUse {
            transactions: self.counters.transactions.load(Ordering::Relaxed),
            rows: self.counters.rows.load(Ordering::Relaxed),
            retries: self.counters.retries.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for StoreCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counters.fmt(f)
    }
}
