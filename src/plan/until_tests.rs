//! Runs that go on until something holds: what they wait for, and what is concluded when they stop.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Ending, Next, Plan};
use crate::measure::{Trial, TrialOrder};
use crate::scenario::Until;
use crate::testing::{ScenarioBuilder, one_and_two, run};
use crate::verdict::{Comparison, Method, Verdict, compare, outlook};

/// Seconds with a scatter of about 2 % that depends on the trial alone.
fn scattered(order: &TrialOrder, seconds: f64) -> f64 {
    let phase = f64::from(order.block) * 2.3 + order.configuration as f64 * 1.7;
    seconds * (0.02 * phase.sin()).exp()
}

fn sequential(builder: ScenarioBuilder, until: Until, at_most: u32) -> Plan {
    let mut builder = builder;
    builder.until = Some(until);
    builder.repetitions = at_most;
    builder.plan()
}

fn run_with(plan: &Plan, seconds: &[f64]) -> Vec<Trial> {
    run(plan, |order| Some(scattered(order, seconds[order.configuration])))
}

fn first(comparisons: Vec<Comparison>) -> Comparison {
    comparisons.into_iter().next().unwrap()
}

#[test]
fn interval_and_p_of_a_run_that_looks_are_those_of_the_sequential_method() {
    let plan = sequential(one_and_two(), Until::Decided, 40);
    let trials = run_with(&plan, &[1.0, 0.9]);
    let found = first(compare(&plan.scenario, &trials));
    assert_eq!(
        found.method,
        Method::Sequential {
            first_look: 6,
            at_most: 40
        }
    );
    assert_eq!((found.verdict, found.blocks), (Verdict::Faster, 6));
    let fixed = {
        let mut builder = one_and_two();
        builder.repetitions = 6;
        let plan = builder.plan();
        first(compare(&plan.scenario, &run_with(&plan, &[1.0, 0.9])))
    };
    assert_eq!(fixed.method, Method::Fixed);
    let width = |c: &Comparison| {
        let (low, high) = c.ratio().unwrap().interval.unwrap();
        (high / low).ln()
    };
    assert!(width(&found) > 1.5 * width(&fixed), "{found:?}\n{fixed:?}");
    assert_eq!(found.interval_bootstrap, None);
    assert!(fixed.interval_bootstrap.is_some());
}

#[test]
fn before_the_first_look_there_is_a_ratio_and_nothing_else() {
    let plan = sequential(one_and_two(), Until::Decided, 40);
    let mut trials = run_with(&plan, &[1.0, 0.5]);
    trials.retain(|t| t.order.block < 5);
    let found = first(compare(&plan.scenario, &trials));
    assert!((found.ratio().unwrap().point - 2.0).abs() < 0.1);
    assert_eq!((found.ratio().unwrap().interval, found.p), (None, None));
    assert_eq!((found.verdict, found.blocks_more), (Verdict::Undecided, Some(1)));
}

#[test]
fn a_run_does_not_wait_for_a_comparison_that_will_never_be_decided() {
    let builder = ScenarioBuilder::new()
        .case("one", 1, 1)
        .case("two", 2, 1)
        .case("broken", 3, 1);
    let plan = sequential(builder, Until::Decided, 40);
    let trials = run(&plan, |order| {
        let seconds = [Some(1.0), Some(0.8), None][order.configuration];
        seconds.map(|seconds| scattered(order, seconds))
    });
    let blocks = trials.iter().map(|t| t.order.block).max().unwrap() + 1;
    assert!(blocks < 10, "{blocks} blocks");
    let with_it = outlook(&plan.scenario, &trials, &[2]).unwrap();
    assert!(with_it.stops && !with_it.holds);
    assert!(matches!(plan.next(&trials, 1), Next::Done(done) if done.ending == Ending::CannotHold));
}

#[test]
fn a_width_is_waited_for_even_where_the_verdict_is_clear() {
    let decided = run_with(&sequential(one_and_two(), Until::Decided, 40), &[1.0, 0.5]).len();
    let plan = sequential(one_and_two(), Until::HalfWidth(0.02), 40);
    let trials = run_with(&plan, &[1.0, 0.5]);
    assert!(trials.len() > decided + 4, "{} and {decided} trials", trials.len());
    let (low, high) = first(compare(&plan.scenario, &trials))
        .ratio()
        .unwrap()
        .interval
        .unwrap();
    assert!((high / low).ln() / 2.0 <= 0.02_f64.ln_1p());
    // The block before was wider.
    let before: Vec<Trial> = trials
        .iter()
        .filter(|t| t.order.block + 1 < plan.blocks(&trials))
        .cloned()
        .collect();
    assert!(!outlook(&plan.scenario, &before, &[]).unwrap().stops);
}

#[test]
fn the_scenario_allows_no_run_that_ends_before_its_first_look() {
    for cases in 2..20 {
        let headers: Vec<String> = (1..=cases)
            .map(|n| format!("[[case]]\nname = 'c{n}'\nconsumers = {n}\n"))
            .collect();
        let headers = headers.concat();
        let scenario = |at_most: u32| {
            let text = format!(
                "question = '?'\nrepetitions = {{ until = 'decided', at_most = {at_most} }}\n\
                 [dataset]\npartitions = 20\n{headers}"
            );
            crate::scenario::parse("x", "x.toml", &text)
        };
        let least = (6..20).find(|at_most| scenario(*at_most).is_ok()).unwrap();
        let Method::Sequential { first_look, at_most } = first(compare(&scenario(least).unwrap(), &[])).method else {
            panic!("{cases} cases have a fixed number of blocks");
        };
        assert_eq!((first_look, at_most), (least, least), "{cases} cases");
    }
}
