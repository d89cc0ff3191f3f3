//! Workers on another host by ssh: a real OpenSSH server on the loopback, with the clock of another host where time
//! namespaces can be made.

use std::fs;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::measure::FailureKind;

use crate::scenario::Scenario;
use crate::scene::{Scene, failure, read_once, signal, wait_until, within};
use crate::ssh_faults::{kill_guardian, remove_folders};
use crate::ssh_server::{HOST, Server};

/// Another clock: 100 s ahead.
const AHEAD: [&str; 5] = ["unshare", "--time", "--monotonic", "100", "--fork"];
pub const AHEAD_NS: i64 = 100_000_000_000;

/// The table of a place on this host.
pub fn place(target: &str) -> String {
    format!("[[place]]\nname = 'there'\nssh = '{target}'\n")
}

/// A server with another clock where that can be had.
fn server() -> Option<(Server, bool)> {
    let other_clock = Command::new(AHEAD[0]).args(&AHEAD[1..]).arg("true").status();
    let other_clock = other_clock.is_ok_and(|status| status.success());
    let server = Server::start(if other_clock { &AHEAD } else { &[] })?;
    Some((server, other_clock))
}

/// True where a worker has got as far as to have its readers.
pub fn reads(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let mut names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.any(|name| name.starts_with("reader-"))
}

#[test]
fn workers_by_ssh_give_the_same_account_and_leave_nothing_but_one_copy_of_the_program() {
    let Some((server, other_clock)) = server() else { return };
    let scene = server.known_to(Scene::on_shared_cluster());
    let trials = Scenario::reading(20_000).consumer("processes = 2").tables(&place(HOST));
    scene.scenario(trials.case("here", "").case("there", "place = 'there'"));
    let doctor = scene.tandem(&[
        "doctor",
        "scene.toml",
        "--bootstrap",
        &crate::shared_cluster::bootstrap(),
        "--place",
        "there",
    ]);
    let doctor = doctor
        .prints("lets this user in")
        .prints("copied just now")
        .prints("checks of the doctor there are well");
    assert_eq!(doctor.failed_checks(), 0, "{}", doctor.stdout);
    let run = scene.run(&[]).exits(0);
    assert!(!run.stderr.contains("copying tandem"), "{}", run.stderr);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let there = trials.iter().find(|trial| trial.configuration_name == "there").unwrap();
    let measured = there.measurement.as_ref().unwrap();
    assert_eq!(measured.processes.len(), 2);
    if other_clock {
        // Both workers are in one namespace: they are one host.
        assert_eq!(measured.clocks.0.len(), 1);
        let clock = &measured.clocks.0[0];
        let wrong_ns = clock.offset_ns.abs_diff(-AHEAD_NS);
        eprintln!("wrong by {wrong_ns} ns, bound {} ns", clock.bound_ns);
        assert!(wrong_ns <= clock.bound_ns, "{clock:?}");
    }
    assert_eq!(server.copies().len(), 1);
    assert!(server.workers().is_empty());
    scene.assert_no_processes();
    // The host is this machine: the connection that looks is itself there.
    let clean = scene.tandem(&["clean", "scene.toml", "--place", "there"]);
    assert!(!clean.stdout.contains("run clean-"), "{}{}", clean.stdout, clean.stderr);
}

#[test]
fn another_machine_is_sampled_and_listed_and_needs_an_address_of_the_brokers() {
    let Some(server) = Server::other_machine(&[]) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    let trials = Scenario::reading(40_000)
        .consumer("work = 'cpu 20us'")
        .tables(&place(HOST));
    let trials = trials.case("there", "place = 'there'");
    scene.scenario(&trials);
    let doctor = scene.tandem(&["doctor", "scene.toml", "--place", "there"]);
    doctor.fails_one_check(&[
        "on another machine",
        "which is that machine itself there",
        "add address = ",
    ]);
    scene.run(&[]).exits(0);
    scene.assert_no_processes();
    assert!(server.workers().is_empty());
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let measured = trials[0].measurement.as_ref().unwrap();
    let [other] = &measured.other_hosts[..] else {
        panic!("{:?}", measured.other_hosts)
    };
    assert_eq!((other.ssh.as_str(), other.places.len()), (HOST, 1));
    // It is the same machine, seen twice: at the same times, and with the workers among its processes.
    let (here, there) = (&measured.host, &other.measured);
    assert!(
        there.wall_ns.abs_diff(here.wall_ns) < here.wall_ns / 5 + 50_000_000,
        "{there:?}"
    );
    assert_eq!(there.cores, here.cores);
    let busy = |host: &tandem::measure::HostMeasurement| host.busy_of_cores().unwrap().0;
    assert!(
        (busy(here) - busy(there)).abs() < 0.5,
        "{} and {}",
        busy(here),
        busy(there)
    );
    let used = measured.processes[0].window.as_ref().unwrap().cpu_ns;
    let others = there.others_cpu_ns;
    assert!(
        busy(there) * there.wall_ns as f64 >= others as f64 + 0.5 * used as f64,
        "{there:?}, {used} ns"
    );
    let report = fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(
        report.contains("Hosts") && report.contains("| far | there |"),
        "{report}"
    );
}

