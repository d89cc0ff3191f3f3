#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::measure::{Status, Trial, TrialKind, TrialOrder};
use crate::scenario::{TrialLength, Until, Work};
use crate::testing::{ScenarioBuilder, complete, one_and_two, one_and_two_with_work, run, run_from, scenario};

/// A machine that reads two million records per second.
#[allow(clippy::unnecessary_wraps, reason = "the shape that the runner wants")]
fn at_rate(order: &TrialOrder) -> Option<f64> {
    Some(order.records as f64 / 2_000_000.0)
}

fn of_kind(trials: &[Trial], kind: TrialKind) -> Vec<&Trial> {
    trials.iter().filter(|t| t.order.kind == kind).collect()
}

fn order_of(plan: &Plan, stored: &[Trial]) -> TrialOrder {
    match plan.next(stored, 1) {
        Next::Trial(order) => order,
        Next::Done(done) => panic!("done: {done:?}"),
    }
}

#[test]
fn pilots_come_first_then_warm_up_then_counted_blocks() {
    let plan = one_and_two_with_work().plan();
    let trials = run(&plan, at_rate);
    let kinds: Vec<TrialKind> = trials.iter().map(|t| t.order.kind).collect();
    let pilots = kinds.iter().take_while(|k| **k == TrialKind::Pilot).count();
    assert!(pilots >= 2, "each family has its pilot");
    assert!(kinds[pilots..pilots + 4].iter().all(|k| *k == TrialKind::Warmup));
    assert_eq!(kinds[pilots + 4..], [TrialKind::Counted; 40]);
    let numbers: Vec<u32> = trials.iter().map(|t| t.order.number).collect();
    assert_eq!(numbers, (1..=u32::try_from(trials.len()).unwrap()).collect::<Vec<_>>());
}

#[test]
fn a_given_record_count_needs_no_pilot_and_is_rounded_up_to_equal_partitions() {
    let mut builder = one_and_two();
    builder.trial = TrialLength::Records(1001);
    builder.record_multiple = 10;
    let order = order_of(&builder.plan(), &[]);
    assert_eq!((order.kind, order.records), (TrialKind::Warmup, 1010));
}

#[test]
fn a_count_never_exceeds_the_data_set() {
    let mut builder = one_and_two();
    builder.trial = TrialLength::Records(999_999);
    builder.record_multiple = 600_000;
    assert_eq!(order_of(&builder.plan(), &[]).records, 1_000_000);
}

#[test]
fn the_first_pilot_without_work_reads_an_eighth_and_with_work_a_quarter_of_the_target_time() {
    let plan = one_and_two_with_work().plan();
    let first = order_of(&plan, &[]);
    assert_eq!((first.kind, first.records), (TrialKind::Pilot, 125_000));
    let stored = [complete(&plan, first, 1, 0.5)];
    // 0.25 s of 200 us each.
    let second = order_of(&plan, &stored);
    assert_eq!((second.kind, second.records), (TrialKind::Pilot, 1250));
}

#[test]
fn a_short_pilot_is_repeated_with_more_records_and_a_long_one_is_scaled() {
    let plan = one_and_two().plan();
    let first = order_of(&plan, &[]);
    let mut stored = vec![complete(&plan, first, 1, 0.2)];
    let second = order_of(&plan, &stored);
    assert_eq!(
        (second.kind, second.block, second.records),
        (TrialKind::Pilot, 1, 625_000)
    );
    stored.push(complete(&plan, second, 1, 1.25));
    assert_eq!(plan.family_records(&stored, 0), Some(500_000));
    assert_eq!(order_of(&plan, &stored).kind, TrialKind::Warmup);
}

/// A plan that compares across the values of a key, and a machine that reads as many records per second of each.
fn across(values: &str, per_second: &[f64]) -> (Plan, Vec<Trial>) {
    let plan = Plan::new(scenario(&format!(
        "compare_across = ['size', 'work']\n[dataset]\nrecords = 4_000_000\n[matrix]\n{values}"
    )));
    let trials = run(&plan, |order| {
        Some(order.records as f64 / per_second[order.configuration])
    });
    (plan, trials)
}

