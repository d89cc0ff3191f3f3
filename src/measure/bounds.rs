//! What all trials at a rate say of it together, and between which rates a capacity lies by that. The search for the
//! capacity and the summary use the same rule.

use super::objective::{Outcome, outcome};
use super::trial::{Trial, TrialKind};

/// One trial at a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tried {
    /// Records per second.
    pub rate: f64,
    /// Its votes: see [`weight`].
    pub weight: u32,
    /// What it said.
    pub outcome: Outcome,
}

impl Tried {
    /// What a trial of a search, or one that confirms its answer, says of an objective (see
    /// [`super::objective::holds`]); `None` for other trials and for those without a load.
    pub fn of(trial: &Trial, limit: Option<(f64, u64)>) -> Option<Self> {
        Some(Tried {
            rate: trial.order.load?.rate,
            weight: weight(trial.order.kind)?,
            outcome: outcome(trial, limit),
        })
    }
}

/// The longer trial that confirms an answer has two votes, a step of the search one, and others none.
pub fn weight(kind: TrialKind) -> Option<u32> {
    match kind {
        TrialKind::Counted => Some(2),
        TrialKind::Search => Some(1),
        TrialKind::Pilot | TrialKind::Warmup => None,
    }
}

/// What the trials at one rate say of it by the majority of their votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is held.
    Held,
    /// The readers do not hold it.
    Failed,
    /// The producers do not reach it.
    LoadNotReached,
    /// As many votes for it as against it.
    Tied,
}

/// A rate with what its trials say of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateVerdict {
    /// Records per second.
    pub rate: f64,
    /// By majority.
    pub verdict: Verdict,
    /// Trials that decided something.
    pub tries: usize,
}

/// The verdict on every rate of which some trial decided something, in ascending order.
pub fn verdicts(tries: &[Tried]) -> Vec<RateVerdict> {
    let decided = tries.iter().filter(|tried| tried.outcome != Outcome::NotDecided);
    let mut decided: Vec<Tried> = decided.copied().collect();
    decided.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    decided
        .chunk_by(|a, b| same_rate(a.rate, b.rate))
        .map(|tries| RateVerdict {
            rate: tries[0].rate,
            verdict: verdict(tries),
            tries: tries.len(),
        })
        .collect()
}

/// Of trials at one rate.
fn verdict(tries: &[Tried]) -> Verdict {
    let votes = |outcome| -> u32 { tries.iter().filter(|t| t.outcome == outcome).map(|t| t.weight).sum() };
    let (held, failed, not_reached) = (
        votes(Outcome::Held),
        votes(Outcome::Failed),
        votes(Outcome::LoadNotReached),
    );
    match held.cmp(&(failed + not_reached)) {
        std::cmp::Ordering::Greater => Verdict::Held,
        std::cmp::Ordering::Equal => Verdict::Tied,
        // Readers that failed say more of themselves than producers that did not reach the load.
        std::cmp::Ordering::Less if failed >= not_reached => Verdict::Failed,
        std::cmp::Ordering::Less => Verdict::LoadNotReached,
    }
}

/// Between which rates a capacity lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The highest rate that is held below every rate that is not.
    pub low: Option<f64>,
    /// The lowest rate that is not held: the readers fail at it, or the producers do not reach it.
    pub high: Option<f64>,
    /// True where [`Bounds::high`] is the producers' limit and not the readers'.
    pub high_is_load: bool,
}

/// The bounds by the verdicts on all rates. A rate whose votes are tied is no bound.
pub fn bounds(tries: &[Tried]) -> Bounds {
    let verdicts = verdicts(tries);
    let not_held = |v: &&RateVerdict| matches!(v.verdict, Verdict::Failed | Verdict::LoadNotReached);
    let high = verdicts.iter().find(not_held);
    let held = verdicts.iter().take_while(|v| !not_held(v));
    Bounds {
        low: held.filter(|v| v.verdict == Verdict::Held).last().map(|v| v.rate),
        high: high.map(|v| v.rate),
        high_is_load: high.is_some_and(|v| v.verdict == Verdict::LoadNotReached),
    }
}

