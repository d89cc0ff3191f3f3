//! What a run without a fixed number of blocks ended with.

use crate::measure::Trial;
use crate::plan::{Ending, Plan};
use crate::scenario::Until;
use crate::summary::scaling::ScalingSeries;

/// How a run ended that went on until something held. How many are worth having may stay open where every comparison
/// with a baseline has its verdict.
pub(crate) fn ending(
    plan: &Plan,
    trials: &[Trial],
    ending: Option<Ending>,
    scaling: &[ScalingSeries],
) -> Option<String> {
    let stays_open = scaling.iter().any(ScalingSeries::stays_open);
    let until = plan.scenario.repetitions().until()?;
    // One that two sessions share is replaced by another, and counts for nothing.
    let blocks = (0..plan.blocks(trials))
        .filter(|block| !plan.is_split(trials, *block))
        .count();
    let most = plan.scenario.repetitions().at_most();
    match (ending?, until) {
        (Ending::AsPlanned, _) => None,
        (Ending::Held, Until::Decided) if stays_open => Some(format!(
            "Ended after {blocks} of at most {most} blocks, with a verdict on every comparison."
        )),
        (Ending::Held, Until::Decided) => Some(format!("Decided after {blocks} of at most {most} blocks.")),
        (Ending::Held, Until::HalfWidth(_)) => {
            Some(format!("Ended after {blocks} of at most {most} blocks, since {until}."))
        }
        (Ending::CannotHold, _) => Some(format!(
            "Ended after {blocks} of at most {most} blocks, since more would not decide what is undecided."
        )),
        (Ending::NotHeld, Until::Decided) => Some(format!(
            "Not everything is decided after {blocks} blocks, the most that the plan allows."
        )),
        (Ending::NotHeld, Until::HalfWidth(_)) => Some(format!(
            "Ended after {blocks} blocks, the most that the plan allows, and not because {until}."
        )),
    }
}
