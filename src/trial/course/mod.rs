//! The course of a trial: what is to be read, when a partition is at its end, what ends the reading, and what the account
//! is compared with. Each kind of trial implements [`Course`] and keeps its state; the engine knows none of them.

mod backlog;
mod existing;
mod live;
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::barrier::Ownership;
use crate::measure::ledger::{ExpectedRange, Reference, Repeats};
use crate::measure::{DeliveredTopics, Failure, LoadMeasurement, MemberMeasurement, SecondOfLatency, TopicPartition};
use crate::protocol::{OffsetRange, TopicTarget, partitions_of};
use crate::trial::engine::Action;

pub use backlog::Backlog;
pub use existing::{Existing, TrialReference};
pub use live::{Live, LoadSpec};
pub use scene::{Due, Ended, Scene, Turn};

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

    /// Response times of finished seconds.
    fn on_seconds(&mut self, _seconds: &[SecondOfLatency]) {}

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
    fn reference(&self) -> Option<Reference<'_>> {
        None
    }

    /// Records that the cluster had removed before the trial began, for each group.
    fn removed_before(&self) -> u64 {
        0
    }

    /// Records that a partition was to give, and how many of them the cluster no longer has.
    fn counts_of(&self, _partition: TopicPartition, range: OffsetRange) -> (u64, u64) {
        (range.len(), 0)
    }

    /// What the cluster is asked again where records seem lost: the answer goes to [`Course::note_still`].
    fn missing(&self, _ended: &Ended<'_>, _lost: &BTreeMap<TopicPartition, (i64, i64)>) -> Option<Vec<TopicTarget>> {
        None
    }

    /// Takes in what the cluster still delivers of what is missing in the end.
    fn note_still(&mut self, _still: DeliveredTopics) {}

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

#[cfg(test)]
mod tests;
