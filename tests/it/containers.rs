//! Workers that are containers, of a real Docker engine.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::measure::FailureKind;

use crate::container_image::{Image, docker, docker_says};
use crate::limits::{cores_of_the_first, fails_for_want_of_memory};
use crate::planned_acts::complete;
use crate::scenario::Scenario;
use crate::scene::{Scene, failure, read_once, signal, undisturbed, wait_until, within};
use crate::shared_cluster;
use crate::ssh_faults::{line_of, processes_with};

const CANARY: &str = "canary-0815-in-no-container";

#[test]
#[ignore = "scripts/test --all; containers::image::tests has the command line"]
fn containers_give_the_same_account_show_no_secret_and_leave_nothing() {
    let Some(image) = Image::with_program() else { return };
    let scene = Scene::on_shared_cluster().environment("TANDEM_TEST_SECRET", Some(CANARY));
    let client = "[cluster.client]\n'sasl.username' = 'somebody'\n'sasl.password' = { env = 'TANDEM_TEST_SECRET' }\n";
    let trials = Scenario::reading(20_000)
        .consumer("processes = 2\nwork = 'wait 100us'")
        .tables(client)
        .tables(&image.place("box", ""));
    scene.scenario(trials.case("here", "").case("box", "place = 'box'"));
    let run = scene.spawn_run(&["--verbose"]);
    wait_until("two containers that read", || image.reading().len() == 2);
    for name in image.containers() {
        let inspected = docker_says(&["inspect", &name]);
        assert!(
            inspected.contains("tandem.run") && !inspected.contains(CANARY),
            "{inspected}"
        );
    }
    for (pid, line) in scene.processes() {
        assert!(!line.contains(CANARY), "process {pid}: {line}");
    }
    let ended = run.end().exits(0);
    assert!(!ended.stderr.contains(CANARY), "{}", ended.stderr);
    assert_eq!(image.containers(), Vec::<String>::new());
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let boxed = trials.iter().find(|trial| trial.configuration_name == "box").unwrap();
    let measured = boxed.measurement.as_ref().unwrap();
    assert_eq!(measured.processes.len(), 2);
    // They are on this machine, by its clock.
    assert!(
        measured.other_hosts.is_empty() && measured.clocks.0.is_empty(),
        "{measured:?}"
    );
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; ssh.rs has the doctor of another place"]
fn the_doctor_goes_all_the_way_to_a_worker_in_a_container_and_names_what_is_wrong() {
    let Some(image) = Image::with_program() else { return };
    let scene = Scene::on_shared_cluster();
    let bootstrap = shared_cluster::bootstrap();
    let doctor = |scene: &Scene, keys: &str| {
        scene.scenario(Scenario::reading(1_000).tables(&image.place("box", keys)));
        scene.tandem(&["doctor", "scene.toml", "--bootstrap", &bootstrap, "--place", "box"])
    };
    let well = doctor(&scene, "cpu_limit = 0.5");
    let well = well
        .prints("engine docker")
        .prints(&format!("image {}", image.name))
        .prints("on this machine")
        .prints("checks of the doctor there are well");
    assert_eq!(well.failed_checks(), 0, "{}", well.stdout);
    assert_eq!(image.containers(), Vec::<String>::new());
    let elsewhere = Scene::on_shared_cluster().environment("DOCKER_HOST", Some("unix:///no/such/engine"));
    doctor(&elsewhere, "").fails_one_check(&["the engine does not answer", "start it"]);
    doctor(&scene, "cpus = '1000'").fails_one_check(&["the engine makes no container", "change what it names"]);
    doctor(&scene, "tandem = '/no/such/tandem'").fails_one_check(&["does not run as a worker", "docker/Dockerfile"]);
}

#[test]
#[ignore = "scripts/test --all; the causes are named by the doctor's test too"]
fn a_place_whose_containers_cannot_be_made_is_one_error_before_the_first_trial() {
    let Some(image) = Image::with_program() else { return };
    let refused = |scene: Scene, tables: &str, case: &str, parts: [&str; 2]| {
        scene.scenario(
            Scenario::reading(1_000)
                .tables(tables)
                .case("box", &format!("place = 'box'\n{case}")),
        );
        scene
            .run(&[])
            .refuses(&["place box (docker image "])
            .says(parts[0])
            .says(parts[1]);
    };
    let scene = || Scene::on_cluster("127.0.0.1:1");
    let nowhere = scene().environment("DOCKER_HOST", Some("unix:///no/such/engine"));
    refused(
        nowhere,
        &image.place("box", ""),
        "",
        ["the engine does not answer", "start it"],
    );
    let no_path = scene().environment("PATH", Some("/nowhere"));
    refused(
        no_path,
        &image.place("box", ""),
        "",
        ["cannot start docker", "install it"],
    );
    let missing = "[[place]]\nname = 'box'\ncontainer = { image = 'localhost:1/no-such-image:1' }\n";
    refused(scene(), missing, "", ["is not here, and cannot be pulled", "build it"]);
    let own = docker_says(&["version", "--format", "{{.Server.Arch}}"]);
    let other = if own == "arm64" { "amd64" } else { "arm64" };
    let foreign = Image::empty(other);
    refused(
        scene(),
        &foreign.place("box", ""),
        "",
        [&format!("is for linux/{other}"), "build the image for"],
    );
    let empty = Image::empty(&own);
    refused(
        scene(),
        &empty.place("box", ""),
        "",
        ["does not run as a worker", "docker/Dockerfile"],
    );
    let go = [
        "has not the ready-made client go-1.22.0 that app \"go\" runs",
        "--target clients",
    ];
    refused(scene(), &image.place("box", ""), "app = 'go'", go);
}

#[test]
#[ignore = "scripts/test --all; limits.rs has the same without an engine"]
fn limits_are_the_engine_s_and_are_named_by_the_place() {
    let Some(image) = Image::with_program() else { return };
    undisturbed(|_| {
        let scene = Scene::on_shared_cluster();
        let trials = Scenario::reading(40_000).consumer("work = 'cpu 50us'");
        let half = image.place("half", "cpu_limit = 0.5");
        scene.scenario(trials.tables(&half).case("half", "place = 'half'"));
        scene.run(&[]).exits(0);
        let trials = scene.trials();
        trials.iter().for_each(read_once);
        let measured = trials[0].measurement.as_ref().unwrap();
        let cores = cores_of_the_first(measured);
        let quotas = &measured.host.quotas;
        let quota = quotas.iter().find(|effect| effect.quota.place() == Some("half"));
        assert!(quota.is_some_and(|effect| effect.throttled_ns > 0), "{quotas:?}");
        assert!((cores - 0.5).abs() <= 0.015, "{cores} cores");
        let report = fs::read_to_string(scene.out().join("report.md")).unwrap();
        let named = "the `cpu_limit` of place half gives 0.5 cores to workers";
        assert!(
            report.contains(named) && !report.contains("machine saturated"),
            "{report}"
        );
    });
}

#[test]
#[ignore = "scripts/test --all; limits.rs has the same without an engine"]
fn a_worker_beyond_the_memory_of_its_container_fails_by_the_limit_s_name() {
    let Some(image) = Image::with_program() else { return };
    let scene = Scene::on_shared_cluster();
    let small = image.place("small", "memory_limit = '12MiB'");
    scene.scenario(
        Scenario::reading(200_000)
            .tables(&small)
            .case("small", "place = 'small'"),
    );
    scene.run(&[]).exits(1);
    fails_for_want_of_memory(&scene);
    assert_eq!(image.containers(), Vec::<String>::new());
}

#[test]
#[ignore = "scripts/test --all; planned_acts.rs has the same without an engine"]
fn acts_reach_what_runs_in_a_container() {
    let Some(image) = Image::with_program() else { return };
    let scene = Scene::on_shared_cluster();
    scene.scenario(format!(
        "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[dataset]\npartitions = 4\nrecords = 20_000\nsize = 100\n\
         [trial]\nrecords = 20_000\n[consumer]\nprocesses = 2\nwork = 'wait 1ms'\ncommit = 'per-batch'\nplace = 'box'\n\
         [consumer.client]\n'session.timeout.ms' = 6000\n'heartbeat.interval.ms' = 500\n\
         [[event]]\nat = '10%'\ndo = 'pause'\nfor = '1s'\nwhat = 'process 1'\n\
         [[event]]\nat = '30%'\ndo = 'restart'\nhow = 'kill'\nfor = '1s'\nwhat = 'process 2'\n{}",
        image.place("box", "")
    ));
    scene.run(&[]).exits(0);
    let trials = scene.trials();
    let measured = complete(&trials[0]);
    let members = measured.members.iter();
    let lives: Vec<(u32, u32, bool)> = members
        .map(|member| (member.process, member.life, member.was_killed))
        .collect();
    assert_eq!(lives, [(0, 0, false), (1, 0, true), (1, 1, false)]);
    assert_eq!(image.containers(), Vec::<String>::new());
}

/// A run whose workers take their time, in two containers that have begun to read.
fn slow_run(scene: &Scene, image: &Image) -> crate::scene::Running {
    let slow = Scenario::reading(20_000).consumer("work = 'wait 2ms'\nprocesses = 2");
    scene.scenario(slow.tables(&image.place("box", "")).case("box", "place = 'box'"));
    let run = scene.spawn_run(&[]);
    wait_until("two containers that read", || image.reading().len() == 2);
    run
}

#[test]
#[ignore = "scripts/test --all; guardian.rs has the same of other processes"]
fn a_killed_run_leaves_no_container() {
    let Some(image) = Image::with_program() else { return };
    let scene = Scene::on_shared_cluster();
    let run = slow_run(&scene, &image);
    // A paused one cannot notice that its input has ended.
    docker_says(&["pause", &image.containers()[0]]);
    run.signal(Signal::SIGKILL);
    let is_empty = || image.containers().is_empty();
    assert!(within(Duration::from_secs(15), is_empty), "{:?}", image.containers());
    run.end();
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; ssh.rs has the same on another host"]
fn without_its_guardian_too_workers_end_with_their_input_and_the_next_start_removes_the_rest() {
    let Some(image) = Image::with_program() else { return };
    let scene = Scene::on_shared_cluster();
    let run = slow_run(&scene, &image);
    for (pid, _) in scene
        .processes()
        .into_iter()
        .filter(|(_, line)| line.contains(" guardian "))
    {
        signal(pid, Signal::SIGKILL);
    }
    run.signal(Signal::SIGKILL);
    let names = image.containers();
    let running = || {
        let all = docker_says(&["ps", "--format", "{{.Names}}"]);
        names
            .iter()
            .filter(|name| all.lines().any(|line| line == *name))
            .count()
    };
    assert!(
        within(Duration::from_secs(15), || running() == 0),
        "{names:?} still run"
    );
    run.end();
    let _ = scene.tandem(&["clean", "--yes"]).exits(0);
    assert_eq!(image.containers(), Vec::<String>::new());
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; ssh_faults.rs has the same on another host"]
fn a_silent_program_goes_with_its_container_when_its_observer_is_killed() {
    let Some(image) = Image::with_program() else { return };
    let scene = Scene::on_shared_cluster();
    // Any program will do that waits: the image has but one.
    let command = "['tandem', 'worker', 'idle', '600', '{properties_file}']";
    let app = format!("[[app]]\nname = 'service'\ncommand = {command}\nspeaks = 'nothing'\n");
    let trials = Scenario::reading(1_000).consumer("app = 'service'");
    scene.scenario(
        trials
            .tables(&(app + &image.place("box", "")))
            .case("box", "place = 'box'"),
    );
    let run = scene.spawn_run(&[]);
    let programs = || processes_with("worker idle 600 /tmp/tandem-program-");
    wait_until("the program", || !programs().is_empty());
    // Neither the engine's program nor the first process of the container.
    let mut observers = processes_with("tandem worker observer").into_iter();
    let observer = observers.find(|pid| line_of(*pid).starts_with("tandem "));
    signal(observer.unwrap(), Signal::SIGKILL);
    assert!(within(Duration::from_secs(5), || programs().is_empty()));
    run.end().exits(1);
    let trials = scene.trials();
    let found = failure(&trials[0]);
    assert!(
        found.message.contains("has ended: it was killed (signal 9)"),
        "{found:?}"
    );
    // With the file in it.
    assert_eq!(image.containers(), Vec::<String>::new());
}

#[test]
#[ignore = "scripts/test --all; the causes that need no engine are named in apps.rs"]
fn an_app_that_the_image_lacks_is_one_error_with_both_before_the_first_trial() {
    let Some(image) = Image::with_program() else { return };
    for speaks in ["tandem", "nothing"] {
        let scene = Scene::on_shared_cluster();
        let app = format!("[[app]]\nname = 'mine'\ncommand = ['no-such-app']\nspeaks = '{speaks}'\n");
        let trials = Scenario::reading(1_000).consumer("app = 'mine'");
        let tables = app + &image.place("box", "");
        scene.scenario(trials.tables(&tables).case("box", "place = 'box'"));
        let named = format!("the app \"mine\" at place box (docker image {})", image.name);
        scene.run(&[]).refuses(&[&named, "no-such-app"]);
    }
    assert_eq!(image.containers(), Vec::<String>::new());
}

#[test]
#[ignore = "scripts/test --all; place_leftovers::tests says what may be deleted"]
fn stopped_containers_that_nobody_knows_of_are_listed_and_removed_and_running_ones_stay() {
    let Some(image) = Image::with_program() else { return };
    let scene = Scene::new();
    scene.scenario(Scenario::reading(1_000).tables(&image.place("box", "")));
    let run = |name: &str, id: &str, seconds: &str| {
        let (name, label) = (format!("--name={name}"), format!("--label=tandem.run={id}"));
        docker_says(&[
            "run",
            "--detach",
            &name,
            &label,
            &image.name,
            "tandem",
            "worker",
            "idle",
            seconds,
            id,
        ]);
    };
    let id = std::process::id();
    let (stopped, running) = (format!("stopped-{id}"), format!("running-{id}"));
    run(&stopped, &stopped, "0");
    run(&running, &running, "600");
    wait_until("a stopped container", || {
        docker_says(&["ps", "--format", "{{.Names}}"])
            .lines()
            .all(|name| name != stopped)
    });
    let clean = |more: &[&str]| scene.tandem(&[&["clean", "scene.toml", "--place", "box"], more].concat());
    let listed = clean(&[]).exits(1);
    listed
        .prints(&format!("containers {stopped}, none of which runs"))
        .prints("is not deleted: the run may go on elsewhere");
    clean(&["--yes"]).exits(1);
    assert_eq!(image.containers(), [running.as_str()]);
    docker_says(&["kill", &running]);
    // Other tests have containers of their own there.
    let removed = clean(&["--yes"]);
    removed.prints(&format!("run {running}: containers {running}, none of which runs"));
    assert_eq!(image.containers(), Vec::<String>::new());
}

#[test]
#[ignore = "scripts/test --all; deaths.rs has the deaths of other workers"]
fn a_container_that_is_killed_and_an_engine_s_program_that_is_killed_fail_their_trials_by_name() {
    let Some(image) = Image::with_program() else { return };
    let scene = Scene::on_shared_cluster();
    let slow = Scenario::reading(2_000).consumer("work = 'wait 2ms'").repetitions(3);
    scene.scenario(slow.tables(&image.place("box", "")).case("box", "place = 'box'"));
    let run = scene.spawn_run(&[]);
    wait_until("a container that reads", || !image.reading().is_empty());
    let first = image.reading();
    docker(&["kill", &first[0]]);
    wait_until("another container that reads", || {
        image.reading().iter().any(|name| !first.contains(name))
    });
    for pid in scene.processes_of("docker run ") {
        signal(pid, Signal::SIGKILL);
    }
    run.end();
    let trials = scene.trials();
    let causes = [
        "has ended: it was killed (signal 9)",
        "its `docker run` is over, and with it the container",
    ];
    for (trial, cause) in trials.iter().zip(causes) {
        let found = failure(trial);
        assert_eq!(found.kind, FailureKind::WorkerDied, "{found:?}");
        assert!(found.message.contains(cause), "{found:?}");
    }
    read_once(trials.last().unwrap());
    assert_eq!(image.containers(), Vec::<String>::new());
}
