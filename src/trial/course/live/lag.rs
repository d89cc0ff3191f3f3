//! How far the readers are behind, sampled, and when they caught up with a backlog.

use std::time::Duration;

use super::LoadSpec;
use crate::measure::{LagSeries, PartitionLag, TopicPartition};
use crate::protocol::entry_of;
use crate::trial::course::Scene;
use crate::trial::limits::after;

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
    pub(super) series: LagSeries,
    /// When a backlog was caught up with.
    pub(super) caught_up_ns: Option<u64>,
    /// From one stored sample to the next.
    pub(super) interval: Duration,
    next_stored_ns: u64,
    /// The latest sample: when, and the lag of the group that was furthest behind.
    latest: Option<(u64, u64)>,
}

impl Lag {
    pub(super) fn new(spec: &LoadSpec, groups: usize, load_start_ns: u64) -> Self {
        let mut series = LagSeries::default();
        for group in (0u32..).take(groups) {
            for (topic, partitions) in (0u32..).zip(&spec.backlog_ends) {
                for partition in (0i32..).take(partitions.len()) {
                    series.partitions.push(PartitionLag {
                        group,
                        topic,
                        partition,
                        lag: Vec::new(),
                    });
                }
            }
        }
        Lag {
            series,
            caught_up_ns: None,
            interval: INTERVAL_MIN.max(spec.length() / STORED),
            next_stored_ns: load_start_ns,
            latest: None,
        }
    }

    /// At the latest now a backlog is caught up with.
    pub(super) fn catch_up(&mut self, now_ns: u64) {
        self.caught_up_ns.get_or_insert(now_ns);
    }

    /// Takes a sample from the ends of the partitions, for which the cluster was asked at `asked_ns`.
    pub(super) fn sample(&mut self, spec: &LoadSpec, asked_ns: u64, ends: &[Vec<i64>], scene: &Scene<'_>) {
        let now_ns = scene.now_ns;
        if now_ns.saturating_sub(asked_ns) > LATENESS_MAX_NS {
            return;
        }
        let lag_of = |series: &PartitionLag| {
            let partition = TopicPartition {
                topic: series.topic,
                partition: series.partition,
            };
            let end = entry_of(ends, partition).copied().unwrap_or(0);
            let position = scene.positions.of(series.group as usize, partition);
            u64::try_from(end - position.unwrap_or(0).max(0)).unwrap_or(0)
        };
        let sample: Vec<u64> = self.series.partitions.iter().map(lag_of).collect();
        let gone = (rate(spec) * GONE_WITHIN_SECONDS).max(GONE_RECORDS);
        let groups = 0..u32::try_from(scene.terms.groups.len()).unwrap_or(u32::MAX);
        let lag_of_group = |group: u32| -> u64 {
            let partitions = self.series.partitions.iter().zip(&sample);
            partitions
                .filter(|(series, _)| series.group == group)
                .map(|(_, lag)| lag)
                .sum()
        };
        let furthest = groups.map(lag_of_group).max().unwrap_or(0);
        if spec.has_backlog() && furthest as f64 <= gone && self.caught_up_ns.is_none() {
            self.caught_up_ns = Some(match self.latest {
                Some(before) => crossing(before, (now_ns, furthest), gone),
                None => now_ns,
            });
            self.next_stored_ns = now_ns;
        }
        self.latest = Some((now_ns, furthest));
        if now_ns < self.next_stored_ns {
            return;
        }
        // A pause of the sampling must not be made up for.
        self.next_stored_ns = after(now_ns, self.interval.saturating_sub(INTERVAL_MIN / 2));
        self.series.at_ns.push(now_ns);
        for (partition, lag) in self.series.partitions.iter_mut().zip(sample) {
            partition.lag.push(lag);
        }
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

/// Records per second of a load, on average.
fn rate(load: &LoadSpec) -> f64 {
    load.schedule.expected() / (load.schedule.duration_ns() as f64 / 1e9)
}
