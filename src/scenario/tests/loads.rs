//! Records that arrive: modes, rates, profiles, families, warnings and errors of live, mixed and capacity scenarios.

use super::{said, scenario};
use crate::load::Arrivals;
use crate::scenario::{Capacity, Configuration, Load, Mode, PropertyValue, Scenario, Shape, shipped};

const SECOND: u64 = 1_000_000_000;

fn load(configuration: &Configuration) -> &Load {
    configuration.mode.load().unwrap()
}

fn rates(scenario: &Scenario) -> Vec<f64> {
    scenario.configurations.iter().map(|each| load(each).rate).collect()
}

fn families(scenario: &Scenario) -> Vec<&str> {
    scenario.families.iter().map(|family| family.name.as_str()).collect()
}

fn baselines(scenario: &Scenario) -> Vec<Option<usize>> {
    scenario.configurations.iter().map(|each| each.baseline).collect()
}

#[test]
fn a_load_makes_a_file_live_with_ten_seconds_after_two_of_warm_up() {
    let scenario = scenario("[load]\nrate = 10_000");
    let Mode::Live(load) = &scenario.configurations[0].mode else {
        panic!("{:?}", scenario.configurations[0].mode);
    };
    assert_eq!(
        (load.rate, load.arrivals, &load.shape),
        (10_000.0, Arrivals::Constant, &Shape::Constant)
    );
    assert_eq!(
        (load.duration_ns, load.warmup_ns, load.producers),
        (10 * SECOND, 2 * SECOND, 1)
    );
    assert!(load.properties.is_empty());
    assert_eq!(scenario.capacity, None);
    assert_eq!(scenario.warnings, Vec::<String>::new());
}

#[test]
fn without_a_load_nothing_arrives() {
    assert_eq!(scenario("").configurations[0].mode, Mode::Backlog);
}

#[test]
fn every_key_of_the_load_reaches_the_configuration() {
    let scenario = scenario(
        r#"
        [load]
        mode = "mixed"
        rate = 2.5e4
        arrivals = "poisson"
        profile = { ramp = [0.5, 2] }
        duration = "1500ms"
        warmup = 0.25
        producers = 3
        [load.client]
        "acks" = 1
        "sasl.password" = { env = "PASSWORD" }
        "#,
    );
    let Mode::Mixed(load) = &scenario.configurations[0].mode else {
        panic!("{:?}", scenario.configurations[0].mode);
    };
    assert_eq!(
        (load.rate, load.arrivals, load.producers),
        (25_000.0, Arrivals::Poisson, 3)
    );
    assert_eq!(load.shape, Shape::Ramp { from: 0.5, to: 2.0 });
    assert_eq!((load.duration_ns, load.warmup_ns), (SECOND / 2 * 3, SECOND / 4));
    assert_eq!(load.properties["acks"], PropertyValue::Literal("1".to_owned()));
    let env = "PASSWORD".to_owned();
    assert_eq!(load.properties["sasl.password"], PropertyValue::Environment { env });
    let value = |key: &str| {
        let position = scenario.keys_in_use.iter().position(|used| used == key).unwrap();
        scenario.configurations[0].key_values[position].as_str()
    };
    assert_eq!((value("rate"), value("profile")), ("25000", "ramp 0.5 to 2"));
    assert_eq!((value("duration"), value("warmup")), ("1500ms", "250ms"));
    assert_eq!(value("producer.sasl.password"), "$PASSWORD");
}

#[test]
fn profiles_are_multiples_of_the_rate_in_one_of_four_forms() {
    let shape = |profile: &str| {
        let scenario = scenario(&format!("[load]\nrate = 1000\nprofile = {profile}"));
        load(&scenario.configurations[0]).shape.clone()
    };
    assert_eq!(shape("'constant'"), Shape::Constant);
    assert_eq!(shape("{ steps = [0, 1, 2.5] }"), Shape::Steps(vec![0.0, 1.0, 2.5]));
    assert_eq!(shape("{ ramp = [0.1, 2] }"), Shape::Ramp { from: 0.1, to: 2.0 });
    let bursts = Shape::Bursts {
        factor: 5.0,
        every_ns: 10 * SECOND,
        for_ns: SECOND / 2,
    };
    assert_eq!(shape("{ burst = 5, every = '10s', for = 0.5 }"), bursts);
    assert_eq!(bursts.to_string(), "burst 5 for 500ms every 10s");
}

