//! What `tandem clean` lists and deletes, and what it never touches.

use nix::sys::signal::Signal;

use crate::clients::{create_topic, member};
use crate::scenario::Scenario;
use crate::scene::{Ended, Scene, signal, wait_until};
use crate::shared_cluster::{bootstrap, names, wait_for_records};

fn clean(scene: &Scene, more: &[&str]) -> Ended {
    let bootstrap = bootstrap();
    let mut arguments = vec!["clean", "--bootstrap", &bootstrap];
    arguments.extend(more);
    scene.tandem(&arguments)
}

#[test]
fn only_what_tandem_made_is_listed_confirmed_and_deleted() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(Scenario::reading(2_000).prefix("clean-a-"));
    scene.run(&["--keep-data"]).exits(0);
    let run = ["clean-a-deadbeef-d1-1", "clean-a-deadbeef-t2-1"];
    let others = ["clean-a-", "clean-a-deadbeef-orders", "clean-a-orders"];
    for topic in run.iter().chain(&others) {
        create_topic(&bootstrap(), topic, 1);
    }

    // Nobody can be asked here.
    let listed = clean(&scene, &["--prefix", "clean-a-"]).exits(1);
    let parts = [
        "kept data set",
        "2,000 records",
        "left by run deadbeef",
        "add --yes",
        run[0],
        run[1],
    ];
    let listed = parts.iter().fold(listed, |listed, part| listed.prints(part));
    assert!(
        others
            .iter()
            .all(|name| !listed.stdout.contains(&format!("topic {name}\n")))
    );
    assert_eq!(names("clean-a-").0.len(), 7);

    // A group with members stays, and what its run made with it.
    let consumer = member(&bootstrap(), "clean-a-deadbeef-t2-g1", "somebody-else", run[1]);
    let json = clean(&scene, &["--prefix", "clean-a-", "--yes", "--json"]).exits(1);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let found = json["found"].as_array().unwrap();
    assert_eq!(found.len(), 2, "{json}");
    assert_eq!(
        (&found[0]["kind"], &found[0]["stays_because"]),
        (&"kept data set".into(), &().into())
    );
    let why = found[1]["stays_because"].as_str().unwrap();
    assert!(why.contains("somebody-else at 127.0.0.1"), "{why}");
    assert_eq!(json["nothing_left"], false);
    let mut left = [&run[..], &others[..]].concat();
    left.sort_unstable();
    let groups = vec!["clean-a-deadbeef-t2-g1".to_owned()];
    assert_eq!(
        names("clean-a-"),
        (left.iter().map(ToString::to_string).collect(), groups)
    );

    drop(consumer);
    // By the scenario's own prefix.
    scene
        .tandem(&["clean", "scene.toml", "--bootstrap", &bootstrap(), "--yes"])
        .exits(0);
    let others = others.map(str::to_owned).to_vec();
    assert_eq!(names("clean-a-"), (others, Vec::new()));
    clean(&scene, &["--prefix", "clean-a-"])
        .exits(0)
        .prints("nothing of tandem's");
}

#[test]
fn a_prefix_that_would_match_others_topics_is_refused() {
    let scene = Scene::new();
    for (prefix, why) in [("", "too short"), ("t-", "too short"), ("__consumer_", "Kafka's own")] {
        clean(&scene, &["--prefix", prefix, "--yes"]).exits(2).says(why);
    }
}

#[test]
fn what_a_run_left_that_was_killed_with_its_guardian_is_removed() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(
        Scenario::reading(20_000)
            .repetitions(50)
            .prefix("clean-b-")
            .consumer("work = 'wait 1ms'"),
    );
    let run = scene.spawn_run(&[]);
    wait_for_records("clean-b-");
    wait_until("a worker runs", || !scene.processes_of("worker consumer").is_empty());
    for guardian in scene.processes_of("guardian") {
        signal(guardian, Signal::SIGKILL);
    }
    run.signal(Signal::SIGKILL);
    run.end();
    assert_eq!(names("clean-b-").0.len(), 1);

    let listed = scene.tandem(&["clean"]).exits(1);
    listed
        .prints("was killed here")
        .prints("topics that start with clean-b-");
    assert_eq!(names("clean-b-").0.len(), 1);

    scene.tandem(&["clean", "--yes"]).exits(0);
    assert_eq!(names("clean-b-"), (Vec::new(), Vec::new()));
    scene.assert_no_processes();
    let nothing = scene.tandem(&["clean"]).exits(0);
    assert!(!nothing.stdout.contains("was killed"), "{}", nothing.stdout);
}

#[test]
fn a_run_that_goes_on_loses_nothing() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(
        Scenario::reading(4_000)
            .repetitions(2)
            .prefix("clean-c-")
            .consumer("work = 'wait 1ms'"),
    );
    let mut run = scene.spawn_run(&[]);
    run.wait_for("[1/");
    clean(&scene, &["--prefix", "clean-c-", "--yes"])
        .exits(1)
        .prints("is not deleted");
    run.end().exits(0);
    assert_eq!(names("clean-c-"), (Vec::new(), Vec::new()));
}

#[test]
fn what_is_left_on_a_cluster_that_is_gone_is_forgotten_and_holds_no_run_up() {
    let scene = Scene::new();
    let runs = scene.path().join("state/tandem/runs");
    std::fs::create_dir_all(&runs).unwrap();
    let host = nix::unistd::gethostname().unwrap();
    // Nothing listens on this port, and the kernel says so at once.
    let record = serde_json::json!({
        "schema_version": 1, "run_id": "gone", "run_directory": scene.path(), "host": host.to_str().unwrap(),
        "boot": "an earlier one", "coordinator": { "pid": 1, "start_time": 1 }, "processes": [], "directories": [],
        "topics": [{ "bootstrap": "127.0.0.1:1", "prefix": "tandem-gone-", "client": {} }],
    });
    std::fs::write(runs.join("gone.json"), record.to_string()).unwrap();
    // Without a broker to wait for, only this scenario's own error is in the way.
    scene.scenario("question = 'q'\n[dataset]\nrecords = 0\n");
    let refused = scene
        .tandem(&["run", "scene.toml"])
        .exits(2)
        .says("nothing answers at 127.0.0.1:1");
    assert!(
        refused.stderr.contains("`tandem clean --yes` forgets it"),
        "{}",
        refused.stderr
    );
    scene.tandem(&["clean", "--yes"]).exits(0).says("is forgotten");
    assert_eq!(std::fs::read_dir(&runs).unwrap().count(), 0);
    scene.tandem(&["clean"]).exits(0);
}
