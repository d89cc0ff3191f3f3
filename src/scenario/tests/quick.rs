//! Quick forms.

use super::scenario;
use crate::scenario::{Repetitions, SHIPPED, Scenario, TrialLength, Until, parse, shipped};

fn shipped_scenario(name: &str) -> Scenario {
    parse(name, name, shipped(name).unwrap()).unwrap()
}

fn names(scenario: &Scenario) -> Vec<&str> {
    scenario.configurations.iter().map(|each| each.name.as_str()).collect()
}

fn comparisons(scenario: &Scenario) -> usize {
    let compared = scenario.configurations.iter().filter(|each| each.baseline.is_some());
    compared.count()
}

/// The values of each axis of the quick form of a file with this text.
fn quick_values(text: &str) -> Vec<Vec<String>> {
    let quick = scenario(text).quick();
    quick.axes.into_iter().map(|axis| axis.values).collect()
}

#[test]
fn quick_runs_every_case_with_first_values_for_half_a_second_until_decided() {
    let quick = shipped_scenario("one-vs-two").quick();
    assert_eq!(
        names(&quick),
        [
            "one process, both partitions work=none",
            "one process, two consumers work=none",
            "two processes, one partition each work=none"
        ]
    );
    assert_eq!(
        (quick.trial, quick.repetitions()),
        (TrialLength::Seconds(0.5), Repetitions::until_holds(Until::Decided, 7))
    );
    let baselines: Vec<_> = quick.configurations.iter().map(|each| each.baseline).collect();
    assert_eq!(baselines, [None, Some(0), Some(0)]);
    assert_eq!((quick.families.len(), quick.families[0].name.as_str()), (1, ""));
    assert_eq!(quick.families[0].configurations, [0, 1, 2]);
    assert_eq!(quick.axes[0].values, ["none"]);
    assert!(quick.warnings.is_empty(), "{:?}", quick.warnings);
}

#[test]
fn data_sets_are_as_much_shorter_as_trials_but_never_longer_and_never_uneven() {
    let records = |text: &str| {
        let quick = scenario(text).quick();
        (quick.datasets[0].records, quick.families[0].records_max)
    };
    let dataset = |records: u64, seconds: &str| {
        format!("[dataset]\npartitions = 3\nrecords = {records}\n[trial]\nseconds = {seconds}")
    };
    assert_eq!(records(&dataset(9_000, "1")), (4_500, 4_500));
    assert_eq!(
        records(&dataset(1_000, "1")),
        (501, 501),
        "a multiple of the partitions"
    );
    assert_eq!(records(&dataset(9_000, "2")), (2_250, 2_250));
    assert_eq!(records(&dataset(9_000, "0.5")), (9_000, 9_000));
    assert_eq!(records(&dataset(9_000, "0.2")), (9_000, 9_000));
    let counted = "[dataset]\nrecords = 9_000\n[trial]\nrecords = 600";
    assert_eq!(records(counted).0, 9_000, "how long its trials take is not known");
    let backlog = shipped_scenario("catch-up");
    assert_eq!(backlog.quick().datasets[0].records, backlog.datasets[0].records);
}

#[test]
fn trials_that_compare_sizes_of_transactions_are_longer() {
    let quick = |name: &str| {
        let quick = shipped_scenario(name).quick();
        (quick.trial, quick.datasets[0].records)
    };
    assert_eq!(quick("store-batch"), (TrialLength::Seconds(4.0), 400_000));
    assert_eq!(quick("spring-one-vs-two-stored"), (TrialLength::Seconds(0.5), 50_000));
    let text = "[store]
kind = 'postgres'
[consumer]
work = 'store'
[trial]
seconds = 1
[matrix]
store_batch = [1, 10]";
    assert_eq!(scenario(text).quick().trial, TrialLength::Seconds(1.0));
}

#[test]
fn a_search_for_capacity_is_less_precise_and_confirms_with_no_longer_trial() {
    let [complete, quick] = [false, true].map(|is_quick| {
        let scenario = shipped_scenario("your-service");
        let chosen = if is_quick { scenario.quick() } else { scenario };
        let capacity = chosen.capacity.unwrap();
        assert_eq!(chosen.configurations.len(), 3);
        (
            capacity.precision,
            capacity.confirm_ns / 1_000_000_000,
            capacity.is_quick,
        )
    });
    assert_eq!((complete, quick), ((0.05, 60, false), (0.1, 20, true)));
    let coarse = scenario("[load]\nrate = 10\n[capacity]\np99_ms = 5\nprecision = 0.2").quick();
    assert!(coarse.capacity.is_some_and(|capacity| capacity.precision > 0.19));
}

