//! The offsets that a group has committed, asked for again and again by a client that is none of its members.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::measure::{COMMITTED_INTERVAL, TopicPartition, clock};
use crate::protocol::{CommittedStep, FromWorker, Position, Prepare, partitions_of};
use crate::worker::messages::Outbox;
use crate::worker::settings::{ANSWER_LIMIT, client_config, refused};
use crate::worker::threads::spawn;

/// What a member of the group sets and somebody who only asks must not: with some of these the brokers would take the
/// question for a member's.
const OF_MEMBERS: [&str; 6] = [
    "group.protocol",
    "group.remote.assignor",
    "group.instance.id",
    "partition.assignment.strategy",
    "session.timeout.ms",
    "statistics.interval.ms",
];

/// Asks for the committed offsets of a group.
pub(super) struct Committed {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    consumer: BaseConsumer,
    /// All partitions of the trial, with their topics' indices.
    list: TopicPartitionList,
    topics: BTreeMap<String, u32>,
    outbox: Outbox,
    seen: Mutex<Seen>,
    ends: AtomicBool,
}

/// What was committed so far.
#[derive(Default)]
struct Seen {
    latest: BTreeMap<TopicPartition, i64>,
    steps: Vec<CommittedStep>,
}

impl Committed {
    /// Makes the client and waits for the cluster and for the group's coordinator.
    pub(super) fn connect(order: &Prepare, outbox: Outbox) -> Result<Self, String> {
        let mut properties = order.properties.clone();
        properties.retain(|name, _| !OF_MEMBERS.contains(&name.as_str()));
        let mut config = client_config(&properties, &format!("{}-observer", order.group_id));
        config
            .set("group.id", &order.group_id)
            .set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.create().map_err(|error| refused(&error))?;
        let mut list = TopicPartitionList::new();
        for (partition, _) in partitions_of(&order.topics) {
            list.add_partition(&order.topics[partition.topic as usize].name, partition.partition);
        }
        let names = order.topics.iter().map(|topic| topic.name.clone());
        let shared = Shared {
            consumer,
            list,
            topics: names.zip(0..).collect(),
            outbox,
            seen: Mutex::default(),
            ends: AtomicBool::new(false),
        };
        let answered = shared.ask();
        answered.map_err(|error| format!("the cluster does not say what the group has committed: {error}"))?;
        Ok(Committed {
            shared: Arc::new(shared),
            thread: None,
        })
    }

    /// Asks from now on, and reports what moves.
    pub(super) fn watch(&mut self) -> Result<(), String> {
        let shared = Arc::clone(&self.shared);
        self.thread = Some(spawn("committed".to_owned(), move || shared.watch())?);
        Ok(())
    }

    /// Reports all positions again: what was committed before the start was reported when nobody waited for it.
    pub(super) fn say_again(&self) {
        let seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread that asks reports it if the coordinator is gone.
        let _ = self.shared.report(&seen.latest);
    }

    /// Asks a last time and says how the offsets moved.
    pub(super) fn stop(&mut self) -> Vec<CommittedStep> {
        self.shared.ends.store(true, Ordering::Release);
        // It only asks and counts; were it to panic, what it saw still stands.
        let _ = self.thread.take().map(JoinHandle::join);
        // What the cluster does not say now is not known.
        let _ = self.shared.look();
        std::mem::take(&mut self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).steps)
    }
}

impl Drop for Committed {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Release);
    }
}

impl Shared {
    fn watch(&self) {
        let mut failed_since: Option<Instant> = None;
        while !self.ends.load(Ordering::Acquire) {
            let begin = Instant::now();
            match self.look() {
                Ok(Ok(())) => failed_since = None,
                // Nobody listens any more.
                Ok(Err(_)) => return,
                // A broker may be away for a moment.
                Err(error) => {
                    let since = *failed_since.get_or_insert(begin);
                    if since.elapsed() > ANSWER_LIMIT {
                        let message = format!("the cluster no longer says what the group has committed: {error}");
                        let _ = self.outbox.send(&FromWorker::Failed {
                            consumer: None,
                            connect: true,
                            message,
                        });
                        return;
                    }
                }
            }
            thread::sleep(COMMITTED_INTERVAL.saturating_sub(begin.elapsed()));
        }
    }

    /// Asks once and reports what has moved.
    fn look(&self) -> KafkaResult<std::io::Result<()>> {
        let at_ns = clock::now_ns();
        let committed = self.ask()?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = seen.note(at_ns, committed);
        drop(seen);
        Ok(if moved.is_empty() { Ok(()) } else { self.report(&moved) })
    }

    fn report(&self, latest: &BTreeMap<TopicPartition, i64>) -> std::io::Result<()> {
        let positions = latest.iter().map(|(partition, offset)| Position {
            topic: partition.topic,
            partition: partition.partition,
            offset: *offset,
        });
        let positions = positions.collect();
        self.outbox.send(&FromWorker::Progress { positions })
    }

    /// What is committed now. A partition of which nothing is, or no longer, is left out: that is no offset 0.
    fn ask(&self) -> KafkaResult<Vec<(TopicPartition, i64)>> {
        // Errors of the client lie here, and nobody else takes them.
        let _ = self.consumer.poll(Duration::ZERO);
        let answer = self.consumer.committed_offsets(self.list.clone(), ANSWER_LIMIT)?;
        let elements = answer.elements();
        let offset = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
            let (topic, partition) = (*self.topics.get(element.topic())?, element.partition());
            match element.offset() {
                Offset::Offset(offset) => Some((TopicPartition { topic, partition }, offset)),
                _ => None,
            }
        };
        Ok(elements.iter().filter_map(offset).collect())
    }
}

impl Seen {
    /// Takes in an answer, asked for at `at_ns`; what has moved.
    fn note(&mut self, at_ns: u64, committed: Vec<(TopicPartition, i64)>) -> BTreeMap<TopicPartition, i64> {
        let mut moved = BTreeMap::new();
        for (partition, offset) in committed {
            if self.latest.insert(partition, offset) != Some(offset) {
                moved.insert(partition, offset);
                self.steps.push(CommittedStep {
                    partition,
                    at_ns,
                    offset,
                });
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_moves_is_a_step_and_what_is_not_committed_is_none() {
        let partition = |partition| TopicPartition { topic: 0, partition };
        let mut seen = Seen::default();
        assert_eq!(seen.note(1, vec![(partition(0), 0)]).len(), 1);
        assert_eq!(seen.note(2, vec![(partition(0), 0)]).len(), 0);
        // A group whose offsets were deleted says nothing of the partition.
        assert_eq!(seen.note(3, vec![]).len(), 0);
        assert_eq!(seen.note(4, vec![(partition(0), 7), (partition(1), 3)]).len(), 2);
        let steps: Vec<(u64, i64)> = seen.steps.iter().map(|step| (step.at_ns, step.offset)).collect();
        assert_eq!(steps, [(1, 0), (4, 7), (4, 3)]);
    }
}
