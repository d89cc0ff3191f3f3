//! The rules against queues whose load is known: three members share four partitions, so that one holds two and is twice
//! as full as the others.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "moments of a simulated window"
)]

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::stream::{POINTS_MIN, SAMPLE_SECONDS};
use super::*;
use crate::measure::latency::Latencies;
use crate::measure::{
    LagSeries, LoadJudgement, LoadVerdict, MemberMeasurement, Overload, PartitionLag, PartitionMeasurement,
    ReadingTime, TopicPartition, WAIT_SLICES, WaitSlice,
};

const NS: f64 = 1e9;
const WORK_SECONDS: f64 = 0.003;
/// The partitions of each member.
const HELD: [&[usize]; 3] = [&[0, 3], &[1], &[2]];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Queue {
    /// Even gaps, constant work.
    Dd1,
    /// Random gaps, constant work.
    Md1,
    /// Random gaps and work.
    Mm1,
}

/// A load on the busiest member, as a share of what it can do.
#[derive(Debug, Clone, Copy)]
struct Scene {
    queue: Queue,
    load: f64,
    window_seconds: f64,
    warmup_seconds: f64,
    seed: u64,
}

/// What the members and the sampling of the lag recorded.
struct Played {
    members: Vec<MemberMeasurement>,
    lag: LagSeries,
    per_second: BTreeMap<TopicPartition, f64>,
}

/// One record of a member's queue.
struct Served {
    partition: usize,
    arrived: f64,
    done: f64,
}

fn place(partition: usize) -> TopicPartition {
    TopicPartition {
        topic: 0,
        partition: number(partition),
    }
}

fn number(partition: usize) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

impl Scene {
    fn end(&self) -> f64 {
        self.warmup_seconds + self.window_seconds
    }

    fn window_ns(&self) -> (u64, u64) {
        ((self.warmup_seconds * NS) as u64, (self.end() * NS) as u64)
    }

    /// Records per second of each partition.
    fn rate(&self) -> f64 {
        self.load / WORK_SECONDS / HELD[0].len() as f64
    }

    fn play(&self) -> Played {
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut exponential = |mean: f64| -(1.0 - random.random::<f64>()).ln() * mean;
        let gap = 1.0 / self.rate() / 4.0;
        let (mut free, mut members) = ([0.0; 3], HELD.map(Scene::member));
        let mut served: Vec<Served> = Vec::new();
        let (mut at, mut number) = (gap, 0);
        while at < self.end() {
            let partition = number % 4;
            let member = HELD.iter().position(|held| held.contains(&partition)).unwrap_or(0);
            let work = if self.queue == Queue::Mm1 {
                exponential(WORK_SECONDS)
            } else {
                WORK_SECONDS
            };
            let started = at.max(free[member]);
            self.record(&mut members[member], partition, (at, free[member], started, work));
            free[member] = started + work;
            served.push(Served {
                partition,
                arrived: at,
                done: free[member],
            });
            number += 1;
            at += if self.queue == Queue::Dd1 {
                gap
            } else {
                exponential(gap)
            };
        }
        for (member, free) in members.iter_mut().zip(free) {
            self.idle(member, free, self.end());
        }
        Played {
            lag: self.sample(&served, exponential(1.0) % SAMPLE_SECONDS),
            per_second: (0..4).map(|partition| (place(partition), self.rate())).collect(),
            members: members.into(),
        }
    }

    fn member(held: &[usize]) -> MemberMeasurement {
        let partition = |partition: &usize| PartitionMeasurement {
            partition: number(*partition),
            latencies: Some(Latencies::default()),
            waits: vec![WaitSlice::default(); WAIT_SLICES],
            ..PartitionMeasurement::default()
        };
        MemberMeasurement {
            process: held[0] as u32,
            assigned: held.iter().map(|p| place(*p)).collect(),
            partitions: held.iter().map(partition).collect(),
            reading: Some(ReadingTime {
                working_threads: 1,
                ..ReadingTime::default()
            }),
            ..MemberMeasurement::default()
        }
    }

    /// Times are when it arrived, when the member was free, when the work started, and how long it took.
    fn record(&self, member: &mut MemberMeasurement, partition: usize, times: (f64, f64, f64, f64)) {
        let (at, free, started, work) = times;
        self.idle(member, free, started);
        if at < self.warmup_seconds {
            return;
        }
        let found = member.partitions.iter_mut().find(|p| p.partition == number(partition));
        let Some(found) = found else { return };
        let slice = (at - self.warmup_seconds) / self.window_seconds * WAIT_SLICES as f64;
        found.waits[(slice as usize).min(WAIT_SLICES - 1)].add(WaitSlice {
            records: 1,
            waited_ns: ((started - at) * NS) as u64,
        });
        let latencies = found.latencies.get_or_insert_default();
        latencies.work.record_ns((work * NS) as u64);
    }

