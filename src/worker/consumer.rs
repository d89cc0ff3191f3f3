//! A member: an ordinary consumer whose membership is served by one thread and whose records are read by another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock, PoisonError};
use std::thread::JoinHandle;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::Notify;

use super::client::{MemberClient, MemberConsumption};
use super::hold::{HeldReader, Records};
use super::leaders::Leaders;
use super::membership::{self, MemberContext, partitions_of};
use super::reader::{PrivateQueue, ReaderResult, StreamSource};
use super::reported::{NewsSink, Reported};
use super::settings::{client_config, refused};
use super::shared::{MemberShared, ReporterSignal};
use super::statistics::StatisticsLog;
use super::threads::spawn;
use crate::measure::{OffsetSpan, RebalanceKind, TopicPartition};
use crate::protocol::{MemberResult, Prepare};
use crate::scenario::{Commit, Read, Work, WorkOrdering};
use crate::work::{self, StoreCounts, Task, UnansweredRun};

/// One consumer of this process.
pub(super) struct Member {
    client: MemberClient,
    /// Ends a reader's wait for records.
    waker: Waker,
    shared: Arc<MemberShared>,
    manual: Vec<TopicPartition>,
    /// The thread that serves the membership; none where the reader of a stream does.
    membership: Option<JoinHandle<()>>,
    reader: JoinHandle<ReaderResult>,
    start: Sender<u64>,
    ending: Arc<AtomicBool>,
    queued_at_start: Arc<OnceLock<u64>>,
    /// The first commit of a rebalance callback that failed.
    callback_failure: Arc<OnceLock<String>>,
    /// The common start, once it is known.
    start_ns: OnceLock<u64>,
    /// What the client says of itself.
    statistics: Arc<StatisticsLog>,
    /// What its threads do with the store, where its records end there.
    stored: Option<StoreCounts>,
}

/// Why a member cannot be ready.
#[derive(Debug)]
pub(super) struct NotReady {
    /// True where the cluster may be the cause, and false where only its work is.
    pub(super) connect: bool,
    pub(super) message: String,
}

impl NotReady {
    fn by_work(message: String) -> Self {
        NotReady {
            connect: false,
            message,
        }
    }
}

impl From<String> for NotReady {
    fn from(message: String) -> Self {
        NotReady { connect: true, message }
    }
}

enum Waker {
    Queues(Vec<Arc<PrivateQueue<MemberContext>>>),
    Stream(Arc<Notify>),
}

impl Waker {
    fn wake(&self) {
        match self {
            Waker::Queues(queues) => queues.iter().for_each(|queue| queue.wake()),
            Waker::Stream(notify) => notify.notify_one(),
        }
    }
}

impl Member {
    /// Makes the consumer, reaches the cluster, opens the handlers of the work and starts the threads; nothing is subscribed
    /// yet.
    pub(super) fn connect(
        prepare: &Prepare,
        index: usize,
        reporter: Sender<ReporterSignal>,
        news: NewsSink,
    ) -> Result<Self, NotReady> {
        let order = &prepare.consumers[index];
        let shared = MemberShared::new(&prepare.topics, reading_threads(prepare), reporter);
        let shared = Arc::new(shared.reporting(Reported::to(news)).recording_flow(prepare.flow));
        *shared.holding.lock().unwrap_or_else(PoisonError::into_inner) = !prepare.joins_late;
        let callback_failure = Arc::new(OnceLock::new());
        let statistics = Arc::new(StatisticsLog::default());
        let context = context(prepare, &shared, &callback_failure, &statistics);
        let (client, records, waker) = made(prepare, &order.client_id, context)?;
        let leaders = Leaders::reach(&client, &shared)?;

        let (start, start_orders) = channel();
        let queued_at_start = Arc::new(OnceLock::new());
        let held = HeldReader {
            client: client.clone(),
            consumption: MemberConsumption::new(client.clone(), Arc::clone(&shared))?,
            records,
            shared: Arc::clone(&shared),
            leaders,
            queued_at_start: Arc::clone(&queued_at_start),
            prepare: prepare.clone(),
            start_orders,
            thread_name: format!("reader-{index}"),
        };
        let counts = StoreCounts::reporting(unanswered_by(&shared));
        let task = task(prepare, &order.client_id, &counts);
        let reader = work::open(task, working_threads(prepare), held).map_err(NotReady::by_work)??;
        let ending = Arc::new(AtomicBool::new(false));
        let membership = match &client {
            MemberClient::Streamed(_) => None,
            MemberClient::Polled(consumer) => {
                let (consumer, ending) = (Arc::clone(consumer), Arc::clone(&ending));
                let serve = move || membership::serve(&consumer, &ending);
                Some(spawn(format!("member-{index}"), serve)?)
            }
        };
        Ok(Member {
            client,
            waker,
            shared,
            manual: order.manual.clone(),
            membership,
            reader,
            start,
            ending,
            queued_at_start,
            callback_failure,
            start_ns: OnceLock::new(),
            statistics,
            stored: (prepare.work == Work::Store).then_some(counts),
        })
    }

