//! Many members on one machine: they join, read every record once and report, and the run stays small.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::scenario::Scenario;
use crate::scene::Scene;

/// What `tandem run` may use at most, in bytes.
const MEMORY_MAX: u64 = 300_000_000;

/// The most memory that a process has used so far, in bytes; `None` once it has ended.
fn peak_memory_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[test]
#[ignore = "scripts/test --all; it takes a minute or two of both cores"]
fn three_hundred_members_in_thirty_processes_join_read_once_and_report() {
    let scene = Scene::new();
    let trials = Scenario::reading(60_000).partitions(300);
    scene.scenario(trials.consumer("processes = 30").consumer("consumers = 10"));
    let run = scene.spawn_run(&["--join-limit", "300"]);
    let pid = run.pid();
    let watch = thread::spawn(move || {
        let mut peak = 0;
        while let Some(bytes) = peak_memory_bytes(pid) {
            peak = bytes;
            thread::sleep(Duration::from_millis(50));
        }
        peak
    });
    run.end().exits(0);
    let peak = watch.join().unwrap();
    eprintln!("peak memory of the run: {peak} bytes");
    assert!((1_000_000..MEMORY_MAX).contains(&peak), "{peak} bytes");
    scene.assert_no_processes();
    let trials = scene.trials();
    let measured = trials.last().unwrap().measurement.as_ref().unwrap();
    assert_eq!((measured.processes.len(), measured.members.len()), (30, 300));
    assert_eq!((measured.records(), measured.records_expected), (60_000, 60_000));
    assert_eq!((measured.lost, measured.duplicated), (0, 0));
    assert!(measured.members.iter().all(|member| member.records() > 0));
}
