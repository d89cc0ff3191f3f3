//! The search for capacity: from what the trials of a configuration said of the rates that were tried to the next one.
//! Starts at the highest rate, narrows the interval between the highest that held and the lowest that failed by halves,
//! and confirms the answer with longer trials. Nothing is measured twice: all that is known is in the stored trials.

use super::history::History;
use super::{Plan, Progress, count};
use crate::measure::objective::{Outcome, outcome};
use crate::measure::{OrderedLoad, Trial, TrialKind, TrialOrder};
use crate::scenario::{Capacity, Load};

/// Trials of one configuration's search after which the answer is what is known by then.
const SEARCH_TRIALS_MAX: usize = 30;
/// After so many trials at one rate that decided nothing, the search ends with what is known.
const UNDECIDED_MAX: usize = 3;
/// Readers that fell behind read at about their capacity: the next rate is this share of what they read.
const SHARE_OF_READ: f64 = 0.9;
/// Longer trials in which the answer must hold.
const CONFIRMATIONS: u32 = 1;
/// Below this many records per second there is nothing to look for.
const RATE_MIN: f64 = 0.1;

/// What comes next for one configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// Try this rate.
    Search(f64),
    /// Try it for longer.
    Confirm(f64),
    /// The answer is known, or will not be known better.
    Done,
}

/// A rate that was tried.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tried {
    rate: f64,
    kind: TrialKind,
    outcome: Outcome,
    /// Records per second that overloaded readers read.
    read_per_second: Option<f64>,
}

impl Tried {
    fn of(trial: &Trial, wanted: &Capacity, groups: u32) -> Option<Self> {
        let load = trial
            .measurement
            .as_ref()
            .and_then(|measurement| measurement.load.as_ref());
        let read = load.and_then(|load| {
            let growth = load.overload?.lag_growth_per_second / f64::from(groups);
            Some(load.sent_per_second - growth).filter(|read| *read > 0.0)
        });
        Some(Tried {
            rate: trial.order.load?.rate,
            kind: trial.order.kind,
            outcome: outcome(trial, wanted.percentile, wanted.limit_ns),
            read_per_second: read,
        })
    }
}

/// What is known of a configuration's capacity.
struct Bounds {
    /// The highest rate that held below every one that did not.
    low: Option<f64>,
    /// The lowest rate that failed, or that the producers could not send.
    high: Option<f64>,
}

impl Bounds {
    fn of(tries: &[Tried]) -> Self {
        let not_held = |t: &&Tried| matches!(t.outcome, Outcome::Failed | Outcome::LoadNotReached);
        let high = tries.iter().filter(not_held).map(|t| t.rate).min_by(f64::total_cmp);
        let held = tries.iter().filter(|t| t.outcome == Outcome::Held).map(|t| t.rate);
        Bounds {
            low: held
                .filter(|rate| high.is_none_or(|high| *rate < high))
                .max_by(f64::total_cmp),
            high,
        }
    }
}

/// The next step for a configuration whose search begins at `highest` and whose answer must hold in `confirmations`
/// longer trials.
fn step(wanted: &Capacity, highest: f64, confirmations: u32, tries: &[Tried]) -> Step {
    if tries.len() >= SEARCH_TRIALS_MAX {
        return Step::Done;
    }
    let step = match Bounds::of(tries) {
        Bounds { low: None, high: None } => Step::Search(highest),
        Bounds {
            low: None,
            high: Some(high),
        } => Step::Search(below(high, tries)),
        Bounds { low: Some(low), high } => {
            let narrow = high.is_none_or(|high| high / low <= 1.0 + wanted.precision);
            match (narrow, high) {
                (false, Some(high)) => Step::Search(between(wanted, low, high, tries)),
                _ => confirm(low, confirmations, tries),
            }
        }
    };
    let rate = match step {
        Step::Search(rate) | Step::Confirm(rate) => rate,
        Step::Done => return Step::Done,
    };
    let undecided = |t: &&Tried| t.outcome == Outcome::NotDecided && same(t.rate, rate);
    if rate < RATE_MIN || tries.iter().filter(undecided).count() >= UNDECIDED_MAX {
        return Step::Done;
    }
    step
}

/// A rate below the lowest that did not hold, where nothing lower has been tried.
fn below(high: f64, tries: &[Tried]) -> f64 {
    let lowest = tries.iter().filter(|t| same(t.rate, high));
    let read = lowest.filter_map(|t| t.read_per_second).min_by(f64::total_cmp);
    let halved = high / 2.0;
    // Overloaded readers tell where their capacity lies; but never less than a tenth below what failed.
    read.map_or(halved, |read| (read * SHARE_OF_READ).min(high * SHARE_OF_READ))
}