#[test]
#[ignore = "scripts/test --all; brokers of its own, whose listeners local_brokers.rs tests"]
fn workers_of_another_machine_reach_brokers_that_tandem_starts_by_the_address_of_the_cluster() {
    let Some(server) = Server::other_machine(&[]) else {
        return;
    };
    let scene = server.known_to(Scene::new());
    let trials = Scenario::reading(2_000)
        .tables(&place(HOST))
        .case("there", "place = 'there'");
    scene.scenario(&trials);
    scene
        .run(&[])
        .refuses(&["place there, as in", "is another machine", "add address = "]);
    scene.scenario(
        trials
            .to_string()
            .replace("[dataset]", "[cluster]\naddress = '127.0.0.1'\n[dataset]"),
    );
    scene.run(&[]).exits(0);
    scene.trials().iter().for_each(read_once);
}

#[test]
fn a_killed_run_leaves_no_worker_on_the_host_even_without_its_guardian() {
    let Some(server) = Server::start(&[]) else { return };
    let scene = server.known_to(Scene::on_shared_cluster());
    let slow = Scenario::reading(20_000)
        .consumer("work = 'wait 2ms'")
        .consumer("processes = 2");
    scene.scenario(slow.tables(&place(HOST)).case("there", "place = 'there'"));
    let run = scene.spawn_run(&[]);
    wait_until("two workers on the host that read", || {
        server.workers().into_iter().filter(|pid| reads(*pid)).count() == 2
    });
    kill_guardian(&scene);
    run.signal(Signal::SIGKILL);
    assert!(within(Duration::from_secs(15), || server.workers().is_empty()));
    assert!(within(Duration::from_secs(15), || scene.processes_of("ssh").is_empty()));
    run.end();
    remove_folders(&scene);
}

#[test]
fn a_session_that_is_killed_fails_its_trial_by_name_and_the_next_one_connects_again() {
    let Some(server) = Server::start(&[]) else { return };
    let scene = server.known_to(Scene::on_shared_cluster());
    let slow = Scenario::reading(1_000).consumer("work = 'wait 2ms'").repetitions(2);
    scene.scenario(slow.tables(&place(HOST)).case("there", "place = 'there'"));
    let run = scene.spawn_run(&[]);
    wait_until("a worker on the host that reads", || {
        server.workers().into_iter().any(reads)
    });
    // The connection that the sessions share, and the session.
    for pid in scene.processes_of("/usr/bin/ssh") {
        signal(pid, Signal::SIGKILL);
    }
    run.end();
    let trials = scene.trials();
    let found = failure(&trials[0]);
    assert_eq!(found.kind, FailureKind::WorkerDied, "{found:?}");
    assert!(found.message.contains("its session by ssh to far is over"), "{found:?}");
    let (last, others) = trials.split_last().unwrap();
    assert!(!others.is_empty());
    read_once(last);
}

#[test]
fn a_host_that_cannot_be_used_is_one_error_with_its_cause() {
    let Some(server) = Server::start(&[]) else { return };
    let refused = |target: &str, more: &str, parts: &[&str]| {
        let scene = server.known_to(Scene::on_cluster("127.0.0.1:1"));
        let trials = Scenario::reading(1_000).tables(&(place(target) + more));
        scene.scenario(trials.case("there", "place = 'there'"));
        let ended = scene.run(&[]);
        ended
            .refuses(&[&format!("place there (ssh {target})")])
            .says(parts[0])
            .says(parts[1]);
    };
    refused(
        "wrong-key",
        "",
        &["does not let this user in", "Permission denied (publickey)"],
    );
    refused(
        "unknown-host-key",
        "",
        &["the host's key is not the known one", "connect once by hand"],
    );
    refused("closed", "", &["the host cannot be reached", "Connection refused"]);
    refused(
        "no-such-host.invalid",
        "",
        &["the host's name is not known", "~/.ssh/config"],
    );
    let missing = "tandem = '/no/such/tandem'\n";
    refused(
        HOST,
        missing,
        &["/no/such/tandem does not run there", "name it by `tandem`"],
    );
    let scene = Scene::on_cluster("127.0.0.1:1").environment("PATH", Some("/nowhere"));
    scene.scenario(
        Scenario::reading(1_000)
            .tables(&place(HOST))
            .case("there", "place = 'there'"),
    );
    scene
        .run(&[])
        .refuses(&["cannot start ssh", "install an OpenSSH client"]);
}