#[test]
fn the_slowest_part_of_a_family_sets_the_count_of_all() {
    let (plan, trials) = across("size = [100, 1_000, 10_000]", &[2e6, 8e5, 1e6]);
    let pilots: Vec<usize> = of_kind(&trials, TrialKind::Pilot)
        .iter()
        .map(|t| t.order.configuration)
        .collect();
    // The second pilot of the first part is the one that is long enough.
    assert_eq!(pilots, [0, 1, 2]);
    let records: BTreeSet<u64> = of_kind(&trials, TrialKind::Warmup)
        .iter()
        .map(|t| t.order.records)
        .collect();
    assert_eq!(records, BTreeSet::from([800_000]));
    assert_eq!(plan.family_records(&trials, 0), Some(800_000));
}

#[test]
fn a_pilot_reads_no_more_than_a_slower_part_does_in_a_trial() {
    let (_, trials) = across("work = ['wait 1ms', 'none']", &[1_000.0, 2e6]);
    let pilots: Vec<(usize, u64)> = of_kind(&trials, TrialKind::Pilot)
        .iter()
        .map(|t| (t.order.configuration, t.order.records))
        .collect();
    assert_eq!(pilots, [(0, 250), (1, 1_000)]);
    for kind in [TrialKind::Warmup, TrialKind::Counted] {
        assert!(of_kind(&trials, kind).iter().all(|t| t.order.records == 1_000));
    }
}

#[test]
fn a_part_whose_pilots_all_fail_leaves_the_count_to_the_others() {
    let plan = Plan::new(scenario("compare_across = ['size']\n[matrix]\nsize = [100, 1_000]"));
    let trials = run(&plan, |order| {
        (order.configuration == 1).then_some(order.records as f64 / 5e5)
    });
    let failed = of_kind(&trials, TrialKind::Pilot)
        .iter()
        .filter(|t| t.order.configuration == 0)
        .count();
    assert_eq!(failed, 3);
    assert!(
        of_kind(&trials, TrialKind::Counted)
            .iter()
            .all(|t| t.order.records == 500_000)
    );
}

#[test]
fn a_pilot_that_was_left_out_is_made_again_with_as_many_records() {
    let plan = one_and_two().plan();
    let first = order_of(&plan, &[]);
    let mut stood_still = complete(&plan, first.clone(), 1, 5.5);
    stood_still.status = Status::Excluded {
        reason: "broker 1 stood still for 5.0 s".to_owned(),
    };
    let again = order_of(&plan, std::slice::from_ref(&stood_still));
    assert_eq!(
        (again.kind, again.block, again.records),
        (TrialKind::Pilot, 1, first.records)
    );
    // Where all of them are left out, the last has to do.
    let all: Vec<Trial> = (0..6)
        .map(|block| Trial {
            order: TrialOrder { block, ..first.clone() },
            ..stood_still.clone()
        })
        .collect();
    assert_eq!(order_of(&plan, &all).kind, TrialKind::Warmup);
}

#[test]
fn a_pilot_of_the_complete_data_set_is_the_last_however_short() {
    let plan = one_and_two().plan();
    let trials = run(&plan, |_| Some(0.001));
    assert_eq!(of_kind(&trials, TrialKind::Pilot).len(), 2);
    assert!(
        of_kind(&trials, TrialKind::Counted)
            .iter()
            .all(|t| t.order.records == 1_000_000)
    );
}

#[test]
fn six_pilots_are_enough() {
    // The work makes the first pilot small; then each takes a fifth of the wanted time, whatever it reads.
    let mut builder = one_and_two().axis("work", &[("cpu 1ms", |c| c.work = Work::Cpu { ns: 1_000_000 })]);
    builder.dataset.records = 1 << 40;
    let trials = run(&builder.plan(), |_| Some(0.2));
    assert_eq!(of_kind(&trials, TrialKind::Pilot).len(), 6);
}

