#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

use super::*;
use crate::figures::{FigureId, RESPONSE_P99, Statistic};
use crate::measure::latency::{HIGHEST_NS, Latencies, LatencyPart, LatencyRecorder};
use crate::measure::{
    DeliveryErrors, LoadJudgement, LoadMeasurement, LoadVerdict, Measurement, Overload, ProducerMeasurement,
    SecondOfLatency, Trial, TrialKind, TrialOrder,
};
use crate::measure::{FailureKind, OrderedLoad};
use crate::plan::{CONFIRMATIONS, Next};
use crate::scenario::{Capacity, Configuration, Mode};
use crate::stats::Estimate;
use crate::testing::{ScenarioBuilder, complete, failed, one_and_two, run};
use crate::time::{HostClock, HostClocks, HostId};

const BLOCKS: u32 = 10;

/// The mode of 2,000 records/s, as a file would give it.
fn mode(name: &str) -> Mode {
    let load = serde_json::json!({
        "rate": 2000.0, "arrivals": "poisson", "shape": "constant", "duration_ns": 500_000_000, "warmup_ns": 0,
        "producers": 1, "properties": {},
    });
    serde_json::from_value(serde_json::json!({ name: load })).unwrap()
}

fn plan_of(builder: ScenarioBuilder, name: &str) -> Plan {
    let mut scenario = builder.build();
    let all = scenario.configurations.iter_mut();
    all.for_each(|c| c.mode = mode(name));
    Plan::new(scenario)
}

/// A thousand response times from 0 evenly up, of which the 990th is this one.
fn latencies(p99_ms: f64, records: u32) -> Latencies {
    let mut latencies = Latencies::default();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    for record in 0..records {
        let ns = (p99_ms * 1e6 * f64::from(record) / f64::from(records / 100 * 99 - 1)) as u64;
        latencies.response.record_ns(ns);
    }
    latencies
}

/// A scatter of about 2 % that depends on the block and the configuration alone.
fn scatter(block: u32, configuration: usize) -> f64 {
    (0.02 * (f64::from(block) * 2.3 + configuration as f64 * 1.7).sin()).exp()
}

fn order(plan: &Plan, kind: TrialKind, block: u32, configuration: usize, rate: f64) -> TrialOrder {
    TrialOrder {
        number: block * u32::try_from(plan.scenario.configurations.len()).unwrap()
            + u32::try_from(configuration).unwrap()
            + 1,
        kind,
        block,
        position: 0,
        configuration,
        records: 1_000,
        load: Some(OrderedLoad {
            rate,
            duration_ns: 500_000_000,
        }),
    }
}

/// A statistic of the response time of a configuration.
fn response(summary: &Summary, configuration: usize, statistic: Statistic) -> Option<f64> {
    summary.configurations[configuration].point(FigureId::Latency(LatencyPart::Response, statistic))
}

fn give(trial: &mut Trial, latencies: Latencies) {
    let measurement = trial.measurement.as_mut().unwrap();
    let mut partitions = measurement.members.iter_mut().flat_map(|m| &mut m.partitions);
    partitions.next().unwrap().latencies = Some(latencies);
    measurement.load = Some(LoadMeasurement {
        start_ns: measurement.start_ns,
        offered_per_second: 2_000.0,
        sent_per_second: 2_000.0,
        reached: true,
        caught_up_ns: Some(measurement.start_ns + 3_000_000_000),
        ..LoadMeasurement::default()
    });
}

/// Ten blocks in which configuration i has the i-th p99.
fn run_with(plan: &Plan, p99_ms: &[f64]) -> Vec<Trial> {
    let blocks = (0..BLOCKS).flat_map(|block| p99_ms.iter().enumerate().map(move |(c, p99)| (block, c, *p99)));
    blocks
        .map(|(block, c, p99_ms)| {
            let mut trial = complete(plan, order(plan, TrialKind::Counted, block, c, 2_000.0), 1, 0.5);
            give(&mut trial, latencies(p99_ms * scatter(block, c), 1_000));
            trial
        })
        .collect()
}

/// Changes the load of a configuration's trials in blocks from `first` on.
fn change(trials: &mut [Trial], configuration: usize, first: u32, change: impl Fn(&mut LoadMeasurement)) {
    for trial in trials.iter_mut() {
        if trial.order.configuration == configuration && trial.order.block >= first {
            change(trial.measurement.as_mut().unwrap().load.as_mut().unwrap());
        }
    }
}

