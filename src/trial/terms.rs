//! What holds for everybody who takes part in a trial.

use std::collections::BTreeSet;

use super::cast::{ActorId, Cast};
use super::limits::Limits;
use super::script::{Script, Step, StepTarget, When};
use crate::measure::{Act, BrokerRole, MembershipTimes, TopicPartition};
use crate::protocol::{TopicTarget, partitions_of};

/// What a trial is to read, and for how long.
#[derive(Debug, Clone)]
pub struct Terms {
    /// `group.id` of each group.
    pub groups: Vec<String>,
    /// True where members assign partitions to themselves.
    pub manual: bool,
    /// What each group reads. Where records arrive, a partition's end is open until the load is over.
    pub topics: Vec<TopicTarget>,
    /// What is done on purpose meanwhile.
    pub script: Script,
    /// Time limits.
    pub limits: Limits,
    /// How long the consumers' settings let them pause between two fetches.
    pub fetch_pause_ns: u64,
    /// How their members show that they live.
    pub membership: Option<MembershipTimes>,
}

impl Terms {
    /// All partitions of the trial, empty ones included.
    pub fn partitions(&self) -> BTreeSet<TopicPartition> {
        partitions_of(&self.topics).map(|(partition, _)| partition).collect()
    }

    /// True where the trial has what a role is named after.
    pub(super) fn has(&self, role: BrokerRole) -> bool {
        match role {
            BrokerRole::LeaderOf(partition) => self.partitions().contains(&partition),
            BrokerRole::Controller => true,
            BrokerRole::CoordinatorOf(group) => (group as usize) < self.groups.len(),
        }
    }

    /// The first step of the script that this cast cannot carry out: nobody of that name is there, nothing comes before it, a producer
    /// would send its schedule anew, or the load would have to be known to change later.
    pub(super) fn check_script(&self, cast: &Cast) -> Result<(), String> {
        let cannot = |(index, Step { when, target, act }): (usize, &Step)| {
            let follows = matches!(when, When::AfterStep(_)) || *target == StepTarget::AsBefore;
            let is_fit = match target {
                StepTarget::Actor(actor) => cast.has(*actor) && fits(*act, *actor, *when),
                StepTarget::Role(role) => !cast.brokers.is_empty() && self.has(*role),
                StepTarget::AsBefore => true,
            };
            !is_fit || (index == 0 && follows)
        };
        match self.script.steps.iter().enumerate().position(cannot) {
            None => Ok(()),
            Some(index) => Err(format!(
                "the trial has nobody to do this to or nothing to begin it: {:?}",
                self.script.steps[index]
            )),
        }
    }

    /// A partition as the cluster calls it.
    pub fn partition_name(&self, partition: TopicPartition) -> String {
        let topic = &self.topics[partition.topic as usize].name;
        format!("{topic} [{}]", partition.partition)
    }
}

/// True for an act that can be done to such an actor.
fn fits(act: Act, actor: ActorId, when: When) -> bool {
    match (act, actor) {
        (Act::SetRate(_), ActorId::Load) => matches!(when, When::At(_)),
        (Act::SetRate(_), _) | (_, ActorId::Load) | (Act::Start, ActorId::Producer(_)) => false,
        (_, ActorId::Reader(_) | ActorId::Producer(_) | ActorId::Broker(_) | ActorId::Store) => true,
    }
}
