//! A member's consumer of either kind: polled by a thread of its own, or read as a stream. What the worker asks of
//! it is the same.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::membership::MemberContext;
use super::reader::{CommitError, Consumption, Offsets, Place};
use super::shared::MemberShared;

/// A consumer that several threads use.
#[derive(Clone)]
pub(super) enum MemberClient {
    /// Its membership is served by a thread, its records come by private queues.
    Polled(Arc<BaseConsumer<MemberContext>>),
    /// Whoever reads the stream also serves the membership.
    Streamed(Arc<StreamConsumer<MemberContext>>),
}

/// The same call on a consumer of either kind.
macro_rules! on_either {
    ($client:expr, $consumer:ident => $call:expr) => {
        match $client {
            MemberClient::Polled($consumer) => $call,
            MemberClient::Streamed($consumer) => $call,
        }
    };
}

impl MemberClient {
    pub(super) fn subscribe(&self, topics: &[&str]) -> KafkaResult<()> {
        on_either!(self, consumer => consumer.subscribe(topics))
    }

    pub(super) fn assign(&self, list: &TopicPartitionList) -> KafkaResult<()> {
        on_either!(self, consumer => consumer.assign(list))
    }

    pub(super) fn assignment(&self) -> KafkaResult<TopicPartitionList> {
        on_either!(self, consumer => consumer.assignment())
    }

    pub(super) fn pause(&self, list: &TopicPartitionList) -> KafkaResult<()> {
        on_either!(self, consumer => consumer.pause(list))
    }

    pub(super) fn resume(&self, list: &TopicPartitionList) -> KafkaResult<()> {
        on_either!(self, consumer => consumer.resume(list))
    }

    pub(super) fn fetch_metadata(&self, topic: &str, limit: Duration) -> KafkaResult<Metadata> {
        on_either!(self, consumer => consumer.fetch_metadata(Some(topic), limit))
    }

    pub(super) fn fetch_watermarks(&self, topic: &str, partition: i32, limit: Duration) -> KafkaResult<(i64, i64)> {
        on_either!(self, consumer => consumer.fetch_watermarks(topic, partition, limit))
    }
}

/// Commits and pauses for a member's readers.
pub(super) struct MemberConsumption {
    pub(super) client: MemberClient,
    pub(super) shared: Arc<MemberShared>,
}

impl Offsets for MemberConsumption {
    fn commit(&self, places: &[Place]) -> Result<(), CommitError> {
        on_either!(&self.client, consumer => commit(&**consumer, &self.shared, places))
    }

    fn store(&self, places: &[Place]) -> Result<(), CommitError> {
        on_either!(&self.client, consumer => store(&**consumer, &self.shared, places))
    }
}

impl Consumption for MemberConsumption {
    /// What is fetched beyond the end is not counted, but costs the other partitions. The library answers a pause from
    /// its main thread, for which the reader must not wait.
    fn end(&self, slot: usize) {
        let slot = &self.shared.slots()[slot];
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition(self.shared.topic_of(slot), slot.partition.partition);
        let client = self.client.clone();
        thread::spawn(move || {
            if let Err(error) = client.pause(&list) {
                eprintln!("cannot pause a finished partition: {error}");
            }
        });
    }
}

/// Commits for a callback, which is handed the consumer.
pub(super) struct CallbackOffsets<'a> {
    pub(super) consumer: &'a BaseConsumer<MemberContext>,
    pub(super) shared: &'a MemberShared,
}

impl Offsets for CallbackOffsets<'_> {
    fn commit(&self, places: &[Place]) -> Result<(), CommitError> {
        commit(self.consumer, self.shared, places)
    }

    fn store(&self, places: &[Place]) -> Result<(), CommitError> {
        store(self.consumer, self.shared, places)
    }
}

fn commit(consumer: &impl Consumer<MemberContext>, shared: &MemberShared, places: &[Place]) -> Result<(), CommitError> {
    list_of(shared, places)
        .and_then(|list| consumer.commit(&list, CommitMode::Sync))
        .map_err(|error| commit_error(&error))
}

fn store(consumer: &impl Consumer<MemberContext>, shared: &MemberShared, places: &[Place]) -> Result<(), CommitError> {
    list_of(shared, places)
        .and_then(|list| consumer.store_offsets(&list))
        .map_err(|error| commit_error(&error))
}

fn list_of(shared: &MemberShared, places: &[Place]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(places.len());
    for (index, offset) in places {
        let slot = &shared.slots()[*index];
        list.add_partition_offset(shared.topic_of(slot), slot.partition.partition, Offset::Offset(*offset))?;
    }
    Ok(list)
}

/// Tells what every rebalance may bring from what is wrong.
fn commit_error(error: &KafkaError) -> CommitError {
    let rebalance = matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::UnknownMemberId
                | RDKafkaErrorCode::StaleMemberEpoch
                | RDKafkaErrorCode::FencedMemberEpoch
                | RDKafkaErrorCode::AssignmentLost
                | RDKafkaErrorCode::State
        )
    );
    if rebalance {
        CommitError::NotOwner(error.to_string())
    } else {
        CommitError::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_a_rebalance_overtook_is_told_from_one_that_failed() {
        let of = |code| commit_error(&KafkaError::ConsumerCommit(code));
        for code in [
            RDKafkaErrorCode::RebalanceInProgress,
            RDKafkaErrorCode::StaleMemberEpoch,
        ] {
            assert!(matches!(of(code), CommitError::NotOwner(_)), "{code}");
        }
        for code in [
            RDKafkaErrorCode::GroupAuthorizationFailed,
            RDKafkaErrorCode::RequestTimedOut,
        ] {
            assert!(matches!(of(code), CommitError::Failed(_)), "{code}");
        }
    }
}
