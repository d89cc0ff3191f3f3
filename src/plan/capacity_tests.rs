//! Searches for capacities that are known, with trials that never err and with some that do.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::load::Arrivals;
use crate::plan::{Done, Ending, FAILURES_IN_A_ROW, Next};
use crate::scenario::Mode;
use crate::testing::{load, one_and_two, run};

/// A search that begins at this rate, and tries none above it.
fn first(rate: f64) -> First {
    First { rate, is_open: false }
}

const WANTED: Capacity = Capacity {
    limit: Some(crate::scenario::ResponseLimit {
        percentile: 0.99,
        limit_ns: 50_000_000,
    }),
    precision: 0.05,
    confirm_ns: 30_000_000_000,
    is_quick: false,
};

fn attempt(rate: f64, kind: TrialKind, outcome: Outcome) -> Attempt {
    let weight = crate::measure::bounds::weight(kind).unwrap_or_else(|| panic!("{kind:?} has no vote"));
    Attempt {
        tried: Tried { rate, weight, outcome },
        kind,
        read_per_second: None,
    }
}

/// Runs a search in which `trial` says what becomes of a rate; the trials in order.
fn search_with(highest: f64, confirmations: u32, mut trial: impl FnMut(f64, TrialKind) -> Attempt) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    loop {
        let (rate, kind) = match step(&WANTED, first(highest), confirmations, &attempts) {
            Step::Search(rate) => (rate, TrialKind::Search),
            Step::Confirm(rate) => (rate, TrialKind::Counted),
            Step::Done => return attempts,
        };
        attempts.push(trial(rate, kind));
    }
}

/// What a trial says that does not err.
fn true_attempt(rate: f64, kind: TrialKind, capacity: f64, tells_rate: bool) -> Attempt {
    let held = rate <= capacity;
    let outcome = if held { Outcome::Held } else { Outcome::Failed };
    Attempt {
        read_per_second: (tells_rate && !held).then_some(capacity),
        ..attempt(rate, kind, outcome)
    }
}

/// A search against readers of a known capacity.
fn search(highest: f64, capacity: f64, confirmations: u32, tells_rate: bool) -> Vec<Attempt> {
    search_with(highest, confirmations, |rate, kind| {
        true_attempt(rate, kind, capacity, tells_rate)
    })
}

/// Trials of the search at rates that it had tried before.
fn repeated(attempts: &[Attempt]) -> usize {
    let search = attempts.iter().filter(|a| a.kind == TrialKind::Search);
    let rates: Vec<f64> = search.map(|a| a.tried.rate).collect();
    let before = |(index, rate): &(usize, &f64)| rates[..*index].iter().any(|r| same_rate(*r, **rate));
    rates.iter().enumerate().filter(before).count()
}

proptest! {
    #[test]
    fn a_search_ends_with_the_capacity_between_its_bounds(
        capacity in 5.0f64..1e6, above in 1.001f64..10_000.0, confirmations in 1u32..4, tells_rate: bool,
    ) {
        let attempts = search(capacity * above, capacity, confirmations, tells_rate);
        let Bounds { low: Some(low), high: Some(high), high_is_load } = bounds(&tries_of(&attempts)) else {
            return Err(TestCaseError::fail(format!("no bounds: {attempts:?}")));
        };
        prop_assert!(low <= capacity && capacity < high && high / low <= 1.05 + 1e-9, "{low} {high}");
        prop_assert!(!high_is_load);
        let attempts_at = |kind, rate| {
            count(attempts.iter().filter(|a| a.kind == kind && same_rate(a.tried.rate, rate)).count())
        };
        prop_assert_eq!(attempts_at(TrialKind::Counted, low), confirmations);
        prop_assert!(attempts.len() <= 23 + confirmations as usize, "{} trials", attempts.len());
        // Nothing that was searched is searched again but the upper bound, once.
        prop_assert_eq!((repeated(&attempts), attempts_at(TrialKind::Search, high)), (1, 2));
    }
}

