//! A secret is where it is used and nowhere else.

use std::time::Duration;

use crate::scene::{Scene, files_below};

const CANARY: &str = "canary-4711-must-not-sing";

const SCENARIO: &str = r#"
question = "Does a secret stay one?"
repetitions = 2
warmup_blocks = 0
[dataset]
partitions = 2
records = 2_000
[trial]
records = 2_000
[consumer]
work = "wait 500us"
[cluster.client]
"sasl.username" = "somebody"
"sasl.password" = { env = "TANDEM_TEST_SECRET" }
"#;

#[test]
fn a_secret_is_in_no_file_no_output_and_no_command_line() {
    let scene = Scene::on_shared_cluster().environment("TANDEM_TEST_SECRET", Some(CANARY));
    let mut run = scene.scenario(SCENARIO).spawn_run(&["--verbose"]);
    run.wait_for("[1/");
    let mut seen_workers = false;
    for _ in 0..20 {
        for (pid, line) in scene.processes() {
            assert!(!line.contains(CANARY), "process {pid}: {line}");
            seen_workers |= line.contains("worker consumer");
        }
        assert_clean(&scene);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(seen_workers);
    let ended = run.end().exits(0);
    assert!(!ended.stdout.contains(CANARY) && !ended.stderr.contains(CANARY));
    assert_clean(&scene);
    let environment = std::fs::read_to_string(scene.out().join("environment.json")).unwrap();
    assert!(
        environment.contains("sasl.password"),
        "that it was set is told: {environment}"
    );
}

/// A client of somebody else may print its settings where it fails.
const TALKATIVE: &str = r#"
[[place]]
name = "talkative"
launcher = ["sh", "-c", "echo talking $TANDEM_TEST_SECRET; echo sasl.password=$TANDEM_TEST_SECRET >&2; exit 3"]
[consumer]
place = "talkative"
"#;

#[test]
fn a_worker_that_tells_the_secret_is_not_quoted_with_it() {
    let scene = Scene::on_shared_cluster().environment("TANDEM_TEST_SECRET", Some(CANARY));
    let text = SCENARIO.replace("[consumer]\nwork = \"wait 500us\"\n", "");
    scene.scenario(&format!("{text}{TALKATIVE}"));
    let ended = scene.run(&["--verbose"]).exits(1);
    for said in [&ended.stdout, &ended.stderr] {
        assert!(!said.contains(CANARY), "{said}");
    }
    assert!(
        ended.stderr.contains("worker: sasl.password=(hidden)"),
        "{}",
        ended.stderr
    );
    let failure = crate::scene::failure(&scene.trials()[0]).message.clone();
    assert!(failure.contains("sasl.password=(hidden)"), "{failure}");
    assert_clean(&scene);
}

/// Checks the run's folder and the state folder.
fn assert_clean(scene: &Scene) {
    for (path, contents) in files_below(scene.path()) {
        let text = String::from_utf8_lossy(&contents);
        assert!(!text.contains(CANARY), "{}", path.display());
    }
}
