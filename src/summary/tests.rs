#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::figures::FigureId;
use crate::measure::{FailureKind, Flag, FlagKind, Status, Trial, TrialKind, TrialOrder};
use crate::scenario::{Assignor, GroupProtocol, Membership, Until, Work};
use crate::testing::{ScenarioBuilder, failed, one_and_two, one_and_two_with_work, run, run_from};

/// Seconds with a scatter of about 2 % that depends on the trial alone.
fn scattered(order: &TrialOrder, seconds: f64) -> f64 {
    let phase = f64::from(order.block) * 2.3 + order.configuration as f64 * 1.7;
    seconds * (0.02 * phase.sin()).exp()
}

/// Runs a plan in which configuration i takes the i-th time.
fn run_with(plan: &Plan, seconds: &[f64]) -> Vec<Trial> {
    run(plan, |order| Some(scattered(order, seconds[order.configuration])))
}

fn counted(trials: &mut [Trial], configuration: usize) -> impl Iterator<Item = &mut Trial> {
    let is_counted = move |t: &&mut Trial| t.order.kind == TrialKind::Counted && t.order.configuration == configuration;
    trials.iter_mut().filter(is_counted)
}

fn report(plan: &Plan, trials: &[Trial]) -> String {
    let summary = summarise(plan, trials);
    let mut lines = summary.answer;
    lines.extend(summary.warnings.iter().map(|warning| format!("! {warning}")));
    lines.join("\n")
}

fn read_time(summary: &Summary, configuration: usize) -> &Comparison {
    let is_by_read_time = |c: &&Comparison| c.metric == Metric::READ_TIME && c.configuration == configuration;
    summary.comparisons.iter().find(is_by_read_time).unwrap()
}

#[test]
fn two_cases_are_reported_in_a_sentence_per_family() {
    let plan = one_and_two_with_work().plan();
    insta::assert_snapshot!(report(&plan, &run_with(&plan, &[1.0, 1.0, 0.9, 0.5])));
}

#[test]
fn a_broker_that_went_away_is_the_first_thing_said_and_its_trial_is_in_no_figure() {
    let plan = one_and_two().plan();
    let mut trials = run_with(&plan, &[1.0, 1.3]);
    let what = "broker 2 (b:9093) went away 3.1 s after the start and was back 4.0 s later";
    for trial in counted(&mut trials, 1).take(1) {
        trial.order.number = 17;
        trial.status = Status::Excluded {
            reason: what.to_owned(),
        };
        trial.flags = vec![Flag {
            kind: FlagKind::BrokersChanged,
            evidence: what.to_owned(),
        }];
        trial.measurement.as_mut().unwrap().end_ns *= 5;
    }
    let summary = summarise(&plan, &trials);
    let first =
        format!("The cluster lost or gained a broker: in trial 17 {what}. That trial takes no part in the figures.");
    assert_eq!(summary.answer[0], first);
    let undisturbed = summarise(&plan, &run_with(&plan, &[1.0, 1.3]));
    assert_eq!(summary.answer[1..].len(), undisturbed.answer.len());
    assert_eq!(
        summary.configurations[1].trials_used + 1,
        undisturbed.configurations[1].trials_used
    );
    let rate = |summary: &Summary| summary.configurations[1].point(FigureId::RecordsPerSecond).unwrap();
    assert!((rate(&summary) / rate(&undisturbed) - 1.0).abs() < 0.05);
}

#[test]
fn two_cases_without_a_matrix_are_reported_by_their_names_alone() {
    let plan = one_and_two().plan();
    insta::assert_snapshot!(report(&plan, &run_with(&plan, &[1.0, 1.3])));
}

