//! How far the readers are behind, sampled, and when they caught up with a backlog.

use std::collections::BTreeSet;
use std::time::Duration;

use super::LoadSpec;
use crate::measure::{LagSeries, PartitionLag, TopicPartition};
use crate::protocol::entry_of;
use crate::trial::committed::Paths;
use crate::trial::course::Scene;
use crate::trial::happening::Happening;
use crate::trial::limits::after;
use crate::trial::log::TrialLog;

/// The shortest time between two samples. Positions come every 100 ms.
pub(super) const INTERVAL_MIN: Duration = Duration::from_millis(100);
/// Samples that are stored of a trial, about: of longer trials fewer are, so that what is stored stays bounded.
const STORED: u32 = 600;
/// An answer that took longer is no sample: positions have moved on since the cluster gave it, so the lag would be too
/// small.
const LATENESS_MAX_NS: u64 = 100_000_000;
/// Arrivals of this time are no lag: positions do not come more often.
const GONE_WITHIN_SECONDS: f64 = 0.2;
/// As many records are no lag at any rate.
const GONE_RECORDS: f64 = 10.0;

/// The lag behind the load.
#[derive(Debug)]
pub(super) struct Lag {
    /// Of each group, in the order of a sample.
    partitions: Vec<(usize, TopicPartition)>,
    /// True once a backlog was caught up with.
    pub(super) is_caught_up: bool,
    /// From one stored sample to the next.
    pub(super) interval: Duration,
    next_stored_ns: u64,
    /// The latest sample: when, and the lag of the group that was furthest behind.
    latest: Option<(u64, u64)>,
}

impl Lag {
    pub(super) fn new(spec: &LoadSpec, scene: &Scene<'_>, load_start_ns: u64) -> Self {
        let groups = 0..scene.terms.groups.len();
        let partitions = groups.flat_map(|group| scene.terms.partitions().into_iter().map(move |p| (group, p)));
        Lag {
            partitions: partitions.collect(),
            is_caught_up: false,
            interval: INTERVAL_MIN.max(spec.length() / STORED),
            next_stored_ns: load_start_ns,
            latest: None,
        }
    }

    /// A backlog was caught up with at `at_ns`, unless that was noted before.
    pub(super) fn catch_up(&mut self, at_ns: u64, scene: &mut Scene<'_>) {
        if !std::mem::replace(&mut self.is_caught_up, true) {
            scene.log.push(scene.now_ns, None, Happening::CaughtUp(at_ns));
        }
    }

    /// All samples of the log.
    pub(super) fn series(&self, log: &TrialLog, observed: Option<&Paths>) -> LagSeries {
        if let Some(paths) = observed {
            return self.series_of_paths(log, paths);
        }
        let samples: Vec<_> = log.all(Happening::try_as_lag_ref).collect();
        let partitions = self.partitions.iter().enumerate();
        let partitions = partitions.map(|(index, (group, partition))| PartitionLag {
            group: u32::try_from(*group).unwrap_or(u32::MAX),
            topic: partition.topic,
            partition: partition.partition,
            lag: samples.iter().map(|(_, sample)| sample[index]).collect(),
        });
        LagSeries {
            at_ns: samples.iter().map(|(entry, _)| entry.at_ns).collect(),
            partitions: partitions.collect(),
        }
    }

