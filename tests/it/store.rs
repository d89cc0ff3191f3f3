//! Runs whose records end in a PostgreSQL: a private one, and one that somebody else runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};
use tandem::database::{Address, Connection};
use tandem::measure::{FailureKind, Step, StoreAccount};
use tandem::protocol::Secret;
use tandem::store::RunDir;
use tokio::runtime::Builder;

use crate::postgres::Postgres;
use crate::scenario::Scenario;
use crate::scene::{Scene, failure, signal, wait_until, within};

/// The variable with the address of a database.
const VARIABLE: &str = "TANDEM_TEST_STORE";

pub const WITH_VARIABLE: &str = "url = { env = 'TANDEM_TEST_STORE' }";

/// A data set of so many records, each of which ends in a store.
pub fn storing(records: u32, consumer: &str, store: &str) -> Scenario {
    let scenario = Scenario::reading(records).prefix("tandem-store-");
    let scenario = scenario.consumer("work = 'store'").consumer(consumer);
    scenario.tables(&format!("[store]\nkind = 'postgres'\n{store}"))
}

/// A scene whose runs store in this database.
pub fn beside(server: &Postgres) -> Scene {
    Scene::on_shared_cluster().environment(VARIABLE, Some(&server.url()))
}

/// The first column of what a query answers.
pub fn ask(server: &Postgres, sql: &str) -> Vec<String> {
    let address = Address::parse(&Secret::new(server.url())).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connection = Connection::open(&address, "test").await.unwrap();
        let rows = connection.client.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    })
}

/// The tables of runs of these tests.
fn tables(server: &Postgres) -> Vec<String> {
    ask(
        server,
        "SELECT tablename::text FROM pg_tables WHERE tablename LIKE 'tandem-store-%'",
    )
}

/// Runs statements.
pub fn tell(server: &Postgres, sql: &str) {
    let address = Address::parse(&Secret::new(server.url())).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connection = Connection::open(&address, "test").await.unwrap();
        connection.client.batch_execute(sql).await.unwrap();
    });
}

/// Every process of a database works in its data directory.
pub fn processes_in(folder: &Path) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    processes
        .filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)))
        .collect()
}

/// The folder of the private database of a run that goes on.
pub fn folder_of(scene: &Scene) -> PathBuf {
    let folder = || {
        let mut folders = scene.data_folders().into_iter();
        folders.find(|folder| folder.to_string_lossy().contains("-postgresql-"))
    };
    wait_until("a database is noted", || folder().is_some());
    folder().unwrap()
}

/// Waits until the private database of the run has a session of a member besides the run's own.
fn wait_for_members(folder: &Path) {
    let is_session = |title: &String| title.contains("postgres: tandem postgres");
    wait_until("a member has a session", || {
        titles(folder).iter().filter(|title| is_session(title)).count() > 1
    });
}

/// How the processes of a database call themselves: sessions with their user and what they do.
pub fn titles(folder: &Path) -> Vec<String> {
    let processes = processes_in(folder).into_iter();
    processes
        .filter_map(|process| fs::read_to_string(process.join("cmdline")).ok())
        .collect()
}

#[test]
fn every_record_of_each_group_ends_in_a_private_postgresql_that_is_gone_afterwards() {
    let scene = Scene::on_shared_cluster();
    let scenario = storing(2_000, "store_batch = 10", "").case("two", "groups = 2\nprocesses = 2");
    let run = scene.scenario(scenario).spawn_run(&[]);
    let folder = folder_of(&scene);
    run.end().exits(0);
    let page = fs::read_to_string(scene.out().join("report.html")).unwrap();
    assert!(page.contains("run by tandem on this machine") && page.contains("listen_addresses"));
    let trials = scene.trials();
    let account = trials[0].measurement.as_ref().unwrap().store.as_ref().unwrap().account;
    let expected = StoreAccount {
        rows: 4_000,
        stored: 4_000,
        ..StoreAccount::default()
    };
    assert_eq!(account, Some(expected));
    let row = &scene.table("trials.csv")[0];
    assert_eq!((row["stored"].as_str(), row["stored_twice"].as_str()), ("4000", "0"));
    let environment = RunDir::open(&scene.out()).unwrap().read_environment().unwrap().unwrap();
    let store = environment.store.unwrap();
    assert!(
        store.local && store.deviations.iter().any(|setting| setting.name == "port"),
        "{store:?}"
    );
    assert!(
        store.deviations.iter().all(|setting| setting.name != "fsync"),
        "{store:?}"
    );
    let steps = environment.sessions[0].steps.iter();
    assert!(steps.map(|step| step.step).any(|step| step == Step::Store));
    assert!(!folder.exists() && processes_in(&folder).is_empty());
    scene.assert_no_processes();
}

