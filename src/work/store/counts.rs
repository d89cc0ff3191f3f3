//! What the threads of a member did with the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::measure::StoreUse;

/// Counts what the threads of a member did with the store; clones count together.
#[derive(Debug, Clone, Default)]
pub struct StoreCounts(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    transactions: AtomicU64,
    rows: AtomicU64,
    retries: AtomicU64,
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

    /// The counts so far.
    pub fn so_far(&self) -> StoreUse {
        StoreUse {
            transactions: self.0.transactions.load(Ordering::Relaxed),
            rows: self.0.rows.load(Ordering::Relaxed),
            retries: self.0.retries.load(Ordering::Relaxed),
        }
    }
}