fn overload(load: &mut LoadMeasurement) {
    load.overload = Some(Overload {
        lag_growth_per_second: 120.0,
        lag_at_end: 600,
    });
}

fn late(load: &mut LoadMeasurement) {
    (load.reached, load.sent_per_second) = (false, 1_640.0);
}

fn report(plan: &Plan, trials: &[Trial]) -> String {
    let summary = summarise(plan, trials);
    let warnings = summary.warnings.iter().filter(|w| !w.contains("not complete"));
    let lines = summary.answer.iter().cloned().chain(warnings.map(|w| format!("! {w}")));
    lines.collect::<Vec<String>>().join("\n")
}

fn only(summary: &Summary) -> &Comparison {
    assert_eq!(summary.comparisons.len(), 1, "{:?}", summary.comparisons);
    &summary.comparisons[0]
}

#[test]
fn a_p99_that_falls_rises_or_stays_is_reported() {
    let plan = plan_of(one_and_two(), "live");
    let all = [[41.0, 6.0], [6.0, 41.0], [6.0, 6.0], [6.0, 6.1], [6.0, 6.25]];
    let reports: Vec<String> = all.iter().map(|p99| report(&plan, &run_with(&plan, p99))).collect();
    insta::assert_snapshot!(reports.join("\n"));
}

#[test]
fn p99_is_compared_by_how_much_shorter_it_is_and_reading_time_not_at_all() {
    let plan = plan_of(one_and_two(), "live");
    let summary = summarise(&plan, &run_with(&plan, &[41.0, 6.0]));
    let comparison = only(&summary);
    assert_eq!(
        (comparison.metric, comparison.verdict, comparison.blocks),
        (Metric::RESPONSE_P99, Verdict::Faster, BLOCKS)
    );
    assert!((comparison.ratio().unwrap().point - 41.0 / 6.0).abs() < 0.1);
    assert_eq!(comparison.p_holm, comparison.p);
    let p99 = |c: usize| summary.configurations[c].point(RESPONSE_P99).unwrap();
    assert!((p99(0) / p99(1) / comparison.ratio().unwrap().point - 1.0).abs() < 1e-9);
}

#[test]
fn an_overloaded_configuration_has_no_latency_and_the_other_is_reported_alone() {
    let plan = plan_of(one_and_two(), "live");
    let mut trials = run_with(&plan, &[41.0, 6.0]);
    change(&mut trials, 0, 0, overload);
    let summary = summarise(&plan, &trials);
    let live = summary.configurations[0].live.as_ref().unwrap();
    assert!(live.overloaded && live.load_reached && response(&summary, 0, Statistic::Max).is_none());
    let growth = summary.configurations[0].point(FigureId::LagGrowth);
    assert_eq!((live.trials_meaningful, growth), (0, Some(120.0)));
    let comparison = only(&summary);
    assert_eq!((comparison.ratio(), comparison.verdict), (None, Verdict::Undecided));
    insta::assert_snapshot!(report(&plan, &trials));
}

#[test]
fn a_configuration_that_was_sometimes_overloaded_is_called_neither_faster_nor_as_good() {
    let plan = plan_of(one_and_two(), "live");
    for p99_ms in [[41.0, 6.0], [6.0, 6.0]] {
        let mut trials = run_with(&plan, &p99_ms);
        change(&mut trials, 1, 9, overload);
        let summary = summarise(&plan, &trials);
        assert_eq!((only(&summary).verdict, only(&summary).blocks), (Verdict::Undecided, 9));
        assert!(!summary.configurations[1].live.as_ref().unwrap().overloaded);
        let answer = summary.answer.join(" ");
        assert!(answer.contains("fell behind or left records unread"), "{answer}");
    }
    let mut trials = run_with(&plan, &[6.0, 41.0]);
    change(&mut trials, 1, 9, overload);
    assert_eq!(only(&summarise(&plan, &trials)).verdict, Verdict::Slower);
}

