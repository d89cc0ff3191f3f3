//! What may go wrong on a host that is reached by ssh, and what is left there then: nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tandem::measure::FailureKind;

use crate::scenario::Scenario;
use crate::scene::{PROGRAM, Scene, failure, read_once, signal, wait_until, within};
use crate::ssh::{place, reads};
use crate::ssh_server::{HOST, Server};

/// The workers' processes are at `host`.
fn there(trials: Scenario, host: &str) -> Scenario {
    trials.tables(&place(host)).case("there", "place = 'there'")
}

#[test]
fn what_start_up_files_print_there_confuses_nobody_however_much_it_is() {
    let noise = "echo Welcome; head -c 200000 /dev/zero | tr '\\0' x; echo";
    let Some(server) = Server::other_machine_with(&[], noise) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    scene.scenario(there(Scenario::reading(2_000), HOST));
    let bootstrap = crate::shared_cluster::bootstrap();
    let doctor = scene.tandem(&["doctor", "scene.toml", "--bootstrap", &bootstrap, "--place", "there"]);
    assert_eq!(doctor.failed_checks(), 0, "{}", doctor.stdout);
    doctor.prints("checks of the doctor there are well");
    scene.run(&[]).exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    assert_eq!(trials[0].measurement.as_ref().unwrap().other_hosts.len(), 1);
}

#[test]
fn a_host_of_another_architecture_is_named_and_nothing_is_left_there() {
    let folder = tempfile::tempdir().unwrap();
    let uname = folder.path().join("uname");
    fs::write(&uname, "#!/bin/sh\necho Linux s390x\n").unwrap();
    fs::set_permissions(&uname, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("PATH={}:$PATH", folder.path().display());
    let Some(server) = Server::start_with(&[], &path) else {
        return;
    };
    let scene = server.known_to(Scene::on_cluster("127.0.0.1:1"));
    scene.scenario(there(Scenario::reading(1_000), HOST));
    let ended = scene.run(&[]);
    ended.refuses(&["its architecture is Linux s390x", "name it by tandem = "]);
    assert!(!server.has_folders());
}

#[test]
fn a_jump_host_that_would_ask_on_the_terminal_is_an_error_at_once() {
    let Some(server) = Server::start(&[]) else { return };
    let scene = server.known_to(Scene::on_cluster("127.0.0.1:1"));
    scene.scenario(there(Scenario::reading(1_000), "behind"));
    // It has a terminal to ask on.
    let line = format!("{PROGRAM} run scene.toml --out out --bootstrap 127.0.0.1:1");
    let began = Instant::now();
    let output = scene
        .command_of("script", &["-qec", &line, "/dev/null"])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("the host's key is not the known one"), "{printed}");
    assert!(!printed.contains("continue connecting"), "{printed}");
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    scene.assert_no_processes();
}

/// Kills the guardian of a scene's run.
pub fn kill_guardian(scene: &Scene) {
    for pid in scene.processes_of(" guardian ") {
        signal(pid, Signal::SIGKILL);
    }
}

/// Removes the folder of the connection, as the next run would, which finds it noted.
pub fn remove_folders(scene: &Scene) {
    for folder in scene.data_folders() {
        let _ = fs::remove_dir_all(folder);
    }
}

/// True where a signal has stopped a process.
fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, fields)| fields.starts_with('T'))
}

#[test]
fn a_worker_that_an_event_has_paused_ends_when_the_run_dies() {
    let Some(server) = Server::other_machine(&[]) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    let slow = Scenario::reading(20_000)
        .consumer("work = 'wait 2ms'")
        .consumer("processes = 2");
    let pause = "[[event]]\nat = '1s'\ndo = 'pause'\nfor = '60s'\nwhat = 'process 2'\n";
    scene.scenario(there(slow.tables(pause), HOST));
    let run = scene.spawn_run(&[]);
    wait_until("a worker on the host that is stopped", || {
        server.workers().into_iter().any(is_stopped)
    });
    kill_guardian(&scene);
    run.signal(Signal::SIGKILL);
    let left = || server.workers();
    assert!(within(Duration::from_secs(15), || left().is_empty()), "{:?}", left());
    run.end();
    remove_folders(&scene);
}

