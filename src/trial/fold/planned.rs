//! What was carried out of the script of a trial.

use crate::measure::{BrokerRole, Failure, FailureKind, PlannedAct};
use crate::trial::course::Ended;
use crate::trial::happening::Happening;
use crate::trial::limits::after;
use crate::trial::script::StepTarget;

impl Ended<'_> {
    /// What was carried out of the script, or at least begun.
    pub fn planned(&self) -> Vec<PlannedAct> {
        let begun = self.log.all(Happening::try_as_act_begun_ref);
        begun
            .filter_map(|(entry, index)| {
                let actor = entry.actor?;
                let done_ns = self.done_ns(*index).unwrap_or(entry.at_ns);
                Some(PlannedAct {
                    number: self.terms.script.numbers.get(*index).copied(),
                    who: self.cast[actor].who(),
                    role: self.role(*index),
                    act: self.terms.script.steps[*index].act,
                    at_ns: entry.at_ns,
                    settled_ns: after(done_ns, self.terms.limits.settle),
                })
            })
            .collect()
    }

    /// The failure of a trial that ended before all of its script was carried out.
    pub(super) fn not_carried_out(&self) -> Option<Failure> {
        let index = (0..self.terms.script.steps.len()).find(|index| self.done_ns(*index).is_none())?;
        let ended = match self.terms.script.numbers.get(index) {
            Some(number) => format!("the trial ended before event {}", number.event),
            None => "the trial ended before".to_owned(),
        };
        Some(self.not_as_planned(index, &ended))
    }

    /// The failure of a trial of which a step was not carried out.
    pub fn not_as_planned(&self, index: usize, cause: &str) -> Failure {
        let (step, act) = (index + 1, <&str>::from(self.terms.script.steps[index].act));
        let who = self.target_name(index);
        Failure {
            kind: FailureKind::NotAsPlanned,
            message: format!("step {step} of the script, to {act} {who}, was not carried out: {cause}"),
            who: Some(who),
        }
    }

    /// As what the actor of a step was chosen, where it is not named.
    fn role(&self, index: usize) -> Option<BrokerRole> {
        match self.terms.script.steps[index].target {
            StepTarget::Actor(_) => None,
            StepTarget::Role(role) => Some(role),
            StepTarget::AsBefore => self.role(index.checked_sub(1)?),
        }
    }

    /// To whom a step is done: the actor, or whatever has the role.
    fn target_name(&self, index: usize) -> String {
        let mut begun = self.log.all(Happening::try_as_act_begun_ref);
        let begun = begun.find(|(_, step)| **step == index);
        let actor = match (
            begun.and_then(|(entry, _)| entry.actor),
            self.terms.script.steps[index].target,
        ) {
            (Some(actor), _) | (None, StepTarget::Actor(actor)) => actor,
            (None, StepTarget::Role(role)) => return role.to_string(),
            (None, StepTarget::AsBefore) => {
                return index
                    .checked_sub(1)
                    .map_or_else(String::new, |before| self.target_name(before));
            }
        };
        self.cast[actor].name()
    }

    /// When a step was carried out.
    fn done_ns(&self, index: usize) -> Option<u64> {
        let mut done = self.log.all(Happening::try_as_act_done_ref);
        done.find(|(_, step)| **step == index).map(|(entry, _)| entry.at_ns)
    }
}