#[test]
fn a_run_that_went_on_until_decided_says_when_it_stopped() {
    let until = |until, at_most, seconds: [f64; 2]| {
        let mut builder = one_and_two();
        builder.until = Some(until);
        builder.repetitions = at_most;
        let plan = builder.plan();
        report(&plan, &run_with(&plan, &seconds))
    };
    let reports = [
        until(Until::Decided, 40, [1.0, 1.3]),
        until(Until::Decided, 8, [1.0, 1.02]),
        until(Until::HalfWidth(0.02), 40, [1.0, 0.9]),
    ];
    insta::assert_snapshot!(reports.join("\n\n"));
}

#[test]
fn three_cases_are_reported_against_the_first() {
    let plan = ScenarioBuilder::new()
        .case("one process, both partitions", 1, 1)
        .case("one process, two consumers", 1, 2)
        .case("two processes, one partition each", 2, 1)
        .axis(
            "work",
            &[
                ("none", |c| c.work = Work::None),
                ("wait 200us", |c| c.work = Work::Wait { ns: 200_000 }),
            ],
        )
        .plan();
    insta::assert_snapshot!(report(&plan, &run_with(&plan, &[1.0, 1.0, 0.995, 0.51, 0.9, 0.5])));
}

#[test]
fn an_axis_alone_is_reported_by_its_values() {
    let plan = ScenarioBuilder::new()
        .axis("processes", &[("1", |_| ()), ("2", |c| c.processes = 2)])
        .plan();
    insta::assert_snapshot!(report(&plan, &run_with(&plan, &[1.0, 0.52])));
}

#[test]
fn many_configurations_are_reported_by_the_highest_and_counts() {
    let plan = ScenarioBuilder::new()
        .axis(
            "processes",
            &[
                ("1", |_| ()),
                ("2", |c| c.processes = 2),
                ("3", |c| c.processes = 3),
                ("4", |c| c.processes = 4),
                ("6", |c| c.processes = 6),
                ("8", |c| c.processes = 8),
            ],
        )
        .plan();
    insta::assert_snapshot!(report(&plan, &run_with(&plan, &[1.0, 0.52, 0.4, 0.35, 1.4, 1.0])));
}

#[test]
fn builds_and_clusters_are_reported_by_what_another_one_changes() {
    let with = |against: Option<&str>, builds: &[&str], seconds: &[f64]| {
        let builds: Vec<std::path::PathBuf> = builds.iter().map(std::path::PathBuf::from).collect();
        let plan = Plan::new(one_and_two_with_work().build().with_variants(against, &builds).unwrap());
        report(&plan, &run_with(&plan, seconds))
    };
    let eight = [1.0, 0.97, 2.0, 2.0, 0.5, 0.45, 1.0, 1.1];
    insta::assert_snapshot!(
        [
            with(None, &["/old/tandem", "/new/tandem"], &eight),
            with(Some("b:9092"), &[], &eight),
            with(None, &["/a", "/b", "/c"], &[1.0; 12]),
            with(Some("b:9092"), &["/old/tandem", "/new/tandem"], &[1.0; 16]),
        ]
        .join("\n\n")
    );
}

#[test]
fn versions_of_kafka_are_reported_by_what_another_one_changes() {
    let with = |versions: &[&str], builds: &[&str], seconds: &[f64]| {
        let cluster = |version: &&str| crate::scenario::ClusterSpec {
            source: crate::scenario::ClusterSource::Local {
                brokers: 1,
                version: version.parse().unwrap(),
                zookeeper: false,
                port: None,
                address: None,
            },
            ..crate::scenario::ClusterSpec::default()
        };
        let clusters: Vec<_> = versions.iter().map(cluster).collect();
        let builds: Vec<std::path::PathBuf> = builds.iter().map(std::path::PathBuf::from).collect();
        let mut scenario = one_and_two_with_work().build();
        scenario.cluster = clusters[0].clone();
        let plan = Plan::new(scenario.with_versions(&clusters, &builds).unwrap());
        report(&plan, &run_with(&plan, seconds))
    };
    insta::assert_snapshot!(
        [
            with(&["2.8.1", "4.3.1"], &[], &[1.0, 0.97, 2.0, 2.0, 0.5, 0.45, 1.0, 1.1]),
            with(&["2.8.1", "3.9.2", "4.3.1"], &[], &[1.0; 12]),
            with(&["2.8.1", "4.3.1"], &["/old/tandem", "/new/tandem"], &[1.0; 16]),
        ]
        .join("\n\n")
    );
}

