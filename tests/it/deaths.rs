//! Whatever is killed: nothing is left, stored trials stay, and the run can be resumed.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::measure::{FailureKind, TrialKind};

use crate::scenario::Scenario;
use crate::scene::{Running, Scene, failure, read_once, signal, wait_until, within};
use crate::shared_cluster;

/// Four trials of about a second, which read part of a data set.
fn scenario(records: u32) -> Scenario {
    let trials = Scenario::reading(records).trial_records(2_000).repetitions(2);
    trials
        .consumer("work = 'wait 500us'")
        .case("one", "")
        .case("two", "processes = 2")
}

/// Kills the coordinator, checks that all else ends, and that the run can be completed.
fn killed_and_resumed(scene: &Scene, run: Running, finished: usize) {
    let data = scene.data_folders();
    run.signal(Signal::SIGKILL);
    let ended = run.end();
    assert_eq!(ended.code, None);
    let left = || {
        (
            scene.processes(),
            data.iter().filter(|folder| folder.exists()).collect::<Vec<_>>(),
        )
    };
    let gone = within(Duration::from_secs(3), || left().0.is_empty() && left().1.is_empty());
    assert!(gone, "after three seconds: {:?}", left());

    let before = scene.trial_files();
    assert!(before.len() >= finished, "{before:?}");
    assert_eq!(scene.trials().len(), before.len(), "every finished trial can be read");
    scene.resume().exits(0);
    let after = scene.trial_files();
    for (path, contents) in &before {
        assert!(after[path] == *contents, "{} was measured again", path.display());
    }
    let trials = scene.trials();
    let session = u32::from(!before.is_empty()) + 1;
    assert!(
        trials[before.len()..].iter().all(|trial| trial.session == session),
        "sessions are marked"
    );
    for name in ["one", "two"] {
        let counted = trials
            .iter()
            .filter(|trial| trial.configuration_name == name && trial.order.kind == TrialKind::Counted);
        assert!(counted.count() >= 2, "{name} was not completed");
    }
    scene.assert_no_processes();
    assert!(!scene.out().join("leftovers.json").exists());
}

#[test]
fn a_coordinator_killed_while_brokers_start_leaves_nothing_and_can_be_resumed() {
    let scene = Scene::new();
    let run = scene.scenario(scenario(4_000)).spawn_run(&[]);
    wait_until("a broker or its formatter", || !scene.processes_of("kafka.").is_empty());
    assert!(!scene.data_folders().is_empty());
    killed_and_resumed(&scene, run, 0);
}

#[test]
#[ignore = "scripts/test --all; the standard tier kills a coordinator while brokers start and in a trial"]
fn a_coordinator_killed_while_filling_leaves_nothing_and_can_be_resumed() {
    let scene = Scene::new();
    let mut run = scene.scenario(scenario(3_000_000)).spawn_run(&[]);
    run.wait_for("filling");
    sleep(Duration::from_millis(300));
    killed_and_resumed(&scene, run, 0);
}

#[test]
fn a_coordinator_killed_in_a_trial_leaves_nothing_and_can_be_resumed() {
    let scene = Scene::new();
    let mut run = scene.scenario(scenario(4_000)).spawn_run(&[]);
    run.wait_for("[1/");
    wait_until("the next trial's worker", || {
        !scene.processes_of("worker consumer").is_empty()
    });
    killed_and_resumed(&scene, run, 1);
}

/// Two trials of about four seconds with two processes.
fn slow() -> Scenario {
    let trials = Scenario::reading(8_000).repetitions(2);
    trials.consumer("work = 'wait 1ms'").consumer("processes = 2")
}

#[test]
fn a_worker_that_is_killed_fails_its_trial_by_name_the_rest_completes_and_its_group_goes() {
    let scene = Scene::on_shared_cluster();
    let prefix = format!("dead-worker{}-", std::process::id());
    // Shorter than the default, and longer than the rest of the run, which then waits for the end of the session.
    let session = "[consumer.client]\n'session.timeout.ms' = 30000\n";
    let run = scene.scenario(slow().prefix(&prefix).tables(session)).spawn_run(&[]);
    let workers = || scene.processes_of("worker consumer");
    wait_until("two workers", || workers().len() == 2);
    // They have joined by then, and read for four seconds.
    sleep(Duration::from_secs(2));
    signal(workers()[0], Signal::SIGKILL);
    // The cluster takes the killed one for a member until its session has timed out.
    run.end().exits(1).says("could not leave");
    scene.assert_no_processes();
    assert_eq!(shared_cluster::names(&prefix), (vec![], vec![]));
    let trials = scene.trials();
    assert_eq!(trials.len(), 2);
    let found = failure(&trials[0]);
    assert_eq!(found.kind, FailureKind::WorkerDied);
    assert!(
        found
            .who
            .as_deref()
            .is_some_and(|who| who.starts_with("group 1, process ")),
        "{found:?}"
    );
    assert!(found.message.contains("killed (signal 9)"), "{found:?}");
    read_once(&trials[1]);
    let rows = scene.table("summary.csv");
    assert_eq!(rows[0]["trials_failed"], "1");
}