/// Rates are stored as text and read again to the same number.
pub fn same_rate(a: f64, b: f64) -> bool {
    (a - b).abs() <= a.abs() * 1e-9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tried(tries: &[(f64, u32, Outcome)]) -> Vec<Tried> {
        let as_tried = |&(rate, weight, outcome): &(f64, u32, Outcome)| Tried { rate, weight, outcome };
        tries.iter().map(as_tried).collect()
    }

    fn verdict_of(tries: &[(u32, Outcome)]) -> Verdict {
        let at_one_rate: Vec<(f64, u32, Outcome)> = tries.iter().map(|(w, outcome)| (10.0, *w, *outcome)).collect();
        verdict(&tried(&at_one_rate))
    }

    #[test]
    fn a_rate_is_judged_by_the_majority_of_its_trials() {
        use Outcome::{Failed, Held, LoadNotReached};
        assert_eq!(verdict_of(&[(1, Held), (1, Failed)]), Verdict::Tied);
        assert_eq!(verdict_of(&[(1, Held), (1, LoadNotReached)]), Verdict::Tied);
        assert_eq!(verdict_of(&[(1, Failed), (1, Held), (1, Held)]), Verdict::Held);
        assert_eq!(
            verdict_of(&[(1, Held), (1, Failed), (1, LoadNotReached)]),
            Verdict::Failed
        );
        assert_eq!(
            verdict_of(&[(1, LoadNotReached), (1, LoadNotReached), (1, Failed)]),
            Verdict::LoadNotReached
        );
    }

    #[test]
    fn a_confirming_trial_overrules_one_of_the_search() {
        let confirming = weight(TrialKind::Counted).unwrap_or(0);
        let search = weight(TrialKind::Search).unwrap_or(0);
        let tries = [(search, Outcome::Held), (confirming, Outcome::Failed)];
        assert_eq!(verdict_of(&tries), Verdict::Failed);
        assert_eq!(
            verdict_of(&[tries[0], tries[1], (search, Outcome::Held)]),
            Verdict::Tied
        );
    }

    #[test]
    fn producers_that_do_not_reach_the_lowest_rate_are_reported_from_readers_that_fail() {
        let load = [
            (2_000.0, 1, Outcome::Failed),
            (1_000.0, 1, Outcome::LoadNotReached),
            (900.0, 1, Outcome::Held),
        ];
        let expected = |high, high_is_load| Bounds {
            low: Some(900.0),
            high: Some(high),
            high_is_load,
        };
        assert_eq!(bounds(&tried(&load)), expected(1_000.0, true));
        let again = [load.as_slice(), &[(1_000.0, 1, Outcome::Held)]].concat();
        assert_eq!(bounds(&tried(&again)), expected(2_000.0, false));
    }

    #[test]
    fn a_trial_that_decides_nothing_has_no_vote() {
        let nothing = Bounds {
            low: None,
            high: None,
            high_is_load: false,
        };
        assert_eq!(bounds(&tried(&[(800.0, 1, Outcome::NotDecided)])), nothing);
        assert_eq!(
            verdict_of(&[(2, Outcome::NotDecided), (1, Outcome::Held)]),
            Verdict::Held
        );
    }

    proptest! {
        #[test]
        fn the_lower_bound_is_held_and_nothing_up_to_it_is_not(
            tries in prop::collection::vec((1u32..12, 1u32..3, 0usize..4), 0..40),
        ) {
            let all = [Outcome::Held, Outcome::Failed, Outcome::LoadNotReached, Outcome::NotDecided];
            let tries: Vec<(f64, u32, Outcome)> =
                tries.iter().map(|(rate, weight, outcome)| (f64::from(*rate), *weight, all[*outcome])).collect();
            // The votes at a rate for it less those against it.
            let votes = |at: f64| -> i64 {
                let vote = |(rate, weight, outcome): &(f64, u32, Outcome)| match outcome {
                    _ if rate.total_cmp(&at).is_ne() => 0,
                    Outcome::NotDecided => 0,
                    Outcome::Held => i64::from(*weight),
                    Outcome::Failed | Outcome::LoadNotReached => -i64::from(*weight),
                };
                tries.iter().map(vote).sum()
            };
            let Bounds { low, high, high_is_load } = bounds(&tried(&tries));
            prop_assert!(low.is_none_or(|low| votes(low) > 0));
            prop_assert!(high.is_none_or(|high| votes(high) < 0));
            prop_assert!(high.is_some() || !high_is_load);
            for (rate, ..) in &tries {
                // Below the upper bound nothing is refused, and no rate between the two is held.
                let below = high.is_none_or(|high| *rate < high);
                prop_assert!(!below || votes(*rate) >= 0);
                prop_assert!(!below || low.is_some_and(|low| *rate <= low) || votes(*rate) <= 0);
            }
        }
    }
}