#[test]
fn a_load_that_was_not_reached_takes_no_part_in_latencies() {
    let plan = plan_of(one_and_two(), "live");
    let mut trials = run_with(&plan, &[41.0, 6.0]);
    change(&mut trials, 1, 9, late);
    let some = report(&plan, &trials);
    let summary = summarise(&plan, &trials);
    let live = summary.configurations[1].live.as_ref().unwrap();
    assert_eq!((live.trials_meaningful, live.load_reached), (9, false));
    assert_eq!((only(&summary).blocks, only(&summary).verdict), (9, Verdict::Faster));
    change(&mut trials, 1, 0, late);
    insta::assert_snapshot!(format!("{some}\n{}", report(&plan, &trials)));
}

#[test]
fn a_sample_too_small_for_a_p99_is_not_compared_by_it() {
    let plan = plan_of(one_and_two(), "live");
    let mut trials = run_with(&plan, &[41.0, 6.0]);
    for trial in trials.iter_mut().filter(|t| t.order.configuration == 1) {
        give(trial, latencies(6.0, 900));
    }
    let summary = summarise(&plan, &trials);
    assert_eq!(
        (only(&summary).ratio(), only(&summary).verdict),
        (None, Verdict::Undecided)
    );
    let response = |statistic| response(&summary, 1, statistic);
    assert!(response(Statistic::P90).is_some() && response(Statistic::P99).is_none());
    insta::assert_snapshot!(report(&plan, &trials));
}

#[test]
fn estimates_and_means_are_geometric_means_of_trials_and_the_maximum_is_that_of_all_records() {
    let plan = plan_of(ScenarioBuilder::new(), "live");
    let mut trials = run_with(&plan, &[10.0]);
    trials.truncate(2);
    for (trial, p99_ms, records) in [(0, 10.0, 3_000), (1, 40.0, 1_000)] {
        give(&mut trials[trial], latencies(p99_ms, records));
    }
    let summary = summarise(&plan, &trials);
    let summarised = &summary.configurations[0];
    let response = |statistic| response(&summary, 0, statistic).unwrap();
    let close = |got: f64, wanted: f64| (got / wanted - 1.0).abs() < 2e-3;
    assert!(close(response(Statistic::P99), 20.0), "{summarised:?}");
    assert!(close(response(Statistic::Max), 40.0 * 999.0 / 989.0), "{summarised:?}");
    assert!(
        close(response(Statistic::Mean), (5.05_f64 * 20.2).sqrt()),
        "{summarised:?}"
    );
    assert_eq!(summarised.point(FigureId::OfferedPerSecond), Some(2_000.0));
}

#[test]
fn a_percentile_of_no_time_at_all_is_taken_for_a_nanosecond() {
    let plan = plan_of(one_and_two(), "live");
    let summary = summarise(&plan, &run_with(&plan, &[0.0, 0.0]));
    assert!((response(&summary, 0, Statistic::P50).unwrap() - 1e-6).abs() < 1e-12);
    assert_eq!(only(&summary).verdict, Verdict::Same);
}

#[test]
fn backlogs_behind_which_more_arrives_are_compared_by_the_time_until_the_lag_is_gone() {
    let plan = plan_of(one_and_two(), "mixed");
    let mut trials = run_with(&plan, &[900.0, 400.0]);
    for trial in &mut trials {
        let seconds = [5.57, 2.04][trial.order.configuration] * scatter(trial.order.block, trial.order.configuration);
        let load = trial.measurement.as_mut().unwrap().load.as_mut().unwrap();
        let after_ns = std::time::Duration::from_secs_f64(seconds).as_nanos();
        load.caught_up_ns = Some(load.start_ns + u64::try_from(after_ns).unwrap());
    }
    let summary = summarise(&plan, &trials);
    assert_eq!(
        (only(&summary).metric, only(&summary).verdict),
        (Metric::CATCH_UP, Verdict::Faster)
    );
    let caught_up = summary.configurations[0].point(FigureId::CatchUpSeconds).unwrap();
    assert!((caught_up / 5.57 - 1.0).abs() < 0.02, "{caught_up}");
    let both = report(&plan, &trials);
    change(&mut trials, 0, 0, |load| load.caught_up_ns = None);
    insta::assert_snapshot!(format!("{both}\n{}", report(&plan, &trials)));
}