#[test]
fn a_run_whose_only_broker_is_killed_stops_and_can_be_resumed() {
    let scene = Scene::new();
    let run = scene.scenario(slow()).spawn_run(&[]);
    wait_until("two workers", || scene.processes_of("worker consumer").len() == 2);
    for pid in scene.processes_of("kafka.Kafka") {
        signal(pid, Signal::SIGKILL);
    }
    let ended = run.end().exits(1).says("broker 1 has ended").says("--resume");
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    scene.assert_no_processes();
    let trials = scene.trials();
    assert_eq!((trials.len(), failure(&trials[0]).kind), (1, FailureKind::BrokerLost));

    // The failed trial stays in the record, so all is not well in the end either.
    scene.resume().exits(1);
    let trials = scene.trials();
    assert_eq!(trials[0].session, 1);
    assert!(
        trials.iter().any(|trial| trial.session == 2 && trial.is_used()),
        "{trials:?}"
    );
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; the standard tier kills a broker in a trial"]
fn a_broker_that_is_killed_while_filling_ends_the_run_soon_and_it_can_be_resumed() {
    let scene = Scene::new();
    let mut run = scene.scenario(scenario(3_000_000)).spawn_run(&[]);
    run.wait_for("filling");
    for pid in scene.processes_of("kafka.Kafka") {
        signal(pid, Signal::SIGKILL);
    }
    let ended = run.end().exits(1).says("broker 1 has ended").says("--resume");
    assert!(ended.took < Duration::from_secs(60), "{:?}", ended.took);
    scene.assert_no_processes();
    scene.resume().exits(0);
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    let scene = Scene::new();
    let mut run = scene.scenario(slow()).spawn_run(&[]);
    wait_until("two workers", || scene.processes_of("worker consumer").len() == 2);
    let data = scene.data_folders();
    run.signal(Signal::SIGINT);
    run.wait_for("once more ends at once");
    run.signal(Signal::SIGINT);
    run.end().exits(130);
    scene.assert_no_processes();
    assert!(within(Duration::from_secs(3), || data
        .iter()
        .all(|folder| !folder.exists())));
}

#[test]
fn an_interrupted_run_keeps_what_it_has_and_leaves_nothing_on_the_cluster() {
    let scene = Scene::on_shared_cluster();
    let prefix = format!("interrupted{}-", std::process::id());
    let mut run = scene.scenario(scenario(4_000).prefix(&prefix)).spawn_run(&[]);
    run.wait_for("[1/");
    assert!(
        !shared_cluster::names(&prefix).0.is_empty(),
        "the run has no topics of this prefix"
    );
    run.signal(Signal::SIGINT);
    let ended = run.end().exits(130).says("--resume");
    assert!(ended.took < Duration::from_secs(60));
    scene.assert_no_processes();
    assert!(
        fs::read_to_string(scene.out().join("report.html"))
            .unwrap()
            .contains("not complete")
    );
    assert!(!scene.out().join("leftovers.json").exists());
    assert_eq!(shared_cluster::names(&prefix), (vec![], vec![]));
    assert!(!scene.trials().is_empty());
    scene.resume().exits(0);
    assert_eq!(shared_cluster::names(&prefix), (vec![], vec![]));
}

#[test]
fn a_killed_run_s_topics_on_a_running_cluster_are_removed_by_the_next_start() {
    let scene = Scene::on_shared_cluster();
    let prefix = format!("killed{}-", std::process::id());
    let mut run = scene.scenario(scenario(4_000).prefix(&prefix)).spawn_run(&[]);
    run.wait_for("[1/");
    run.signal(Signal::SIGKILL);
    run.end();
    scene.assert_no_processes();
    assert!(!shared_cluster::names(&prefix).0.is_empty());
    scene.resume().exits(0).says("removed 1 topics");
    assert_eq!(shared_cluster::names(&prefix), (vec![], vec![]));
}
