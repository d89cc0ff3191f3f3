//! The highest rate at which a configuration holds the objective, from all trials of its search and those that confirm
//! its end.

use super::live_model::CapacitySummary;
use crate::measure::bounds::{Bounds, Tried, Verdict, bounds, same_rate, verdicts, weight};
use crate::measure::objective::Outcome;
use crate::measure::{Trial, TrialKind};
use crate::scenario::Capacity;

/// What the trials of one configuration say.
pub(super) fn summarise(wanted: &Capacity, configuration: usize, trials: &[Trial]) -> CapacitySummary {
    let own = trials.iter().filter(|t| t.order.configuration == configuration);
    let tries = own.filter_map(|trial| Tried::of(trial, wanted.response_limit()));
    conclude(&tries.collect::<Vec<Tried>>())
}

/// The bounds are those of the search itself; `high` is the readers' alone. See [`CapacitySummary`].
fn conclude(tries: &[Tried]) -> CapacitySummary {
    let Bounds { low, high_is_load, .. } = bounds(tries);
    let verdicts = verdicts(tries);
    let failed = verdicts.iter().find(|v| v.verdict == Verdict::Failed);
    let confirms = |low: f64| {
        let longer = tries.iter().filter(|t| Some(t.weight) == weight(TrialKind::Counted));
        let mut held = longer.filter(|t| t.outcome == Outcome::Held);
        held.any(|t| same_rate(t.rate, low))
    };
    CapacitySummary {
        per_second: low,
        low,
        high: failed.map(|v| v.rate),
        confirmed: low.is_some_and(confirms),
        limited_by_load: high_is_load,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tried(rates: &[(f64, Outcome)], confirmed: Option<(f64, Outcome)>) -> CapacitySummary {
        let tried_with = |weight| move |&(rate, outcome): &(f64, Outcome)| Tried { rate, weight, outcome };
        let search = rates.iter().map(tried_with(weight(TrialKind::Search).unwrap()));
        let confirming = confirmed.iter().map(tried_with(weight(TrialKind::Counted).unwrap()));
        let all: Vec<Tried> = search.chain(confirming).collect();
        conclude(&all)
    }

    #[test]
    fn the_answer_lies_between_the_highest_rate_held_and_the_lowest_failed() {
        let search = [
            (2000.0, Outcome::Failed),
            (500.0, Outcome::Held),
            (1000.0, Outcome::Failed),
            (940.0, Outcome::Held),
        ];
        let found = tried(&search, Some((940.0, Outcome::Held)));
        assert_eq!(
            (found.per_second, found.low, found.high, found.confirmed),
            (Some(940.0), Some(940.0), Some(1000.0), true)
        );
        assert!(!tried(&search, None).confirmed);
    }

    #[test]
    fn a_rate_that_held_and_was_not_confirmed_has_failed() {
        let search = [
            (2000.0, Outcome::Failed),
            (500.0, Outcome::Held),
            (1000.0, Outcome::Held),
        ];
        let found = tried(&search, Some((1000.0, Outcome::Failed)));
        assert_eq!(
            (found.per_second, found.high, found.confirmed),
            (Some(500.0), Some(1000.0), false)
        );
    }

    #[test]
    fn a_failure_that_two_trials_overrule_does_not_count() {
        let search = [
            (2000.0, Outcome::Failed),
            (1000.0, Outcome::Failed),
            (1000.0, Outcome::Held),
            (1000.0, Outcome::Held),
        ];
        let found = tried(&search, Some((1000.0, Outcome::Held)));
        assert_eq!(
            (found.per_second, found.high, found.confirmed),
            (Some(1000.0), Some(2000.0), true)
        );
    }

    #[test]
    fn a_rate_that_held_above_one_that_failed_does_not_count() {
        let found = tried(
            &[(800.0, Outcome::Held), (700.0, Outcome::Failed), (400.0, Outcome::Held)],
            None,
        );
        assert_eq!((found.low, found.high), (Some(400.0), Some(700.0)));
    }

    #[test]
    fn producers_that_could_not_send_more_are_said_wherever_they_bound_the_answer() {
        let limited = tried(&[(8000.0, Outcome::LoadNotReached), (4000.0, Outcome::Held)], None);
        assert_eq!((limited.low, limited.high), (Some(4000.0), None));
        assert!(limited.limited_by_load);
        let between = [
            (8000.0, Outcome::Failed),
            (4000.0, Outcome::LoadNotReached),
            (2000.0, Outcome::Held),
        ];
        let between = tried(&between, Some((2000.0, Outcome::Held)));
        assert_eq!((between.low, between.high), (Some(2000.0), Some(8000.0)));
        assert!(between.limited_by_load);
        let readers = [
            (8000.0, Outcome::LoadNotReached),
            (4000.0, Outcome::Failed),
            (2000.0, Outcome::Held),
        ];
        assert!(!tried(&readers, None).limited_by_load);
    }

    #[test]
    fn a_trial_that_decides_nothing_counts_as_not_run() {
        let found = tried(&[(800.0, Outcome::NotDecided)], None);
        assert_eq!((found.low, found.high, found.limited_by_load), (None, None, false));
    }

    proptest! {
        #[test]
        fn no_rate_up_to_the_answer_failed_more_often_than_it_held(outcomes in prop::collection::vec((1u32..50, 0usize..4), 0..20)) {
            let all = [Outcome::Held, Outcome::Failed, Outcome::LoadNotReached, Outcome::NotDecided];
            let search: Vec<(f64, Outcome)> =
                outcomes.iter().map(|(rate, outcome)| (f64::from(*rate), all[*outcome])).collect();
            let found = tried(&search, None);
            let votes = |at: f64, wanted: Outcome| search.iter().filter(|tried| **tried == (at, wanted)).count();
            let (held, failed) = (|at| votes(at, Outcome::Held), |at| votes(at, Outcome::Failed));
            if let Some(low) = found.low {
                prop_assert!(held(low) > failed(low));
                prop_assert!(search.iter().all(|(rate, _)| *rate > low || failed(*rate) <= held(*rate)));
            }
            if let Some(high) = found.high {
                prop_assert!(failed(high) > 0 && found.low.is_none_or(|low| low < high));
            }
        }
    }
}