    /// Joins the group, or takes the partitions given by hand; holds either way.
    pub(super) fn subscribe(&self, manual: bool) -> Result<(), String> {
        if !manual {
            let topics = self.shared.topic_names();
            return (self.client.subscribe(&topics)).map_err(|error| format!("cannot subscribe: {error}"));
        }
        let mut list = TopicPartitionList::with_capacity(self.manual.len());
        self.shared.deal(&self.manual);
        for given in &self.manual {
            let slot = self.shared.slots().iter().find(|slot| slot.partition == *given);
            let slot = slot.ok_or_else(|| format!("partition {given:?} is not one of the trial's"))?;
            let topic = self.shared.topic_of(slot);
            match &self.waker {
                Waker::Queues(queues) => queues[slot.lane()].forward(topic, given.partition)?,
                Waker::Stream(_) => self.client.make_known(topic, given.partition)?,
            }
            list.add_partition_offset(topic, given.partition, Offset::Offset(slot.range.low))
                .map_err(|error| format!("cannot assign {topic} [{}]: {error}", given.partition))?;
        }
        let holding = self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the assignment, which would begin to fetch.
        if *holding {
            self.client
                .pause(&list)
                .map_err(|error| format!("cannot hold partitions: {error}"))?;
        }
        self.shared.begin_epochs(&self.manual);
        self.client
            .assign(&list)
            .map_err(|error| format!("cannot assign partitions: {error}"))?;
        self.shared.note_rebalance(RebalanceKind::Assigned, self.manual.clone());
        Ok(())
    }

    /// What the client holds now, asked for and not remembered. Waits for an assignment that is being made: the client
    /// shows it before its partitions are all held.
    pub(super) fn assignment(&self) -> Result<Vec<TopicPartition>, String> {
        let _complete = self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        let list = self
            .client
            .assignment()
            .map_err(|error| format!("cannot ask for the assignment: {error}"))?;
        Ok(partitions_of(&self.shared, &list))
    }

    pub(super) fn shared(&self) -> &MemberShared {
        &self.shared
    }

    /// The member's state, for a thread that watches it.
    pub(super) fn share(&self) -> Arc<MemberShared> {
        Arc::clone(&self.shared)
    }

    /// Begins to read at `at_ns`.
    pub(super) fn start(&self, at_ns: u64) {
        let _ = self.start_ns.set(at_ns);
        // The reader thread is gone only when it panicked, which `finish` reports.
        let _ = self.start.send(at_ns);
        // A stream is read before the start as well.
        if let Waker::Stream(_) = &self.waker {
            self.waker.wake();
        }
    }

    /// Ends the reading without waiting for it.
    pub(super) fn stop(&self) {
        self.shared.stop();
        self.waker.wake();
    }

    /// Waits for the reader and hands out what was recorded, with what is left to close.
    pub(super) fn finish(self) -> (Result<MemberResult, String>, Closing) {
        drop(self.start);
        let read = self.reader.join();
        let read = read.unwrap_or_else(|_| ReaderResult {
            failure: Some("the reader thread panicked".to_owned()),
            ..ReaderResult::default()
        });
        let result = match read.failure.or_else(|| self.callback_failure.get().cloned()) {
            Some(failure) => Err(failure),
            None => {
                let start_ns = self.start_ns.get();
                let last_ns = read.partitions.iter().filter_map(|partition| partition.last_ns).max();
                let window = start_ns.zip(last_ns);
                Ok(MemberResult {
                    reading: start_ns.map(|_| read.time),
                    client: window.and_then(|(start_ns, last_ns)| self.statistics.over(*start_ns, last_ns)),
                    partitions: read.partitions,
                    work_ns: read.work_ns,
                    store: self.stored.as_ref().map(StoreCounts::so_far),
                    queued_at_start: self.queued_at_start.get().copied(),
                    commits: self.shared.commits(),
                    rebalances: self.shared.rebalances(),
                    heartbeats: of_flow(self.shared.records_flow(), || self.statistics.heartbeats()),
                    slow_commits: self.shared.slow_commits(),
                })
            }
        };
        // The queues hold the client.
        drop(self.waker);
        let closing = Closing {
            client: self.client,
            membership: self.membership,
            ending: self.ending,
        };
        (result, closing)
    }
}

/// What is recorded only where a planned act may change it.
fn of_flow<T>(is_asked: bool, recorded: impl FnOnce() -> Vec<T>) -> Vec<T> {
    if is_asked { recorded() } else { Vec::new() }
}