#[test]
fn several_arrangements_are_reported_against_the_first_and_many_by_the_shortest() {
    let cases = |names: &[(&str, u32)]| {
        let builder = ScenarioBuilder::new();
        names
            .iter()
            .fold(builder, |builder, (name, n)| builder.case(name, *n, 1))
    };
    let three = plan_of(cases(&[("one", 1), ("two", 2), ("four", 4)]), "live");
    let six = [
        ("one", 1),
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
    ];
    let six = plan_of(cases(&six), "live");
    let reports = [
        report(&three, &run_with(&three, &[41.0, 6.0, 41.1])),
        report(&six, &run_with(&six, &[41.0, 6.0, 5.0, 4.0, 50.0, 41.0])),
    ];
    insta::assert_snapshot!(reports.join("\n"));
}

#[test]
fn what_does_something_else_than_its_baseline_is_reported_alone() {
    let mut plan = one_and_two().plan();
    plan.scenario.configurations[1].mode = mode("live");
    let trials = run_with(&plan, &[6.0, 6.0]);
    let summary = summarise(&plan, &trials);
    assert_eq!(summary.comparisons, Vec::new());
    insta::assert_snapshot!(summary.answer.join("\n"));
}

#[test]
fn a_configuration_whose_trials_all_failed_is_reported_so() {
    let plan = plan_of(one_and_two(), "live");
    let mut trials = run_with(&plan, &[41.0, 6.0]);
    for trial in trials.iter_mut().filter(|t| t.order.configuration == 0) {
        *trial = failed(&plan, trial.order.clone(), 1, FailureKind::Stall);
    }
    let summary = summarise(&plan, &trials);
    insta::assert_snapshot!(summary.answer.join("\n"));
}

fn producer(lateness_ms: u64) -> ProducerMeasurement {
    let mut lateness = LatencyRecorder::default();
    (0..1_000).for_each(|_| lateness.record_ns(lateness_ms * 1_000_000));
    ProducerMeasurement {
        pid: 1,
        client: "librdkafka".into(),
        client_version: "2.12.1".into(),
        due: 1_000,
        sent: 1_000,
        acknowledged: 1_000,
        lateness,
        ..ProducerMeasurement::default()
    }
}

#[test]
fn everything_that_went_wrong_with_a_load_is_reported() {
    let plan = plan_of(one_and_two(), "live");
    let mut trials = run_with(&plan, &[41.0, 6.0]);
    change(&mut trials, 0, 8, late);
    change(&mut trials, 0, 9, overload);
    change(&mut trials, 1, 7, |load| load.unread = 412);
    change(&mut trials, 1, 6, |load| {
        (load.failed, load.refused) = (2, 1);
        load.errors = vec![
            DeliveryErrors {
                cause: "Local: Message timed out".into(),
                records: 2,
            },
            DeliveryErrors {
                cause: "Local: Queue full".into(),
                records: 1,
            },
        ];
    });
    change(&mut trials, 1, 5, |load| load.producers = vec![producer(2)]);
    let first = trials[0].measurement.as_mut().unwrap();
    let latencies = first.members[0].partitions[0].latencies.as_mut().unwrap();
    latencies.transit.record(1, 0);
    latencies.response.record_ns(HIGHEST_NS + 1);
    insta::assert_snapshot!(report(&plan, &trials));
}

#[test]
fn producers_that_are_late_by_less_than_a_tenth_of_the_response_are_no_warning() {
    let plan = plan_of(one_and_two(), "live");
    let mut trials = run_with(&plan, &[41.0, 41.0]);
    change(&mut trials, 1, 0, |load| load.producers = vec![producer(2)]);
    assert!(
        !report(&plan, &trials).contains("producers"),
        "{}",
        report(&plan, &trials)
    );
}

/// Puts the readers of a configuration on another host, whose clock was compared so exactly.
fn on_another_host(trials: &mut [Trial], configuration: usize, bound_ns: u64) {
    let own = trials
        .iter_mut()
        .filter(|trial| trial.order.configuration == configuration);
    for measurement in own.filter_map(|trial| trial.measurement.as_mut()) {
        let offset_ns = 0;
        measurement.clocks = HostClocks(vec![HostClock {
            offset_ns,
            bound_ns,
            ..HostClock::default()
        }]);
        measurement
            .processes
            .iter_mut()
            .for_each(|process| process.host = HostId::other(0));
    }
}

