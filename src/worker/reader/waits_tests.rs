//! How long stamped records waited, in all ways of reading: on records in memory, in trials that end when they are stopped.
#![allow(clippy::unwrap_used)]

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::memory::{MemoryMessage, MemoryRecord, MemorySource, Nowhere, partitions, target};
use super::reading::Early;
use super::source::Source;
use super::waits::{Handling, Waits};
use super::{ReadAccounts, Reader, ReaderResult, WaitOrder};
use crate::load::Stamp;
use crate::measure::latency::{Latencies, LatencyPart};
use crate::measure::{OffsetRun, SecondOfLatency, clock};
use crate::protocol::StampOrder;
use crate::scenario::{Work, WorkOrdering};
use crate::worker::seconds::take_all;
use crate::worker::shared::MemberShared;

const SECOND_NS: u64 = 1_000_000_000;

/// The ways of reading that measure by different code, or take records differently.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Batch,
    Poll,
    Stream,
    /// Two reading threads.
    Lanes,
    /// Two working threads that the reader hands records to.
    Pool(WorkOrdering),
}

const WAYS: [Way; 6] = [
    Way::Batch,
    Way::Poll,
    Way::Stream,
    Way::Lanes,
    Way::Pool(WorkOrdering::Key),
    Way::Pool(WorkOrdering::None),
];

/// A source that serves its own membership and hands over one record at a time, as a stream does.
struct Streamed(MemorySource);

impl Source for Streamed {
    type Message<'s> = MemoryMessage<'s>;

    const SERVES_MEMBERSHIP: bool = true;

    fn take<'s>(&'s self, batch: &mut Vec<MemoryMessage<'s>>) {
        self.0.take(batch);
    }

    fn wait<'s>(&'s self, batch: &mut Vec<MemoryMessage<'s>>, timeout: Duration) {
        self.0.wait(batch, timeout);
    }
}

/// A reading of partitions without an end.
struct Scene {
    way: Way,
    work: Work,
    partitions: i32,
    /// The first offset of each partition that has a stamp.
    stamped_from: i64,
    start_ns: u64,
    order: StampOrder,
    records: Vec<MemoryRecord>,
}

struct Outcome {
    result: ReaderResult,
    seconds: Vec<SecondOfLatency>,
}

impl Scene {
    /// Two partitions, all of whose records are stamped and in the window.
    fn of(way: Way, records: Vec<MemoryRecord>) -> Self {
        Scene {
            way,
            work: Work::None,
            partitions: 2,
            stamped_from: 0,
            start_ns: clock::now_ns().saturating_sub(10 * SECOND_NS),
            order: StampOrder {
                duration_ns: 3_600 * SECOND_NS,
                ..StampOrder::default()
            },
            records,
        }
    }

