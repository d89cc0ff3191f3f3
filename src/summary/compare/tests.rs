//! Runs made up, as a plan would have them, and compared.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use super::*;
use crate::measure::{Environment, FailureKind, Setting, Trial, TrialOrder};
use crate::plan::Plan;
use crate::scenario::{PropertyValue, Size, TrialLength, Work};
use crate::summary::condition::{Alarm, Condition, judged_between};
use crate::testing::{ScenarioBuilder, one_and_two, one_and_two_with_work, run, trial};
use crate::verdict::Verdict;

struct Made {
    plan: Plan,
    trials: Vec<Trial>,
    environment: Environment,
}

/// What varies from trial to trial, a share of about 1 %.
fn noise(number: u32) -> f64 {
    1.0 + 0.01 * (f64::from(number) * 2.399).sin()
}

impl Made {
    /// A run in which trials take so many times a second, and a little more or less.
    fn of(builder: ScenarioBuilder, seconds: impl Fn(&TrialOrder) -> f64) -> Self {
        let mut builder = builder;
        // No pilot looks for a number of records, so seconds are speeds.
        builder.trial = TrialLength::Records(1_000_000);
        let plan = builder.plan();
        let mut trials = run(&plan, |order| Some(seconds(order) * noise(order.number)));
        let begun = SEEDS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) * 86_400;
        for trial in &mut trials {
            trial.started_at = jiff::Timestamp::from_second(begun + 10 * i64::from(trial.order.number)).unwrap();
        }
        Made {
            plan,
            trials,
            environment: crate::testing::environment(),
        }
    }

    fn stored<'a>(&'a self, folder: &'a str) -> StoredRun<'a> {
        StoredRun {
            folder,
            plan: &self.plan,
            trials: &self.trials,
            environment: &self.environment,
        }
    }
}

/// Every run of these tests begins on a day of its own.
static SEEDS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(20_000);

fn compared(one: &Made, other: &Made) -> Result<RunComparison, CompareError> {
    compare_runs(&[one.stored("one"), other.stored("other")])
}

fn verdicts(comparison: &RunComparison) -> Vec<Verdict> {
    comparison.verdicts.iter().map(|v| v.verdict).collect()
}

#[test]
fn a_run_compared_with_itself_is_the_same_however_noisy_it_is() {
    // Trials that vary by half have an interval far wider than the threshold.
    let noisy = Made::of(one_and_two(), |order| 1.0 + f64::from(order.number % 2));
    let found = compared(&noisy, &noisy).unwrap();
    assert_eq!(verdicts(&found), [Verdict::Same; 2]);
    assert!(
        found
            .verdicts
            .iter()
            .all(|v| v.ratio.is_some_and(|r| r.point == 1.0 && r.interval.is_none()) && v.p.is_none())
    );
    assert_eq!(found.runs[1].same_as.as_deref(), Some("A"));
    assert!(
        found.answer[0].contains("the same run as A") && found.caution.is_none(),
        "{:?}",
        found.answer
    );
}

/// Whether the loss is beyond doubt in the first configuration.
fn is_slower_by(found: &RunComparison, loss: f64) -> bool {
    Condition::SlowerBy(loss).alarm(&judged_between(found)[0]) == Some(Alarm::Holds)
}

#[test]
fn a_run_that_takes_twice_as_long_is_slower_and_the_other_way_round_faster() {
    let (quick, slow) = (Made::of(one_and_two(), |_| 1.0), Made::of(one_and_two(), |_| 2.0));
    let found = compared(&quick, &slow).unwrap();
    assert_eq!(verdicts(&found), [Verdict::Slower; 2]);
    let first = &found.verdicts[0];
    assert!((first.ratio.unwrap().point - 0.5).abs() < 0.01, "{first:?}");
    assert!(is_slower_by(&found, 0.4) && !is_slower_by(&found, 0.6));
    assert_eq!((first.trials_baseline, first.trials), (10, 10));
    assert!(found.answer[0].contains("slower in 2") && found.caution.as_ref().unwrap().contains("--binary"));
    let back = compared(&slow, &quick).unwrap();
    assert_eq!(verdicts(&back), [Verdict::Faster; 2]);
    assert!(!is_slower_by(&back, 0.01));
}

#[test]
fn a_small_difference_is_the_same_by_the_threshold_and_still_a_loss_to_whoever_names_it() {
    let (one, other) = (Made::of(one_and_two(), |_| 1.0), Made::of(one_and_two(), |_| 1.02));
    let found = compared(&one, &other).unwrap();
    assert_eq!(verdicts(&found), [Verdict::Same; 2]);
    assert!(is_slower_by(&found, 0.005) && !is_slower_by(&found, 0.03));
}

