//! The clients of `clients/`: each is built as clients/README.md says, and reads on a real broker through a launcher.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tandem::measure::{FailureKind, MemberMeasurement, StoreAccount, Trial};

use crate::postgres::Postgres;
use crate::python_and_go::one_of_two_is_killed;
use crate::scenario::Scenario;
use crate::scene::{Scene, failure, read_once, wait_until};
use crate::secured_cluster::{Access, PASSWORD, secured};
use crate::store::{WITH_VARIABLE, ask, beside, storing};

/// The folder of the clients with both JVM clients built in it and their own tests passed, once for all tests.
fn jvm_clients() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let arguments = ["-q", "-B", "-f", "pom.xml", "-pl", "java,spring", "-am", "package"];
        let maven = Command::new("mvn").args(arguments).current_dir(&folder).output();
        let maven = maven.unwrap();
        assert!(maven.status.success(), "{}", String::from_utf8_lossy(&maven.stdout));
        folder
    })
}

/// The command that starts a client, as a scenario has it.
fn launcher(name: &str) -> String {
    let program = jvm_clients().join(format!("{name}/target/tandem-{name}.jar"));
    format!("['java', '-jar', '{}']", program.display())
}

/// Both group protocols, one and two members, both ways of reading, work and commits.
fn reads_a_backlog(name: &str, client: &str) {
    let place = format!("[[place]]\nname = 'client'\nlauncher = {}", launcher(name));
    let scenario = Scenario::reading(20_000).consumer("place = 'client'").tables(&place);
    let scenario = scenario
        .case("batch", "commit = 'every 1000'")
        .case(
            "poll",
            "processes = 2\nread = 'poll'\nprotocol = 'consumer'\ncommit = 'auto'",
        )
        .case("work", "consumers = 2\nwork = 'wait 50us'");
    let scene = Scene::on_shared_cluster();
    scene.scenario(scenario).run(&[]).exits(0);
    let trials = scene.trials();
    assert_eq!(trials.len(), 3);
    for trial in &trials {
        read_once(trial);
        let measurement = trial.measurement.as_ref().unwrap();
        for process in &measurement.processes {
            assert_eq!(process.client, client);
            let window = process.window.as_ref().unwrap();
            assert!(window.cpu_ns > 0 && window.gc_ns.is_some(), "{window:?}");
            assert!(window.allocated_bytes > Some(0), "{window:?}");
        }
        let work_ns: u64 = measurement.members.iter().filter_map(|member| member.work_ns).sum();
        assert_eq!(
            trial.configuration_name == "work",
            work_ns >= 20_000 * 45_000,
            "{work_ns} ns"
        );
    }
}

#[test]
fn the_java_client_reads_every_record_once() {
    reads_a_backlog("java", "kafka-clients");
}

#[test]
fn the_spring_client_reads_every_record_once() {
    reads_a_backlog("spring", "spring-kafka");
}

/// This app as a place.
fn place(name: &str) -> String {
    format!("[[place]]\nname = 'client'\nlauncher = {}", launcher(name))
}

/// The trial read so many records and stored each of them once.
pub fn stored_once(trial: &Trial, records: u64) {
    read_once(trial);
    let measurement = trial.measurement.as_ref().unwrap();
    let account = measurement.store.as_ref().unwrap().account;
    let expected = StoreAccount {
        rows: records,
        stored: records,
        ..StoreAccount::default()
    };
    assert_eq!(account, Some(expected));
    let uses = measurement.members.iter().filter_map(|member| member.store);
    assert_eq!(uses.map(|each| each.rows).sum::<u64>(), records);
}

#[test]
#[ignore = "scripts/test --all; deaths.rs has the same of tandem's own worker"]
fn a_spring_process_that_is_killed_fails_its_trial_by_name_and_nothing_is_left() {
    one_of_two_is_killed(&place("spring"), "client", "tandem-spring.jar consumer");
}

#[test]
#[ignore = "scripts/test --all; tests/it/store.rs has a trial of tandem's own worker"]
fn jvm_clients_store_every_record_once() {
    let server = Postgres::start();
    for (name, write) in [
        ("java", "insert"),
        ("spring", "insert"),
        ("java", "copy"),
        ("spring", "copy"),
    ] {
        let scene = beside(&server);
        let store = format!("write = '{write}'\n{WITH_VARIABLE}");
        let scenario = storing(1_000, "place = 'client'", &store).tables(&place(name));
        let scenario = scenario
            .case("one by one", "read = 'poll'\ncommit = 'every 100'")
            .case("batches", "store_batch = 50\nconsumers = 2\ncommit = 'every 120'")
            .case("two", "store_batch = 7\nprocesses = 2\ncommit = 'per-batch'");
        scene.scenario(scenario).run(&[]).exits(0);
        let trials = scene.trials();
        assert_eq!(trials.len(), 3);
        for trial in &trials {
            stored_once(trial, 1_000);
        }
    }
}

/// Stops the database for 3 s when it has rows of the trial.
pub fn interrupt(server: &Postgres) {
    let with_rows =
        "SELECT relname::text FROM pg_stat_user_tables WHERE relname LIKE 'tandem-store-%' AND n_tup_ins > 0";
    wait_until("rows are stored", || !ask(server, with_rows).is_empty());
    server.stop();
    thread::sleep(Duration::from_secs(3));
    server.resume();
}

