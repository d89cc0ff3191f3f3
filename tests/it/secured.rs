//! Clusters with TLS, users and permissions: what runs on them, what does not is named, and secrets stay where they are.

use std::fs;
use std::time::Duration;

use crate::scenario::Scenario;
use crate::scene::{Ended, Scene, failure, files_below, read_once};
use crate::secured_cluster::{Access, GROUPS, PASSWORD, RECORDS, TOPIC, secured};

fn small() -> Scenario {
    Scenario::reading(2_000)
}

/// A scene for somebody with a password.
fn scene(access: &Access, password: &str) -> Scene {
    let scene = Scene::new().environment(Access::VARIABLE, Some(password));
    scene.scenario(small().tables(&access.tables()));
    scene
}

fn doctor(access: &Access, password: &str) -> Ended {
    scene(access, password).tandem(&["doctor", "scene.toml"])
}

/// Checks that exactly one check failed, that the output has these parts, and that it has no secret.
#[track_caller]
fn names(ended: Ended, parts: &[&str]) {
    let ended = ended.fails_one_check(parts);
    assert!(!ended.stdout.contains(PASSWORD) && !ended.stderr.contains(PASSWORD));
}

/// A listener with TLS and these further lines for the client.
fn tls(listener: &str, certificate: &str, more: &str) -> Access {
    let secured = secured();
    let file = secured.file(certificate);
    Access {
        bootstrap: secured.address(listener),
        client: format!(
            "\"security.protocol\" = \"ssl\"\n\"ssl.ca.location\" = \"{}\"\n{more}",
            file.display()
        ),
    }
}

/// The lines of a client certificate whose key lies in a file.
fn certificate(key: &str) -> String {
    let secured = secured();
    format!(
        "\"ssl.certificate.location\" = \"{}\"\n\"ssl.key.location\" = \"{}\"\n",
        secured.file("client.pem").display(),
        secured.file(key).display()
    )
}

#[test]
fn logins_that_fail_are_distinguished() {
    let secured = secured();
    let runner = || secured.user("SCRAM", "runner");
    names(
        doctor(&runner(), "not-the-password"),
        &[
            "the password is wrong: the broker knows user runner",
            "holds \"sasl.password\"",
        ],
    );
    names(
        doctor(&secured.user("SCRAM", "nobody"), PASSWORD),
        &[
            "user nobody is unknown",
            "no SCRAM-SHA-512 password",
            "--entity-name nobody",
        ],
    );
    names(
        doctor(&secured.user("OPEN", "nobody"), PASSWORD),
        &["user nobody is unknown"],
    );
    names(
        doctor(&secured.user("PLAIN", "runner"), "not-the-password"),
        &["refuses user runner or the password, and does not say which"],
    );
    let elsewhere = |bootstrap: String| Access { bootstrap, ..runner() };
    names(
        doctor(&elsewhere(secured.address("PLAIN")), PASSWORD),
        &[
            "does not offer the mechanism SCRAM-SHA-512, but PLAIN",
            "one that it offers: PLAIN",
        ],
    );
    let open = Access {
        bootstrap: secured.internal(),
        ..secured.user("OPEN", "runner")
    };
    names(
        doctor(&open, PASSWORD),
        &[
            "the listener authenticates nobody",
            "\"security.protocol\" = \"plaintext\"",
        ],
    );
    names(
        doctor(&tls("SCRAM", "well.pem", ""), PASSWORD),
        &[
            "wants a user to authenticate (SASL)",
            "\"security.protocol\" = \"sasl_ssl\"",
        ],
    );
    let plain = Access {
        bootstrap: secured.address("SCRAM"),
        client: String::new(),
    };
    names(
        doctor(&plain, PASSWORD),
        &["the listener wants TLS, but security.protocol is plaintext"],
    );
}

