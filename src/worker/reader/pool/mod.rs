//! A reader whose records are worked on several threads: it hands them over in order, and commits what is finished without
//! a gap. Where a bounded number of them waits for a thread it takes no more: that is the back-pressure.

mod desk;
mod handover;
mod strands;

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use crossbeam_channel::select;

use self::desk::{Desk, Job};
use self::handover::{Handover, Parcel};
use self::strands::{Load, Strand};
use super::commit::Committer;
use super::locate::Locator;
use super::reading::{Early, IDLE_WAIT, ReadAccounts, Reader};
use super::source::{Consumption, Message, Source};
use super::stopwatch::Stopwatch;
use super::waits::Waited;
use super::window::Window;
use crate::measure::{ReadingTime, clock};
use crate::scenario::{Commit, WorkOrdering};
use crate::work::{Handler, Record};
use crate::worker::gate::Inside;

/// Records that may wait for each thread besides the one that it works: with 10 us of work per record, enough for the
/// few milliseconds for which a busy machine may put the reader off its core. Not tuned by measurement.
const WAITING_PER_THREAD: u64 = 256;
/// So many may wait for few threads too, because the records of a frequent key or partition that wait for each other must
/// leave space for others, which could be worked.
const WAITING_MIN: u64 = 4_096;
/// Bytes of the keys and values of records that wait: as much as the client's own queue holds
/// (`queued.max.messages.kbytes`).
const WAITING_BYTES: u64 = 64 << 20;
/// Records that the reader collects before it hands them over, so that it takes the lock less often.
const HANDED_OVER_AT_ONCE: usize = 64;
/// A thread takes several records at once where the work on all of them is no longer than this,
const TAKEN_AT_ONCE_NS: u64 = 50_000;
/// and never more than this: without work, handing over is all there is to do.
const TAKEN_AT_ONCE: u64 = 64;
/// How long a reader without records waits before it commits what its threads have finished by then.
const COMMIT_WAIT: Duration = Duration::from_millis(10);

/// The threads, each of which ends with what it has measured.
type Threads<'scope> = Vec<ScopedJoinHandle<'scope, Option<Waited>>>;

/// How a reading ended.
#[derive(Default)]
struct Ended {
    waited: Option<Waited>,
    time: ReadingTime,
    failure: Option<String>,
}

/// The reader's side.
struct Dispatcher<'a, 'd, S: Source, O> {
    desk: &'d Desk<'a, S, O>,
    gate: Inside<'a>,
    committer: Committer<'a, O>,
    locator: Locator<'a>,
    /// Records that are about to be handed over.
    outgoing: VecDeque<Parcel<Job<S::Message<'a>>>>,
    revocations: u64,
    /// Records dispatched so far.
    admitted: u64,
    /// Records finished at the last commit by count.
    committed_at: u64,
    stopwatch: Stopwatch,
}

/// Reads until the member is stopped.
pub(super) fn run<'a, S: Source, O: Consumption, H: Handler>(
    reader: &'a Reader<'a, S, O>,
    handlers: Vec<H>,
    gate: Inside<'a>,
    early: Early<S::Message<'a>>,
) -> ReadAccounts {
    let shared = reader.shared;
    let (threads, at_once) = (handlers.len(), taken_at_once(reader, &handlers));
    let desk = Desk {
        reader,
        handover: Handover::new(look_ahead(threads), threads, at_once),
        windows: (shared.slots().iter())
            .map(|slot| Mutex::new(Window::new(slot.range, reader.records_flow)))
            .collect(),
        finished: AtomicU64::new(0),
        work_ns: AtomicU64::new(0),
    };
    let ended = thread::scope(|scope| {
        let threads = match start_threads(scope, &desk, handlers) {
            Ok(threads) => threads,
            Err(error) => {
                desk.handover.close();
                return Ended {
                    failure: Some(format!("cannot start a thread: {error}")),
                    ..Ended::default()
                };
            }
        };
        let mut dispatcher = Dispatcher {
            desk: &desk,
            gate,
            committer: Committer::new(reader.offsets, shared, reader.commit),
            locator: Locator::new(shared),
            outgoing: VecDeque::with_capacity(HANDED_OVER_AT_ONCE),
            revocations: early.revocations,
            admitted: 0,
            committed_at: 0,
            stopwatch: Stopwatch::default(),
        };
        dispatcher.read(early.records);
        dispatcher.end(threads)
    });
    let windows = desk.windows.into_iter().zip(shared.slots());
    ReadAccounts {
        work_ns: Some(desk.work_ns.into_inner()),
        accounts: windows
            .map(|(window, slot)| {
                let window = window.into_inner().unwrap_or_else(PoisonError::into_inner);
                window.into_account(slot.epoch())
            })
            .collect(),
        waited: ended.waited,
        time: ended.time,
        failure: ended.failure,
    }
}