    fn reader<'a, S: Source>(
        &self,
        source: &'a S,
        shared: &'a MemberShared,
        lane: usize,
        waits: &'a WaitOrder,
    ) -> Reader<'a, S, Nowhere> {
        let ordering = match self.way {
            Way::Pool(ordering) => ordering,
            _ => WorkOrdering::Partition,
        };
        Reader {
            capacity: match self.way {
                Way::Poll | Way::Stream => 1,
                _ => 1_000,
            },
            ordering,
            work_ns: self.work.ns(),
            start_ns: self.start_ns,
            waits: Some(waits),
            ..Reader::counting(source, &Nowhere, shared, lane)
        }
    }

    fn threads(&self) -> usize {
        if matches!(self.way, Way::Pool(_)) { 2 } else { 1 }
    }

    /// Reads everything, lets something happen, and is stopped.
    fn read(self, meanwhile: impl FnOnce(&MemberShared, &MemorySource) + Send) -> Outcome {
        let lanes = if self.way == Way::Lanes { 2 } else { 1 };
        let mut of_lanes = vec![Vec::new(); lanes];
        for record in &self.records {
            of_lanes[usize::try_from(record.partition).unwrap() % lanes].push(record.clone());
        }
        let sources: Vec<_> = of_lanes.into_iter().map(|of| Streamed(MemorySource::new(of))).collect();
        let shared = MemberShared::new(&[target(self.partitions, i64::MAX)], lanes, channel().0);
        shared.deal(&partitions(self.partitions));
        shared.begin_epochs(&partitions(self.partitions));
        let stamped_from = vec![self.stamped_from; usize::try_from(self.partitions).unwrap()];
        let order = StampOrder {
            stamped_from: vec![stamped_from],
            ..self.order.clone()
        };
        let waits = WaitOrder::new(&order, self.start_ns);
        let accounts = thread::scope(|scope| {
            scope.spawn(|| {
                meanwhile(&shared, &sources[0].0);
                await_all(&shared, &self.records);
                shared.stop();
                for source in &sources {
                    source.0.wake();
                }
            });
            let run = |lane: usize| -> ReadAccounts {
                let (work, threads) = (self.work, self.threads());
                match self.way {
                    Way::Stream => {
                        let reader = self.reader(&sources[lane], &shared, lane, &waits);
                        reader.run_work(work, threads, Early::none())
                    }
                    _ => {
                        let reader = self.reader(&sources[lane].0, &shared, lane, &waits);
                        reader.run_work(work, threads, Early::none())
                    }
                }
            };
            let other = (lanes == 2).then(|| scope.spawn(move || run(1)));
            let mut accounts = run(0);
            if let Some(other) = other {
                accounts.absorb(other.join().unwrap());
            }
            accounts
        });
        Outcome {
            result: accounts.into_result(&shared),
            seconds: take_all([shared.seconds()]),
        }
    }
}

