//! The hold: a member has its partitions but fetches nothing until the common start, and then begins at once.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::topic_partition_list::TopicPartitionList;

use super::client::{MemberClient, MemberConsumption};
use super::leaders::Leaders;
use super::membership::MemberContext;
use super::reader::{
    PrivateQueue, ReadAccounts, Reader, ReaderResult, Source, StreamSource, WaitOrder, batch_capacity,
};
use super::shared::{MemberShared, Slot};
use super::threads::spawn;
use crate::measure::clock;
use crate::protocol::Prepare;
use crate::scenario::Work;
use crate::work::{Handler, UseHandlers};

/// Shortly before the start a reader waits actively, so that all members begin together.
const ACTIVE_NS: u64 = 200_000;
/// Records that a reader takes over from before the start; more stay in the client.
const EARLY_RECORDS: usize = 1_000;

/// A reader that waits for the start.
pub(super) struct HeldReader {
    pub(super) client: MemberClient,
    pub(super) records: Records,
    pub(super) shared: Arc<MemberShared>,
    /// Its commits, and its pauses of what is at its end.
    pub(super) consumption: MemberConsumption,
    pub(super) leaders: Leaders,
    pub(super) queued_at_start: Arc<OnceLock<u64>>,
    pub(super) prepare: Prepare,
    pub(super) start_orders: Receiver<u64>,
    /// What the names of its threads begin with.
    pub(super) thread_name: String,
}

/// Where a member's records come from.
pub(super) enum Records {
    /// One private queue for each reading thread.
    Queues(Vec<Arc<PrivateQueue<MemberContext>>>),
    /// A stream, which is read before the start as well: it serves the membership.
    Stream(Box<StreamSource<MemberContext>>),
}

/// Starts the reader's thread.
impl UseHandlers for HeldReader {
    type Output = Result<JoinHandle<ReaderResult>, String>;

    fn use_handlers<H: Handler>(self, handlers: Vec<H>) -> Self::Output {
        spawn(self.thread_name.clone(), move || self.run(handlers))
    }
}

impl HeldReader {
    /// Waits for the start, releases the hold and reads. Ends at once where the member is closed before any start.
    fn run<H: Handler>(self, handlers: Vec<H>) -> ReaderResult {
        let accounts = match &self.records {
            Records::Queues(queues) => self.read_queues(queues, handlers),
            Records::Stream(source) => self.read_stream(source, handlers),
        };
        accounts.map_or_else(ReaderResult::default, |accounts| accounts.into_result(&self.shared))
    }

    fn read_queues<H: Handler>(
        &self,
        queues: &[Arc<PrivateQueue<MemberContext>>],
        handlers: Vec<H>,
    ) -> Option<ReadAccounts> {
        let start_ns = self.start_orders.recv().ok()?;
        sleep_until(start_ns);
        let waits = self.wait_order(start_ns);
        let lanes: Vec<_> = (queues.iter().enumerate())
            .map(|(lane, queue)| self.reader(&**queue, lane, start_ns, waits.as_ref()))
            .collect();
        // With several reading threads each is one of those that work.
        let of_each = handlers.len() / lanes.len().max(1);
        let mut handlers = handlers.into_iter();
        // A record that lies in a queue already was fetched before the start.
        let entered: Vec<_> = (lanes.iter())
            .map(|lane| {
                let handlers: Vec<H> = handlers.by_ref().take(of_each).collect();
                (lane, handlers, lane.take_early(Vec::with_capacity(EARLY_RECORDS)))
            })
            .collect();
        let queued = entered.iter().map(|(.., early)| early.records.len() as u64).sum();
        let _ = self.queued_at_start.set(queued);
        self.release(waits.as_ref());
        thread::scope(|scope| {
            let mut entered = entered.into_iter();
            let first = entered.next();
            let others: Vec<_> = entered
                .map(|(lane, handlers, early)| {
                    let builder = thread::Builder::new().name(format!("{}-{}", self.thread_name, lane.lane));
                    builder.spawn_scoped(scope, move || lane.run(handlers, early))
                })
                .collect();
            let mut accounts = first.map(|(lane, handlers, early)| lane.run(handlers, early))?;
            for other in others {
                match other.map(thread::ScopedJoinHandle::join) {
                    Ok(Ok(its)) => accounts.absorb(its),
                    Ok(Err(_)) => accounts.fail("a reading thread panicked"),
                    Err(error) => accounts.fail(&format!("cannot start a thread: {error}")),
                }
            }
            Some(accounts)
        })
    }