#[test]
#[ignore = "scripts/test --all; the clients' own tests have the retry without a database"]
fn jvm_clients_store_every_record_once_though_the_store_was_away() {
    let server = Postgres::start();
    for name in ["java", "spring"] {
        let scene = beside(&server);
        let store = format!("write = 'upsert'\non_error = 'retry'\n{WITH_VARIABLE}");
        let scenario = storing(8_000, "place = 'client'\nconsumers = 2\ncommit = 'every 500'", &store);
        scene.scenario(scenario.tables(&place(name)).case("one", ""));
        let run = scene.spawn_run(&[]);
        interrupt(&server);
        run.end().exits(0);
        let trial = &scene.trials()[0];
        stored_once(trial, 8_000);
        let members = &trial.measurement.as_ref().unwrap().members;
        let retries: u64 = members
            .iter()
            .filter_map(|member| member.store)
            .map(|each| each.retries)
            .sum();
        assert!(retries > 0, "{name}");
    }
}

#[test]
#[ignore = "scripts/test --all; the clients' own tests have the same without a database"]
fn jvm_clients_that_do_not_try_again_name_what_the_store_said() {
    let server = Postgres::start();
    for name in ["java", "spring"] {
        let scene = beside(&server);
        scene.scenario(storing(100_000, "place = 'client'", WITH_VARIABLE).tables(&place(name)));
        let mut run = scene.spawn_run(&[]);
        interrupt(&server);
        let back = Instant::now();
        run.wait_for("the work failed: ");
        assert!(back.elapsed() < Duration::from_secs(7), "{name}: {:?}", back.elapsed());
        // The group's members are dropped first, who could not leave it.
        run.end().exits(1);
        let failure = failure(&scene.trials()[0]).clone();
        assert_eq!(failure.kind, FailureKind::WorkerFailed, "{}", failure.message);
        // The server says that it ends, unless the driver notices first that the connection is gone.
        let states = ["57P01", "57P03", "08001", "08006"].map(|state| format!("SQLSTATE {state}"));
        assert!(
            states.iter().any(|state| failure.message.contains(state)),
            "{}",
            failure.message
        );
    }
}

#[test]
#[ignore = "scripts/test --all; backlogs are always read"]
fn jvm_clients_measure_the_response_times_of_records_that_arrive() {
    for name in ["java", "spring"] {
        let scene = Scene::on_shared_cluster();
        let text = format!(
            "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[dataset]\npartitions = 2\n[consumer]\nplace = \
             'client'\nconsumers = 2\n[load]\nrate = 500\nduration = 2\nwarmup = 1\n[[place]]\nname = \
             'client'\nlauncher = {}\n",
            launcher(name)
        );
        scene.scenario(text).run(&[]).exits(0);
        let trials = scene.trials();
        read_once(&trials[0]);
        let members = &trials[0].measurement.as_ref().unwrap().members;
        let latencies = members.iter().filter_map(MemberMeasurement::latencies);
        let measured: u64 = latencies.map(|latencies| latencies.response.count()).sum();
        // 1,000 are intended for the window.
        assert!((900..=1_100).contains(&measured), "{name}: {measured}");
    }
}

#[test]
#[ignore = "scripts/test --all; its own tests have the same without a broker"]
fn a_property_that_the_java_client_cannot_have_is_named() {
    let scene = Scene::on_shared_cluster();
    let tables = format!(
        "[[place]]\nname = 'java'\nlauncher = {}\n[consumer.client]\n'socket.nagle.disable' = true",
        launcher("java")
    );
    let scenario = Scenario::reading(1_000).consumer("place = 'java'").tables(&tables);
    scene.scenario(scenario.case("one", "")).run(&[]);
    let trials = scene.trials();
    let said = &failure(&trials[0]).message;
    assert!(
        said.contains("`socket.nagle.disable` is a property of librdkafka that cannot be translated"),
        "{said}"
    );
}

/// TLS with a client certificate.
fn certified() -> Access {
    let secured = secured();
    let file = |name: &str| secured.file(name).display().to_string();
    Access {
        bootstrap: secured.address("MUTUAL"),
        client: format!(
            "'security.protocol' = 'ssl'\n'ssl.ca.location' = '{}'\n'ssl.certificate.location' = '{}'\n'ssl.key.location' \
             = '{}'\n",
            file("well.pem"),
            file("client.pem"),
            file("client.key"),
        ),
    }
}

#[test]
#[ignore = "scripts/test --all; trials of both clients without a login run always"]
fn jvm_clients_sign_in_with_the_settings_of_librdkafka() {
    let secured = secured();
    let of_each = [
        ("java", secured.user("SCRAM", "runner")),
        ("java", certified()),
        ("spring", secured.user("PLAIN", "runner")),
        ("spring", certified()),
    ];
    for (name, access) in of_each {
        let scene = Scene::new().environment(Access::VARIABLE, Some(PASSWORD));
        let place = format!("[[place]]\nname = 'client'\nlauncher = {}", launcher(name));
        let scenario = Scenario::reading(2_000)
            .consumer("place = 'client'")
            .tables(&access.tables());
        scene
            .scenario(scenario.tables(&place).case("one", ""))
            .run(&[])
            .exits(0);
        read_once(&scene.trials()[0]);
    }
}