/// Waits until the positions say that all records are finished.
fn await_all(shared: &MemberShared, records: &[MemoryRecord]) {
    let limit = Instant::now() + Duration::from_secs(20);
    for slot in shared.slots() {
        let mine = records.iter().filter(|r| r.partition == slot.partition.partition);
        let end = mine.map(|record| record.offset + 1).max();
        while slot.position() < end {
            assert!(Instant::now() < limit, "{:?} of {end:?}", slot.position());
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Outcome {
    /// The latencies of each partition.
    fn latencies(&self) -> Vec<&Latencies> {
        let all = self.result.partitions.iter();
        all.map(|read| read.latencies.as_ref().unwrap()).collect()
    }

    /// Records in each part's histogram, over all partitions.
    fn counts(&self) -> [u64; 5] {
        LatencyPart::ALL.map(|part| self.latencies().iter().map(|of| of.part(part).count()).sum())
    }

    fn counted_in_seconds(&self) -> u64 {
        self.seconds.iter().map(|second| second.response.unpack().count()).sum()
    }

    fn records(&self) -> u64 {
        self.result.partitions.iter().map(|read| read.records).sum()
    }
}

/// A record whose value is a stamp and something more.
fn stamped(partition: i32, offset: i64, intended_ns: u64, sent_ns: u64) -> MemoryRecord {
    let stamp = Stamp {
        intended_ns,
        sent_ns,
        producer: 0,
        sequence: offset.cast_unsigned(),
    };
    MemoryRecord {
        value: [&stamp.to_bytes()[..], b"and more"].concat().into(),
        ..unstamped(partition, offset)
    }
}

fn unstamped(partition: i32, offset: i64) -> MemoryRecord {
    MemoryRecord {
        partition,
        offset,
        key: Some([u8::try_from(offset % 5).unwrap()].into()),
        value: Box::default(),
        error: None,
    }
}

/// So many records of each of two partitions, in turns.
fn of_two(count: i64, record: impl Fn(i32, i64) -> MemoryRecord) -> Vec<MemoryRecord> {
    (0..count)
        .flat_map(|offset| [record(0, offset), record(1, offset)])
        .collect()
}

#[test]
fn beside_a_producer_only_its_records_are_measured_from_its_clock_to_the_readers() {
    for way in WAYS {
        let now_ns = clock::now_ns();
        // The other producer's clock is 100 s ahead.
        let record = |partition, offset: i64| {
            let (producer, intended_ns) = if offset % 2 == 0 {
                (0, now_ns + 100 * SECOND_NS)
            } else {
                (1, now_ns)
            };
            let stamp = Stamp {
                intended_ns,
                sent_ns: intended_ns,
                producer,
                sequence: offset.cast_unsigned(),
            };
            MemoryRecord {
                value: stamp.to_bytes()[..].into(),
                ..unstamped(partition, offset)
            }
        };
        let mut scene = Scene::of(way, of_two(10, record));
        scene.order.only_producer = Some(1);
        let outcome = scene.read(|_, _| {});
        assert_eq!(outcome.records(), 20, "{way:?}");
        // Producer delay, transit, queued, work, response.
        assert_eq!(outcome.counts(), [10, 10, 20, 20, 10], "{way:?}");
        assert_eq!(outcome.counted_in_seconds(), 10, "{way:?}");
    }
}

#[test]
fn the_parts_of_known_stamps_are_what_the_clock_says() {
    for way in WAYS {
        let intended_ns = clock::now_ns() - 1_000_000;
        let scene = Scene {
            work: Work::Wait { ns: 2_000_000 },
            ..Scene::of(
                way,
                of_two(10, |partition, offset| {
                    stamped(partition, offset, intended_ns, intended_ns + 250_000)
                }),
            )
        };
        let outcome = scene.read(|_, _| {});
        let end_ns = clock::now_ns();
        assert_eq!(outcome.counts(), [20; 5], "{way:?}");
        for of in outcome.latencies() {
            let mean_ns = |part| of.part(part).mean_ns().unwrap();
            let max_ns = |part| of.part(part).max_ns().unwrap();
            assert!(
                (mean_ns(LatencyPart::ProducerDelay) - 250_000.0).abs() < 1e-6,
                "{way:?}"
            );
            assert!(mean_ns(LatencyPart::Work) >= 2_000_000.0, "{way:?}");
            assert!(mean_ns(LatencyPart::Transit) >= 750_000.0, "{way:?}");
            // Three digits may round up.
            assert!(
                max_ns(LatencyPart::Response) <= (end_ns - intended_ns) / 999 * 1_000,
                "{way:?}"
            );
            // Nothing lies between the parts, and nothing in two of them.
            let parts: f64 = LatencyPart::ALL[..4].iter().map(|part| mean_ns(*part)).sum();
            assert!((mean_ns(LatencyPart::Response) - parts).abs() < 1e-3, "{way:?}");
            // Nine records of the partition come before the last one: in a batch they make it wait after it was
            // received, otherwise before.
            let (part, before_ns) = match way {
                Way::Poll | Way::Stream => (LatencyPart::Transit, 36_000_000),
                Way::Batch => (LatencyPart::Queued, 36_000_000),
                Way::Lanes => (LatencyPart::Queued, 18_000_000),
                // Two threads: at least five are one thread's.
                Way::Pool(_) => (LatencyPart::Queued, 8_000_000),
            };
            assert!(max_ns(part) >= before_ns, "{way:?}: {} ns", max_ns(part));
        }
    }
}

#[test]
fn the_window_is_cut_by_the_intended_time_and_seconds_are_not() {
    for way in WAYS {
        let scene = Scene::of(way, Vec::new());
        let start_ns = scene.start_ns;
        let window = [start_ns + 3 * SECOND_NS, start_ns + 6 * SECOND_NS];
        let intended = [window[0] - 1, window[0], window[1] - 1, window[1]];
        let scene = Scene {
            order: StampOrder {
                lead_ns: SECOND_NS,
                warmup_ns: 2 * SECOND_NS,
                duration_ns: 3 * SECOND_NS,
                ..StampOrder::default()
            },
            records: of_two(4, |partition, offset| {
                let intended_ns = intended[usize::try_from(offset).unwrap()];
                stamped(partition, offset, intended_ns, intended_ns)
            }),
            ..scene
        };
        let outcome = scene.read(|_, _| {});
        assert_eq!((outcome.records(), outcome.counts()), (8, [4; 5]), "{way:?}");
        assert_eq!(outcome.counted_in_seconds(), 8, "{way:?}");
        // The producers' start was nine seconds before the records were read.
        let latest = (clock::now_ns() - start_ns) / SECOND_NS - 1;
        for second in &outcome.seconds {
            assert!((9..=latest).contains(&u64::from(second.second)), "{way:?}: {second:?}");
        }
    }
}

#[test]
fn a_backlog_is_counted_and_worked_and_takes_no_part_in_latencies() {
    for (way, work) in WAYS
        .into_iter()
        .flat_map(|way| [(way, Work::None), (way, Work::Cpu { ns: 100 })])
    {
        let now_ns = clock::now_ns();
        let mixed = |partition, offset| match offset {
            0..1_500 => unstamped(partition, offset),
            _ => stamped(partition, offset, now_ns, now_ns),
        };
        // Stretches of one partition, as a broker sends them.
        let stretches = (0..1_600).step_by(400).flat_map(|from| {
            (0..2).flat_map(move |partition| (from..from + 400).map(move |offset| mixed(partition, offset)))
        });
        let scene = Scene {
            work,
            stamped_from: 1_500,
            ..Scene::of(way, stretches.collect())
        };
        let outcome = scene.read(|_, _| {});
        assert_eq!(outcome.result.failure, None, "{way:?}");
        for read in &outcome.result.partitions {
            let run = OffsetRun {
                first: 0,
                end: 1_600,
                epoch: 1,
            };
            assert_eq!(read.runs.as_deref(), Some(&[run][..]), "{way:?}");
            assert_eq!((read.records, read.bytes), (1_600, 1_600), "{way:?}");
        }
        assert_eq!(outcome.counts(), [200; 5], "{way:?}");
        assert_eq!(outcome.counted_in_seconds(), 200, "{way:?}");
    }
}

#[test]
fn a_second_that_is_over_does_not_wait_for_the_next_record_or_the_end() {
    for way in WAYS {
        let now_ns = clock::now_ns();
        let records = of_two(50, |partition, offset| stamped(partition, offset, now_ns, now_ns));
        let scene = Scene {
            // The second under way has 200 ms to go.
            start_ns: now_ns - 10 * SECOND_NS + SECOND_NS / 5,
            ..Scene::of(way, records)
        };
        let mut early = 0;
        let outcome = scene.read(|shared, _| {
            // What the second has to go, an idle reader's wait, and time for a busy machine.
            let limit = Instant::now() + Duration::from_secs(5);
            while early < 100 && Instant::now() < limit {
                early += take_all([shared.seconds()])
                    .iter()
                    .map(|second| second.response.unpack().count())
                    .sum::<u64>();
                thread::sleep(Duration::from_millis(10));
            }
        });
        assert_eq!((early, outcome.counted_in_seconds()), (100, 0), "{way:?}");
    }
}

#[test]
fn a_record_ends_in_the_second_in_which_its_work_was_done() {
    let shared = MemberShared::new(&[target(1, i64::MAX)], 1, channel().0);
    let order = StampOrder {
        lead_ns: SECOND_NS,
        duration_ns: 10 * SECOND_NS,
        stamped_from: vec![vec![0]],
        ..StampOrder::default()
    };
    let start_ns = 5 * SECOND_NS;
    let order = WaitOrder::new(&order, start_ns);
    let origin_ns = start_ns + SECOND_NS;
    let mut waits = Waits::new(&order, &shared);
    let mut finish = |after_ns: u64| {
        let stamp = Stamp {
            intended_ns: origin_ns,
            sent_ns: origin_ns,
            producer: 0,
            sequence: 0,
        };
        let finished_ns = origin_ns + after_ns;
        let handling = Handling {
            received_ns: finished_ns,
            started_ns: finished_ns,
            finished_ns,
        };
        waits.finished(0, Some(stamp), handling);
        let over = take_all([shared.seconds()]);
        over.iter()
            .map(|s| (s.second, s.response.unpack().count()))
            .collect::<Vec<_>>()
    };
    assert_eq!(finish(10), []);
    assert_eq!(finish(SECOND_NS - 1), []);
    assert_eq!(finish(SECOND_NS), [(0, 2)]);
    assert_eq!(finish(4 * SECOND_NS + 1), [(1, 1)]);
    waits.passed(origin_ns + 5 * SECOND_NS - 1);
    assert_eq!(take_all([shared.seconds()]), []);
    waits.passed(origin_ns + 5 * SECOND_NS);
    let over = take_all([shared.seconds()]);
    assert_eq!(
        (over.len(), over[0].second, over[0].response.unpack().count()),
        (1, 4, 1)
    );
    waits.passed(origin_ns + 9 * SECOND_NS);
    waits.close();
    assert_eq!(
        take_all([shared.seconds()]),
        [],
        "a second without records says nothing"
    );
}

#[test]
fn a_value_too_short_for_a_stamp_is_a_failure_of_the_reader() {
    for way in WAYS {
        let now_ns = clock::now_ns();
        let records = of_two(6, |partition, offset| match (partition, offset) {
            (1, 2 | 4) => MemoryRecord {
                value: [7; 23].into(),
                ..unstamped(partition, offset)
            },
            _ => stamped(partition, offset, now_ns, now_ns),
        });
        let outcome = Scene::of(way, records).read(|_, _| {});
        let failure = outcome.result.failure.clone().unwrap();
        assert!(
            failure.starts_with("2 of the records that should begin with a stamp of 24 bytes have none: offset "),
            "{way:?}: {failure}"
        );
        assert!(
            failure.ends_with(" of memory [1], for one, has a value of 23 bytes"),
            "{way:?}: {failure}"
        );
        assert_eq!((outcome.records(), outcome.counts()), (12, [10; 5]), "{way:?}");
    }
}

#[test]
fn a_reader_without_the_setting_measures_nothing() {
    let scene = Scene::of(Way::Batch, of_two(10, unstamped));
    let order = WaitOrder::new(&scene.order, 0);
    for threads in [1, 2] {
        let source = MemorySource::new(scene.records.clone());
        let shared = MemberShared::new(&[target(2, i64::MAX)], 1, channel().0);
        shared.begin_epochs(&partitions(2));
        let reader = Reader {
            waits: None,
            ..scene.reader(&source, &shared, 0, &order)
        };
        let accounts = thread::scope(|scope| {
            scope.spawn(|| {
                await_all(&shared, &scene.records);
                shared.stop();
                source.wake();
            });
            reader.run_work(Work::None, threads, Early::none())
        });
        let result = accounts.into_result(&shared);
        assert_eq!((result.failure, take_all([shared.seconds()])), (None, Vec::new()));
        assert!(
            result
                .partitions
                .iter()
                .all(|read| read.records == 10 && read.latencies.is_none())
        );
    }
}

#[test]
fn an_order_that_is_not_for_the_topics_of_the_trial_is_refused() {
    let topics = [target(2, 10), target(3, 10)];
    let order = |stamped_from: &[&[i64]]| StampOrder {
        stamped_from: stamped_from.iter().map(|of| of.to_vec()).collect(),
        ..StampOrder::default()
    };
    assert_eq!(WaitOrder::check(&order(&[&[0, 0], &[5, 5, 5]]), &topics), Ok(()));
    for wrong in [&[&[0, 0][..]][..], &[&[0, 0], &[0, 0]], &[]] {
        let refused = WaitOrder::check(&order(wrong), &topics).unwrap_err();
        assert!(refused.ends_with("those of the trial have [2, 3]"), "{refused}");
    }
}

fn ways() -> impl Strategy<Value = Way> {
    prop::sample::select(&WAYS[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_part_counts_the_records_of_the_window_and_seconds_all_that_are_stamped(
        way in ways(),
        after_start_ms in prop::collection::vec(0u64..4_000, 1..200),
        (lead_ms, warmup_ms, duration_ms) in (0u64..1_000, 0u64..1_000, 0u64..2_000),
        stamped_from in 0i64..50,
        work in prop_oneof![Just(Work::None), (0u64..20_000).prop_map(|ns| Work::Cpu { ns })],
    ) {
        const MS: u64 = 1_000_000;
        let scene = Scene::of(way, Vec::new());
        let start_ns = scene.start_ns;
        let records: Vec<_> = (0i64..).zip(&after_start_ms).flat_map(|(offset, after_ms)| {
            let intended_ns = start_ns + after_ms * MS;
            (0..2).map(move |partition| if offset < stamped_from {
                unstamped(partition, offset)
            } else {
                stamped(partition, offset, intended_ns, intended_ns)
            })
        }).collect();
        let outcome = Scene {
            work,
            stamped_from,
            order: StampOrder {
                lead_ns: lead_ms * MS,
                warmup_ns: warmup_ms * MS,
                duration_ns: duration_ms * MS,
                ..StampOrder::default()
            },
            records,
            ..scene
        }.read(|_, _| {});
        let stamped = after_start_ms.iter().skip(usize::try_from(stamped_from).unwrap());
        let from_ms = lead_ms + warmup_ms;
        let in_window = stamped.clone().filter(|ms| (from_ms..from_ms + duration_ms).contains(ms)).count();
        for of in outcome.latencies() {
            for part in LatencyPart::ALL {
                prop_assert_eq!(of.part(part).count(), in_window as u64, "{}", part.name());
            }
        }
        prop_assert_eq!(outcome.counted_in_seconds(), 2 * stamped.count() as u64);
        prop_assert_eq!(outcome.records(), 2 * after_start_ms.len() as u64);
        prop_assert_eq!(outcome.result.failure, None);
    }

    #[test]
    fn what_is_read_again_after_a_rebalance_is_measured_again(
        way in ways(), after_us in 0u64..3_000, back in 0i64..50,
    ) {
        let now_ns = clock::now_ns();
        let scene = Scene {
            work: Work::Cpu { ns: 20_000 },
            ..Scene::of(way, of_two(100, |partition, offset| stamped(partition, offset, now_ns, now_ns)))
        };
        let outcome = scene.read(|shared, source| {
            thread::sleep(Duration::from_micros(after_us));
            let taken = &partitions(1)[..];
            shared.end_epochs(taken);
            let closing: Vec<_> = shared.gates().iter().map(|gate| gate.close(|| source.wake())).collect();
            closing.iter().for_each(super::super::gate::Closing::wait);
            shared.revoke(taken);
            let from = (shared.slots()[0].position().unwrap_or(0) - back).max(0);
            source.fetch_again(0, 100);
            drop(closing);
            shared.begin_epochs(taken);
            source.fetch_again(0, from);
            source.wake();
            // The position still knows what was read before; what is finished is of this assignment alone. A thread that
            // is stopped above a gap has measured more than counts as read.
            let limit = Instant::now() + Duration::from_secs(20);
            while from < 100 && shared.slots()[0].uncommitted() < Some(100) && Instant::now() < limit {
                thread::sleep(Duration::from_millis(1));
            }
        });
        for read in &outcome.result.partitions {
            prop_assert!(read.records >= 100);
            let latencies = read.latencies.as_ref().unwrap();
            for part in LatencyPart::ALL {
                prop_assert_eq!(latencies.part(part).count(), read.records, "{}", part.name());
            }
        }
        prop_assert_eq!(outcome.counted_in_seconds(), outcome.records());
    }
}