    fn read_stream<H: Handler>(&self, source: &StreamSource<MemberContext>, handlers: Vec<H>) -> Option<ReadAccounts> {
        let mut early = Vec::new();
        let start_ns = loop {
            match self.start_orders.try_recv() {
                Ok(start_ns) => break start_ns,
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => source.wait(&mut early, Duration::from_millis(200)),
            }
        };
        while let Some(ahead) = start_ns.checked_sub(clock::now_ns() + ACTIVE_NS) {
            source.wait(&mut early, Duration::from_nanos(ahead));
        }
        sleep_until(start_ns);
        let waits = self.wait_order(start_ns);
        let reader = self.reader(source, 0, start_ns, waits.as_ref());
        early.reserve_exact(1);
        let early = reader.take_early(early);
        let _ = self.queued_at_start.set(early.records.len() as u64);
        self.release(waits.as_ref());
        Some(reader.run(handlers, early))
    }

    /// What is to be measured of records that arrive, once the start is known.
    fn wait_order(&self, start_ns: u64) -> Option<WaitOrder> {
        let order = self.prepare.stamps.as_ref()?;
        Some(WaitOrder::new(order, start_ns))
    }

    fn reader<'a, S: Source>(
        &'a self,
        source: &'a S,
        lane: usize,
        start_ns: u64,
        waits: Option<&'a WaitOrder>,
    ) -> Reader<'a, S, MemberConsumption> {
        Reader {
            commit: self.prepare.commit,
            capacity: batch_capacity(self.prepare.read),
            ordering: self.prepare.ordering,
            work_ns: self.prepare.work.ns(),
            thread_name: self.thread_name.clone(),
            start_ns,
            waits,
            records_flow: self.prepare.flow,
            says_where_it_begins: self.prepare.work == Work::Store,
            ..Reader::counting(source, &self.consumption, &self.shared, lane)
        }
    }

    /// Resumes what is assigned, all of it before any of the client's threads for the brokers is woken: the first fetch
    /// from each broker asks for all of its partitions then, and no broker holds a fetch for empty ones alone.
    fn release(&self, waits: Option<&WaitOrder>) {
        let mut holding = self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        *holding = false;
        let list = self.to_fetch(waits);
        let resumed = if list.count() > 0 {
            self.client.resume(&list).map(|()| self.leaders.wake(&self.client))
        } else {
            Ok(())
        };
        if let Err(error) = resumed {
            eprintln!("cannot resume: {error}");
        }
    }

    /// What is fetched of the assignment, in the order in which it is resumed. A partition of which nothing is read is at
    /// its end already, and stays paused like every one that is. Those that have a backlog come first: a thread that
    /// wakes by itself meanwhile does not ask for empty ones alone.
    fn to_fetch(&self, waits: Option<&WaitOrder>) -> TopicPartitionList {
        let held = self.shared.slots().iter().enumerate();
        let held = held.filter(|(_, slot)| slot.epoch() > 0 && !slot.range.is_empty());
        let has_backlog = |index, slot: &Slot| waits.is_none_or(|order| order.stamped_from(index) > slot.range.low);
        let (first, later): (Vec<_>, Vec<_>) = held.partition(|(index, slot)| has_backlog(*index, slot));
        let mut list = TopicPartitionList::with_capacity(first.len() + later.len());
        for (_, slot) in first.into_iter().chain(later) {
            list.add_partition(self.shared.topic_of(slot), slot.partition.partition);
        }
        list
    }
}

/// Sleeps until shortly before the time and spends the rest waiting actively.
fn sleep_until(at_ns: u64) {
    let ahead = at_ns.saturating_sub(clock::now_ns());
    if ahead > ACTIVE_NS {
        thread::sleep(Duration::from_nanos(ahead - ACTIVE_NS));
    }
    while clock::now_ns() < at_ns {
        std::hint::spin_loop();
    }
}
