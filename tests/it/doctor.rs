//! Faults rigged on real brokers and on servers that are no brokers. The doctor names each with its fix.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use tandem::kafka::local::{ListenerSpec, Security};
use tandem::secret::Secret;

use crate::rigged_broker::{Rig, Rigged};
use crate::scenario::Scenario;
use crate::scene::{Ended, PROGRAM, Scene, wait_until};
use crate::secured_cluster::certificate;
use crate::shared_cluster::{Shared, bootstrap, names as names_on_shared};

/// How long the doctor may take for a fault on a busy machine; on a quiet one, each takes less than 10 s.
const LIMIT: Duration = Duration::from_secs(30);

fn ask(bootstrap: &str) -> Ended {
    Scene::new().tandem(&["doctor", "--bootstrap", bootstrap])
}

/// The doctor with client properties.
fn ask_with(bootstrap: &str, client: &str) -> Ended {
    let scene = Scene::new();
    scene.scenario(format!(
        "question = '?'\n[cluster]\nbootstrap = \"{bootstrap}\"\n[cluster.client]\n{client}\n"
    ));
    scene.tandem(&["doctor", "scene.toml"])
}

/// Checks that exactly one check failed, in time, and that the output has these parts.
#[track_caller]
fn names(ended: Ended, parts: &[&str]) {
    let took = ended.took;
    let ended = ended.fails_one_check(parts);
    assert!(took < LIMIT, "{took:?}\n{}", ended.stdout);
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
fn a_healthy_broker_is_found_healthy_and_nothing_is_left_on_it() {
    let prefix = "doctor-healthy-";
    let scene = Scene::new();
    scene.scenario(on_shared_cluster(prefix));
    let ended = scene.tandem(&["doctor", "scene.toml"]).exits(0);
    let parts = [
        "log in",
        "read it back",
        "clocks",
        "classic protocol",
        "consumer protocol",
        "is gone again",
    ];
    let ended = parts.iter().fold(ended, |ended, part| ended.prints(part));
    assert!(!ended.stdout.contains("FAILED"), "{}", ended.stdout);
    assert_eq!(names_on_shared(prefix), (Vec::new(), Vec::new()));
}

/// A scenario on the shared broker.
fn on_shared_cluster(prefix: &str) -> String {
    let bootstrap = bootstrap();
    format!("question = 'q'\n[cluster]\nbootstrap = \"{bootstrap}\"\nprefix = \"{prefix}\"\n")
}

#[test]
fn a_doctor_that_is_interrupted_leaves_nothing() {
    let scene = Scene::new();
    let prefix = "doctor-interrupted-";
    scene.scenario(on_shared_cluster(prefix));
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
    // Nothing listens here any more, as after the end of a broker.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    names(ask(&closed), &["connection refused", "is the broker running"]);
    names(
        ask("nobody.invalid:9092"),
        &["name nobody.invalid", "does not resolve here"],
    );
    names(ask("localhost:http"), &["it is no HOST:PORT"]);
}

#[test]
fn servers_that_are_no_brokers_are_recognised_by_their_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    // A suspended broker is the same from here: the kernel accepts the connection, and nobody answers.
    names(
        ask(&silent.local_addr().unwrap().to_string()),
        &["says nothing for", "is the broker's process stopped"],
    );
    let http = server(Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    names(ask(&http), &["it is no Kafka broker", "HTTP/1.1 400"]);
}

/// A broker whose listeners have the faults of the tests below, and two with TLS.
struct Faulty {
    broker: Shared,
    /// The certificates of the listeners with TLS, as PEM.
    healthy_pem: String,
    expired_pem: String,
    /// The ports that the faulty listeners advertise.
    closed: u16,
    elsewhere: u16,
    closing: u16,
}

/// The broker; the first caller starts it.
fn faulty() -> &'static Faulty {
    static FAULTY: OnceLock<Faulty> = OnceLock::new();
    FAULTY.get_or_init(|| {
        // Nobody drops a static, so its files lie where cargo keeps those of tests.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (healthy, healthy_pem) = certificate(folder, "healthy", "localhost", "127.0.0.1", -1, 30);
        let (expired, expired_pem) = certificate(folder, "expired", "localhost", "127.0.0.1", -10, 1);
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Another cluster, as where each advertises localhost.
        let elsewhere = bootstrap().rsplit_once(':').unwrap().1.parse().unwrap();
        // A server that is no broker.
        let closing = server(None).rsplit_once(':').unwrap().1.parse().unwrap();
        let listeners = vec![
            listener("NAMELESS", "kafka.invalid", None),
            listener("CLOSED", "127.0.0.1", Some(closed)),
            listener("ELSEWHERE", "127.0.0.1", Some(elsewhere)),
            listener("CLOSING", "127.0.0.1", Some(closing)),
            tls_listener("HEALTHY", &healthy),
            tls_listener("EXPIRED", &expired),
        ];
        Faulty {
            broker: Shared::with_listeners("doctor-faulty", listeners),
            healthy_pem,
            expired_pem,
            closed,
            elsewhere,
            closing,
        }
    })
}

