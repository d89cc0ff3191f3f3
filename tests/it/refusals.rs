//! What cannot be run is refused with one clear message and exit code 2, and nothing is left of it.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::scenario::Scenario;
use crate::scene::{Ended, Scene, wait_until};

/// Names in the scene's folder.
fn names(scene: &Scene) -> Vec<String> {
    let entries = fs::read_dir(scene.path()).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    // The folder of the records of leftovers may be made, but nothing may be in it.
    names.retain(|name| name != "state");
    names.sort();
    names
}

/// Runs the program, which must refuse with a message that contains these parts.
#[track_caller]
fn refused(scene: &Scene, arguments: &[&str], parts: &[&str]) -> Ended {
    let before = names(scene);
    let ended = scene.tandem(arguments).refuses(parts);
    assert_eq!(names(scene), before);
    let runs = fs::read_dir(scene.path().join("state/tandem/runs")).map_or(0, Iterator::count);
    assert_eq!(runs, 0, "a record of leftovers");
    scene.assert_no_processes();
    ended
}

#[track_caller]
fn refused_text(text: &str, parts: &[&str]) -> Ended {
    let scene = Scene::new();
    scene.scenario(text);
    refused(&scene, &["run", "scene.toml"], parts)
}

const SMALL: &str = "question = \"q\"\n[dataset]\nrecords = 1_000\n[trial]\nrecords = 1_000\n";

#[test]
fn a_file_that_is_not_there() {
    refused(&Scene::new(), &["run", "nothing.toml"], &["nothing.toml"]);
    refused(&Scene::new(), &["plan", "one-vs-too"], &["one-vs-too"]);
}

#[test]
fn an_empty_file_and_one_that_is_no_text() {
    refused_text("", &["scene.toml"]);
    let scene = Scene::new();
    fs::write(scene.path().join("scene.toml"), [0, 159, 146, 150, 255, 0, 1]).unwrap();
    refused(&scene, &["run", "scene.toml"], &["scene.toml", "not text"]);
}

#[test]
fn an_unknown_key_with_what_was_meant() {
    refused_text(
        "question = \"q\"\n[dataset]\npartitons = 2\n",
        &["scene.toml:3:1", "partitons", "did you mean", "partitions"],
    );
}

#[test]
fn a_wrong_type_and_a_value_out_of_range_both_at_once() {
    let text = "question = \"q\"\n[dataset]\npartitions = \"two\"\nrecords = -5\n";
    refused_text(text, &["\"two\"", "-5", "scene.toml:3", ":4:"]);
}

#[test]
fn a_matrix_of_a_million_configurations() {
    let mut text = "question = \"q\"\n[matrix]\n".to_owned();
    for key in ["partitions", "consumers", "processes", "size", "groups", "topics"] {
        let _ = writeln!(text, "{key} = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]");
    }
    let ended = refused_text(&text, &["1,000,000 configurations", "at most 10,000"]);
    assert!(ended.took < Duration::from_secs(20), "{:?}", ended.took);
}

#[test]
fn more_data_than_the_disk_holds() {
    let text = "question = \"q\"\n[dataset]\nrecords = 10_000_000_000\nsize = 100_000\n";
    refused_text(text, &["GiB", "lower [dataset] records"]);
}

#[test]
fn a_cluster_that_does_not_answer() {
    let scene = Scene::new();
    scene.scenario(SMALL);
    let ended = refused(
        &scene,
        &["run", "scene.toml", "--bootstrap", "127.0.0.1:1"],
        &["127.0.0.1:1"],
    );
    assert!(ended.took < Duration::from_secs(40), "{:?}", ended.took);
    refused(
        &scene,
        &["run", "scene.toml", "--bootstrap", "nowhere.invalid:9092"],
        &["nowhere.invalid:9092"],
    );
}

#[test]
fn a_bootstrap_that_is_no_address() {
    let scene = Scene::new();
    scene.scenario(SMALL);
    refused(&scene, &["run", "scene.toml", "--bootstrap", "no port"], &["no port"]);
}

