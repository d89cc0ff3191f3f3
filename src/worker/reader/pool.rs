//! A reader whose records are worked on several threads: it takes and dispatches them in order over bounded queues,
//! and commits what is finished without a gap. Where the queues are full it takes no more: that is the back-pressure.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded, select};

use super::commit::Committer;
use super::locate::Locator;
use super::source::{Consumption, Message, Source};
use super::stopwatch::Stopwatch;
use super::waits::{Handling, Waited, Waits};
use super::window::{Advance, Window};
use super::{Early, IDLE_WAIT, ReadAccounts, Reader};
use crate::measure::{ReadingTime, clock};
use crate::scenario::{Commit, WorkOrdering};
use crate::worker::gate::Inside;
use crate::worker::shared::Slot;
use crate::worker::work::Labour;

/// Records that may wait for each thread besides the one that it works: with 10 us of work per record, enough for the
/// few milliseconds for which a busy machine may put the reader off its core. Not tuned by measurement.
const QUEUED_PER_THREAD: usize = 256;
/// How long a reader without records waits before it commits what its threads have finished meanwhile.
const COMMIT_WAIT: Duration = Duration::from_millis(10);

/// A record on its way to a thread, which destroys it after the work.
struct Job<M> {
    message: M,
    slot: usize,
    epoch: u32,
    ticket: u64,
    received_ns: u64,
}

/// The ends of the threads' queues that the reader fills.
type Queues<'a, S> = Vec<Sender<Job<<S as Source>::Message<'a>>>>;

/// The threads, each of which ends with what it has measured.
type Threads<'scope> = Vec<ScopedJoinHandle<'scope, Option<Waited>>>;

/// What the reader and its threads share.
struct Desk<'a, S, O> {
    reader: &'a Reader<'a, S, O>,
    windows: Vec<Mutex<Window>>,
    finished: AtomicU64,
    work_ns: AtomicU64,
}

impl<S: Source, O: Consumption> Desk<'_, S, O> {
    /// A thread's life: works what comes until the queue closes, and nothing more once the member has stopped.
    fn work<M: Message>(&self, jobs: &Receiver<Job<M>>) -> Option<Waited> {
        let labour = Labour::prepare(self.reader.work, self.reader.calibration);
        let mut waits = self.reader.waits.map(|order| Waits::new(order, self.reader.shared));
        let mut work_ns = 0;
        while let Some(job) = next_job(jobs, waits.as_mut()) {
            if self.reader.shared.is_stopped() {
                continue;
            }
            let slot = &self.reader.shared.slots()[job.slot];
            self.reader.shared.while_held(slot, job.epoch, || {
                let from_ns = clock::now_ns();
                labour.perform();
                let stamp = waits.as_mut().and_then(|waits| waits.stamp_of(job.slot, &job.message));
                drop(job.message);
                let now_ns = clock::now_ns();
                work_ns += now_ns - from_ns;
                if let Some(waits) = &mut waits {
                    let handling = Handling {
                        received_ns: job.received_ns,
                        started_ns: from_ns,
                        finished_ns: now_ns,
                    };
                    waits.finished(job.slot, stamp, handling);
                }
                self.finish(job.slot, job.ticket, now_ns);
            });
        }
        self.work_ns.fetch_add(work_ns, Ordering::Relaxed);
        waits.map(Waits::close)
    }

    fn finish(&self, index: usize, ticket: u64, now_ns: u64) {
        let slot = &self.reader.shared.slots()[index];
        let elapsed_ns = now_ns.saturating_sub(self.reader.start_ns);
        let mut window = self.windows[index].lock().unwrap_or_else(PoisonError::into_inner);
        let advance = window.finish(ticket, now_ns, elapsed_ns);
        match advance {
            Advance::None => {}
            // Under the lock, so that positions only grow.
            Advance::To(offset) => slot.set_finished(offset),
            Advance::ToEnd(offset) => {
                slot.set_finished(offset);
                slot.set_passed();
            }
        }
        drop(window);
        self.finished.fetch_add(1, Ordering::Relaxed);
        if matches!(advance, Advance::ToEnd(_)) {
            self.reader.shared.partition_ended();
        }
    }
}

/// The next record; `None` when the queue has closed. Where records are measured, a thread that waits for one hands over
/// the seconds that pass.
fn next_job<M>(jobs: &Receiver<Job<M>>, waits: Option<&mut Waits<'_>>) -> Option<Job<M>> {
    let Some(waits) = waits else {
        return jobs.recv().ok();
    };
    loop {
        match jobs.recv_timeout(IDLE_WAIT) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Timeout) => waits.passed(clock::now_ns()),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

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
    queues: Queues<'a, S>,
    /// Thread of each slot and the epoch in which it was chosen; epoch 0 before that.
    chosen: Vec<(u32, usize)>,
    next: usize,
    revocations: u64,
    /// Records dispatched so far.
    admitted: u64,
    /// Records finished at the last commit by count.
    committed_at: u64,
    stopwatch: Stopwatch,
}

