//! Forecasts of plans of every kind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::plan::Plan;
use crate::scenario::{Capacity, Keys, Mode, TrialLength, Work, WorkOrdering, parse, shipped};
use crate::testing::{load, one_and_two, one_and_two_with_work};

#[test]
fn a_forecast_counts_trials_and_bytes() {
    let mut builder = one_and_two_with_work();
    builder.dataset.replication = 3;
    let forecast = builder.plan().forecast();
    assert_eq!(
        (forecast.pilots, forecast.warmup_trials, forecast.counted_trials),
        (2, 4, 40)
    );
    assert_eq!((forecast.fill_records, forecast.fill_bytes), (1_000_000, 100_000_000));
    assert_eq!(forecast.disk_bytes, 300_000_000);
    // 44 trials of at most a second and their overhead.
    assert!(forecast.trial_seconds > 44.0 * 0.5 && forecast.trial_seconds < 44.0 * 2.5);
}

#[test]
fn a_forecast_counts_a_pilot_for_each_value_that_is_compared_across_and_the_records_of_the_slowest() {
    let forecast = |top: &str| {
        let text = format!("question = '?'\nrepetitions = 10\n{top}[matrix]\nwork = ['none', 'wait 10ms']");
        Plan::new(parse("test", "test.toml", &text).unwrap()).forecast()
    };
    let (apart, across) = (forecast(""), forecast("compare_across = ['work']\n"));
    assert_eq!((apart.pilots, across.pilots), (2, 2));
    // Without work the few records that the other reads in a second take next to no time.
    let saved = apart.trial_seconds - across.trial_seconds;
    assert!((3.0..11.1).contains(&saved), "{saved}");
}

#[test]
fn a_forecast_counts_on_threads_as_far_as_their_ordering_lets_them_work_at_once() {
    let seconds_with = |threads: u32, ordering: WorkOrdering, keys: Keys| {
        let mut plan = one_and_two_with_work().plan();
        plan.scenario.trial = TrialLength::Records(10_000);
        plan.scenario.datasets[0].partitions = 2;
        plan.scenario.datasets[0].keys = keys;
        for configuration in &mut plan.scenario.configurations {
            configuration.work = Work::Wait { ns: 1_000_000 };
            (configuration.threads, configuration.ordering) = (threads, ordering);
            (configuration.processes, configuration.consumers) = (1, 1);
        }
        plan.forecast().trial_seconds
    };
    let seconds = |threads, ordering| seconds_with(threads, ordering, Keys::Unique);
    // So many threads leave next to nothing but the overhead.
    let overhead = seconds(10_000, WorkOrdering::None);
    let one = seconds(1, WorkOrdering::None) - overhead;
    let by_partition = seconds(8, WorkOrdering::Partition) - overhead;
    let by_key = seconds(8, WorkOrdering::Key) - overhead;
    assert!((by_partition / one - 0.5).abs() < 0.01, "{}", by_partition / one);
    assert!((by_key / one - 0.125).abs() < 0.01, "{}", by_key / one);
    let few = Keys::Zipf {
        exponent: 0.0,
        count: 4,
    };
    let by_few = seconds_with(8, WorkOrdering::Key, few) - overhead;
    assert!((by_few / one - 0.25).abs() < 0.01, "{}", by_few / one);
}

#[test]
fn a_forecast_counts_the_start_of_every_process_of_a_ready_made_client() {
    let seconds = |app: &str, processes: u32| {
        let text = format!(
            "question = '?'\nrepetitions = 9\n[trial]\nrecords = 1000\n[consumer]\napp = '{app}'\nprocesses = {processes}"
        );
        Plan::new(parse("test", "test.toml", &text).unwrap())
            .forecast()
            .trial_seconds
    };
    let longer = |app, processes| seconds(app, processes) - seconds("tandem", processes);
    // Nine blocks and the warm-up.
    assert!(longer("spring", 1) > 10.0 && longer("spring", 1) > 2.0 * longer("java", 1));
    assert!((longer("spring", 2) / longer("spring", 1) - 2.0).abs() < 1e-6);
}