    fn idle(&self, member: &mut MemberMeasurement, from: f64, until: f64) {
        let seconds = (until.min(self.end()) - from.max(self.warmup_seconds)).max(0.0);
        if let Some(reading) = &mut member.reading {
            reading.idle_ns += (seconds * NS) as u64;
        }
    }

    /// The ends of the partitions are looked up now; positions are as old as their last report.
    fn sample(&self, served: &[Served], reported_at: f64) -> LagSeries {
        let samples = (1..).map(|number| f64::from(number) * SAMPLE_SECONDS - 0.05);
        let times: Vec<f64> = samples.take_while(|time| *time < self.end()).collect();
        let served_from =
            |partition: usize| -> Vec<&Served> { served.iter().filter(|s| s.partition == partition).collect() };
        let lag = |partition| {
            let records = served_from(partition);
            let lag = |time: &f64| {
                let position_at = ((time - reported_at) / SAMPLE_SECONDS).floor() * SAMPLE_SECONDS + reported_at;
                let arrived = records.partition_point(|record| record.arrived <= *time);
                (arrived - records.partition_point(|record| record.done <= position_at)) as u64
            };
            PartitionLag {
                group: 0,
                topic: 0,
                partition: number(partition),
                lag: times.iter().map(lag).collect(),
            }
        };
        LagSeries {
            partitions: (0..4).map(lag).collect(),
            at_ns: times.iter().map(|time| (time * NS) as u64).collect(),
        }
    }

    fn judge_played(&self, played: &Played) -> (LoadJudgement, Option<Overload>) {
        judge(&Observed {
            members: &played.members,
            lag: &played.lag,
            window_ns: self.window_ns(),
            per_second: &played.per_second,
            gap_variation: if self.queue == Queue::Dd1 { 0.0 } else { 1.0 },
            has_keys: false,
            servers: Servers::Member,
            has_backlog: false,
        })
    }

    fn judge(&self) -> (LoadJudgement, Option<Overload>) {
        self.judge_played(&self.play())
    }
}

/// What may be said of a load in a window of any length, and in one of at least 20 s.
fn check(scene: Scene) {
    let (judgement, overload) = scene.judge();
    let (verdict, context) = (judgement.verdict, format!("{scene:?}: {judgement:?}"));
    assert_eq!(overload.is_some(), verdict == LoadVerdict::Overloaded, "{context}");
    if scene.load >= 1.05 {
        assert_ne!(verdict, LoadVerdict::Holds, "{context}");
    }
    if scene.load <= 0.9 {
        assert_ne!(verdict, LoadVerdict::Overloaded, "{context}");
    }
    if scene.window_seconds >= 20.0 && scene.load >= 1.1 {
        assert_eq!(verdict, LoadVerdict::Overloaded, "{context}");
    }
    if scene.window_seconds >= 20.0 && scene.load <= 0.8 {
        assert_eq!(verdict, LoadVerdict::Holds, "{context}");
    }
}

const LOADS: [f64; 10] = [0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.3];
const QUEUES: [Queue; 3] = [Queue::Dd1, Queue::Md1, Queue::Mm1];
const WINDOWS: [f64; 4] = [4.0, 8.0, 20.0, 60.0];

