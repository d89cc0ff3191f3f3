//! Faults rigged on real brokers and false ones, each named by the doctor with the fix.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::kafka::local::{ListenerSpec, Security};
use tandem::secret::Secret;

use crate::rigged_broker::{Rig, Rigged};
use crate::scene::{Ended, PROGRAM, Scene, wait_until};
use crate::secured_cluster::certificate;
use crate::shared_cluster::{Shared, bootstrap, names as names_on_shared};

/// What the doctor may take for a fault on a busy machine; on a quiet one it takes less than 10 s for each.
const LIMIT: Duration = Duration::from_secs(30);

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
    eprintln!("{:.2} s: {}", ended.took.as_secs_f64(), failed[0]);
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
fn a_doctor_that_is_interrupted_leaves_nothing() {
    let scene = Scene::new();
    let prefix = "doctor-interrupted-";
    scene.scenario(&format!(
        "question = '?'\n[cluster]\nbootstrap = \"{}\"\nprefix = \"{prefix}\"\n",
        bootstrap()
    ));
    let asked = scene.spawn(&["doctor", "scene.toml"]);
    wait_until("its group", || !names_on_shared(prefix).1.is_empty());
    asked.signal(Signal::SIGINT);
    let ended = asked.end().exits(130);
    assert!(
        ended.stdout.contains("is gone again") && !ended.stdout.contains("FAILED"),
        "{}",
        ended.stdout
    );
    assert_eq!(names_on_shared(prefix), (Vec::new(), Vec::new()));
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

fn port_of(bootstrap: &str) -> u16 {
    bootstrap.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn what_a_broker_advertises_is_tried_from_here_and_named_with_the_line_that_mends_it() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    // Another cluster, as where each has localhost for its address; and a server that is no broker.
    let elsewhere = port_of(&bootstrap());
    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = closing.local_addr().unwrap();
    thread::spawn(move || closing.incoming().for_each(drop));
    let closing = server.port();
    let listeners = vec![
        listener("NAMELESS", "kafka.invalid", None),
        listener("CLOSED", "127.0.0.1", Some(closed)),
        listener("ELSEWHERE", "127.0.0.1", Some(elsewhere)),
        listener("CLOSING", "127.0.0.1", Some(closing)),
    ];
    let broker = Shared::with_listeners("doctor-advertised", listeners);
    let (nameless, unreachable) = (broker.bind_address("NAMELESS"), broker.bind_address("CLOSED"));
    let fix = |address: &str| format!("advertised.listeners=PLAINTEXT://{address}");
    names(
        &ask(&nameless),
        &[
            "advertised listener of broker 1",
            "kafka.invalid:",
            "does not resolve here",
            &fix(&nameless),
        ],
    );
    let told = format!("127.0.0.1:{closed}, which cannot be reached from here");
    names(
        &ask(&unreachable),
        &["advertised listener of broker 1", &told, &fix(&unreachable)],
    );
    let told = format!("127.0.0.1:{elsewhere}, which leads from here to another cluster");
    names(
        &ask(&broker.bind_address("ELSEWHERE")),
        &[
            "advertised listener of broker 1",
            &told,
            "advertised.listeners=PLAINTEXT://",
        ],
    );
    let told =
        format!("127.0.0.1:{closing}, which takes connections from here, but there it takes the connection and closes");
    names(
        &ask(&broker.bind_address("CLOSING")),
        &["advertised listener of broker 1", &told],
    );
    broker.suspend(true);
    names(
        &ask(&nameless),
        &["says nothing for", "is the broker's process stopped"],
    );
    broker.suspend(false);
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
    let (well, well_pem) = certificate(folder.path(), "well", "localhost", "127.0.0.1", "30", "-1d");
    let (expired, expired_pem) = certificate(folder.path(), "expired", "localhost", "127.0.0.1", "1", "-10d");
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
        &["ssl.ca.location = \"/nowhere.pem\": No such file"],
    );
    let well = ask_with(&address, &trusting(&well_pem)).exits(0);
    assert!(well.stdout.contains("certificate valid until"), "{}", well.stdout);
}

/// A network namespace with an address of its own there and one on this side; gone when dropped.
struct Namespace {
    name: String,
    link: String,
}

/// An address that leads to the broker inside of the namespace only (RFC 5737: nobody has it).
const INSIDE: &str = "192.0.2.9";
/// The broker's address for this side.
const BETWEEN: &str = "10.213.47.2";

impl Namespace {
    /// `Err` where this machine does not allow it.
    fn new() -> Result<Self, String> {
        let number = std::process::id() % 1_000_000;
        let namespace = Namespace {
            name: format!("tandem{number}"),
            link: format!("tnd{number}"),
        };
        let (name, link) = (&namespace.name, &namespace.link);
        let inner = format!("{link}i");
        for line in [
            format!("netns add {name}"),
            format!("link add {link} type veth peer name {inner} netns {name}"),
            format!("addr add 10.213.47.1/30 dev {link}"),
            format!("link set {link} up"),
            format!("-n {name} addr add {BETWEEN}/30 dev {inner}"),
            format!("-n {name} link set {inner} up"),
            format!("-n {name} link set lo up"),
            format!("-n {name} addr add {INSIDE}/32 dev lo"),
        ] {
            let done = Command::new("ip").args(line.split(' ')).output();
            let done = done.map_err(|error| format!("ip: {error}"))?;
            if !done.status.success() {
                return Err(format!("ip {line}: {}", String::from_utf8_lossy(&done.stderr).trim()));
            }
        }
        Ok(namespace)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The link goes with its other end.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
    }
}

