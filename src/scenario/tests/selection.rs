//! Chosen cases, other numbers of blocks.

use super::scenario;
use crate::scenario::{Scenario, parse, shipped};

fn one_vs_two() -> Scenario {
    parse("one-vs-two", "one-vs-two.toml", shipped("one-vs-two").unwrap()).unwrap()
}

fn names(scenario: &Scenario) -> Vec<&str> {
    scenario.configurations.iter().map(|each| each.name.as_str()).collect()
}

#[test]
fn only_keeps_what_is_named_and_its_baseline() {
    let all = one_vs_two();
    let part = all.only(&["two processes, one partition each work=cpu 5us"]).unwrap();
    assert_eq!(
        names(&part),
        [
            "one process, both partitions work=cpu 5us",
            "two processes, one partition each work=cpu 5us"
        ]
    );
    assert_eq!(part.configurations[1].baseline, Some(0));
    assert_eq!(part.axes[0].values, ["cpu 5us"]);
    let case = all.only(&["one process, two consumers"]).unwrap();
    assert_eq!(case.configurations.len(), 6);
    assert_eq!(case.families.len(), 3);
}

#[test]
fn an_unknown_name_is_an_error_that_lists_the_names() {
    let scenario = scenario("[[case]]\nname = \"alone\"\n[[case]]\nname = \"together\"");
    insta::assert_snapshot!(scenario.only(&["togehter"]).unwrap_err(), @r#"there is no case or configuration "togehter"; there is "alone" or "together"; did you mean "together"?"#);
    assert!(scenario.only(&[""]).is_err());
}

#[test]
fn another_number_of_blocks_is_checked_again() {
    let scenario = one_vs_two();
    let few = scenario.clone().with_repetitions(3);
    assert_eq!(few.warnings.len(), 1);
    assert!(few.warnings[0].starts_with("3 blocks are too few for a verdict on 6 comparisons: at least 8"));
    assert_eq!(few.with_blocks(scenario.repetitions), scenario);
}

#[test]
fn data_sets_that_nothing_reads_any_more_are_left_out() {
    let scenario = scenario("[dataset]\nrecords = 120\n[matrix]\nconsumers = [1, 2]\npartitions = [1, 2, 3]");
    assert_eq!(scenario.families[0].record_multiple, 6);
    let part = scenario.only(&["consumers=2 partitions=3"]).unwrap();
    assert_eq!(part.datasets.len(), 1);
    assert_eq!(part.datasets[0].partitions, 3);
    assert_eq!(part.families[0].record_multiple, 3);
    assert!(
        part.configurations
            .iter()
            .all(|each| each.dataset == 0 && each.family == 0)
    );
}
