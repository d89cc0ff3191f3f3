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
    /// With one more step.
    #[must_use]
    pub fn step(mut self, when: When, actor: ActorId, act: Act) -> Self {
        self.steps.push(Step { when, actor, act });
        self
    }

    /// With a pause of this length.
    #[must_use]
    pub fn pause(self, when: When, actor: ActorId, length: Duration) -> Self {
        let paused = self.step(when, actor, Act::Pause);
        paused.step(When::AfterStep(length), actor, Act::Resume)
    }

    /// With an end by `how`, and a start when the actor has been away for so long.
    #[must_use]
    pub fn restart(self, when: When, actor: ActorId, how: Act, away: Duration) -> Self {
        let ended = self.step(when, actor, how);
        ended.step(When::AfterStep(away), actor, Act::Start)
    }

    /// True for an actor that is not there at the beginning: the first that is done to it is a start.
    pub fn starts_later(&self, actor: ActorId) -> bool {
        let first = self.steps.iter().find(|step| step.actor == actor);
        first.is_some_and(|step| step.act == Act::Start && !matches!(actor, ActorId::Broker(_)))
    }

    /// What is wrong with the first step that this cast cannot carry out.
    pub(super) fn check(&self, cast: &Cast) -> Result<(), String> {
        for (index, Step { when, actor, act }) in self.steps.iter().enumerate() {
            let problem = match (when, actor) {
                _ if !cast.has(*actor) => format!("the trial has no {actor:?}"),
                (When::AtProgress(share), _) if !(0.0..=1.0).contains(share) => {
                    format!("{share} is no share from 0 to 1")
                }
                (When::AfterStep(_), _) if index == 0 => "there is no step before it".to_owned(),
                (_, ActorId::Producer(_)) if *act == Act::Start => {
                    "a producer is there from the beginning, and would send its schedule anew".to_owned()
                }
                _ => continue,
            };
            return Err(format!(
                "step {} of the script cannot be carried out: {problem}",
                index + 1
            ));
        }
        Ok(())
    }
}
