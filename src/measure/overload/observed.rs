//! From what the members of a trial recorded, and the lag that was sampled, to the streams that are judged.

use std::collections::BTreeMap;

use super::stream::{Finding, POINTS_MIN, Stream, line};
use crate::measure::ledger::partition_name;
use crate::measure::load::{LagSeries, LoadJudgement, LoadVerdict, Overload, PartitionLag};
use crate::measure::member::{MemberMeasurement, PartitionMeasurement, TopicPartition, WAIT_SLICES, WaitSlice};

const NS_PER_SECOND: f64 = 1e9;

/// What works the records of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Servers {
    /// The member: one thread, or several that work whatever comes.
    Member,
    /// Threads that each work one partition at a time, in its order.
    Partitions,
}

/// All that a verdict on a load is made of.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Every member of the trial.
    pub members: &'a [MemberMeasurement],
    /// The lag through the trial.
    pub lag: &'a LagSeries,
    /// Start and end of the window.
    pub window_ns: (u64, u64),
    /// Records per second that arrived in each partition.
    pub per_second: &'a BTreeMap<TopicPartition, f64>,
    /// Squared coefficient of variation of the gaps between the records of all partitions.
    pub gap_variation: f64,
    /// True where keys choose the partition; without them all partitions take turns.
    pub has_keys: bool,
    /// What works the records of a member.
    pub servers: Servers,
    /// True where a backlog was read besides: how long members were idle then says nothing of the arrivals.
    pub has_backlog: bool,
}

/// A stream with whose it is.
struct Named {
    name: String,
    group: u32,
    partitions: Vec<TopicPartition>,
    stream: Stream,
}

/// True where the samples of a window are enough to see the lag grow.
pub fn is_seen(lag: &LagSeries, window_ns: (u64, u64)) -> bool {
    lag.at_ns.iter().filter(|at_ns| is_inside(window_ns, **at_ns)).count() >= POINTS_MIN
}

fn is_inside((from_ns, end_ns): (u64, u64), at_ns: u64) -> bool {
    (from_ns..=end_ns).contains(&at_ns)
}

/// Judges every member and every partition. The verdict on the trial is the worst of them, and of those that share it
/// the fullest is named.
pub fn judge(observed: &Observed<'_>) -> (LoadJudgement, Option<Overload>) {
    let seconds = observed.window_seconds();
    let streams = observed.streams();
    let found: Vec<(&Named, Finding)> = streams.iter().map(|s| (s, s.stream.find(seconds))).collect();
    let verdict = found
        .iter()
        .map(|(_, f)| f.verdict)
        .max()
        .unwrap_or(LoadVerdict::CannotSay);
    let those = || found.iter().filter(|(_, f)| f.verdict == verdict);
    let fullest = those().max_by(|a, b| a.1.fullness.total_cmp(&b.1.fullness));
    let judgement = LoadJudgement {
        verdict,
        who: fullest.map(|(named, _)| named.name.clone()).unwrap_or_default(),
        fullness: fullest.map_or(0.0, |(_, f)| f.fullness),
        resolution: those().map(|(_, f)| f.resolution).fold(0.0, f64::max),
    };
    let overload = (verdict == LoadVerdict::Overloaded).then(|| observed.overload(those().copied()));
    (judgement, overload)
}