/// What a trial says that says the contrary of the truth with this probability.
fn erring_attempt(rate: f64, kind: TrialKind, capacity: f64, wrong: f64, random: &mut ChaCha8Rng) -> Attempt {
    if !random.random_bool(wrong) {
        return true_attempt(rate, kind, capacity, random.random_bool(0.5));
    }
    if rate > capacity {
        return attempt(rate, kind, Outcome::Held);
    }
    // A slow second, readers that stood still for a while, or producers that did.
    match random.random_range(0..3) {
        0 => attempt(rate, kind, Outcome::Failed),
        1 => Attempt {
            read_per_second: Some(rate * random.random_range(0.3..1.0)),
            ..attempt(rate, kind, Outcome::Failed)
        },
        _ => attempt(rate, kind, Outcome::LoadNotReached),
    }
}

/// Of 500 searches with so many wrong outcomes: the answers as shares of the true capacity, and the searches.
fn searches(wrong: f64) -> Vec<(f64, Vec<Attempt>)> {
    let mut random = ChaCha8Rng::seed_from_u64(23);
    let one = |_| {
        let capacity = 10.0 * 10f64.powf(random.random_range(0.0..4.0));
        let highest = capacity * 10f64.powf(random.random_range(0.01..2.0));
        let attempts = search_with(highest, CONFIRMATIONS, |rate, kind| {
            erring_attempt(rate, kind, capacity, wrong, &mut random)
        });
        let low = bounds(&tries_of(&attempts)).low;
        (low.unwrap_or(0.0) / capacity, attempts)
    };
    (0..500).map(one).collect()
}

#[test]
fn a_tenth_of_wrong_outcomes_leaves_nine_of_ten_answers_within_a_tenth() {
    let searches = searches(0.1);
    let near = searches.iter().filter(|(share, _)| (0.9..=1.1).contains(share)).count();
    assert!(near >= 450, "{near} of 500");
    assert!(searches.iter().all(|(_, attempts)| attempts.len() <= SEARCH_TRIALS_MAX));
}

#[test]
fn without_wrong_outcomes_every_answer_is_exact_and_one_trial_was_repeated() {
    let searches = searches(0.0);
    let exact = |(share, _): &&(f64, Vec<Attempt>)| (1.0 / 1.05 - 1e-9..=1.0).contains(share);
    assert_eq!(searches.iter().filter(exact).count(), 500);
    let repeated: usize = searches.iter().map(|(_, attempts)| repeated(attempts)).sum();
    assert_eq!(repeated, 500);
}

#[test]
fn one_unlucky_trial_does_not_bound_the_search() {
    // Failed at 2,000, and once the producers stood still at 1,000; the capacity is 1,900.
    let mut unlucky = true;
    let attempts = search_with(2_000.0, 1, |rate, kind| {
        if same_rate(rate, 1_000.0) && std::mem::take(&mut unlucky) {
            return attempt(rate, kind, Outcome::LoadNotReached);
        }
        true_attempt(rate, kind, 1_900.0, false)
    });
    assert!(!unlucky);
    let Bounds { low, high, .. } = bounds(&tries_of(&attempts));
    assert!(low.is_some_and(|low| low > 1_800.0 && low <= 1_900.0), "{low:?}");
    assert!(high.is_some_and(|high| high > 1_900.0), "{high:?}");
}

#[test]
fn contradicting_trials_are_followed_by_another_at_their_rate() {
    let contradicting = [
        attempt(2_000.0, TrialKind::Search, Outcome::Failed),
        attempt(1_000.0, TrialKind::Search, Outcome::Held),
        attempt(1_000.0, TrialKind::Search, Outcome::Failed),
    ];
    assert_eq!(step(&WANTED, first(2_000.0), 1, &contradicting), Step::Search(1_000.0));
    // Not where a lower rate is not held, for then it cannot be the answer.
    let below = [
        contradicting.as_slice(),
        &[attempt(500.0, TrialKind::Search, Outcome::Failed)],
    ]
    .concat();
    assert_eq!(step(&WANTED, first(2_000.0), 1, &below), Step::Search(250.0));
}

#[test]
fn overloaded_readers_tell_where_to_look_next() {
    let attempts = search(100_000.0, 940.0, 1, true);
    assert!(same_rate(attempts[1].tried.rate, 846.0), "{attempts:?}");
    assert!(attempts.len() <= 7, "{attempts:?}");
}

