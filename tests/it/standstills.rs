//! What stands still or goes away in a trial is reported, and the trial left out.

use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::measure::{Status, Trial};

use crate::scenario::Scenario;
use crate::scene::{Scene, failure, signal, wait_until};
use crate::shared_cluster::Shared;

/// Twice the least standstill for which a trial is left out.
const STANDSTILL: Duration = Duration::from_secs(2);

/// The last line before the first trial: to calibrate the work takes a worker too.
const BEFORE_TRIALS: &str = "reading the data once";

/// The evidence of a trial's flag.
fn evidence<'a>(trial: &'a Trial, name: &str) -> Option<&'a str> {
    let flag = trial.flags.iter().find(|flag| flag.kind.as_str() == name)?;
    Some(&flag.evidence)
}

#[test]
fn what_stands_still_for_two_seconds_or_is_restarted_is_named_and_its_trial_left_out() {
    let cluster = Shared::start("standstills");
    let scene = Scene::on_cluster(&cluster.bootstrap());
    // Four trials in which a member reads for four seconds. One that cannot leave its group is soon taken for dead.
    let trials = Scenario::reading(1_000)
        .repetitions(4)
        .partitions(1)
        .consumer("work = 'wait 4ms'");
    scene.scenario(trials.tables("[consumer.client]\n'session.timeout.ms' = 6000"));
    let mut run = scene.spawn_run(&[]);
    let worker_of_a_trial = || {
        wait_until("a worker", || !scene.processes_of("worker consumer").is_empty());
        let worker = scene.processes_of("worker consumer")[0];
        sleep(Duration::from_secs(1));
        worker
    };
    run.wait_for(BEFORE_TRIALS);
    worker_of_a_trial();
    cluster.broker().suspend().unwrap();
    sleep(STANDSTILL);
    cluster.broker().resume().unwrap();
    run.wait_for("[1/4");
    let worker = worker_of_a_trial();
    signal(worker, Signal::SIGSTOP);
    sleep(STANDSTILL);
    signal(worker, Signal::SIGCONT);
    run.wait_for("[3/4");
    worker_of_a_trial();
    cluster.broker().kill().unwrap();
    cluster.broker().start().unwrap();
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
    ended.prints(answer);
    // Figures over trials leave the excluded ones out.
    assert_eq!(scene.table("summary.csv")[0]["trials_used"], "1");
}
