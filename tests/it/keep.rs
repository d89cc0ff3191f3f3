//! Data sets that outlive their run: found again, looked at before they are read, filled by one run at a time.

use nix::sys::signal::Signal;
use rdkafka::producer::BaseRecord;

use crate::clients::{administer, client, delete_topic, names_on, send};
use crate::scenario::Scenario;
use crate::scene::{Ended, Scene, read_once, wait_until};
use crate::shared_cluster::{bootstrap, names};

/// A scenario whose data set is read completely by each of two trials.
fn scenario(prefix: &str, records: u32) -> Scenario {
    Scenario::reading(records).repetitions(2).prefix(prefix)
}

fn run(scene: &Scene, out: &str, more: &[&str]) -> Ended {
    scene.spawn_run_to(out, more).end()
}

/// Ends of the partitions of a topic on the shared cluster.
fn ends(topic: &str, partitions: u32) -> Vec<i64> {
    administer(&bootstrap(), async |admin| {
        let ends = admin.end_offsets(&[(topic.to_owned(), partitions)]).await.unwrap();
        ends.into_iter().next().unwrap()
    })
}

/// The topic of data and the topic of records of the one kept set of a prefix.
fn kept(prefix: &str) -> (String, String) {
    let (topics, groups) = names(prefix);
    assert_eq!(groups, Vec::<String>::new());
    let [data, about] = &topics[..] else {
        panic!("{topics:?}")
    };
    assert!(about.ends_with("-about"), "{topics:?}");
    (data.clone(), about.clone())
}

#[test]
fn a_kept_data_set_is_read_by_later_runs_and_left_alone_by_those_that_do_not_ask() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(scenario("keep-a-", 20_000));
    run(&scene, "first", &["--keep-data"])
        .exits(0)
        .says("filled a data set that is kept, 20,000 records");
    let (data, about) = kept("keep-a-");
    assert_eq!(ends(&data, 2), [10_000, 10_000]);
    // The beginning of the filling, and its end.
    assert_eq!(ends(&about, 1), [2]);

    run(&scene, "out", &["--keep-data"])
        .exits(0)
        .says("reads the data set kept since 20")
        .says("20,000 records; nothing filled");
    scene.trials().iter().for_each(read_once);
    let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(report.contains("reads the data set kept since"), "{report}");

    run(&scene, "third", &[]).exits(0);
    assert_eq!((ends(&data, 2), ends(&about, 1)), (vec![10_000, 10_000], vec![2]));
    assert_eq!(kept("keep-a-"), (data, about));

    // Another set has another name.
    scene.scenario(scenario("keep-a-", 20_002));
    run(&scene, "fourth", &["--keep-data"]).exits(0);
    assert_eq!(names("keep-a-").0.len(), 4);
}

#[test]
fn a_set_that_was_changed_is_said_and_filled_anew() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(scenario("keep-b-", 2_000));
    run(&scene, "first", &["--keep-data"]).exits(0);
    let (data, about) = kept("keep-b-");
    let record = BaseRecord::to(&data).partition(1).payload(&b"somebody else's"[..]);
    send(&client(&bootstrap(), &[]).create().unwrap(), [record].into_iter());
    assert_eq!(ends(&data, 2), [1_000, 1_001]);
    run(&scene, "out", &["--keep-data"])
        .exits(0)
        .says("filled anew")
        .says("[1] holds 1001 records from offset 0 where 1000 from 0 were filled");
    scene.trials().iter().for_each(read_once);
    assert_eq!(ends(&data, 2), [1_000, 1_000]);
    let environment = std::fs::read_to_string(scene.out().join("environment.json")).unwrap();
    assert!(environment.contains("\"refilled_because\": \""), "{environment}");

    // Without what is written down of it, nobody knows what it holds.
    delete_topic(&bootstrap(), &about);
    run(&scene, "third", &["--keep-data"])
        .exits(0)
        .says("nothing is written down of it");
}