#[test]
fn a_rate_in_bytes_is_turned_into_records_by_their_mean_size() {
    let scenario = scenario("[load]\nmib_per_second = 1\n[matrix]\nsize = [1024, { min = 1024, max = 3072 }]");
    assert_eq!(rates(&scenario), [1024.0, 512.0]);
    let families: Vec<usize> = scenario.configurations.iter().map(|each| each.family).collect();
    assert_eq!(families, [0, 1]);
}

#[test]
fn two_ways_of_writing_one_rate_are_one_family() {
    let scenario = scenario(
        "[load]\n[dataset]\nsize = 1024\n[[case]]\nname = 'a'\nrate = 2048\n[[case]]\nname = 'b'\nmib_per_second = 2",
    );
    assert_eq!(families(&scenario), [""]);
    assert_eq!(baselines(&scenario), [None, Some(0)]);
    // Each column is filled for both: what was not written follows from what was.
    assert_eq!(scenario.configurations[0].key_values, ["1024", "2048", "2"]);
    assert_eq!(scenario.configurations[1].key_values, ["1024", "2048", "2"]);
}

#[test]
fn cases_are_compared_at_equal_rates() {
    let text = "[load]\n[matrix]\nrate = [400, 1_000]\n[[case]]\nname = 'one'\n[[case]]\nname = 'two'\nprocesses = 2";
    let scenario = scenario(text);
    let names: Vec<&str> = scenario.configurations.iter().map(|each| each.name.as_str()).collect();
    assert_eq!(
        names,
        ["one rate=400", "one rate=1000", "two rate=400", "two rate=1000"]
    );
    assert_eq!(families(&scenario), ["rate=400", "rate=1000"]);
    assert_eq!(baselines(&scenario), [None, None, Some(0), Some(1)]);
}

#[test]
fn modes_and_arrivals_make_families_and_producers_and_their_properties_do_not() {
    let modes = scenario("[load]\nrate = 500\n[matrix]\nmode = ['backlog', 'live', 'mixed']");
    assert_eq!(families(&modes), ["mode=backlog", "mode=live", "mode=mixed"]);
    assert_eq!(baselines(&modes), [None; 3]);
    let both = scenario("[load]\n[matrix]\nmode = ['backlog', 'live']\nrate = [500, 900]");
    assert_eq!(
        families(&both),
        ["mode=backlog", "mode=live rate=500", "mode=live rate=900"]
    );
    let text = "[load]\nrate = 500\n[matrix]\narrivals = ['constant', 'poisson']\nproducers = [1, 2]";
    let producers = scenario(text);
    assert_eq!(families(&producers), ["arrivals=constant", "arrivals=poisson"]);
    assert_eq!(baselines(&producers), [None, Some(0), None, Some(2)]);
    let linger = scenario("[load]\nrate = 500\n[matrix]\n\"producer.linger.ms\" = [0, 5]");
    assert_eq!(linger.configurations[1].name, "producer.linger.ms=5");
    assert_eq!(baselines(&linger), [None, Some(0)]);
    let literal = PropertyValue::Literal("5".to_owned());
    assert_eq!(load(&linger.configurations[1]).properties["linger.ms"], literal);
    assert!(linger.configurations[1].client.properties.is_empty());
}