#[test]
fn trials_that_vary_more_than_the_runs_differ_leave_it_undecided() {
    let wild = |order: &TrialOrder| 1.0 + 0.4 * f64::from(order.number % 5) / 5.0;
    let (one, other) = (
        Made::of(one_and_two(), wild),
        Made::of(one_and_two(), |order| wild(order) * 1.02),
    );
    let found = compared(&one, &other).unwrap();
    assert_eq!(verdicts(&found), [Verdict::Undecided; 2]);
    assert!(found.verdicts[0].note.as_ref().unwrap().contains("contains 1"));
}

#[test]
fn three_trials_each_can_never_decide_because_of_the_test() {
    let few = || {
        let mut builder = one_and_two();
        builder.repetitions = 3;
        builder
    };
    let (one, other) = (Made::of(few(), |_| 1.0), Made::of(few(), |_| 2.0));
    let found = compared(&one, &other).unwrap();
    assert_eq!(verdicts(&found), [Verdict::Undecided; 2]);
    assert!(
        found.verdicts[0].note.as_ref().unwrap().contains("corrected p"),
        "{:?}",
        found.verdicts[0]
    );
}

#[test]
fn each_run_is_compared_with_the_first_and_all_by_one_measure_are_corrected_together() {
    let [one, two, three] = [1.0, 1.5, 2.0].map(|seconds| Made::of(one_and_two(), move |_| seconds));
    let found = compare_runs(&[one.stored("1"), two.stored("2"), three.stored("3")]).unwrap();
    let verdicts: Vec<(&str, Verdict)> = found.verdicts.iter().map(|v| (v.run.as_str(), v.verdict)).collect();
    assert_eq!(
        verdicts,
        [
            ("B", Verdict::Slower),
            ("B", Verdict::Slower),
            ("C", Verdict::Slower),
            ("C", Verdict::Slower)
        ]
    );
    let first = &found.verdicts[0];
    assert!(
        (first.p_holm.unwrap() / first.p.unwrap() - 4.0).abs() < 1e-9,
        "{first:?}"
    );
    assert_eq!(found.figures.len(), 6);
    assert_eq!(found.answer.len(), 2);
}

#[test]
fn a_run_with_a_failed_trial_is_not_called_faster_and_can_be_slower() {
    let (one, mut other) = (Made::of(one_and_two(), |_| 1.0), Made::of(one_and_two(), |_| 0.5));
    let last = other.trials.pop().unwrap();
    let name = last.configuration_name;
    let failed = trial()
        .configuration(last.order.configuration, &name)
        .order(last.order)
        .started_at(last.started_at)
        .failed(FailureKind::Stall);
    other.trials.push(failed.build());
    let found = compared(&one, &other).unwrap();
    let verdict_on = |comparison: &RunComparison| {
        comparison
            .verdicts
            .iter()
            .find(|v| v.configuration == name)
            .cloned()
            .unwrap()
    };
    assert_eq!(verdict_on(&found).verdict, Verdict::Undecided);
    assert!(
        verdict_on(&found)
            .note
            .unwrap()
            .contains("B is not called the faster one")
    );
    assert!(
        found.warnings.iter().any(|w| w.contains("In B 1 trial failed")),
        "{:?}",
        found.warnings
    );
    let back = compared(&other, &one).unwrap();
    assert_eq!(
        verdict_on(&back).verdict,
        Verdict::Undecided,
        "the baseline would win by it"
    );
}

#[test]
fn configurations_are_matched_by_name_and_the_others_are_said() {
    let one = Made::of(one_and_two_with_work(), |_| 1.0);
    let builder = one_and_two().axis(
        "work",
        &[
            ("none", |c| c.work = Work::None),
            ("wait 1ms", |c| c.work = Work::Wait { ns: 1_000_000 }),
        ],
    );
    let other = Made::of(builder, |_| 1.0);
    let found = compared(&one, &other).unwrap();
    assert_eq!(found.configurations.len(), 2);
    let texts: Vec<(bool, &str)> = found
        .not_compared
        .iter()
        .map(|n| (n.in_baseline, n.reason.as_str()))
        .collect();
    let gone = (true, "B has no configuration of this name");
    let new = (false, "A has no configuration of this name");
    assert_eq!(texts, [gone, gone, new, new]);
    assert!(
        found.warnings.iter().any(|w| w.contains("4 configurations")),
        "{:?}",
        found.warnings
    );
}

