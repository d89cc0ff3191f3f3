//! The script of a trial: what is done on purpose, to whom and when. What an act causes is no failure.

use std::time::Duration;

use super::cast::ActorId;
use crate::measure::{Act, ActNumber, BrokerRole};

/// Planned acts; none by default. The steps of one actor are in the order of their times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// In any order but for [`When::AfterStep`] and the steps of one actor.
    pub steps: Vec<Step>,
    /// Which act of the scenario's events each step is; empty where they are of none.
    pub numbers: Vec<ActNumber>,
}

/// One planned act.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// When it is due.
    pub when: When,
    /// To whom it is done.
    pub target: StepTarget,
    /// What is done.
    pub act: Act,
}

/// To whom a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepTarget {
    /// To this actor.
    Actor(ActorId),
    /// To the broker that has this role when the step is due.
    Role(BrokerRole),
    /// To the actor of the step before.
    AsBefore,
}

impl From<ActorId> for StepTarget {
    fn from(actor: ActorId) -> Self {
        StepTarget::Actor(actor)
    }
}

/// When a step is due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// So long after the common start.
    At(Duration),
    /// So long after the barrier was passed.
    AfterJoin(Duration),
    /// When this share of what is to be read has been read, as far as reported.
    AtProgress(f64),
    /// So long after the step before it was carried out.
    AfterStep(Duration),
}

impl Script {
    /// True for a process that is not there at the beginning: the first that is done to it is a start.
    pub fn starts_later(&self, actor: ActorId) -> bool {
        let first = self.steps.iter().find(|step| step.target == actor.into());
        let is_process = matches!(actor, ActorId::Reader(_) | ActorId::Producer(_));
        is_process && first.is_some_and(|step| step.act == Act::Start)
    }

    /// True where something is done to processes that read.
    pub fn acts_on_readers(&self) -> bool {
        let mut targets = self.steps.iter().map(|step| step.target);
        targets.any(|target| matches!(target, StepTarget::Actor(ActorId::Reader(_))))
    }

    /// True where something is done to brokers.
    pub fn acts_on_brokers(&self) -> bool {
        let mut targets = self.steps.iter().map(|step| step.target);
        targets.any(|target| matches!(target, StepTarget::Role(_) | StepTarget::Actor(ActorId::Broker(_))))
    }
}
