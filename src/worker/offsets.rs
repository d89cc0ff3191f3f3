//! Commits positions of a member's partitions, again where another try may help, and distinguishes a rebalance from a failure.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::reader::{CommitError, Offsets, Place};
use super::shared::MemberShared;

/// How long a commit is tried while the group's coordinator is away, and the pause between two tries: as the Java client does
/// (`default.api.timeout.ms`, `retry.backoff.ms`). Librdkafka leaves that to the program.
const COMMIT_LIMIT: Duration = Duration::from_secs(60);
const COMMIT_PAUSE: Duration = Duration::from_millis(100);

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

/// Commits positions and waits for the answer, for another coordinator too: where brokers go away, groups move.
pub(super) fn commit<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    shared: &MemberShared,
    places: &[Place],
) -> Result<(), CommitError> {
    let list = list_of(shared, places).map_err(|error| commit_error(&error))?;
    shared.timed_commit(|| {
        try_until(Instant::now() + COMMIT_LIMIT, || {
            consumer.commit(&list, CommitMode::Sync)
        })
    })
}

/// Tries again until it succeeds, fails for good, or it is too late.
fn try_until(deadline: Instant, commit: impl Fn() -> KafkaResult<()>) -> Result<(), CommitError> {
    loop {
        let Err(error) = commit() else { return Ok(()) };
        if !passes(&error) || Instant::now() > deadline {
            return Err(commit_error(&error));
        }
        eprintln!("committing again: {error}");
        sleep(COMMIT_PAUSE);
    }
}

/// True for what another try may change: the coordinator is away, is another broker now, or loads the group.
fn passes(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::CoordinatorLoadInProgress
                | Code::CoordinatorNotAvailable
                | Code::NotCoordinator
                | Code::WaitingForCoordinator
                | Code::RequestTimedOut
                | Code::OperationTimedOut
                | Code::NetworkException
                | Code::BrokerTransportFailure
                | Code::AllBrokersDown
        )
    )
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
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_commit_is_tried_again_while_the_coordinator_is_away_and_not_where_that_is_of_no_use() {
        let tries = |code, deadline: Instant| {
            let tries = Cell::new(0);
            let done = try_until(deadline, || {
                tries.set(tries.get() + 1);
                if tries.get() < 3 {
                    Err(KafkaError::ConsumerCommit(code))
                } else {
                    Ok(())
                }
            });
            (tries.get(), done.is_ok())
        };
        let later = Instant::now() + COMMIT_LIMIT;
        assert_eq!(tries(RDKafkaErrorCode::CoordinatorLoadInProgress, later), (3, true));
        assert_eq!(tries(RDKafkaErrorCode::IllegalGeneration, later), (1, false));
        assert_eq!(tries(RDKafkaErrorCode::GroupAuthorizationFailed, later), (1, false));
        let past = Instant::now();
        sleep(Duration::from_millis(1));
        assert_eq!(tries(RDKafkaErrorCode::NotCoordinator, past), (1, false));
    }

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
