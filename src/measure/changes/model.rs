//! A planned act with what it caused. Types only.

use strum::IntoStaticStr;

use super::parts::{Part, PartKind};
use super::writes::WriteGap;
use crate::measure::{PlannedAct, Stretch, TopicPartition};

/// A planned act and what it caused.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// What was done.
    pub act: PlannedAct,
    /// Partitions that stood still because of it.
    pub gaps: Vec<Gap>,
    /// Partitions that acknowledged nothing to those who write, because of it.
    pub writes: Vec<WriteGap>,
    /// When all replicas were in sync again; `None` where it put none out of sync, and where that never came.
    pub restored_ns: Option<u64>,
    /// The epoch of the group before, and when what the act caused was over: how often its partitions were divided anew.
    /// `None` where it was not reported, as in the classic protocol.
    pub epochs: Option<(i32, i32)>,
    /// What became of each member whose assignment changed.
    pub members: Vec<MemberChange>,
    /// When the lag was again what it had been before; `None` where nothing arrives, and where that never came.
    pub caught_up_ns: Option<u64>,
}

impl Episode {
    /// When all partitions were being read again; that of the act where none stood still.
    pub fn flowing_ns(&self) -> u64 {
        let ends = self.gaps.iter().map(|gap| gap.stretch.until_ns);
        ends.max().unwrap_or(0).max(self.act.at_ns)
    }

    /// The longest gap of a partition.
    pub fn longest(&self) -> Option<&Gap> {
        self.gaps.iter().max_by_key(|gap| gap.stretch.length_ns())
    }

    /// The longest gap of a partition that kept its owner, to whom nothing was done.
    pub fn collateral_ns(&self) -> u64 {
        let collateral = self.gaps.iter().filter(|gap| gap.kind == GapKind::Collateral);
        collateral.map(|gap| gap.stretch.length_ns()).max().unwrap_or(0)
    }

    /// The longest time in which a partition acknowledged nothing.
    pub fn unwritten_ns(&self) -> u64 {
        let stretches = self.writes.iter().map(|gap| gap.stretch.length_ns());
        stretches.max().unwrap_or(0)
    }

    /// Partitions of which somebody else read on.
    pub fn moved(&self) -> usize {
        self.gaps.iter().filter(|gap| gap.kind == GapKind::Moved).count()
    }

    /// Records that were read a second time because of it.
    pub fn redelivered(&self) -> u64 {
        self.gaps.iter().map(|gap| gap.redelivered).sum()
    }
}

/// A partition that nobody read for a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// The group that did not read it, from 0.
    pub group: u32,
    /// Which.
    pub partition: TopicPartition,
    /// Who was to read it.
    pub kind: GapKind,
    /// Who read before, and who after: places in [`Measurement::members`].
    pub members: [usize; 2],
    /// From the last record before to the first after. Of a member that was killed, from its last report.
    pub stretch: Stretch,
    /// What it is made of, in order; they add up to it.
    pub parts: Vec<Part>,
    /// Records that were read before it and again after it.
    pub redelivered: u64,
    /// The offset at which reading went on.
    pub resumed_at: Option<i64>,
    /// The last offset that was committed before, as far as the member before says so.
    pub committed: Option<i64>,
}

impl Gap {
    /// How much of it no recorded happening explains.
    pub fn unexplained_ns(&self) -> u64 {
        let parts = self.parts.iter().filter(|part| part.kind == PartKind::Unexplained);
        parts.map(|part| part.stretch.length_ns()).sum()
    }
}

/// Who was to read a partition that stood still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum GapKind {
    /// It went to another member.
    Moved,
    /// Its owner was away or stopped, and read on itself.
    Away,
    /// It kept its owner, whom a broker or the load kept waiting.
    Waiting,
    /// It kept its owner, and nothing was done to that.
    Collateral,
}

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberChange {
    /// Its place in [`Measurement::members`].
    pub member: usize,
    /// It gave partitions up.
    pub revoked_ns: Option<u64>,
    /// It learned that others have its partitions.
    pub lost_ns: Option<u64>,
    /// It had its new assignment.
    pub assigned_ns: Option<u64>,
    /// It read the first record of a partition that it did not have before.
    pub first_record_ns: Option<u64>,
}
