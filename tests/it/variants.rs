//! Two clusters, and two builds, in the same blocks of one run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tandem::measure::Environment;
use tandem::store::RunDir;

use crate::clients::names_on;
use crate::scenario::Scenario;
use crate::scene::{Ended, PROGRAM, Scene, read_once, wait_until};
use crate::shared_cluster::{self, Shared};

fn two_cases() -> Scenario {
    let trials = Scenario::two_short_cases().repetitions(2);
    trials.consumer("work = 'wait 500us'").consumer("commit = 'auto'")
}

fn environment(scene: &Scene) -> Environment {
    RunDir::open(&scene.out()).unwrap().read_environment().unwrap().unwrap()
}

/// Another file with this program in it.
fn copy_of_program(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join("tandem");
    fs::copy(PROGRAM, &path).unwrap();
    path
}

fn script(scene: &Scene, name: &str, text: &str) -> String {
    let path = scene.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Checks that a run was refused before there was anything of it.
#[track_caller]
fn refused(scene: &Scene, ended: Ended, parts: &[&str]) {
    ended.refuses(parts);
    assert!(!scene.out().exists());
    scene.assert_no_processes();
}

#[test]
fn a_scenario_is_run_on_both_clusters_and_nothing_is_left_on_either() {
    let scene = Scene::on_shared_cluster();
    let second = shared_cluster::second_bootstrap();
    let prefix = "both-";
    scene.scenario(two_cases().prefix(prefix));
    let run = scene.spawn_run(&["--against", &second]);
    for bootstrap in [shared_cluster::bootstrap(), second.clone()] {
        wait_until("a group of a trial", || {
            let (topics, groups) = names_on(&bootstrap, prefix);
            !topics.is_empty() && groups.iter().any(|group| group.contains("-t"))
        });
    }
    let record = fs::read_to_string(scene.out().join("leftovers.json")).unwrap();
    assert!(record.contains(&second), "{record}");
    let ended = run.end().exits(0).prints(&format!("the cluster {second}"));

    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let names: std::collections::BTreeSet<&str> = trials.iter().map(|t| t.configuration_name.as_str()).collect();
    let first = shared_cluster::bootstrap();
    let expected = [&first, &second].map(|cluster| ["one", "two"].map(|case| format!("{case} cluster={cluster}")));
    assert_eq!(names, expected.iter().flatten().map(String::as_str).collect());
    // 2 cases on 2 clusters, in 1 block of warm-up and 2 that count.
    assert_eq!(trials.len(), 12);
    let environment = environment(&scene);
    assert_eq!(environment.cluster.bootstrap, first);
    let others: Vec<&str> = environment
        .other_clusters
        .iter()
        .map(|other| &*other.bootstrap)
        .collect();
    assert_eq!(others, [&second]);
    let rows = scene.table("summary.csv");
    assert_eq!(rows[1]["cluster"], second);

    for bootstrap in [first, second] {
        assert_eq!(
            names_on(&bootstrap, prefix),
            (Vec::new(), Vec::new()),
            "{bootstrap}; the run said {}",
            ended.stderr
        );
    }
    assert!(!scene.out().join("leftovers.json").exists());
}

#[test]
fn a_second_cluster_that_does_not_answer_is_named_and_the_first_under_another_name_is_none() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(two_cases());
    refused(
        &scene,
        scene.run(&["--against", "127.0.0.1:1"]),
        &["--against, 127.0.0.1:1"],
    );
    let first = shared_cluster::bootstrap();
    refused(&scene, scene.run(&["--against", &first]), &[&first, "name another one"]);
    let alias = first.replace("127.0.0.1", "localhost");
    assert_ne!(alias, first);
    refused(&scene, scene.run(&["--against", &alias]), &[&alias, "name another one"]);
}

#[test]
#[ignore = "scripts/test --all; the standard tier kills the only broker of a run: deaths.rs"]
fn a_second_cluster_that_goes_away_ends_the_run_so_that_it_can_be_resumed() {
    let scene = Scene::on_shared_cluster();
    let dying = Shared::start("dying");
    let second = dying.bootstrap();
    scene.scenario(two_cases().repetitions(300).prefix("dying-"));
    let run = scene.spawn_run(&["--against", &second, "--stall-limit", "3"]);
    wait_until("a counted trial", || {
        scene.out().exists() && scene.trial_files().len() > 5
    });
    dying.broker().kill().unwrap();
    let ended = run.end().exits(1).says("the cluster is gone").says("--resume");
    assert!(ended.stderr.contains(&second), "{}", ended.stderr);
    // What could not be removed is remembered; the first cluster is clean.
    let record = fs::read_to_string(scene.out().join("leftovers.json")).unwrap();
    assert!(
        record.contains(&second) && !record.contains(&shared_cluster::bootstrap()),
        "{record}"
    );
    let (topics, groups) = names_on(&shared_cluster::bootstrap(), "dying-");
    assert!(topics.is_empty() && groups.is_empty(), "{topics:?} {groups:?}");
}