/// The command line of a process.
pub fn line_of(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Processes whose command line contains this.
pub fn processes_with(words: &str) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| line_of(*pid).contains(words)).collect()
}

#[test]
fn a_silent_program_and_its_file_of_properties_go_with_a_killed_observer_and_with_a_killed_run() {
    let Some(server) = Server::other_machine(&[]) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    // It does not end when it is asked to.
    let mark = format!("stubborn {}", std::process::id());
    let script = format!("trap : TERM; : {mark}; while :; do sleep 0.1; done");
    let command = format!("['sh', '-c', '{script}', '{{properties_file}}']");
    let app = format!("[[app]]\nname = 'service'\ncommand = {command}\nspeaks = 'nothing'\n");
    let trials = Scenario::reading(1_000).consumer("app = 'service'").tables(&app);
    scene.scenario(there(trials, HOST));
    // The observer's order has no command line: only the program has.
    let program = || processes_with(&format!(": {mark};"));
    let file = || {
        let line = line_of(program().first().copied()?);
        let word = line.split(' ').find(|word| word.ends_with(".properties"));
        word.map(str::to_owned)
    };
    for kills_run in [false, true] {
        let run = scene.spawn_run_to(if kills_run { "out" } else { "observer-killed" }, &[]);
        wait_until("the program with its file", || file().is_some());
        let file = file().unwrap();
        assert!(fs::exists(&file).unwrap());
        if kills_run {
            kill_guardian(&scene);
            run.signal(Signal::SIGKILL);
        } else {
            let workers = server.workers().into_iter();
            let mut observers = workers.filter(|pid| line_of(*pid).contains("worker observer"));
            signal(observers.next().unwrap(), Signal::SIGKILL);
        }
        let left = || (program(), fs::exists(&file).unwrap(), server.workers());
        assert!(
            within(Duration::from_secs(15), || left() == (vec![], false, vec![])),
            "{:?}",
            left()
        );
        let ended = run.end();
        if !kills_run {
            ended.exits(1);
        }
    }
    remove_folders(&scene);
}

#[test]
fn a_killed_worker_there_fails_its_trial_by_name_and_without_the_hosts_own_process_only_its_figures_are_missing() {
    let Some(server) = Server::other_machine(&[]) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    let slow = Scenario::reading(2_000).consumer("work = 'wait 1ms'").repetitions(2);
    scene.scenario(there(slow, HOST));
    let run = scene.spawn_run(&[]);
    // The process of the first trial, whose worker reads by then, and the worker of the second.
    wait_until("a worker on the host that reads", || {
        server.workers().into_iter().any(reads)
    });
    let mut killed = Vec::new();
    for role in ["worker host", "worker consumer"] {
        let next = || {
            let workers = server.workers().into_iter();
            let mut of_role = workers.filter(|pid| line_of(*pid).contains(role) && !killed.contains(pid));
            of_role
                .next()
                .filter(|_| role == "worker host" || trials_stored(&scene) == 1)
        };
        wait_until(role, || next().is_some());
        let pid = next().unwrap();
        signal(pid, Signal::SIGKILL);
        killed.push(pid);
    }
    let ended = run.end().exits(1);
    ended.says("what the host far did in trial 1 is not known: its `tandem worker host` has ended");
    let trials = scene.trials();
    read_once(&trials[0]);
    assert!(trials[0].measurement.as_ref().unwrap().other_hosts.is_empty());
    let found = failure(&trials[1]);
    assert_eq!(found.kind, FailureKind::WorkerDied, "{found:?}");
    assert!(found.message.contains("its session by ssh to far is over"), "{found:?}");
    assert!(server.workers().is_empty());
}

fn trials_stored(scene: &Scene) -> usize {
    scene.trial_files().len()
}