#[test]
fn a_database_that_cannot_be_used_is_refused_before_anything_is_started() {
    let scene = Scene::new();
    scene.scenario(storing(100, "", WITH_VARIABLE));
    scene
        .run(&[])
        .refuses(&[VARIABLE, "is not set", "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"]);
    for (url, parts) in [
        ("host=db password=hunter2", ["must be postgresql://", VARIABLE]),
        (
            "postgresql://me:hunter2@127.0.0.1:1/mine",
            ["127.0.0.1:1", "Connection refused"],
        ),
    ] {
        let scene = Scene::new().environment(VARIABLE, Some(url));
        let refused = scene.scenario(storing(100, "", WITH_VARIABLE)).run(&[]);
        assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
        refused.refuses(&parts);
        assert!(!scene.out().exists());
    }
}

#[test]
#[ignore = "scripts/test --all; a_database_that_cannot_be_used_is_refused_before_anything_is_started has the cheap cases"]
fn a_database_that_refuses_the_user_is_named_once() {
    let server = Postgres::start();
    tell(
        &server,
        "CREATE ROLE guest LOGIN PASSWORD 'hunter2'; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    );
    let refused = |url: &str, parts: &[&str]| {
        let scene = Scene::new().environment(VARIABLE, Some(url));
        scene.scenario(storing(100, "", WITH_VARIABLE)).run(&[]).refuses(parts);
    };
    let url = server.url();
    refused(
        &server.url_with("hunter3"),
        &["password authentication failed", "check user and password"],
    );
    refused(&url.replace("/postgres", "/none"), &["does not exist", "create it"]);
    let guest = server.url_with("hunter2").replace("tandem:", "guest:");
    refused(&guest, &["lets no table be made", "permission denied"]);
    let scene = Scene::new().environment(VARIABLE, Some(&url));
    let many = storing(100, "processes = 20\nconsumers = 5", WITH_VARIABLE);
    scene
        .scenario(many)
        .run(&[])
        .refuses(&["100 threads that work", "allows 97"]);
    server.stop();
    refused(&url, &["Connection refused", "does it run"]);
}

#[test]
#[ignore = "scripts/test --all; the guardian's tests have the cheap case"]
fn a_killed_run_leaves_no_process_of_its_database_and_no_data_after_three_seconds() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(storing(2_000_000, "", ""));
    let run = scene.spawn_run(&[]);
    let folder = folder_of(&scene);
    wait_for_members(&folder);
    assert!(processes_in(&folder).len() > 4);
    run.signal(Signal::SIGKILL);
    let is_gone = || !folder.exists() && processes_in(&folder).is_empty();
    assert!(within(Duration::from_secs(3), is_gone), "{:?}", processes_in(&folder));
    assert_eq!(run.end().code, None);
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; deaths.rs has the same for brokers"]
fn a_private_database_that_dies_fails_the_trial_by_name_and_ends_the_run() {
    for on_error in ["fail", "retry"] {
        let scene = Scene::on_shared_cluster();
        scene.scenario(storing(2_000_000, "", &format!("on_error = '{on_error}'")));
        let run = scene.spawn_run(&[]);
        let folder = folder_of(&scene);
        wait_for_members(&folder);
        let text = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
        signal(text.lines().next().unwrap().parse().unwrap(), Signal::SIGKILL);
        let ended = run.end().exits(1).says("the store is gone").says("PostgreSQL");
        assert!(ended.took < Duration::from_secs(60), "{:?}", ended.took);
        assert_eq!(failure(&scene.trials()[0]).clone().kind, FailureKind::Store);
        assert!(!folder.exists() && processes_in(&folder).is_empty());
    }
}

#[test]
#[ignore = "scripts/test --all; interface.rs has the same without a store"]
fn a_run_that_is_interrupted_drops_its_tables_and_can_go_on() {
    let server = Postgres::start();
    let scene = beside(&server);
    scene.scenario(storing(300_000, "", WITH_VARIABLE).trial_records(3_000).repetitions(2));
    let mut run = scene.spawn_run(&[]);
    run.wait_for("[1/2]");
    run.signal(Signal::SIGINT);
    run.end().exits(130);
    assert_eq!(tables(&server), Vec::<String>::new());
    tell(&server, "ALTER ROLE tandem SET synchronous_commit = off");
    let refused = scene.resume().exits(1);
    refused.says("store setting synchronous_commit was default and is off");
    tell(&server, "ALTER ROLE tandem RESET synchronous_commit");
    scene.resume().exits(0);
    assert_eq!(tables(&server), Vec::<String>::new());
    let stored = scene.table("trials.csv").into_iter().map(|row| row["stored"].clone());
    assert_eq!(stored.collect::<Vec<_>>(), ["3000", "3000"]);
}

#[test]
#[ignore = "scripts/test --all; the guardian's tests have the cheap case"]
fn tables_of_a_killed_run_are_dropped_by_the_next_start_and_those_of_others_stay() {
    let server = Postgres::start();
    tell(&server, "CREATE TABLE \"tandem-store-orders\" (id integer)");
    let scene = beside(&server);
    scene.scenario(storing(2_000_000, "", WITH_VARIABLE));
    let run = scene.spawn_run(&[]);
    wait_until("a table is made", || tables(&server).len() == 2);
    run.signal(Signal::SIGKILL);
    run.end();
    assert_eq!(tables(&server).len(), 2);
    // The next run uses another database.
    tell(&server, "CREATE DATABASE other");
    let elsewhere = server.url().replace("/postgres", "/other");
    let scene = scene.environment(VARIABLE, Some(&elsewhere));
    scene.scenario(storing(200, "", WITH_VARIABLE));
    let stays = scene.spawn_run_to("other", &[]).end().exits(0);
    stays
        .says("stays there; `tandem clean --yes` forgets it")
        .says("/postgres");
    assert_eq!(tables(&server).len(), 2);
    let scene = scene.environment(VARIABLE, Some(&server.url()));
    scene.tandem(&["clean", "--yes"]).says("dropped 1 tables");
    assert_eq!(tables(&server), ["tandem-store-orders"]);
}

/// Has the database do this to each row that is inserted into a table which is made from now on.
pub fn tamper(server: &Postgres, when: &str, body: &str) {
    tell(
        server,
        &format!(
            "CREATE FUNCTION tamper() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
             CREATE FUNCTION on_create() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE made record; BEGIN
               FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE command_tag = 'CREATE TABLE' LOOP
                 EXECUTE 'CREATE TRIGGER tamper {when} INSERT ON ' || made.object_identity
                   || ' FOR EACH ROW EXECUTE FUNCTION tamper()';
               END LOOP; END $$;
             CREATE EVENT TRIGGER tampering ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION on_create()"
        ),
    );
}

#[test]
#[ignore = "scripts/test --all; the tests of measure::rows find the same in made accounts"]
fn rows_that_the_database_loses_or_doubles_are_found_and_named() {
    let cases = [
        (
            "BEFORE",
            "IF NEW.\"offset\" BETWEEN 17 AND 19 AND NEW.partition = 1 THEN RETURN NULL; END IF; RETURN NEW;",
            FailureKind::RowsLost,
            "offsets 17 to 19 of partition 1 of topic 1 were reported as stored by group 1, process 1, consumer 1 and have \
             no row",
        ),
        (
            "AFTER",
            "IF NEW.\"offset\" = 5 AND NEW.partition = 0 AND pg_trigger_depth() = 1 THEN
               EXECUTE format('INSERT INTO %I SELECT $1.*', TG_TABLE_NAME) USING NEW; END IF; RETURN NULL;",
            FailureKind::RowsTwice,
            "offset 5 of partition 0 of topic 1 has 2 rows, and group 1, process 1, consumer 1 wrote 1",
        ),
        (
            "AFTER",
            "IF NEW.\"offset\" = 5 AND NEW.partition = 0 AND pg_trigger_depth() = 1 THEN
               NEW.\"offset\" := 1000000; EXECUTE format('INSERT INTO %I SELECT $1.*', TG_TABLE_NAME) USING NEW; END IF;
             RETURN NULL;",
            FailureKind::RowsOutside,
            "offset 1000000 of partition 0 of topic 1 has a row, and no member reported to have stored it",
        ),
        (
            "BEFORE",
            "IF NEW.\"offset\" = 9 AND NEW.partition = 1 THEN NEW.value := substring(NEW.value FROM 2); END IF; RETURN NEW;",
            FailureKind::RowsAltered,
            "the values in the rows of partition 1 of topic 1, which group 1, process 1, consumer 1 read, have 99,999 bytes \
             instead of 100,000",
        ),
        // The transaction of offset 3 is rolled back and tried again, which explains no second row of offset 500.
        (
            "AFTER",
            "IF NEW.\"offset\" = 3 AND NEW.partition = 0 AND nextval('once') = 1 THEN
               RAISE EXCEPTION SQLSTATE '40001'; END IF;
             IF NEW.\"offset\" = 500 AND NEW.partition = 0 AND pg_trigger_depth() = 1 THEN
               EXECUTE format('INSERT INTO %I SELECT $1.*', TG_TABLE_NAME) USING NEW; END IF; RETURN NULL;",
            FailureKind::RowsTwice,
            "offset 500 of partition 0 of topic 1 has 2 rows, and group 1, process 1, consumer 1 wrote 1",
        ),
    ];
    for (when, body, kind, named) in cases {
        let server = Postgres::start();
        tell(&server, "CREATE SEQUENCE once");
        tamper(&server, when, body);
        let scene = beside(&server);
        let store = format!("{WITH_VARIABLE}\non_error = 'retry'");
        scene
            .scenario(storing(2_000, "store_batch = 7", &store))
            .run(&[])
            .exits(1);
        let failure = failure(&scene.trials()[0]).clone();
        assert_eq!(failure.kind, kind, "{}", failure.message);
        assert!(failure.message.contains(named), "{}", failure.message);
        assert_eq!(tables(&server), Vec::<String>::new());
    }
}

#[test]
#[ignore = "scripts/test --all; a_private_database_that_dies_fails_the_trial_by_name_and_ends_the_run has another failure"]
fn a_table_that_cannot_be_made_fails_its_trial_by_name() {
    let server = Postgres::start();
    tell(
        &server,
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
           IF current_query() LIKE '%-t1-%' THEN RAISE 'not today'; END IF; END $$;
         CREATE EVENT TRIGGER refusing ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse()",
    );
    let scene = beside(&server);
    scene.scenario(storing(2_000, "", WITH_VARIABLE)).run(&[]).exits(1);
    let failure = failure(&scene.trials()[0]).clone();
    assert_eq!(failure.kind, FailureKind::Store);
    assert!(
        failure.message.contains("no table could be made: ERROR: not today"),
        "{}",
        failure.message
    );
}

#[test]
#[ignore = "scripts/test --all; needs the right to mount"]
fn a_full_disk_fails_the_trial_with_what_the_database_says() {
    let server = Postgres::start();
    let disk = tempfile::tempdir_in("/var/tmp").unwrap();
    let run = |program: &str, arguments: &[&str]| {
        assert!(
            std::process::Command::new(program)
                .args(arguments)
                .status()
                .unwrap()
                .success(),
            "{program}"
        );
    };
    let path = disk.path().to_str().unwrap();
    run("chmod", &["755", path]);
    run("mount", &["-t", "tmpfs", "-o", "size=2m,mode=777", "tmpfs", path]);
    let small = disk.path().join("small");
    fs::create_dir(&small).unwrap();
    server.give(&small);
    tell(
        &server,
        &format!("CREATE TABLESPACE small LOCATION '{}'", small.display()),
    );
    tell(&server, "ALTER ROLE tandem SET default_tablespace = 'small'");
    let scene = beside(&server);
    scene
        .scenario(storing(50_000, "store_batch = 100", WITH_VARIABLE))
        .run(&[])
        .exits(1);
    let failure = failure(&scene.trials()[0]).clone();
    drop(server);
    run("umount", &[path]);
    assert_eq!(failure.kind, FailureKind::WorkerFailed, "{}", failure.message);
    assert!(
        failure.message.contains("the work failed: ") && failure.message.contains("No space left on device"),
        "{}",
        failure.message
    );
}

/// A certificate for 127.0.0.1 with its key, both PEM, which is its own authority.
fn certificate() -> (Vec<u8>, Vec<u8>) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "127.0.0.1").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    let [from, until] = [0, 1].map(|days| Asn1Time::days_from_now(days).unwrap());
    builder.set_not_before(&from).unwrap();
    builder.set_not_after(&until).unwrap();
    let address = SubjectAlternativeName::new()
        .ip("127.0.0.1")
        .build(&builder.x509v3_context(None, None));
    builder.append_extension(address.unwrap()).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (
        builder.build().to_pem().unwrap(),
        key.private_key_to_pem_pkcs8().unwrap(),
    )
}