/// What may wait for so many threads.
fn look_ahead(threads: usize) -> Load {
    Load {
        records: (WAITING_PER_THREAD * threads as u64).max(WAITING_MIN),
        bytes: WAITING_BYTES,
    }
}

/// Records that a thread takes at once: what it has taken, no other can work. Where nobody knows how long a record takes,
/// they are as many as its handler takes in one call.
fn taken_at_once<S, O>(reader: &Reader<'_, S, O>, handlers: &[impl Handler]) -> usize {
    let in_time = reader.work_ns.map_or(1, |ns| TAKEN_AT_ONCE_NS / ns.max(1));
    let in_time = usize::try_from(in_time.clamp(1, TAKEN_AT_ONCE)).unwrap_or(1);
    handlers
        .first()
        .map_or(1, |handler| in_time.max(handler.at_once().get()))
}

fn start_threads<'scope, 'a: 'scope, S: Source + 'a, O: Consumption, H: Handler>(
    scope: &'scope Scope<'scope, '_>,
    desk: &'scope Desk<'a, S, O>,
    handlers: Vec<H>,
) -> std::io::Result<Threads<'scope>> {
    let start = |(number, handler)| {
        let name = format!("{}-{number}", desk.reader.thread_name);
        thread::Builder::new()
            .name(name)
            .spawn_scoped(scope, move || desk.work(handler))
    };
    handlers.into_iter().enumerate().map(start).collect()
}