#[test]
fn response_times_between_hosts_are_no_more_exact_than_the_comparison_of_their_clocks() {
    let plan = plan_of(one_and_two(), "live");
    let mut trials = run_with(&plan, &[41.0, 41.0]);
    change(&mut trials, 0, 0, |load| load.producers = vec![producer(0)]);
    change(&mut trials, 1, 0, |load| load.producers = vec![producer(0)]);
    on_another_host(&mut trials, 1, 20_000);
    assert!(!report(&plan, &trials).contains("clocks"), "{}", report(&plan, &trials));
    on_another_host(&mut trials, 1, 5_000_000);
    let part = "response times may be wrong by 5.000 ms in";
    assert!(report(&plan, &trials).contains(part), "{}", report(&plan, &trials));
    let p99 = |trials: &[Trial]| [0, 1].map(|c| summarise(&plan, trials).configurations[c].figures.point(RESPONSE_P99));
    assert!(p99(&trials).iter().all(Option::is_some));
    on_another_host(&mut trials, 1, 300_000_000);
    let [here, there] = p99(&trials);
    assert!(here.is_some() && there.is_none(), "{here:?} {there:?}");
    let bound_ms = summarise(&plan, &trials).configurations[1]
        .figures
        .point(FigureId::ClockBoundMs);
    assert_eq!(bound_ms, Some(300.0));
    // Where the producers are beside the readers, their clock is one.
    change(&mut trials, 1, 0, |load| load.producers[0].host = HostId::other(0));
    assert!(p99(&trials)[1].is_some());
}

const CAPACITY: Capacity = Capacity {
    limit: Some(crate::scenario::ResponseLimit {
        percentile: 0.99,
        limit_ns: 50_000_000,
    }),
    precision: 0.05,
    confirm_ns: 1_000_000_000,
    is_quick: false,
};

/// A search in which a member holds up to this many records per second.
fn search(plan: &Plan, holds: &[f64], tried: &[(TrialKind, f64)]) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (c, holds) in holds.iter().enumerate() {
        for (block, (kind, rate)) in (0..).zip(tried) {
            let order = order(plan, *kind, block, c, *rate);
            let mut trial = complete(plan, order, 1, 0.5);
            give(&mut trial, latencies(if rate <= holds { 20.0 } else { 80.0 }, 1_000));
            trials.push(trial);
        }
    }
    trials
}

#[test]
fn capacities_are_reported_with_their_intervals_and_what_is_wrong_with_them() {
    let mut plan = plan_of(one_and_two(), "live");
    plan.scenario.capacity = Some(CAPACITY);
    let steps = [4_000.0, 2_000.0, 1_000.0, 1_500.0].map(|rate| (TrialKind::Search, rate));
    let confirmed: Vec<(TrialKind, f64)> = steps.into_iter().chain([(TrialKind::Counted, 1_500.0)]).collect();
    let mut limited = search(&plan, &[1e6, 1e6], &steps);
    let highest = limited.iter_mut().filter(|t| t.order.block == 0);
    highest.for_each(|t| late(t.measurement.as_mut().unwrap().load.as_mut().unwrap()));
    // What the producers did not reach, below a rate that the readers failed.
    let mut limited_below = search(&plan, &[1_600.0, 900.0], &confirmed);
    let not_reached = limited_below.iter_mut().filter(|t| match t.order.configuration {
        0 => t.order.block == 1,
        _ => t.order.block > 0,
    });
    not_reached.for_each(|t| late(t.measurement.as_mut().unwrap().load.as_mut().unwrap()));
    let small: Vec<Trial> = search(&plan, &[1e6, 1e6], &steps)
        .into_iter()
        .map(|mut trial| {
            give(&mut trial, latencies(20.0, 900));
            trial
        })
        .collect();
    let runs = [
        search(&plan, &[1_600.0, 2_500.0], &confirmed),
        search(&plan, &[1_000.0, 900.0], &steps),
        search(&plan, &[1e6, 1_200.0], &steps),
        limited,
        limited_below,
        small,
    ];
    let reports: Vec<String> = runs.iter().map(|trials| report(&plan, trials)).collect();
    insta::assert_snapshot!(reports.join("\n"));
    let summary = summarise(&plan, &runs[0]);
    assert_eq!(summary.comparisons, Vec::new());
    let found = summary.configurations[0].live.as_ref().unwrap().capacity.unwrap();
    assert_eq!(
        (found.per_second, found.high, found.confirmed),
        (Some(1_500.0), Some(2_000.0), true)
    );
    // The second member held 2,000 and was given a longer trial at 1,500 alone, whose latencies are not of its answer.
    let has_latencies = |c: usize| response(&summary, c, Statistic::Max).is_some();
    assert_eq!((has_latencies(0), has_latencies(1)), (true, false));
}