impl Observed<'_> {
    fn window_seconds(&self) -> f64 {
        self.window_ns.1.saturating_sub(self.window_ns.0) as f64 / NS_PER_SECOND
    }

    fn rate(&self, partition: TopicPartition) -> f64 {
        self.per_second.get(&partition).copied().unwrap_or(0.0)
    }

    fn streams(&self) -> Vec<Named> {
        let mut streams = Vec::new();
        for member in self.members {
            let held: Vec<TopicPartition> = member
                .assigned
                .iter()
                .copied()
                .filter(|p| self.rate(*p) > 0.0)
                .collect();
            if held.is_empty() {
                continue;
            }
            let parts: Vec<&PartitionMeasurement> = member.partitions.iter().collect();
            let idle = self.idle_of(member);
            let server = self.server(&held, &parts, idle);
            for partition in held.iter().filter(|_| held.len() > 1) {
                let is_same =
                    |p: &&PartitionMeasurement| (p.topic, p.partition) == (partition.topic, partition.partition);
                let parts: Vec<&PartitionMeasurement> = member.partitions.iter().filter(is_same).collect();
                let stream = match self.servers {
                    Servers::Member => server.clone(),
                    Servers::Partitions => self.server(&[*partition], &parts, self.idle_beside(&parts, idle)),
                };
                streams.push(self.named(member.group, partition_name(*partition), &[*partition], &parts, &stream));
            }
            streams.push(self.named(member.group, member.name(), &held, &parts, &server));
        }
        streams
    }

    /// The stream of a server without its series.
    fn server(&self, held: &[TopicPartition], parts: &[&PartitionMeasurement], idle: Option<f64>) -> Stream {
        let rate: f64 = held.iter().map(|p| self.rate(*p)).sum();
        let records = rate * self.window_seconds();
        let share = rate / self.per_second.values().sum::<f64>();
        // Keys send records to a partition at random, however evenly they are sent; taking turns evens their number out.
        let gap_variation = if self.has_keys {
            self.gap_variation.max(1.0)
        } else {
            self.gap_variation * share
        };
        let works = parts.iter().filter_map(|p| Some(&p.latencies.as_ref()?.work));
        let work_variation = crate::measure::latency::variation(works).unwrap_or(1.0);
        Stream {
            error_squared: (gap_variation + work_variation) / records.max(1.0),
            idle,
            ..Stream::default()
        }
    }

    fn named(
        &self,
        group: u32,
        name: String,
        partitions: &[TopicPartition],
        parts: &[&PartitionMeasurement],
        server: &Stream,
    ) -> Named {
        Named {
            name,
            group,
            stream: Stream {
                waits: self.waits(parts),
                lag: self.lag(group, partitions),
                ..server.clone()
            },
            partitions: partitions.to_vec(),
        }
    }

    /// Share of the window in which a member had nothing to work.
    fn idle_of(&self, member: &MemberMeasurement) -> Option<f64> {
        let reading = member.reading.filter(|r| r.working_threads > 0 && !self.has_backlog)?;
        let threads_seconds = f64::from(reading.working_threads) * self.window_seconds();
        Some((reading.idle_ns as f64 / NS_PER_SECOND / threads_seconds).clamp(0.0, 1.0))
    }

    /// Share of the window in which no thread worked a partition, where one thread at a time may.
    fn idle_beside(&self, parts: &[&PartitionMeasurement], measured: Option<f64>) -> Option<f64> {
        measured?;
        let works = parts.iter().filter_map(|p| Some(&p.latencies.as_ref()?.work));
        let busy_ns: f64 = works
            .filter_map(|work| Some(work.mean_ns()? * work.count() as f64))
            .sum();
        Some((1.0 - busy_ns / NS_PER_SECOND / self.window_seconds()).max(0.0))
    }

    fn waits(&self, parts: &[&PartitionMeasurement]) -> Vec<(f64, f64)> {
        let mut slices = [WaitSlice::default(); WAIT_SLICES];
        for (number, slice) in parts.iter().flat_map(|p| slices_of(p)) {
            slices[number].add(slice);
        }
        let length = self.window_seconds() / WAIT_SLICES as f64;
        let known = slices.iter().enumerate().filter(|(_, slice)| slice.records > 0);
        known
            .map(|(number, slice)| {
                let mean = slice.waited_ns as f64 / slice.records as f64 / NS_PER_SECOND;
                ((number as f64 + 0.5) * length, mean)
            })
            .collect()
    }

    /// The lag of these partitions together, in seconds of their arrivals.
    fn lag(&self, group: u32, partitions: &[TopicPartition]) -> Vec<(f64, f64)> {
        let per_second: f64 = partitions.iter().map(|p| self.rate(*p)).sum();
        let points = self.lag_records(group, partitions);
        points.into_iter().map(|(at, lag)| (at, lag / per_second)).collect()
    }

    fn lag_records(&self, group: u32, partitions: &[TopicPartition]) -> Vec<(f64, f64)> {
        let is_held = |lag: &&PartitionLag| {
            let (topic, partition) = (lag.topic, lag.partition);
            lag.group == group && partitions.contains(&TopicPartition { topic, partition })
        };
        let all: Vec<&PartitionLag> = self.lag.partitions.iter().filter(is_held).collect();
        let samples = self
            .lag
            .at_ns
            .iter()
            .enumerate()
            .filter(|(_, at_ns)| is_inside(self.window_ns, **at_ns));
        samples
            .map(|(sample, at_ns)| {
                let lag: u64 = all.iter().filter_map(|partition| partition.lag.get(sample)).sum();
                ((at_ns - self.window_ns.0) as f64 / NS_PER_SECOND, lag as f64)
            })
            .collect()
    }

    /// By how much the overloaded streams fell behind; a partition of an overloaded member counts once.
    fn overload<'a>(&self, those: impl Iterator<Item = (&'a Named, Finding)>) -> Overload {
        let mut growth: BTreeMap<(u32, TopicPartition), f64> = BTreeMap::new();
        for (named, finding) in those {
            for partition in &named.partitions {
                let (sampled, _) = line(&self.lag_records(named.group, &[*partition]));
                // Where the lag was not sampled, the waiting says how it grew.
                let grown = if named.stream.lag.is_empty() {
                    finding.growth * self.rate(*partition)
                } else {
                    sampled
                };
                growth.insert((named.group, *partition), grown);
            }
        }
        let last = self
            .lag
            .at_ns
            .iter()
            .rposition(|at_ns| is_inside(self.window_ns, *at_ns));
        let totals = self.lag.totals();
        Overload {
            lag_growth_per_second: growth.values().sum(),
            lag_at_end: last.and_then(|sample| totals.get(sample).copied()).unwrap_or(0),
        }
    }
}

/// The slices of a partition with their numbers; none of a worker that divides the window otherwise.
fn slices_of(part: &PartitionMeasurement) -> impl Iterator<Item = (usize, WaitSlice)> {
    let slices = if part.waits.len() == WAIT_SLICES {
        &part.waits[..]
    } else {
        &[]
    };
    slices.iter().copied().enumerate()
}
