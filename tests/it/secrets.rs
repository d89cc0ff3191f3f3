//! A secret is where it is used and nowhere else.

use std::time::Duration;

use crate::scenario::Scenario;
use crate::scene::{Scene, failure, files_below};

const CANARY: &str = "canary-4711-must-not-sing";

fn scenario() -> Scenario {
    let client = "[cluster.client]\n'sasl.username' = 'somebody'\n'sasl.password' = { env = 'TANDEM_TEST_SECRET' }";
    Scenario::reading(2_000).repetitions(2).tables(client)
}

#[test]
fn a_secret_is_in_no_file_no_output_and_no_command_line() {
    let scene = Scene::on_shared_cluster().environment("TANDEM_TEST_SECRET", Some(CANARY));
    let working = scenario().consumer("work = 'wait 500us'");
    let mut run = scene.scenario(working).spawn_run(&["--verbose"]);
    run.wait_for("[1/");
    let mut workers_ran = false;
    for _ in 0..20 {
        for (pid, line) in scene.processes() {
            assert!(!line.contains(CANARY), "process {pid}: {line}");
            workers_ran |= line.contains("worker consumer");
        }
        assert_clean(&scene);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(workers_ran);
    let ended = run.end().exits(0);
    assert!(!ended.stdout.contains(CANARY) && !ended.stderr.contains(CANARY));
    assert_clean(&scene);
    let environment = std::fs::read_to_string(scene.out().join("environment.json")).unwrap();
    assert!(
        environment.contains("sasl.password"),
        "that it was set is stored: {environment}"
    );
}

/// A client of somebody else may print its settings where it fails.
const TALKATIVE: &str = r#"
[[place]]
name = "talkative"
launcher = ["sh", "-c", "echo talking $TANDEM_TEST_SECRET; echo sasl.password=$TANDEM_TEST_SECRET >&2; exit 3"]
"#;

#[test]
fn a_worker_that_tells_the_secret_is_not_quoted_with_it() {
    let scene = Scene::on_shared_cluster().environment("TANDEM_TEST_SECRET", Some(CANARY));
    scene.scenario(scenario().consumer("place = 'talkative'").tables(TALKATIVE));
    let ended = scene.run(&["--verbose"]).exits(1);
    for said in [&ended.stdout, &ended.stderr] {
        assert!(!said.contains(CANARY), "{said}");
    }
    assert!(
        ended.stderr.contains("worker: sasl.password=(hidden)"),
        "{}",
        ended.stderr
    );
    let message = failure(&scene.trials()[0]).message.clone();
    assert!(message.contains("sasl.password=(hidden)"), "{message}");
    assert_clean(&scene);
}

#[test]
fn a_secret_in_a_file_that_does_not_parse_is_not_printed() {
    let written = [
        "\"sasl.password\": \"CANARY\"",
        "sasl.password: CANARY",
        "\"sasl.password\" \"CANARY\"",
        "\"sasl.password\" =\n\"CANARY\"",
        "\"basic.auth.user.info\" = \"u:CANARY\"",
        "\"sasl.jaas.config\" = 'required username=\"u\" password=\"CANARY\";'",
    ];
    let scene = Scene::new();
    for written in written {
        let written = written.replace("CANARY", CANARY);
        scene.scenario(format!(
            "question = 'q'\n[cluster.client]\n\"sasl.username\" = \"u\"\n{written}\n"
        ));
        for command in ["plan", "run"] {
            let ended = scene.tandem(&[command, "scene.toml"]).exits(2);
            assert!(
                !ended.stderr.contains("canary") && !ended.stdout.contains("canary"),
                "{ended:?}"
            );
        }
    }
}

/// The worker gets its secret by its command line, as it should not.
const IN_THE_LAUNCHER: &str = r#"
question = "Is it stored?"
repetitions = 2
warmup_blocks = 0
[dataset]
records = 2_000
[trial]
records = 2_000
[[place]]
name = "there"
launcher = ["env", "STORE_PASSWORD=CANARY", "{tandem}", "worker"]
[consumer]
place = "there"
"#;

#[test]
fn a_launchers_secret_is_stored_nowhere_and_an_edited_scenario_is_not_taken_for_the_one_that_was_run() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(IN_THE_LAUNCHER.replace("CANARY", CANARY));
    let ended = scene.run(&["--verbose"]).exits(0);
    assert!(
        !ended.stdout.contains(CANARY) && !ended.stderr.contains(CANARY),
        "{ended:?}"
    );
    for (path, contents) in files_below(&scene.out()) {
        assert!(
            !String::from_utf8_lossy(&contents).contains(CANARY),
            "{}",
            path.display()
        );
    }
    let stored = scene.out().join("scenario.toml");
    let text = std::fs::read_to_string(&stored).unwrap();
    assert!(text.contains("STORE_PASSWORD=(hidden)"), "{text}");
    scene.resume().exits(2).says("has (hidden) in the place of a secret");

    std::fs::write(&stored, text.replace("Is it stored?", "Was this asked?")).unwrap();
    scene
        .tandem(&["report", "out"])
        .exits(0)
        .says("was edited after the run had begun");
    let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(
        report.contains("Is it stored?") && !report.contains("Was this asked?"),
        "{report}"
    );
    scene.resume().exits(2).says("was edited after the run had begun");
}

#[test]
fn an_empty_secret_of_the_environment_is_refused() {
    let scene = Scene::new().environment("TANDEM_TEST_SECRET", Some(""));
    scene.scenario(scenario());
    scene
        .tandem(&["plan", "scene.toml"])
        .exits(2)
        .says("TANDEM_TEST_SECRET, which is empty");
}

/// Checks the run's folder and the state folder.
fn assert_clean(scene: &Scene) {
    for (path, contents) in files_below(scene.path()) {
        let text = String::from_utf8_lossy(&contents);
        assert!(!text.contains(CANARY), "{}", path.display());
    }
}
