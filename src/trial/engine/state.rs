//! What the state machine of a trial knows of the load, once it has begun.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::measure::latency::PackedLatency;
use crate::measure::{LagSeries, PartitionLag, SecondOfLatency, TopicPartition};
use crate::protocol::entry_of;
use crate::trial::spec::LoadSpec;

/// The shortest time between two samples of the lag. Positions come every 100 ms.
pub(super) const LAG_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// Samples that are stored of a trial, about: of longer trials fewer are, so that what is stored stays bounded.
const LAG_SAMPLES: u32 = 600;

/// What the machine knows of the load that has begun.
#[derive(Debug)]
pub(crate) struct LoadState {
    /// The common start of the producers.
    pub(crate) start_ns: u64,
    /// The end of the load.
    pub(crate) end_ns: u64,
    pub(super) next_sample_ns: u64,
    /// From one stored sample to the next.
    pub(super) interval: Duration,
    pub(super) next_stored_ns: u64,
    /// A question for the ends is under way, since when; it was asked after the last producer's result, or before.
    pub(super) asked: Option<(Asked, u64)>,
    /// The ends of all partitions once nothing arrives any more.
    pub(crate) ends: Option<Vec<Vec<i64>>>,
    pub(crate) lag: LagSeries,
    pub(crate) caught_up_ns: Option<u64>,
    /// The latest sample: when, and the lag of the group that was furthest behind.
    pub(super) lag_before: Option<(u64, u64)>,
    pub(super) seconds: BTreeMap<u32, PackedLatency>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    ForLag,
    ForTheEnd,
}

impl LoadState {
    /// The load that begins with the reading, at `start_ns`.
    pub(super) fn new(spec: &LoadSpec, groups: usize, start_ns: u64) -> Self {
        let mut lag = LagSeries::default();
        for group in (0u32..).take(groups) {
            for (topic, partitions) in (0u32..).zip(&spec.backlog_ends) {
                for partition in (0i32..).take(partitions.len()) {
                    lag.partitions.push(PartitionLag {
                        group,
                        topic,
                        partition,
                        lag: Vec::new(),
                    });
                }
            }
        }
        let load_start_ns = after(start_ns, spec.lead);
        LoadState {
            start_ns: load_start_ns,
            end_ns: after(start_ns, spec.length()),
            next_sample_ns: load_start_ns,
            next_stored_ns: load_start_ns,
            interval: LAG_INTERVAL_MIN.max(spec.length() / LAG_SAMPLES),
            asked: None,
            ends: None,
            lag,
            caught_up_ns: None,
            lag_before: None,
            seconds: BTreeMap::new(),
        }
    }

    /// One past the last record of a partition, once that is known; before, nothing is at its end.
    pub(crate) fn end_of(&self, partition: TopicPartition) -> i64 {
        let ends = self.ends.as_ref();
        let end = ends.and_then(|ends| entry_of(ends, partition).copied());
        end.unwrap_or(i64::MAX)
    }

    /// Response times by the second, in order.
    pub(crate) fn take_seconds(&mut self) -> Vec<SecondOfLatency> {
        let seconds = std::mem::take(&mut self.seconds).into_iter();
        seconds
            .map(|(second, response)| SecondOfLatency { second, response })
            .collect()
    }
}

pub(super) fn after(now_ns: u64, delay: Duration) -> u64 {
    now_ns.saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX))
}
