//! Runs whose scenario names the figure by which configurations are compared.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::figures::FigureId;
use crate::measure::{Measurement, TrialOrder};
use crate::scenario::{ChosenMetric, Until};
use crate::testing::{ScenarioBuilder, one_and_two, run, run_from};
use crate::verdict::Effect;

/// A plan that asks for a figure.
fn plan_of(builder: ScenarioBuilder, figure: FigureId, difference: Option<f64>) -> Plan {
    let mut plan = builder.plan();
    plan.scenario.metric = Some(ChosenMetric { figure, difference });
    plan
}

/// A scatter of about 2 % that depends on the trial alone.
fn scatter(order: &TrialOrder) -> f64 {
    let phase = f64::from(order.block) * 2.3 + order.configuration as f64 * 1.7;
    (0.02 * phase.sin()).exp()
}

/// Trials whose read times are equal, each changed.
fn run_changed(plan: &Plan, change: impl Fn(&TrialOrder, &mut Measurement)) -> Vec<Trial> {
    let mut trials = Vec::new();
    loop {
        let before = trials.len();
        trials = run_from(plan, trials, 1, 1, |order| Some(scatter(order)));
        if trials.len() == before {
            return trials;
        }
        let last = trials.last_mut().unwrap();
        change(&last.order, last.measurement.as_mut().unwrap());
    }
}

/// CPU in which configuration i takes `seconds[i]` for all its records.
fn with_cpu(seconds: &[f64]) -> impl Fn(&TrialOrder, &mut Measurement) {
    move |order, measurement| {
        let processes = measurement.processes.len() as f64;
        for process in &mut measurement.processes {
            let cpu_ns = seconds[order.configuration] * scatter(order) * 1e9 / processes;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
            let cpu_ns = cpu_ns as u64;
            process.window.as_mut().unwrap().cpu_ns = cpu_ns;
        }
    }
}

fn redelivered(counts: fn(&TrialOrder) -> u64) -> impl Fn(&TrialOrder, &mut Measurement) {
    move |order, measurement| measurement.redelivered = counts(order)
}

fn only(summary: &Summary) -> &Comparison {
    let [only] = &summary.comparisons[..] else {
        panic!("{:?}", summary.comparisons)
    };
    only
}

#[test]
fn less_cpu_is_a_verdict_with_an_interval_and_nothing_else_is_compared() {
    let plan = plan_of(one_and_two(), FigureId::ClientCpu, None);
    let summary = summarise(&plan, &run_changed(&plan, with_cpu(&[2.0, 1.0])));
    let found = only(&summary);
    assert_eq!(
        (found.metric.name(), found.verdict),
        ("client_cpu_seconds_per_million", Verdict::Faster)
    );
    assert!((found.ratio().unwrap().point - 2.0).abs() < 0.05);
    let cpu = |c: usize| summary.configurations[c].point(FigureId::ClientCpu).unwrap();
    assert!((cpu(0) / cpu(1) / found.ratio().unwrap().point - 1.0).abs() < 0.01);
    assert!(found.p_holm.is_some());
    insta::assert_snapshot!(summary.answer.join("\n"));
}

#[test]
fn a_run_goes_on_until_its_figure_is_decided() {
    let mut builder = one_and_two();
    builder.until = Some(Until::Decided);
    builder.repetitions = 40;
    let plan = plan_of(builder, FigureId::ClientCpu, None);
    let trials = run_changed(&plan, with_cpu(&[2.0, 1.0]));
    let blocks = trials.iter().map(|trial| trial.order.block).max().unwrap();
    assert!(blocks < 10, "{blocks}");
    assert_eq!(only(&summarise(&plan, &trials)).verdict, Verdict::Faster);
}

#[test]
fn the_stopwatch_answers_the_question_where_it_is_the_metric() {
    let plan = plan_of(one_and_two(), FigureId::StopwatchSeconds, None);
    let trials = run(&plan, |order| Some([2.0, 1.0][order.configuration] * scatter(order)));
    let summary = summarise(&plan, &trials);
    assert_eq!(
        (only(&summary).metric, only(&summary).verdict),
        (Metric::STOPWATCH, Verdict::Faster)
    );
    assert!(only(&summary).p_holm.is_some());
}

#[test]
fn what_can_be_zero_is_compared_by_its_difference() {
    let plan = plan_of(one_and_two(), FigureId::Redelivered, Some(100.0));
    let verdict = |counts| {
        let summary = summarise(&plan, &run_changed(&plan, redelivered(counts)));
        (only(&summary).clone(), summary.answer.join("\n"))
    };
    let (fewer, first) = verdict(|order| [500, 0][order.configuration] + u64::from(order.block % 3));
    let Some(Effect::Difference(difference)) = fewer.effect else {
        panic!("{fewer:?}")
    };
    assert!((difference.point + 500.0).abs() < 3.0, "{difference:?}");
    assert_eq!((fewer.ratio(), fewer.verdict), (None, Verdict::Faster));
    let (more, second) = verdict(|order| [0, 500][order.configuration] + u64::from(order.block % 3));
    assert_eq!(more.verdict, Verdict::Slower);
    let (same, third) = verdict(|order| [10, 30][order.configuration] + u64::from(order.block % 3));
    assert_eq!(same.verdict, Verdict::Same);
    insta::assert_snapshot!([first, second, third].join("\n"));
}

#[test]
fn zeros_alone_say_nothing_until_there_are_many() {
    let plan = plan_of(one_and_two(), FigureId::Redelivered, Some(100.0));
    let trials = run_changed(&plan, redelivered(|_| 0));
    let found = only(&summarise(&plan, &trials)).clone();
    assert_eq!((found.interval(), found.verdict), (None, Verdict::Undecided));
    let mut builder = one_and_two();
    builder.repetitions = 20;
    let plan = plan_of(builder, FigureId::Redelivered, Some(100.0));
    let trials = run_changed(&plan, redelivered(|_| 0));
    assert_eq!(only(&summarise(&plan, &trials)).verdict, Verdict::Same);
}

#[test]
fn several_are_reported_against_the_first() {
    let builder = ScenarioBuilder::new()
        .case("none", 1, 1)
        .case("lz4", 1, 1)
        .case("zstd", 1, 1);
    let plan = plan_of(builder, FigureId::ClientCpu, None);
    let summary = summarise(&plan, &run_changed(&plan, with_cpu(&[1.0, 1.01, 1.6])));
    insta::assert_snapshot!(summary.answer.join("\n"));
}

#[test]
fn a_comparison_is_stored_under_the_names_that_it_had_and_read_again() {
    let built_in = [
        Metric::READ_TIME,
        Metric::STOPWATCH,
        Metric::RESPONSE_P99,
        Metric::CATCH_UP,
    ];
    let stored = serde_json::to_string(&built_in).unwrap();
    assert_eq!(stored, r#"["read_time","stopwatch","response_p99","catch_up"]"#);
    assert_eq!(serde_json::from_str::<Vec<Metric>>(&stored).unwrap(), built_in);
    for (figure, difference, key) in [
        (FigureId::ClientCpu, None, "\"ratio\":{"),
        (FigureId::Redelivered, Some(5.0), "\"difference\":{"),
    ] {
        let plan = plan_of(one_and_two(), figure, difference);
        let trials = run_changed(
            &plan,
            redelivered(|order| u64::from(order.block) + order.configuration as u64),
        );
        let found = only(&summarise(&plan, &trials)).clone();
        let text = serde_json::to_string(&found).unwrap();
        assert!(text.contains(key), "{text}");
        assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), found);
    }
}
