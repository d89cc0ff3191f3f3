//! Runs in which configurations leave the blocks when their comparisons are decided.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Ending, Next, Plan};
use crate::measure::{Trial, TrialKind, TrialOrder};
use crate::scenario::{Repetitions, Until, Work};
use crate::testing::{ScenarioBuilder, one_and_two, run, run_from};
use crate::verdict::{Comparison, Metric, Question, Verdict, compare};

/// One process as the baseline, two that are much faster, and three that are hardly faster.
fn three() -> ScenarioBuilder {
    let mut builder = ScenarioBuilder::new()
        .case("one", 1, 1)
        .case("two", 2, 1)
        .case("three", 3, 1);
    builder.until = Some(Until::Decided);
    builder.repetitions = 20;
    builder
}

/// Seconds of a trial with a scatter of about 4 % that depends on the trial alone.
fn scattered(order: &TrialOrder, seconds: f64) -> f64 {
    let phase = f64::from(order.block) * 2.3 + order.configuration as f64 * 1.7;
    seconds * (0.04 * phase.sin()).exp()
}

#[allow(clippy::unnecessary_wraps, reason = "a trial may fail, though none of these does")]
fn seconds(order: &TrialOrder) -> Option<f64> {
    Some(scattered(order, [1.0, 0.5, 0.96][order.configuration]))
}

/// The blocks of a configuration, ascending.
fn blocks_of(trials: &[Trial], configuration: usize) -> Vec<u32> {
    let own = trials
        .iter()
        .filter(|t| t.order.kind == TrialKind::Counted && t.order.configuration == configuration);
    let blocks: BTreeSet<u32> = own.map(|t| t.order.block).collect();
    blocks.into_iter().collect()
}

/// The comparison of a configuration that answers the question.
fn comparison(plan: &Plan, trials: &[Trial], configuration: usize) -> Comparison {
    let all = compare(&plan.scenario, trials).into_iter();
    let mut own = all.filter(|c| c.question == Question::Scenario && c.metric == Metric::READ_TIME);
    own.find(|c| c.configuration == configuration).unwrap()
}

fn ending(plan: &Plan, trials: &[Trial]) -> Ending {
    match plan.next(trials, trials.last().map_or(1, |t| t.session)) {
        Next::Done(done) => done.ending,
        Next::Trial(order) => panic!("{order:?} is still to be run"),
    }
}

fn up_to(trials: &[Trial], block: u32) -> Vec<Trial> {
    let is_before = |t: &&Trial| t.order.kind != TrialKind::Counted || t.order.block <= block;
    trials.iter().filter(is_before).cloned().collect()
}

#[test]
fn a_configuration_leaves_when_it_is_decided_and_its_baseline_stays_for_the_other() {
    let plan = three().plan();
    let trials = run(&plan, seconds);
    // Two comparisons are looked at from the seventh block on.
    assert_eq!(blocks_of(&trials, 1), (0..7).collect::<Vec<u32>>());
    let (baseline, other) = (blocks_of(&trials, 0), blocks_of(&trials, 2));
    assert_eq!(baseline, other);
    assert!((9..20).contains(&other.len()), "{} blocks", other.len());
    assert_eq!(ending(&plan, &trials), Ending::Held);
    let (left, stayed) = (comparison(&plan, &trials, 1), comparison(&plan, &trials, 2));
    assert_eq!((left.verdict, left.blocks), (Verdict::Faster, 7));
    assert!(
        stayed.verdict != Verdict::Undecided && stayed.blocks as usize == other.len(),
        "{stayed:?}"
    );
}

#[test]
fn the_order_of_a_block_is_that_of_all_configurations_without_those_that_left() {
    let plan = three().plan();
    let trials = run(&plan, seconds);
    for block in 0..plan.blocks(&trials) {
        let shuffled = plan.block_order(TrialKind::Counted, block);
        let has_left = |c: &usize| !blocks_of(&trials, *c).contains(&block);
        let expected: Vec<usize> = shuffled.into_iter().filter(|c| !has_left(c)).collect();
        let of_block = trials
            .iter()
            .filter(|t| t.order.kind == TrialKind::Counted && t.order.block == block);
        let found: Vec<usize> = of_block.map(|t| t.order.configuration).collect();
        assert_eq!(found, expected, "block {block}");
    }
}