#[test]
fn a_search_whose_trials_all_failed_says_so_and_has_no_answer() {
    let mut plan = plan_of(one_and_two(), "live");
    plan.scenario.capacity = Some(CAPACITY);
    let failing = run(&plan, |_| None);
    let summary = summarise(&plan, &failing);
    assert!(summary.complete);
    insta::assert_snapshot!(report(&plan, &failing));
}

#[test]
fn a_capacity_far_below_the_highest_rate_is_found_with_windows_that_have_enough_records() {
    let mut plan = plan_of(ScenarioBuilder::new(), "live");
    plan.scenario.capacity = Some(CAPACITY);
    let mut trials = Vec::new();
    while let Next::Trial(order) = plan.next(&trials, 1) {
        let load = order.load.unwrap();
        let mut trial = complete(&plan, order, 1, 0.5);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let records = (load.rate * load.duration_ns as f64 / 1e9) as u32;
        let p99_ms = if load.rate <= 80.0 { 20.0 } else { 80.0 };
        give(&mut trial, latencies(p99_ms, records));
        trials.push(trial);
    }
    let summary = summarise(&plan, &trials);
    let found = summary.configurations[0].live.as_ref().unwrap().capacity.unwrap();
    let (low, high) = (found.low.unwrap(), found.high.unwrap());
    assert!(low <= 80.0 && high > 80.0 && high / low <= 1.05, "{found:?}");
    assert!(found.confirmed && summary.warnings.is_empty(), "{:?}", summary.warnings);
}

#[test]
fn a_search_that_was_resumed_splits_no_block_and_plans_no_repetitions() {
    let mut plan = plan_of(one_and_two(), "live");
    plan.scenario.capacity = Some(CAPACITY);
    let steps = [(TrialKind::Search, 4_000.0), (TrialKind::Counted, 4_000.0)];
    let mut trials = search(&plan, &[1e6, 1e6], &steps);
    let confirming = trials.iter_mut().filter(|t| t.order.kind == TrialKind::Counted);
    confirming.zip(1..).for_each(|(trial, session)| trial.session = session);
    let summary = summarise(&plan, &trials);
    assert!(
        !summary.warnings.iter().any(|warning| warning.contains("split")),
        "{:?}",
        summary.warnings
    );
    let planned: Vec<u32> = summary.configurations.iter().map(|c| c.trials_planned).collect();
    assert_eq!(planned, [CONFIRMATIONS; 2]);
}

#[test]
fn a_rate_that_is_compared_is_reported_by_its_value() {
    let faster = |c: &mut Configuration| {
        let Mode::Live(load) = &mut c.mode else { return };
        load.rate = 4_000.0;
    };
    let builder = ScenarioBuilder::new().axis("rate", &[("2000", |_| ()), ("4000", |_| ())]);
    let mut plan = plan_of(builder, "live");
    faster(&mut plan.scenario.configurations[1]);
    let summary = summarise(&plan, &run_with(&plan, &[6.0, 12.0]));
    insta::assert_snapshot!(summary.answer.join("\n"));
}

#[test]
fn a_measurement_without_a_load_is_of_a_backlog() {
    let plan = one_and_two().plan();
    let measurement: Measurement = complete(&plan, order(&plan, TrialKind::Counted, 0, 0, 1.0), 1, 1.0)
        .measurement
        .unwrap();
    assert!(super::live::summarise(&Mode::Backlog, &[&measurement]).is_none());
    let live = super::live::summarise(&mode("live"), &[&measurement]).unwrap();
    assert_eq!(live.trials_meaningful, 0);
}