/// Reads until the member is told to stop.
pub(super) fn run<'a, S: Source, O: Consumption>(
    reader: &'a Reader<'a, S, O>,
    gate: Inside<'a>,
    early: Early<S::Message<'a>>,
) -> ReadAccounts {
    let shared = reader.shared;
    let desk = Desk {
        reader,
        windows: (shared.slots().iter())
            .map(|slot| Mutex::new(Window::new(slot.range)))
            .collect(),
        finished: AtomicU64::new(0),
        work_ns: AtomicU64::new(0),
    };
    let ended = thread::scope(|scope| {
        let (queues, threads) = match start_threads(scope, &desk) {
            Ok(started) => started,
            Err(error) => {
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
            queues,
            chosen: vec![(0, 0); shared.slots().len()],
            next: 0,
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

/// Starts the threads and returns their queues: one for all where any thread may work any record.
fn start_threads<'scope, 'a: 'scope, S: Source + 'a, O: Consumption>(
    scope: &'scope Scope<'scope, '_>,
    desk: &'scope Desk<'a, S, O>,
) -> std::io::Result<(Queues<'a, S>, Threads<'scope>)> {
    let threads = desk.reader.threads;
    let shares = match desk.reader.ordering {
        WorkOrdering::None => vec![threads],
        WorkOrdering::Partition | WorkOrdering::Key => vec![1; threads],
    };
    let mut queues = Vec::with_capacity(shares.len());
    let mut handles = Vec::with_capacity(threads);
    for share in shares {
        let (sender, receiver) = bounded(QUEUED_PER_THREAD * share);
        for _ in 0..share {
            let jobs = receiver.clone();
            let name = format!("{}-{}", desk.reader.thread_name, handles.len());
            let builder = thread::Builder::new().name(name);
            handles.push(builder.spawn_scoped(scope, move || desk.work(&jobs))?);
        }
        queues.push(sender);
    }
    Ok((queues, handles))
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
        self.queues.clear();
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
            self.admitted += 1;
            self.stopwatch.record_came();
            let queue = self.queue_of(index, epoch, slot, &message);
            let job = Job {
                message,
                slot: index,
                epoch,
                ticket,
                received_ns,
            };
            self.send(queue, job);
            if offset + 1 == slot.range.end {
                // What is fetched beyond the end is not worked, but costs the other partitions.
                self.desk.reader.offsets.end(index);
            }
            self.commit_every();
        }
    }

    /// The queue that a record belongs into.
    fn queue_of(&mut self, index: usize, epoch: u32, slot: &Slot, message: &S::Message<'a>) -> usize {
        match self.desk.reader.ordering {
            WorkOrdering::None => 0,
            WorkOrdering::Partition => {
                if self.chosen[index].0 != epoch {
                    self.chosen[index] = (epoch, self.thread_with_fewest_partitions(index));
                }
                self.chosen[index].1
            }
            WorkOrdering::Key => match message.key() {
                Some(key) => {
                    let mut hasher = DefaultHasher::new();
                    (slot.partition, key).hash(&mut hasher);
                    usize::try_from(hasher.finish() % self.queues.len() as u64).unwrap_or(0)
                }
                None => self.shortest_queue(),
            },
        }
    }

    /// Evenly over the threads, whatever the numbers of the partitions that this member was given.
    fn thread_with_fewest_partitions(&self, newcomer: usize) -> usize {
        let mut held = vec![0; self.queues.len()];
        for (index, ((epoch, thread), slot)) in self.chosen.iter().zip(self.desk.reader.shared.slots()).enumerate() {
            if index != newcomer && *epoch > 0 && *epoch == slot.epoch() {
                held[*thread] += 1;
            }
        }
        (0..held.len()).min_by_key(|thread| held[*thread]).unwrap_or(0)
    }

    /// Of equally short ones, another each time.
    fn shortest_queue(&mut self) -> usize {
        let count = self.queues.len();
        self.next = (self.next + 1) % count;
        let turns = (0..count).map(|step| (self.next + step) % count);
        turns.min_by_key(|queue| self.queues[*queue].len()).unwrap_or(0)
    }

    /// Puts a record into a queue. Where that is full, waits for room, for a rebalance, which comes first, or for the
    /// end.
    fn send(&mut self, queue: usize, job: Job<S::Message<'a>>) {
        let mut job = match self.queues[queue].try_send(job) {
            Ok(()) => return,
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => job,
        };
        let (room, bell) = (self.queues[queue].clone(), self.desk.reader.gate.bell());
        while !self.is_stopped() {
            if self.gate.is_wanted() {
                self.gate.step_aside();
                if self.desk.reader.shared.slots()[job.slot].epoch() != job.epoch {
                    return;
                }
            }
            select! {
                recv(bell) -> _ => {}
                send(room, job) -> sent => match sent {
                    Ok(()) => return,
                    Err(refused) => job = refused.into_inner(),
                },
            }
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
