//! The failures of a trial that runs out of time: which limit, who is late, and what was missing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::barrier::Obstacle;
use super::{Phase, TrialMachine, WorkerState};
use crate::measure::{Failure, FailureKind, TopicPartition};

impl TrialMachine {
    /// The failure of a trial whose phase took too long. It names the first process that is late, if one is.
    pub(super) fn out_of_time(&self) -> Failure {
        let limits = self.spec.limits;
        let late = |has: fn(&WorkerState) -> bool| {
            let mut processes = 0..self.processes();
            processes.find(|worker| !self.state_of(*worker).is_some_and(has))
        };
        let seconds = |limit: Duration| limit.as_secs();
        let (worker, kind, message) = match self.phase {
            Phase::Starting => match late(|process| process.hello.is_some()) {
                Some(worker) => {
                    let message = format!("it did not introduce itself within {} s", seconds(limits.hello));
                    (Some(worker), FailureKind::WorkerStart, message)
                }
                None => {
                    let message = format!("it was not ready within {} s", seconds(limits.ready));
                    (
                        late(|process| process.ready_ns.is_some()),
                        FailureKind::Connect,
                        message,
                    )
                }
            },
            Phase::Joining => return self.not_joined(seconds(limits.join)),
            Phase::Reading if self.load.is_some() => {
                let mut producers = self.load.iter().flat_map(|load| &load.producers);
                let silent = producers.position(|producer| producer.result.is_none());
                let worker = silent.map(|producer| self.workers.len() + producer);
                let message = match worker {
                    Some(_) => "it gave no result after the end of the load",
                    None => "the cluster did not answer where the partitions end after the load",
                };
                (worker, FailureKind::Timeout, message.to_owned())
            }
            Phase::Reading | Phase::Draining => {
                let message = format!("reading took more than {} s", seconds(limits.read));
                (None, FailureKind::Timeout, message)
            }
            Phase::Collecting | Phase::Over => {
                let message = format!("it gave no result within {} s", seconds(limits.result));
                let silent = self.workers.iter().position(|worker| worker.result.is_none());
                (silent, FailureKind::Timeout, message)
            }
        };
        match worker {
            Some(worker) => self.failed(worker, kind, message),
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
            self.spec.limits.stall.as_secs(),
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
        let topic = &self.spec.topics[partition.topic as usize].name;
        format!("{topic} [{}]", partition.partition)
    }

    /// Members of a group that held a partition when reading began.
    fn holders(&self, group: usize, partition: TopicPartition) -> Vec<String> {
        let members = self.members_of(group).into_iter();
        members
            .filter(|&(worker, consumer)| {
                self.workers[worker]
                    .held
                    .get(consumer)
                    .is_some_and(|held| held.contains(&partition))
            })
            .map(|(worker, consumer)| self.spec.workers[worker].member_name(consumer))
            .collect()
    }
}
