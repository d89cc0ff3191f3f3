//! Kafka as it was before KRaft, on a ZooKeeper of its own; and several versions in the same blocks of one run.

use nix::sys::signal::Signal;
use tandem::measure::Status;
use tandem::store::RunDir;

use crate::scenario::Scenario;
use crate::scene::{Scene, failure, read_once, signal, wait_until, within};

const ZOOKEEPER: &str = "QuorumPeerMain";
const BROKER: &str = "kafka.Kafka";

/// More trials than are needed: the tests end the run.
fn two_cases() -> Scenario {
    Scenario::two_short_cases().repetitions(300)
}

#[test]
fn a_run_that_is_killed_while_its_brokers_start_leaves_no_zookeeper_no_broker_and_no_data() {
    let scene = Scene::new();
    scene.scenario(two_cases().tables("[cluster]\nversion = '2.8.1'"));
    let run = scene.spawn_run(&[]);
    wait_until("a ZooKeeper and a broker", || {
        [ZOOKEEPER, BROKER]
            .iter()
            .all(|name| !scene.processes_of(name).is_empty())
    });
    let folders = scene.data_folders();
    assert!(
        folders.len() == 1 && folders[0].join("zookeeper").is_dir(),
        "{folders:?}"
    );
    run.signal(Signal::SIGKILL);
    let limit = std::time::Duration::from_secs(3);
    assert!(within(limit, || scene.processes().is_empty() && !folders[0].exists()));
    run.end();
}

#[test]
fn versions_are_compared_in_the_same_blocks_until_the_zookeeper_of_one_ends() {
    let scene = Scene::new();
    scene.scenario(two_cases());
    let run = scene.spawn_run(&["--versions", "2.8.1,4.3.1", "--stall-limit", "3"]);
    // A block of warm-up and two that count, each of 2 cases on 2 versions.
    wait_until("two counted blocks", || {
        scene.out().exists() && scene.trial_files().len() > 12
    });
    let folders = scene.data_folders();
    assert_eq!(folders.len(), 2, "{folders:?}");
    let zookeepers = scene.processes_of(ZOOKEEPER);
    assert_eq!(zookeepers.len(), 1, "one for the version that needs it");
    signal(zookeepers[0], Signal::SIGKILL);
    let ended = run
        .end()
        .exits(1)
        .says("ZooKeeper has ended (signal: 9 (SIGKILL); Apache Kafka 2.8.1)");
    let ended = ended.says("--resume");
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    scene.assert_no_processes();
    assert!(folders.iter().all(|folder| !folder.exists()));

    let trials = scene.trials();
    let (failed, read): (Vec<_>, Vec<_>) = trials.iter().partition(|t| matches!(t.status, Status::Failed(_)));
    for trial in &read {
        read_once(trial);
    }
    // Only the one in which it ended, if it did in one.
    assert!(failed.len() <= 1, "{failed:?}");
    for trial in failed {
        assert!(failure(trial).message.contains("ZooKeeper"), "{trial:?}");
    }
    let names: std::collections::BTreeSet<&str> = read.iter().map(|t| &*t.configuration_name).collect();
    let expected = [
        "one kafka=2.8.1",
        "one kafka=4.3.1",
        "two kafka=2.8.1",
        "two kafka=4.3.1",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected);
    // Brokers and ZooKeeper are measured together.
    let measured = |name: &str| {
        let trial = read.iter().find(|trial| trial.configuration_name == name).unwrap();
        trial.measurement.as_ref().unwrap().host.brokers_cpu_ns.len()
    };
    assert_eq!((measured(expected[0]), measured(expected[1])), (2, 1));

    let environment = RunDir::open(&scene.out()).unwrap().read_environment().unwrap().unwrap();
    let other = &environment.other_clusters[0];
    assert_eq!(environment.cluster.version.as_deref(), Some("2.8.1"));
    assert_eq!(environment.cluster.zookeeper.as_deref(), Some("3.5.9"));
    assert_eq!((other.version.as_deref(), &other.zookeeper), (Some("4.3.1"), &None));
    // The table and not the conclusion: that names the larger of two differences, and which one that is
    // depends on two blocks of very short trials.
    expected.iter().fold(ended, |ended, row| ended.prints(row));
    assert_eq!(scene.table("summary.csv")[1]["kafka"], "4.3.1");
    let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(report.contains("2.8.1 on ZooKeeper 3.5.9, 1 broker"), "{report}");
}