#[test]
fn a_highest_rate_that_holds_is_confirmed_and_that_is_all() {
    let attempts = search(500.0, 940.0, 2, true);
    let kinds: Vec<TrialKind> = attempts.iter().map(|a| a.kind).collect();
    assert_eq!(kinds, [TrialKind::Search, TrialKind::Counted, TrialKind::Counted]);
}

#[test]
fn an_answer_that_is_not_confirmed_is_looked_for_below() {
    let mut attempts = search(2_000.0, 940.0, 1, true);
    let confirming = attempts.iter().position(|a| a.kind == TrialKind::Counted);
    attempts.truncate(confirming.unwrap_or_else(|| panic!("no confirming trial")) + 1);
    let last = attempts.last_mut().unwrap_or_else(|| panic!("no trial"));
    last.tried.outcome = Outcome::Failed;
    let failed = last.tried.rate;
    match step(&WANTED, first(2_000.0), 1, &attempts) {
        Step::Search(rate) | Step::Confirm(rate) => assert!(rate < failed, "{rate} {failed}"),
        Step::Done => panic!("it gave up"),
    }
}

#[test]
fn producers_that_do_not_reach_a_rate_bound_the_search() {
    let not_reached = attempt(8_000.0, TrialKind::Search, Outcome::LoadNotReached);
    assert_eq!(step(&WANTED, first(8_000.0), 1, &[not_reached]), Step::Search(4_000.0));
}

#[test]
fn a_rate_that_stays_undecided_and_readers_that_hold_nothing_end_the_search() {
    let undecided = attempt(100.0, TrialKind::Search, Outcome::NotDecided);
    assert_eq!(step(&WANTED, first(100.0), 1, &[undecided; 2]), Step::Search(100.0));
    assert_eq!(step(&WANTED, first(100.0), 1, &[undecided; 3]), Step::Done);
    let nothing = search(1_000.0, 0.0, 1, false);
    assert!(nothing.len() <= SEARCH_TRIALS_MAX);
    // An hour has too few records at any rate below.
    let lowest = nothing.last().map_or(0.0, |a| a.tried.rate);
    assert!(
        lowest / 2.0 < 1_210.0 / 3_600.0 && lowest >= 1_210.0 / 3_600.0,
        "{lowest}"
    );
}

/// Two configurations at up to 4,000 records/s for 10 s.
fn plan() -> Plan {
    let mut plan = one_and_two().plan();
    for configuration in &mut plan.scenario.configurations {
        configuration.mode = Mode::Live(Load {
            rate: 4_000.0,
            arrivals: Arrivals::Poisson,
            ..load()
        });
    }
    plan.scenario.datasets[0].records = 0;
    plan.scenario.capacity = Some(WANTED);
    plan
}

#[test]
fn a_search_whose_trials_all_fail_ends_with_every_configuration_given_up() {
    let plan = plan();
    let trials = run(&plan, |_| None);
    assert_eq!(count(trials.len()), 2 * FAILURES_IN_A_ROW);
    let done = Done {
        skipped: vec![0, 1],
        everything_skipped: true,
        ending: Ending::AsPlanned,
    };
    assert_eq!(plan.next(&trials, 1), Next::Done(done));
    let progress = plan.progress(&trials);
    assert_eq!(progress.trials_done, progress.trials_planned);
}

#[test]
fn trials_of_low_rates_are_ordered_with_longer_windows() {
    let mut plan = plan();
    for configuration in &mut plan.scenario.configurations {
        let Mode::Live(load) = &mut configuration.mode else {
            continue;
        };
        load.rate = 60.0;
    }
    let Next::Trial(order) = plan.next(&[], 1) else {
        panic!("nothing to run");
    };
    let duration_ns = order.load.map_or(0, |load| load.duration_ns);
    assert_eq!(duration_ns, window_ns(&WANTED, None, 60.0, 0));
    assert!(order.records > 1_210, "{}", order.records);
}