#[test]
fn the_quick_form_of_every_shipped_scenario_compares_and_can_be_decided() {
    for (name, _) in SHIPPED {
        let complete = shipped_scenario(name);
        let quick = complete.quick();
        assert!(comparisons(&quick) > 0, "{name}: {:?}", names(&quick));
        assert!(comparisons(&quick) <= comparisons(&complete), "{name}");
        assert_eq!(quick.warnings, complete.warnings, "{name}");
        assert_eq!(quick.nothing_compared(), None, "{name}");
    }
}

#[test]
fn without_cases_the_first_compared_axis_keeps_its_values() {
    assert_eq!(
        names(&shipped_scenario("groups").quick()),
        ["groups=1", "groups=2", "groups=3", "groups=4"]
    );
    assert_eq!(
        names(&shipped_scenario("scaling").quick()),
        [
            "consumers=1 partitions=8",
            "consumers=2 partitions=8",
            "consumers=4 partitions=8",
            "consumers=8 partitions=8"
        ]
    );
    // `work` splits families, so that `processes` is the first compared axis.
    let text = "[matrix]\nwork = ['none', 'cpu 5us']\nprocesses = [1, 2, 3]\nthreads = [1, 2]";
    assert_eq!(quick_values(text), [vec!["none"], vec!["1", "2", "3"], vec!["1"]]);
}

#[test]
fn cases_are_compared_at_every_value_of_a_first_axis_where_that_costs_little() {
    let names = |name: &str| {
        let quick = shipped_scenario(name).quick();
        quick
            .configurations
            .into_iter()
            .map(|each| each.name)
            .collect::<Vec<String>>()
    };
    assert_eq!(
        names("record-size"),
        [
            "one process size=100",
            "one process size=1000",
            "one process size=5000",
            "two processes size=100",
            "two processes size=1000",
            "two processes size=5000"
        ]
    );
    assert_eq!(names("many-topics").len(), 4);
    // Three cases at three values are too many, and a load cannot be shortened.
    assert_eq!(names("one-vs-two").len(), 3);
    assert_eq!(names("latency"), ["one process rate=400", "two processes rate=400"]);
}

#[test]
fn a_long_axis_keeps_its_ends_and_its_middle_and_the_baseline() {
    assert_eq!(
        quick_values("[matrix]\nconsumers = [1, 2, 3, 4]"),
        [["1", "2", "3", "4"]]
    );
    assert_eq!(quick_values("[matrix]\nconsumers = [1, 2, 3, 4, 5]"), [["1", "3", "5"]]);
    assert_eq!(
        quick_values("[matrix]\nconsumers = [1, 2, 4, 8, 16, 32]"),
        [["1", "8", "32"]]
    );
    let named = "baseline = 'consumers=2'\n[matrix]\nconsumers = [1, 2, 4, 8, 16, 32]";
    assert_eq!(quick_values(named), [["1", "2", "8", "32"]]);
}

#[test]
fn the_values_of_a_named_baseline_are_kept() {
    let text = "baseline = 'consumers=2 work=cpu 5us'\n[matrix]\nconsumers = [1, 2]\nwork = ['none', 'cpu 5us']";
    assert_eq!(quick_values(text), [["1", "2"].as_slice(), ["cpu 5us"].as_slice()]);
    let text = "baseline = 'two work=cpu 5us'\n[matrix]\nwork = ['none', 'cpu 5us']\n[[case]]\nname = 'one'\n\
                [[case]]\nname = 'two'\nprocesses = 2";
    let quick = scenario(text).quick();
    assert_eq!(names(&quick), ["one work=cpu 5us", "two work=cpu 5us"]);
    assert_eq!(quick.configurations[0].baseline, Some(1));
}

#[test]
fn there_are_as_many_blocks_as_a_first_look_needs() {
    let cases: Vec<String> = (1..=9)
        .map(|n| format!("[[case]]\nname = 'c{n}'\nconsumers = {n}\n"))
        .collect();
    let many = scenario(&format!("[dataset]\npartitions = 9\n{}", cases.concat())).quick();
    assert_eq!((comparisons(&many), many.repetitions().at_most()), (8, 9));
    assert_eq!(comparisons(&shipped_scenario("threads").quick()), 5);
    assert_eq!(shipped_scenario("threads").quick().repetitions().at_most(), 8);
}

#[test]
fn where_nothing_is_compared_the_first_values_stay() {
    assert_eq!(quick_values("[matrix]\nsize = [100, 1_000]"), [["100"]]);
    assert_eq!(names(&scenario("").quick()).len(), 1);
}