#[test]
fn certificates_that_are_not_trusted_are_distinguished() {
    let secured = secured();
    let user = |listener: &str| secured.user(listener, "runner");
    names(
        doctor(&user("EXPIRED"), PASSWORD),
        &["the certificate of localhost expired on"],
    );
    names(
        doctor(&user("ELSEWHERE"), PASSWORD),
        &[
            "the certificate is for kafka.example, not for 127.0.0.1",
            "subjectAltName",
        ],
    );
    let believing = |file: &str| {
        let well = user("SCRAM");
        let client = well.client.replace("well.pem", file);
        Access { client, ..well }
    };
    names(
        doctor(&believing("client.pem"), PASSWORD),
        &["was issued by localhost, which is not in"],
    );
    let mut unknown = user("SCRAM");
    let lines: Vec<&str> = unknown.client.lines().filter(|line| !line.contains("ssl.ca")).collect();
    unknown.client = lines.join("\n");
    names(
        doctor(&unknown, PASSWORD),
        &[
            "was issued by localhost, which this machine does not know",
            "set \"ssl.ca.location\"",
        ],
    );
    names(
        doctor(&tls("MUTUAL", "well.pem", ""), PASSWORD),
        &["asks for a client certificate, and none is set", "\"ssl.key.location\""],
    );
    let other = certificate("client.key").replace("client.key", "nowhere.key");
    names(
        doctor(&tls("MUTUAL", "well.pem", &other), PASSWORD),
        &["nowhere.key", "No such file"],
    );
    let locked = certificate("client-locked.key") + "\"ssl.key.password\" = { env = \"TANDEM_TEST_PASSWORD\" }\n";
    names(
        doctor(&tls("MUTUAL", "well.pem", &locked), "not-the-password"),
        &["client-locked.key", "is ssl.key.password right?"],
    );
}

#[test]
fn missing_rights_are_named_with_the_line_that_grants_them() {
    let secured = secured();
    let grant = |user: &str| {
        let bootstrap = secured.address("SCRAM");
        format!("kafka-acls --bootstrap-server {bootstrap} --add --allow-principal User:{user} ")
    };
    let stranger = doctor(&secured.user("SCRAM", "stranger"), PASSWORD);
    names(
        stranger,
        &[
            "create a topic",
            &grant("stranger"),
            "--operation Create",
            "[dataset] topic",
        ],
    );
    let groupless = doctor(&secured.user("SCRAM", "groupless"), PASSWORD);
    assert_eq!(groupless.failed_checks(), 2, "{}", groupless.stdout);
    let groupless = groupless
        .prints("Group authorization failed")
        .prints(&grant("groupless"));
    groupless.prints("--group tandem- --resource-pattern-type prefixed");
    let writeless = doctor(&secured.user("SCRAM", "writeless"), PASSWORD);
    names(
        writeless,
        &[
            "write a record",
            "Topic authorization failed",
            &grant("writeless"),
            "--operation Write",
        ],
    );
    let describer = scene(&secured.user("SCRAM", "describer"), PASSWORD);
    let described = describer.tandem(&["doctor", "scene.toml", "--topic", TOPIC]);
    let read = format!("{}--operation Read --topic {TOPIC}", grant("describer"));
    names(described, &["cannot be read", "Topic authorization failed", &read]);
    // The name of a client with a certificate, as the broker writes it.
    let mutual = doctor(&tls("MUTUAL", "well.pem", &certificate("client.key")), PASSWORD);
    mutual.exits(0).prints("permissions seen");
}