/// The middle of the bounds, or just above what overloaded readers read where that is nearer to the lower one.
fn between(wanted: &Capacity, low: f64, high: f64, tries: &[Tried]) -> f64 {
    let middle = (low * high).sqrt();
    let read = tries.iter().filter_map(|t| t.read_per_second).min_by(f64::total_cmp);
    let above_read = read.map(|read| read * (1.0 + wanted.precision / 2.0));
    above_read
        .filter(|rate| *rate > low * (1.0 + wanted.precision / 4.0))
        .map_or(middle, |rate| middle.min(rate))
}

fn confirm(low: f64, confirmations: u32, tries: &[Tried]) -> Step {
    let confirms = |t: &&Tried| t.kind == TrialKind::Counted && t.outcome == Outcome::Held && same(t.rate, low);
    if count(tries.iter().filter(confirms).count()) >= confirmations {
        Step::Done
    } else {
        Step::Confirm(low)
    }
}

/// Rates are stored as text and read again to the same number.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= a.abs() * 1e-9
}

impl Plan {
    /// The next trial of the searches: of the configuration with the fewest trials so far, so that all are measured
    /// over the whole of the run.
    pub(super) fn next_of_search(&self, wanted: &Capacity, history: &History) -> Option<TrialOrder> {
        let open = (0..self.scenario.configurations.len()).filter_map(|configuration| {
            let load = self.scenario.configurations[configuration].mode.load()?;
            let tries = self.tries(wanted, history, configuration);
            let step = self.step_of(wanted, history, configuration, load, &tries);
            (step != Step::Done).then_some((tries.len(), configuration, load, step))
        });
        let (_, configuration, load, step) = open.min_by_key(|(tries, configuration, ..)| (*tries, *configuration))?;
        let (kind, wanted) = match step {
            Step::Search(rate) => (
                TrialKind::Search,
                OrderedLoad {
                    rate,
                    duration_ns: load.duration_ns,
                },
            ),
            Step::Confirm(rate) => (
                TrialKind::Counted,
                OrderedLoad {
                    rate,
                    duration_ns: wanted.confirm_ns,
                },
            ),
            Step::Done => return None,
        };
        let order = TrialOrder {
            number: history.next_number(),
            kind,
            block: count(history.trials_of(kind, configuration).count()),
            position: count(configuration),
            configuration,
            records: 0,
            load: None,
        };
        Some(self.with_load(&order, load, wanted))
    }

    /// How far the searches are: a block is done when every configuration has as many confirming trials.
    pub(super) fn progress_of_search(&self, wanted: &Capacity, history: &History, trials_done: u32) -> Progress {
        let confirmed = |configuration| count(history.trials_of(TrialKind::Counted, configuration).count());
        let fewest = (0..self.scenario.configurations.len()).map(confirmed).min();
        Progress {
            trials_done,
            trials_planned: trials_done + self.search_trials_left(wanted, history),
            blocks_done: fewest.unwrap_or(0).min(CONFIRMATIONS),
            blocks_planned: CONFIRMATIONS,
        }
    }

    fn step_of(&self, wanted: &Capacity, history: &History, index: usize, load: &Load, tries: &[Tried]) -> Step {
        if history.skipped().contains(&index) {
            return Step::Done;
        }
        step(wanted, load.rate, CONFIRMATIONS, tries)
    }

    fn tries(&self, wanted: &Capacity, history: &History, configuration: usize) -> Vec<Tried> {
        let groups = self.scenario.configurations[configuration].groups;
        let kinds = [TrialKind::Search, TrialKind::Counted];
        let trials = kinds
            .into_iter()
            .flat_map(|kind| history.trials_of(kind, configuration));
        trials.filter_map(|trial| Tried::of(trial, wanted, groups)).collect()
    }

    /// Trials that the searches will probably still need.
    fn search_trials_left(&self, wanted: &Capacity, history: &History) -> u32 {
        let left = |configuration: usize| {
            let load = self.scenario.configurations[configuration].mode.load()?;
            let tries = self.tries(wanted, history, configuration);
            if self.step_of(wanted, history, configuration, load, &tries) == Step::Done {
                return None;
            }
            let confirmed = tries.iter().filter(|t| t.kind == TrialKind::Counted).count();
            let confirmations = CONFIRMATIONS.saturating_sub(count(confirmed)).max(1);
            Some(steps_left(wanted, &Bounds::of(&tries)) + confirmations)
        };
        (0..self.scenario.configurations.len()).filter_map(left).sum()
    }
}

