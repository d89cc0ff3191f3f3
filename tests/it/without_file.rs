//! Scenarios that flags make.

use std::fs;

use crate::scene::{Scene, read_once};
use crate::shared_cluster::{bootstrap, names};

#[test]
fn flags_alone_make_a_run_whose_scenario_can_be_kept() {
    let scene = Scene::on_shared_cluster();
    let bootstrap = bootstrap();
    let arguments = [
        "--partitions",
        "2",
        "--records",
        "20_000",
        "--consumers",
        "1,2",
        "--seconds",
        "0.05",
        "--client",
        "fetch.min.bytes=2",
        "--dataset-client",
        "batch.num.messages=100",
        "--prefix",
        "flags-",
        "--warmup-blocks",
        "0",
        "--repetitions",
        "2",
    ];
    let run = ["run", "--out", "out", "--bootstrap", &bootstrap, "--keep-data"];
    let ended = scene.tandem(&[&run[..], &arguments[..]].concat()).exits(0);
    let kept = fs::read_to_string(scene.out().join("scenario.toml")).unwrap();
    assert!(ended.stderr.contains(&kept), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("does it matter whether consumers is 1"),
        "{}",
        ended.stdout
    );
    scene.trials().iter().for_each(read_once);
    let rows = scene.table("summary.csv");
    let consumers: Vec<&str> = rows.iter().map(|row| row["consumers_per_process"].as_str()).collect();
    assert_eq!(consumers, ["1", "2"]);
    let report = fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(report.contains("dataset.client.batch.num.messages"), "{report}");

    // The file that was kept is the same scenario, and reads the data set that the flags have made.
    let again = ["run", "out/scenario.toml", "--out", "again", "--bootstrap", &bootstrap];
    let again = scene.tandem(&[&again[..], &["--keep-data", "--repetitions", "2"]].concat());
    again.exits(0).says("reads the data set kept since");
    // With other batches it is another data set.
    let topics = |prefix| names(prefix).0.len();
    let before = topics("flags-");
    let mut other = arguments;
    other[11] = "batch.num.messages=1000";
    let run = ["run", "--out", "other", "--bootstrap", &bootstrap, "--keep-data"];
    scene
        .tandem(&[&run[..], &other[..]].concat())
        .exits(0)
        .says("filled a data set");
    assert_eq!(topics("flags-"), 2 * before);
    scene
        .tandem(&["clean", "out/scenario.toml", "--bootstrap", &bootstrap, "--yes"])
        .exits(0);
}

#[test]
fn a_file_and_flags_for_a_scenario_exclude_each_other_and_errors_name_the_flag() {
    let scene = Scene::new();
    scene.scenario("question = '?'");
    for command in ["run", "plan"] {
        scene
            .tandem(&[command, "scene.toml", "--partitions", "2"])
            .exits(2)
            .says("scene.toml and --partitions: a scenario comes from a file or from such flags");
        scene
            .tandem(&[command, "--partitions", "0", "--work", "sleep 1s"])
            .exits(2)
            .says("--partitions: `partitions` cannot be 0")
            .says("--work: `work` cannot be \"sleep 1s\"");
    }
    scene
        .tandem(&["run", "--resume", "out", "--partitions", "2"])
        .exits(2)
        .says("--resume out and --partitions: a run goes on with the scenario that it began with");
    scene
        .tandem(&["plan", "--mib_per_second", "1", "--consumers", "1,2"])
        .exits(0)
        .prints("mib_per_second = 1");
}
