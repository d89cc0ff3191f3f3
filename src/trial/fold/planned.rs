//! What was carried out of the script of a trial.

use crate::measure::{Failure, FailureKind, PlannedAct};
use crate::trial::course::Ended;
use crate::trial::happening::Happening;
use crate::trial::limits::after;
use crate::trial::script::Step;

impl Ended<'_> {
    /// What was carried out of the script, or at least begun.
    pub fn planned(&self) -> Vec<PlannedAct> {
        let begun = self.log.all(Happening::try_as_act_begun_ref);
        begun
            .map(|(entry, index)| {
                let Step { actor, act, .. } = self.terms.script.steps[*index];
                let done_ns = self.done_ns(*index).unwrap_or(entry.at_ns);
                PlannedAct {
                    who: self.cast[actor].who(),
                    act,
                    at_ns: entry.at_ns,
                    settled_ns: after(done_ns, self.terms.limits.settle),
                }
            })
            .collect()
    }

    /// The failure of a trial that ended before all of its script was carried out.
    pub(super) fn not_carried_out(&self) -> Option<Failure> {
        let index = (0..self.terms.script.steps.len()).find(|index| self.done_ns(*index).is_none())?;
        Some(self.not_as_planned(index, "the trial ended before"))
    }

    /// The failure of a trial of which a step was not carried out.
    pub fn not_as_planned(&self, index: usize, cause: &str) -> Failure {
        let Step { actor, act, .. } = self.terms.script.steps[index];
        let (step, act, who) = (index + 1, <&str>::from(act), self.cast[actor].name());
        Failure {
            kind: FailureKind::NotAsPlanned,
            message: format!("step {step} of the script, to {act} {who}, was not carried out: {cause}"),
            who: Some(who),
        }
    }

    /// When a step was carried out.
    fn done_ns(&self, index: usize) -> Option<u64> {
        let mut done = self.log.all(Happening::try_as_act_done_ref);
        done.find(|(_, step)| **step == index).map(|(entry, _)| entry.at_ns)
    }
}
