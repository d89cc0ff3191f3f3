//! Whether a run can go on until something holds.

use crate::scenario::draft::Draft;
use crate::scenario::families::{blocks_needed, comparisons};
use crate::scenario::keys::TableKeys as _;
use crate::scenario::model::{Configuration, FIRST_LOOK_MIN, Repetitions};
use crate::scenario::problem::{Problem, Problems};

/// Checks that a run which goes on until something holds has something to look at, and a block at which to look.
pub(crate) fn check(draft: &Draft, configurations: &[Configuration], problems: &mut Problems) {
    let obstacle = obstacle(draft.top.repetitions, draft.capacity.is_some(), configurations);
    if let (Some((message, allowed)), Some(given)) = (obstacle, draft.top.given("repetitions")) {
        problems.add(Problem::new(given.span.clone(), message, allowed));
    }
}

/// What keeps a run from going on until something holds, and what is allowed.
pub(crate) fn obstacle(
    repetitions: Repetitions,
    is_search: bool,
    configurations: &[Configuration],
) -> Option<(String, String)> {
    let Repetitions::Until { at_most, .. } = repetitions else {
        return None;
    };
    let comparisons = comparisons(configurations);
    let first = first_look(comparisons);
    if is_search {
        let message = "a search for capacity does not go on until something is decided";
        let allowed = "must be left out: the search decides how many trials there are";
        return Some((message.to_owned(), allowed.to_owned()));
    }
    if comparisons == 0 {
        let message = "nothing is compared, so nothing can be decided";
        let allowed = "must be a number of blocks, or the scenario needs two configurations to compare";
        return Some((message.to_owned(), allowed.to_owned()));
    }
    let message = format!("`at_most` cannot be {at_most} with {comparisons} comparisons");
    let allowed = format!("must be at least {first}: before that there is nothing to look at");
    (at_most < first).then_some((message, allowed))
}

/// The block before which no look of such a run can decide so many comparisons.
fn first_look(comparisons: u32) -> u32 {
    blocks_needed(comparisons).max(FIRST_LOOK_MIN)
}
