//! Brokers that went away or came during a run: whatever else is said is of another cluster from then on.

use crate::measure::Trial;

/// Which trials that happened in, and what happened in the first.
pub(crate) fn broker_changes(trials: &[Trial]) -> Option<String> {
    let mut changed = trials
        .iter()
        .filter_map(|trial| Some((trial.order.number, trial.broker_changes()?)));
    let (number, what) = changed.next()?;
    // What a failed trial says of it goes on with what failed.
    let what = what.split("; ").next().unwrap_or(what);
    let more = match changed.count() {
        0 => String::new(),
        1 => " The same befell another trial.".to_owned(),
        more => format!(" The same befell {more} other trials."),
    };
    Some(format!(
        "The cluster lost or gained a broker: in trial {number} {what}. That trial takes no part in the figures.{more}"
    ))
}
