//! Data sets that outlive their run: found again, looked at before they are read, filled by one run at a time.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tandem::kafka::admin::Admin;

use crate::scene::{Ended, Scene, read_once, wait_until};
use crate::shared_cluster::{bootstrap, names};

/// A scenario whose data set is read whole by each of two trials.
fn scenario(prefix: &str, records: u32) -> String {
    format!(
        "question = 'Is it kept?'\nrepetitions = 2\nwarmup_blocks = 0\n[cluster]\nprefix = '{prefix}'\n\
         [dataset]\npartitions = 2\nrecords = {records}\nsize = 100\n[trial]\nrecords = {records}\n"
    )
}

fn run(scene: &Scene, out: &str, more: &[&str]) -> Ended {
    let bootstrap = bootstrap();
    let mut arguments = vec!["run", "scene.toml", "--bootstrap", &bootstrap, "--out", out];
    arguments.extend(more);
    scene.tandem(&arguments)
}

/// Ends of the partitions of a topic on the shared cluster.
fn ends(topic: &str, partitions: u32) -> Vec<i64> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let admin = Admin::connect(&bootstrap(), &BTreeMap::new()).await.unwrap();
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
    let scene = Scene::new();
    scene.scenario(&scenario("keep-a-", 20_000));
    run(&scene, "first", &["--keep-data"])
        .exits(0)
        .says("filled a data set that is kept, 20,000 records");
    let (data, about) = kept("keep-a-");
    assert_eq!(ends(&data, 2), [10_000, 10_000]);
    // That it begins, and that it is whole.
    assert_eq!(ends(&about, 1), [2]);

    let again = run(&scene, "out", &["--keep-data"]).exits(0);
    assert!(
        again.stderr.contains("reads the data set kept since 20"),
        "{}",
        again.stderr
    );
    assert!(
        again.stderr.contains("20,000 records; nothing filled"),
        "{}",
        again.stderr
    );
    scene.trials().iter().for_each(read_once);
    let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(report.contains("reads the data set kept since"), "{report}");

    run(&scene, "third", &[]).exits(0);
    assert_eq!((ends(&data, 2), ends(&about, 1)), (vec![10_000, 10_000], vec![2]));
    assert_eq!(kept("keep-a-"), (data, about));

    // Another set has another name.
    scene.scenario(&scenario("keep-a-", 20_002));
    run(&scene, "fourth", &["--keep-data"]).exits(0);
    assert_eq!(names("keep-a-").0.len(), 4);
}

#[test]
fn a_set_that_was_changed_is_said_and_filled_anew() {
    let scene = Scene::new();
    scene.scenario(&scenario("keep-b-", 2_000));
    run(&scene, "first", &["--keep-data"]).exits(0);
    let (data, about) = kept("keep-b-");
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap())
        .create()
        .unwrap();
    let record = BaseRecord::<(), str>::to(&data)
        .partition(1)
        .payload("one of somebody else's");
    producer.send(record).unwrap();
    producer.flush(std::time::Duration::from_secs(30)).unwrap();
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
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let admin = Admin::connect(&bootstrap(), &BTreeMap::new()).await.unwrap();
        admin.delete_topics(&[about]).await.unwrap();
    });
    run(&scene, "third", &["--keep-data"])
        .exits(0)
        .says("nothing is written down of it");
}

#[test]
fn a_filling_that_was_cut_off_is_never_taken_for_a_whole_set() {
    let scene = Scene::new();
    scene.scenario(&scenario("keep-c-", 40_000_000));
    let bootstrap = bootstrap();
    let arguments = |out| {
        [
            "run",
            "scene.toml",
            "--keep-data",
            "--bootstrap",
            &bootstrap,
            "--out",
            out,
        ]
    };
    let killed = scene.spawn(&arguments("killed"));
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
    let mut next = scene.spawn(&arguments("next"));
    next.wait_for("began to fill it and did not end");
    next.signal(Signal::SIGINT);
    // Half a set is removed in order, with the group that gave the right to fill.
    next.end().exits(130);
    assert_eq!(names("keep-c-"), (Vec::new(), Vec::new()));
}

#[test]
fn of_two_runs_that_want_the_same_set_one_fills_it_and_the_other_waits() {
    let scene = Scene::new();
    scene.scenario(&scenario("keep-d-", 300_000));
    let bootstrap = bootstrap();
    let arguments = |out| {
        [
            "run",
            "scene.toml",
            "--keep-data",
            "--bootstrap",
            &bootstrap,
            "--out",
            out,
        ]
    };
    let runs = ["one", "two"].map(|out| scene.spawn(&arguments(out)));
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
    scene.scenario(&scenario("keep-e-", 2_000));
    let refused = scene
        .tandem(&["run", "scene.toml", "--keep-data", "--out", "out"])
        .exits(2);
    assert!(refused.stderr.contains("tandem cluster up"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--bootstrap"), "{}", refused.stderr);
    assert!(!scene.out().exists());
}

/// Topics and groups, Kafka's own among them.
fn everything(scene: &Scene) -> (Vec<String>, Vec<String>) {
    let status = scene.tandem(&["cluster", "status", "--json"]).exits(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    crate::shared_cluster::names_on(status["bootstrap"].as_str().unwrap(), "")
}

/// Runs of one cluster that stays, each third one interrupted, and what they leave: nothing.
fn leave_a_standing_cluster_as_it_was(runs: usize) {
    let scene = Scene::new();
    scene.tandem(&["cluster", "up"]).exits(0);
    // So that groups are known before the first run.
    scene.tandem(&["doctor", "--cluster", "local"]).exits(0);
    let before = everything(&scene);
    for number in 1..=runs {
        scene.scenario(&scenario("tandem-", 20_000 + u32::try_from(number).unwrap() * 2));
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
#[ignore = "takes minutes: cargo test --test it twenty_runs -- --ignored"]
fn twenty_runs_leave_a_standing_cluster_as_it_was() {
    leave_a_standing_cluster_as_it_was(20);
}
