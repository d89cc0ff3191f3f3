//! Faults rigged on real brokers and false ones, each named by the doctor with what would mend it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tandem::kafka::local::{ListenerSpec, Security};
use tandem::secret::Secret;

use crate::scene::{Ended, Scene};
use crate::shared_cluster::Shared;

/// What the doctor may take for a fault.
const LIMIT: Duration = Duration::from_secs(10);

fn ask(bootstrap: &str) -> Ended {
    Scene::new().tandem(&["doctor", "--bootstrap", bootstrap])
}

/// The doctor with client properties.
fn ask_with(bootstrap: &str, client: &str) -> Ended {
    let scene = Scene::new();
    scene.scenario(&format!(
        "question = '?'\n[cluster]\nbootstrap = \"{bootstrap}\"\n[cluster.client]\n{client}\n"
    ));
    scene.tandem(&["doctor", "scene.toml"])
}

/// Checks that it failed in time, naming these.
#[track_caller]
fn names(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.took < LIMIT, "{:?}\n{}", ended.took, ended.stdout);
    let failed: Vec<&str> = ended.stdout.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert_eq!(failed.len(), 1, "{}", ended.stdout);
    for part in parts {
        assert!(ended.stdout.contains(part), "{part:?} is not in\n{}", ended.stdout);
    }
}

fn listener(name: &str, advertised_host: &str, advertised_port: Option<u16>) -> ListenerSpec {
    ListenerSpec {
        name: name.to_owned(),
        bind_host: "127.0.0.1".to_owned(),
        advertised_host: Some(advertised_host.to_owned()),
        advertised_port,
        security: Security::Plaintext,
        properties: BTreeMap::new(),
    }
}

#[test]
fn a_broker_that_is_well_is_found_so_and_nothing_is_left_on_it() {
    let broker = Shared::start("doctor-well");
    let ended = ask(&broker.bootstrap()).exits(0);
    for part in [
        "log in",
        "read it back",
        "clocks",
        "classic protocol",
        "consumer protocol",
        "is gone again",
    ] {
        assert!(ended.stdout.contains(part), "{part}\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("FAILED"), "{}", ended.stdout);
    let (topics, groups) = crate::shared_cluster::names_on(&broker.bootstrap(), "tandem-");
    assert_eq!((topics, groups), (Vec::<String>::new(), Vec::<String>::new()));
}

#[test]
fn addresses_that_lead_nowhere_are_named() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    names(&ask(&closed), &["connection refused", "is the broker running"]);
    names(
        &ask("nobody.invalid:9092"),
        &["name nobody.invalid", "does not resolve here"],
    );
    names(&ask("localhost:http"), &["it is no HOST:PORT"]);
}

#[test]
fn servers_that_are_no_brokers_are_told_by_what_they_say() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    names(&ask(&silent.local_addr().unwrap().to_string()), &["says nothing for"]);
    let http = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = http.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in http.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 256]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    names(&ask(&address), &["it is no Kafka broker", "HTTP/1.1 400"]);
}

#[test]
fn what_a_broker_advertises_is_tried_from_here_and_named_with_the_line_that_mends_it() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let listeners = vec![
        listener("NAMELESS", "kafka.invalid", None),
        listener("CLOSED", "127.0.0.1", Some(closed)),
    ];
    let broker = Shared::with_listeners("doctor-advertised", listeners);
    let (nameless, unreachable) = (broker.bind_address("NAMELESS"), broker.bind_address("CLOSED"));
    let mend = |address: &str| format!("advertised.listeners=PLAINTEXT://{address}");
    names(
        &ask(&nameless),
        &[
            "advertised listener of broker 1",
            "kafka.invalid:",
            "does not resolve here",
            &mend(&nameless),
        ],
    );
    let told = format!("127.0.0.1:{closed}, which cannot be reached from here");
    names(
        &ask(&unreachable),
        &["advertised listener of broker 1", &told, &mend(&unreachable)],
    );
    broker.suspend(true);
    names(
        &ask(&nameless),
        &["says nothing for", "is the broker's process stopped"],
    );
    broker.suspend(false);
}

/// A key with a certificate that it has signed itself, as a store for a broker and as PEM.
fn certificate(folder: &Path, name: &str, host: &str, days: &str, start: &str) -> (String, String) {
    let store = folder.join(format!("{name}.p12")).display().to_string();
    let pem = folder.join(format!("{name}.pem")).display().to_string();
    let keytool = |arguments: &[&str]| {
        let done = Command::new("keytool").args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    };
    let subject = format!("CN={host}");
    let alternative = format!("SAN=DNS:{host},IP:127.0.0.1");
    let common = ["-keystore", &store, "-storepass", "change-me", "-alias", "broker"];
    let make = [
        "-genkeypair",
        "-keyalg",
        "RSA",
        "-dname",
        &subject,
        "-ext",
        &alternative,
    ];
    let life = ["-validity", days, "-startdate", start];
    keytool(&[&make[..], &life[..], &common[..]].concat());
    keytool(&[&["-exportcert", "-rfc", "-file", &pem][..], &common[..]].concat());
    (store, pem)
}

fn tls_listener(name: &str, store: &str) -> ListenerSpec {
    let property = |key: &str, value: &str| (key.to_owned(), Secret::new(value));
    ListenerSpec {
        security: Security::Tls,
        properties: BTreeMap::from([
            property("ssl.keystore.location", store),
            property("ssl.keystore.password", "change-me"),
            property("ssl.keystore.type", "PKCS12"),
        ]),
        ..listener(name, "127.0.0.1", None)
    }
}

#[test]
fn faults_of_tls_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (well, well_pem) = certificate(folder.path(), "well", "localhost", "30", "-1d");
    let (expired, expired_pem) = certificate(folder.path(), "expired", "localhost", "1", "-10d");
    let listeners = vec![tls_listener("WELL", &well), tls_listener("EXPIRED", &expired)];
    let broker = Shared::with_listeners("doctor-tls", listeners);
    let address = broker.bind_address("WELL");

    names(
        &ask(&address),
        &[
            "the listener wants TLS, but security.protocol is plaintext",
            "= \"ssl\"",
        ],
    );
    let plain = broker.bootstrap();
    let tls = "\"security.protocol\" = \"ssl\"";
    names(
        &ask_with(&plain, tls),
        &["talks without TLS, but security.protocol is ssl"],
    );
    names(
        &ask_with(&address, tls),
        &["was issued by localhost", "set \"ssl.ca.location\""],
    );
    let trusting = |pem: &str| format!("{tls}\n\"ssl.ca.location\" = \"{pem}\"");
    names(
        &ask_with(&address, &trusting(&expired_pem)),
        &["was issued by localhost, which is not in"],
    );
    names(
        &ask_with(&broker.bind_address("EXPIRED"), &trusting(&expired_pem)),
        &["the certificate of localhost expired on"],
    );
    names(
        &ask_with(&address, &trusting("/nowhere.pem")),
        &["ssl.ca.location = \"/nowhere.pem\""],
    );
    let well = ask_with(&address, &trusting(&well_pem)).exits(0);
    assert!(well.stdout.contains("certificate valid until"), "{}", well.stdout);
}