#[test]
fn workers_of_both_builds_are_started_behind_their_launcher_and_the_builds_are_recorded() {
    let scene = Scene::on_shared_cluster();
    let other = copy_of_program(&scene.path().join("other"));
    let binaries = format!("{PROGRAM},{}", other.display());
    let place = "[[place]]\nname = 'nice'\nlauncher = ['nice', '-n', '1', '{tandem}', 'worker']";
    scene.scenario(two_cases().consumer("place = 'nice'").tables(place));
    let own = niceness(std::process::id()).unwrap();
    let run = scene.spawn_run(&["--binary", &binaries]);
    for build in [Path::new(PROGRAM), &other] {
        let started = format!("{} worker consumer", build.display());
        wait_until(&started, || {
            let pids = scene.processes_of(&started).into_iter();
            pids.filter_map(niceness).any(|nice| nice == own + 1)
        });
    }
    run.end().exits(0).prints("the build other");
    scene.trials().iter().for_each(read_once);
    let builds = environment(&scene).builds;
    let found: Vec<(&str, &Path)> = builds.iter().map(|build| (&*build.name, &*build.path)).collect();
    assert_eq!(found, [("debug", Path::new(PROGRAM)), ("other", &other)]);
    for build in &builds {
        assert_eq!(
            build.version.as_deref(),
            Some(concat!("tandem ", env!("CARGO_PKG_VERSION")))
        );
        assert!(
            build.client == "librdkafka" && build.client_version.contains('.'),
            "{build:?}"
        );
    }
    assert_eq!(scene.table("summary.csv")[3]["binary"], "other");

    // The run is complete; going on with it still takes the builds that it was made with.
    let bytes = fs::read(&other).unwrap();
    fs::write(&other, [&bytes[..], b"\n"].concat()).unwrap();
    scene.resume().says("another environment: a build was other").exits(1);
    fs::remove_file(&other).unwrap();
    scene.resume().exits(2).says("there is no program").says("other/tandem");
    assert!(scene.out().join("plan.json").exists());
}

#[test]
fn a_run_of_two_builds_fails_where_its_condition_cannot_be_judged() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(two_cases());
    let binaries = format!("{PROGRAM},{PROGRAM}");
    // One block has no interval, whatever the builds are like.
    let gate = ["--repetitions", "1", "--fail-on", "slower", "--junit", "tests.xml"];
    let ended = scene.run(&[&["--binary", &binaries], &gate[..]].concat());
    let ended = ended.exits(1);
    let said = "tandem: --fail-on slower cannot be judged of one binary=tandem#2; two binary=tandem#2: too few";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    scene.trials().iter().for_each(read_once);
    let tests = fs::read_to_string(scene.path().join("tests.xml")).unwrap();
    assert!(tests.contains("tests=\"3\" failures=\"2\" errors=\"0\""), "{tests}");
    // What was measured is no failure, and without the condition the report is well.
    scene.tandem(&["report", "out", "--junit", "tests.xml"]).exits(0);
    let tests = fs::read_to_string(scene.path().join("tests.xml")).unwrap();
    assert!(tests.contains("tests=\"3\" failures=\"0\" errors=\"0\""), "{tests}");
}

/// How nice a process is: field 19 of its `/proc/PID/stat`.
fn niceness(pid: u32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(19 - 3)?.parse().ok()
}

#[test]
fn what_is_no_build_is_refused_before_anything_is_started() {
    let scene = Scene::new();
    scene.scenario(two_cases());
    let run = |build: &str| scene.run(&["--binary", &format!("{PROGRAM},{build}")]);
    refused(
        &scene,
        run("nowhere/tandem"),
        &["there is no program", "nowhere/tandem"],
    );
    refused(&scene, run("scene.toml"), &["scene.toml", "not an executable program"]);
    refused(&scene, run("/bin/true"), &["/bin/true is no tandem", "exit code 0"]);
    let liar = script(
        &scene,
        "liar",
        "#!/bin/sh\necho '{\"type\":\"hello\",\"protocol\":99,\"client\":\"x\",\"client_version\":\"1\",\"pid\":1}'\nread x\n",
    );
    refused(&scene, run(&liar), &["liar", "version 99", "protocol"]);
    refused(&scene, scene.run(&["--binary", PROGRAM]), &["two builds or more"]);
    let missing = scene.tandem(&["plan", "scene.toml", "--binary", &format!("{PROGRAM},nowhere")]);
    refused(&scene, missing, &["there is no program"]);
}
