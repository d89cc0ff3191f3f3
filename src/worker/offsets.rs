//! Commits positions of a member's partitions, and distinguishes a rebalance from a failure.

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::reader::{CommitError, Offsets, Place};
use super::shared::MemberShared;

/// Commits for a callback, which is handed the consumer.
pub(super) struct CallbackOffsets<'a, C: ConsumerContext> {
    pub(super) consumer: &'a BaseConsumer<C>,
    pub(super) shared: &'a MemberShared,
}

impl<C: ConsumerContext> Offsets for CallbackOffsets<'_, C> {
    fn commit(&self, places: &[Place]) -> Result<(), CommitError> {
        commit(self.consumer, self.shared, places)
    }

    fn store(&self, places: &[Place]) -> Result<(), CommitError> {
        store(self.consumer, self.shared, places)
    }
}

/// Commits positions and waits for the answer.
pub(super) fn commit<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    shared: &MemberShared,
    places: &[Place],
) -> Result<(), CommitError> {
    list_of(shared, places)
        .and_then(|list| consumer.commit(&list, CommitMode::Sync))
        .map_err(|error| commit_error(&error))
}

/// Stores positions for the client's own commits.
pub(super) fn store<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    shared: &MemberShared,
    places: &[Place],
) -> Result<(), CommitError> {
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

/// Distinguishes what every rebalance may bring from what is wrong.
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
    fn a_commit_that_a_rebalance_overtook_is_no_failure() {
        let error_of = |code| commit_error(&KafkaError::ConsumerCommit(code));
        for code in [
            RDKafkaErrorCode::RebalanceInProgress,
            RDKafkaErrorCode::StaleMemberEpoch,
        ] {
            assert!(matches!(error_of(code), CommitError::NotOwner(_)), "{code}");
        }
        for code in [
            RDKafkaErrorCode::GroupAuthorizationFailed,
            RDKafkaErrorCode::RequestTimedOut,
        ] {
            assert!(matches!(error_of(code), CommitError::Failed(_)), "{code}");
        }
    }
}
