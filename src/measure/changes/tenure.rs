//! One assignment of a partition.

use std::collections::BTreeMap;

use crate::measure::{Stretch, TopicPartition};

/// One assignment of a partition in which its owner read.
#[derive(Debug)]
pub(super) struct Tenure {
    /// The owner's place in `Measurement::members`.
    pub(super) member: usize,
    /// When the owner was given the partition, and when it was taken; `None` where it says nothing of that.
    pub(super) given_ns: Option<u64>,
    pub(super) taken_ns: Option<u64>,
    /// The first record was begun.
    pub(super) from_ns: u64,
    /// The highest offset that the cluster took a commit of.
    pub(super) committed: Option<i64>,
    pub(super) spells: Vec<Stretch>,
    /// The first offset read and one past the last.
    pub(super) offsets: Option<(i64, i64)>,
}

impl Tenure {
    pub(super) fn first_ns(&self) -> u64 {
        self.from_ns
    }

    pub(super) fn last_ns(&self) -> u64 {
        self.spells.last().map_or(self.from_ns, |spell| spell.until_ns)
    }

    /// When its reading before a moment ended, at the latest at that moment.
    pub(super) fn last_ns_before(&self, at_ns: u64) -> u64 {
        let spell = self.spells.iter().rfind(|spell| spell.from_ns < at_ns);
        spell.map_or(self.from_ns, |spell| spell.until_ns).min(at_ns)
    }
}

/// Tenures by group and partition, in the order of time.
pub(super) type Tenures = BTreeMap<(u32, TopicPartition), Vec<Tenure>>;
