//! Limits and ready-made clients at a place on another host: a real OpenSSH server on the loopback whose boot is another
//! machine's.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::limits::{cores_of_the_first, fails_for_want_of_memory, group_of_run, some_processor};
use crate::scenario::Scenario;
use crate::scene::{Scene, read_once, wait_until, within};
use crate::ssh_faults::{kill_guardian, remove_folders};
use crate::ssh_server::{HOST, Server};

/// The table of a place on the host with these keys.
fn place(name: &str, keys: &str) -> String {
    format!("[[place]]\nname = '{name}'\nssh = '{HOST}'\n{keys}\n")
}

/// What the doctor says of a place, of whose limits none may be able to be set: continuous integration is root.
fn can_limit(scene: &Scene, place: &str) -> bool {
    let bootstrap = crate::shared_cluster::bootstrap();
    let doctor = scene.tandem(&["doctor", "scene.toml", "--bootstrap", &bootstrap, "--place", place]);
    if doctor.stdout.contains("limits there") && doctor.failed_checks() == 0 {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "{}", doctor.stdout);
    eprintln!("skipped: {}", doctor.stdout);
    false
}

/// The control group that the run has made on the host for its workers.
fn group(server: &Server, controller: &str) -> Option<PathBuf> {
    let mut workers = server.workers().into_iter();
    workers.find_map(|pid| group_of_run(pid, controller))
}

#[test]
fn limits_of_a_place_on_another_host_hold_for_its_workers_and_are_what_limits_them() {
    let Some(server) = Server::other_machine(&[]) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    let one = some_processor();
    let keys = format!("cpu_limit = 0.5\nmemory_limit = '1GiB'\ncpus = '{one}'");
    let trials = Scenario::reading(40_000).consumer("work = 'cpu 50us'");
    scene.scenario(trials.tables(&place("half", &keys)).case("half", "place = 'half'"));
    if !can_limit(&scene, "half") {
        return;
    }
    scene.run(&[]).exits(0);
    assert!(server.workers().is_empty());
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let measured = trials[0].measurement.as_ref().unwrap();
    let cores = cores_of_the_first(measured);
    assert!(cores <= 0.515, "{cores} cores");
    // What it did there is known, and named if it was used up: on a busy machine the worker may get less.
    let quotas = &measured.other_hosts[0].measured.quotas;
    let effect = quotas.iter().find(|effect| effect.quota.place() == Some("half"));
    let effect = effect.unwrap();
    assert!(!effect.covers_all && effect.periods > 0, "{effect:?}");
    let of_run = Path::new(&effect.quota.cgroup)
        .parent()
        .unwrap()
        .strip_prefix("/")
        .unwrap();
    let left = |root: &str| Path::new(root).join(of_run).exists();
    assert!(
        !left("/sys/fs/cgroup/cpu") && !left("/sys/fs/cgroup"),
        "{} is left",
        of_run.display()
    );
    let report = fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(
        report.contains("`cpu_limit` of place half of 0.5 cores for workers"),
        "{report}"
    );
    if effect.throttled_share() > 0.8 {
        let named = "the `cpu_limit` of place half gives 0.5 cores to workers";
        assert!(report.contains(named), "{report}");
    }
}

#[test]
fn a_worker_beyond_its_memory_limit_there_fails_by_its_name_and_a_killed_run_leaves_no_control_group() {
    let Some(server) = Server::other_machine(&[]) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    let of_place = |name: &str, limit: &str, work: &str| {
        let trials = Scenario::reading(200_000).consumer(work);
        let trials = trials.tables(&place(name, &format!("memory_limit = '{limit}'")));
        scene.scenario(trials.case("one", &format!("place = '{name}'")));
    };
    of_place("small", "12MiB", "");
    if !can_limit(&scene, "small") {
        return;
    }
    scene.run(&[]).exits(1);
    fails_for_want_of_memory(&scene);
    of_place("large", "1GiB", "work = 'wait 1ms'");
    let run = scene.spawn_run_to("killed", &[]);
    wait_until("a worker in its control group", || group(&server, "memory").is_some());
    let group = group(&server, "memory").unwrap();
    kill_guardian(&scene);
    run.signal(Signal::SIGKILL);
    let left = || (server.workers(), group.exists());
    assert!(
        within(Duration::from_secs(15), || left() == (vec![], false)),
        "{:?}",
        left()
    );
    run.end();
    remove_folders(&scene);
}