#[test]
fn a_set_whose_filling_was_cut_off_is_never_used() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(scenario("keep-c-", 40_000_000));
    let killed = scene.spawn_run_to("killed", &["--keep-data"]);
    wait_until("the set has records", || {
        let topics = names("keep-c-").0;
        let data = topics.iter().find(|topic| topic.ends_with("-1"));
        data.is_some_and(|topic| ends(topic, 2).iter().any(|end| *end > 0))
    });
    killed.signal(Signal::SIGKILL);
    killed.end();
    let topics = names("keep-c-").0;
    assert_eq!(topics.len(), 2, "{topics:?}");

    // The same set: the next run waits until the brokers have given the dead one up, and fills it anew.
    let mut next = scene.spawn_run_to("next", &["--keep-data"]);
    next.wait_for("began to fill it and did not end");
    next.signal(Signal::SIGINT);
    // Half a set is removed in order, with the group that gave the right to fill.
    next.end().exits(130);
    assert_eq!(names("keep-c-"), (Vec::new(), Vec::new()));
}

#[test]
fn of_two_runs_that_want_the_same_set_one_fills_it_and_the_other_waits() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(scenario("keep-d-", 300_000));
    let runs = ["one", "two"].map(|out| scene.spawn_run_to(out, &["--keep-data"]));
    let ended = runs.map(|run| run.end().exits(0).stderr);
    let count = |text| ended.iter().filter(|said| said.contains(text)).count();
    assert_eq!(count("filled a data set that is kept"), 1, "{ended:?}");
    assert_eq!(count("300,000 records; nothing filled"), 1, "{ended:?}");
    let (data, about) = kept("keep-d-");
    assert_eq!(ends(&data, 2), [150_000, 150_000]);
    assert_eq!(ends(&about, 1), [2]);
}

#[test]
fn keeping_data_on_brokers_that_end_with_the_run_is_refused_with_what_to_do() {
    let scene = Scene::new();
    scene.scenario(scenario("keep-e-", 2_000));
    scene
        .run(&["--keep-data"])
        .refuses(&["tandem cluster up", "--bootstrap"]);
    assert!(!scene.out().exists());
}

/// Topics and groups, Kafka's own among them.
fn everything(scene: &Scene) -> (Vec<String>, Vec<String>) {
    let status = scene.tandem(&["cluster", "status", "--json"]).exits(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    names_on(status["bootstrap"].as_str().unwrap(), "")
}

/// Runs of one cluster that stays, each third one interrupted, and what they leave: nothing.
fn leave_a_standing_cluster_as_it_was(runs: usize) {
    let scene = Scene::new();
    scene.tandem(&["cluster", "up"]).exits(0);
    // So that groups are known before the first run.
    scene.tandem(&["doctor", "--cluster", "local"]).exits(0);
    let before = everything(&scene);
    for number in 1..=runs {
        scene.scenario(scenario("tandem-", 20_000 + u32::try_from(number).unwrap() * 2));
        let out = format!("out{number}");
        let arguments = ["run", "scene.toml", "--cluster", "local", "--out", &out];
        if number % 3 == 0 {
            let mut running = scene.spawn(&[&arguments[..], &["--repetitions", "50"]].concat());
            running.wait_for("[1/");
            running.signal(Signal::SIGINT);
            running.end().exits(130);
        } else {
            scene.tandem(&arguments).exits(0);
        }
        assert_eq!(everything(&scene), before, "after run {number}");
    }
    scene.tandem(&["cluster", "down"]).exits(0);
    scene.assert_no_processes();
}

#[test]
fn runs_leave_a_standing_cluster_as_it_was_an_interrupted_one_too() {
    leave_a_standing_cluster_as_it_was(3);
}

#[test]
#[ignore = "scripts/test --all; the standard tier does three runs"]
fn twenty_runs_leave_a_standing_cluster_as_it_was() {
    leave_a_standing_cluster_as_it_was(20);
}
