//! What stands still or goes away in a trial is reported, and the trial left out.

use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::measure::{Status, Trial};

use crate::scene::{Scene, failure, signal, wait_until};
use crate::shared_cluster::Shared;

/// Twice the least standstill for which a trial is left out.
const STANDSTILL: Duration = Duration::from_secs(2);

/// The last line before the first trial: to calibrate the work takes a worker too.
const BEFORE_TRIALS: &str = "reading the data once";

/// Four trials in which a member reads for four seconds. One that cannot leave its group is soon taken for dead.
const SCENARIO: &str = "question = 'What stood still?'\nrepetitions = 4\nwarmup_blocks = 0\n[dataset]\nrecords = 1_000\n\
                        [trial]\nrecords = 1_000\n[consumer]\nwork = 'wait 4ms'\n[consumer.client]\n\
                        'session.timeout.ms' = 6000\n";

/// The evidence of a trial's flag.
fn evidence<'a>(trial: &'a Trial, name: &str) -> Option<&'a str> {
    let flag = trial.flags.iter().find(|flag| flag.kind.as_str() == name)?;
    Some(&flag.evidence)
}

#[test]
fn what_stands_still_for_two_seconds_or_is_restarted_is_named_and_its_trial_left_out() {
    let cluster = Shared::start("standstills");
    let scene = Scene::new();
    scene.scenario(SCENARIO);
    let bootstrap = cluster.bootstrap();
    let mut run = scene.spawn(&["run", "scene.toml", "--bootstrap", &bootstrap, "--out", "out"]);
    let worker_of_a_trial = || {
        wait_until("a worker", || !scene.processes_of("worker consumer").is_empty());
        let worker = scene.processes_of("worker consumer")[0];
        sleep(Duration::from_secs(1));
        worker
    };
    run.wait_for(BEFORE_TRIALS);
    worker_of_a_trial();
    cluster.suspend(true);
    sleep(STANDSTILL);
    cluster.suspend(false);
    run.wait_for("[1/4");
    let worker = worker_of_a_trial();
    signal(worker, Signal::SIGSTOP);
    sleep(STANDSTILL);
    signal(worker, Signal::SIGCONT);
    run.wait_for("[3/4");
    worker_of_a_trial();
    cluster.restart();
    let ended = run.end().exits(1).says("left out, broker 1 stood still for");

    let trials = scene.trials();
    for (trial, expected) in trials
        .iter()
        .zip(["broker 1 stood still for ", "group 1, process 1 stood still for "])
    {
        let evidence = evidence(trial, "standstill");
        assert!(
            evidence.is_some_and(|evidence| evidence.contains(expected)),
            "{:?}",
            trial.flags
        );
        assert!(matches!(trial.status, Status::Excluded { .. }), "{:?}", trial.status);
    }
    assert_eq!(
        (evidence(&trials[2], "standstill"), &trials[2].status),
        (None, &Status::Complete)
    );
    match &trials[3].status {
        Status::Excluded { reason } => assert!(reason.contains("went away"), "{reason}"),
        // The member may not have had all records yet when the broker was killed.
        _ => assert!(failure(&trials[3]).message.contains("went away"), "{:?}", trials[3]),
    }
    let answer = "The cluster lost or gained a broker: in trial 4 broker 1 (127.0.0.1:";
    assert!(ended.stdout.contains(answer), "{}", ended.stdout);
    // What is said of several trials is not the mean of whole and broken ones.
    assert_eq!(scene.table("summary.csv")[0]["trials_used"], "1");
}