#[test]
fn thirty_loads_are_judged_right_in_windows_of_every_length() {
    let seeds = std::env::var("TANDEM_OVERLOAD_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok());
    for seed in 0..seeds.unwrap_or(1) {
        for (queue, load) in QUEUES.iter().flat_map(|queue| LOADS.map(|load| (*queue, load))) {
            for window_seconds in WINDOWS {
                let warmup_seconds = if seed % 2 == 0 { 1.0 } else { 0.0 };
                check(Scene {
                    queue,
                    load,
                    window_seconds,
                    warmup_seconds,
                    seed,
                });
            }
        }
    }
}

fn scene(load: f64, window_seconds: f64) -> Scene {
    Scene {
        queue: Queue::Md1,
        load,
        window_seconds,
        warmup_seconds: 1.0,
        seed: 7,
    }
}

#[test]
fn the_fullest_member_is_named_with_how_full_it_is_and_by_how_much_it_fell_behind() {
    let (judgement, overload) = scene(1.2, 20.0).judge();
    assert!(
        judgement.who.contains("process 1") || judgement.who.contains("partition"),
        "{judgement:?}"
    );
    assert!((1.15..1.25).contains(&judgement.fullness), "{judgement:?}");
    // A sixth of the 400 records per second of the two partitions of one member; the others keep up.
    let grown = overload.map_or(0.0, |overload| overload.lag_growth_per_second);
    assert!((50.0..85.0).contains(&grown), "{grown}");
}

#[test]
fn a_short_window_cannot_say_what_a_long_one_can_and_both_say_what_they_resolve() {
    let random = |window| Scene {
        queue: Queue::Mm1,
        ..scene(0.95, window)
    };
    let [short, long] = [4.0, 60.0].map(|window| random(window).judge().0);
    assert_eq!(
        (short.verdict, long.verdict),
        (LoadVerdict::CannotSay, LoadVerdict::Holds)
    );
    assert!(short.resolution > 2.0 * long.resolution, "{short:?} {long:?}");
    let expected = resolution_expected(0.95 / WORK_SECONDS * 4.0, 1.5, 4.0);
    assert!(
        (0.7..1.5).contains(&(short.resolution / expected)),
        "{short:?}, {expected}"
    );
}

#[test]
fn a_partition_whose_lag_grows_is_an_overload_though_its_member_is_mostly_idle() {
    let scene = scene(0.4, 20.0);
    let mut played = scene.play();
    for (number, lag) in (0u64..).zip(&mut played.lag.partitions[3].lag) {
        *lag += number * 2;
    }
    let (judgement, overload) = scene.judge_played(&played);
    assert_eq!(judgement.verdict, LoadVerdict::Overloaded, "{judgement:?}");
    assert!(judgement.who.contains("partition 3"), "{judgement:?}");
    let grown = overload.map_or(0.0, |overload| overload.lag_growth_per_second);
    assert!((15.0..25.0).contains(&grown), "{grown}");
}

#[test]
fn waiting_that_rises_is_an_overload_even_where_the_lag_was_not_sampled() {
    let scene = scene(1.2, 20.0);
    let mut played = scene.play();
    played.lag = LagSeries::default();
    let (judgement, overload) = scene.judge_played(&played);
    assert_eq!(judgement.verdict, LoadVerdict::Overloaded, "{judgement:?}");
    let grown = overload.map_or(0.0, |overload| overload.lag_growth_per_second);
    assert!((50.0..85.0).contains(&grown), "{grown}");
}

#[test]
fn without_time_in_work_the_lag_alone_decides_and_says_less() {
    let without = |load| {
        let scene = scene(load, 20.0);
        let mut played = scene.play();
        for member in &mut played.members {
            member.reading = None;
            member.partitions.iter_mut().for_each(|p| p.waits.clear());
        }
        scene.judge_played(&played).0.verdict
    };
    assert_eq!(without(1.2), LoadVerdict::Overloaded);
    assert_ne!(without(0.8), LoadVerdict::Overloaded);
    assert_ne!(without(1.05), LoadVerdict::Holds);
}

/// A window of 20 s in which lag and waiting are these seconds at each moment, and the server is idle for this share.
fn series(idle: f64, of: impl Fn(f64) -> f64) -> Stream {
    let points = |count: u32| {
        let times = (0..count).map(|number| (f64::from(number) + 0.5) * 20.0 / f64::from(count));
        times.map(|time| (time, of(time))).collect()
    };
    Stream {
        error_squared: 1.0 / 5_000.0,
        idle: Some(idle),
        waits: points(20),
        lag: points(200),
    }
}

#[test]
fn a_steady_lag_and_pauses_that_are_made_up_for_are_no_overload() {
    assert_eq!(series(0.3, |_| 0.4).find(20.0).verdict, LoadVerdict::Holds);
    for from in [0.0, 5.0, 10.0, 14.0] {
        let pause = |at: f64| {
            if (from..from + 1.0).contains(&at) {
                1.0 - (at - from)
            } else {
                0.0
            }
        };
        let found = series(0.3, pause).find(20.0);
        assert_eq!(found.verdict, LoadVerdict::Holds, "from {from}: {found:?}");
    }
    let at_the_end = series(0.3, |at| (at - 18.0).max(0.0)).find(20.0);
    assert_ne!(at_the_end.verdict, LoadVerdict::Overloaded, "{at_the_end:?}");
}

#[test]
fn a_lag_that_grows_while_the_server_waits_is_an_overload_all_the_same() {
    // As under a quota: the member has time, its records do not come.
    let found = series(0.6, |at| at * 0.2).find(20.0);
    assert_eq!(found.verdict, LoadVerdict::Overloaded, "{found:?}");
}

#[test]
fn too_few_points_cannot_say() {
    let mut few = series(0.5, |_| 0.0);
    few.waits.clear();
    few.lag.truncate(POINTS_MIN - 1);
    assert_eq!(few.find(20.0).verdict, LoadVerdict::CannotSay);
}