/// Halvings until the bounds are as near as wanted.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a handful of halvings"
)]
fn steps_left(wanted: &Capacity, bounds: &Bounds) -> u32 {
    // Where one is missing, as usual: twice as high as low, after two trials to find that out.
    let (ratio, unknown) = match (bounds.low, bounds.high) {
        (Some(low), Some(high)) => (high / low, 0),
        (Some(_), None) => return 0,
        (None, Some(_)) => (2.0, 1),
        (None, None) => (2.0, 2),
    };
    let halvings = (ratio.ln() / wanted.precision.ln_1p()).log2().ceil().max(0.0);
    unknown + halvings as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WANTED: Capacity = Capacity {
        percentile: 0.99,
        limit_ns: 50_000_000,
        precision: 0.05,
        confirm_ns: 30_000_000_000,
    };

    fn tried(rate: f64, kind: TrialKind, capacity: f64) -> Tried {
        let held = rate <= capacity;
        Tried {
            rate,
            kind,
            outcome: if held { Outcome::Held } else { Outcome::Failed },
            read_per_second: (!held).then_some(capacity),
        }
    }

    /// Runs a search against readers of a known capacity; the trials in order.
    fn search(highest: f64, capacity: f64, confirmations: u32, tells_rate: bool) -> Vec<Tried> {
        let mut tries = Vec::new();
        loop {
            let (rate, kind) = match step(&WANTED, highest, confirmations, &tries) {
                Step::Search(rate) => (rate, TrialKind::Search),
                Step::Confirm(rate) => (rate, TrialKind::Counted),
                Step::Done => return tries,
            };
            let mut next = tried(rate, kind, capacity);
            next.read_per_second = next.read_per_second.filter(|_| tells_rate);
            tries.push(next);
        }
    }

    proptest! {
        #[test]
        fn a_search_ends_with_the_capacity_between_its_bounds(
            capacity in 5.0f64..1e6, above in 1.001f64..10_000.0, confirmations in 1u32..4, tells_rate: bool,
        ) {
            let tries = search(capacity * above, capacity, confirmations, tells_rate);
            let Bounds { low: Some(low), high: Some(high) } = Bounds::of(&tries) else {
                return Err(TestCaseError::fail(format!("no bounds: {tries:?}")));
            };
            prop_assert!(low <= capacity && capacity < high && high / low <= 1.05 + 1e-9, "{low} {high}");
            let confirmed = tries.iter().filter(|t| t.kind == TrialKind::Counted && same(t.rate, low)).count();
            prop_assert_eq!(count(confirmed), confirmations);
            prop_assert!(tries.len() <= 22 + confirmations as usize, "{} trials", tries.len());
            // Nothing that was searched is searched again.
            let mut rates: Vec<f64> =
                tries.iter().filter(|t| t.kind == TrialKind::Search).map(|t| t.rate).collect();
            rates.sort_by(f64::total_cmp);
            prop_assert!(rates.windows(2).all(|pair| !same(pair[0], pair[1])), "{rates:?}");
        }
    }

    #[test]
    fn overloaded_readers_tell_where_to_look_next() {
        let tries = search(100_000.0, 940.0, 1, true);
        assert!(same(tries[1].rate, 846.0), "{tries:?}");
        assert!(tries.len() <= 6, "{tries:?}");
    }

    #[test]
    fn a_highest_rate_that_holds_is_confirmed_and_that_is_all() {
        let tries = search(500.0, 940.0, 2, true);
        let kinds: Vec<TrialKind> = tries.iter().map(|t| t.kind).collect();
        assert_eq!(kinds, [TrialKind::Search, TrialKind::Counted, TrialKind::Counted]);
    }

    #[test]
    fn an_answer_that_is_not_confirmed_is_looked_for_below() {
        let mut tries = search(2_000.0, 940.0, 1, true);
        let last = tries.last_mut().unwrap_or_else(|| panic!("no trial"));
        last.outcome = Outcome::Failed;
        let failed = last.rate;
        match step(&WANTED, 2_000.0, 1, &tries) {
            Step::Search(rate) | Step::Confirm(rate) => assert!(rate < failed, "{rate} {failed}"),
            Step::Done => panic!("it gave up"),
        }
    }

    #[test]
    fn producers_that_do_not_reach_a_rate_bound_the_search() {
        let mut first = tried(8_000.0, TrialKind::Search, 1e9);
        first.outcome = Outcome::LoadNotReached;
        assert_eq!(step(&WANTED, 8_000.0, 1, &[first]), Step::Search(4_000.0));
    }

    #[test]
    fn a_rate_that_stays_undecided_and_readers_that_hold_nothing_end_the_search() {
        let undecided = Tried {
            rate: 100.0,
            kind: TrialKind::Search,
            outcome: Outcome::NotDecided,
            read_per_second: None,
        };
        assert_eq!(step(&WANTED, 100.0, 1, &[undecided; 2]), Step::Search(100.0));
        assert_eq!(step(&WANTED, 100.0, 1, &[undecided; 3]), Step::Done);
        assert!(search(1_000.0, 0.0, 1, false).len() <= SEARCH_TRIALS_MAX);
    }
}