#[test]
fn an_address_that_is_valid_only_where_the_broker_runs_is_named_as_such() {
    let namespace = match Namespace::new() {
        Ok(namespace) => namespace,
        Err(cause) => {
            eprintln!("SKIPPED: no network namespace can be made here, so this is NOT tested: {cause}");
            return;
        }
    };
    let port = 9092;
    let rig = Rig {
        name: "namespace",
        launcher: &["ip", "netns", "exec", &namespace.name],
        format: Vec::new(),
    };
    let broker = Rigged::start(&rig, |_| {
        format!(
            "listeners=CONTROLLER://127.0.0.1:9093,OUTSIDE://0.0.0.0:{port}\n\
             advertised.listeners=OUTSIDE://{INSIDE}:{port}\ninter.broker.listener.name=OUTSIDE\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,OUTSIDE:PLAINTEXT\n\
             controller.quorum.voters=1@127.0.0.1:9093\n"
        )
    });
    let bootstrap = format!("{BETWEEN}:{port}");
    // Where the address is valid, all is well.
    let inside = || {
        let words = [
            "netns",
            "exec",
            &namespace.name,
            PROGRAM,
            "doctor",
            "--bootstrap",
            &bootstrap,
        ];
        let done = Command::new("ip").args(words).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        done.status.success() && said.contains(&format!("{INSIDE}:{port} can be reached"))
    };
    wait_until("the broker is well for those inside", inside);
    let told =
        format!("{bootstrap} answers, but the broker advertises {INSIDE}:{port}, which cannot be reached from here");
    let fix = format!("advertised.listeners=PLAINTEXT://{bootstrap}");
    let ended = ask(&bootstrap);
    names(&ended, &["advertised listener of broker 1", &told, &fix]);
    // A run says the same.
    let scene = Scene::new();
    scene.scenario(&format!("question = '?'\n[cluster]\nbootstrap = \"{bootstrap}\"\n"));
    let ran = scene.tandem(&["run", "scene.toml", "--out", "out"]).exits(2);
    assert!(
        ran.stderr.contains(&told) && ran.stderr.contains(&fix),
        "{}",
        ran.stderr
    );
    assert!(ran.took < LIMIT, "{:?}", ran.took);
    // Before its namespace.
    drop(broker);
}

#[test]
fn a_broker_of_version_3_9_is_well_but_for_the_protocol_that_it_has_not() {
    let broker = Shared::of_version("doctor-old", "3.9.2");
    let ended = ask(&broker.bootstrap()).exits(0);
    let warned = ended
        .stdout
        .lines()
        .find(|line| line.starts_with("warning  protocol of"));
    let warned = warned.unwrap_or_else(|| panic!("{}", ended.stdout));
    assert!(
        warned.contains("no finished consumer group protocol (KIP-848)"),
        "{warned}"
    );
    assert!(ended.stdout.contains("classic protocol") && !ended.stdout.contains("join a group (consumer"));

    let scene = Scene::new();
    let text = |protocol: &str| {
        format!(
            "question = '?'\nrepetitions = 1\nwarmup_blocks = 0\n[dataset]\nrecords = 2_000\n[trial]\nrecords = 2_000\n\
             [consumer]\nprotocol = \"{protocol}\"\n[cluster]\nbootstrap = \"{}\"\n",
            broker.bootstrap()
        )
    };
    scene.scenario(&text("consumer"));
    let looked = scene.tandem(&["doctor", "scene.toml"]);
    names(&looked, &["set protocol = \"classic\""]);
    let ran = scene.tandem(&["run", "scene.toml", "--out", "out"]).exits(2);
    assert!(ran.stderr.contains("set protocol = \"classic\""), "{}", ran.stderr);
    scene.scenario(&text("classic"));
    scene.tandem(&["run", "scene.toml", "--out", "out"]).exits(0);
}

/// A server that gives every connection this answer, or closes it without one.
fn server(answer: Option<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 256]);
            if let Some(answer) = &answer {
                let _ = stream.write_all(answer);
            }
        }
    });
    address
}

#[test]
fn brokers_that_are_too_old_are_told_by_their_versions_or_by_their_silence() {
    // What Kafka 1.1 answers to the request for versions: produce up to 5, fetch up to 7, metadata up to 5.
    let ranges: [[i16; 3]; 3] = [[0, 0, 5], [1, 0, 7], [3, 0, 5]];
    let mut payload = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 3];
    payload.extend(ranges.iter().flatten().flat_map(|number| number.to_be_bytes()));
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let old = server(Some([&length[..], &payload].concat()));
    names(&ask(&old), &["older than Kafka 2.8", "versions 2.8 to 4.x"]);
    // Brokers before 0.10 do not know the request and close the connection.
    let ancient = server(None);
    names(
        &ask(&ancient),
        &["closes it without a word", "Brokers before 0.10 do so"],
    );
}

#[test]
fn a_broker_that_has_stopped_is_told_from_one_that_never_was() {
    let broker = Shared::start("doctor-stopped");
    let address = broker.bootstrap();
    drop(broker);
    names(&ask(&address), &["connection refused", "is the broker running"]);
}
