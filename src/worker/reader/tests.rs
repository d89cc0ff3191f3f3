//! The reader's loop on records in memory, with commits that are checked when they come.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::memory::{MemoryMessage, MemoryRecord, MemorySource, partitions, target};
use super::reading::Early;
use super::source::{CommitError, Consumption, Offsets, Place, Source};
use super::{Committer, ReadAccounts, Reader, ReaderResult};
use crate::measure::ledger::{Account, ExpectedRange, Reading, account};
use crate::protocol::WorkCalibration;
use crate::scenario::{Commit, Work, WorkOrdering};
use crate::work::{self, Handler, Record, StoreCounts, Task, UseHandlers};
use crate::worker::reported::{News, Reported};
use crate::worker::shared::MemberShared;

/// Records in the order in which they were destroyed, with the time.
type Log = Arc<Mutex<Vec<(Instant, MemoryRecord)>>>;

/// Commits into memory; one that covers a record not yet destroyed is noted. Threads destroy each record after its work,
/// a reader that works alone a batch at a time.
struct Checked {
    log: Log,
    committed: Mutex<BTreeMap<usize, i64>>,
    too_far: Mutex<Vec<Place>>,
    refuses: bool,
}

impl Checked {
    fn new(log: &Log) -> Self {
        Checked {
            log: Arc::clone(log),
            committed: Mutex::default(),
            too_far: Mutex::default(),
            refuses: false,
        }
    }
}

impl Offsets for Checked {
    fn commit(&self, places: &[Place]) -> Result<(), CommitError> {
        if self.refuses {
            return Err(CommitError::NotOwner("a rebalance".into()));
        }
        let log = self.log.lock().unwrap();
        for (slot, offset) in places {
            let of_slot = log
                .iter()
                .filter(|(_, record)| usize::try_from(record.partition) == Ok(*slot));
            let below: BTreeSet<i64> = of_slot
                .map(|(_, record)| record.offset)
                .filter(|o| o < offset)
                .collect();
            if i64::try_from(below.len()) != Ok(*offset) {
                self.too_far.lock().unwrap().push((*slot, *offset));
            }
            self.committed.lock().unwrap().insert(*slot, *offset);
        }
        Ok(())
    }

    fn store(&self, places: &[Place]) -> Result<(), CommitError> {
        self.commit(places)
    }
}

impl Consumption for Checked {
    fn end(&self, _: usize) {}
}

impl<'a, S: Source, O: Consumption> Reader<'a, S, O> {
    /// Reads with this work on so many threads, where a microsecond is ten iterations.
    pub(super) fn run_work(&'a self, work: Work, threads: usize, early: Early<S::Message<'a>>) -> ReadAccounts {
        struct Reading<'a, S: Source, O>(&'a Reader<'a, S, O>, Early<S::Message<'a>>);

        impl<S: Source, O: Consumption> UseHandlers for Reading<'_, S, O> {
            type Output = ReadAccounts;

            fn use_handlers<H: Handler>(self, handlers: Vec<H>) -> ReadAccounts {
                self.0.run(handlers, self.1)
            }
        }

        let calibration = WorkCalibration {
            iterations_per_us: 10.0,
            ..WorkCalibration::default()
        };
        let task = Task {
            work,
            calibration,
            store: None,
            name: "reader",
            counts: &StoreCounts::reporting(|_| ()),
        };
        work::open(task, threads, Reading(self, early)).unwrap_or_else(|cause| panic!("{cause}"))
    }
}

/// One reading of records in memory.
#[derive(Debug, Clone)]
struct Scene {
    partitions: i32,
    end: i64,
    keys: u8,
    threads: usize,
    ordering: WorkOrdering,
    commit: Commit,
    capacity: usize,
    work: Work,
}

impl Scene {
    fn records(&self) -> Vec<MemoryRecord> {
        let record = |offset: i64, partition: i32| MemoryRecord {
            partition,
            offset,
            // One key stands for none.
            key: Some(u8::try_from(offset % i64::from(self.keys)).unwrap())
                .filter(|key| *key > 0)
                .map(|key| [key].into()),
            value: Box::default(),
            error: None,
        };
        (0..self.end)
            .flat_map(|offset| (0..self.partitions).map(move |partition| record(offset, partition)))
            .collect()
    }

