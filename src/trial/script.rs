//! The script of a trial: what is done on purpose, to whom and when. What an act causes is no failure.

use std::time::Duration;

use super::cast::{ActorId, Cast};
use crate::measure::Act;

/// Planned acts; none by default. The steps of one actor are in the order of their times.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// In any order but for [`When::AfterStep`] and the steps of one actor.
    pub steps: Vec<Step>,
}

/// One planned act.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// When it is due.
    pub when: When,
    /// To whom it is done.
    pub actor: ActorId,
    /// What is done.
    pub act: Act,
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
    /// True for an actor that is not there at the beginning: the first that is done to it is a start.
    pub fn starts_later(&self, actor: ActorId) -> bool {
        let first = self.steps.iter().find(|step| step.actor == actor);
        first.is_some_and(|step| step.act == Act::Start && !matches!(actor, ActorId::Broker(_)))
    }

    /// The first step that this cast cannot carry out: nobody of that name is there, nothing comes before it, or a producer
    /// would send its schedule anew.
    pub(super) fn check(&self, cast: &Cast) -> Result<(), String> {
        let cannot = |(index, Step { when, actor, act }): (usize, &Step)| {
            let is_anew = *act == Act::Start && matches!(actor, ActorId::Producer(_));
            !cast.has(*actor) || is_anew || (index == 0 && matches!(when, When::AfterStep(_)))
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
