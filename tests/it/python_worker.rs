//! The worker in Python that users copy: without hold and ledger it completes a trial, and what it cannot observe is
//! marked.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tandem::measure::Environment;

use crate::postgres::Postgres;
use crate::ready_made::stored_once;
use crate::scenario::Scenario;
use crate::scene::{Scene, failure, read_once};
use crate::store::{WITH_VARIABLE, beside, storing};

/// A Python with what the ready-made client needs, made once below `target/`.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(make_python)
}

fn make_python() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("confluent-kafka");
    let python = home.join("bin/python");
    let works = |python: &Path| {
        let imported = Command::new(python)
            .args(["-c", "import confluent_kafka, psycopg"])
            .output();
        imported.is_ok_and(|output| output.status.success())
    };
    if !works(&python) {
        let needed = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/python/requirements.txt");
        for (program, arguments) in [
            ("python3".as_ref(), vec!["-m", "venv", home.to_str().unwrap()]),
            (
                python.as_path(),
                vec!["-m", "pip", "install", "-q", "-r", needed, "confluent-kafka==2.12.1"],
            ),
        ] {
            let output = Command::new(program).args(&arguments).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{} {arguments:?}: {said}", program.display());
        }
    }
    assert!(works(&python));
    python
}

/// One of the examples as the place `python`.
fn place(worker: &str) -> String {
    let worker = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(worker);
    format!(
        "[[place]]\nname = 'python'\nlauncher = ['{}', '{}']",
        python().display(),
        worker.display()
    )
}

fn scenario(worker: &str, work: &str) -> Scenario {
    let trials = Scenario::reading(60_000).repetitions(2);
    trials
        .consumer(&format!("work = '{work}'"))
        .tables(&place(worker))
        // The least worker does not leave its group.
        .tables("[consumer.client]\n'session.timeout.ms' = 6000")
        .case("tandem", "")
        .case("python", "place = 'python'\nprocesses = 2")
}

#[test]
fn the_least_worker_of_thirty_lines_completes_its_trials_too() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(scenario("minimal_worker.py", "none")).run(&[]).exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let python = trials.iter().filter(|trial| trial.configuration_name == "python");
    assert!(python.clone().count() > 0);
    for trial in python {
        assert!(
            trial.flags.iter().any(|flag| flag.kind.as_str() == "not-observed"),
            "{:?}",
            trial.flags
        );
    }
}

#[test]
#[ignore = "scripts/test --all; it needs a database"]
fn the_worker_that_stores_has_a_row_for_every_record() {
    let server = Postgres::start();
    let scene = beside(&server);
    let consumer = "place = 'python'\nprocesses = 2\nstore_batch = 20\ncommit = 'per-batch'";
    let trials = storing(3_000, consumer, WITH_VARIABLE).tables(&place("storing_worker.py"));
    scene.scenario(trials.case("two", "")).run(&[]).exits(0);
    scene.trials().iter().for_each(|trial| stored_once(trial, 3_000));
}

#[test]
fn a_worker_in_python_completes_its_trials_and_what_it_cannot_observe_is_marked() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(scenario("worker.py", "none")).run(&[]).exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    for trial in trials.iter().filter(|trial| trial.configuration_name == "python") {
        let measurement = trial.measurement.as_ref().unwrap();
        assert_eq!(measurement.processes[1].client, "confluent-kafka");
        let flag = trial
            .flags
            .iter()
            .find(|flag| flag.kind.as_str() == "not-observed")
            .unwrap();
        for part in [
            "group 1, process 1 and group 1, process 2: whether records were fetched before",
            "which offsets",
            "CPU",
        ] {
            assert!(flag.evidence.contains(part), "{part}: {flag:?}");
        }
        assert!(
            measurement
                .members
                .iter()
                .all(|member| member.partitions.iter().all(|p| p.runs.is_none()))
        );
    }
    let environment = std::fs::read_to_string(scene.out().join("environment.json")).unwrap();
    let environment: Environment = serde_json::from_str(&environment).unwrap();
    let apps = environment
        .clients
        .iter()
        .map(|client| (client.app.as_str(), client.name.as_str(), &*client.places));
    let places = ["here", "python"].map(|place| vec![place.to_owned()]);
    assert_eq!(
        apps.collect::<Vec<_>>(),
        [
            ("tandem", "librdkafka", &*places[0]),
            ("python", "confluent-kafka", &*places[1])
        ]
    );
    let own = trials
        .iter()
        .find(|trial| trial.configuration_name == "tandem")
        .unwrap();
    assert!(
        own.flags.iter().all(|flag| flag.kind.as_str() != "not-observed"),
        "{:?}",
        own.flags
    );
    let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(report.contains("not-observed"), "{report}");
    let rows = scene.table("summary.csv");
    let cpu = |name: &str| {
        rows.iter().find(|row| row["configuration"] == name).unwrap()["client_cpu_seconds_per_million"].clone()
    };
    assert!(
        cpu("python").is_empty() && !cpu("tandem").is_empty(),
        "what is not observed is no figure"
    );
}

#[test]
fn what_it_cannot_do_it_says() {
    let scene = Scene::on_shared_cluster();
    scene
        .scenario(scenario("worker.py", "wait 1us"))
        .run(&["--repetitions", "1"])
        .exits(1);
    let trials = scene.trials();
    let failed = trials
        .iter()
        .find(|trial| trial.configuration_name == "python")
        .unwrap();
    assert!(
        failure(failed).message.contains("neither works nor commits"),
        "{:?}",
        failed.status
    );
}