#[test]
fn the_line_that_the_doctor_prints_fixes_it() {
    let secured = secured();
    let access = secured.user("SCRAM", "learner");
    let tables = access
        .tables()
        .replace("[cluster]\n", &format!("[cluster]\nprefix = \"{GROUPS}\"\n"));
    let scene = Scene::new().environment(Access::VARIABLE, Some(PASSWORD));
    scene.scenario(small().tables(&tables));
    let look = || scene.tandem(&["doctor", "scene.toml", "--topic", TOPIC]);
    // What is said, and then done: first of the topic, then of the groups.
    for part in [format!("topic {TOPIC}"), "join a group (classic".to_owned()] {
        let ended = look();
        let lines: Vec<&str> = ended.stdout.lines().collect();
        let failed = lines
            .iter()
            .position(|line| line.starts_with("FAILED") && line.contains(&part));
        let failed = failed.unwrap_or_else(|| panic!("{part} is not in {}", ended.stdout));
        let fix = lines[failed + 1].split_once("fix: kafka-acls ").unwrap().1;
        let mut words = fix.split(';').next().unwrap().split(' ');
        assert_eq!(words.next(), Some("--bootstrap-server"));
        let arguments: Vec<&str> = words.skip(1).collect();
        let done = secured.acls(&arguments).output().unwrap();
        assert!(
            done.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    look()
        .exits(0)
        .prints("a record can be read")
        .prints("consumer protocol")
        .prints("permissions seen")
        .prints("Describe");
}

#[test]
fn a_user_who_may_only_read_one_topic_gets_the_topics_that_can_be_read() {
    let access = secured().reader();
    let tables = access
        .tables()
        .replace("[cluster]\n", &format!("[cluster]\nprefix = \"{GROUPS}\"\n"));
    let scene = Scene::new().environment(Access::VARIABLE, Some(PASSWORD));
    scene.scenario(small().tables(&tables));
    scene
        .tandem(&["doctor", "scene.toml", "--topic", TOPIC])
        .exits(0)
        .prints("2 partitions with 4000 offsets; a record can be read")
        .prints("no right to delete it");
    let hidden = scene.tandem(&["doctor", "scene.toml", "--topic", "secrets"]);
    names(
        hidden,
        &["topic secrets", "--operation Describe --operation Read --topic secrets"],
    );
}

/// Runs a scenario that cannot begin, and gives what it said without its first line.
#[track_caller]
fn refused(scene: &Scene) -> String {
    let ended = scene.run(&[]).exits(2);
    assert!(!scene.out().exists(), "something was left");
    assert!(!ended.stderr.contains(PASSWORD) && !ended.stdout.contains(PASSWORD));
    ended.stderr
}

#[test]
fn a_run_that_cannot_begin_says_what_the_doctor_says() {
    let secured = secured();
    let nobody = secured.user("SCRAM", "nobody");
    let looked = doctor(&nobody, PASSWORD);
    let ran = refused(&scene(&nobody, PASSWORD));
    let said = looked.stdout.lines().skip_while(|line| !line.starts_with("FAILED"));
    for line in said.take(2) {
        assert!(ran.contains(line), "{line}\nis not in\n{ran}");
    }
    let expired = refused(&scene(&secured.user("EXPIRED", "runner"), PASSWORD));
    assert!(expired.contains("the certificate of localhost expired on"), "{expired}");
    // What only the run itself finds out.
    let stranger = refused(&scene(&secured.user("SCRAM", "stranger"), PASSWORD));
    for part in [
        "cannot create topic",
        "fix: kafka-acls",
        "User:stranger --operation Create",
    ] {
        assert!(stranger.contains(part), "{part}\n{stranger}");
    }
}

#[test]
fn a_trial_that_may_not_join_its_group_says_what_would_allow_it() {
    let scene = scene(&secured().user("SCRAM", "groupless"), PASSWORD);
    scene.run(&[]).exits(1);
    let failed = failure(&scene.trials()[0]).message.clone();
    for part in ["Group authorization failed", "to fix it: kafka-acls", "--group tandem-"] {
        assert!(failed.contains(part), "{part}\n{failed}");
    }
}

#[test]
fn a_run_that_may_not_join_the_group_of_a_kept_set_says_so_and_does_not_wait_for_ever() {
    let scene = scene(&secured().user("SCRAM", "groupless"), PASSWORD);
    scene
        .run(&["--keep-data"])
        .exits(2)
        .says("no right to join the group tandem-")
        .says("Group authorization failed")
        .says("kafka-acls");
}

#[test]
fn runs_log_in_with_plain_by_a_file_and_with_a_certificate_whose_key_is_locked() {
    let secured = secured();
    let mut plain = secured.user("PLAIN", "runner");
    let from_variable = format!("{{ env = \"{}\" }}", Access::VARIABLE);
    plain.client = plain.client.replace(&from_variable, "{ file = \"password\" }");
    let filed = Scene::new();
    fs::write(filed.path().join("password"), format!("{PASSWORD}\n")).unwrap();
    filed.scenario(small().tables(&plain.tables()));
    let locked = certificate("client-locked.key") + &format!("\"ssl.key.password\" = {from_variable}\n");
    let certified = scene(&tls("MUTUAL", "well.pem", &locked), PASSWORD);
    for scene in [filed, certified] {
        scene.run(&[]).exits(0);
        read_once(&scene.trials()[0]);
        fs::remove_file(scene.path().join("password")).ok();
        assert_clean(&scene);
    }
}

#[test]
fn the_password_of_a_secured_run_is_in_no_file_no_output_and_no_command_line() {
    let access = secured().user("SCRAM", "runner");
    let scene = Scene::new().environment(Access::VARIABLE, Some(PASSWORD));
    let slow = small().repetitions(3).consumer("work = 'wait 500us'");
    let mut run = scene.scenario(slow.tables(&access.tables())).spawn_run(&["--verbose"]);
    run.wait_for("[1/");
    let mut workers = 0;
    for _ in 0..20 {
        for (pid, line) in scene.processes() {
            assert!(!line.contains(PASSWORD), "process {pid}: {line}");
            workers += usize::from(line.contains("worker consumer"));
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let environment = String::from_utf8_lossy(&environment).into_owned();
            let holding = environment.split('\0').filter(|variable| variable.contains(PASSWORD));
            for variable in holding {
                assert!(variable.starts_with(Access::VARIABLE), "process {pid}: {variable}");
            }
        }
        assert_clean(&scene);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(workers > 0);
    let ended = run.end().exits(0);
    assert!(!ended.stdout.contains(PASSWORD) && !ended.stderr.contains(PASSWORD));
    assert_clean(&scene);
    read_once(&scene.trials()[0]);

    // A password that is refused is no less a secret.
    let wrong = "not-the-password-either";
    let failing = self::scene(&access, wrong);
    let said = refused(&failing);
    assert!(
        said.contains("the password is wrong") && !said.contains(wrong),
        "{said}"
    );
    for (path, contents) in files_below(failing.path()) {
        assert!(
            !String::from_utf8_lossy(&contents).contains(wrong),
            "{}",
            path.display()
        );
    }
}

/// Checks the run's folder and the state folder.
#[track_caller]
fn assert_clean(scene: &Scene) {
    for (path, contents) in files_below(scene.path()) {
        let text = String::from_utf8_lossy(&contents);
        assert!(!text.contains(PASSWORD), "{}", path.display());
    }
}

/// The run of somebody who may only read one topic, in groups that start with [`GROUPS`].
fn reading(access: &Access, prefix: &str, consumer: &str) -> Scene {
    let tables = access
        .tables()
        .replace("[cluster]\n", &format!("[cluster]\nprefix = \"{prefix}\"\n"));
    let scene = Scene::new().environment(Access::VARIABLE, Some(PASSWORD));
    scene.scenario(format!(
        "question = \"One process or two?\"\nrepetitions = 2\nwarmup_blocks = 1\n[dataset]\ntopic = \"{TOPIC}\"\n\
         [consumer]\ncommit = \"per-batch\"\n{consumer}[matrix]\nprocesses = [1, 2]\n{tables}"
    ));
    scene
}

/// Checks that a run has read every record, and that the password is nowhere.
#[track_caller]
fn has_read_it_all(scene: &Scene) {
    let ended = scene.run(&[]).exits(0);
    let trials = scene.trials();
    assert!(trials.len() >= 6, "{}", trials.len());
    for trial in &trials {
        read_once(trial);
        assert_eq!(
            trial.measurement.as_ref().unwrap().records(),
            u64::from(RECORDS),
            "{trial:?}"
        );
    }
    assert!(!ended.stdout.contains(PASSWORD) && !ended.stderr.contains(PASSWORD));
    for (path, bytes) in files_below(scene.path()) {
        let found = bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
        assert!(!found, "the password is in {}", path.display());
    }
}

#[test]
fn somebody_who_may_only_read_one_topic_measures_on_it() {
    let access = secured().reader();
    let scene = reading(&access, GROUPS, "");
    has_read_it_all(&scene);
    // Groups may not be deleted by this user: they expire, and that is said.
    scene.tandem(&["report", "out"]).exits(0).prints("process");
}

#[test]
fn somebody_who_may_use_one_group_alone_measures_in_it() {
    let access = secured().reader();
    let group = format!("{GROUPS}only");
    has_read_it_all(&reading(&access, "nobody-may-", &format!("group = \"{group}\"\n")));
}

#[test]
fn a_run_on_a_topic_that_may_not_be_read_says_what_would_allow_it() {
    let described = secured().user("SCRAM", "describer");
    let ran = refused(&reading(&described, GROUPS, ""));
    for part in [
        "fix: kafka-acls",
        "User:describer",
        "--operation Read",
        &format!("--topic {TOPIC}"),
    ] {
        assert!(ran.contains(part), "{part}\n{ran}");
    }
    let reader = secured().reader();
    let scene = reading(&reader, "not-theirs-", "");
    scene.run(&[]).exits(1);
    let failed = failure(&scene.trials()[0]).message.clone();
    for part in ["Group authorization failed", "kafka-acls", "--group not-theirs-"] {
        assert!(failed.contains(part), "{part}\n{failed}");
    }
}