#[test]
fn within_each_build_the_cases_are_compared_as_the_scenario_asks() {
    let builds = ["/old/tandem", "/new/tandem"].map(std::path::PathBuf::from);
    let plan = Plan::new(one_and_two_with_work().build().with_variants(None, &builds).unwrap());
    let summary = summarise(&plan, &run_with(&plan, &[1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 1.0, 0.8]));
    let pairs = |question: Question| {
        let of_question = summary.comparisons.iter().filter(move |c| c.question == question);
        let read = of_question.filter(|c| c.metric == Metric::READ_TIME);
        read.map(|c| (c.baseline, c.configuration)).collect::<Vec<_>>()
    };
    assert_eq!(pairs(Question::Scenario), [(0, 1), (2, 3), (4, 5), (6, 7)]);
    // The first case, at equal work and build.
    assert_eq!(pairs(Question::Within), [(0, 4), (1, 5), (2, 6), (3, 7)]);
    // What the builds change is the scenario's own question already; work makes families, and is none.
    assert!(
        summary
            .comparisons
            .iter()
            .all(|c| !matches!(c.question, Question::Axis(_)))
    );
}

#[test]
fn a_key_of_the_matrix_is_compared_with_the_build_held_equal() {
    let two = |key| {
        (
            key,
            [("1", (|_| ()) as crate::testing::Change), ("2", |c| c.processes = 2)],
        )
    };
    let [first, second] = [two("processes"), two("partitions")];
    let scenario = ScenarioBuilder::new()
        .axis(first.0, &first.1)
        .axis(second.0, &second.1)
        .build();
    let builds = ["/old/tandem", "/new/tandem"].map(std::path::PathBuf::from);
    let scenario = scenario.with_variants(None, &builds).unwrap();
    for question in crate::verdict::questions(&scenario) {
        for (baseline, configuration) in crate::verdict::pairs(&scenario, question, Metric::READ_TIME) {
            let build = |index: usize| scenario.configurations[index].variant.build;
            let equal = build(baseline) == build(configuration);
            assert_eq!(
                equal,
                question != Question::Scenario,
                "{question:?} {baseline} {configuration}"
            );
        }
    }
    assert!(crate::verdict::questions(&scenario).contains(&Question::Axis(1)));
}

#[test]
fn a_difference_under_the_threshold_is_none_worth_having() {
    let mut builder = one_and_two_with_work();
    builder.repetitions = 20;
    let plan = builder.plan();
    insta::assert_snapshot!(report(&plan, &run_with(&plan, &[1.0, 1.0, 0.999, 1.002])));
}

#[test]
fn an_open_question_is_reported_with_the_blocks_that_would_decide_it() {
    let plan = one_and_two().plan();
    let trials = run(&plan, |order| {
        let wide = if order.block.is_multiple_of(2) { 1.09 } else { 0.93 };
        Some(if order.configuration == 1 {
            wide
        } else {
            scattered(order, 1.0)
        })
    });
    insta::assert_snapshot!(report(&plan, &trials));
}

#[test]
fn too_few_blocks_are_reported_even_where_the_interval_is_clear() {
    let mut builder = one_and_two_with_work();
    builder.repetitions = 5;
    let plan = builder.plan();
    let trials = run_with(&plan, &[1.0, 1.0, 0.5, 0.5]);
    assert_eq!(read_time(&summarise(&plan, &trials), 2).verdict, Verdict::Undecided);
    assert_eq!(read_time(&summarise(&plan, &trials), 2).blocks_more, Some(2));
    insta::assert_snapshot!(report(&plan, &trials));
}

