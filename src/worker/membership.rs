//! Group membership: serves a consumer's rebalances and errors, and forwards and holds what it is given.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::consumer::FailureSink;
use super::reader::PrivateQueue;
use super::shared::MemberShared;
use crate::measure::{RebalanceKind, TopicPartition};

/// How long the membership thread waits for an event; it is woken when it should end.
const POLL: Duration = Duration::from_millis(200);

/// Serves rebalances and errors until told to end.
pub(super) fn serve(consumer: &BaseConsumer<MemberContext>, ending: &AtomicBool, on_failure: &FailureSink) {
    while !ending.load(Ordering::Acquire) {
        match consumer.poll(POLL) {
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
pub(super) fn partitions_of(shared: &MemberShared, list: &TopicPartitionList) -> Vec<TopicPartition> {
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
    pub(super) shared: Arc<MemberShared>,
    pub(super) queue: Arc<Mutex<Weak<PrivateQueue<MemberContext>>>>,
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
            if *holding {
                self.start_at_the_first_record(list);
            }
        }
        if assigning {
            // Before anything of it can be read.
            self.shared.begin_epochs(&partitions_of(&self.shared, list));
        }
        apply(consumer, code, list);
        if assigning {
            // A pause outlives a revocation: a partition that comes back after the start must not stay paused.
            let done = if *holding {
                consumer.pause(list)
            } else {
                consumer.resume(list)
            };
            if let Err(error) = done {
                eprintln!("cannot hold or release partitions: {error}");
            }
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
    /// Gives each partition of the trial its first offset. Before the start nothing is committed, and two questions
    /// to the brokers (what is committed? where does the partition begin?) would still be under way at the start; a
    /// client that is paused while it asks may even drop the answer and fetch nothing ever after.
    fn start_at_the_first_record(&self, list: &mut TopicPartitionList) {
        for partition in partitions_of(&self.shared, list) {
            let slot = self.shared.slots().iter().find(|slot| slot.partition == partition);
            let Some(slot) = slot else { continue };
            let offset = Offset::Offset(slot.range.low);
            if let Err(error) = list.set_partition_offset(self.shared.topic_of(slot), partition.partition, offset) {
                eprintln!("cannot set the first offset: {error}");
            }
        }
    }

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