#[test]
fn what_a_broker_advertises_is_tried_from_here_and_named_with_the_line_that_fixes_it() {
    let Faulty {
        broker,
        closed,
        elsewhere,
        closing,
        ..
    } = faulty();
    let (nameless, unreachable) = (broker.bind_address("NAMELESS"), broker.bind_address("CLOSED"));
    let fix = |address: &str| format!("advertised.listeners=PLAINTEXT://{address}");
    names(
        ask(&nameless),
        &[
            "advertised listener of broker 1",
            "kafka.invalid:",
            "does not resolve here",
            &fix(&nameless),
        ],
    );
    let advertised = "advertised listener of broker 1";
    let address = format!("127.0.0.1:{closed}, which cannot be reached from here");
    names(ask(&unreachable), &[advertised, &address, &fix(&unreachable)]);
    let address = format!("127.0.0.1:{elsewhere}, which leads from here to another cluster");
    let answer = ask(&broker.bind_address("ELSEWHERE"));
    names(answer, &[advertised, &address, "advertised.listeners=PLAINTEXT://"]);
    let address =
        format!("127.0.0.1:{closing}, which takes connections from here, but there it takes the connection and closes");
    names(ask(&broker.bind_address("CLOSING")), &[advertised, &address]);
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
fn faults_of_tls_are_distinguished() {
    let Faulty {
        broker,
        healthy_pem,
        expired_pem,
        ..
    } = faulty();
    let address = broker.bind_address("HEALTHY");
    names(
        ask(&address),
        &[
            "the listener wants TLS, but security.protocol is plaintext",
            "= \"ssl\"",
        ],
    );
    let plain = broker.bootstrap();
    let tls = "\"security.protocol\" = \"ssl\"";
    names(
        ask_with(&plain, tls),
        &["talks without TLS, but security.protocol is ssl"],
    );
    names(
        ask_with(&address, tls),
        &["was issued by localhost", "set \"ssl.ca.location\""],
    );
    let trusting = |pem: &str| format!("{tls}\n\"ssl.ca.location\" = \"{pem}\"");
    names(
        ask_with(&address, &trusting(expired_pem)),
        &["was issued by localhost, which is not in"],
    );
    names(
        ask_with(&broker.bind_address("EXPIRED"), &trusting(expired_pem)),
        &["the certificate of localhost expired on"],
    );
    names(
        ask_with(&address, &trusting("/nowhere.pem")),
        &["ssl.ca.location = \"/nowhere.pem\": No such file"],
    );
    let healthy = ask_with(&address, &trusting(healthy_pem)).exits(0);
    healthy.prints("certificate valid until");
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
    let unreachable =
        format!("{bootstrap} answers, but the broker advertises {INSIDE}:{port}, which cannot be reached from here");
    let fix = format!("advertised.listeners=PLAINTEXT://{bootstrap}");
    names(
        ask(&bootstrap),
        &["advertised listener of broker 1", &unreachable, &fix],
    );
    // A run says the same.
    let scene = Scene::new();
    scene.scenario(format!("question = '?'\n[cluster]\nbootstrap = \"{bootstrap}\"\n"));
    let ran = scene.run(&[]).exits(2).says(&unreachable).says(&fix);
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

    let scene = Scene::on_cluster(&broker.bootstrap());
    let remedy = "set protocol = \"classic\"";
    scene.scenario(Scenario::reading(2_000).consumer("protocol = 'consumer'"));
    names(
        scene.tandem(&["doctor", "scene.toml", "--bootstrap", &broker.bootstrap()]),
        &[remedy],
    );
    scene.run(&[]).exits(2).says(remedy);
    scene.scenario(Scenario::reading(2_000).consumer("protocol = 'classic'"));
    scene.run(&[]).exits(0);
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
fn brokers_that_are_too_old_are_recognised_by_their_versions_or_their_silence() {
    // What Kafka 1.1 answers to the request for versions: produce up to 5, fetch up to 7, metadata up to 5.
    let ranges: [[i16; 3]; 3] = [[0, 0, 5], [1, 0, 7], [3, 0, 5]];
    let mut payload = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 3];
    payload.extend(ranges.iter().flatten().flat_map(|number| number.to_be_bytes()));
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let old = server(Some([&length[..], &payload].concat()));
    names(ask(&old), &["older than Kafka 2.8", "versions 2.8 to 4.x"]);
    // Brokers before 0.10 do not know the request and close the connection.
    let ancient = server(None);
    names(
        ask(&ancient),
        &["closes it without a word", "Brokers before 0.10 do so"],
    );
}