#[test]
fn a_stopwatch_that_contradicts_is_reported() {
    let plan = one_and_two().plan();
    let mut trials = run_with(&plan, &[1.0, 0.8]);
    // Starting two processes takes most of a second.
    for trial in counted(&mut trials, 1) {
        trial.measurement.as_mut().unwrap().spawn_ns -= 700_000_000;
    }
    insta::assert_snapshot!(report(&plan, &trials));
}

#[test]
fn a_single_configuration_is_reported_by_its_rate() {
    let plan = ScenarioBuilder::new().plan();
    insta::assert_snapshot!(report(&plan, &run_with(&plan, &[1.0])));
}

#[test]
fn groups_are_compared_by_the_time_of_all() {
    let plan = ScenarioBuilder::new()
        .axis("groups", &[("1", |_| ()), ("2", |c| c.groups = 2)])
        .plan();
    insta::assert_snapshot!(report(&plan, &run_with(&plan, &[1.0, 1.5])));
}

#[test]
fn a_run_that_has_not_begun_has_no_answer() {
    let plan = one_and_two_with_work().plan();
    insta::assert_snapshot!(report(&plan, &[]));
}

#[test]
fn everything_that_went_wrong_is_reported_the_most_serious_first() {
    let plan = one_and_two().plan();
    let mut trials = run_with(&plan, &[1.0, 0.5]);
    trials.truncate(18);
    let one_session = trials.len();
    let mut trials = run_from(&plan, trials, 2, 5, |order| {
        Some(scattered(order, [1.0, 0.5][order.configuration]))
    });
    assert!(trials.len() > one_session);
    for (index, trial) in counted(&mut trials, 1).enumerate() {
        match index {
            0 => *trial = failed(&plan, trial.order.clone(), 1, FailureKind::Stall),
            1 => {
                let kept = trial.measurement.clone();
                *trial = failed(&plan, trial.order.clone(), 1, FailureKind::Lost);
                trial.measurement = kept;
                trial.measurement.as_mut().unwrap().lost = 12;
            }
            2 => {
                trial.status = Status::Excluded {
                    reason: "group 1, process 2, consumer 1 had 17 records queued before the start".to_owned(),
                };
            }
            3 | 4 => trial.flags.push(Flag {
                kind: FlagKind::Disturbed,
                evidence: "other programs used 9 % of the machine".to_owned(),
            }),
            _ => (),
        }
    }
    insta::assert_snapshot!(report(&plan, &trials));
}

#[test]
fn trials_cut_short_by_the_data_set_are_reported() {
    let plan = one_and_two().plan();
    insta::assert_snapshot!(report(&plan, &run_with(&plan, &[0.1, 0.05])));
}

#[test]
fn a_configuration_with_a_failed_trial_is_not_called_faster_on_either_side() {
    let plan = one_and_two().plan();
    for (tainted, seconds) in [(1, [1.0, 0.5]), (0, [0.5, 1.0])] {
        let mut trials = run_with(&plan, &seconds);
        assert_ne!(read_time(&summarise(&plan, &trials), 1).verdict, Verdict::Undecided);
        let first = counted(&mut trials, tainted).next().unwrap();
        *first = failed(&plan, first.order.clone(), 1, FailureKind::WorkerDied);
        let summary = summarise(&plan, &trials);
        let comparison = read_time(&summary, 1);
        assert_eq!((comparison.verdict, comparison.blocks), (Verdict::Undecided, 9));
        assert_eq!(comparison.blocks_more, None);
    }
}

#[test]
fn lost_records_are_summed_over_failed_trials_but_enter_no_estimate() {
    let plan = one_and_two().plan();
    let mut trials = run_with(&plan, &[1.0, 0.5]);
    let before = summarise(&plan, &trials).configurations[1].clone();
    let first = counted(&mut trials, 1).next().unwrap();
    first.status = failed(&plan, first.order.clone(), 1, FailureKind::Lost).status;
    first.measurement.as_mut().unwrap().lost = 5;
    let after = summarise(&plan, &trials).configurations[1].clone();
    assert_eq!((before.count(FigureId::Lost), after.count(FigureId::Lost)), (0, 5));
    assert_eq!((before.trials_used, after.trials_used, after.trials_failed), (10, 9, 1));
}