#[test]
fn the_count_doubles_once_when_a_warm_up_trial_was_too_short() {
    let plan = one_and_two().plan();
    let trials = run(&plan, |order| match (order.kind, order.configuration) {
        (TrialKind::Pilot, _) => Some(0.5),
        (_, 1) => Some(0.2),
        _ => Some(1.0),
    });
    let warm: BTreeSet<u64> = of_kind(&trials, TrialKind::Warmup)
        .iter()
        .map(|t| t.order.records)
        .collect();
    let counted: BTreeSet<u64> = of_kind(&trials, TrialKind::Counted)
        .iter()
        .map(|t| t.order.records)
        .collect();
    assert_eq!((warm, counted), (BTreeSet::from([250_000]), BTreeSet::from([500_000])));
}

#[test]
fn three_failures_in_a_row_give_a_configuration_up() {
    let plan = one_and_two().plan();
    let mut failures = 0;
    let trials = run(&plan, |order| {
        // Two failures, a success, then only failures.
        if order.configuration == 1 {
            failures += 1;
            (failures == 3).then_some(1.0)
        } else {
            Some(1.0)
        }
    });
    assert_eq!(trials.iter().filter(|t| t.order.configuration == 1).count(), 6);
    assert_eq!(
        of_kind(&trials, TrialKind::Counted)
            .iter()
            .filter(|t| t.order.configuration == 0)
            .count(),
        10
    );
    let Next::Done(done) = plan.next(&trials, 1) else {
        panic!()
    };
    assert_eq!((done.skipped, done.everything_skipped), (vec![1], false));
}

#[test]
fn a_pilot_that_fails_is_repeated_and_after_three_failures_the_next_configuration_is_the_pilot() {
    let plan = one_and_two().plan();
    let trials = run(&plan, |order| (order.configuration == 1).then_some(1.0));
    let pilots: Vec<(usize, u32)> = of_kind(&trials, TrialKind::Pilot)
        .iter()
        .map(|t| (t.order.configuration, t.order.block))
        .collect();
    assert_eq!(pilots, [(0, 0), (0, 1), (0, 2), (1, 3)]);
    assert_eq!(of_kind(&trials, TrialKind::Counted).len(), 10);
}

#[test]
fn a_run_in_which_everything_fails_ends() {
    let plan = one_and_two_with_work().plan();
    let trials = run(&plan, |_| None);
    assert_eq!(trials.len(), 12);
    let Next::Done(done) = plan.next(&trials, 1) else {
        panic!()
    };
    assert!(done.everything_skipped);
    assert_eq!(plan.family_records(&trials, 0), None);
}

#[test]
fn a_pilots_configuration_given_up_later_does_not_change_the_count() {
    let plan = one_and_two().plan();
    let trials = run(&plan, |order| match (order.kind, order.configuration) {
        (TrialKind::Pilot, _) => Some(0.5),
        (_, 0) => None,
        _ => Some(1.0),
    });
    assert_eq!(of_kind(&trials, TrialKind::Pilot).len(), 1);
    assert!(trials.iter().skip(1).all(|t| t.order.records == 250_000));
}

#[test]
fn a_block_split_over_two_sessions_is_added_anew_at_the_end() {
    let plan = one_and_two().plan();
    let trials = run(&plan, at_rate);
    let in_block_four = trials
        .iter()
        .position(|t| t.order.kind == TrialKind::Counted && t.order.block == 4)
        .unwrap();
    let stored = trials[..=in_block_four].to_vec();
    let trials = run_from(&plan, stored, 2, usize::MAX, at_rate);
    assert!(plan.is_split(&trials, 4));
    assert!((0..11).filter(|b| *b != 4).all(|b| !plan.is_split(&trials, b)));
    let last = &trials[trials.len() - 2..];
    assert!(last.iter().all(|t| t.order.block == 10 && t.session == 2));
    assert_eq!(plan.blocks(&trials), 11);
    let progress = plan.progress(&trials);
    assert_eq!((progress.blocks_done, progress.blocks_planned), (11, 11));
    assert_eq!(progress.trials_done, progress.trials_planned);
}

