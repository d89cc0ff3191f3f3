//! `compare_across`: families, baselines, parts and what is said of it.

use super::{errors, said, scenario};
use crate::scenario::{Scenario, parse};

fn families(scenario: &Scenario) -> Vec<&str> {
    scenario.families.iter().map(|family| family.name.as_str()).collect()
}

fn baselines(scenario: &Scenario) -> Vec<Option<usize>> {
    scenario.configurations.iter().map(|each| each.baseline).collect()
}

#[test]
fn values_of_a_named_key_are_one_family_and_compared_with_the_first() {
    let scenario = scenario("compare_across = ['compression']\n[matrix]\ncompression = ['none', 'lz4', 'zstd']");
    assert_eq!(families(&scenario), [""]);
    assert_eq!(baselines(&scenario), [None, Some(0), Some(0)]);
    assert_eq!(scenario.datasets.len(), 3);
    assert!(scenario.warnings.is_empty(), "{:?}", scenario.warnings);
    assert_eq!(scenario.nothing_compared(), None);
    assert_eq!(scenario.parts(&scenario.families[0]), [[0], [1], [2]]);
}

#[test]
fn keys_that_are_not_named_still_make_families() {
    let scenario = scenario(
        "compare_across = ['size']\n[matrix]\nwork = ['none', 'wait 1ms']\nsize = [100, 1_000]\nprocesses = [1, 2]",
    );
    assert_eq!(families(&scenario), ["work=none", "work=wait 1ms"]);
    // By the sizes, which come before the processes.
    assert_eq!(
        baselines(&scenario),
        [None, None, Some(0), Some(1), None, None, Some(4), Some(5)]
    );
    assert_eq!(scenario.parts(&scenario.families[1]), [[4, 5], [6, 7]]);
}

#[test]
fn cases_that_differ_in_a_named_key_are_compared_with_the_first_case() {
    let text = "[[case]]\nname = 'plain'\n[[case]]\nname = 'packed'\ncompression = 'zstd'";
    assert_eq!(baselines(&scenario(text)), [None, None]);
    let scenario = scenario(&format!("compare_across = ['compression']\n{text}"));
    assert_eq!(baselines(&scenario), [None, Some(0)]);
}

#[test]
fn rates_and_arrivals_of_live_configurations_can_be_compared() {
    let text = "compare_across = ['rate', 'arrivals']\n[load]\n[matrix]\nrate = [100, 200]\n\
                arrivals = ['constant', 'poisson']";
    let live = scenario(text);
    assert_eq!(families(&live), [""]);
    // By the first axis; what the other one does is a question of its own.
    assert_eq!(baselines(&live), [None, None, Some(0), Some(1)]);
    // A rate that is given in MiB is a rate.
    let bytes = scenario("compare_across = ['rate']\n[load]\n[matrix]\nmib_per_second = [1, 2]");
    assert_eq!(baselines(&bytes), [None, Some(0)]);
    // With sizes it changes too.
    let sizes = "[load]\nmib_per_second = 1\n[matrix]\nsize = [100, 1_000]";
    let one = scenario(&format!("compare_across = ['size']\n{sizes}"));
    assert_eq!(baselines(&one), [None, None]);
    let said = one.nothing_compared().unwrap();
    assert!(said.contains("set compare_across = [\"size\", \"rate\"]"), "{said}");
    let both = scenario(&format!("compare_across = ['size', 'rate']\n{sizes}"));
    assert_eq!(baselines(&both), [None, Some(0)]);
}

#[test]
fn a_part_of_a_scenario_compares_across_as_all_of_it() {
    let scenario = scenario(
        "compare_across = ['compression']\n[dataset]\nrecords = 120\n[matrix]\ncompression = ['none', 'lz4', 'zstd']\n\
         consumers = [1, 2]",
    );
    let part = scenario.only(&["compression=zstd consumers=2"]).unwrap();
    assert_eq!(families(&part), [""]);
    assert_eq!(baselines(&part), [None, Some(0)]);
    let quick = scenario.quick();
    assert_eq!(quick.configurations.len(), 3, "the values of the compared key stay");
    assert_eq!(baselines(&quick), [None, Some(0), Some(0)]);
    let variants = scenario.with_variants(None, &["old".into(), "new".into()]).unwrap();
    assert_eq!(variants.parts(&variants.families[0]).len(), 3);
    let stored: Scenario = serde_json::from_value(serde_json::to_value(&variants).unwrap()).unwrap();
    assert_eq!(stored, variants);
}

#[test]
fn what_cannot_be_compared_across_is_refused_with_the_reason() {
    let matrix = "[matrix]\nsize = [100, 1_000]";
    let wrong: Vec<String> = [
        "'size'",
        "[]",
        "[5]",
        "['sizes']",
        "['processes']",
        "['client.fetch.min.bytes']",
        "['mib_per_second']",
        "['mode']",
        "['question']",
    ]
    .iter()
    .map(|value| format!("compare_across = {value}\n{matrix}"))
    .collect();
    let texts: Vec<&str> = wrong.iter().map(String::as_str).collect();
    insta::assert_snapshot!(said(&texts));
    let existing = "compare_across = ['client.isolation.level']\n[cluster]\nbootstrap = 'a:9092'\n[dataset]\n\
                    topic = 't'\n[matrix.client]\n'isolation.level' = ['read_committed', 'read_uncommitted']";
    assert!(
        errors(existing).contains("consumers receive other records"),
        "{}",
        errors(existing)
    );
}

#[test]
fn a_named_key_with_one_value_is_a_warning() {
    let text = "question = '?'\ncompare_across = ['keys', 'size']\n[matrix]\nsize = [100, 1_000]";
    let scenario = parse("test", "test.toml", text).unwrap();
    assert_eq!(
        scenario.warnings,
        [
            "`compare_across` has no effect for `keys`: every configuration has the same value; give several in [matrix] \
             or [[case]]"
        ]
    );
}
