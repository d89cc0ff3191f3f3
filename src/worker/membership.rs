//! Group membership: serves a consumer's rebalances and errors, and forwards and holds what it is given.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::gate;
use super::offsets::CallbackOffsets;
use super::reader::{Committer, PrivateQueue, make_known};
use super::shared::MemberShared;
use super::statistics::StatisticsLog;
use crate::client_errors::{ClientError, report_of_log};
use crate::measure::{RebalanceKind, TopicPartition};
use crate::scenario::Commit;

/// How long the membership thread waits for an event, and so how long it may take to end without one.
pub(super) const POLL: Duration = Duration::from_millis(200);

/// Serves rebalances and errors until `ending` is set. An error has come to the consumer's context before it comes here.
pub(super) fn serve(consumer: &BaseConsumer<MemberContext>, ending: &AtomicBool) {
    while !ending.load(Ordering::Acquire) {
        if let Some(Ok(record)) = consumer.poll(POLL) {
            use rdkafka::Message;
            consumer.context().shared.reported().fail(format!(
                "a record of {} [{}] came outside of the reader's queue",
                record.topic(),
                record.partition()
            ));
        }
    }
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
    /// One for each reading thread; none where a stream is read, whose reader runs the callbacks itself.
    pub(super) queues: OnceLock<Vec<Weak<PrivateQueue<MemberContext>>>>,
    pub(super) commit: Commit,
    /// False where it assigns itself and commits nothing; the client looks for the group's coordinator all the same.
    pub(super) uses_group: bool,
    /// The first commit of a callback that failed.
    pub(super) failure: Arc<OnceLock<String>>,
    /// What the client says of itself.
    pub(super) statistics: Arc<StatisticsLog>,
}

impl ClientContext for MemberContext {
    /// Of warnings and worse: the client is made so.
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        match report_of_log(facility, message) {
            Some(report) => {
                self.shared.reported().report(&report);
            }
            None => eprintln!("librdkafka {facility}: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        let error = ClientError::new(code, reason);
        let holding = *self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of_unused_group = !self.uses_group && error.code == RDKafkaErrorCode::GroupAuthorizationFailed;
        if holding && error.is_of_unknown_topic() || is_of_unused_group {
            // Not every broker knows a topic yet that was made for this trial.
            self.shared.reported().report(&error.to_string());
        } else {
            self.shared.reported().error(&error);
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        if let Some(throttled) = self.statistics.note(statistics) {
            let seconds = throttled.as_secs_f64();
            let report = format!("a quota of the brokers throttled it for {seconds:.1} s so far");
            self.shared.reported().report(&report);
        }
    }
}

impl ConsumerContext for MemberContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions = partitions_of(&self.shared, list);
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.take_over(consumer, partitions, list);
        } else if consumer.assignment_lost() {
            self.give_up(consumer, partitions, list, RebalanceKind::Lost);
        } else {
            self.give_up(consumer, partitions, list, RebalanceKind::Revoked);
        }
    }
}

impl MemberContext {
    /// Forwards the partitions' queues and pauses the partitions before they are assigned, all under one lock: the
    /// library fetches a partition as soon as it is assigned, one after the other, and the broker would hold the first
    /// fetch where the partition is empty.
    fn take_over(&self, consumer: &BaseConsumer<Self>, partitions: Vec<TopicPartition>, list: &mut TopicPartitionList) {
        let holding = self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.deal(&partitions);
        self.forward(consumer, &partitions);
        let done = if *holding {
            self.start_at_the_first_record(list);
            consumer.pause(list)
        } else {
            // A pause outlives a revocation: a partition that comes back after the start must not stay paused.
            consumer.resume(list)
        };
        self.report_failure("cannot hold or release partitions", done);
        // Before anything of it can be read.
        self.shared.begin_epochs(&partitions);
        apply(consumer, true, list);
        self.shared.note_rebalance(RebalanceKind::Assigned, partitions);
    }

    /// Lets partitions go in an order in which nothing is worked twice that need not be: no work begins any more, what
    /// is under way ends, what is finished is committed, and only then the next owner may have them.
    fn give_up(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: Vec<TopicPartition>,
        list: &TopicPartitionList,
        kind: RebalanceKind,
    ) {
        self.shared.end_epochs(&partitions);
        let queues = self.queues();
        let gates = self.shared.gates().iter().zip(&queues);
        let closing: Vec<_> = gates.map(|(gate, queue)| gate.close(|| queue.wake())).collect();
        closing.iter().for_each(gate::Closing::wait);
        self.shared.revoke(&partitions);
        let offsets = CallbackOffsets {
            consumer,
            shared: &self.shared,
        };
        // Others may have what was lost, and have read on.
        let commit = if kind == RebalanceKind::Lost {
            Commit::None
        } else {
            self.commit
        };
        let mut committer = Committer::new(&offsets, &self.shared, commit);
        committer.run(|slot| partitions.binary_search(&slot.partition).is_ok());
        if let Some(error) = committer.into_error() {
            let _ = self.failure.set(error);
        }
        let _holding = self.shared.holding.lock().unwrap_or_else(PoisonError::into_inner);
        apply(consumer, false, list);
        self.shared.note_rebalance(kind, partitions);
    }

    /// Gives each partition of the trial its first offset. Before the start nothing is committed, and two questions
    /// to the brokers (what is committed? where does the partition begin?) would still be under way at the start; a
    /// client that is paused while it asks may even drop the answer and fetch nothing ever after.
    fn start_at_the_first_record(&self, list: &TopicPartitionList) {
        for mut element in list.elements() {
            let Some(slot) = self.shared.slot(element.topic(), element.partition()) else {
                continue;
            };
            let done = element.set_offset(Offset::Offset(slot.range.low));
            self.report_failure("cannot set the first offset", done);
        }
    }

    fn report_failure(&self, what: &str, done: KafkaResult<()>) {
        if let Err(error) = done {
            self.shared.reported().report(&format!("{what}: {error}"));
        }
    }

    /// The queues of the reading threads that still run.
    fn queues(&self) -> Vec<Arc<PrivateQueue<MemberContext>>> {
        let queues = self.queues.get().map(Vec::as_slice).unwrap_or_default();
        queues.iter().filter_map(Weak::upgrade).collect()
    }

    /// Sends what is fetched of these partitions to the queues of the reading threads, where there are any. The client
    /// knows the partitions from then on, so that they can be paused.
    fn forward(&self, consumer: &BaseConsumer<Self>, partitions: &[TopicPartition]) {
        let queues = self.queues();
        for slot in self.shared.slots_of(partitions) {
            let (topic, partition) = (self.shared.topic_of(slot), slot.partition.partition);
            let done = match queues.get(slot.lane()) {
                Some(queue) => queue.forward(topic, partition),
                None => make_known(consumer, topic, partition),
            };
            if let Err(error) = done {
                self.shared.reported().report(&error);
            }
        }
    }
}

/// Does what the group's protocol asks for.
fn apply(consumer: &BaseConsumer<MemberContext>, assigning: bool, list: &TopicPartitionList) {
    let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
    let done = match (assigning, cooperative) {
        (true, true) => consumer.incremental_assign(list),
        (true, false) => consumer.assign(list),
        (false, true) => consumer.incremental_unassign(list),
        (false, false) => consumer.unassign(),
    };
    consumer.context().report_failure("cannot apply a rebalance", done);
}