/// Says which records are in a transaction whose commit the store did not answer.
fn unanswered_by(shared: &Arc<MemberShared>) -> impl Fn(&[UnansweredRun]) + Send + Sync + 'static {
    let shared = Arc::clone(shared);
    move |runs| {
        let span = |run: &UnansweredRun| {
            let slot = shared.slot(&run.topic, run.partition)?;
            Some(OffsetSpan {
                partition: slot.partition,
                first: run.first,
                end: run.end,
            })
        };
        shared.reported().unanswered(runs.iter().filter_map(span).collect());
    }
}

/// What the threads of a member with this name are to do.
fn task<'a>(prepare: &'a Prepare, name: &'a str, counts: &'a StoreCounts) -> Task<'a> {
    Task {
        work: prepare.work,
        calibration: prepare.calibration,
        store: prepare.store.as_ref(),
        name,
        counts,
    }
}

/// A member's client. One that keeps its place in the group over restarts has the name of its client there.
fn made(prepare: &Prepare, client_id: &str, context: MemberContext) -> Result<Made, String> {
    let mut config = client_config(&prepare.properties, client_id);
    if prepare.static_membership {
        config.set("group.instance.id", client_id);
    }
    match prepare.read {
        Read::Stream => make_stream(&config, context),
        Read::Batch | Read::Poll => make_queues(&config, context),
    }
}

/// The context of a member's client, which shares all but its queues with the member.
fn context(
    prepare: &Prepare,
    shared: &Arc<MemberShared>,
    failure: &Arc<OnceLock<String>>,
    statistics: &Arc<StatisticsLog>,
) -> MemberContext {
    MemberContext {
        shared: Arc::clone(shared),
        queues: OnceLock::new(),
        commit: prepare.commit,
        uses_group: !prepare.manual || prepare.commit != Commit::None,
        failure: Arc::clone(failure),
        statistics: Arc::clone(statistics),
    }
}

/// Threads of a member that work records.
fn working_threads(prepare: &Prepare) -> usize {
    usize::try_from(prepare.threads).unwrap_or(usize::MAX).max(1)
}

/// Threads of a member that take records from the client. Where only the records of one partition wait for each other,
/// every thread has a queue of its own, so that none waits behind another's partition; a stream cannot be divided.
fn reading_threads(prepare: &Prepare) -> usize {
    match (prepare.read, prepare.ordering) {
        (Read::Batch | Read::Poll, WorkOrdering::Partition) => working_threads(prepare),
        _ => 1,
    }
}

type Made = (MemberClient, Records, Waker);

/// A consumer whose records come by private queues, one for each reading thread.
fn make_queues(config: &ClientConfig, context: MemberContext) -> Result<Made, String> {
    let readers = context.shared.gates().len();
    let consumer: BaseConsumer<MemberContext> = config.create_with_context(context).map_err(|e| refused(&e))?;
    let consumer = Arc::new(consumer);
    let queues: Vec<_> = (0..readers)
        .map(|_| Arc::new(PrivateQueue::new(Arc::clone(&consumer))))
        .collect();
    // Set once, before anything is subscribed.
    let _ = consumer
        .client()
        .context()
        .queues
        .set(queues.iter().map(Arc::downgrade).collect());
    let records = Records::Queues(queues.clone());
    Ok((MemberClient::Polled(consumer), records, Waker::Queues(queues)))
}

/// A consumer that is read as a stream.
fn make_stream(config: &ClientConfig, context: MemberContext) -> Result<Made, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| format!("cannot make a runtime: {error}"))?;
    let consumer: StreamConsumer<MemberContext> = {
        let _entered = runtime.enter();
        config.create_with_context(context).map_err(|e| refused(&e))?
    };
    let consumer = Arc::new(consumer);
    let source = StreamSource::new(Arc::clone(&consumer), runtime);
    let waker = Waker::Stream(source.waker());
    Ok((
        MemberClient::Streamed(consumer),
        Records::Stream(Box::new(source)),
        waker,
    ))
}

/// A consumer that has read and is still a member of its group.
pub(super) struct Closing {
    client: MemberClient,
    membership: Option<JoinHandle<()>>,
    ending: Arc<AtomicBool>,
}

impl Closing {
    /// The client, for a test that watches it.
    #[cfg(test)]
    pub(super) fn client(&self) -> MemberClient {
        self.client.clone()
    }

    /// Leaves the group and closes the client.
    ///
    /// Leaving comes before the end of the thread that serves the membership. Nothing but an event ends that thread's
    /// poll before its time, and leaving makes one: the client revokes what the member holds.
    pub(super) fn close(self) {
        self.ending.store(true, Ordering::Release);
        let is_served = || self.membership.as_ref().is_some_and(|thread| !thread.is_finished());
        self.client.leave(is_served);
        // A panic of that thread was already printed; the client is closed all the same.
        let _ = self.membership.map(JoinHandle::join);
    }
}