#[test]
fn response_times_before_and_after_a_backlog_was_gone_are_reported_apart() {
    let plan = plan_of(one_and_two(), "mixed");
    let mut trials = run_with(&plan, &[900.0, 400.0]);
    // Gone in second 5 and 2. The earlier a record came, the longer it waited behind the backlog.
    for (configuration, last) in [(0, 5), (1, 2)] {
        for trial in trials
            .iter_mut()
            .filter(|trial| trial.order.configuration == configuration)
        {
            let load = trial.measurement.as_mut().unwrap().load.as_mut().unwrap();
            load.caught_up_ns = Some(load.start_ns + u64::from(last) * 1_000_000_000 + 500_000_000);
            load.seconds = (0..8)
                .map(|second| {
                    let mut response = LatencyRecorder::default();
                    let ms = match second {
                        before if before < last => 1_000 * u64::from(last - before),
                        that if that == last => 77,
                        _ => 3,
                    };
                    (0..1_000).for_each(|_| response.record_ns(ms * 1_000_000));
                    SecondOfLatency {
                        second,
                        response: response.into(),
                    }
                })
                .collect();
        }
    }
    let summary = summarise(&plan, &trials);
    for (configuration, before_ms) in [(0, 3_000.0), (1, 1_000.0)] {
        let live = summary.configurations[configuration].live.as_ref().unwrap();
        let around = live.around_catch_up.as_ref().unwrap();
        let near = |estimate: Option<Estimate>, ms: f64| (estimate.unwrap().point / ms - 1.0).abs() < 0.002;
        assert!(near(around.before.p50_ms, before_ms), "{around:?}");
        assert!(
            near(around.after.p50_ms, 3.0) && near(around.after.p99_ms, 3.0),
            "{around:?}"
        );
    }
}

fn judged(verdict: LoadVerdict) -> impl Fn(&mut LoadMeasurement) {
    move |load| {
        load.judgement = Some(LoadJudgement {
            verdict,
            who: "group 1, process 1, consumer 1".to_owned(),
            fullness: 0.97,
            resolution: 0.121,
        });
    }
}

#[test]
fn what_a_window_cannot_say_is_a_warning_and_no_load_is_called_held() {
    let plan = plan_of(one_and_two(), "live");
    let mut trials = run_with(&plan, &[41.0, 6.0]);
    change(&mut trials, 0, 0, judged(LoadVerdict::CannotSay));
    change(&mut trials, 1, 0, judged(LoadVerdict::Holds));
    let text = report(&plan, &trials);
    assert!(text.contains("cannot be said in 10 of 10 trials"), "{text}");
    assert!(
        text.contains("no growth of the lag below 12 % of what arrives"),
        "{text}"
    );
    let mut overloaded = trials.clone();
    change(&mut overloaded, 1, 0, overload);
    let text = report(&plan, &overloaded);
    assert!(
        text.contains("\"one process, both partitions\" may hold with p99"),
        "{text}"
    );
    let summary = summarise(&plan, &trials);
    let verdicts = summary
        .configurations
        .iter()
        .map(|c| c.live.as_ref()?.judgement.as_ref());
    let verdicts: Vec<_> = verdicts.map(|judgement| judgement.map(|j| j.verdict)).collect();
    assert_eq!(verdicts, [Some(LoadVerdict::CannotSay), Some(LoadVerdict::Holds)]);
}

#[test]
fn a_load_is_held_or_overloaded_where_most_trials_say_so_and_not_known_otherwise() {
    let plan = plan_of(one_and_two(), "live");
    let verdict = |unsure: u32, not_given: u32| {
        let mut trials = run_with(&plan, &[41.0, 6.0]);
        change(&mut trials, 0, 0, judged(LoadVerdict::Holds));
        change(&mut trials, 0, BLOCKS - unsure, judged(LoadVerdict::CannotSay));
        change(&mut trials, 0, BLOCKS - not_given, late);
        summarise(&plan, &trials).configurations[0]
            .live
            .as_ref()
            .unwrap()
            .judgement
            .as_ref()
            .map(|j| j.verdict)
    };
    assert_eq!(verdict(4, 0), Some(LoadVerdict::Holds));
    assert_eq!(verdict(5, 0), Some(LoadVerdict::CannotSay));
    assert_eq!(verdict(0, BLOCKS), None, "nobody was given the load");
}
