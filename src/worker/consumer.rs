//! A member: an ordinary consumer whose membership is served by one thread and whose records are read by another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::reader::{Batch, PrivateQueue, Reader, ReaderResult};
use super::shared::MemberShared;
use super::work::Labour;
use crate::measure::{RebalanceKind, TopicPartition, clock};
use crate::protocol::{MemberResult, Prepare, Secret};

/// How long the cluster may take to answer the first question.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long the membership thread waits for an event; it is woken when it should end.
const MEMBERSHIP_POLL: Duration = Duration::from_millis(200);

/// One consumer of this process.
pub(super) struct Member {
    consumer: Arc<BaseConsumer<MemberContext>>,
    queue: Arc<PrivateQueue<MemberContext>>,
    shared: Arc<MemberShared>,
    manual: Vec<TopicPartition>,
    membership: JoinHandle<()>,
    reader: JoinHandle<ReaderResult>,
    start: Sender<StartOrder>,
    ending: Arc<AtomicBool>,
    queued_at_start: Arc<OnceLock<u64>>,
}

struct StartOrder {
    at_ns: u64,
}

/// Where a member reports that it cannot go on.
pub(super) type FailureSink = Arc<dyn Fn(String) + Send + Sync>;

impl Member {
    /// Makes the consumer, reaches the cluster and starts the threads; nothing is subscribed yet.
    pub(super) fn connect(
        prepare: &Prepare,
        index: usize,
        ended: Sender<()>,
        on_failure: FailureSink,
    ) -> Result<Self, String> {
        let order = &prepare.consumers[index];
        let shared = Arc::new(MemberShared::new(&prepare.topics, ended));
        let queue_slot = Arc::new(Mutex::new(Weak::new()));
        let context = MemberContext {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue_slot),
        };
        let consumer: BaseConsumer<MemberContext> = client_config(&prepare.properties, &order.client_id)
            .create_with_context(context)
            .map_err(|error| format!("the client refused its settings: {error}"))?;
        let consumer = Arc::new(consumer);
        let queue = Arc::new(PrivateQueue::new(Arc::clone(&consumer)));
        *queue_slot.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&queue);
        let leaders = reach_leaders(&consumer, &shared)?;

        let ending = Arc::new(AtomicBool::new(false));
        let membership = spawn(format!("member-{index}"), {
            let (consumer, ending) = (Arc::clone(&consumer), Arc::clone(&ending));
            move || serve_membership(&consumer, &ending, &on_failure)
        })?;
        let (start, start_orders) = channel();
        let queued_at_start = Arc::new(OnceLock::new());
        let reader = spawn(format!("reader-{index}"), {
            let parts = ReaderParts {
                consumer: Arc::clone(&consumer),
                queue: Arc::clone(&queue),
                shared: Arc::clone(&shared),
                leaders,
                queued_at_start: Arc::clone(&queued_at_start),
                prepare: prepare.clone(),
            };
            move || parts.run(&start_orders)
        })?;
        Ok(Member {
            consumer,
            queue,
            shared,
            manual: order.manual.clone(),
            membership,
            reader,
            start,
            ending,
            queued_at_start,
        })
    }

    /// Joins the group, or takes the partitions given by hand; holds either way.
    pub(super) fn subscribe(&self, manual: bool) -> Result<(), String> {
        if !manual {
            let topics = self.shared.topic_names();
            return self
                .consumer
                .subscribe(&topics)
                .map_err(|error| format!("cannot subscribe: {error}"));
        }
        let mut list = TopicPartitionList::with_capacity(self.manual.len());
        for given in &self.manual {
            let slot = self.shared.slots().iter().find(|slot| slot.partition == *given);
            let slot = slot.ok_or_else(|| format!("partition {given:?} is not one of the trial's"))?;
            let topic = self.shared.topic_of(slot);
            self.queue.forward(topic, given.partition)?;
            list.add_partition_offset(topic, given.partition, Offset::Offset(slot.range.low))
                .map_err(|error| format!("cannot assign {topic} [{}]: {error}", given.partition))?;
        }
        let holding = self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        self.consumer
            .assign(&list)
            .map_err(|error| format!("cannot assign partitions: {error}"))?;
        if *holding {
            self.consumer
                .pause(&list)
                .map_err(|error| format!("cannot hold partitions: {error}"))?;
        }
        self.shared.note_rebalance(RebalanceKind::Assigned, self.manual.clone());
        Ok(())
    }

    /// What the client holds now, asked for and not remembered.
    pub(super) fn assignment(&self) -> Result<Vec<TopicPartition>, String> {
        let list = self
            .consumer
            .assignment()
            .map_err(|error| format!("cannot ask for the assignment: {error}"))?;
        Ok(self.shared_partitions(&list))
    }

    fn shared_partitions(&self, list: &TopicPartitionList) -> Vec<TopicPartition> {
        partitions_of(&self.shared, list)
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
        // The reader thread is gone only when it panicked, which `finish` reports.
        let _ = self.start.send(StartOrder { at_ns });
    }

    /// Ends the reading without waiting for it.
    pub(super) fn stop(&self) {
        self.shared.stop();
        self.queue.wake();
    }

    /// Waits for the reader and hands out what was recorded, with what is left to close.
    pub(super) fn finish(self) -> (Result<MemberResult, String>, Closing) {
        let Member {
            consumer,
            queue,
            shared,
            membership,
            reader,
            start,
            ending,
            queued_at_start,
            ..
        } = self;
        drop(start);
        let result = reader
            .join()
            .map_err(|_| "the reader thread panicked".to_owned())
            .and_then(|read| {
                if let Some(error) = read.error.filter(|_| read.partitions.iter().all(|p| p.records == 0)) {
                    return Err(format!("the client gave an error instead of records: {error}"));
                }
                Ok(MemberResult {
                    partitions: read.partitions,
                    work_ns: read.work_ns,
                    queued_at_start: queued_at_start.get().copied(),
                    commits: read.commits,
                    rebalances: shared.rebalances(),
                })
            });
        drop(queue);
        (
            result,
            Closing {
                consumer,
                membership,
                ending,
            },
        )
    }
}