#[test]
fn what_was_decided_stays_as_it_was_whatever_comes_later() {
    let plan = three().plan();
    let trials = run(&plan, seconds);
    let at_its_end = comparison(&plan, &up_to(&trials, 6), 1);
    let mut later = trials.clone();
    // Trials that no plan would order: the one that left runs on, and is slow now.
    for block in 7..plan.blocks(&trials) {
        let baseline = trials
            .iter()
            .find(|t| t.order.block == block && t.order.configuration == 0)
            .unwrap();
        let mut order = baseline.order.clone();
        (order.configuration, order.number) = (1, 1_000 + block);
        later.push(crate::testing::complete(&plan, order, 1, 3.0));
    }
    for trials in [&trials, &later] {
        let found = comparison(&plan, trials, 1);
        assert_eq!(
            (found.effect, found.p, found.verdict, found.blocks),
            (at_its_end.effect, at_its_end.p, at_its_end.verdict, 7)
        );
    }
}

#[test]
fn a_run_stored_before_configurations_left_goes_on_with_all_of_them() {
    let mut builder = three();
    builder.leaving = false;
    let plan = builder.plan();
    let trials = run(&plan, seconds);
    let blocks = plan.blocks(&trials);
    assert!(blocks > 8, "{blocks} blocks");
    assert!((0..3).all(|configuration| blocks_of(&trials, configuration).len() == blocks as usize));
    let stored = serde_json::json!({ "until": "decided", "at_most": 20 });
    let read: Repetitions = serde_json::from_value(stored.clone()).unwrap();
    assert!(!read.leaving());
    assert_eq!(serde_json::to_value(plan.scenario.repetitions).unwrap(), stored);
}

#[test]
fn a_run_interrupted_after_one_has_left_is_resumed_without_it() {
    let plan = three().plan();
    let complete = run(&plan, seconds);
    // Up to the first of the two trials of the ninth block.
    let cut = complete
        .iter()
        .position(|t| t.order.kind == TrialKind::Counted && t.order.block == 8)
        .unwrap()
        + 1;
    let trials = run_from(&plan, complete[..cut].to_vec(), 2, usize::MAX, seconds);
    assert!(plan.is_split(&trials, 8));
    assert_eq!(blocks_of(&trials, 1).len(), 7);
    assert_eq!(blocks_of(&trials, 0), blocks_of(&trials, 2));
    assert_eq!(ending(&plan, &trials), Ending::Held);
    // The split block is begun, and is no pair.
    let stayed = comparison(&plan, &trials, 2);
    assert_eq!(stayed.blocks as usize, blocks_of(&trials, 2).len() - 1);
}

#[test]
fn each_configuration_has_the_blocks_that_were_planned_for_it() {
    let plan = three().plan();
    let trials = run(&plan, seconds);
    let blocks = plan.blocks(&trials);
    assert_eq!(plan.blocks_of_each(&trials), [blocks, 7, blocks]);
}

#[test]
fn progress_counts_only_what_is_still_measured() {
    let plan = three().plan();
    let trials = run(&plan, seconds);
    let progress = plan.progress(&up_to(&trials, 8));
    let blocks = progress.blocks_planned - progress.blocks_done;
    assert!(progress.blocks_done == 9 && blocks > 0, "{progress:?}");
    assert_eq!(progress.trials_planned - progress.trials_done, 2 * blocks);
    let end = plan.progress(&trials);
    assert_eq!(
        (end.trials_done, end.blocks_done),
        (end.trials_planned, end.blocks_planned)
    );
    let half = plan.progress(&trials[..trials.len() - 1]);
    assert_eq!(
        (half.blocks_done + 1, half.trials_planned),
        (end.blocks_done, end.trials_planned)
    );
}

