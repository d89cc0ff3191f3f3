#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::{fs, io};

use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::error::{failed as failed_with, not_created};
use super::*;
use crate::measure::{DeliveredTopics, FailureKind, Flag, FlagKind, Status, Trial, TrialOrder};
use crate::testing::{complete, failed, one_and_two_with_work, trial};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn order(number: u32) -> TrialOrder {
    trial().number(number).block(2).configuration(1, "").build().order
}

fn message<T: std::fmt::Debug>(result: Result<T, StoreError>, at: &TempDir) -> String {
    result
        .unwrap_err()
        .to_string()
        .replace(at.path().to_str().unwrap(), "DIR")
}

#[test]
fn everything_written_is_read_again_by_a_later_process() {
    let folder = folder();
    let path = folder.path().join("run");
    let plan = one_and_two_with_work().plan();
    let trials = [
        complete(&plan, order(1), 1, 0.123_456_789),
        failed(&plan, order(2), 1, FailureKind::Lost),
    ];
    {
        let run = RunDir::create(&path).unwrap();
        run.write_scenario("question = 'x'").unwrap();
        run.write_plan(&plan).unwrap();
        // Out of order: the reader sorts.
        run.write_trial(&trials[1]).unwrap();
        run.write_trial(&trials[0]).unwrap();
        assert_eq!(
            run.write_text("charts/speed.svg", "<svg/>").unwrap(),
            path.join("charts/speed.svg")
        );
    }
    let run = RunDir::open(&path).unwrap();
    assert_eq!(run.read_scenario(&plan).unwrap(), "question = 'x'");
    assert_eq!(run.read_plan().unwrap(), plan);
    assert_eq!(run.read_trials().unwrap(), trials);
    assert_eq!(run.read_environment().unwrap(), None);
    assert!(path.join("trials/0001.json").is_file());
}

#[test]
fn a_scenario_that_was_edited_in_the_folder_is_recognised_and_the_one_that_was_run_is_read() {
    let folder = folder();
    let run = RunDir::create(&folder.path().join("run")).unwrap();
    let plan = one_and_two_with_work().plan().with_source("question = 'x'".to_owned());
    run.write_scenario("question = 'x'").unwrap();
    run.write_plan(&plan).unwrap();
    let plan = run.read_plan().unwrap();
    assert!(!run.scenario_was_edited(&plan).unwrap());
    fs::write(run.path().join(SCENARIO_FILE), "question = 'y'").unwrap();
    assert!(run.scenario_was_edited(&plan).unwrap());
    assert_eq!(run.read_scenario(&plan).unwrap(), "question = 'x'");
    // What is no longer there was not edited.
    fs::remove_file(run.path().join(SCENARIO_FILE)).unwrap();
    assert!(!run.scenario_was_edited(&plan).unwrap());
}

#[test]
fn what_existing_topics_deliver_is_read_again_by_a_later_process() {
    let folder = folder();
    let run = RunDir::create(&folder.path().join("run")).unwrap();
    let offsets = [3, 4, 9].into_iter().collect();
    let sets = [
        DeliveredTopics::default(),
        DeliveredTopics {
            topics: vec![vec![offsets, crate::measure::DeliveredOffsets::default()]],
        },
    ];
    run.write_delivered(&sets).unwrap();
    let text = fs::read_to_string(run.path().join("delivered.json")).unwrap();
    assert!(text.contains("[[[3,2,4,1],[]]]"), "{text}");
    assert_eq!(run.read_delivered().unwrap(), sets);
}

#[test]
fn an_environment_survives_being_stored() {
    let folder = folder();
    let run = RunDir::create(folder.path()).unwrap();
    let environment = crate::testing::environment();
    run.write_environment(&environment).unwrap();
    assert_eq!(run.read_environment().unwrap(), Some(environment));
}

#[test]
fn a_new_run_is_named_after_its_time_and_never_mixes_with_another() {
    let folder = folder();
    let time: Timestamp = "2026-11-21T10:51:30Z".parse().unwrap();
    let first = RunDir::create_for(folder.path(), "one-vs-two", time).unwrap();
    assert_eq!(first.path(), folder.path().join("one-vs-two/2026-11-21T10-51-30Z"));
    let second = RunDir::create_for(folder.path(), "one-vs-two", time).unwrap();
    assert_eq!(second.path(), folder.path().join("one-vs-two/2026-11-21T10-51-30Z-2"));
}