/// A consumer that has read and is still a member of its group.
pub(super) struct Closing {
    consumer: Arc<BaseConsumer<MemberContext>>,
    membership: JoinHandle<()>,
    ending: Arc<AtomicBool>,
}

impl Closing {
    /// Leaves the group and closes the client.
    pub(super) fn close(self) {
        self.ending.store(true, Ordering::Release);
        PrivateQueue::wake_consumer(&self.consumer);
        // A panic of that thread was already printed; the client is closed all the same.
        let _ = self.membership.join();
        drop(self.consumer);
    }
}

/// What the reader thread takes along.
struct ReaderParts {
    consumer: Arc<BaseConsumer<MemberContext>>,
    queue: Arc<PrivateQueue<MemberContext>>,
    shared: Arc<MemberShared>,
    /// One partition for each broker that leads any, to wake the client's broker threads at the start.
    leaders: Vec<(String, i32)>,
    queued_at_start: Arc<OnceLock<u64>>,
    prepare: Prepare,
}

impl ReaderParts {
    /// Waits for the start, releases the hold and reads. Ends at once where the member is closed before any start.
    fn run(self, start_orders: &Receiver<StartOrder>) -> ReaderResult {
        let labour = Labour::prepare(self.prepare.work, self.prepare.calibration);
        let Ok(StartOrder { at_ns }) = start_orders.recv() else {
            return ReaderResult::default();
        };
        sleep_until(at_ns);
        // A record that lies in the queue already was fetched before the start.
        let mut early = Batch::new(1_000);
        self.queue.take(&mut early, 0);
        let _ = self.queued_at_start.set(early.len() as u64);
        self.release();
        let reader = Reader {
            consumer: self.consumer,
            queue: self.queue,
            shared: self.shared,
            labour,
            commit: self.prepare.commit,
            read: self.prepare.read,
        };
        reader.run(at_ns, &early)
    }

    /// Resumes what is assigned and wakes the client's broker threads: without a request of some kind each would
    /// first finish a sleep of up to a second.
    fn release(&self) {
        let mut holding = self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        *holding = false;
        let resumed = self.consumer.assignment().and_then(|list| {
            if list.count() > 0 {
                self.consumer.resume(&list)?;
            }
            Ok(list.count())
        });
        drop(holding);
        match resumed {
            Ok(0) => {}
            Ok(_) => self.wake_leaders(),
            Err(error) => eprintln!("cannot resume: {error}"),
        }
    }

    /// Asks every leader for a watermark, from threads of their own: reading goes on meanwhile.
    fn wake_leaders(&self) {
        for (topic, partition) in self.leaders.iter().cloned() {
            let consumer = Arc::clone(&self.consumer);
            let woken = spawn("wake".to_owned(), move || {
                if let Err(error) = consumer.fetch_watermarks(&topic, partition, CONNECT_LIMIT) {
                    eprintln!("cannot wake the leader of {topic} [{partition}]: {error}");
                }
            });
            if let Err(error) = woken {
                eprintln!("{error}");
            }
        }
    }
}

/// Sleeps until shortly before the time and spends the rest waiting actively, so that all members begin together.
fn sleep_until(at_ns: u64) {
    const ACTIVE_NS: u64 = 200_000;
    let ahead = at_ns.saturating_sub(clock::now_ns());
    if ahead > ACTIVE_NS {
        thread::sleep(Duration::from_nanos(ahead - ACTIVE_NS));
    }
    while clock::now_ns() < at_ns {
        std::hint::spin_loop();
    }
}

fn spawn<T: Send + 'static>(name: String, body: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, String> {
    thread::Builder::new()
        .name(name)
        .spawn(body)
        .map_err(|error| format!("cannot start a thread: {error}"))
}