    /// The lag of readers whose positions are known afterwards, up to the last commit of those that were behind. One that
    /// commits no more stands where it is, and its lag grows.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a distance between offsets that is not negative"
    )]
    fn series_of_paths(&self, log: &TrialLog, paths: &Paths) -> LagSeries {
        let samples: Vec<_> = log.all(Happening::try_as_ends_seen_ref).collect();
        let end_of = |ends: &Vec<Vec<i64>>, partition| entry_of(ends, partition).copied().unwrap_or(0);
        let last_ends = samples.last().map(|(_, ends)| *ends);
        let last_sample_ns = samples.last().map_or(0, |(entry, _)| entry.at_ns);
        let known_until = |(group, partition): &(usize, TopicPartition)| {
            let path = paths.get(*group, *partition)?;
            let is_behind = last_ends.is_some_and(|ends| path.end() < end_of(ends, *partition));
            path.last_ns()
                .filter(|at_ns| is_behind && !path.is_idle(*at_ns, last_sample_ns))
        };
        let known_until_ns = self.partitions.iter().filter_map(known_until).min();
        let is_known = |at_ns: u64| known_until_ns.is_none_or(|until_ns| at_ns <= until_ns);
        let samples: Vec<_> = samples.into_iter().filter(|(entry, _)| is_known(entry.at_ns)).collect();
        let lag = |(group, partition): &(usize, TopicPartition)| PartitionLag {
            group: u32::try_from(*group).unwrap_or(u32::MAX),
            topic: partition.topic,
            partition: partition.partition,
            lag: (samples.iter())
                .map(|(entry, ends)| {
                    let position = paths.get(*group, *partition).map_or(0.0, |path| path.at(entry.at_ns));
                    (end_of(ends, *partition) as f64 - position).max(0.0).round() as u64
                })
                .collect(),
        };
        LagSeries {
            at_ns: samples.iter().map(|(entry, _)| entry.at_ns).collect(),
            partitions: self.partitions.iter().map(lag).collect(),
        }
    }

    /// When the group that was furthest behind caught up with a backlog, by such a series.
    pub(super) fn caught_up_ns(spec: &LoadSpec, lag: &LagSeries) -> Option<u64> {
        let groups: BTreeSet<u32> = lag.partitions.iter().map(|partition| partition.group).collect();
        let of_group = |group: u32, sample: usize| -> u64 {
            let partitions = lag.partitions.iter().filter(|partition| partition.group == group);
            partitions.filter_map(|partition| partition.lag.get(sample)).sum()
        };
        let furthest = |sample: usize| groups.iter().map(|group| of_group(*group, sample)).max().unwrap_or(0);
        let samples: Vec<(u64, u64)> = (lag.at_ns.iter().enumerate())
            .map(|(sample, at_ns)| (*at_ns, furthest(sample)))
            .collect();
        let gone = gone(spec);
        let first = samples.iter().position(|(_, lag)| *lag as f64 <= gone)?;
        let before = first.checked_sub(1).map(|index| samples[index]);
        Some(before.map_or(samples[first].0, |before| crossing(before, samples[first], gone)))
    }

    /// Takes a sample from the ends of the partitions, for which the cluster was asked at `asked_ns`.
    pub(super) fn sample(&mut self, spec: &LoadSpec, asked_ns: u64, ends: &[Vec<i64>], scene: &mut Scene<'_>) {
        let now_ns = scene.now_ns;
        if now_ns.saturating_sub(asked_ns) > LATENESS_MAX_NS {
            return;
        }
        let lag_of = |(group, partition): &(usize, TopicPartition)| {
            let end = entry_of(ends, *partition).copied().unwrap_or(0);
            let position = scene.positions.of(*group, *partition);
            u64::try_from(end - position.unwrap_or(0).max(0)).unwrap_or(0)
        };
        let sample: Vec<u64> = self.partitions.iter().map(lag_of).collect();
        let gone = gone(spec);
        let lag_of_group = |group: usize| -> u64 {
            let partitions = self.partitions.iter().zip(&sample);
            let of_group = partitions.filter(|((owner, _), _)| *owner == group);
            of_group.map(|(_, lag)| lag).sum()
        };
        let groups = 0..scene.terms.groups.len();
        let furthest = groups.map(lag_of_group).max().unwrap_or(0);
        if spec.has_backlog() && furthest as f64 <= gone && !self.is_caught_up {
            let at_ns = self
                .latest
                .map_or(now_ns, |before| crossing(before, (now_ns, furthest), gone));
            self.catch_up(at_ns, scene);
            self.next_stored_ns = now_ns;
        }
        self.latest = Some((now_ns, furthest));
        if now_ns < self.next_stored_ns {
            return;
        }
        let what = if scene.cast.is_observed() {
            Happening::EndsSeen(ends.to_vec())
        } else {
            Happening::Lag(sample)
        };
        // A pause of the sampling must not be made up for.
        self.next_stored_ns = after(now_ns, self.interval.saturating_sub(INTERVAL_MIN / 2));
        scene.log.push(now_ns, None, what);
    }
}

/// When the lag came down to `limit` between two samples (time, lag), the first above it and the second not: on the straight
/// line between them. The sampling's own interval would otherwise be in every time of catching up.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length of time"
)]
pub(super) fn crossing(before: (u64, u64), now: (u64, u64), limit: f64) -> u64 {
    let share = (before.1 as f64 - limit) / (before.1 as f64 - now.1 as f64);
    if !(0.0..1.0).contains(&share) {
        return now.0;
    }
    before.0 + (now.0.saturating_sub(before.0) as f64 * share) as u64
}

/// A lag that counts as none.
fn gone(load: &LoadSpec) -> f64 {
    (rate(load) * GONE_WITHIN_SECONDS).max(GONE_RECORDS)
}

/// Records per second of a load, on average.
fn rate(load: &LoadSpec) -> f64 {
    load.schedule.expected() / (load.schedule.duration_ns() as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CommittedStep;
    use crate::testing::script::{partition, topics};

    const SECOND_NS: u64 = 1_000_000_000;

    /// The lag in each second of 30, with 3 records/s to each of two partitions. The readers of both commit all of them
    /// every second, the second one until `last_commit`.
    fn series(last_commit: u64) -> LagSeries {
        let lag = Lag {
            partitions: vec![(0, partition(0)), (0, partition(1))],
            is_caught_up: false,
            interval: INTERVAL_MIN,
            next_stored_ns: 0,
            latest: None,
        };
        let mut log = TrialLog::default();
        let mut steps = Vec::new();
        for second in 1..=30_i32 {
            let at_ns = u64::from(second.unsigned_abs()) * SECOND_NS;
            let ends = i64::from(second) * 3 + 1;
            log.push(at_ns, None, Happening::EndsSeen(vec![vec![ends, ends]]));
            let last = [30, last_commit];
            for number in [0, 1].into_iter().filter(|number| at_ns <= last[*number] * SECOND_NS) {
                steps.push(CommittedStep {
                    partition: partition(i32::try_from(number).unwrap_or_default()),
                    at_ns,
                    offset: i64::from(second) * 3,
                });
            }
        }
        lag.series(&log, Some(&Paths::from_steps(&topics(2), &[(0, &steps)])))
    }

    #[test]
    fn the_lag_of_a_reader_that_commits_no_more_grows() {
        let hung = series(10);
        assert_eq!(hung.at_ns.last(), Some(&(30 * SECOND_NS)));
        assert_eq!(hung.partitions[1].lag.last(), Some(&61));
        assert_eq!(hung.partitions[0].lag.last(), Some(&1));
        let between_commits = series(29);
        assert_eq!(between_commits.at_ns.last(), Some(&(29 * SECOND_NS)));
    }
}
