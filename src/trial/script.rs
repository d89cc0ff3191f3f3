//! The script of a trial: what is done on purpose, to whom and when. What an act causes is no failure.

use std::time::Duration;

use super::cast::{ActorId, Cast};
use super::terms::Terms;
use crate::measure::{Act, BrokerRole};

/// Planned acts; none by default. The steps of one actor are in the order of their times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// In any order but for [`When::AfterStep`] and the steps of one actor.
    pub steps: Vec<Step>,
    /// The number, from 1, of the scenario's event that each step is of; empty where they are of none.
    pub events: Vec<usize>,
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

    /// True where something is done to brokers.
    pub fn acts_on_brokers(&self) -> bool {
        let mut targets = self.steps.iter().map(|step| step.target);
        targets.any(|target| matches!(target, StepTarget::Role(_) | StepTarget::Actor(ActorId::Broker(_))))
    }

    /// The first step that this cast cannot carry out: nobody of that name is there, nothing comes before it, a producer
    /// would send its schedule anew, or the load would have to be known to change later.
    pub(super) fn check(&self, cast: &Cast, terms: &Terms) -> Result<(), String> {
        let cannot = |(index, Step { when, target, act }): (usize, &Step)| {
            let follows = matches!(when, When::AfterStep(_)) || *target == StepTarget::AsBefore;
            let is_fit = match target {
                StepTarget::Actor(actor) => cast.has(*actor) && fits(*act, *actor, *when),
                StepTarget::Role(role) => !cast.brokers.is_empty() && terms.has(*role),
                StepTarget::AsBefore => true,
            };
            !is_fit || (index == 0 && follows)
        };
        match self.steps.iter().enumerate().position(cannot) {
            None => Ok(()),
            Some(index) => Err(format!(
                "the trial has nobody to do this to or nothing to begin it: {:?}",
                self.steps[index]
            )),
        }
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