#[test]
fn a_configuration_that_means_something_else_is_not_compared() {
    let one = Made::of(one_and_two(), |_| 1.0);
    let mut other = Made::of(one_and_two(), |_| 1.0);
    other.plan.scenario.configurations[1].processes = 3;
    let found = compared(&one, &other).unwrap();
    assert_eq!(found.verdicts.len(), 1);
    assert_eq!(found.not_compared[0].reason, "processes is 2 in A and 3 in B");
}

#[test]
fn runs_without_anything_in_common_are_refused_with_the_reasons() {
    let one = Made::of(one_and_two(), |_| 1.0);
    let mut other = Made::of(one_and_two(), |_| 1.0);
    other.plan.scenario.datasets[0].size = Size::Fixed(1024);
    let error = compared(&one, &other).unwrap_err().to_string();
    assert!(
        error.starts_with("other and one have no configuration that can be compared: one process, both"),
        "{error}"
    );
    assert!(
        error.contains("size is 100 in the first and 1024 in the second"),
        "{error}"
    );
    let elsewhere = Made::of(ScenarioBuilder::new().case("another", 1, 1), |_| 1.0);
    let error = compared(&one, &elsewhere).unwrap_err().to_string();
    assert!(
        error.contains("another: the first has no configuration of this name"),
        "{error}"
    );
}

#[test]
fn a_copy_that_went_on_is_refused() {
    let one = Made::of(one_and_two(), |_| 1.0);
    let mut copy = Made::of(one_and_two(), |_| 1.0);
    copy.trials = one.trials[..one.trials.len() - 2].to_vec();
    assert!(
        matches!(compared(&one, &copy), Err(CompareError::SharedTrials { shared, .. }) if shared == copy.trials.len())
    );
}

#[test]
fn what_differs_beside_the_figures_is_named_once() {
    let one = Made::of(one_and_two(), |_| 1.0);
    let mut other = Made::of(one_and_two(), |_| 1.0);
    let setting = |value: &str| Setting {
        name: "fetch.queue.backoff.ms".to_owned(),
        value: value.to_owned(),
        reason: String::new(),
    };
    let mut one = one;
    one.environment.clients[0].deviations = vec![setting("10")];
    // The user's value is the library's default, so it is no deviation.
    for c in &mut other.plan.scenario.configurations {
        c.client.properties.insert(
            "fetch.queue.backoff.ms".to_owned(),
            PropertyValue::Literal("1000".to_owned()),
        );
    }
    other.plan.scenario.configurations[1]
        .client
        .properties
        .insert("fetch.min.bytes".to_owned(), PropertyValue::Literal("7".to_owned()));
    other.environment.kernel = "6.2".to_owned();
    other.plan.scenario.seed = 8;
    let found = compared(&one, &other).unwrap();
    let differences: Vec<(Area, &str, &str, &str, usize)> = found
        .differences
        .iter()
        .map(|d| {
            (
                d.area,
                d.what.as_str(),
                d.baseline.as_str(),
                d.value.as_str(),
                d.configurations.len(),
            )
        })
        .collect();
    assert_eq!(
        differences,
        [
            (Area::Environment, "kernel", "6.1", "6.2", 0),
            (Area::Settings, "client.fetch.queue.backoff.ms", "10", "1000", 0),
            (Area::Settings, "client.fetch.min.bytes", "not set", "7", 1),
            (Area::Run, "seed", "7", "8", 0),
        ]
    );
}

#[test]
fn incomplete_runs_other_machines_and_other_lengths_are_warned_of() {
    let one = Made::of(one_and_two(), |_| 1.0);
    let mut other = Made::of(one_and_two(), |_| 1.0);
    other.trials.pop();
    other.environment.cores = 64;
    for trial in &mut other.trials {
        trial.order.records /= 2;
    }
    let found = compared(&one, &other).unwrap();
    for words in [
        "B is not complete",
        "different machines",
        "Trials are not of one length",
    ] {
        assert!(
            found.warnings.iter().any(|w| w.contains(words)),
            "{words}: {:?}",
            found.warnings
        );
    }
}

#[test]
fn a_comparison_can_be_read_back_from_its_json() {
    let (one, other) = (Made::of(one_and_two(), |_| 1.0), Made::of(one_and_two(), |_| 2.0));
    let found = compared(&one, &other).unwrap();
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<RunComparison>(&text).unwrap(), found);
}

#[test]
fn runs_are_named_by_letters_as_far_as_they_go() {
    assert_eq!([0, 1, 25, 26].map(run_name), ["A", "B", "Z", "R27"]);
}
