#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::measure::{FailureKind, TrialKind, TrialOrder};
use crate::scenario::{TrialLength, Work};
use crate::summary::summarise;
use crate::testing::{ScenarioBuilder, failed, one_and_two, one_and_two_with_work, run};

fn noise(order: &TrialOrder) -> f64 {
    let phase = f64::from(order.block) * 2.3 + order.configuration as f64 * 1.7;
    (0.02 * (phase * phase).sin() + 0.1 * f64::from(order.block % 3)).exp()
}

/// Runs a plan in which configuration i takes the i-th time.
fn run_with(plan: &Plan, seconds: &[f64]) -> Vec<Trial> {
    run(plan, |order| Some(noise(order) * seconds[order.configuration]))
}

fn found(plan: &Plan, trials: &[Trial]) -> EffectsSummary {
    summarise(plan, trials).effects.unwrap()
}

#[test]
fn each_axis_and_their_interaction_have_a_share() {
    let mut builder = one_and_two_with_work();
    // Records of a pilot would follow the first configuration of each work.
    builder.trial = TrialLength::Records(1_000_000);
    let plan = builder.plan();
    let effects = found(&plan, &run_with(&plan, &[1.0, 0.5, 0.9, 0.3]));
    assert_eq!(
        (effects.of, &effects.factors[..]),
        (EffectsOf::Throughput, &["case".to_owned(), "work".to_owned()][..])
    );
    let EffectsOutcome::Explained(shares) = &effects.outcome else {
        panic!("{effects:?}")
    };
    assert_eq!(
        shares.shares.iter().map(|s| s.factors.clone()).collect::<Vec<_>>(),
        [vec![0], vec![1], vec![0, 1]]
    );
    assert!(shares.shares[1].share.point > 0.5 && shares.shares[0].share.point > 0.05);
    insta::assert_snapshot!(effects.text);
}

#[test]
fn a_configuration_that_was_given_up_is_the_reason_that_nothing_is_reported() {
    let plan = one_and_two_with_work().plan();
    let trials = run(&plan, |order| (order.configuration != 3).then(|| noise(order)));
    let effects = found(&plan, &trials);
    assert_eq!(effects.outcome, EffectsOutcome::Refused(EffectsRefusal::EmptyCells(1)));
    insta::assert_snapshot!(effects.text);
}

#[test]
fn a_block_with_a_failed_trial_is_left_out() {
    let plan = one_and_two_with_work().plan();
    let mut trials = run_with(&plan, &[1.0, 0.5, 0.9, 0.3]);
    let one = trials.iter_mut().find(|t| t.order.kind == TrialKind::Counted).unwrap();
    *one = failed(&plan, one.order.clone(), 1, FailureKind::Stall);
    let EffectsOutcome::Explained(shares) = found(&plan, &trials).outcome else {
        panic!("nine blocks are complete")
    };
    assert_eq!((shares.blocks, shares.blocks_left_out), (9, 1));
}

#[test]
fn one_axis_alone_has_no_shares() {
    let plan = one_and_two().plan();
    assert_eq!(summarise(&plan, &run_with(&plan, &[1.0, 0.5])).effects, None);
}

#[test]
fn three_axes_have_their_higher_interactions_together() {
    let plan = ScenarioBuilder::new()
        .axis("processes", &[("1", |_| ()), ("2", |c| c.processes = 2)])
        .axis("consumers", &[("1", |_| ()), ("2", |c| c.consumers = 2)])
        .axis(
            "work",
            &[
                ("none", |_| ()),
                ("wait 200us", |c| c.work = Work::Wait { ns: 200_000 }),
            ],
        )
        .plan();
    let effects = found(&plan, &run_with(&plan, &[1.0, 0.5, 0.5, 0.25, 2.0, 1.0, 1.0, 0.9]));
    let EffectsOutcome::Explained(shares) = &effects.outcome else {
        panic!("{effects:?}")
    };
    assert!(shares.shares.len() == 6 && shares.higher.is_some());
    insta::assert_snapshot!(effects.text);
}