#[test]
fn a_session_that_ends_between_blocks_splits_none() {
    let plan = one_and_two().plan();
    let complete_run = run(&plan, at_rate);
    let trials = run_from(
        &plan,
        complete_run[..complete_run.len() - 2].to_vec(),
        2,
        usize::MAX,
        at_rate,
    );
    assert_eq!(plan.blocks(&trials), 10);
    assert_eq!(trials.len(), complete_run.len());
}

#[test]
fn progress_counts_what_is_known_to_come() {
    let plan = one_and_two().plan();
    let start = plan.progress(&[]);
    assert_eq!((start.trials_done, start.trials_planned), (0, 1 + 2 + 20));
    let done = run(&plan, |_| Some(1.0));
    let end = plan.progress(&done);
    assert_eq!((end.trials_done, end.trials_planned), (23, 23));
}

#[test]
fn blocks_differ_in_their_order_and_seeds_differ_in_theirs() {
    let orders = |seed| {
        let mut builder = one_and_two_with_work();
        builder.seed = seed;
        let plan = builder.plan();
        (0..20)
            .map(|b| plan.block_order(TrialKind::Counted, b))
            .collect::<Vec<_>>()
    };
    assert!(orders(1).iter().collect::<BTreeSet<_>>().len() > 5);
    assert_ne!(orders(1), orders(2));
    assert_eq!(orders(1), orders(1));
}

