//! The positions of programs that are observed: committed offsets, which move in steps. Between two commits of a program
//! that has something to read, its position is taken to move evenly.

use std::collections::BTreeMap;

use super::cast::{ActorId, Cast};
use super::happening::Happening;
use super::log::TrialLog;
use crate::measure::{GroupCommit, TopicPartition, commit_interval_ns};
use crate::protocol::{CommittedStep, TopicTarget, partitions_of};

/// A program whose commits are so many times further apart than usual had nothing to read before the last of this time.
const IDLE_INTERVALS: u64 = 2;

/// How each group moved through each partition.
#[derive(Debug, Default)]
pub struct Paths {
    by_partition: BTreeMap<(usize, TopicPartition), Path>,
    interval_ns: Option<u64>,
}

/// How a group moved through a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path {
    /// Where it began.
    low: i64,
    /// When it was first seen at each offset, ascending; what it committed before it went back does not count again.
    steps: Vec<(u64, i64)>,
    interval_ns: u64,
}

impl Paths {
    /// What the observers of a trial reported, each of those that ask and in each of its lives.
    pub fn of(topics: &[TopicTarget], cast: &Cast, log: &TrialLog) -> Self {
        let mut of_groups: BTreeMap<usize, Vec<CommittedStep>> = BTreeMap::new();
        for (entry, result) in log.all(Happening::try_as_result_ref) {
            if let (Some(ActorId::Reader(reader)), Some(program)) = (entry.actor, &result.program) {
                let group = cast.readers[reader].role.group;
                of_groups.entry(group).or_default().extend(&program.steps);
            }
        }
        for steps in of_groups.values_mut() {
            steps.sort_by_key(|step| step.at_ns);
        }
        let of_groups: Vec<(usize, &[CommittedStep])> =
            of_groups.iter().map(|(group, steps)| (*group, &steps[..])).collect();
        Self::from_steps(topics, &of_groups)
    }

    /// When each group's committed offsets moved, in order.
    pub fn commits(&self) -> Vec<GroupCommit> {
        let of_path = |((group, partition), path): (&(usize, TopicPartition), &Path)| {
            let (group, partition) = (u32::try_from(*group).unwrap_or(u32::MAX), *partition);
            let times = path.steps.iter().map(|(at_ns, _)| *at_ns);
            times
                .map(|at_ns| GroupCommit {
                    group,
                    partition,
                    at_ns,
                })
                .collect::<Vec<_>>()
        };
        let mut commits: Vec<GroupCommit> = self.by_partition.iter().flat_map(of_path).collect();
        commits.sort_by_key(|commit| commit.at_ns);
        commits
    }

    /// What these steps of each group's committed offsets say.
    pub(super) fn from_steps(topics: &[TopicTarget], of_groups: &[(usize, &[CommittedStep])]) -> Self {
        let mut by_partition: BTreeMap<(usize, TopicPartition), Path> = BTreeMap::new();
        for (group, steps) in of_groups {
            for (partition, range) in partitions_of(topics) {
                let path = by_partition.entry((*group, partition)).or_insert_with(|| Path {
                    low: range.low,
                    ..Path::default()
                });
                for step in steps.iter().filter(|step| step.partition == partition) {
                    path.note(step.at_ns, step.offset.min(range.end));
                }
            }
        }
        let distances = by_partition.values().flat_map(Path::distances_ns).collect();
        let interval_ns = commit_interval_ns(distances);
        for path in by_partition.values_mut() {
            path.interval_ns = interval_ns.unwrap_or(0);
        }
        Paths {
            by_partition,
            interval_ns,
        }
    }

    /// The time between two commits, over all partitions.
    pub fn interval_ns(&self) -> Option<u64> {
        self.interval_ns
    }

    /// Of a group in a partition; `None` where nobody observed it.
    pub fn get(&self, group: usize, partition: TopicPartition) -> Option<&Path> {
        self.by_partition.get(&(group, partition))
    }

    /// True where nothing of a group moved.
    pub fn stood_still(&self, group: usize) -> bool {
        let of_group = self.by_partition.iter().filter(|((of, _), _)| *of == group);
        of_group.map(|(_, path)| path.records()).sum::<u64>() == 0
    }
}

impl Path {
    fn note(&mut self, at_ns: u64, offset: i64) {
        if offset > self.end() {
            self.steps.push((at_ns, offset));
        }
    }

    /// One past the last record that was committed.
    pub fn end(&self) -> i64 {
        self.steps.last().map_or(self.low, |(_, offset)| *offset)
    }

