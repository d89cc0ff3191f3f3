//! The ready-made clients in Python and Go on a real broker, each started through a launcher.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tandem::measure::changes::Episode;
use tandem::measure::{Environment, FailureKind, Measurement, Trial};

use crate::planned_acts::{accounted, complete, run_in};
use crate::postgres::Postgres;
use crate::python_worker::python;
use crate::ready_made::{interrupt, stored_once};
use crate::scenario::Scenario;
use crate::scene::{Scene, failure, read_once, signal, wait_until};
use crate::secured_cluster::{Access, PASSWORD, secured};
use crate::store::{WITH_VARIABLE, beside, storing};

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");

/// The worker on franz-go, built once below `target/`.
fn go_worker() -> &'static Path {
    static WORKER: OnceLock<PathBuf> = OnceLock::new();
    WORKER.get_or_init(|| {
        let worker = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-worker");
        let output = Command::new("go")
            .args(["build", "-o", worker.to_str().unwrap(), "."])
            .current_dir(format!("{CLIENTS}/go"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        worker
    })
}

/// The places `python` and `go`.
fn places() -> String {
    format!(
        "[[place]]\nname = 'python'\nlauncher = ['{}', '{CLIENTS}/python/worker.py']\n[[place]]\nname = 'go'\nlauncher = \
         ['{}']\n",
        python().display(),
        go_worker().display()
    )
}

#[test]
fn their_own_tests_pass() {
    for (folder, program, arguments) in [
        ("python", python(), ["-m", "unittest"]),
        ("go", Path::new("go"), ["test", "./..."]),
    ] {
        let tests = Command::new(program)
            .args(arguments)
            .current_dir(format!("{CLIENTS}/{folder}"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        assert!(tests.status.success(), "{folder}: {tests:?}");
    }
}

fn measurement(trial: &Trial) -> &Measurement {
    trial.measurement.as_ref().unwrap()
}

#[test]
fn each_reads_every_record_once_in_every_way() {
    let scene = Scene::on_shared_cluster();
    let trials = Scenario::reading(30_000).tables(&places());
    scene.scenario(
        trials
            .tables("[matrix]\nplace = ['python', 'go']\nread = ['batch', 'poll']")
            .case("classic", "processes = 2\ncommit = 'every 7000'")
            .case("consumer", "protocol = 'consumer'\nconsumers = 2\ncommit = 'auto'")
            .case("worked", "work = 'cpu 2us'\nassignor = 'cooperative-sticky'"),
    );
    scene.run(&[]).exits(0);
    let trials = scene.trials();
    assert_eq!(trials.len(), 12);
    for trial in &trials {
        read_once(trial);
        let name = &trial.configuration_name;
        let measurement = measurement(trial);
        for member in &measurement.members {
            assert_eq!(member.queued_at_start, Some(0), "{name}");
            assert!(!member.rebalances.is_empty(), "{name}");
            assert!(member.reading.is_some(), "{name}");
            assert!(member.partitions.iter().all(|read| read.runs.is_some()), "{name}");
        }
        let commits = measurement.members.iter().map(|member| member.commits).sum::<u64>();
        assert_eq!(commits > 0, name.starts_with("classic"), "{name}: {commits}");
        let used = measurement.processes.iter().map(|process| process.window.as_ref());
        assert!(
            used.flatten().all(|used| used.cpu_ns > 0 && !used.threads.is_empty()),
            "{name}"
        );
        if name.starts_with("worked") {
            let work_ns = measurement
                .members
                .iter()
                .filter_map(|member| member.work_ns)
                .sum::<u64>();
            assert!(work_ns > 30_000 * 1_000, "{name}: {work_ns}");
        }
    }
    let environment = std::fs::read_to_string(scene.out().join("environment.json")).unwrap();
    let environment: Environment = serde_json::from_str(&environment).unwrap();
    for (name, version) in [("confluent-kafka", "2.12.1"), ("franz-go", "1.22.0")] {
        let mut clients = environment.clients.iter();
        assert!(
            clients.any(|client| client.name == name && client.version == version),
            "{:?}",
            environment.clients
        );
    }
}

#[test]
#[ignore = "scripts/test --all; their own tests keep the times of reading, and planned_acts.rs has such a change"]
fn each_says_when_it_read_where_a_process_leaves_and_another_one_comes() {
    let scene = Scene::on_shared_cluster();
    let tables = format!(
        "{}[dataset]\npartitions = 4\nsize = 100\n[consumer]\nprocesses = 3\ncommit = 'per-batch'\n\
         [matrix]\nplace = ['python', 'go']\n[load]\nrate = 300\nduration = 16\nwarmup = 1\n\
         [[event]]\nat = '3s'\ndo = 'leave'\nwhat = 'process 2'\n[[event]]\nat = '9s'\ndo = 'start'\nwhat = 'process 3'\n",
        places()
    );
    for trial in &run_in(&scene, &tables) {
        let name = &trial.configuration_name;
        let episodes = accounted(complete(trial));
        let moved: Vec<usize> = episodes.iter().map(Episode::moved).collect();
        assert!(
            moved.len() == 2 && moved.iter().all(|moved| *moved > 0),
            "{name}: {episodes:#?}"
        );
    }
}

#[test]
#[ignore = "scripts/test --all; backlogs are always read"]
fn each_says_how_long_records_waited_that_arrive() {
    let scene = Scene::on_shared_cluster();
    let prefix = format!("python-and-go-live-{}-", std::process::id());
    scene.scenario(format!(
        "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[cluster]\nprefix = '{prefix}'\n[load]\nrate = 200\nduration \
         = 3\nwarmup = 0.5\n[consumer]\nwork = 'wait 500us'\n{}[matrix]\nplace = ['python', 'go']\n",
        places()
    ));
    scene.run(&[]).exits(0);
    let trials = scene.trials();
    assert_eq!(trials.len(), 2);
    for trial in &trials {
        read_once(trial);
        let partitions = measurement(trial).members.iter().flat_map(|member| &member.partitions);
        let latencies: Vec<_> = partitions.filter_map(|read| read.latencies.as_ref()).collect();
        let window: u64 = latencies.iter().map(|latencies| latencies.response.count()).sum();
        assert!((500..700).contains(&window), "{}: {window}", trial.configuration_name);
        for latencies in latencies {
            let work_ns = latencies.work.percentile_ns(0.5).unwrap();
            assert!(work_ns > 400_000, "{}: {work_ns}", trial.configuration_name);
            assert_eq!(latencies.response.negative() + latencies.transit.negative(), 0);
        }
    }
}

/// Two processes at a place, whose command has these words, read 20,000 records: kills one of them while they read.
pub fn one_of_two_is_killed(places: &str, place: &str, words: &str) {
    let scene = Scene::on_shared_cluster();
    let slow = Scenario::reading(20_000)
        .tables(places)
        .tables("[consumer.client]\n'session.timeout.ms' = 6000");
    let slow = slow
        .consumer("work = 'wait 1ms'\nprocesses = 2")
        .consumer(&format!("place = '{place}'"));
    let run = scene.scenario(slow).spawn_run(&[]);
    let workers = || scene.processes_of(words);
    wait_until("two workers", || workers().len() == 2);
    // They have joined by then, and read for ten seconds.
    sleep(Duration::from_secs(6));
    signal(workers()[0], Signal::SIGKILL);
    run.end().exits(1);
    scene.assert_no_processes();
    let trials = scene.trials();
    let found = failure(&trials[0]);
    assert_eq!(found.kind, FailureKind::WorkerDied);
    let who = found.who.as_deref().unwrap();
    assert!(
        who.starts_with("group 1, process ") && found.message.contains("killed (signal 9)"),
        "{found:?}"
    );
}

#[test]
#[ignore = "scripts/test --all; deaths.rs has the same of tandem's own worker"]
fn one_that_is_killed_fails_its_trial_by_name_and_nothing_is_left() {
    one_of_two_is_killed(&places(), "python", "worker.py consumer");
}

#[test]
#[ignore = "scripts/test --all; tests/it/store.rs has a trial of tandem's own worker"]
fn each_stores_every_record_once_in_every_way() {
    let server = Postgres::start();
    for write in ["insert", "upsert", "copy"] {
        let scene = beside(&server);
        let store = format!("write = '{write}'\n{WITH_VARIABLE}");
        let trials = storing(3_000, "", &store).tables(&places());
        scene.scenario(
            trials
                .tables("[matrix]\nplace = ['python', 'go']")
                .case("one by one", "read = 'poll'\ncommit = 'every 100'")
                .case("batches", "store_batch = 50\nconsumers = 2\ncommit = 'every 120'")
                .case("two", "store_batch = 7\nprocesses = 2\ncommit = 'auto'"),
        );
        scene.run(&[]).exits(0);
        let trials = scene.trials();
        assert_eq!(trials.len(), 6);
        for trial in &trials {
            stored_once(trial, 3_000);
        }
        let transactions = |case: &str| {
            let trials = trials.iter().filter(|trial| trial.configuration_name.contains(case));
            let members = trials.flat_map(|trial| &measurement(trial).members);
            members
                .filter_map(|member| member.store)
                .map(|store| store.transactions)
                .sum::<u64>()
        };
        assert_eq!(transactions("one by one"), 6_000);
        // Each of two consumers commits after 50, 50 and 20 records. Where polls end, transactions are shorter.
        assert!(
            (150..500).contains(&transactions("batches")),
            "{}",
            transactions("batches")
        );
    }
}

#[test]
#[ignore = "scripts/test --all; the clients' own tests have the retry without a database"]
fn each_stores_every_record_once_though_the_store_was_away() {
    let server = Postgres::start();
    for place in ["python", "go"] {
        let scene = beside(&server);
        let store = format!("write = 'upsert'\non_error = 'retry'\n{WITH_VARIABLE}");
        let consumer = format!("place = '{place}'\nconsumers = 2\ncommit = 'every 500'");
        scene.scenario(storing(30_000, &consumer, &store).tables(&places()).case("one", ""));
        let run = scene.spawn_run(&[]);
        interrupt(&server);
        run.end().exits(0);
        let trial = &scene.trials()[0];
        stored_once(trial, 30_000);
        let members = measurement(trial).members.iter();
        let retries = members
            .filter_map(|member| member.store)
            .map(|store| store.retries)
            .sum::<u64>();
        assert!(retries > 20, "{place}: {retries}");
    }
}

#[test]
#[ignore = "scripts/test --all; the clients' own tests have the same without a database"]
fn each_that_does_not_try_again_names_what_the_store_said() {
    let server = Postgres::start();
    for place in ["python", "go"] {
        let scene = beside(&server);
        let consumer = format!("place = '{place}'");
        scene.scenario(
            storing(100_000, &consumer, WITH_VARIABLE)
                .tables(&places())
                .case("one", ""),
        );
        let mut run = scene.spawn_run(&[]);
        interrupt(&server);
        let back = Instant::now();
        run.wait_for("a worker could not go on");
        assert!(back.elapsed() < Duration::from_secs(7), "{place}: {:?}", back.elapsed());
        run.end().exits(1);
        let found = failure(&scene.trials()[0]).clone();
        assert_eq!(found.kind, FailureKind::WorkerFailed, "{}", found.message);
        assert!(found.message.contains("the work failed: "), "{}", found.message);
    }
}

#[test]
#[ignore = "scripts/test --all; its own tests do it always"]
fn go_names_a_property_that_it_does_not_have_and_what_is_right() {
    let scene = Scene::on_shared_cluster();
    let tables = "[consumer.client]\n'fetch.min.bytes' = 10";
    scene.scenario(
        Scenario::reading(2_000)
            .tables(&places())
            .consumer("place = 'go'")
            .tables(tables),
    );
    scene.run(&[]).exits(1);
    let trials = scene.trials();
    let message = &failure(&trials[0]).message;
    let said = "franz-go does not know the property fetch.min.bytes; its name for that is FetchMinBytes";
    assert!(message.contains(said), "{message}");
}

#[test]
#[ignore = "scripts/test --all; trials without a login run always"]
fn go_connects_with_a_password_and_with_a_certificate() {
    let secured = secured();
    let mutual = Access {
        bootstrap: secured.address("MUTUAL"),
        client: format!(
            "'security.protocol' = 'ssl'\n'ssl.ca.location' = '{}'\n'ssl.certificate.location' = \
             '{}'\n'ssl.key.location' = '{}'\n",
            secured.file("well.pem").display(),
            secured.file("client.pem").display(),
            secured.file("client.key").display()
        ),
    };
    let users = ["SCRAM", "PLAIN", "OPEN"].map(|listener| secured.user(listener, "runner"));
    for access in users.into_iter().chain([mutual]) {
        let scene = Scene::new().environment(Access::VARIABLE, Some(PASSWORD));
        let reading = Scenario::reading(2_000)
            .consumer("place = 'go'")
            .consumer("commit = 'per-batch'");
        scene.scenario(reading.tables(&access.tables()).tables(&places()));
        scene.run(&[]).exits(0);
        scene.trials().iter().for_each(read_once);
    }
}
