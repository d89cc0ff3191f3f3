//! The coordinator is killed in the middle of planned changes: whoever was killed, paused or away then, nothing is left, and
//! the run can be resumed.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::scenario::{SHIPPED, parse, shipped};

use crate::scene::{Scene, undisturbed, wait_until, within};

/// The shipped scenarios in which something is done on purpose.
const CHANGES: [&str; 7] = [
    "broker-failover",
    "rebalance-crash",
    "rebalance-join",
    "rolling-brokers",
    "rolling-deploy",
    "stop-the-world",
    "store-outage",
];

/// How long the trials of a shipped scenario last.
fn trial_length(name: &str) -> Duration {
    let scenario = parse(name, name, shipped(name).unwrap()).unwrap();
    let configurations = scenario.configurations.iter();
    let loads = configurations.map(|configuration| configuration.mode.load().unwrap());
    let longest_ns = loads.map(|load| load.warmup_ns + load.duration_ns).max();
    Duration::from_nanos(longest_ns.unwrap())
}

/// Kills a run of a shipped scenario at this share of its first trial, and goes on with it.
fn killed_in(name: &str, share: f64) {
    let scene = Scene::new();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.toml"));
    let run = scene.spawn(&["run", file.to_str().unwrap(), "--quick", "--out", "out"]);
    wait_until("a trial's workers", || {
        !scene.processes_of("worker consumer").is_empty()
    });
    sleep(trial_length(name).mul_f64(share));
    let data = scene.data_folders();
    assert!(!data.is_empty(), "{name}");
    run.signal(Signal::SIGKILL);
    assert_eq!(run.end().code, None);
    let left = || {
        let folders: Vec<_> = data.iter().filter(|folder| folder.exists()).collect();
        (scene.processes(), folders)
    };
    let is_gone = within(Duration::from_secs(3), || left().0.is_empty() && left().1.is_empty());
    assert!(is_gone, "{name}, killed at {share:.2} of a trial: {:?}", left());

    let stored = scene.trial_files();
    let mut resumed = scene.spawn(&["run", "--resume", "out"]);
    resumed.wait_for(&format!("[{}/", stored.len() + 1));
    resumed.signal(Signal::SIGINT);
    assert_eq!(resumed.end().code, Some(130), "{name}");
    scene.assert_no_processes();
    let after = scene.trial_files();
    assert!(after.len() > stored.len(), "{name}: no trial came");
    for (path, contents) in &stored {
        assert!(after[path] == *contents, "{} was measured again", path.display());
    }
}

#[test]
#[ignore = "scripts/test --all; deaths.rs kills the coordinator of trials in which nothing is planned"]
fn a_coordinator_killed_in_the_middle_of_each_shipped_change_leaves_nothing_and_can_be_resumed() {
    let only = std::env::var("TANDEM_ONLY").ok();
    for name in CHANGES
        .iter()
        .filter(|name| only.as_deref().is_none_or(|only| only == **name))
    {
        let share = rand::random_range(0.0..1.0);
        eprintln!("{name}: killed at {share:.2} of a trial");
        undisturbed(|_| killed_in(name, share));
    }
}

#[test]
fn every_shipped_scenario_with_events_is_one_of_those_that_are_killed() {
    let with_events = SHIPPED.iter().filter(|(name, text)| {
        let scenario = parse(name, name, text).unwrap();
        let configurations = scenario.configurations.iter();
        configurations
            .map(|configuration| configuration.events.len())
            .sum::<usize>()
            > 0
    });
    let mut names: Vec<&str> = with_events.map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(names, CHANGES);
}