#[test]
fn a_java_that_is_too_old_and_none_at_all() {
    let old = Scene::new();
    let program = old.path().join("java/bin/java");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::write(&program, "#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let home = old.path().join("java").to_str().unwrap().to_owned();
    let old = old.environment("JAVA_HOME", Some(&home));
    old.scenario(SMALL);
    refused(&old, &["run", "scene.toml"], &["1.8.0_402", "needs Java 17"]);

    let none = Scene::new()
        .environment("JAVA_HOME", None)
        .environment("PATH", Some("/nowhere"));
    none.scenario(SMALL);
    refused(&none, &["run", "scene.toml"], &["no Java found", "needs Java 17"]);
}

#[test]
fn a_kafka_home_that_is_none() {
    let scene = Scene::new().environment("KAFKA_HOME", Some("/nowhere"));
    scene.scenario(SMALL);
    refused(&scene, &["run", "scene.toml"], &["KAFKA_HOME is /nowhere", "libs"]);
}

#[test]
fn a_secret_whose_variable_is_not_set() {
    let text = format!("{SMALL}[cluster.client]\n\"sasl.password\" = {{ env = \"TANDEM_TEST_UNSET\" }}\n");
    refused_text(&text, &["sasl.password", "TANDEM_TEST_UNSET", "not set"]);
}

#[test]
fn an_out_folder_with_something_in_it() {
    let scene = Scene::new();
    scene.scenario(SMALL);
    fs::create_dir(scene.path().join("full")).unwrap();
    fs::write(scene.path().join("full/precious"), "x").unwrap();
    refused(
        &scene,
        &["run", "scene.toml", "--out", "full"],
        &["full is not empty", "--resume"],
    );
    assert_eq!(fs::read_to_string(scene.path().join("full/precious")).unwrap(), "x");
    fs::write(scene.path().join("file"), "x").unwrap();
    refused(
        &scene,
        &["run", "scene.toml", "--out", "file/below"],
        &["file is a file"],
    );
}

/// Nobody may make folders here, not even who may do everything else.
const FORBIDDEN: &str = "/sys/tandem";

#[test]
fn a_folder_that_may_not_be_made_with_its_path_and_what_names_another() {
    let scene = Scene::new();
    scene.scenario(SMALL);
    refused(
        &scene,
        &["run", "scene.toml", "--out", FORBIDDEN],
        &[FORBIDDEN, "--out DIR"],
    );
    let scene = Scene::new().environment("XDG_STATE_HOME", Some(FORBIDDEN));
    scene.scenario(SMALL);
    refused(
        &scene,
        &["run", "scene.toml"],
        &["/sys/tandem/tandem/runs", "XDG_STATE_HOME"],
    );
}

#[test]
fn a_folder_that_holds_no_run() {
    let scene = Scene::new();
    fs::create_dir(scene.path().join("empty")).unwrap();
    refused(&scene, &["run", "--resume", "empty"], &["empty holds no run"]);
    refused(&scene, &["report", "empty"], &["empty holds no run"]);
    refused(&scene, &["run", "--resume", "nowhere"], &["nowhere holds no run"]);
}

#[test]
fn a_case_that_does_not_exist() {
    let scene = Scene::new();
    scene.scenario(format!(
        "{SMALL}[[case]]\nname = \"one\"\n[[case]]\nname = \"two\"\nprocesses = 2\n"
    ));
    refused(&scene, &["run", "scene.toml", "--only", "three"], &["three", "one"]);
}

#[test]
fn two_files_for_one_out_folder() {
    let scene = Scene::new();
    scene.scenario(SMALL);
    refused(
        &scene,
        &["run", "scene.toml", "scene.toml", "--out", "out"],
        &["--out", "one scenario"],
    );
}

#[test]
fn a_resumption_that_cannot_start_keeps_the_run() {
    let scene = Scene::on_shared_cluster();
    let slow = Scenario::reading(1_000).repetitions(3).consumer("work = 'wait 1ms'");
    let run = scene.scenario(slow).spawn_run(&[]);
    wait_until("a worker", || !scene.processes_of("worker consumer").is_empty());
    run.signal(nix::sys::signal::Signal::SIGKILL);
    run.end();
    scene.assert_no_processes();
    // Nothing was measured yet; a plan with an address where nobody is stands for a cluster that is down.
    let plan = scene.out().join("plan.json");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace(&crate::shared_cluster::bootstrap(), "127.0.0.1:1")).unwrap();
    scene.resume().exits(2).says("127.0.0.1:1");
    assert!(
        plan.exists() && scene.out().join("scenario.toml").exists(),
        "the run was thrown away"
    );
}