#[test]
fn a_trial_of_which_records_had_been_removed_is_as_fast_as_the_rest_was_read() {
    let plan = one_and_two().plan();
    let mut trials = run_with(&plan, &[1.0, 0.5]);
    let before = read_time(&summarise(&plan, &trials), 1).ratio().unwrap().point;
    for trial in counted(&mut trials, 1) {
        let measurement = trial.measurement.as_mut().unwrap();
        measurement.end_ns = measurement.start_ns + measurement.read_ns() / 2;
        for partition in measurement.members.iter_mut().flat_map(|member| &mut member.partitions) {
            measurement.removed += partition.records - partition.records / 2;
            partition.records /= 2;
        }
    }
    let summary = summarise(&plan, &trials);
    let after = read_time(&summary, 1).ratio().unwrap().point;
    assert!((after / before - 1.0).abs() < 0.001, "{before} {after}");
}

#[test]
fn split_blocks_count_in_the_estimates_and_not_in_the_comparison() {
    let plan = one_and_two().plan();
    let complete_run = run_with(&plan, &[1.0, 0.5]);
    let trials = run_from(
        &plan,
        complete_run[..complete_run.len() - 1].to_vec(),
        2,
        usize::MAX,
        |order| Some(scattered(order, [1.0, 0.5][order.configuration])),
    );
    let summary = summarise(&plan, &trials);
    assert!(summary.complete);
    assert_eq!(summary.configurations[0].trials_used, 11);
    assert_eq!(read_time(&summary, 1).blocks, 10);
}

#[test]
fn estimates_are_those_of_the_trials() {
    let plan = one_and_two_with_work().plan();
    let summary = summarise(
        &plan,
        &run(&plan, |order| Some(if order.configuration == 3 { 0.5 } else { 1.0 })),
    );
    let waiting = &summary.configurations[3];
    assert_eq!(
        (waiting.trials_planned, waiting.trials_used, waiting.members),
        (10, 10, 2)
    );
    let seconds = waiting.point(FigureId::ReadSeconds).unwrap();
    assert!((seconds - 0.5).abs() < 1e-9, "{seconds}");
    let rate = waiting.point(FigureId::RecordsPerSecond).unwrap();
    assert!(
        (rate - waiting.count(FigureId::Records) as f64 / 0.5).abs() < 1e-3,
        "{rate}"
    );
    assert!((waiting.point(FigureId::MibPerSecond).unwrap() - rate * 100.0 / 1_048_576.0).abs() < 1e-6);
    assert_eq!(waiting.point(FigureId::RecordBytes), Some(100.0));
    assert!((waiting.point(FigureId::StopwatchSeconds).unwrap() - 1.0).abs() < 1e-9);
    assert!((waiting.point(FigureId::JoinSeconds).unwrap() - 0.3).abs() < 1e-9);
    assert!((waiting.point(FigureId::FirstRecordMs).unwrap() - 5.0).abs() < 1e-9);
    assert!((waiting.point(FigureId::WorkMean).unwrap() - 200.0).abs() < 1e-9);
    // Two processes at half a core for half a second.
    let cpu = waiting.point(FigureId::ClientCpu).unwrap();
    assert!(
        (cpu - 0.5 / (waiting.count(FigureId::Records) as f64 / 1e6)).abs() < 1e-9,
        "{cpu}"
    );
    assert_eq!(summary.configurations[0].point(FigureId::WorkMean), None);
}

