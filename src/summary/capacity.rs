//! The highest rate at which a configuration holds the objective, from all trials of its search and those that confirm
//! its end.

use super::CapacitySummary;
use crate::measure::objective::{Outcome, outcome};
use crate::measure::{Trial, TrialKind};
use crate::scenario::Capacity;

/// A rate that was tried and what its trial said.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tried {
    rate: f64,
    kind: TrialKind,
    outcome: Outcome,
}

/// What the trials of one configuration say.
pub(super) fn summarise(wanted: &Capacity, configuration: usize, trials: &[Trial]) -> CapacitySummary {
    let tries = trials.iter().filter(|t| t.order.configuration == configuration);
    let tries = tries.filter(|t| matches!(t.order.kind, TrialKind::Search | TrialKind::Counted));
    let tries = tries.filter_map(|trial| {
        Some(Tried {
            rate: trial.order.load?.rate,
            kind: trial.order.kind,
            outcome: outcome(trial, wanted.percentile, wanted.limit_ns),
        })
    });
    conclude(&tries.collect::<Vec<Tried>>())
}

/// `low` is the highest rate that held below every rate that failed, wherever others held; see [`CapacitySummary`].
fn conclude(tries: &[Tried]) -> CapacitySummary {
    let rates = |outcome| tries.iter().filter(move |t| t.outcome == outcome).map(|t| t.rate);
    let high = rates(Outcome::Failed).min_by(f64::total_cmp);
    let low = rates(Outcome::Held)
        .filter(|rate| high.is_none_or(|high| *rate < high))
        .max_by(f64::total_cmp);
    let confirms = |t: &Tried| t.kind == TrialKind::Counted && t.outcome == Outcome::Held && Some(t.rate) == low;
    let not_reached = rates(Outcome::LoadNotReached).max_by(f64::total_cmp);
    CapacitySummary {
        per_second: low,
        low,
        high,
        confirmed: tries.iter().any(confirms),
        limited_by_load: high.is_none() && not_reached.is_some_and(|rate| low.is_none_or(|low| rate > low)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tried(rates: &[(f64, Outcome)], confirmed: Option<(f64, Outcome)>) -> CapacitySummary {
        let of = |kind| move |&(rate, outcome): &(f64, Outcome)| Tried { rate, kind, outcome };
        let search = rates.iter().map(of(TrialKind::Search));
        let all: Vec<Tried> = search.chain(confirmed.iter().map(of(TrialKind::Counted))).collect();
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
    fn a_rate_that_held_and_failed_has_failed() {
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
    fn a_rate_that_held_above_one_that_failed_does_not_count() {
        let found = tried(
            &[(800.0, Outcome::Held), (700.0, Outcome::Failed), (400.0, Outcome::Held)],
            None,
        );
        assert_eq!((found.low, found.high), (Some(400.0), Some(700.0)));
    }

    #[test]
    fn producers_that_could_not_send_more_are_said_where_no_reader_failed() {
        let limited = tried(&[(8000.0, Outcome::LoadNotReached), (4000.0, Outcome::Held)], None);
        assert_eq!((limited.low, limited.high), (Some(4000.0), None));
        assert!(limited.limited_by_load);
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
        fn no_rate_up_to_the_answer_failed(outcomes in prop::collection::vec((1u32..50, 0usize..4), 0..20)) {
            let all = [Outcome::Held, Outcome::Failed, Outcome::LoadNotReached, Outcome::NotDecided];
            let search: Vec<(f64, Outcome)> =
                outcomes.iter().map(|(rate, outcome)| (f64::from(*rate), all[*outcome])).collect();
            let found = tried(&search, None);
            let failed = |rate: f64| search.contains(&(rate, Outcome::Failed));
            if let Some(low) = found.low {
                prop_assert!(search.contains(&(low, Outcome::Held)));
                prop_assert!(search.iter().all(|(rate, _)| *rate > low || !failed(*rate)));
            }
            if let Some(high) = found.high {
                prop_assert!(failed(high) && found.low.is_none_or(|low| low < high));
            }
        }
    }
}
