//! Runs on a real broker, compared.

use std::fs;

use serde_json::Value;

use crate::scene::{Ended, Scene, files_below, undisturbed};

/// Work slows the reader, so its short queue is soon full. The number of records is fixed, so that both runs read the same.
const SCENARIO: &str = r#"
question = "How much does it cost to wait long when the queues are full?"
repetitions = 5
[dataset]
records = 60_000
[trial]
records = 60_000
[consumer]
work = "cpu 2us"
[[case]]
name = "one process"
[consumer.client]
"queued.min.messages" = 10_000
"#;

const WAITING: &str = "\"fetch.queue.backoff.ms\" = 300\n";

fn run(scene: &Scene, text: &str, out: &str) {
    scene.scenario(text).spawn_run_to(out, &["--quiet"]).end().exits(0);
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", ended.stdout))
}

#[test]
fn a_run_is_the_same_as_itself_and_one_that_waits_on_full_queues_is_slower() {
    undisturbed(|_| {
        let scene = Scene::on_shared_cluster();
        run(&scene, SCENARIO, "quick");
        run(&scene, &format!("{SCENARIO}{WAITING}"), "waiting");
        let before = files_below(scene.path());

        let strict = ["--fail-on", "slower", "--fail-on", "undecided"];
        let compare = |runs: &[&str], more: &[&str]| scene.tandem(&[&["compare"], runs, more].concat());
        let itself = compare(&["quick", "quick"], &[&strict[..], &["--format", "json"]].concat()).exits(0);
        let verdicts = json(&itself)["verdicts"].as_array().unwrap().clone();
        assert_eq!(verdicts.len(), 1);
        assert!(verdicts.iter().all(|v| v["verdict"] == "same"), "{verdicts:?}");

        let slower = compare(&["quick", "waiting"], &["--fail-on", "slower"])
            .exits(1)
            .says("holds of one process in B");
        let slower = slower.prints("materially slower");
        let setting = slower
            .stdout
            .lines()
            .find(|line| line.contains("client.fetch.queue.backoff.ms"));
        let values: Vec<&str> = setting.unwrap_or_default().split_whitespace().collect();
        assert_eq!(
            values,
            ["client.fetch.queue.backoff.ms", "10", "300"],
            "{}",
            slower.stdout
        );
        let found = json(&compare(&["quick", "waiting"], &["--format", "json", "--fail-on", "slower:20%"]).exits(1));
        assert!(
            found["verdicts"][0]["ratio"]["point"].as_f64().unwrap() < 0.7,
            "{found}"
        );
        compare(&["waiting", "quick"], &strict).exits(0);

        assert!(before == files_below(scene.path()), "comparing wrote into a run");
        let page = compare(&["quick", "waiting"], &["--html", "page.html", "--format", "markdown"]).exits(0);
        assert!(
            page.stdout.starts_with("# Comparison of runs: How much"),
            "{}",
            page.stdout
        );
        let page = fs::read_to_string(scene.path().join("page.html")).unwrap();
        assert!(page.contains("<svg") && page.ends_with("</html>\n"));
        refusals(&scene);
    });
}

/// Everything that can be wrong with what is given.
fn refusals(scene: &Scene) {
    let refused = |arguments: &[&str], says: &str| {
        let all = [&["compare"], arguments].concat();
        scene.tandem(&all).exits(2).says(says);
    };
    refused(&["quick"], "2");
    refused(
        &["quick", "nowhere"],
        "nowhere is not a run of tandem (there is no such folder)",
    );
    refused(
        &["quick", "scene.toml"],
        "scene.toml is not a run of tandem (it is a file)",
    );
    refused(&["quick", "."], "name one, such as");
    refused(&["quick", "waiting", "--html", "quick"], "this is a folder");
    refused(&["quick", "waiting", "--html", "no/page.html"], "there is no folder no");
    refused(&["quick", "waiting", "--fail-on", "slower:5"], "must be a percentage");
    let trial = scene.path().join("waiting/trials/0003.json");
    let text = fs::read_to_string(&trial).unwrap();
    fs::write(&trial, &text[..text.len() / 2]).unwrap();
    refused(&["quick", "waiting"], "0003.json is damaged");
    fs::remove_dir_all(scene.path().join("waiting/trials")).unwrap();
    refused(&["quick", "waiting"], "waiting has no trials");
}