/// A folder with all programs that tandem starts on a host, and no others.
fn bare_path() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let programs = [
        "sh", "env", "uname", "mkdir", "rmdir", "cat", "wc", "chmod", "mv", "rm", "tar", "find", "true",
    ];
    for program in programs {
        let found = ["/bin", "/usr/bin"].map(|from| Path::new(from).join(program));
        let found = found.into_iter().find(|path| path.exists()).unwrap();
        symlink(found, folder.path().join(program)).unwrap();
    }
    folder
}

#[test]
fn what_a_host_lacks_for_ready_made_clients_is_one_finding_with_the_command_that_installs_it() {
    let bare = bare_path();
    let Some(server) = Server::start_with(&[], &format!("PATH={}", bare.path().display())) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    let trials = Scenario::reading(1_000).tables(&place("there", ""));
    let trials = trials.case("spring", "place = 'there'\napp = 'spring'");
    scene.scenario(trials.case("python", "place = 'there'\napp = 'python'"));
    let bootstrap = crate::shared_cluster::bootstrap();
    let doctor = scene.tandem(&["doctor", "scene.toml", "--bootstrap", &bootstrap, "--place", "there"]);
    let doctor = doctor.prints("spring 4.1.2 and python 2.12.1 cannot run there");
    let doctor = doctor.prints("the host has no Java 17 or later and Python 3 with venv");
    doctor.prints("apt-get install openjdk-21-jdk-headless && apt-get install python3-venv");
}

#[test]
#[ignore = "scripts/test --all; builds clients, if this machine has not got them"]
fn ready_made_clients_are_taken_to_a_host_once_and_read_there_under_its_limits() {
    let Some(server) = Server::other_machine(&[]) else {
        return;
    };
    let scene = server.known_to(Scene::on_shared_cluster());
    let one = some_processor();
    let trials = Scenario::reading(20_000).consumer("place = 'there'");
    let mut trials = trials.tables(&place("there", &format!("cpu_limit = 1.5\ncpus = '{one}'")));
    for app in ["tandem", "java", "python", "go"] {
        trials = trials.case(app, &format!("app = '{app}'"));
    }
    scene.scenario(trials);
    if !can_limit(&scene, "there") {
        return;
    }
    let first = scene.run(&[]).exits(0);
    let clients = server.path().join("cache/tandem/clients");
    for app in ["java", "python", "go"] {
        assert!(
            first.stderr.contains(&format!("copying client {app} ")),
            "{}",
            first.stderr
        );
    }
    let copies = || {
        let mut names: Vec<_> = fs::read_dir(&clients)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let taken = copies();
    assert_eq!(taken.len(), 3, "{taken:?}");
    let trials = scene.trials();
    assert_eq!(trials.len(), 4);
    for trial in &trials {
        read_once(trial);
        let measured = trial.measurement.as_ref().unwrap();
        assert_eq!(measured.other_hosts.len(), 1, "{}", trial.configuration_name);
        let quotas = &measured.other_hosts[0].measured.quotas;
        assert!(
            quotas.iter().any(|effect| effect.quota.place() == Some("there")),
            "{quotas:?}"
        );
    }
    let again = scene.spawn_run_to("again", &[]).end().exits(0);
    assert!(!again.stderr.contains("copying"), "{}", again.stderr);
    assert_eq!(copies(), taken);
    // One that was cut short has no mark of completeness.
    let go = taken
        .iter()
        .find(|name| name.to_string_lossy().starts_with("go-"))
        .unwrap();
    fs::remove_file(clients.join(go).join(".complete")).unwrap();
    let repaired = scene.spawn_run_to("repaired", &[]).end().exits(0);
    assert!(repaired.stderr.contains("copying client go "), "{}", repaired.stderr);
    assert!(server.workers().is_empty());
}