    fn reader<'a>(
        &self,
        source: &'a MemorySource,
        offsets: &'a Checked,
        shared: &'a MemberShared,
    ) -> Reader<'a, MemorySource, Checked> {
        Reader {
            commit: self.commit,
            capacity: self.capacity,
            ordering: self.ordering,
            work_ns: self.work.ns(),
            ..Reader::counting(source, offsets, shared, 0)
        }
    }

    fn run<'a>(&self, reader: &'a Reader<'a, MemorySource, Checked>, early: Early<MemoryMessage<'a>>) -> ReadAccounts {
        reader.run_work(self.work, self.threads, early)
    }

    /// Reads everything, and meanwhile lets something happen; it ends when every partition's end was reached.
    fn read(&self, meanwhile: impl FnOnce(&MemorySource, &Checked, &MemberShared) + Send) -> Outcome {
        self.read_records(self.records(), meanwhile)
    }

    fn read_records(
        &self,
        records: Vec<MemoryRecord>,
        meanwhile: impl FnOnce(&MemorySource, &Checked, &MemberShared) + Send,
    ) -> Outcome {
        let log = Log::default();
        let source = MemorySource::new(records).watched({
            let log = Arc::clone(&log);
            move |record| {
                let mut log = log.lock().unwrap();
                log.push((Instant::now(), record.clone()));
            }
        });
        let offsets = Checked::new(&log);
        let (ended_sender, ended) = channel();
        let shared = MemberShared::new(&[target(self.partitions, self.end)], 1, ended_sender);
        shared.begin_epochs(&partitions(self.partitions));
        let reader = self.reader(&source, &offsets, &shared);
        let result = thread::scope(|scope| {
            let (shared, source, offsets) = (&shared, &source, &offsets);
            scope.spawn(move || {
                for _ in 0..self.partitions {
                    ended.recv_timeout(Duration::from_secs(60)).unwrap();
                }
                shared.stop();
                source.wake();
            });
            scope.spawn(move || meanwhile(source, offsets, shared));
            self.run(&reader, Early::none())
        });
        let log = log.lock().unwrap().clone();
        Outcome {
            log,
            result: result.into_result(&shared),
            committed: offsets.committed.into_inner().unwrap(),
            too_far: offsets.too_far.into_inner().unwrap(),
        }
    }
}

struct Outcome {
    log: Vec<(Instant, MemoryRecord)>,
    result: ReaderResult,
    committed: BTreeMap<usize, i64>,
    too_far: Vec<Place>,
}

impl Outcome {
    /// The account of what was worked.
    fn account(&self, scene: &Scene) -> Account {
        let expected: Vec<_> = partitions(scene.partitions)
            .into_iter()
            .map(|partition| ExpectedRange {
                partition,
                low: 0,
                end: scene.end,
            })
            .collect();
        let readings: Vec<_> = self
            .result
            .partitions
            .iter()
            .map(|read| Reading {
                member: "the member",
                partition: partitions(scene.partitions)[usize::try_from(read.partition).unwrap()],
                runs: read.runs.as_deref().unwrap(),
                was_killed: false,
            })
            .collect();
        account(&expected, &readings)
    }

    /// The records of each group in the order in which they were destroyed.
    fn in_groups<K: Ord>(&self, group: impl Fn(&MemoryRecord) -> Option<K>) -> Vec<Vec<(Instant, i64)>> {
        let mut groups: BTreeMap<K, Vec<(Instant, i64)>> = BTreeMap::new();
        for (at, record) in &self.log {
            if let Some(key) = group(record) {
                groups.entry(key).or_default().push((*at, record.offset));
            }
        }
        groups.into_values().collect()
    }
}

/// A group was worked in order and one at a time: a thread destroys a record at the end of its work, so the work on the next
/// lies between the two.
fn worked_in_order(group: &[(Instant, i64)], work: Work) -> bool {
    let least = match work {
        Work::Wait { ns } => Duration::from_nanos(ns),
        Work::None | Work::Cpu { .. } | Work::Store => Duration::ZERO,
    };
    group
        .windows(2)
        .all(|pair| pair[0].1 < pair[1].1 && pair[1].0 - pair[0].0 >= least)
}

