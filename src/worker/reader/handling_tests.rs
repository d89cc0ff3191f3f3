//! What a reader does with a handler that sees records, takes several at once, and fails.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::memory::{MemoryRecord, MemorySource, partitions, target};
use super::reading::Early;
use super::source::{CommitError, Consumption, Offsets, Place};
use super::{Committer, Reader, ReaderResult};
use crate::measure::OffsetRun;
use crate::scenario::{Commit, WorkOrdering};
use crate::work::{Failure, Handler, Record};
use crate::worker::reported::{News, Reported};
use crate::worker::shared::MemberShared;

/// What a handler was given in one call: partition and offset of each record.
type Call = Vec<(i32, i64)>;

/// Takes several records at once. Each failure is that of one call that has the record with this offset.
#[derive(Clone)]
struct Database {
    at_once: usize,
    fails_at: i64,
    failures: Arc<Mutex<Vec<Failure>>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Database {
    fn failing(at_once: usize, fails_at: i64, failures: &[Failure]) -> Self {
        Database {
            at_once,
            fails_at,
            failures: Arc::new(Mutex::new(failures.iter().rev().cloned().collect())),
            calls: Arc::default(),
        }
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

impl Handler for Database {
    fn at_once(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.at_once).unwrap()
    }

    fn handle<'r, R: Record + 'r>(&mut self, records: impl Iterator<Item = &'r R>) -> Result<(), Failure> {
        let mut call = Vec::new();
        for record in records {
            assert_eq!(record.topic(), "memory");
            assert_eq!(record.key().unwrap(), record.offset().to_le_bytes());
            assert_eq!(record.value(), [7; 9]);
            call.push((record.partition(), record.offset()));
        }
        let fails = call.iter().any(|(_, offset)| *offset == self.fails_at);
        self.calls.lock().unwrap().push(call);
        match self.failures.lock().unwrap().pop_if(|_| fails) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }
}

/// Keeps what was committed.
#[derive(Default)]
struct Committed(Mutex<BTreeMap<usize, i64>>);

impl Offsets for Committed {
    fn commit(&self, places: &[Place]) -> Result<(), CommitError> {
        self.0.lock().unwrap().extend(places.iter().copied());
        Ok(())
    }

    fn store(&self, places: &[Place]) -> Result<(), CommitError> {
        self.commit(places)
    }
}

impl Consumption for Committed {
    fn end(&self, _: usize) {}
}

/// A reading of 100 records of each partition.
#[derive(Clone, Copy)]
struct Scene {
    partitions: i32,
    threads: usize,
    commit: Commit,
    capacity: usize,
    /// Records of each partition that are none of the trial's.
    beyond: i64,
}

const END: i64 = 100;

struct Outcome {
    result: ReaderResult,
    committed: BTreeMap<usize, i64>,
    said: Receiver<News>,
}

impl Scene {
    fn records(self) -> Vec<MemoryRecord> {
        let record = |offset: i64, partition| MemoryRecord {
            partition,
            offset,
            key: Some(offset.to_le_bytes().into()),
            value: [7; 9].into(),
            error: None,
        };
        let each = |offset| (0..self.partitions).map(move |partition| record(offset, partition));
        (0..END + self.beyond).flat_map(each).collect()
    }

    /// Reads until all is read or the work has failed, and meanwhile lets something happen.
    fn read(
        self,
        database: &Database,
        meanwhile: impl FnOnce(&MemorySource, &MemberShared, &Committed) + Send,
    ) -> Outcome {
        let source = MemorySource::new(self.records());
        let offsets = Committed::default();
        let (say, said) = channel();
        let calls = Arc::clone(&database.calls);
        let sink = Arc::new(move |news| {
            if let News::Began(at) = &news {
                let handled = calls.lock().unwrap().concat();
                assert!(!handled.contains(&(at.partition, at.offset)), "it is said too late");
            }
            say.send(news).unwrap();
        });
        let (ended_sender, ended) = channel();
        let shared = MemberShared::new(&[target(self.partitions, END)], 1, ended_sender);
        let shared = shared.reporting(Reported::to(sink));
        shared.begin_epochs(&partitions(self.partitions));
        let reader = Reader {
            commit: self.commit,
            capacity: self.capacity,
            ordering: WorkOrdering::None,
            work_ns: None,
            says_where_it_begins: true,
            ..Reader::counting(&source, &offsets, &shared, 0)
        };
        let accounts = thread::scope(|scope| {
            let (source, shared, offsets) = (&source, &shared, &offsets);
            scope.spawn(move || {
                let limit = Instant::now() + Duration::from_secs(20);
                let mut left = self.partitions;
                while left > 0 && shared.failure().is_none() && Instant::now() < limit {
                    left -= i32::from(ended.recv_timeout(Duration::from_millis(1)).is_ok());
                }
                shared.stop();
                source.wake();
            });
            scope.spawn(move || meanwhile(source, shared, offsets));
            reader.run(vec![database.clone(); self.threads], Early::none())
        });
        // As a callback does when the member leaves.
        Committer::new(&offsets, &shared, self.commit).run(|_| true);
        Outcome {
            result: accounts.into_result(&shared),
            committed: offsets.0.into_inner().unwrap(),
            said,
        }
    }
}

const ONE: Scene = Scene {
    partitions: 1,
    threads: 1,
    commit: Commit::PerBatch,
    capacity: 20,
    beyond: 0,
};

impl Outcome {
    fn records(&self) -> u64 {
        self.result.partitions.iter().map(|partition| partition.records).sum()
    }

    fn failures(&self) -> Vec<String> {
        let failed = |news| match news {
            News::Failed(message) => Some(message),
            News::Reported(_) | News::Unanswered(_) | News::Began(_) => None,
        };
        self.said.try_iter().filter_map(failed).collect()
    }

    /// Where the reading of each partition began.
    fn beginnings(&self) -> Vec<(i32, i64)> {
        let began = |news| match news {
            News::Began(at) => Some((at.partition, at.offset)),
            News::Failed(_) | News::Reported(_) | News::Unanswered(_) => None,
        };
        self.said.try_iter().filter_map(began).collect()
    }
}

#[test]
fn work_that_fails_ends_the_member_and_nothing_of_the_failed_batch_is_counted_or_committed() {
    // A batch of the reader is 20 records, one of the handler 1, 8 or 50: offset 57 is its fifty-eighth.
    for (at_once, commit, handled, committed) in [
        (1, Commit::PerBatch, 57, Some(40)),
        (8, Commit::PerBatch, 56, Some(40)),
        (50, Commit::PerBatch, 40, Some(40)),
        (1, Commit::Every(1), 57, Some(57)),
        // A call ends where a commit is due.
        (8, Commit::Every(1), 57, Some(57)),
        (8, Commit::Every(5), 55, Some(55)),
        (8, Commit::Auto, 56, Some(40)),
        (8, Commit::None, 56, None),
    ] {
        let case = format!("{at_once} at once, {commit:?}");
        let database = Database::failing(at_once, 57, &[Failure::Permanent("the table is gone".into())]);
        let outcome = Scene { commit, ..ONE }.read(&database, |_, _, _| {});
        let reason = "the work failed: the table is gone";
        assert_eq!(outcome.result.failure.as_deref(), Some(reason), "{case}");
        assert_eq!(outcome.failures(), [reason], "{case}");
        let run = OffsetRun {
            first: 0,
            end: handled,
            epoch: 1,
        };
        assert_eq!(outcome.result.partitions[0].runs.as_deref(), Some(&[run][..]), "{case}");
        assert_eq!(outcome.records(), handled.cast_unsigned(), "{case}");
        assert_eq!(outcome.committed.get(&0).copied(), committed, "{case}");
        let last_call = database.calls().pop().unwrap();
        assert!(last_call.contains(&(0, 57)), "{case}: work went on with {last_call:?}");
    }
}

#[test]
fn a_partition_is_not_read_before_its_last_records_are_handled_whatever_lies_beyond() {
    // A batch of the reader, and a call of the handler, could hold records on both sides of the end.
    let scene = Scene {
        capacity: 30,
        beyond: 30,
        ..ONE
    };
    let database = Database::failing(8, END - 1, &[Failure::Permanent("the table is gone".into())]);
    let outcome = scene.read(&database, |_, shared, _| {
        while shared.failure().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(!shared.slots()[0].is_passed());
    });
    assert_eq!(outcome.records(), 98);
    let outcome = scene.read(&Database::failing(8, END, &[]), |_, _, _| {});
    assert_eq!(outcome.records(), END.unsigned_abs());
    assert_eq!(outcome.committed.get(&0), Some(&END));
}

#[test]
fn work_that_fails_on_one_of_several_threads_ends_the_member_too() {
    for at_once in [1, 8] {
        let database = Database::failing(at_once, 57, &[Failure::Permanent("the table is gone".into())]);
        let scene = Scene {
            threads: 3,
            commit: Commit::Every(1),
            ..ONE
        };
        let outcome = scene.read(&database, |_, _, _| {});
        let reason = "the work failed: the table is gone";
        assert_eq!(outcome.result.failure.as_deref(), Some(reason));
        assert_eq!(outcome.failures(), [reason]);
        // What is finished above the gap counts as not read.
        assert!(outcome.records() <= 57, "{}", outcome.records());
        assert!(outcome.committed.get(&0).is_none_or(|offset| *offset <= 57));
    }
}

#[test]
fn where_the_reading_of_a_partition_begins_is_said_once_and_before_its_first_record_is_handled() {
    for threads in [1, 3] {
        let scene = Scene {
            partitions: 2,
            threads,
            ..ONE
        };
        let outcome = scene.read(&Database::failing(8, -1, &[]), |_, _, _| {});
        assert_eq!(outcome.beginnings(), [(0, 0), (1, 0)], "{threads} threads");
    }
}

#[test]
fn a_failure_that_passes_is_reported_and_the_same_records_are_handed_over_again() {
    let away = Failure::Passing("the database is away".into());
    for threads in [1, 3] {
        let database = Database::failing(8, 57, &[away.clone(), away.clone()]);
        let outcome = Scene { threads, ..ONE }.read(&database, |_, _, _| {});
        assert_eq!(outcome.result.failure, None);
        let reports = outcome.said.try_iter().filter_map(|news| match news {
            News::Reported(report) => Some(report.text),
            News::Began(_) => None,
            News::Failed(_) | News::Unanswered(_) => panic!("a failure that passes ends nothing"),
        });
        let again = "the work is tried again: the database is away";
        assert!(reports.eq([again, again]), "{threads} threads");
        assert_eq!(outcome.records(), 100);
        assert_eq!(outcome.committed.get(&0), Some(&100));
        let calls = database.calls();
        let with_57: Vec<&Call> = calls.iter().filter(|call| call.contains(&(0, 57))).collect();
        assert_eq!(with_57.len(), 3, "{threads} threads");
        assert!(with_57.iter().all(|call| *call == with_57[0]), "{with_57:?}");
    }
}

#[test]
fn a_revocation_does_not_wait_until_the_work_succeeds_and_takes_its_records_away() {
    let forever = vec![Failure::Passing("the database is away".into()); 10_000];
    for threads in [1, 3] {
        let scene = Scene {
            partitions: 2,
            threads,
            ..ONE
        };
        let database = Database::failing(8, 57, &forever);
        let failures = Arc::clone(&database.failures);
        let outcome = scene.read(&database, |source, shared, offsets| {
            let limit = Instant::now() + Duration::from_secs(20);
            while failures.lock().unwrap().len() > 9_998 && Instant::now() < limit {
                thread::sleep(Duration::from_millis(1));
            }
            // The first partition goes for good. The second one's records that fail with it are handed over again.
            let taken = &partitions(1)[..];
            shared.end_epochs(taken);
            let closing = shared.gates()[0].close(|| source.wake());
            closing.wait();
            shared.revoke(taken);
            Committer::new(offsets, shared, Commit::PerBatch).run(|slot| taken.contains(&slot.partition));
            drop(closing);
            failures.lock().unwrap().clear();
            // Nothing is left of it, so its end never comes.
            shared.partition_ended();
        });
        let [taken, kept] = &outcome.result.partitions[..] else {
            panic!("{:?}", outcome.result.partitions);
        };
        let has_57 = |run: &OffsetRun| (run.first..run.end).contains(&57);
        let runs = taken.runs.as_deref().unwrap();
        assert!(!runs.iter().any(has_57), "{threads} threads: {runs:?}");
        assert_eq!(kept.records, 100, "{threads} threads");
        assert!(outcome.committed[&0] <= 57, "{:?}", outcome.committed);
        assert_eq!(outcome.committed[&1], 100, "{threads} threads");
        let later = database
            .calls()
            .into_iter()
            .rev()
            .take_while(|call| !call.contains(&(0, 57)));
        assert!(later.count() > 0, "{threads} threads");
    }
}

#[test]
fn a_handler_is_given_as_many_records_as_it_takes_at_once_and_never_more() {
    for threads in [1, 3] {
        let database = Database::failing(8, -1, &[]);
        let scene = Scene {
            partitions: 3,
            threads,
            capacity: 1_000,
            ..ONE
        };
        let outcome = scene.read(&database, |_, _, _| {});
        assert_eq!(outcome.records(), 300);
        let mut sizes: Vec<usize> = database.calls().iter().map(Vec::len).collect();
        assert!(sizes.iter().all(|size| (1..=8).contains(size)), "{sizes:?}");
        if threads == 1 {
            assert_eq!((sizes.pop(), sizes), (Some(4), vec![8; 37]));
        } else {
            assert!(sizes.contains(&8), "{sizes:?}");
        }
    }
}
