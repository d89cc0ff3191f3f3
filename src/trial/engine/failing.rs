//! The failures of a trial that runs out of time: which limit, who is late, and what was missing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::barrier::Obstacle;
use super::{Phase, TrialMachine};
use crate::measure::{Failure, FailureKind, TopicPartition};
use crate::trial::cast::{Actor, ActorId, AnyActor, Reader};

impl TrialMachine {
    /// The failure of a trial whose phase took too long. It names the first process that is late, if one is.
    pub(super) fn out_of_time(&self) -> Failure {
        let limits = self.terms.limits;
        let seconds = |limit: Duration| limit.as_secs();
        let without =
            |has: fn(&(dyn AnyActor + 'static)) -> bool| self.cast.present().find(|actor| !has(&self.cast[*actor]));
        let (late, kind, message) = match self.phase {
            Phase::Starting => match without(|actor| actor.introduction().is_some()) {
                Some(actor) => {
                    let message = format!("it did not introduce itself within {} s", seconds(limits.hello));
                    (Some(actor), FailureKind::WorkerStart, message)
                }
                None => {
                    let message = format!("it was not ready within {} s", seconds(limits.ready));
                    (without(AnyActor::is_ready), FailureKind::Connect, message)
                }
            },
            Phase::Joining => return self.not_joined(seconds(limits.join)),
            Phase::Reading if self.load.is_some() => {
                let mut producers = self.cast.producers.iter();
                let late = producers.position(|producer| producer.is_present() && producer.result().is_none());
                let message = match late {
                    Some(_) => "it gave no result after the end of the load",
                    None => "the cluster did not answer where the partitions end after the load",
                };
                (late.map(ActorId::Producer), FailureKind::Timeout, message.to_owned())
            }
            Phase::Reading | Phase::Draining => {
                let message = format!("reading took more than {} s", seconds(limits.read));
                (None, FailureKind::Timeout, message)
            }
            Phase::Collecting | Phase::Over => {
                let message = format!("it gave no result within {} s", seconds(limits.result));
                let is_late = |reader: &Actor<Reader>| reader.is_ready() && reader.result().is_none();
                let late = self.cast.readers.iter().position(is_late);
                (late.map(ActorId::Reader), FailureKind::Timeout, message)
            }
        };
        match late {
            Some(actor) => self.failed(actor, kind, message),
            None => Failure {
                kind,
                who: None,
                message,
            },
        }
    }

    /// The failure of a trial whose members did not join in time, by what was in the way last.
    fn not_joined(&self, seconds: u64) -> Failure {
        let (kind, who, message) = match self.obstacle.clone() {
            Some(Obstacle::Overlap { who, message }) => {
                let message = format!("{message}, for {seconds} s");
                (FailureKind::Overlap, Some(who), message)
            }
            Some(Obstacle::Member { who, message }) => {
                let message = format!("after {seconds} s: {message}");
                (FailureKind::Assignment, Some(who), message)
            }
            Some(Obstacle::Unsettled(message)) => {
                let message = format!("after {seconds} s: {message}");
                (FailureKind::Assignment, None, message)
            }
            None => (FailureKind::Assignment, None, format!("no answer within {seconds} s")),
        };
        Failure { kind, who, message }
    }

    /// The failure of a trial in which nothing was read for too long.
    pub(super) fn stalled(&self) -> Failure {
        let unread = self.unread();
        let holders = unread
            .iter()
            .flat_map(|(group, partition)| self.holders(*group, *partition));
        let who: BTreeSet<String> = holders.collect();
        let who = (!who.is_empty()).then(|| who.into_iter().collect::<Vec<_>>().join(" and "));
        let message = format!(
            "no record for {} s with {} partitions unread{}",
            self.terms.limits.stall.as_secs(),
            unread.len(),
            unread
                .first()
                .map(|(_, p)| format!(", such as {}", self.partition_name(*p)))
                .unwrap_or_default()
        );
        Failure {
            kind: FailureKind::Stall,
            who,
            message,
        }
    }

    /// A partition as the cluster calls it.
    fn partition_name(&self, partition: TopicPartition) -> String {
        let topic = &self.terms.topics[partition.topic as usize].name;
        format!("{topic} [{}]", partition.partition)
    }

    /// Members of a group that held a partition when reading began.
    fn holders(&self, group: usize, partition: TopicPartition) -> Vec<String> {
        let holds = |&(reader, consumer): &(usize, usize)| {
            let held = self.cast.readers[reader].held().get(consumer);
            held.is_some_and(|held| held.contains(&partition))
        };
        let members = self.members_of(group).into_iter().filter(holds);
        members
            .map(|(reader, consumer)| self.role(reader).member_name(consumer))
            .collect()
    }
}
