//! Existing topics: a backlog in which not every offset holds a record, and of which the cluster may remove the rest at any
//! time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Backlog, Course, Ended, Scene, Turn};
use crate::measure::ledger::Reference;
use crate::measure::{DeliveredTopics, Failure, MemberMeasurement, TopicPartition};
use crate::protocol::{OffsetRange, TopicTarget, partitions_of};
use crate::trial::engine::Action;
use crate::trial::happening::Happening;
use crate::trial::limits::after;
use crate::trial::log::TrialLog;

/// Without progress for so long, the cluster is asked whether there is anything left to come.
const HALT: Duration = Duration::from_secs(2);

/// Reads existing topics.
#[derive(Debug)]
pub struct Existing {
    backlog: Backlog,
    /// The offsets that the cluster delivers of them.
    delivered: Arc<DeliveredTopics>,
    /// Records of the trial that the cluster had removed before it began, for each group.
    removed: u64,
    /// When to ask whether anything is left to come; `None` while the cluster is asked.
    ask_ns: Option<u64>,
}

impl Existing {
    /// Cuts off what the cluster has removed from the targets of a trial, given the first offset that each partition has
    /// now.
    pub fn new(delivered: Arc<DeliveredTopics>, topics: &mut [TopicTarget], low: &[Vec<i64>]) -> Self {
        let (mut records, mut removed) = (0, 0);
        for ((target, offsets), low) in topics.iter_mut().zip(&delivered.topics).zip(low) {
            for ((range, offsets), low) in target.partitions.iter_mut().zip(offsets).zip(low) {
                let kept = (*low).clamp(range.low, range.end.max(range.low));
                removed += offsets.count_within(range.low, kept);
                records += offsets.count_within(kept, range.end);
                range.low = kept;
            }
        }
        Existing {
            backlog: Backlog::of(records),
            delivered,
            removed,
            ask_ns: None,
        }
    }

    /// What some group has not read yet of the trial's partitions.
    fn unread_targets(&self, scene: &Scene<'_>) -> Vec<TopicTarget> {
        let mut first: BTreeMap<TopicPartition, i64> = BTreeMap::new();
        for (group, partition) in self.unread(scene) {
            let position = scene.positions.of(group, partition).unwrap_or(i64::MIN);
            let known = first.entry(partition).or_insert(position);
            *known = position.min(*known);
        }
        targets(&scene.terms.topics, |partition, OffsetRange { low, end }| OffsetRange {
            low: first.get(&partition).map_or(end, |position| *position).max(low),
            end,
        })
    }
}

impl Course for Existing {
    fn records(&self) -> u64 {
        self.backlog.records()
    }

    fn records_among(&self, offsets: u64, all: u64) -> u64 {
        let records = u128::from(offsets) * u128::from(self.records()) / u128::from(all.max(1));
        u64::try_from(records).unwrap_or(u64::MAX)
    }

    fn begin(&mut self, start_ns: u64, scene: &mut Scene<'_>) -> Vec<Action> {
        self.ask_ns = Some(after(start_ns, HALT));
        self.backlog.begin(start_ns, scene)
    }

    fn wake_ns(&self) -> u64 {
        self.ask_ns.unwrap_or(u64::MAX).min(self.backlog.wake_ns())
    }

    fn wait_until(&mut self, at_ns: u64) {
        self.backlog.wait_until(at_ns);
    }

    fn on_tick(&mut self, scene: &mut Scene<'_>) -> Result<Turn, Failure> {
        let turn = self.backlog.on_tick(scene)?;
        if self.ask_ns.is_none_or(|ask_ns| scene.now_ns < ask_ns) {
            return Ok(turn);
        }
        self.ask_ns = None;
        Ok(Turn::On(vec![Action::AskStill(self.unread_targets(scene))]))
    }

    fn on_progress(&mut self, advanced: bool, scene: &mut Scene<'_>) -> Turn {
        if let (true, Some(ask_ns)) = (advanced, &mut self.ask_ns) {
            *ask_ns = (*ask_ns).max(after(scene.now_ns, HALT));
        }
        self.backlog.on_progress(advanced, scene)
    }

    /// A partition of which the cluster no longer delivers anything that is still to be read is at its end. `asked` is what
    /// it was asked for, and `still` holds the first record of each: where there is one, no group is at the end, wherever it
    /// has come to meanwhile.
    fn on_still(
        &mut self,
        asked: &[TopicTarget],
        still: Result<DeliveredTopics, String>,
        scene: &mut Scene<'_>,
    ) -> Turn {
        self.ask_ns = Some(after(scene.now_ns, HALT));
        // A cluster that does not answer is asked again.
        let Ok(still) = still else {
            return Turn::NOTHING;
        };
        let asked_ranges: BTreeMap<TopicPartition, OffsetRange> = partitions_of(asked).collect();
        for (partition, range) in partitions_of(&scene.terms.topics) {
            let Some(still) = still.of(partition.topic, partition.partition) else {
                continue;
            };
            let Some(asked) = asked_ranges.get(&partition) else {
                continue;
            };
            if !asked.is_empty() && still.is_gap(asked.low, range.end) {
                scene.positions.pass(partition, range);
            }
        }
        self.on_progress(false, scene)
    }

    fn reference<'a>(&'a self, log: &'a TrialLog) -> Option<Reference<'a>> {
        Some(Reference {
            delivered: &self.delivered,
            still: log.latest(Happening::try_as_still_ref),
        })
    }

    fn removed_before(&self) -> u64 {
        self.removed
    }

    fn counts_of(&self, partition: TopicPartition, range: OffsetRange, log: &TrialLog) -> (u64, u64) {
        let count = |topics: &DeliveredTopics| {
            let offsets = topics.of(partition.topic, partition.partition);
            offsets.map_or(0, |offsets| offsets.count_within(range.low, range.end))
        };
        let expected = count(&self.delivered);
        let still = log.latest(Happening::try_as_still_ref).map_or(expected, count);
        (expected, expected.saturating_sub(still))
    }

    /// The ranges with offsets that were not read although the cluster delivered them before.
    fn missing(&self, ended: &Ended<'_>, lost: &BTreeMap<TopicPartition, (i64, i64)>) -> Option<Vec<TopicTarget>> {
        let range = |partition, OffsetRange { low, .. }| {
            let (low, end) = lost.get(&partition).copied().unwrap_or((low, low));
            OffsetRange { low, end }
        };
        (!lost.is_empty()).then(|| targets(&ended.terms.topics, range))
    }

    /// Lets the runs of a member go on where only offsets lie between that hold no record: a topic that was compacted has
    /// a gap at every second record, and the runs of a trial would be longer than all the rest of it.
    fn condense(&self, member: &mut MemberMeasurement) {
        for partition in &mut member.partitions {
            let delivered = self.delivered.of(partition.topic, partition.partition);
            let Some((runs, delivered)) = partition.runs.as_mut().zip(delivered) else {
                continue;
            };
            runs.dedup_by(|next, run| {
                let goes_on = next.epoch == run.epoch && next.first >= run.end && delivered.is_gap(run.end, next.first);
                if goes_on {
                    run.end = next.end;
                }
                goes_on
            });
        }
    }
}

/// The topics with other ranges of their partitions.
fn targets(topics: &[TopicTarget], range_of: impl Fn(TopicPartition, OffsetRange) -> OffsetRange) -> Vec<TopicTarget> {
    let mut targets = topics.to_vec();
    for (topic, target) in (0u32..).zip(&mut targets) {
        for (partition, range) in (0i32..).zip(&mut target.partitions) {
            *range = range_of(TopicPartition { topic, partition }, *range);
        }
    }
    targets
}