#[test]
fn a_property_of_producers_in_a_case_wins_over_that_of_the_file() {
    let text = "[load]\nrate = 500\n[load.client]\n\"linger.ms\" = 1\n[[case]]\nname = 'a'\n[[case]]\nname = 'b'\n\
                \"producer.linger.ms\" = 7";
    let scenario = scenario(text);
    let linger = |index: usize| load(&scenario.configurations[index]).properties["linger.ms"].clone();
    assert_eq!(linger(0), PropertyValue::Literal("1".to_owned()));
    assert_eq!(linger(1), PropertyValue::Literal("7".to_owned()));
}

#[test]
fn nothing_is_filled_for_live_configurations_and_they_take_no_part_in_the_rounding() {
    let text = "[dataset]\nrecords = 100\n[load]\nrate = 500\n[[case]]\nname = 'live'\npartitions = 7\n\
                [[case]]\nname = 'mixed'\nmode = 'mixed'\npartitions = 3\n[[case]]\nname = 'lying'\nmode = 'backlog'";
    let scenario = scenario(text);
    let records: Vec<u64> = scenario
        .configurations
        .iter()
        .map(|each| scenario.datasets[each.dataset].records)
        .collect();
    assert_eq!(records, [0, 102, 102]);
    let of_families = |family: &crate::scenario::Family| (family.record_multiple, family.records_max);
    let families: Vec<(u64, u64)> = scenario.families.iter().map(of_families).collect();
    assert_eq!(families, [(1, 0), (3, 102), (1, 102)]);
    let part = scenario.only(&["live", "lying"]).unwrap();
    let families: Vec<(u64, u64)> = part.families.iter().map(of_families).collect();
    assert_eq!(families, [(1, 0), (1, 102)]);
}

#[test]
fn a_search_for_capacity_has_one_objective_and_confirms_with_three_times_the_duration() {
    let text = "[load]\nrate = 5000\nduration = '20s'\n[capacity]\np99_ms = 50\n[matrix]\nprocesses = [1, 2]";
    let capacity = scenario(text).capacity.unwrap();
    let expected = Capacity {
        limit: Some(crate::scenario::ResponseLimit {
            percentile: 0.99,
            limit_ns: 50_000_000,
        }),
        precision: 0.05,
        confirm_ns: 60 * SECOND,
        is_quick: false,
    };
    assert_eq!(capacity, expected);
    let text = "[load]\nrate = 5000\n[capacity]\np999_ms = 0.5\nlag = 'bounded'\nprecision = 0.2\nconfirm = 30";
    let expected = Capacity {
        limit: Some(crate::scenario::ResponseLimit {
            percentile: 0.999,
            limit_ns: 500_000,
        }),
        precision: 0.2,
        confirm_ns: 30 * SECOND,
        is_quick: false,
    };
    assert_eq!(scenario(text).capacity, Some(expected));
}

#[test]
fn a_search_for_capacity_needs_no_number_of_blocks() {
    let text = "[load]\nrate = 5000\n[capacity]\np99_ms = 50\n[matrix]\nprocesses = [1, 2]";
    assert_eq!(scenario(text).with_repetitions(1).warnings, Vec::<String>::new());
    let warnings = scenario(&format!("repetitions = 3\n{text}")).warnings;
    assert_eq!(
        warnings,
        ["`repetitions` has no effect with [capacity]: the search decides how many trials there are"]
    );
}

