//! What a course sees of its trial, and what it answers.

use crate::measure::ledger::ExpectedRange;
use crate::trial::cast::Cast;
use crate::trial::engine::Action;
use crate::trial::positions::Positions;
use crate::trial::terms::Terms;

/// A trial at one moment.
pub struct Scene<'a> {
    /// The moment.
    pub now_ns: u64,
    pub terms: &'a Terms,
    pub cast: &'a mut Cast,
    pub positions: &'a mut Positions,
}

/// How a trial goes on.
#[derive(Debug)]
pub enum Turn {
    /// With these actions.
    On(Vec<Action>),
    /// The reading is over.
    Over,
}

impl Turn {
    /// Nothing changes.
    pub const NOTHING: Turn = Turn::On(Vec::new());
}

/// A trial that is over.
#[derive(Clone, Copy)]
pub struct Ended<'a> {
    pub terms: &'a Terms,
    pub cast: &'a Cast,
}

/// What a group was to read.
pub struct Due {
    pub ranges: Vec<ExpectedRange>,
    /// Records of all partitions.
    pub records: u64,
    /// Records that arrived and were not read by the end of the draining.
    pub unread: u64,
}