#[test]
fn a_plan_survives_being_stored() {
    let plan = one_and_two_with_work().plan();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

/// A small scenario and, for each trial number in turn, how the trial ends.
fn any_run() -> impl Strategy<Value = (Plan, Vec<Option<f64>>)> {
    let outcome = prop_oneof![5 => (0.001..3.0_f64).prop_map(Some), 1 => Just(None)];
    let shape = (
        1..4_usize,
        any::<bool>(),
        1..5_u32,
        0..3_u32,
        any::<u64>(),
        any::<bool>(),
        1..50_u64,
    );
    (shape, prop::collection::vec(outcome, 1..60)).prop_map(|(shape, outcomes)| {
        let (cases, work, repetitions, warmup_blocks, seed, seconds, multiple) = shape;
        let mut builder = ScenarioBuilder::new();
        for case in 0..cases {
            builder = builder.case(&format!("case {case}"), 1 + u32::try_from(case).unwrap(), 1);
        }
        if work {
            builder = builder.axis(
                "work",
                &[
                    ("none", |c| c.work = Work::None),
                    ("cpu 5us", |c| c.work = Work::Cpu { ns: 5_000 }),
                ],
            );
        }
        builder.repetitions = repetitions;
        builder.warmup_blocks = warmup_blocks;
        builder.seed = seed;
        builder.record_multiple = multiple;
        if !seconds {
            builder.trial = TrialLength::Records(10_000);
        }
        (builder.plan(), outcomes)
    })
}

/// A plan of two configurations that goes on until they are decided, and seconds of a run in which the second takes
/// so many times as long, give or take a scatter.
fn until_decided(at_most: u32, times: f64, deviation: f64) -> (Plan, impl FnMut(&TrialOrder) -> Option<f64> + Clone) {
    let mut builder = one_and_two();
    builder.until = Some(Until::Decided);
    builder.repetitions = at_most;
    let seconds = move |order: &TrialOrder| {
        let phase = f64::from(order.block) * 2.3 + order.configuration as f64 * 1.7;
        let scatter = (deviation * phase.sin()).exp();
        Some(if order.configuration == 1 {
            times * scatter
        } else {
            scatter
        })
    };
    (builder.plan(), seconds)
}

fn ending_of(plan: &Plan, trials: &[Trial]) -> Ending {
    match plan.next(trials, 1) {
        Next::Done(done) => done.ending,
        Next::Trial(order) => panic!("{order:?} is still to be run"),
    }
}

#[test]
fn a_run_until_decided_stops_after_the_block_that_decides() {
    let (plan, seconds) = until_decided(40, 1.2, 0.02);
    let trials = run(&plan, seconds);
    assert_eq!((plan.blocks(&trials), ending_of(&plan, &trials)), (6, Ending::Held));
    let progress = plan.progress(&trials);
    assert_eq!(
        (progress.blocks_done, progress.blocks_planned, progress.blocks_at_most),
        (6, 6, Some(40))
    );
    assert_eq!(progress.trials_done, progress.trials_planned);
    // No look is made within a block.
    let (_, cut) = trials.split_last().unwrap();
    assert!(matches!(plan.next(cut, 1), Next::Trial(order) if order.block == 5));
}

#[test]
fn a_run_that_decides_nothing_ends_with_its_last_block() {
    let (plan, seconds) = until_decided(8, 1.03, 0.2);
    let trials = run(&plan, seconds);
    assert_eq!((plan.blocks(&trials), ending_of(&plan, &trials)), (8, Ending::NotHeld));
}

#[test]
fn the_progress_of_an_open_run_tells_what_is_probable_and_what_is_possible() {
    let (plan, seconds) = until_decided(40, 1.0, 0.02);
    let trials = run(&plan, seconds);
    let blocks = plan.blocks(&trials);
    assert!((7..30).contains(&blocks), "{blocks} blocks");
    let early: Vec<Trial> = trials.iter().filter(|t| t.order.block < 2).cloned().collect();
    assert_eq!(plan.progress(&early).blocks_planned, 40);
    let later: Vec<Trial> = trials.iter().filter(|t| t.order.block < 6).cloned().collect();
    let progress = plan.progress(&later);
    assert!((7..40).contains(&progress.blocks_planned), "{progress:?}");
    assert_eq!((progress.blocks_done, progress.blocks_at_most), (6, Some(40)));
    assert_eq!(
        progress.trials_planned - progress.trials_done,
        2 * (progress.blocks_planned - progress.blocks_done)
    );
}

#[test]
fn a_split_block_is_no_look_and_is_made_anew() {
    let (plan, seconds) = until_decided(40, 1.2, 0.02);
    // Pilot, warm-up block, five blocks and half of the sixth, which would have decided.
    let cut = run_from(&plan, Vec::new(), 1, 1 + 2 + 2 * 5 + 1, seconds.clone());
    let trials = run_from(&plan, cut, 2, usize::MAX, seconds);
    assert!(plan.is_split(&trials, 5));
    assert_eq!(plan.blocks(&trials), 7);
    assert_eq!(plan.next(&trials, 3), plan.next(&trials, 2));
}

fn outcome_of(outcomes: &[Option<f64>]) -> impl FnMut(&TrialOrder) -> Option<f64> {
    |order| outcomes[order.number as usize % outcomes.len()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_plan_ends_with_each_configuration_once_per_block((plan, outcomes) in any_run()) {
        let trials = run(&plan, outcome_of(&outcomes));
        let mut times_run: BTreeMap<(u32, usize), u32> = BTreeMap::new();
        for trial in of_kind(&trials, TrialKind::Counted) {
            *times_run.entry((trial.order.block, trial.order.configuration)).or_default() += 1;
        }
        prop_assert!(times_run.values().all(|times| *times == 1));
        let skipped = plan.skipped(&trials);
        for block in 0..plan.scenario.repetitions().at_most() {
            for configuration in (0..plan.scenario.configurations.len()).filter(|c| !skipped.contains(c)) {
                prop_assert!(times_run.contains_key(&(block, configuration)));
            }
        }
        let progress = plan.progress(&trials);
        prop_assert_eq!(progress.trials_done, progress.trials_planned);
    }

    #[test]
    fn counts_are_fixed_within_a_family_and_fit_its_data((plan, outcomes) in any_run()) {
        let trials = run(&plan, outcome_of(&outcomes));
        for family in &plan.scenario.families {
            let of_family = |t: &&&Trial| family.configurations.contains(&t.order.configuration);
            let counted = of_kind(&trials, TrialKind::Counted);
            let counts: BTreeSet<u64> = counted.iter().filter(of_family).map(|t| t.order.records).collect();
            prop_assert!(counts.len() <= 1, "{counts:?}");
        }
        for trial in &trials {
            let family = &plan.scenario.families[plan.scenario.configurations[trial.order.configuration].family];
            let records = trial.order.records;
            prop_assert!(records >= 1 && records <= family.records_max);
            prop_assert!(records == family.records_max || records % family.record_multiple == 0);
        }
    }

    #[test]
    fn a_resumed_run_goes_on_as_if_it_had_not_stopped((plan, outcomes) in any_run(), cut in 0..200_usize) {
        let uninterrupted = run(&plan, outcome_of(&outcomes));
        let mut prefix = uninterrupted[..cut.min(uninterrupted.len())].to_vec();
        prefix.reverse();
        let mut resumed = run_from(&plan, prefix, 1, usize::MAX, outcome_of(&outcomes));
        resumed.sort_by_key(|t| t.order.number);
        prop_assert_eq!(resumed, uninterrupted);
    }

    #[test]
    fn a_finished_trial_is_never_repeated((plan, outcomes) in any_run(), cuts in prop::collection::vec(1..20_usize, 0..4)) {
        let mut stored = Vec::new();
        let mut session = 1;
        for cut in cuts {
            stored = run_from(&plan, stored, session, cut, outcome_of(&outcomes));
            session += 1;
        }
        let trials = run_from(&plan, stored, session, usize::MAX, outcome_of(&outcomes));
        let mut found = BTreeSet::new();
        for trial in trials.iter().filter(|t| t.order.kind != TrialKind::Pilot) {
            let key = (trial.order.kind == TrialKind::Counted, trial.order.block, trial.order.configuration);
            prop_assert!(found.insert(key), "{:?} twice", trial.order);
        }
        // Every block that was split has a complete one in its place, unless configurations were given up.
        if plan.skipped(&trials).is_empty() {
            let complete_blocks = (0..plan.blocks(&trials)).filter(|b| !plan.is_split(&trials, *b)).count();
            prop_assert_eq!(complete_blocks, plan.scenario.repetitions().at_most() as usize);
        }
    }

    #[test]
    fn the_order_within_blocks_depends_on_the_seed_alone((plan, outcomes) in any_run()) {
        let orders = |outcomes: &[Option<f64>]| {
            let trials = run(&plan, outcome_of(outcomes));
            let counted = of_kind(&trials, TrialKind::Counted);
            counted.iter().map(|t| (t.order.block, t.order.position, t.order.configuration)).collect::<BTreeSet<_>>()
        };
        let all_succeed: BTreeMap<_, _> = orders(&[Some(1.0)]).into_iter().map(|(b, p, c)| ((b, p), c)).collect();
        for (block, position, configuration) in orders(&outcomes) {
            prop_assert_eq!(all_succeed[&(block, position)], configuration);
        }
    }

    #[test]
    fn no_configuration_runs_after_three_failures_in_a_row((plan, outcomes) in any_run()) {
        let trials = run(&plan, outcome_of(&outcomes));
        for configuration in 0..plan.scenario.configurations.len() {
            let mut own_trials: Vec<&Trial> = trials.iter().filter(|t| t.order.configuration == configuration).collect();
            own_trials.sort_by_key(|t| t.order.number);
            let failed: Vec<bool> = own_trials.iter().map(|t| matches!(t.status, Status::Failed(_))).collect();
            let third = failed.windows(3).position(|w| w == [true; 3]);
            prop_assert!(third.is_none_or(|at| at + 3 == failed.len()));
        }
    }
}