#[test]
fn a_search_that_is_resumed_splits_no_block() {
    let plan = plan();
    let mut trials = run(&plan, |_| None);
    for (trial, session) in trials.iter_mut().zip(1..) {
        (trial.order.kind, trial.order.block, trial.session) = (TrialKind::Counted, 0, session);
    }
    assert!(!plan.is_split(&trials, 0));
    assert_eq!(plan.blocks(&trials), CONFIRMATIONS);
}

#[test]
fn where_nobody_gave_a_rate_the_search_goes_up_from_one_that_holds() {
    let unlimited = Capacity { limit: None, ..WANTED };
    let open = First {
        rate: 1_000.0,
        is_open: true,
    };
    let held = attempt(1_000.0, TrialKind::Search, Outcome::Held);
    assert_eq!(step(&unlimited, open, 1, &[held]), Step::Search(4_000.0));
    let failed = attempt(4_000.0, TrialKind::Search, Outcome::Failed);
    assert_eq!(step(&unlimited, open, 1, &[held, failed]), Step::Search(2_000.0));
}

/// A search without a limit, against readers that commit what they read; the trials in order.
fn search_unlimited(wanted: Capacity, highest: f64, capacity: f64) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    loop {
        match step(&wanted, first(highest), CONFIRMATIONS, &attempts) {
            Step::Search(rate) => attempts.push(true_attempt(rate, TrialKind::Search, capacity, true)),
            Step::Confirm(rate) => attempts.push(true_attempt(rate, TrialKind::Counted, capacity, true)),
            Step::Done => return attempts,
        }
    }
}

proptest! {
    #[test]
    fn what_overloaded_readers_read_bounds_a_capacity_without_a_limit_at_once(
        capacity in 5.0f64..1e6, above in 1.06f64..10_000.0, precision in 0.01f64..0.5, is_quick: bool,
    ) {
        let unlimited = Capacity { limit: None, precision, is_quick, ..WANTED };
        let attempts = search_unlimited(unlimited, capacity * above, capacity);
        let Bounds { low: Some(low), high: Some(high), .. } = bounds(&tries_of(&attempts)) else {
            return Err(TestCaseError::fail(format!("no bounds: {attempts:?}")));
        };
        prop_assert!(low <= capacity && capacity < high && !is_wide(&unlimited, low, high), "{low} {high}");
        prop_assert!(is_confirmed(low, CONFIRMATIONS, &attempts));
        let trials = if is_quick { 3 } else { 4 };
        prop_assert!(attempts.len() <= trials, "{attempts:?}");
    }
}

#[test]
fn readers_that_read_less_when_they_are_cold_are_tried_at_higher_rates() {
    let unlimited = Capacity { limit: None, ..WANTED };
    let mut attempts = vec![Attempt {
        read_per_second: Some(700.0),
        ..attempt(10_000.0, TrialKind::Search, Outcome::Failed)
    }];
    loop {
        match step(&unlimited, first(10_000.0), 1, &attempts) {
            Step::Search(rate) => attempts.push(true_attempt(rate, TrialKind::Search, 1_000.0, true)),
            Step::Confirm(rate) => attempts.push(true_attempt(rate, TrialKind::Counted, 1_000.0, true)),
            Step::Done => break,
        }
    }
    let Bounds { low, high, .. } = bounds(&tries_of(&attempts));
    assert!(low.is_some_and(|low| (950.0..=1_000.0).contains(&low)), "{attempts:?}");
    assert!(
        high.is_some_and(|high| (1_000.0..1_050.0).contains(&high)),
        "{attempts:?}"
    );
    assert!(attempts.len() <= 8, "{attempts:?}");
}

#[test]
fn a_rate_just_below_what_was_read_that_decides_nothing_is_followed_by_a_lower_one() {
    let unlimited = Capacity { limit: None, ..WANTED };
    let overloaded = Attempt {
        read_per_second: Some(1_000.0),
        ..attempt(10_000.0, TrialKind::Search, Outcome::Failed)
    };
    let Step::Confirm(near) = step(&unlimited, first(10_000.0), 1, &[overloaded]) else {
        panic!("the answer is near what was read");
    };
    let undecided = attempt(near, TrialKind::Counted, Outcome::NotDecided);
    assert_eq!(
        step(&unlimited, first(10_000.0), 1, &[overloaded, undecided]),
        Step::Confirm(near / 1.05)
    );
}