fn scenes() -> impl Strategy<Value = Scene> {
    let ordering = prop_oneof![
        Just(WorkOrdering::Partition),
        Just(WorkOrdering::Key),
        Just(WorkOrdering::None)
    ];
    let commit = prop_oneof![
        Just(Commit::None),
        Just(Commit::Auto),
        Just(Commit::PerBatch),
        (1u64..50).prop_map(Commit::Every)
    ];
    let work = prop_oneof![
        Just(Work::None),
        (0u64..20_000).prop_map(|ns| Work::Cpu { ns }),
        (0u64..50_000).prop_map(|ns| Work::Wait { ns })
    ];
    (
        1i32..5,
        1i64..150,
        1u8..5,
        1usize..5,
        ordering,
        commit,
        1usize..100,
        work,
    )
        .prop_map(
            |(partitions, end, keys, threads, ordering, commit, capacity, work)| Scene {
                partitions,
                end,
                keys,
                threads,
                ordering,
                commit,
                capacity,
                work,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn everything_is_worked_once_in_its_order_and_committed_only_when_finished(scene in scenes()) {
        let outcome = scene.read(|_, _, _| {});
        let account = outcome.account(&scene);
        prop_assert!(account.is_exact(), "{account:?}");
        prop_assert_eq!(outcome.log.len(), usize::try_from(scene.end).unwrap() * usize::try_from(scene.partitions).unwrap());
        prop_assert!(scene.threads == 1 || outcome.too_far.is_empty(), "{:?}", outcome.too_far);
        if matches!(scene.commit, Commit::PerBatch | Commit::Auto) {
            prop_assert!(outcome.committed.values().all(|offset| *offset == scene.end));
            prop_assert_eq!(outcome.committed.len(), usize::try_from(scene.partitions).unwrap());
        }
        let groups = match scene.ordering {
            _ if scene.threads == 1 => Vec::new(),
            WorkOrdering::Partition => outcome.in_groups(|record| Some(record.partition)),
            WorkOrdering::Key => outcome.in_groups(|record| Some((record.partition, record.key.clone()?))),
            WorkOrdering::None => Vec::new(),
        };
        prop_assert!(groups.iter().all(|group| worked_in_order(group, scene.work)));
    }

    #[test]
    fn a_partition_that_is_taken_and_given_back_in_mid_reading_is_worked_on_from_where_it_was(
        scene in scenes(), after_us in 0u64..3_000
    ) {
        let scene = Scene { commit: Commit::PerBatch, ..scene };
        let outcome = scene.read(|source, offsets, shared| {
            thread::sleep(Duration::from_micros(after_us));
            let taken = &partitions(1)[..];
            shared.end_epochs(taken);
            let closing = shared.gates()[0].close(|| source.wake());
            closing.wait();
            shared.revoke(taken);
            Committer::new(offsets, shared, Commit::PerBatch).run(|slot| taken.contains(&slot.partition));
            let from = offsets.committed.lock().unwrap().get(&0).copied().unwrap_or(0);
            source.fetch_again(0, scene.end);
            drop(closing);
            thread::sleep(Duration::from_micros(200));
            shared.begin_epochs(taken);
            source.fetch_again(0, from);
            source.wake();
            let reported = shared.slots()[0].position();
            assert!(from < scene.end || reported == Some(from), "a committed end was not reported");
        });
        let account = outcome.account(&scene);
        prop_assert_eq!((account.lost, account.duplicated), (0, 0), "{:?}", account);
        // What is finished above a gap is worked again, and only that.
        if scene.threads == 1 || scene.ordering == WorkOrdering::Partition {
            prop_assert_eq!(account.redelivered, 0, "{:?}", account);
        }
        prop_assert!(scene.threads == 1 || outcome.too_far.is_empty(), "{:?}", outcome.too_far);
    }
}

/// Far more than a busy machine delays a thread, and less than what waits in `waiting` takes: 27 s with three threads, 20 s
/// with one.
const LONG: Duration = Duration::from_secs(4);

fn waiting(threads: usize, ordering: WorkOrdering) -> Scene {
    Scene {
        partitions: 4,
        end: 100_000,
        keys: 4,
        threads,
        ordering,
        commit: Commit::PerBatch,
        capacity: 1_000,
        work: Work::Wait { ns: 20_000_000 },
    }
}

#[test]
fn keys_wait_only_for_themselves() {
    // As many keys as threads, and records without a key between them: if a key were bound to a thread, two would nearly
    // always share one, and be at half when the first of the others is through.
    let scene = Scene {
        partitions: 1,
        end: 450,
        keys: 9,
        work: Work::Wait { ns: 2_000_000 },
        ..waiting(8, WorkOrdering::Key)
    };
    let outcome = scene.read(|_, _, _| {});
    assert!(outcome.account(&scene).is_exact());
    let keys = outcome.in_groups(|record| record.key.clone());
    assert_eq!(keys.len(), 8);
    let first_through = keys.iter().map(|key| key[49].0).min().unwrap();
    let slowest = keys
        .iter()
        .map(|key| key.iter().filter(|(at, _)| *at <= first_through).count());
    assert!(
        slowest.clone().all(|worked| worked > 35),
        "{:?}",
        slowest.collect::<Vec<_>>()
    );
}

#[test]
fn a_key_with_nine_of_ten_records_leaves_the_others_a_thread() {
    let key_of = |offset: i64| if offset % 10 == 9 { offset } else { -1 };
    let scene = Scene {
        partitions: 1,
        end: 1_000,
        work: Work::Wait { ns: 1_000_000 },
        ..waiting(2, WorkOrdering::Key)
    };
    let mut records = scene.records();
    for record in &mut records {
        record.key = Some(key_of(record.offset).to_le_bytes().into());
    }
    let outcome = scene.read_records(records, |_, _, _| {});
    let rare = |(_, record): &&(Instant, MemoryRecord)| key_of(record.offset) >= 0;
    let last_rare = outcome.log.iter().rposition(|each| rare(&each)).unwrap();
    // Those of the rare keys have a thread to themselves, and need a ninth of the time that the frequent key takes.
    assert!(last_rare < 500, "the last record of a rare key was number {last_rare}");
}

#[test]
fn a_reader_that_waits_for_room_in_a_queue_stops_at_once() {
    for (threads, ordering) in [
        (1, WorkOrdering::Partition),
        (3, WorkOrdering::Partition),
        (3, WorkOrdering::Key),
        (3, WorkOrdering::None),
    ] {
        let scene = waiting(threads, ordering);
        let source = MemorySource::new(scene.records());
        let offsets = Checked::new(&Log::default());
        let shared = MemberShared::new(&[target(scene.partitions, scene.end)], 1, channel().0);
        shared.begin_epochs(&partitions(scene.partitions));
        let reader = scene.reader(&source, &offsets, &shared);
        let took = thread::scope(|scope| {
            let reading = scope.spawn(|| drop(scene.run(&reader, Early::none())));
            thread::sleep(Duration::from_millis(100));
            let from = Instant::now();
            shared.stop();
            source.wake();
            reading.join().unwrap();
            from.elapsed()
        });
        assert!(took < LONG, "{threads} threads, {ordering:?}: {took:?}");
    }
}

#[test]
fn a_rebalance_waits_for_one_record_of_each_thread_and_not_for_a_batch() {
    for (threads, ordering) in [(1, WorkOrdering::Partition), (3, WorkOrdering::None)] {
        let scene = waiting(threads, ordering);
        let source = MemorySource::new(scene.records());
        let offsets = Checked::new(&Log::default());
        let shared = MemberShared::new(&[target(scene.partitions, scene.end)], 1, channel().0);
        shared.begin_epochs(&partitions(scene.partitions));
        let reader = scene.reader(&source, &offsets, &shared);
        thread::scope(|scope| {
            let stopped = AtomicBool::new(false);
            let reading = scope.spawn(|| drop(scene.run(&reader, Early::none())));
            for _ in 0..5 {
                thread::sleep(Duration::from_millis(30));
                let from = Instant::now();
                shared.end_epochs(&partitions(4));
                let closing = shared.gates()[0].close(|| source.wake());
                closing.wait();
                shared.revoke(&partitions(4));
                let took = from.elapsed();
                assert!(took < LONG, "{threads} threads: {took:?}");
                shared.begin_epochs(&partitions(4));
            }
            shared.stop();
            source.wake();
            stopped.store(true, Ordering::Relaxed);
            reading.join().unwrap();
        });
    }
}

#[test]
fn a_commit_that_a_rebalance_overtook_fails_nothing_and_counts_as_none() {
    let log = Log::default();
    let offsets = Checked {
        refuses: true,
        ..Checked::new(&log)
    };
    let shared = MemberShared::new(&[target(1, 10)], 1, channel().0);
    shared.begin_epochs(&partitions(1));
    shared.slots()[0].set_finished(5);
    let mut committer = Committer::new(&offsets, &shared, Commit::PerBatch);
    assert!(committer.run(|_| true));
    assert_eq!((committer.into_error(), shared.commits()), (None, 0));
    assert_eq!(shared.slots()[0].uncommitted(), Some(5), "it is tried again");
    shared.begin_epochs(&partitions(1));
    assert_eq!(
        shared.slots()[0].uncommitted(),
        None,
        "an earlier assignment's position is not committed"
    );
}

#[test]
fn work_that_was_noted_within_its_batch_is_committed_at_the_end_of_it() {
    // Each record takes longer than the time between two notes.
    let scene = Scene {
        partitions: 1,
        end: 3,
        capacity: 2,
        ..waiting(1, WorkOrdering::Partition)
    };
    let source = MemorySource::new(scene.records());
    let offsets = Checked::new(&Log::default());
    let shared = MemberShared::new(&[target(1, 1_000)], 1, channel().0);
    shared.begin_epochs(&partitions(1));
    let reader = scene.reader(&source, &offsets, &shared);
    thread::scope(|scope| {
        scope.spawn(|| drop(scene.run(&reader, Early::none())));
        let deadline = Instant::now() + Duration::from_secs(20);
        while offsets.committed.lock().unwrap().get(&0) != Some(&3) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        shared.stop();
        source.wake();
    });
    assert_eq!(offsets.committed.into_inner().unwrap().get(&0), Some(&3));
}

#[test]
fn waiting_for_the_first_record_counts_where_others_came_before_the_start_too() {
    const PAUSE: Duration = Duration::from_millis(50);
    let scene = Scene {
        partitions: 1,
        end: 4,
        work: Work::None,
        capacity: 100,
        ..waiting(1, WorkOrdering::Partition)
    };
    let source = MemorySource::new(scene.records());
    let offsets = Checked::new(&Log::default());
    let (ended_sender, ended) = channel();
    let shared = MemberShared::new(&[target(1, 4)], 1, ended_sender);
    shared.begin_epochs(&partitions(1));
    let reader = scene.reader(&source, &offsets, &shared);
    let early = reader.take_early(Vec::with_capacity(2));
    assert_eq!(early.records.len(), 2);
    source.fetch_again(0, 4);
    let result = thread::scope(|scope| {
        let (shared, source) = (&shared, &source);
        scope.spawn(move || {
            thread::sleep(PAUSE);
            source.fetch_again(0, 2);
            source.wake();
            ended.recv_timeout(Duration::from_secs(60)).unwrap();
            shared.stop();
            source.wake();
        });
        scene.run(&reader, early).into_result(shared)
    });
    assert_eq!(result.partitions[0].records, 4);
    let waited = Duration::from_nanos(result.time.waiting_ns);
    assert!(waited >= PAUSE / 2, "{waited:?}");
}

#[test]
fn what_a_visit_stops_before_stays_in_the_source() {
    let scene = Scene {
        partitions: 1,
        end: 10,
        ..waiting(1, WorkOrdering::Partition)
    };
    let source = MemorySource::new(scene.records());
    let mut visited = Vec::new();
    for stops_at in [3, 7, 100] {
        source.visit_each(Duration::ZERO, |record| {
            visited.push(record.offset());
            record.offset() != stops_at
        });
    }
    assert_eq!(visited, (0..10).collect::<Vec<_>>());
}

#[test]
fn partitions_are_dealt_evenly_to_the_reading_threads_whatever_their_numbers() {
    let shared = MemberShared::new(&[target(16, 10)], 4, channel().0);
    let every_fourth: Vec<_> = partitions(16).into_iter().step_by(4).collect();
    shared.deal(&every_fourth);
    shared.begin_epochs(&every_fourth);
    let lanes = |of: &[_]| -> BTreeSet<usize> {
        let slots = shared.slots().iter().filter(|slot| of.contains(&slot.partition));
        slots.map(super::super::shared::Slot::lane).collect()
    };
    assert_eq!(lanes(&every_fourth).len(), 4);
    shared.end_epochs(&every_fourth[..2]);
    let newcomers = &partitions(16)[1..3];
    shared.deal(newcomers);
    assert_eq!(
        lanes(newcomers),
        lanes(&every_fourth[..2]),
        "the threads that became free"
    );
}

#[test]
fn error_entries_are_reported_at_once_and_do_not_count_as_records() {
    for threads in [1, 2] {
        let scene = Scene {
            partitions: 1,
            end: 3,
            ..waiting(threads, WorkOrdering::None)
        };
        let mut records = scene.records();
        let failing = MemoryRecord {
            error: Some("no".into()),
            ..records[1].clone()
        };
        records.insert(1, failing);
        let source = MemorySource::new(records);
        let offsets = Checked::new(&Log::default());
        let (ended_sender, ended) = channel();
        let (say, said) = channel();
        let sink = Arc::new(move |news| say.send(news).unwrap());
        let shared = MemberShared::new(&[target(1, 3)], 1, ended_sender).reporting(Reported::to(sink));
        shared.begin_epochs(&partitions(1));
        let reader = Reader {
            commit: Commit::None,
            ..scene.reader(&source, &offsets, &shared)
        };
        let result = thread::scope(|scope| {
            let (shared, source) = (&shared, &source);
            scope.spawn(move || {
                ended.recv_timeout(Duration::from_secs(20)).unwrap();
                shared.stop();
                source.wake();
            });
            scene.run(&reader, Early::none()).into_result(shared)
        });
        assert_eq!(result.partitions[0].records, 3);
        let News::Reported(report) = said.try_recv().unwrap() else {
            panic!("a record that cannot be read does not end the trial");
        };
        assert_eq!((report.text.as_str(), report.times), ("no (BadMessage)", 1));
    }
}

#[test]
fn a_partition_whose_last_records_are_gone_ends_with_the_first_record_beyond() {
    let orderings = [WorkOrdering::Partition, WorkOrdering::Key, WorkOrdering::None];
    for (threads, ordering) in [(1, WorkOrdering::Partition)]
        .into_iter()
        .chain(orderings.map(|each| (3, each)))
    {
        let scene = Scene {
            partitions: 2,
            end: 12,
            commit: Commit::None,
            ..waiting(threads, ordering)
        };
        // Of partition 0 the offsets 3 and 6 to 9 hold no record; of partition 1 nothing is left.
        let gone = |record: &MemoryRecord| match record.partition {
            0 => record.offset == 3 || (6..10).contains(&record.offset),
            _ => record.offset < 10,
        };
        let mut records = scene.records();
        records.retain(|record| !gone(record));
        let source = MemorySource::new(records);
        let offsets = Checked::new(&Log::default());
        let (ended_sender, ended) = channel();
        let shared = MemberShared::new(&[target(2, 10)], 1, ended_sender);
        shared.begin_epochs(&partitions(2));
        let reader = scene.reader(&source, &offsets, &shared);
        let result = thread::scope(|scope| {
            let (shared, source) = (&shared, &source);
            scope.spawn(move || {
                for _ in 0..2 {
                    ended.recv_timeout(Duration::from_secs(20)).unwrap();
                }
                shared.stop();
                source.wake();
            });
            scene.run(&reader, Early::none()).into_result(shared)
        });
        let read: Vec<u64> = result.partitions.iter().map(|partition| partition.records).collect();
        assert_eq!(read, [5, 0], "{threads} threads, {ordering:?}");
        let positions: Vec<_> = shared
            .slots()
            .iter()
            .map(super::super::shared::Slot::position)
            .collect();
        assert_eq!(positions, [Some(10), Some(10)]);
    }
}