    /// Records committed.
    pub fn records(&self) -> u64 {
        u64::try_from(self.end() - self.low).unwrap_or(0)
    }

    /// When the last record was seen committed.
    pub fn last_ns(&self) -> Option<u64> {
        self.steps.last().map(|(at_ns, _)| *at_ns)
    }

    /// True if so much time passed since a commit that it was not for the interval alone.
    pub fn is_idle(&self, commit_ns: u64, now_ns: u64) -> bool {
        now_ns.saturating_sub(commit_ns) > self.interval_ns.saturating_mul(IDLE_INTERVALS)
    }

    fn distances_ns(&self) -> impl Iterator<Item = u64> {
        self.steps.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0))
    }

    /// The next offset to read at a moment.
    pub fn at(&self, at_ns: u64) -> f64 {
        let next = self.steps.partition_point(|(step_ns, _)| *step_ns <= at_ns);
        let before = next.checked_sub(1).map(|index| self.steps[index]);
        let from = before.map_or(self.low, |(_, offset)| offset) as f64;
        let Some((next_ns, next_offset)) = self.steps.get(next) else {
            return from;
        };
        let from_ns = match before {
            Some((before_ns, _)) if !self.is_idle(before_ns, *next_ns) => before_ns,
            _ => next_ns.saturating_sub(self.interval_ns),
        };
        if at_ns <= from_ns {
            return from;
        }
        let share = (at_ns - from_ns) as f64 / (next_ns - from_ns).max(1) as f64;
        from + (*next_offset as f64 - from) * share
    }

    /// Records by time from `start_ns`, in buckets of this length up to the last commit.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "offsets are not negative, and their differences are whole after rounding"
    )]
    pub fn counts(&self, start_ns: u64, bucket_ns: u64) -> Vec<u64> {
        let length_ns = self.last_ns().unwrap_or(0).saturating_sub(start_ns);
        let edges = (0..=length_ns.div_ceil(bucket_ns.max(1))).map(|bucket| start_ns + bucket * bucket_ns);
        let passed: Vec<u64> = edges.map(|at_ns| self.at(at_ns).round() as u64).collect();
        passed.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

#[cfg(test)]
#[allow(
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times of the tests are whole milliseconds, and positions exact"
)]
mod tests {
    use super::*;
    use crate::testing::script::{partition, topics};

    const SECOND_NS: u64 = 1_000_000_000;

    fn paths(steps: &[(u64, i64)]) -> Paths {
        let step = |(seconds, offset): &(u64, i64)| CommittedStep {
            partition: partition(0),
            at_ns: seconds * SECOND_NS,
            offset: *offset,
        };
        let steps: Vec<CommittedStep> = steps.iter().map(step).collect();
        Paths::from_steps(&topics(1), &[(0, &steps)])
    }

    #[test]
    fn a_position_moves_evenly_between_two_commits_and_stands_where_there_was_nothing_to_read() {
        let paths = paths(&[
            (10, 0),
            (11, 10),
            (12, 20),
            (13, 30),
            (14, 40),
            (15, 50),
            (16, 60),
            (17, 70),
            (18, 71),
            (19, 72),
            (20, 73),
            (30, 83),
        ]);
        let path = paths.get(0, partition(0)).unwrap_or_else(|| panic!("no path"));
        assert_eq!(paths.interval_ns(), Some(SECOND_NS));
        let at = |seconds: f64| path.at((seconds * 1e9) as u64);
        assert_eq!(
            [at(9.0), at(10.5), at(11.0), at(12.5), at(99.0)],
            [0.0, 5.0, 10.0, 25.0, 83.0]
        );
        // Nothing came for nine seconds.
        assert_eq!([at(20.0), at(29.0), at(29.5)], [73.0, 73.0, 78.0]);
        assert_eq!((path.records(), path.last_ns()), (83, Some(30 * SECOND_NS)));
    }

    #[test]
    fn records_are_counted_once_however_often_a_program_goes_back_and_none_beyond_the_end() {
        let paths = paths(&[(1, 10), (2, 20), (3, 5), (4, 20), (5, 400)]);
        let path = paths.get(0, partition(0)).unwrap_or_else(|| panic!("no path"));
        assert_eq!(path.records(), 100);
        let counts = path.counts(0, SECOND_NS);
        assert_eq!(counts.iter().sum::<u64>(), 100);
        assert!(!paths.stood_still(0) && Paths::default().stood_still(0));
    }
}
