//! What a course is: what it sees of its trial, what it is asked, and what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use crate::measure::ledger::{ExpectedRange, Reference, Repeats};
use crate::measure::{DeliveredTopics, Failure, LoadMeasurement, MemberMeasurement, TopicPartition};
use crate::protocol::{OffsetRange, TopicTarget, partitions_of};
use crate::trial::barrier::Ownership;
use crate::trial::cast::Cast;
use crate::trial::clocks::Clocks;
use crate::trial::committed::Paths;
use crate::trial::engine::Action;
use crate::trial::log::TrialLog;
use crate::trial::positions::Positions;
use crate::trial::terms::Terms;

/// How a trial begins to read, goes on and ends. What has a default is as in a backlog.
pub trait Course: Debug + Send + Sync {
    /// Who may read a partition: what the barrier asks for.
    fn ownership(&self) -> Ownership {
        Ownership::One
    }

    /// Whether a record that one member reads twice is a fault: what the account asks for.
    fn repeats(&self) -> Repeats {
        Repeats::Fault
    }

    /// True where the topics were made for this trial alone.
    fn owns_topics(&self) -> bool {
        false
    }

    /// Records that each group is to read, or is expected to.
    fn records(&self) -> u64;

    /// Records among so many offsets of `all`, about.
    fn records_among(&self, offsets: u64, _all: u64) -> u64 {
        offsets
    }

    /// One past the last offset to read of a partition.
    fn end_of(&self, _partition: TopicPartition, range: OffsetRange) -> i64 {
        range.end
    }

    /// Partitions, by group, whose end nobody has reached.
    fn unread(&self, scene: &Scene<'_>) -> BTreeSet<(usize, TopicPartition)> {
        let end_of = |partition, range| self.end_of(partition, range);
        scene.positions.unread(&scene.terms.topics, end_of)
    }

    /// True where no group has anything to read.
    fn has_read_all(&self, scene: &Scene<'_>) -> bool {
        let end_of = |partition, range| self.end_of(partition, range);
        scene.positions.has_read(&scene.terms.topics, end_of)
    }

    /// True where nothing arrives any more, and what has arrived is being read.
    fn is_draining(&self) -> bool {
        false
    }

    /// Reading begins at `start_ns`.
    fn begin(&mut self, start_ns: u64, scene: &mut Scene<'_>) -> Vec<Action>;

    /// When it wants to hear [`Course::on_tick`] at the latest, while records are read.
    fn wake_ns(&self) -> u64;

    /// Planned acts may keep the reading from going on until then.
    fn wait_until(&mut self, at_ns: u64);

    /// Time passed while records are read. It fails where something is late.
    fn on_tick(&mut self, scene: &mut Scene<'_>) -> Result<Turn, Failure>;

    /// A reader reported its positions, and some `advanced` or not.
    fn on_progress(&mut self, advanced: bool, scene: &mut Scene<'_>) -> Turn;

    /// A producer finished, or gave its result.
    fn on_producers(&mut self, _scene: &mut Scene<'_>) -> Turn {
        Turn::NOTHING
    }

    /// The answer to [`Action::AskEnds`].
    fn on_ends(&mut self, _ends: Result<Vec<Vec<i64>>, String>, _scene: &mut Scene<'_>) -> Turn {
        Turn::NOTHING
    }

    /// The answer to [`Action::AskStill`].
    fn on_still(
        &mut self,
        _asked: &[TopicTarget],
        _still: Result<DeliveredTopics, String>,
        _scene: &mut Scene<'_>,
    ) -> Turn {
        Turn::NOTHING
    }

    /// What a group was to read, these being its members.
    fn due(&self, ended: &Ended<'_>, _members: &[&MemberMeasurement]) -> Due {
        let range = |(partition, OffsetRange { low, end })| ExpectedRange { partition, low, end };
        Due {
            ranges: partitions_of(&ended.terms.topics).map(range).collect(),
            records: self.records(),
            unread: 0,
        }
    }

    /// What the account is compared with beside the offsets.
    fn reference<'a>(&'a self, _log: &'a TrialLog) -> Option<Reference<'a>> {
        None
    }

    /// Records that the cluster had removed before the trial began, for each group.
    fn removed_before(&self) -> u64 {
        0
    }

    /// Records that a partition was to give, and how many of them the cluster no longer has.
    fn counts_of(&self, _partition: TopicPartition, range: OffsetRange, _log: &TrialLog) -> (u64, u64) {
        (range.len(), 0)
    }

    /// What the cluster is asked again where records seem lost: the answer is [`crate::trial::Happening::Still`].
    fn missing(&self, _ended: &Ended<'_>, _lost: &BTreeMap<TopicPartition, (i64, i64)>) -> Option<Vec<TopicTarget>> {
        None
    }

    /// Shortens what the measurement keeps of a member.
    fn condense(&self, _member: &mut MemberMeasurement) {}

    /// True where members read on until they hear that it is over.
    fn reads_past_the_end(&self) -> bool {
        false
    }

    /// Its part of the measurement, with so many records left unread.
    fn measurement(&self, _ended: &Ended<'_>, _unread: u64, _members: &[MemberMeasurement]) -> Option<LoadMeasurement> {
        None
    }

    /// The failure that only its end shows.
    fn failure(&self, _ended: &Ended<'_>) -> Option<Failure> {
        None
    }
}

/// A trial at one moment.
pub struct Scene<'a> {
    /// The moment.
    pub now_ns: u64,
    pub terms: &'a Terms,
    pub cast: &'a mut Cast,
    pub positions: &'a mut Positions,
    pub log: &'a mut TrialLog,
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

/// A trial that is over: what was specified, and what happened.
#[derive(Clone, Copy)]
pub struct Ended<'a> {
    pub terms: &'a Terms,
    pub cast: &'a Cast,
    pub course: &'a dyn Course,
    pub log: &'a TrialLog,
    pub clocks: &'a Clocks,
}

impl Ended<'_> {
    /// How groups moved whose readers are observed; `None` of workers that report what they read.
    pub fn paths(&self) -> Option<Paths> {
        let observed = self.cast.is_observed();
        observed.then(|| Paths::of(&self.terms.topics, self.cast, self.log))
    }
}

/// What a group was to read.
pub struct Due {
    pub ranges: Vec<ExpectedRange>,
    /// Records of all partitions.
    pub records: u64,
    /// Records that arrived and were not read by the end of the draining.
    pub unread: u64,
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
