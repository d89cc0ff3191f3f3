//! Every way to arrange consumers and every kind of data set: all is read once, and idle members are named.

use std::collections::BTreeSet;

use tandem::measure::{Environment, Measurement, Trial, TrialKind};

use crate::scenario::Scenario;
use crate::scene::{Scene, read_once};

/// The counted trials of a case.
fn of_case<'a>(trials: &'a [Trial], case: &str) -> &'a Measurement {
    let mut found = trials
        .iter()
        .filter(|trial| trial.configuration_name == case && trial.order.kind == TrialKind::Counted);
    let (Some(trial), None) = (found.next(), found.next()) else {
        panic!("{case} was not run exactly once");
    };
    trial.measurement.as_ref().unwrap()
}

fn idle(measurement: &Measurement) -> usize {
    measurement
        .members
        .iter()
        .filter(|member| member.assigned.is_empty())
        .count()
}

fn commits(measurement: &Measurement) -> u64 {
    measurement.members.iter().map(|member| member.commits).sum()
}

const MEMBERSHIPS: &str = r#"
[[case]]
name = "four on two, classic"
processes = 2
consumers = 2
protocol = "classic"
[[case]]
name = "four on two, consumer"
processes = 2
consumers = 2
protocol = "consumer"
[[case]]
name = "manual"
processes = 2
assignment = "manual"
[[case]]
name = "two groups"
groups = 2
[[case]]
name = "per batch"
commit = "per-batch"
[[case]]
name = "every 1000"
commit = "every 1000"
[[case]]
name = "auto"
commit = "auto"
[[case]]
name = "poll"
read = "poll"
[[case]]
name = "shared buffers"
consumers = 2
buffers = "total"
"#;

#[test]
fn every_membership_reads_everything_once_and_idle_members_are_named() {
    let scene = Scene::on_shared_cluster();
    scene
        .scenario(Scenario::reading(20_000).tables(MEMBERSHIPS))
        .run(&[])
        .exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);

    for case in ["four on two, classic", "four on two, consumer"] {
        assert_eq!(idle(of_case(&trials, case)), 2, "{case}");
        let rows = scene.table("summary.csv");
        let row = rows.iter().find(|row| row["configuration"] == case).unwrap();
        assert_eq!(
            (row["members"].as_str(), row["idle_members"].as_str()),
            ("4", "2"),
            "{case}"
        );
    }
    let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    let measurement = of_case(&trials, "four on two, classic");
    for member in measurement.members.iter().filter(|member| member.assigned.is_empty()) {
        assert!(
            report.contains(&member.name()),
            "{} is not named as idle",
            member.name()
        );
    }

    let manual = of_case(&trials, "manual");
    assert!(
        manual
            .members
            .iter()
            .all(|member| member.assigned.len() == 1 && member.records() == 10_000)
    );
    let groups = of_case(&trials, "two groups");
    assert_eq!(groups.records(), 40_000);
    assert_eq!(
        groups.members.iter().map(|member| member.group).collect::<Vec<_>>(),
        [0, 1]
    );

    assert!(commits(of_case(&trials, "per batch")) > 0);
    let every = commits(of_case(&trials, "every 1000"));
    assert!((1..=21).contains(&every), "{every} commits for 20,000 records");
    assert_eq!(commits(of_case(&trials, "poll")), 0);
}

const DATA: &str = r#"
[[case]]
name = "range"
topics = 6
partitions = 1
consumers = 3
assignor = "range"
[[case]]
name = "cooperative-sticky"
topics = 6
partitions = 1
consumers = 3
assignor = "cooperative-sticky"
[[case]]
name = "weights"
weights = [0.9, 0.1]
[[case]]
name = "zipf"
keys = { zipf = 1.1, count = 1000 }
[[case]]
name = "unique"
keys = "unique"
[[case]]
name = "uniform"
size = { min = 10, max = 1000 }
[[case]]
name = "log-normal"
size = { median = 300, sigma = 1.0, max = 10000 }
[[case]]
name = "gzip"
compression = "gzip"
[[case]]
name = "snappy"
compression = "snappy"
[[case]]
name = "lz4"
compression = "lz4"
[[case]]
name = "zstd"
compression = "zstd"
"#;

