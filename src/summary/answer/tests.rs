#![allow(clippy::unwrap_used, reason = "tests")]

use super::facts::WORDS_MAX;
use super::names::listed_labels;
use crate::plan::Plan;
use crate::summary::summarise;
use crate::testing::{ScenarioBuilder, one_and_two, run};

/// The answer to a run in which configuration i takes the i-th time, with a scatter of about 2 %.
fn answer(plan: &Plan, seconds: impl Fn(usize) -> f64) -> Vec<String> {
    scattered(plan, 0.02, seconds)
}

fn scattered(plan: &Plan, scatter: f64, seconds: impl Fn(usize) -> f64) -> Vec<String> {
    let trials = run(plan, |order| {
        let phase = f64::from(order.block) * 2.3 + order.configuration as f64 * 1.7;
        Some(seconds(order.configuration) * (scatter * phase.sin()).exp())
    });
    summarise(plan, &trials).answer
}

fn cases(names: &[&str]) -> ScenarioBuilder {
    names
        .iter()
        .fold(ScenarioBuilder::new(), |builder, name| builder.case(name, 1, 1))
}

#[test]
fn labels_of_one_key_name_it_once() {
    let labels = |all: &[&str]| listed_labels(&all.iter().map(|label| (*label).to_owned()).collect::<Vec<String>>());
    assert_eq!(
        labels(&["\"n=1\"", "\"n=2\""]),
        "\"n=1\" and \"n=2\"",
        "a quote stays around its label"
    );
    assert_eq!(
        labels(&["consumers=6", "consumers=8", "consumers=10"]),
        "consumers=6, 8 and 10"
    );
    assert_eq!(labels(&["consumers=6", "work=none"]), "consumers=6 and work=none");
    assert_eq!(
        labels(&["\"one\" with rate=1", "\"two\" with rate=1"]),
        "\"one\" with rate=1 and \"two\" with rate=1"
    );
}

#[test]
fn a_baseline_that_every_other_is_worse_than_is_the_conclusion() {
    let answer = answer(&cases(&["a", "b", "c"]).plan(), |c| [1.0, 2.0, 3.4][c]);
    let conclusion = "Fastest: \"a\"; 2.00 times slower with \"b\", 3.39 times with \"c\".";
    assert_eq!(answer[0], conclusion);
}

#[test]
fn many_comparisons_are_one_sentence() {
    let names: Vec<String> = (0..13).map(|number| format!("case {number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let answer = answer(&cases(&names).plan(), |c| 1.0 + c as f64 % 3.0);
    assert!(
        answer[0].starts_with("Of 12 comparisons with \"case 0\": ") && answer[0].contains("8 slower"),
        "{answer:?}"
    );
    assert!(
        answer.iter().all(|text| text.split_whitespace().count() <= WORDS_MAX),
        "{answer:?}"
    );
}

#[test]
fn a_ratio_below_one_is_turned() {
    let answer = answer(&one_and_two().plan(), |c| [1.0, 3.4][c]);
    assert!(
        answer[0].contains("reads 3.") && answer[0].contains("times slower than"),
        "{answer:?}"
    );
}

#[test]
fn too_few_blocks_and_too_close_are_two_things_and_blocks_are_counted_once() {
    let with = |blocks: u32, scatter: f64, second: f64| {
        let mut builder = one_and_two();
        builder.repetitions = blocks;
        scattered(&builder.plan(), scatter, |c| [1.0, second][c]).join(" ")
    };
    let few = with(4, 0.02, 0.5);
    assert!(few.starts_with("Not enough blocks yet (2 more): "), "{few}");
    assert!(!few.contains("too close"), "{few}");
    let close = with(10, 0.2, 1.0);
    assert!(close.starts_with("Too close to call: "), "{close}");
    assert!(
        !close.contains("Not enough blocks") && close.matches("more block").count() <= 1,
        "{close}"
    );
}
