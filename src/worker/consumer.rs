//! A member: an ordinary consumer whose membership is served by one thread and whose records are read by another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::hold::HeldReader;
use super::membership::{self, MemberContext, partitions_of};
use super::reader::{PrivateQueue, ReaderResult};
use super::shared::MemberShared;
use crate::measure::{RebalanceKind, TopicPartition};
use crate::protocol::{MemberResult, Prepare, Secret};

/// How long the cluster may take to answer the first question.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// One consumer of this process.
pub(super) struct Member {
    consumer: Arc<BaseConsumer<MemberContext>>,
    queue: Arc<PrivateQueue<MemberContext>>,
    shared: Arc<MemberShared>,
    manual: Vec<TopicPartition>,
    membership: JoinHandle<()>,
    reader: JoinHandle<ReaderResult>,
    start: Sender<u64>,
    ending: Arc<AtomicBool>,
    queued_at_start: Arc<OnceLock<u64>>,
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
            .map_err(|error| format!("the client refused its settings: {}", settings_cause(&error)))?;
        let consumer = Arc::new(consumer);
        let queue = Arc::new(PrivateQueue::new(Arc::clone(&consumer)));
        *queue_slot.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&queue);
        let leaders = reach_leaders(&consumer, &shared)?;

        let ending = Arc::new(AtomicBool::new(false));
        let membership = spawn(format!("member-{index}"), {
            let (consumer, ending) = (Arc::clone(&consumer), Arc::clone(&ending));
            move || membership::serve(&consumer, &ending, &on_failure)
        })?;
        let (start, start_orders) = channel();
        let queued_at_start = Arc::new(OnceLock::new());
        let reader = spawn(format!("reader-{index}"), {
            let held = HeldReader {
                consumer: Arc::clone(&consumer),
                queue: Arc::clone(&queue),
                shared: Arc::clone(&shared),
                leaders,
                queued_at_start: Arc::clone(&queued_at_start),
                prepare: prepare.clone(),
            };
            move || held.run(&start_orders)
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
        self.shared.begin_epochs(&self.manual);
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
        // The reader thread is gone only when it panicked, which `finish` reports.
        let _ = self.start.send(at_ns);
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
                if let Some(error) = read.commit_error {
                    return Err(error);
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

pub(super) fn spawn<T: Send + 'static>(
    name: String,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
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

/// Names a refused property without its value, which may be a secret.
pub(super) fn settings_cause(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, description, name, _) => format!("{name}: {description}"),
        other => other.to_string(),
    }
}