#[test]
fn every_kind_of_data_set_is_read_once() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(Scenario::reading(12_000).tables(DATA)).run(&[]).exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);

    assert_eq!(
        idle(of_case(&trials, "range")),
        2,
        "the range assignor gives all one-partition topics to one member"
    );
    assert_eq!(idle(of_case(&trials, "cooperative-sticky")), 0);

    let partitions = |case| {
        let mut counts = [0; 2];
        let members = &of_case(&trials, case).members;
        for read in members.iter().flat_map(|member| &member.partitions) {
            counts[usize::try_from(read.partition).unwrap()] += read.records;
        }
        counts
    };
    assert_eq!(partitions("weights"), [10_800, 1_200]);
    assert_eq!(partitions("gzip"), [6_000, 6_000]);
    let zipf = partitions("zipf");
    assert!(
        zipf[0].abs_diff(zipf[1]) > 100,
        "skewed keys give unequal partitions: {zipf:?}"
    );

    let record_bytes = |case: &str| {
        let measurement = of_case(&trials, case);
        measurement.bytes() / measurement.records()
    };
    assert_eq!(record_bytes("gzip"), 100);
    assert!(
        (480..530).contains(&record_bytes("uniform")),
        "{}",
        record_bytes("uniform")
    );
    assert!(
        (400..600).contains(&record_bytes("log-normal")),
        "{}",
        record_bytes("log-normal")
    );
}

#[test]
fn waiting_work_takes_the_time_that_it_says() {
    let scene = Scene::on_shared_cluster();
    let two_cases = Scenario::reading(1_000).case("one", "").case("two", "processes = 2");
    scene
        .scenario(two_cases.consumer("work = 'wait 1ms'"))
        .run(&[])
        .exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let rows = scene.table("trials.csv");
    let figure = |case: &str, column: &str| {
        let row = rows.iter().find(|row| row["configuration"] == case).unwrap();
        row[column].parse::<f64>().unwrap()
    };
    // On a quiet machine, `scripts/evidence/run verdicts` checks how exact it is, and how much faster two are.
    for (case, members) in [("one", 1.0), ("two", 2.0)] {
        let mean_us = figure(case, "work_us_mean");
        assert!(mean_us >= 990.0, "{case}: {mean_us}");
        let (read_s, work_s) = (figure(case, "read_seconds"), mean_us / 1e6 * 1_000.0);
        assert!(read_s * members >= work_s, "{case}: {read_s} s for {work_s} s of work");
    }
    for member in trials
        .iter()
        .flat_map(|trial| &trial.measurement.as_ref().unwrap().members)
    {
        assert!(member.records() > 0, "{member:?}");
    }
}

#[test]
fn consumers_at_a_place_use_the_listener_that_it_names_of_brokers_that_the_run_starts() {
    let scene = Scene::new();
    let launcher = "['sh', '-c', 'tee prepared | {tandem} worker consumer']";
    let trials = Scenario::reading(2_000).tables(&format!(
        "[cluster]\nbrokers = 2\n[[place]]\nname = 'outside'\nlistener = 'OUTSIDE'\nlauncher = {launcher}"
    ));
    scene.scenario(trials.case("default", "").case("outside", "place = 'outside'"));
    scene.run(&[]).exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    assert!(trials.iter().any(|trial| trial.configuration_name == "outside"));

    let said = std::fs::read_to_string(scene.path().join("prepared")).unwrap();
    let prepare: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let addresses = |bootstrap: &str| bootstrap.split(',').map(str::to_owned).collect::<BTreeSet<_>>();
    let used = addresses(prepare["properties"]["bootstrap.servers"].as_str().unwrap());
    let environment = std::fs::read_to_string(scene.out().join("environment.json")).unwrap();
    let environment: Environment = serde_json::from_str(&environment).unwrap();
    let default = addresses(&environment.cluster.bootstrap);
    assert_eq!((used.len(), default.len()), (2, 2));
    assert!(used.is_disjoint(&default), "{used:?} {default:?}");
}

#[test]
fn a_listener_that_a_running_cluster_lacks_is_refused_before_anything_is_made() {
    let scene = Scene::on_shared_cluster();
    let trials = Scenario::reading(2_000).tables("[[place]]\nname = 'outside'\nlistener = 'OUTSIDE'");
    scene.scenario(trials.case("outside", "place = 'outside'"));
    let run = scene.run(&[]).exits(2);
    let run = run.says("place outside uses listener OUTSIDE, which the cluster does not have");
    assert!(!run.stderr.contains("filling"), "{}", run.stderr);
}
