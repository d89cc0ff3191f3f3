//! What stands still or goes away in a trial is said and left out.

use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::measure::{Status, Trial};

use crate::scene::{Scene, failure, signal, wait_until};
use crate::shared_cluster::Shared;

/// As long as a trial may stand still at least and be left out for it for certain.
const STANDSTILL: Duration = Duration::from_secs(2);

/// The last that is said before the first trial: to calibrate the work takes a worker too.
const BEFORE_TRIALS: &str = "reading the data once";

/// Trials in which a member reads for four seconds. One that cannot leave its group is soon taken for dead.
fn scenario(trials: u32) -> String {
    format!(
        "question = 'What stood still?'\nrepetitions = {trials}\nwarmup_blocks = 0\n[dataset]\nrecords = 4_000\n\
         [trial]\nrecords = 4_000\n[consumer]\nwork = 'wait 1ms'\n[consumer.client]\n'session.timeout.ms' = 6000\n"
    )
}

fn run_on<'a>(bootstrap: &'a str) -> [&'a str; 6] {
    ["run", "scene.toml", "--bootstrap", bootstrap, "--out", "out"]
}

/// The name and the evidence of a trial's first flag.
fn first_flag(trial: &Trial) -> (&str, &str) {
    let flag = trial
        .flags
        .first()
        .map(|flag| (flag.name.as_str(), flag.evidence.as_str()));
    flag.unwrap_or_default()
}

#[test]
fn a_broker_and_a_worker_that_stand_still_for_two_seconds_are_named_and_their_trials_left_out() {
    let cluster = Shared::start("frozen");
    let scene = Scene::new();
    scene.scenario(&scenario(3));
    let mut run = scene.spawn(&run_on(&cluster.bootstrap()));
    let worker = || scene.processes_of("worker consumer").first().copied();
    run.wait_for(BEFORE_TRIALS);
    wait_until("the first worker", || worker().is_some());
    sleep(Duration::from_secs(1));
    cluster.suspend(true);
    sleep(STANDSTILL);
    cluster.suspend(false);
    run.wait_for("[1/3");
    wait_until("the second worker", || worker().is_some());
    let worker = worker().unwrap();
    sleep(Duration::from_secs(1));
    signal(worker, Signal::SIGSTOP);
    sleep(STANDSTILL);
    signal(worker, Signal::SIGCONT);
    run.end().exits(0).says("left out, broker 1 stood still for");
    let trials = scene.trials();
    for (trial, expected) in trials
        .iter()
        .zip(["broker 1 stood still for ", "group 1, process 1 stood still for "])
    {
        let (name, evidence) = first_flag(trial);
        assert!(name == "standstill" && evidence.contains(expected), "{:?}", trial.flags);
        assert!(matches!(trial.status, Status::Excluded { .. }), "{:?}", trial.status);
    }
    assert_eq!((first_flag(&trials[2]).0, &trials[2].status), ("", &Status::Complete));
    // What is said of several trials is not the mean of whole and broken ones.
    let row = &scene.table("summary.csv")[0];
    let counts = ["trials_used", "trials_excluded"].map(|column| row[column].as_str());
    assert_eq!(counts, ["1", "2"]);
}

#[test]
fn a_broker_that_is_killed_and_started_again_is_named_first_and_all_is_not_well() {
    let cluster = Shared::start("restarted");
    let scene = Scene::new();
    scene.scenario(&scenario(1));
    let mut run = scene.spawn(&run_on(&cluster.bootstrap()));
    run.wait_for(BEFORE_TRIALS);
    wait_until("a worker", || !scene.processes_of("worker consumer").is_empty());
    sleep(Duration::from_secs(2));
    cluster.restart();
    let ended = run.end().exits(1);
    let answer = "The cluster lost or gained a broker: in trial 1 broker 1 (127.0.0.1:";
    assert!(ended.stdout.contains(answer), "{}", ended.stdout);
    let trials = scene.trials();
    match &trials[0].status {
        Status::Excluded { reason } => assert!(reason.contains("went away"), "{reason}"),
        // The member may not have had all records yet, and the broker may take long to start.
        _ => assert!(failure(&trials[0]).message.contains("went away"), "{:?}", trials[0]),
    }
}