#[test]
fn a_folder_with_anything_in_it_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let expected = "DIR is not empty; name a folder that is empty or does not exist, or continue the run there with \
                    --resume";
    assert_eq!(message(RunDir::create(folder.path()), &folder), expected);
    let file = folder.path().join("notes.txt");
    assert_eq!(
        message(RunDir::create(&file), &folder),
        "DIR/notes.txt is a file, not a folder"
    );
    assert_eq!(
        message(RunDir::create(&file.join("run")), &folder),
        "DIR/notes.txt is a file, not a folder"
    );
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn a_folder_without_a_plan_is_no_run() {
    let folder = folder();
    assert_eq!(
        message(RunDir::open(folder.path()), &folder),
        "DIR holds no run of tandem: it has no plan.json"
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn a_plan_of_a_newer_format_is_refused() {
    let folder = folder();
    fs::write(
        folder.path().join("plan.json"),
        r#"{"schema_version": 9, "surprise": true}"#,
    )
    .unwrap();
    let expected = "DIR/plan.json was written by a newer tandem (format 9, this one knows up to 1); use that version";
    assert_eq!(message(RunDir::open(folder.path()), &folder), expected);
}

#[test]
fn a_run_in_use_is_refused_with_its_owner() {
    let folder = folder();
    let run = RunDir::create(folder.path()).unwrap();
    run.write_plan(&one_and_two_with_work().plan()).unwrap();
    let expected = format!(
        "DIR is in use by another tandem (process {}); wait for it or end it first",
        std::process::id()
    );
    assert_eq!(message(RunDir::open(folder.path()), &folder), expected);
    drop(run);
    RunDir::open(folder.path()).unwrap();
}

#[test]
fn what_a_crash_left_half_written_is_passed_over() {
    let folder = folder();
    let run = RunDir::create(folder.path()).unwrap();
    let trial = complete(&one_and_two_with_work().plan(), order(1), 1, 1.0);
    run.write_trial(&trial).unwrap();
    fs::write(folder.path().join("trials/.unfinished-0002.json"), r#"{"schema_ver"#).unwrap();
    assert_eq!(run.read_trials().unwrap(), [trial]);
}

#[test]
fn a_damaged_trial_is_an_error_that_names_its_file() {
    let folder = folder();
    let run = RunDir::create(folder.path()).unwrap();
    fs::write(folder.path().join("trials/0002.json"), r#"{"schema_version": 1, "ord"#).unwrap();
    let found = message(run.read_trials(), &folder);
    assert!(
        found.starts_with("DIR/trials/0002.json is damaged: EOF while parsing"),
        "{found}"
    );
    // What to do about it is said too, and works.
    assert!(
        found.ends_with("`tandem run --resume DIR` runs that trial again"),
        "{found}"
    );
    fs::remove_file(folder.path().join("trials/0002.json")).unwrap();
    assert_eq!(run.read_trials().unwrap(), []);
    fs::write(folder.path().join("plan.json"), "{").unwrap();
    let found = message(run.read_plan(), &folder);
    assert!(found.ends_with("or run the scenario again"), "{found}");
}

#[test]
fn a_trial_under_anothers_name_is_damaged() {
    let folder = folder();
    let run = RunDir::create(folder.path()).unwrap();
    run.write_trial(&complete(&one_and_two_with_work().plan(), order(1), 1, 1.0))
        .unwrap();
    fs::copy(
        folder.path().join("trials/0001.json"),
        folder.path().join("trials/0002.json"),
    )
    .unwrap();
    let expected = "DIR/trials/0002.json is damaged: it contains trial 1, which does not match its name";
    let found = message(run.read_trials(), &folder);
    assert!(found.starts_with(expected), "{found}");
}

#[test]
fn a_full_disk_is_reported_as_such() {
    let full = failed_write(io::ErrorKind::StorageFull);
    assert_eq!(
        full,
        "the disk that holds run/plan.json is full; nothing stored before is lost"
    );
    let denied = failed_write(io::ErrorKind::PermissionDenied);
    assert_eq!(denied, "cannot write run/plan.json: permission denied");
}

fn failed_write(kind: io::ErrorKind) -> String {
    failed_with("write", Path::new("run/plan.json"), kind.into()).to_string()
}

#[test]
fn a_folder_that_may_not_be_made_is_named_in_full_with_the_flag_for_another() {
    for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
        let denied = not_created(Path::new("/results/run"), kind.into()).to_string();
        let begins = denied.starts_with("cannot create /results/run: ");
        assert!(begins && denied.ends_with("write to with --out DIR"), "{denied}");
    }
}

#[test]
fn a_run_that_could_not_begin_leaves_nothing_behind() {
    let folder = folder();
    let time = Timestamp::UNIX_EPOCH;
    let run = RunDir::create_for(&folder.path().join("results"), "scaling", time).unwrap();
    run.write_scenario("x").unwrap();
    run.discard().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn discarding_keeps_a_folder_that_was_there_and_a_run_that_has_trials() {
    let folder = folder();
    RunDir::create(folder.path()).unwrap().discard().unwrap();
    assert!(folder.path().is_dir());
    let run = RunDir::create(folder.path()).unwrap();
    run.write_trial(&complete(&one_and_two_with_work().plan(), order(1), 1, 1.0))
        .unwrap();
    run.discard().unwrap();
    assert!(folder.path().join("trials/0001.json").is_file());
}

fn any_trial() -> impl Strategy<Value = Trial> {
    let status = 0..3_u32;
    let times = (0.0..100.0_f64, any::<u64>(), any::<Option<u64>>());
    (1..100_000_u32, 0..4_usize, any::<u32>(), status, times, ".{0,40}").prop_map(
        |(number, configuration, session, status, (read_s, lost, work_ns), text)| {
            let plan = one_and_two_with_work().plan();
            let order = TrialOrder {
                configuration,
                records: lost % 1_000_000,
                ..order(number)
            };
            let mut trial = match status {
                0 => failed(&plan, order, session, FailureKind::Overlap),
                _ => complete(&plan, order, session, read_s),
            };
            if status == 1 {
                trial.status = Status::Excluded { reason: text.clone() };
            }
            trial.flags.push(Flag {
                kind: FlagKind::Disturbed,
                evidence: text,
            });
            if let Some(measurement) = &mut trial.measurement {
                measurement.lost = lost;
                measurement.members[0].work_ns = work_ns;
            }
            trial
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_trial_is_read_as_it_was_written(trial in any_trial()) {
        let folder = folder();
        let run = RunDir::create(folder.path()).unwrap();
        run.write_trial(&trial).unwrap();
        prop_assert_eq!(run.read_trials().unwrap(), [trial]);
    }
}
