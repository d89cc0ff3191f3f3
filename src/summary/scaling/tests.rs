#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

use super::*;
use crate::measure::{FailureKind, Trial, TrialKind, TrialOrder};
use crate::plan::Plan;
use crate::scenario::Until;
use crate::stats::{Estimate, Law, Refusal};
use crate::summary::{Summary, summarise};
use crate::testing::{AxisValues, ScenarioBuilder, failed, run};

const CONSUMERS: AxisValues<'_> = &[
    ("1", |c| c.consumers = 1),
    ("2", |c| c.consumers = 2),
    ("3", |c| c.consumers = 3),
    ("4", |c| c.consumers = 4),
    ("6", |c| c.consumers = 6),
    ("8", |c| c.consumers = 8),
];

fn on_partitions(partitions: u32) -> ScenarioBuilder {
    let mut builder = ScenarioBuilder::new();
    builder.dataset.partitions = partitions;
    builder.record_multiple = u64::from(partitions);
    builder
}

/// Noise of about 1 % that depends on the trial alone, and a mood of each block.
fn noise(order: &TrialOrder) -> f64 {
    let phase = f64::from(order.block) * 2.3 + order.configuration as f64 * 1.7;
    (0.012 * (phase * phase).sin() + 0.05 * f64::from(order.block % 3)).exp()
}

/// Runs a plan in which a configuration reads at this speed, by its members.
fn run_at(plan: &Plan, speed: impl Fn(u32) -> f64) -> Vec<Trial> {
    run(plan, |order| {
        let members = plan.scenario.configurations[order.configuration].members();
        Some(noise(order) / speed(members))
    })
}

fn of(plan: &Plan, speed: impl Fn(u32) -> f64) -> Summary {
    summarise(plan, &run_at(plan, speed))
}