#[test]
fn a_forecast_of_live_trials_counts_their_warm_up_and_window_and_no_filling() {
    let mut plan = one_and_two().plan();
    for configuration in &mut plan.scenario.configurations {
        configuration.mode = Mode::Live(load());
    }
    plan.scenario.datasets[0].records = 0;
    plan.scenario.datasets[0].replication = 2;
    let forecast = plan.forecast();
    let trials = (forecast.pilots, forecast.warmup_trials, forecast.counted_trials);
    assert_eq!(trials, (0, 2, 20));
    assert_eq!(
        (forecast.data_sets, forecast.fill_records, forecast.fill_bytes),
        (0, 0, 0)
    );
    assert_eq!((forecast.trial_bytes, forecast.disk_bytes), (1_200_000, 2_400_000));
    assert!((forecast.trial_seconds / 22.0 - 12.0) > 0.0 && forecast.trial_seconds < 22.0 * 17.0);
}

#[test]
fn a_forecast_of_mixed_trials_fills_the_backlog_of_each() {
    let mut plan = one_and_two().plan();
    let forecast = |plan: &Plan| plan.forecast();
    for configuration in &mut plan.scenario.configurations {
        configuration.mode = Mode::Mixed(load());
    }
    let with = forecast(&plan);
    assert_eq!((with.data_sets, with.fill_bytes), (0, 0));
    assert_eq!(with.trial_bytes, 101_200_000);
    plan.scenario.datasets[0].records = 0;
    // 22 backlogs of a million records.
    let filling = with.trial_seconds - forecast(&plan).trial_seconds;
    assert!((filling - 22.0 * 1e6 / 1.1e6).abs() < 1.0, "{filling}");
}

#[test]
fn a_forecast_of_a_search_counts_its_trials_and_the_longer_one_at_its_end() {
    let mut plan = one_and_two().plan();
    for configuration in &mut plan.scenario.configurations {
        configuration.mode = Mode::Live(load());
    }
    plan.scenario.datasets[0].records = 0;
    plan.scenario.capacity = Some(Capacity {
        limit: Some(crate::scenario::ResponseLimit {
            percentile: 0.99,
            limit_ns: 50_000_000,
        }),
        precision: 0.05,
        confirm_ns: 30_000_000_000,
        is_quick: false,
    });
    let forecast = plan.forecast();
    assert_eq!(
        (forecast.search_trials, forecast.confirming_trials, forecast.trials()),
        (18, 2, 20)
    );
    assert_eq!(forecast.trial_bytes, 3_200_000);
    let measured = 18.0 * 12.0 + 2.0 * 32.0;
    assert!(forecast.trial_seconds > measured && forecast.trial_seconds < measured + 20.0 * 5.0);
    // At 20 records/s p99 takes a minute.
    for configuration in &mut plan.scenario.configurations {
        let Mode::Live(load) = &mut configuration.mode else {
            continue;
        };
        load.rate = 40.0;
    }
    let longer = 20.0 * 62.5;
    let seconds = plan.forecast().trial_seconds;
    assert!(seconds > longer && seconds < longer + 20.0 * 5.0, "{seconds}");
}

#[test]
fn what_forecasts_count_on_is_what_was_measured() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md")).unwrap();
    let measured = |before: &str| -> f64 {
        let from = page.find(before).unwrap_or_else(|| panic!("{before}")) + before.len();
        page[from..].split_whitespace().next().unwrap().parse().unwrap()
    };
    let close = |assumed: f64, before: &str| {
        let measured = measured(before);
        assert!(
            (assumed / measured).ln().abs() < 0.2,
            "{before} {measured}, and {assumed} is assumed"
        );
    };
    close(super::RUN_SECONDS, "Beside filling and trials a run takes");
    close(super::TRIAL_OVERHEAD_SECONDS, "beside reading a trial takes");
    close(super::LIVE_OVERHEAD_SECONDS, "a trial with a load takes");
}

#[test]
fn shipped_scenarios_say_how_long_they_take() {
    for (name, text) in crate::scenario::SHIPPED {
        let forecast = Plan::new(parse(name, name, text).unwrap()).forecast();
        let said = format!("# Takes {}utes on 2 cores", forecast.minutes());
        assert!(text.contains(&said), "{name}: {said}");
    }
}

#[test]
fn the_quick_forms_of_scenarios_without_cases_take_at_most_two_minutes() {
    for name in ["scaling", "groups"] {
        let scenario = parse(name, name, shipped(name).unwrap()).unwrap();
        let seconds = Plan::new(scenario.quick()).forecast().seconds();
        assert!(seconds < 120.0, "{name}: {seconds} s");
    }
}