#[test]
fn what_has_no_effect_and_what_is_too_little_is_said() {
    let warnings = |text: &str| scenario(text).warnings.join("\n");
    let texts = [
        "[load]\nrate = 50",
        "[load]\nrate = 500\n[capacity]\np999_ms = 5\n[matrix]\nprocesses = [1]",
        "[load]\nrate = 2\n[capacity]\np999_ms = 5\n[matrix]\nprocesses = [1]",
        "[load]\n[matrix]\nrate = [20, 30, 2000]",
        "[load]\nrate = 500\n[trial]\nseconds = 2",
        "[dataset]\nrecords = 500\n[load]\nrate = 500",
        "[load]\nrate = 500\nduration = '3s'\nprofile = { burst = 5, every = '10s', for = '1s' }",
        "[load]\nrate = 500\n[[case]]\nname = 'a'\nmode = 'backlog'\nproducers = 2\n[[case]]\nname = 'b'",
    ];
    let messages: Vec<String> = texts
        .iter()
        .map(|text| format!("{text}\n> {}\n", warnings(text)))
        .collect();
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_burst_that_begins_or_goes_on_in_the_window_is_one() {
    for (every, length, warmup) in [("3s", "1s", "2s"), ("10s", "3s", "2s"), ("10s", "1s", "0s")] {
        let text = format!(
            "[load]\nrate = 500\nduration = '3s'\nwarmup = '{warmup}'\n\
             profile = {{ burst = 5, every = '{every}', for = '{length}' }}"
        );
        assert_eq!(scenario(&text).warnings, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn loads_that_cannot_be_are_errors() {
    let wrong = [
        // Values.
        "[load]\nrate = 0",
        "[load]\nrate = 2_000_000_000",
        "[load]\nrate = 10\narrivals = 'random'",
        "[load]\nrate = 10\nduration = '50ms'",
        "[load]\nrate = 10\nduration = '8d'",
        "[load]\nrate = 10\nwarmup = '01s'",
        "[load]\nrate = 10\nwarmup = -1",
        "[load]\nrate = 10\nproducers = 65",
        "[load]\nrate = 10\nprofile = 'constnat'",
        "[load]\nrate = 10\nprofile = { steps = [0, 0] }",
        "[load]\nrate = 10\nprofile = { ramp = [1, 2, 3] }",
        "[load]\nrate = 10\nprofile = { burst = 5, every = '1s', for = '2s' }",
        "[load]\nrate = 10\nprofile = { burst = 0, every = '1s', for = '1s' }",
        "[load]\nrate = 10\nmode = 'life'",
        // Keys.
        "[load]\nrat = 10",
        "[load]\nrate = 10\nrepetitions = 10",
        "[load]\nrate = 10\n\"linger.ms\" = 5",
        "[consumer]\nrate = 10",
        "[matrix]\nduration = ['10s']",
        "[[load]]\nrate = 10",
        // Together.
        "[load]",
        "[matrix]\nmode = ['backlog', 'mixed']",
        "[load]\nrate = 10\nmib_per_second = 1",
        "[load]\nrate = 10\n[[case]]\nname = 'a'\nmib_per_second = 1",
        "[matrix]\nrate = [10, 20]",
        "[load]\nmode = 'backlog'\nduration = '5s'",
        "[[case]]\nname = 'a'\n\"producer.linger.ms\" = 5",
        "[load]\nrate = 10\n[matrix]\nsize = [23, 24]",
        "[load]\nrate = 10\n[dataset]\nsize = { min = 1, max = 100 }",
        "[load]\nrate = 10\n[dataset]\nsize = { median = 5, sigma = 1.0, max = 20 }",
        "[load]\nrate = 10\n[dataset]\npartitions = 2\nweights = [0.9, 0.1]",
        "[load]\nrate = 1e9\nprofile = { steps = [1, 2] }",
        "[load]\nmib_per_second = 100_000\n[dataset]\nsize = 30",
        "[load]\nrate = 10\nduration = '7d'\nwarmup = '1s'",
        "[load]\nrate = 1e7\nduration = '3h'",
    ];
    insta::assert_snapshot!(said(&wrong));
}

#[test]
fn searches_that_cannot_be_are_errors() {
    let wrong = [
        "[load]\nrate = 10\n[capacity]",
        "[load]\nrate = 10\n[capacity]\np99_ms = 50\np50_ms = 5",
        "[load]\nrate = 10\n[capacity]\np99_ms = 0",
        "[load]\nrate = 10\n[capacity]\np95_ms = 5",
        "[load]\nrate = 10\n[capacity]\np99_ms = 50\nlag = 'unbounded'",
        "[load]\nrate = 10\n[capacity]\np99_ms = 50\nprecision = 0.9",
        "[load]\nrate = 10\n[capacity]\np99_ms = 50\nconfirm = '9s'",
        "[load]\nrate = 10\nduration = '3d'\n[capacity]\np99_ms = 50",
        "[load]\nrate = 10\n[capacity]\np99_ms = 50\nconfirm = '7d'",
        "[capacity]\np99_ms = 50",
        "[load]\nrate = 10\nmode = 'mixed'\n[capacity]\np99_ms = 50",
        "[load]\n[capacity]\np99_ms = 50\n[matrix]\nrate = [10, 20]",
        "[load]\nrate = 10\n[capacity]\np99_ms = 50\n[[case]]\nname = 'a'\nrate = 20",
        "[load]\nrate = 10\nprofile = { steps = [1, 2] }\n[capacity]\np99_ms = 50",
    ];
    insta::assert_snapshot!(said(&wrong));
}

#[test]
fn producer_properties_are_checked_one_by_one() {
    let wrong = [
        "[load]\nrate = 10\n[load.client]\nlinger.ms = 1",
        "[load]\nrate = 10\n[load.client]\n\"lingr.ms\" = 1",
        "[load]\nrate = 10\n[load.client]\n\"linger.ms\" = -1",
        "[load]\nrate = 10\n[load.client]\n\"fetch.min.bytes\" = 1",
        "[load]\nrate = 10\n[load.client]\n\"compression.type\" = \"lz4\"",
        "[load]\nrate = 10\n[load.client]\n\"transactional.id\" = \"a\"",
        "[load]\nrate = 10\n[load.client]\n\"bootstrap.servers\" = \"a:1\"",
        "[load]\nrate = 10\n[load.client]\n\"sasl.password\" = \"hunter2\"",
        "[load]\nrate = 10\n[load.client]\n\"linger.ms\" = 1\n[matrix]\n\"producer.queue.buffering.max.ms\" = [1]",
        "[load]\nrate = 10\n[matrix]\nproducer.linger.ms = [0, 5]",
        "[load]\nrate = 10\n[matrix]\n\"producer.linger.ms\" = 5",
        "[load]\nrate = 10\n[matrix]\n\"producer.linger.ms\" = [5, 5]",
        "[load]\nrate = 10\n[matrix]\n\"producer.lingr.ms\" = [5]",
        "[load]\nrate = 10\n[matrix]\n\"producer.linger.ms\" = [5]\n[[case]]\nname = 'a'\n\"producer.linger.ms\" = 6",
        "[load]\nrate = 10\n[[case]]\nname = 'a'\n\"producer.sasl.password\" = \"hunter2\"",
        "[load]\nrate = 10\n\"producer.linger.ms\" = 5",
    ];
    let said = said(&wrong);
    let mut messages = said.lines().filter(|line| !line.starts_with("  | "));
    assert!(messages.all(|line| !line.contains("hunter2")), "{said}");
    insta::assert_snapshot!(said);
}

#[test]
fn the_shipped_searches_and_loads_ask_what_they_say() {
    let parse = |name: &str| crate::scenario::parse(name, name, shipped(name).unwrap()).unwrap();
    let latency = parse("latency");
    assert_eq!(rates(&latency), [400.0, 1_000.0, 1_600.0, 400.0, 1_000.0, 1_600.0]);
    assert_eq!(baselines(&latency)[3..], [Some(0), Some(1), Some(2)]);
    assert_eq!(parse("capacity").capacity.unwrap().limit.unwrap().limit_ns, 50_000_000);
    let catch_up = parse("catch-up");
    assert!(
        catch_up
            .configurations
            .iter()
            .all(|each| matches!(each.mode, Mode::Mixed(_)))
    );
    assert_eq!(catch_up.datasets[0].records, 6_000);
    let burst = parse("burst");
    assert!(matches!(load(&burst.configurations[0]).shape, Shape::Bursts { .. }));
}
