//! What `tandem clean` lists and deletes, and what it never touches.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tandem::kafka::admin::Admin;

use crate::scene::{Ended, Scene, wait_until};
use crate::shared_cluster::{bootstrap, names, wait_for_records};

fn make_topics(topics: &[&str]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let admin = Admin::connect(&bootstrap(), &BTreeMap::new()).await.unwrap();
        for topic in topics {
            admin.create_topic(topic, 1, 1, &[]).await.unwrap();
        }
    });
}

/// A member of a group, which keeps it in use until it is dropped.
fn member(group: &str, topic: &str) -> BaseConsumer {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap())
        .set("client.id", "somebody-else")
        .set("group.id", group)
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    wait_until("it has its partition", || {
        let _ = consumer.poll(Duration::from_millis(50));
        consumer.assignment().unwrap().count() > 0
    });
    consumer
}

fn clean(scene: &Scene, more: &[&str]) -> Ended {
    let bootstrap = bootstrap();
    let mut arguments = vec!["clean", "--bootstrap", &bootstrap];
    arguments.extend(more);
    scene.tandem(&arguments)
}

#[test]
fn what_tandem_made_is_listed_asked_for_and_deleted_and_nothing_else() {
    let scene = Scene::new();
    scene.scenario(
        "question = 'Is it kept?'\nrepetitions = 2\nwarmup_blocks = 0\n[cluster]\nprefix = 'clean-a-'\n\
         [dataset]\npartitions = 2\nrecords = 2000\nsize = 100\n[trial]\nrecords = 2000\n",
    );
    let address = bootstrap();
    scene
        .tandem(&[
            "run",
            "scene.toml",
            "--keep-data",
            "--bootstrap",
            &address,
            "--out",
            "out",
        ])
        .exits(0);
    let run = ["clean-a-deadbeef-d1-1", "clean-a-deadbeef-t2-1"];
    let others = ["clean-a-", "clean-a-deadbeef-orders", "clean-a-orders"];
    make_topics(&[&run[..], &others[..]].concat());

    // Nobody can be asked here.
    let listed = clean(&scene, &["--prefix", "clean-a-"]).exits(1);
    for text in [
        "kept data set",
        "2,000 records",
        "left by run deadbeef",
        "add --yes",
        run[0],
        run[1],
    ] {
        assert!(listed.stdout.contains(text), "{text:?} is not in:\n{}", listed.stdout);
    }
    assert!(
        others
            .iter()
            .all(|name| !listed.stdout.contains(&format!("topic {name}\n")))
    );
    assert_eq!(names("clean-a-").0.len(), 7);

    // A group with members stays, and what its run made with it.
    let consumer = member("clean-a-deadbeef-t2-g1", run[1]);
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
        .tandem(&["clean", "scene.toml", "--bootstrap", &address, "--yes"])
        .exits(0);
    let others = others.map(str::to_owned).to_vec();
    assert_eq!(names("clean-a-"), (others, Vec::new()));
    let nothing = clean(&scene, &["--prefix", "clean-a-"]).exits(0);
    assert!(nothing.stdout.contains("nothing of tandem's"), "{}", nothing.stdout);
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
        "question = 'Is it left?'\nrepetitions = 50\nwarmup_blocks = 0\n[cluster]\nprefix = 'clean-b-'\n\
         [dataset]\npartitions = 2\nrecords = 20000\nsize = 100\n[trial]\nrecords = 20000\n[consumer]\nwork = 'wait 1ms'\n",
    );
    let run = scene.spawn_run(&[]);
    wait_for_records("clean-b-");
    wait_until("a worker runs", || !scene.processes_of("worker consumer").is_empty());
    for guardian in scene.processes_of("guardian") {
        crate::scene::signal(guardian, Signal::SIGKILL);
    }
    run.signal(Signal::SIGKILL);
    run.end();
    assert_eq!(names("clean-b-").0.len(), 1);

    let listed = scene.tandem(&["clean"]).exits(1);
    assert!(listed.stdout.contains("was killed here"), "{}", listed.stdout);
    assert!(
        listed.stdout.contains("topics that start with clean-b-"),
        "{}",
        listed.stdout
    );
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
        "question = 'Does it go on?'\nrepetitions = 2\nwarmup_blocks = 0\n[cluster]\nprefix = 'clean-c-'\n\
         [dataset]\npartitions = 2\nrecords = 4000\nsize = 100\n[trial]\nrecords = 4000\n[consumer]\nwork = 'wait 1ms'\n",
    );
    let mut run = scene.spawn_run(&[]);
    run.wait_for("[1/");
    let busy = clean(&scene, &["--prefix", "clean-c-", "--yes"]).exits(1);
    assert!(busy.stdout.contains("is not deleted"), "{}", busy.stdout);
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