fn report(summary: &Summary) -> String {
    let texts = summary.scaling.iter().map(|one| {
        let text = one.recommendation.as_ref().map_or("nothing", |r| r.text.as_str());
        format!("{:?} [{}] {text}", one.along, one.name)
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn counts(series: &ScalingSeries) -> Vec<u32> {
    series.points.iter().map(|point| point.count).collect()
}

fn universal(alpha: f64, beta: f64) -> impl Fn(u32) -> f64 {
    move |members| {
        let n = f64::from(members);
        n / (1.0 + alpha * (n - 1.0) + beta * n * (n - 1.0))
    }
}

#[test]
fn one_axis_of_consumers_is_one_series_with_a_law() {
    let plan = on_partitions(8).axis("consumers", CONSUMERS).plan();
    let summary = of(&plan, universal(0.1, 0.02));
    let [series] = &summary.scaling[..] else {
        panic!("{}", report(&summary))
    };
    assert_eq!(
        (series.along, series.name.as_str(), series.partitions),
        (Along::Consumers, "", 8)
    );
    assert_eq!(counts(series), [1, 2, 3, 4, 6, 8]);
    let law = series.fit.law().unwrap();
    assert_eq!((law.law, law.observations, law.blocks), (Law::Universal, 60, 10));
    let holds = |estimate: Estimate, truth: f64| estimate.interval.is_some_and(|(l, h)| l <= truth && truth <= h);
    assert!(
        holds(law.alpha.unwrap().estimate, 0.1) && holds(law.beta.unwrap().estimate, 0.02),
        "{law:?}"
    );
    assert!(holds(law.peak.unwrap().members, (0.9_f64 / 0.02).sqrt()));
    let fourth = &series.points[3];
    let speed_up = fourth.speed_up.unwrap();
    assert!(
        (speed_up.point / universal(0.1, 0.02)(4) - 1.0).abs() < 0.02,
        "{speed_up:?}"
    );
    assert!((fourth.efficiency.unwrap().point * 4.0 - speed_up.point).abs() < 1e-12);
    let gain = fourth.gain.unwrap();
    assert_eq!(gain.from, 3);
    // The moods of the blocks are 5 and 10 %, but a block's trials share them.
    let (low, high) = gain.ratio.unwrap().interval.unwrap();
    assert!(high / low < 1.04, "{gain:?}");
}

/// The sentence of the answer that says how many are worth having.
fn recommended(summary: &Summary) -> &str {
    let says = |text: &&String| ["enough", "orth having"].iter().any(|words| text.contains(words));
    summary.answer.iter().find(says).unwrap()
}

#[test]
fn what_is_worth_having_ends_where_the_next_gains_less_than_the_threshold_for_sure() {
    let plan = on_partitions(8).axis("consumers", &CONSUMERS[..4]).plan();
    let summary = of(&plan, |n| [1.0, 1.9, 2.7, 2.71][n as usize - 1]);
    let found = summary.scaling[0].recommendation.clone().unwrap();
    assert_eq!((found.count, found.certain, found.most_measured), (3, true, false));
    insta::assert_snapshot!(recommended(&summary));
}

#[test]
fn what_the_intervals_leave_open_is_said_to_be_open() {
    let plan = on_partitions(8).axis("consumers", &CONSUMERS[..4]).plan();
    let summary = of(&plan, |n| [1.0, 1.9, 2.7, 2.7 * 1.03][n as usize - 1]);
    let found = summary.scaling[0].recommendation.clone().unwrap();
    assert_eq!((found.count, found.certain, found.most_measured), (3, false, false));
    insta::assert_snapshot!(recommended(&summary));
}

#[test]
fn a_run_with_every_verdict_does_not_claim_that_what_stays_open_is_decided() {
    let mut builder = on_partitions(8).axis("consumers", &CONSUMERS[..4]);
    (builder.until, builder.repetitions) = (Some(Until::Decided), 20);
    let plan = builder.plan();
    let summary = of(&plan, |n| [1.0, 1.9, 2.7, 2.7 * 1.03][n as usize - 1]);
    let sentence = recommended(&summary);
    assert!(
        sentence.contains("; whether a fourth consumer is stays open: ") && !sentence.contains(". "),
        "{sentence}"
    );
    let ending = summary.answer.last().unwrap();
    assert!(ending.ends_with("with a verdict on every comparison."), "{ending}");
}

#[test]
fn the_most_that_was_measured_may_not_be_the_end() {
    let plan = on_partitions(8).axis("consumers", CONSUMERS).plan();
    let summary = of(&plan, f64::from);
    let found = summary.scaling[0].recommendation.clone().unwrap();
    assert_eq!((found.count, found.certain, found.most_measured), (8, false, true));
    assert_eq!(summary.scaling[0].fit.law().unwrap().law, Law::Linear);
    insta::assert_snapshot!(recommended(&summary));
}

#[test]
fn a_step_that_adds_nothing_is_gone_past_where_a_later_one_does() {
    // Waiting work on four partitions: with three members one has two partitions.
    let plan = on_partitions(4).axis("consumers", &CONSUMERS[..5]).plan();
    let summary = of(&plan, |n| [0.0, 1.0, 2.0, 2.0, 4.0, 4.0, 4.0][n as usize]);
    let series = &summary.scaling[0];
    assert_eq!(series.recommendation.as_ref().unwrap().count, 4);
    insta::assert_snapshot!(recommended(&summary));
    // Six members on four partitions are not part of a law, and the staircase of the others is reported.
    let law = series.fit.law().unwrap();
    assert_eq!(law.observations, 40);
    let misfit = law.misfit.unwrap();
    assert!(
        misfit.members == 3 && misfit.ratio < 0.9 && law.peak.is_none(),
        "{law:?}"
    );
}

#[test]
fn one_may_be_enough() {
    let plan = on_partitions(8).axis("consumers", &CONSUMERS[..3]).plan();
    let summary = of(&plan, |n| [1.0, 0.9, 0.8][n as usize - 1]);
    assert_eq!(summary.scaling[0].fit, Fit::Refused(Refusal::TooFewCounts(3)));
    insta::assert_snapshot!(recommended(&summary));
}

#[test]
fn counts_with_idle_members_leave_too_few_for_a_law() {
    let plan = on_partitions(2).axis("consumers", CONSUMERS).plan();
    let summary = of(&plan, |n| f64::from(n.min(2)));
    let series = &summary.scaling[0];
    assert_eq!(series.fit, Fit::Refused(Refusal::TooFewCounts(2)));
    assert_eq!(series.recommendation.as_ref().unwrap().count, 2);
    insta::assert_snapshot!(recommended(&summary));
}

#[test]
fn a_matrix_of_processes_and_consumers_has_a_series_along_each() {
    let plan = on_partitions(8)
        .axis("processes", &[("1", |c| c.processes = 1), ("2", |c| c.processes = 2)])
        .axis("consumers", &CONSUMERS[..3])
        .plan();
    insta::assert_snapshot!(report(&of(&plan, f64::from)));
}

#[test]
fn cases_that_differ_in_nothing_but_numbers_are_series_too() {
    let plan = on_partitions(8)
        .case("one", 1, 1)
        .case("two consumers", 1, 2)
        .case("two processes", 2, 1)
        .case("four processes", 4, 1)
        .plan();
    insta::assert_snapshot!(report(&of(&plan, f64::from)));
}

#[test]
fn arrangements_that_share_neither_number_are_a_series_of_members() {
    let plan = on_partitions(32).case("a", 1, 1).case("b", 2, 2).case("c", 4, 4).plan();
    let summary = of(&plan, f64::from);
    assert_eq!(summary.scaling.len(), 1);
    assert_eq!(
        (summary.scaling[0].along, counts(&summary.scaling[0])),
        (Along::Members, vec![1, 4, 16])
    );
    insta::assert_snapshot!(report(&summary));
}

#[test]
fn threads_are_a_series_of_their_own_beside_consumers() {
    let plan = on_partitions(8)
        .axis(
            "threads",
            &[
                ("1", |c| c.threads = 1),
                ("2", |c| c.threads = 2),
                ("4", |c| c.threads = 4),
            ],
        )
        .axis("consumers", &CONSUMERS[..2])
        .plan();
    let trials = run(&plan, |order| {
        let c = &plan.scenario.configurations[order.configuration];
        Some(noise(order) / f64::from(c.members() * c.threads))
    });
    insta::assert_snapshot!(report(&summarise(&plan, &trials)));
}

#[test]
fn groups_divide_no_work_and_make_no_series() {
    let plan = on_partitions(8)
        .axis(
            "groups",
            &[
                ("1", |c| c.groups = 1),
                ("2", |c| c.groups = 2),
                ("4", |c| c.groups = 4),
            ],
        )
        .plan();
    assert_eq!(of(&plan, |_| 1.0).scaling, []);
}

#[test]
fn a_configuration_with_failed_trials_is_not_recommended() {
    let plan = on_partitions(8).axis("consumers", &CONSUMERS[..3]).plan();
    let mut trials = run_at(&plan, f64::from);
    assert_eq!(
        summarise(&plan, &trials).scaling[0]
            .recommendation
            .as_ref()
            .unwrap()
            .count,
        3
    );
    let is_third = |t: &&mut Trial| t.order.kind == TrialKind::Counted && t.order.configuration == 2;
    let third = trials.iter_mut().find(is_third).unwrap();
    *third = failed(&plan, third.order.clone(), 1, FailureKind::Stall);
    let summary = summarise(&plan, &trials);
    let found = summary.scaling[0].recommendation.clone().unwrap();
    assert_eq!((found.count, found.certain), (2, false));
    insta::assert_snapshot!(found.text);
}

#[test]
fn many_series_are_reported_in_one_sentence() {
    let works: AxisValues<'_> = &[
        ("1", |c| c.read = crate::scenario::Read::Poll),
        ("2", |c| c.read = crate::scenario::Read::Stream),
        ("3", |c| c.commit = crate::scenario::Commit::Auto),
        ("4", |c| c.commit = crate::scenario::Commit::PerBatch),
        ("5", |c| c.commit = crate::scenario::Commit::None),
    ];
    let plan = on_partitions(8)
        .axis("way", works)
        .axis("consumers", &CONSUMERS[..3])
        .plan();
    let summary = of(&plan, f64::from);
    assert_eq!(summary.scaling.len(), 5);
    assert_eq!(summary.scaling[0].name, "way=1");
    insta::assert_snapshot!(recommended(&summary));
}

#[test]
fn what_was_stored_before_there_was_scaling_still_loads() {
    let plan = on_partitions(8).axis("consumers", CONSUMERS).plan();
    let summary = of(&plan, universal(0.1, 0.02));
    let mut stored = serde_json::to_value(&summary).unwrap();
    let read: Summary = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(read.scaling.len(), 1);
    let fields = stored.as_object_mut().unwrap();
    assert!(fields.remove("scaling").is_some() && fields.remove("effects").is_some());
    let read: Summary = serde_json::from_value(stored).unwrap();
    assert_eq!((read.scaling, read.effects), (Vec::new(), None));
}

#[test]
fn a_run_without_a_trial_has_no_series() {
    let plan = on_partitions(8).axis("consumers", CONSUMERS).plan();
    assert_eq!(summarise(&plan, &[]).scaling, []);
}
