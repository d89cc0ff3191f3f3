//! Running out of time: which limit, who is late, and what was waited for.

use std::collections::BTreeSet;

use super::super::barrier::Obstacle;
use super::{Phase, TrialMachine, WorkerState};
use crate::measure::{Failure, FailureKind, TopicPartition};

impl TrialMachine {
    pub(super) fn out_of_time(&self) -> Failure {
        let limits = self.spec.limits;
        let late = |has: fn(&WorkerState) -> bool| {
            let consumer = self.workers.iter().position(|worker| !has(worker));
            let producers = self.load.iter().flat_map(|load| &load.producers);
            let producer = || producers.map(|p| &p.process).position(|process| !has(process));
            consumer.or_else(|| Some(self.workers.len() + producer()?))
        };
        let of = |worker: Option<usize>, kind, message: String| match worker {
            Some(worker) => self.failed(worker, kind, message),
            None => Failure {
                kind,
                who: None,
                message,
            },
        };
        match self.phase {
            Phase::Starting => match late(|worker| worker.hello.is_some()) {
                Some(worker) => {
                    let message = format!("it did not introduce itself within {} s", limits.hello.as_secs());
                    of(Some(worker), FailureKind::WorkerStart, message)
                }
                None => {
                    let message = format!("it was not ready within {} s", limits.ready.as_secs());
                    of(late(|worker| worker.ready_ns.is_some()), FailureKind::Connect, message)
                }
            },
            Phase::Joining => {
                let seconds = limits.join.as_secs();
                match self.obstacle.clone() {
                    Some(Obstacle::Overlap { who, message }) => Failure {
                        kind: FailureKind::Overlap,
                        who: Some(who),
                        message: format!("{message}, for {seconds} s"),
                    },
                    Some(Obstacle::Member { who, message }) => Failure {
                        kind: FailureKind::Assignment,
                        who: Some(who),
                        message: format!("after {seconds} s: {message}"),
                    },
                    Some(Obstacle::Unsettled(message)) => {
                        of(None, FailureKind::Assignment, format!("after {seconds} s: {message}"))
                    }
                    None => of(None, FailureKind::Assignment, format!("no answer within {seconds} s")),
                }
            }
            Phase::Reading if self.load.is_some() => {
                let producers = self.load.iter().flat_map(|load| &load.producers);
                let silent = producers.into_iter().position(|producer| producer.result.is_none());
                let worker = silent.map(|producer| self.workers.len() + producer);
                let message = match worker {
                    Some(_) => "it gave no result after the end of the load".to_owned(),
                    None => "the cluster did not tell the ends of the partitions after the load".to_owned(),
                };
                of(worker, FailureKind::Timeout, message)
            }
            Phase::Reading | Phase::Draining => of(
                None,
                FailureKind::Timeout,
                format!("reading took more than {} s", limits.read.as_secs()),
            ),
            Phase::Collecting | Phase::Over => {
                let message = format!("it gave no result within {} s", limits.result.as_secs());
                of(late(|worker| worker.result.is_some()), FailureKind::Timeout, message)
            }
        }
    }

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
