#![allow(clippy::unwrap_used, reason = "tests")]

use super::super::{Summary, summarise};
use crate::measure::{Flag, FlagKind, TrialKind, TrialOrder};
use crate::plan::Plan;
use crate::testing::{one_and_two, run};

fn plan() -> Plan {
    one_and_two().plan()
}

/// A run whose trials take this long.
fn summary(seconds: impl Fn(&TrialOrder) -> f64) -> Summary {
    let plan = plan();
    summarise(&plan, &run(&plan, |order| Some(seconds(order))))
}

/// Between -1 and 1, without order.
fn scatter(order: &TrialOrder) -> f64 {
    f64::from(order.number.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 23) - 1.0
}

#[test]
fn noise_is_the_deviation_of_one_trial_and_says_what_can_be_reported() {
    let quality = summary(|order| (0.05 * scatter(order)).exp()).quality;
    // Uniform between -1 and 1: standard deviation 0.577.
    let noise = quality.noise.unwrap();
    assert!((0.018..0.040).contains(&noise), "{noise}");
    // t(0.975, 9) sqrt(2) / sqrt(10) = 1.012 of it, where a difference varies by sqrt(2) of what one trial does; ten
    // differences say that to a third or so.
    let detectable = quality.detectable.unwrap();
    assert!((detectable.ln_1p() / noise / 1.012).ln().abs() < 0.4, "{detectable}");
    assert!(quality.distrust.is_empty());
}

#[test]
fn a_machine_that_slows_down_is_reported_and_one_that_only_scatters_is_not() {
    let has_drifted = |summary: &Summary| summary.warnings.iter().any(|w| w.contains("The machine changed"));
    let slower = summary(|order| (0.01 * f64::from(order.number) + 0.02 * scatter(order)).exp());
    let drift = slower.quality.drift.unwrap();
    // 22 trials lie 19 places apart from the first counted one to the last.
    assert!((-0.20..-0.12).contains(&drift.change) && drift.p < 0.001, "{drift:?}");
    assert!(has_drifted(&slower), "{:?}", slower.warnings);
    // It changes both trials of a block alike, so the smallest difference that can be found stays the same.
    let quality = &slower.quality;
    assert!(
        quality.detectable.unwrap() < quality.noise.unwrap() / 2.0,
        "{quality:?}"
    );
    let steady = summary(|order| (0.02 * scatter(order)).exp());
    assert!(!has_drifted(&steady), "{:?}", steady.quality);
}

#[test]
fn a_run_disturbed_in_more_than_a_quarter_of_its_trials_is_not_to_be_trusted() {
    let plan = plan();
    let mut trials = run(&plan, |_| Some(1.0));
    let disturb = |trials: &mut [crate::measure::Trial], number: usize| {
        let counted = trials.iter_mut().filter(|t| t.order.kind == TrialKind::Counted);
        for trial in counted.take(number) {
            trial.flags = vec![Flag {
                kind: FlagKind::Disturbed,
                evidence: String::new(),
            }];
        }
    };
    disturb(&mut trials, 5);
    assert!(summarise(&plan, &trials).quality.distrust.is_empty());
    disturb(&mut trials, 6);
    let quality = summarise(&plan, &trials).quality;
    assert_eq!((quality.trials_counted, quality.trials_disturbed), (20, 6));
    assert_eq!(quality.distrust, Vec::from_iter(quality.disturbed()));
    assert_eq!(quality.distrust.len(), 1);
}
