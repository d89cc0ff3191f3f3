//! A cluster that stays: found by the next command, used by runs, ended with all that it made, however its keeper ends.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::coordinator::ProcessIdentity;
use tandem::coordinator::leftovers::{LEFTOVERS_SCHEMA_VERSION, LeftTopics, Leftovers};

use crate::scenario::Scenario;
use crate::scene::{Scene, read_once, signal, wait_until, within};

fn status(scene: &Scene) -> serde_json::Value {
    let ended = scene.tandem(&["cluster", "status", "--json"]);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn directory(status: &serde_json::Value) -> PathBuf {
    PathBuf::from(status["directory"].as_str().unwrap())
}

#[test]
fn a_cluster_that_stays_is_found_used_and_ended_with_all_that_it_made() {
    let scene = Scene::new();
    let none = scene.tandem(&["run", "one-vs-two", "--cluster", "local"]);
    none.exits(2).says("tandem cluster up");

    scene.tandem(&["cluster", "up"]).exits(0);
    let before = status(&scene);
    scene.tandem(&["cluster", "up"]).exits(0).prints("there already");
    let other = scene.tandem(&["cluster", "up", "--brokers", "3"]);
    other.exits(2).says("1 broker, not 3");
    assert_eq!(status(&scene)["keeper"], before["keeper"]);

    // What is there under a chosen name is somebody's, and stays.
    scene
        .tandem(&["topics", "create", "orders", "--partitions", "1", "--cluster", "local"])
        .exits(0);
    let named = "question = '?'\n[dataset]\nname = 'orders'\nrecords = 100\n[trial]\nrecords = 100";
    let refused = scene.scenario(named).run(&["--cluster", "local"]);
    refused.exits(2).says("has a topic of that name");
    let there = scene.tandem(&["topics", "list", "--cluster", "local"]).exits(0);
    assert!(there.stdout.contains("orders"), "{}", there.stdout);
    scene
        .tandem(&["topics", "delete", "orders", "--yes", "--cluster", "local"])
        .exits(0);

    scene.scenario(Scenario::reading(20_000).repetitions(2));
    scene.run(&["--cluster", "local"]).exits(0);
    let after = status(&scene);
    assert_eq!(after["topics"].as_array().unwrap().len(), 0, "{after}");
    // Its brokers are measured as brokers, although the run did not start them.
    let row = &scene.table("summary.csv")[0];
    assert!(!row["broker_cpu_seconds_per_million"].is_empty(), "{row:?}");

    let folder = directory(&after);
    assert!(folder.is_dir());
    scene.tandem(&["cluster", "down"]).exits(0);
    assert!(!folder.exists());
    scene.assert_no_processes();
    scene.tandem(&["cluster", "status"]).exits(1);
    scene.tandem(&["cluster", "down"]).exits(0);
}

#[test]
fn a_cluster_whose_keeper_was_killed_leaves_nothing_and_is_noticed() {
    let scene = Scene::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = scene.tandem(&["cluster", "up", "--port", &port]);
    refused.exits(2).says(&format!("port {port}"));
    scene.assert_no_processes();
    drop(taken);

    scene.tandem(&["cluster", "up", "--port", &port]).exits(0);
    let was = status(&scene);
    assert_eq!(was["bootstrap"], format!("127.0.0.1:{port}"));
    let keeper = u32::try_from(was["keeper"]["pid"].as_u64().unwrap()).unwrap();
    signal(keeper, Signal::SIGKILL);
    let folder = directory(&was);
    wait_until("the data to go", || !folder.exists());
    assert!(within(Duration::from_secs(3), || scene.processes().is_empty()));
    scene.tandem(&["cluster", "status"]).exits(1).prints("has died");

    scene.tandem(&["cluster", "up"]).exits(0);
    let second = status(&scene);
    end_broker(&scene, &second);
    scene
        .tandem(&["run", "one-vs-two", "--cluster", "local"])
        .exits(2)
        .says("has died");
    scene.tandem(&["cluster", "up"]).exits(0).says("has died");
    let third = status(&scene);
    assert_ne!(third["keeper"], second["keeper"]);
    assert_eq!(third["dead_brokers"], serde_json::json!([]));

    // What a run has left on a cluster is gone with it.
    end_broker(&scene, &third);
    leave_topics(&scene, &third);
    scene.tandem(&["cluster", "down"]).exits(0);
    let records = scene.path().join("state/tandem/runs");
    assert_eq!(std::fs::read_dir(records).unwrap().count(), 0);
    scene.assert_no_processes();
}

/// Kills the one broker of the cluster.
fn end_broker(scene: &Scene, status: &serde_json::Value) {
    let broker = u32::try_from(status["brokers"][0]["process"]["pid"].as_u64().unwrap()).unwrap();
    signal(broker, Signal::SIGKILL);
    wait_until("the broker to end", || {
        scene
            .tandem(&["cluster", "status", "--json"])
            .stdout
            .contains("\"dead_brokers\": [\n    1")
    });
}

/// Writes down what a run that is dead has left on the cluster.
fn leave_topics(scene: &Scene, status: &serde_json::Value) {
    let record = Leftovers {
        schema_version: LEFTOVERS_SCHEMA_VERSION,
        run_id: "gone".to_owned(),
        run_directory: scene.path().to_owned(),
        host: status["host"].as_str().unwrap().to_owned(),
        boot: "an earlier one".to_owned(),
        coordinator: ProcessIdentity { pid: 1, start_time: 1 },
        processes: BTreeSet::new(),
        directories: BTreeSet::new(),
        groups: BTreeSet::new(),
        jobs: BTreeSet::new(),
        engines: BTreeSet::new(),
        tables: Vec::new(),
        topics: vec![LeftTopics {
            bootstrap: status["bootstrap"].as_str().unwrap().to_owned(),
            prefix: "tandem-gone-".to_owned(),
            client: BTreeMap::new(),
        }],
    };
    let file = scene.path().join("state/tandem/runs/gone.json");
    std::fs::write(file, serde_json::to_string(&record).unwrap()).unwrap();
}

#[test]
#[ignore = "scripts/test --all; the standard tier compares versions, one of them on a ZooKeeper that dies"]
fn the_default_scenario_runs_on_the_oldest_brokers_too_until_their_zookeeper_dies() {
    let scene = Scene::new();
    scene.tandem(&["cluster", "up", "--version", "2.8.1"]).exits(0);
    let arguments = [
        "run",
        "one-vs-two",
        "--cluster",
        "local",
        "--quick",
        "--repetitions",
        "2",
        "--out",
        "out",
    ];
    scene.tandem(&arguments).exits(0);
    assert!(scene.trials().len() >= 6);
    scene.trials().iter().for_each(read_once);

    // ZooKeeper has a deleted topic for a moment longer than the brokers show it.
    for _ in 0..3 {
        let topic = |arguments: &[&str]| scene.tandem(&[arguments, &["--cluster", "local"]].concat()).exits(0);
        topic(&["topics", "create", "again", "--partitions", "4"]);
        topic(&["topics", "delete", "again", "--yes"]);
    }

    let before = status(&scene);
    assert_eq!(before["zookeeper"]["version"], "3.5.9");
    let zookeeper = u32::try_from(before["zookeeper"]["process"]["pid"].as_u64().unwrap()).unwrap();
    signal(zookeeper, Signal::SIGKILL);
    let noticed = || scene.tandem(&["cluster", "status"]);
    wait_until("it to be noticed", || {
        noticed()
            .stdout
            .lines()
            .any(|line| line.contains("ZooKeeper 127") && line.ends_with("has ended"))
    });
    noticed().exits(1);
    for command in [&["cluster", "up", "--version", "2.8.1"][..], &arguments[..]] {
        scene.tandem(command).exits(2).says("ZooKeeper").says("has died");
    }
    scene.tandem(&["cluster", "down"]).exits(0);
    scene.assert_no_processes();
    assert!(!directory(&before).exists());
}