#[test]
#[ignore = "scripts/test --all; needs a server with a certificate"]
fn only_the_authority_that_the_address_names_is_trusted() {
    let server = Postgres::start();
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let run = |program: &str, arguments: &[&str]| std::process::Command::new(program).args(arguments).status().unwrap();
    run("chmod", &["755", folder.path().to_str().unwrap()]);
    let file = |name: &str, contents: Vec<u8>| {
        let path = folder.path().join(name);
        fs::write(&path, contents).unwrap();
        run("chmod", &["600", path.to_str().unwrap()]);
        path
    };
    let ((certificate_of_server, key), (other, _)) = (certificate(), certificate());
    let [trusted, cert, key, other] = [
        file("trusted.pem", certificate_of_server.clone()),
        file("server.pem", certificate_of_server),
        file("server.key", key),
        file("other.pem", other),
    ];
    server.give(&cert);
    server.give(&key);
    for statement in [
        format!("ALTER SYSTEM SET ssl_cert_file = '{}'", cert.display()),
        format!("ALTER SYSTEM SET ssl_key_file = '{}'", key.display()),
        "ALTER SYSTEM SET ssl = on".to_owned(),
        "SELECT pg_reload_conf()".to_owned(),
    ] {
        tell(&server, &statement);
    }
    // OpenSSL takes the machine's authorities from this file.
    let scene = |root: &Path| {
        let url = format!("{}?sslmode=verify-full&sslrootcert={}", server.url(), root.display());
        let scene = Scene::on_shared_cluster().environment(VARIABLE, Some(&url));
        let scene = scene.environment("SSL_CERT_FILE", Some(trusted.to_str().unwrap()));
        scene.scenario(storing(200, "", WITH_VARIABLE));
        scene
    };
    scene(&trusted).run(&[]).exits(0);
    scene(&other)
        .run(&[])
        .refuses(&["cannot be used", "certificate verify failed"]);
    scene(Path::new("system")).run(&[]).exits(0);
}