fn client_config(properties: &BTreeMap<String, Secret>, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in properties {
        config.set(name, value.reveal());
    }
    config.set("client.id", client_id);
    config.set_log_level(RDKafkaLogLevel::Warning);
    config
}

/// Asks for the topics' metadata, which connects the client, and picks one partition for each leader.
fn reach_leaders(consumer: &BaseConsumer<MemberContext>, shared: &MemberShared) -> Result<Vec<(String, i32)>, String> {
    let mut leaders = BTreeMap::new();
    for topic in shared.topic_names() {
        let metadata = consumer
            .fetch_metadata(Some(topic), CONNECT_LIMIT)
            .map_err(|error| format!("the cluster did not answer: {error}"))?;
        let found = metadata.topics().iter().find(|t| t.name() == topic);
        let partitions = found
            .map(rdkafka::metadata::MetadataTopic::partitions)
            .unwrap_or_default();
        for partition in partitions.iter().filter(|p| p.leader() >= 0) {
            leaders
                .entry(partition.leader())
                .or_insert_with(|| (topic.to_owned(), partition.id()));
        }
    }
    if leaders.is_empty() {
        return Err(format!(
            "no partition of {} has a leader",
            shared.topic_names().join(", ")
        ));
    }
    Ok(leaders.into_values().collect())
}

/// Serves rebalances and errors until told to end.
fn serve_membership(consumer: &BaseConsumer<MemberContext>, ending: &AtomicBool, on_failure: &FailureSink) {
    while !ending.load(Ordering::Acquire) {
        match consumer.poll(MEMBERSHIP_POLL) {
            None => {}
            Some(Ok(record)) => {
                use rdkafka::Message;
                on_failure(format!(
                    "a record of {} [{}] came outside of the reader's queue",
                    record.topic(),
                    record.partition()
                ));
            }
            Some(Err(error)) => {
                if let Some((code, text)) = consumer.client().fatal_error() {
                    on_failure(format!("the client cannot go on: {text} ({code})"));
                    return;
                }
                if is_permanent(&error) {
                    on_failure(format!("the cluster refused: {error}"));
                    return;
                }
                eprintln!("client: {error}");
            }
        }
    }
}

/// Errors that no waiting will mend.
fn is_permanent(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed
                | RDKafkaErrorCode::UnsupportedVersion
                | RDKafkaErrorCode::InconsistentGroupProtocol
        )
    )
}

/// The partitions of a list that belong to the trial.
fn partitions_of(shared: &MemberShared, list: &TopicPartitionList) -> Vec<TopicPartition> {
    let elements = list.elements();
    let mut partitions: Vec<_> = elements
        .iter()
        .filter_map(|e| shared.slot(e.topic(), e.partition()))
        .map(|slot| slot.partition)
        .collect();
    partitions.sort_unstable();
    partitions
}

/// The callbacks of a member's consumer.
pub(super) struct MemberContext {
    shared: Arc<MemberShared>,
    queue: Arc<Mutex<Weak<PrivateQueue<MemberContext>>>>,
}

impl ClientContext for MemberContext {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        eprintln!("librdkafka {facility}: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        eprintln!("librdkafka: {error}: {reason}");
    }
}

impl ConsumerContext for MemberContext {
    /// Forwards a partition's queue before the assignment is made and pauses it right after, under one lock.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let assigning = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let lost = consumer.assignment_lost();
        let holding = self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        if assigning {
            self.forward(list);
        }
        apply(consumer, code, list);
        if assigning
            && *holding
            && let Err(error) = consumer.pause(list)
        {
            eprintln!("cannot hold partitions: {error}");
        }
        let kind = match (assigning, lost) {
            (true, _) => RebalanceKind::Assigned,
            (false, true) => RebalanceKind::Lost,
            (false, false) => RebalanceKind::Revoked,
        };
        self.shared.note_rebalance(kind, partitions_of(&self.shared, list));
    }
}

impl MemberContext {
    fn forward(&self, list: &TopicPartitionList) {
        let Some(queue) = self.queue.lock().unwrap_or_else(PoisonError::into_inner).upgrade() else {
            return;
        };
        for element in list.elements() {
            if let Err(error) = queue.forward(element.topic(), element.partition()) {
                eprintln!("{error}");
            }
        }
    }
}

/// Does what the group's protocol asks for.
fn apply(consumer: &BaseConsumer<MemberContext>, code: RDKafkaRespErr, list: &TopicPartitionList) {
    let assigning = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
    let done = match (assigning, cooperative) {
        (true, true) => consumer.incremental_assign(list),
        (true, false) => consumer.assign(list),
        (false, true) => consumer.incremental_unassign(list),
        (false, false) => consumer.unassign(),
    };
    if let Err(error) = done {
        eprintln!("cannot apply a rebalance: {error}");
    }
}
