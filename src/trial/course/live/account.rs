//! The account of what arrived: whether the cluster shows all that it acknowledged, and what each group was to read.

use std::collections::BTreeMap;

use super::Live;
use crate::measure::ledger::{ExpectedRange, partition_name};
use crate::measure::{Failure, FailureKind, MemberMeasurement, TopicPartition};
use crate::protocol::{PrepareProducer, entry_of, partitions_of};
use crate::trial::cast::Actor;
use crate::trial::course::{Course, Due, Ended, Scene};
use crate::trial::limits::after;

impl Live {
    /// True where the partitions show all that was acknowledged. Where the leader alone acknowledges, records show
    /// when the replicas have them too, so it is worth asking again, but not to the last moment.
    pub(super) fn has_all_acknowledged(&self, ends: &[Vec<i64>], scene: &Scene<'_>) -> bool {
        let Some(load) = &self.load else { return true };
        let mut acknowledged: BTreeMap<TopicPartition, i64> = BTreeMap::new();
        let mut complete = true;
        for produced in scene.log.sent().flat_map(|result| &result.partitions) {
            let partition = produced.topic_partition();
            let count = acknowledged.entry(partition).or_default();
            *count = count.saturating_add(i64::try_from(produced.acknowledged).unwrap_or(i64::MAX));
            let end = entry_of(ends, partition).copied().unwrap_or(0);
            // Without offsets, as with `acks=0`, their number has to do.
            let has_highest = produced.highest_offset.is_none_or(|highest| end > highest);
            complete &= has_highest && end - self.backlog_end(partition) >= *count;
        }
        let patience = scene.terms.limits.result / 2;
        complete || after(load.next_question_ns, patience) >= load.deadline_ns
    }

    /// What a group was to read of each partition, and how many records there are beyond. Where the draining ended before
    /// everything was read, what is behind the last record read is unread and not lost.
    pub(super) fn due_of(&self, ended: &Ended<'_>, members: &[&MemberMeasurement]) -> Due {
        let (mut unread, mut ranges) = (0, Vec::new());
        // A producer that was killed has given up on what was under way.
        let was_killed = |producer: &Actor<PrepareProducer>| !producer.is_done();
        let given_up = ended.cast.producers.iter().any(was_killed) || ended.log.sent().any(|result| result.failed > 0);
        for (partition, range) in partitions_of(&ended.terms.topics) {
            let end = self.end_of(partition, range);
            let read = members.iter().flat_map(|member| &member.partitions);
            let read = read.filter(|read| read.topic_partition() == partition);
            let runs = read.flat_map(|read| read.runs.iter().flatten());
            // A record that was given up on may be written all the same, after the ends were asked for. Otherwise nobody reads
            // beyond an end, and who says so has not read what is in front of it.
            let runs = runs.filter(|run| given_up || run.first < end);
            let noted = runs.map(|run| run.end).max().unwrap_or(0).max(0);
            // Who keeps no account is observed: what it committed counts.
            let counted = members.iter().flat_map(|member| &member.partitions);
            let counted = counted.filter(|read| ended.cast.is_observed() && read.topic_partition() == partition);
            let counted: u64 = counted.map(|read| read.records).sum();
            let furthest = noted.max(i64::try_from(counted).unwrap_or(i64::MAX));
            let end = if given_up { end.max(furthest) } else { end };
            let read_until = furthest.min(end);
            unread += u64::try_from(end - read_until).unwrap_or(0);
            ranges.push(ExpectedRange {
                partition,
                low: 0,
                end: read_until,
            });
        }
        let read: u64 = ranges.iter().map(|range| range.end.unsigned_abs()).sum();
        Due {
            ranges,
            records: read + unread,
            unread,
        }
    }

    /// Programs of a group that had something to read and committed nothing.
    pub(super) fn committed_nothing(&self, ended: &Ended<'_>) -> Option<Failure> {
        let paths = ended.paths()?;
        let arrived = self.load.as_ref()?.ends.as_ref()?.iter().flatten().any(|end| *end > 0);
        let idle = (0..ended.terms.groups.len()).find(|group| arrived && paths.stood_still(*group))?;
        Some(Failure {
            kind: FailureKind::Stall,
            who: None,
            message: format!(
                "the group {} committed no offset in the whole trial although records arrived: a program is observed by what it \
                 commits",
                ended.terms.groups[idle]
            ),
        })
    }

    /// Records that the cluster acknowledged and does not have.
    pub(super) fn vanished(&self, ended: &Ended<'_>) -> Option<Failure> {
        let mut acknowledged: BTreeMap<TopicPartition, u64> = BTreeMap::new();
        for produced in ended.log.sent().flat_map(|result| &result.partitions) {
            *acknowledged.entry(produced.topic_partition()).or_default() += produced.acknowledged;
        }
        let ends = self.load.as_ref()?.ends.as_ref()?;
        let missing = acknowledged.into_iter().find_map(|(partition, acknowledged)| {
            let end = entry_of(ends, partition).copied().unwrap_or(i64::MAX);
            let there = u64::try_from(end - self.backlog_end(partition)).unwrap_or(0);
            (there < acknowledged).then(|| {
                format!(
                    "the cluster acknowledged {acknowledged} records of {} and has {there}",
                    partition_name(partition)
                )
            })
        })?;
        Some(Failure {
            kind: FailureKind::Lost,
            who: None,
            message: missing,
        })
    }
}