impl<'a, S: Source, O: Consumption> Dispatcher<'a, '_, S, O> {
    fn read(&mut self, mut early: Vec<S::Message<'a>>) {
        let source = self.desk.reader.source;
        self.dispatch_all(&mut early);
        let mut batch = Vec::with_capacity(self.desk.reader.capacity);
        while !self.is_stopped() {
            self.let_callbacks_through();
            self.revocations = self.desk.reader.shared.revocations();
            source.take(&mut batch);
            if batch.is_empty() {
                self.commit_finished();
                if !self.gate.is_wanted() && !self.is_stopped() {
                    let pending = self.desk.reader.commit != Commit::None
                        && (self.admitted > self.desk.finished.load(Ordering::Relaxed) || self.has_uncommitted());
                    let limit = if pending { COMMIT_WAIT } else { IDLE_WAIT };
                    self.stopwatch.wait(|| source.wait(&mut batch, limit));
                }
            }
            if S::SERVES_MEMBERSHIP {
                self.revocations = self.desk.reader.shared.revocations();
            }
            if !batch.is_empty() {
                self.dispatch_all(&mut batch);
                self.commit_finished();
            }
        }
    }

    /// Lets the threads end, each with the record that it works, and commits the rest.
    fn end(mut self, threads: Threads<'_>) -> Ended {
        self.desk.handover.close();
        let (mut waited, mut failure) = (None, None);
        for thread in threads {
            match thread.join() {
                Ok(its) => Waited::merge(&mut waited, its),
                Err(_) => failure = Some("a working thread panicked".to_owned()),
            }
        }
        self.commit_finished();
        Ended {
            waited,
            time: self.stopwatch.time(),
            failure: failure.or(self.committer.into_error()),
        }
    }

    fn is_stopped(&self) -> bool {
        self.desk.reader.shared.is_stopped()
    }

    /// True where a commit still has something to say.
    fn has_uncommitted(&self) -> bool {
        let slots = self.desk.reader.shared.slots();
        slots
            .iter()
            .any(|slot| slot.epoch() > 0 && slot.uncommitted().is_some())
    }

    fn let_callbacks_through(&mut self) {
        if self.gate.is_wanted() {
            self.gate.step_aside();
        }
    }

    fn dispatch_all(&mut self, batch: &mut Vec<S::Message<'a>>) {
        let received_ns = clock::now_ns();
        for message in batch.drain(..) {
            self.let_callbacks_through();
            if self.is_stopped() {
                return;
            }
            if let Some(error) = message.error() {
                self.desk.reader.shared.reported().error(&error);
                continue;
            }
            let Some(index) = self.locator.slot_of(&message) else {
                continue;
            };
            let slot = &self.desk.reader.shared.slots()[index];
            let epoch = slot.epoch();
            if epoch == 0 || slot.revoked_at() > self.revocations {
                continue;
            }
            let (offset, bytes) = (message.offset(), message.bytes());
            let mut window = self.desk.windows[index].lock().unwrap_or_else(PoisonError::into_inner);
            let admitted = window.admit(offset, bytes, epoch, received_ns);
            let beyond = admitted.is_none() && offset >= slot.range.end && !slot.is_passed();
            let passed = if beyond { window.pass() } else { None };
            drop(window);
            if let Some(idle) = passed {
                // The last record of the trial is not there any more, or there was none.
                if idle {
                    slot.set_passed();
                    self.desk.reader.shared.partition_ended();
                }
                self.desk.reader.offsets.end(index);
            }
            let Some(ticket) = admitted else { continue };
            self.desk.reader.begin(slot, epoch, offset);
            self.admitted += 1;
            self.stopwatch.record_came();
            self.outgoing.push_back(Parcel {
                strand: self.strand_of(index, &message),
                bytes,
                job: Job {
                    message,
                    slot: index,
                    epoch,
                    ticket,
                    received_ns,
                },
            });
            if self.outgoing.len() >= HANDED_OVER_AT_ONCE {
                self.hand_over();
            }
            if offset + 1 == slot.range.end {
                // What is fetched beyond the end is not worked, but costs the other partitions.
                self.desk.reader.offsets.end(index);
            }
            self.commit_every();
        }
        self.hand_over();
    }

    /// What a record waits for. Two keys of one hash would wait for each other, in 4,096 of them once in 10^12 times.
    fn strand_of(&self, index: usize, message: &S::Message<'a>) -> Strand {
        match self.desk.reader.ordering {
            WorkOrdering::None => None,
            WorkOrdering::Partition => Some(index as u64),
            WorkOrdering::Key => message.key().map(|key| {
                let mut hasher = DefaultHasher::new();
                (index, key).hash(&mut hasher);
                hasher.finish()
            }),
        }
    }

    /// Hands the collected records to the threads. If the queue is full, waits until it has space, a rebalance begins
    /// (checked first), or the trial ends.
    fn hand_over(&mut self) {
        while !self.outgoing.is_empty() && !self.desk.handover.put(&mut self.outgoing) && !self.is_stopped() {
            select! {
                recv(self.desk.reader.gate.bell()) -> _ => {}
                recv(self.desk.handover.space()) -> _ => {}
            }
            self.let_callbacks_through();
        }
    }

    fn commit_finished(&mut self) {
        if matches!(self.desk.reader.commit, Commit::Auto | Commit::PerBatch) {
            self.commit();
        } else {
            self.commit_every();
        }
    }

    /// Commits where N more records are finished.
    fn commit_every(&mut self) {
        let Commit::Every(records) = self.desk.reader.commit else {
            return;
        };
        let finished = self.desk.finished.load(Ordering::Relaxed);
        if finished - self.committed_at >= records && self.commit() {
            self.committed_at = finished;
        }
    }

    fn commit(&mut self) -> bool {
        let lane = self.desk.reader.lane;
        let committer = &mut self.committer;
        self.stopwatch.commit(self.desk.reader.commit, || {
            committer.run(|slot| slot.lane() == lane && slot.epoch() > 0)
        })
    }
}