#[test]
fn one_that_is_compared_with_nothing_is_measured_up_to_the_first_look() {
    // Each kind of work is a family, and the second has one member only.
    let work: crate::testing::AxisValues = &[
        ("none", |c| c.work = Work::None),
        ("cpu 5us", |c| c.work = Work::Cpu { ns: 5_000 }),
    ];
    let mut plan = one_and_two().axis("work", work).plan();
    let scenario = &mut plan.scenario;
    scenario.repetitions = Repetitions::until_holds(Until::Decided, 20);
    // one none, one cpu, two none, two cpu: the last one is not compared, so the baseline of it is alone, too.
    scenario.configurations[3].baseline = None;
    scenario.configurations[1].baseline = None;
    scenario.configurations[0].baseline = None;
    let trials = run(&plan, |order| {
        Some(scattered(order, [1.0, 1.0, 0.97, 1.0][order.configuration]))
    });
    assert_eq!((blocks_of(&trials, 1).len(), blocks_of(&trials, 3).len()), (6, 6));
    assert!(blocks_of(&trials, 2).len() > 8);
}

#[test]
fn a_configuration_that_is_given_up_keeps_nobody_in_the_blocks() {
    let plan = three().plan();
    let fails_later = |order: &TrialOrder| {
        let fails = order.configuration == 2 && order.kind == TrialKind::Counted && order.block >= 8;
        seconds(order).filter(|_| !fails)
    };
    let trials = run(&plan, fails_later);
    assert_eq!(plan.skipped(&trials), [2]);
    assert_eq!(blocks_of(&trials, 0).len(), 11);
    assert_eq!(ending(&plan, &trials), Ending::CannotHold);
}

#[test]
fn a_width_is_waited_for_by_each_comparison_alone() {
    let mut builder = three();
    builder.until = Some(Until::HalfWidth(0.05));
    builder.repetitions = 40;
    let plan = builder.plan();
    // The second scatters much less than the third.
    let trials = run(&plan, |order| {
        let share = [0.02, 0.02, 0.10][order.configuration] / 0.04;
        let scatter = scattered(order, 1.0).ln() * share;
        Some([1.0, 0.5, 0.9][order.configuration] * scatter.exp())
    });
    assert_eq!(ending(&plan, &trials), Ending::Held);
    let (narrow, wide) = (blocks_of(&trials, 1).len(), blocks_of(&trials, 2).len());
    assert!(narrow + 2 < wide, "{narrow} and {wide} blocks");
    for configuration in [1, 2] {
        let (low, high) = comparison(&plan, &trials, configuration).interval().unwrap();
        assert!((high / low).ln() / 2.0 <= 0.05_f64.ln_1p());
    }
}

#[test]
fn where_nothing_is_compared_the_number_of_blocks_is_fixed() {
    let mut builder = ScenarioBuilder::new().case("alone", 1, 1);
    builder.until = Some(Until::Decided);
    builder.repetitions = 20;
    let mut plan = builder.plan();
    plan.scenario.configurations[0].baseline = None;
    let trials = run(&plan, |_| Some(1.0));
    assert_eq!((plan.blocks(&trials), ending(&plan, &trials)), (10, Ending::AsPlanned));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However a run is interrupted between blocks, it comes to the same trials; within one, the block is made anew.
    #[test]
    fn an_interrupted_run_comes_to_its_end(cuts in prop::collection::vec(1..14_usize, 0..4), times in 0.8..1.2_f64) {
        let plan = three().plan();
        let timed = |order: &TrialOrder| Some(scattered(order, [1.0, 0.5, times][order.configuration]));
        let (mut stored, mut session) = (Vec::new(), 1);
        for cut in cuts {
            stored = run_from(&plan, stored, session, cut, timed);
            session += 1;
        }
        let trials = run_from(&plan, stored, session, usize::MAX, timed);
        prop_assert!(matches!(plan.next(&trials, session + 1), Next::Done(_)));
        let progress = plan.progress(&trials);
        prop_assert_eq!(progress.trials_done, progress.trials_planned);
        // Nobody runs alone: after the first look there are a baseline and what is compared with it.
        for block in 0..plan.blocks(&trials) {
            let present: Vec<usize> = (0..3).filter(|c| blocks_of(&trials, *c).contains(&block)).collect();
            prop_assert!(present.len() >= 2 && present.contains(&0), "block {block}: {present:?}");
        }
        let comparisons: Vec<Comparison> = (1..3).map(|c| comparison(&plan, &trials, c)).collect();
        for found in comparisons {
            let of_its_own = blocks_of(&trials, found.configuration);
            let unsplit = of_its_own.iter().filter(|block| !plan.is_split(&trials, **block)).count();
            prop_assert_eq!(found.blocks as usize, unsplit);
        }
    }
}