#[test]
fn idle_members_are_named_with_the_reason() {
    let plan = ScenarioBuilder::new().case("four members", 2, 2).plan();
    let summary = summarise(&plan, &run(&plan, |_| Some(1.0)));
    assert_eq!(summary.configurations[0].count(FigureId::IdleMembers), 2);
    insta::assert_snapshot!(summary.configurations[0].idle_explanation.clone().unwrap());
}

#[test]
fn the_range_assignor_is_blamed_for_leaving_members_out_although_there_are_partitions() {
    let mut builder = ScenarioBuilder::new().case("two members", 2, 1);
    (builder.dataset.topics, builder.dataset.partitions) = (3, 1);
    let mut plan = builder.plan();
    plan.scenario.configurations[0].membership = Membership::Group(GroupProtocol::Consumer {
        assignor: Some(Assignor::Range),
    });
    let mut trials = run(&plan, |_| Some(1.0));
    for trial in &mut trials {
        let members = &mut trial.measurement.as_mut().unwrap().members;
        let taken = std::mem::take(&mut members[1].assigned);
        members[0].assigned.extend(taken);
    }
    insta::assert_snapshot!(
        summarise(&plan, &trials).configurations[0]
            .idle_explanation
            .clone()
            .unwrap()
    );
}

#[test]
fn members_whose_assignment_was_not_observed_are_not_idle() {
    let plan = one_and_two().plan();
    let mut trials = run_with(&plan, &[1.0, 0.5]);
    for member in trials
        .iter_mut()
        .flat_map(|t| &mut t.measurement.as_mut().unwrap().members)
    {
        member.assigned.clear();
    }
    let summary = summarise(&plan, &trials);
    assert!(
        summary
            .configurations
            .iter()
            .all(|c| c.count(FigureId::IdleMembers) == 0 && c.idle_explanation.is_none())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_trials_does_not_matter(seed in any::<u64>(), factors in prop::collection::vec(0.3..3.0_f64, 4)) {
        let plan = one_and_two_with_work().plan();
        let trials = run_with(&plan, &factors);
        let mut mixed = trials.clone();
        mixed.sort_by_key(|t| (u64::from(t.order.number) + 1).wrapping_mul(seed | 1));
        prop_assert_eq!(summarise(&plan, &mixed), summarise(&plan, &trials));
    }

    #[test]
    fn ratios_of_rows_are_those_of_the_verdicts(factors in prop::collection::vec(0.3..3.0_f64, 4)) {
        let plan = one_and_two_with_work().plan();
        let summary = summarise(&plan, &run_with(&plan, &factors));
        for comparison in &summary.comparisons {
            let row = |c: usize| {
                let summarised = &summary.configurations[c];
                match comparison.metric {
                    Metric::READ_TIME => 1.0 / summarised.point(FigureId::ReadSeconds).unwrap(),
                    Metric::STOPWATCH => 1.0 / summarised.point(FigureId::StopwatchSeconds).unwrap(),
                    _ => unreachable!("a backlog is read"),
                }
            };
            let rows = row(comparison.configuration) / row(comparison.baseline);
            prop_assert!((comparison.ratio().unwrap().point / rows - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_verdict_holds_what_it_says(factors in prop::collection::vec(0.9..1.1_f64, 4)) {
        let plan = one_and_two_with_work().plan();
        let summary = summarise(&plan, &run_with(&plan, &factors));
        for comparison in summary.comparisons.iter().filter(|c| c.metric == Metric::READ_TIME) {
            let (low, high) = comparison.ratio().unwrap().interval.unwrap();
            let p = comparison.p_holm.unwrap();
            let inside = low > 1.0 / 1.03 && high < 1.03;
            let expected = match () {
                () if inside => Verdict::Same,
                () if low > 1.0 && p <= 0.05 => Verdict::Faster,
                () if high < 1.0 && p <= 0.05 => Verdict::Slower,
                () => Verdict::Undecided,
            };
            prop_assert_eq!(comparison.verdict, expected);
            prop_assert!(p >= comparison.p.unwrap());
        }
    }
}
