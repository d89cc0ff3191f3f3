//! One broker with TLS, SCRAM, PLAIN, mutual TLS and access control lists, which all tests of secured clusters share.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::symm::Cipher;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};
use rdkafka::producer::BaseRecord;
use tandem::kafka::admin::Admin;

use crate::clients::{client, create_topic, send};
use crate::rigged_broker::{Rig, Rigged, free_port};
use crate::scene::wait_until;

/// The topic that [`Secured::reader`] may read.
pub const TOPIC: &str = "orders";
/// Its partitions and records.
pub const PARTITIONS: u32 = 2;
pub const RECORDS: u32 = 4_000;
/// Start of the groups that [`Secured::reader`] may use.
pub const GROUPS: &str = "bench-";
/// Password of the brokers' stores.
const STORE_PASSWORD: &str = "change-me";
/// Password of all users.
pub const PASSWORD: &str = "canary-4711-must-not-sing";

/// Users of the SCRAM listener: `runner` may do all on names that start with `tandem-`; `groupless` the same but for
/// groups, `writeless` without reading and writing; `describer` may see [`TOPIC`]; `reader` may read [`TOPIC`] in groups that start with [`GROUPS`]; `stranger`
/// may do nothing, and `learner` nothing at first.
const USERS: [&str; 8] = [
    "admin",
    "runner",
    "groupless",
    "writeless",
    "reader",
    "describer",
    "stranger",
    "learner",
];

/// The listeners: name, security, mechanism, name in the certificate.
const LISTENERS: [(&str, &str, &str, &str); 6] = [
    ("SCRAM", "SASL_SSL", "SCRAM-SHA-512", "well"),
    ("PLAIN", "SASL_SSL", "PLAIN", "well"),
    ("OPEN", "SASL_PLAINTEXT", "SCRAM-SHA-512", ""),
    ("MUTUAL", "SSL", "", "well"),
    ("EXPIRED", "SASL_SSL", "SCRAM-SHA-512", "expired"),
    ("ELSEWHERE", "SASL_SSL", "SCRAM-SHA-512", "elsewhere"),
];

pub struct Secured {
    pub broker: Rigged,
    ports: Vec<u16>,
    internal: u16,
}

/// The broker; the first caller starts it.
pub fn secured() -> &'static Secured {
    static SECURED: OnceLock<Secured> = OnceLock::new();
    SECURED.get_or_init(Secured::start)
}

/// What a client needs to be a user.
pub struct Access {
    pub bootstrap: String,
    /// Lines of `[cluster.client]`, the password from the variable [`Access::VARIABLE`].
    pub client: String,
}

impl Access {
    pub const VARIABLE: &str = "TANDEM_TEST_PASSWORD";

    /// The tables of a scenario.
    pub fn tables(&self) -> String {
        format!(
            "[cluster]\nbootstrap = \"{}\"\n[cluster.client]\n{}",
            self.bootstrap, self.client
        )
    }
}

/// Makes a key with a certificate that it has signed itself, whose life begins so many days from now and lasts so many:
/// the paths of both as a PKCS12 store, and of the certificate as PEM. `NAME.key` is the key.
pub fn certificate(folder: &Path, name: &str, host: &str, address: &str, begins: i64, days: i64) -> (String, String) {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", host).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(rand::random_range(1..u32::MAX)).unwrap();
    builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(&subject).unwrap();
    builder.set_pubkey(&key).unwrap();
    let day = |day: i64| Asn1Time::from_unix(jiff::Timestamp::now().as_second() + day * 86_400).unwrap();
    builder.set_not_before(&day(begins)).unwrap();
    builder.set_not_after(&day(begins + days)).unwrap();
    let mut names = SubjectAlternativeName::new();
    let names = names
        .dns(host)
        .ip(address)
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(names).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = builder.build();

    let mut store = Pkcs12::builder();
    let store = store
        .name("broker")
        .pkey(&key)
        .cert(&certificate)
        .build2(STORE_PASSWORD)
        .unwrap();
    let path = |extension: &str| folder.join(format!("{name}.{extension}"));
    fs::write(path("p12"), store.to_der().unwrap()).unwrap();
    fs::write(path("pem"), certificate.to_pem().unwrap()).unwrap();
    fs::write(path("key"), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let (store, pem) = (path("p12"), path("pem"));
    (store.display().to_string(), pem.display().to_string())
}

impl Secured {
    fn start() -> Self {
        let ports: Vec<u16> = LISTENERS.iter().map(|_| free_port()).collect();
        let (internal, controller) = (free_port(), free_port());
        let format = USERS.iter().flat_map(|user| {
            let user = format!("SCRAM-SHA-512=[name={user},password={PASSWORD}]");
            ["--add-scram".to_owned(), user]
        });
        let rig = Rig {
            name: "secured",
            launcher: &[],
            format: format.collect(),
        };
        let broker = Rigged::start(&rig, |folder| properties(folder, &ports, internal, controller));
        let secured = Secured {
            broker,
            ports,
            internal,
        };
        secured.wait();
        secured.permit();
        secured.fill();
        secured
    }

    fn wait(&self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let bootstrap = self.internal();
        let answers = || runtime.block_on(Admin::connect(&bootstrap, &BTreeMap::new())).is_ok();
        wait_until(&format!("the secured broker: {}", self.broker.log()), answers);
    }

    /// The address of those who may do everything, without a user.
    pub fn internal(&self) -> String {
        format!("127.0.0.1:{}", self.internal)
    }

    /// The address of a listener.
    pub fn address(&self, listener: &str) -> String {
        let index = LISTENERS.iter().position(|(name, ..)| *name == listener).unwrap();
        format!("127.0.0.1:{}", self.ports[index])
    }

    /// A file of the certificates.
    pub fn file(&self, name: &str) -> PathBuf {
        self.broker.folder.join(name)
    }

    /// A user of a listener with SASL and TLS.
    pub fn user(&self, listener: &str, user: &str) -> Access {
        let (_, security, mechanism, certificate) = LISTENERS.iter().find(|(name, ..)| *name == listener).unwrap();
        let mut client = format!(
            "\"security.protocol\" = \"{}\"\n\"sasl.mechanism\" = \"{mechanism}\"\n\"sasl.username\" = \"{user}\"\n\
             \"sasl.password\" = {{ env = \"{}\" }}\n",
            security.to_lowercase(),
            Access::VARIABLE
        );
        if !certificate.is_empty() {
            let file = self.file(&format!("{certificate}.pem"));
            client = format!("{client}\"ssl.ca.location\" = \"{}\"\n", file.display());
        }
        Access {
            bootstrap: self.address(listener),
            client,
        }
    }

    /// The user who may read [`TOPIC`] in groups that start with [`GROUPS`], and nothing else.
    pub fn reader(&self) -> Access {
        self.user("SCRAM", "reader")
    }

    /// Kafka's own tool for access control lists.
    pub fn acls(&self, arguments: &[&str]) -> Command {
        let bootstrap = self.internal();
        let arguments = [&["--bootstrap-server", &bootstrap], arguments].concat();
        self.broker.tool("org.apache.kafka.tools.AclCommand", &arguments)
    }

    /// Grants the rights of the users in one request. Kafka's tool would start a JVM for each of them.
    fn permit(&self) {
        let tandem = ("tandem-", PREFIXED);
        let orders = (TOPIC, LITERAL);
        let rights = [
            ("User:runner", &[ALL][..], &[topic(tandem), group(tandem)][..]),
            ("User:CN=client", &[ALL], &[topic(tandem), group(tandem)]),
            (
                "User:groupless",
                &[CREATE, READ, WRITE, DESCRIBE, DELETE],
                &[topic(tandem)],
            ),
            ("User:writeless", &[CREATE, DESCRIBE, DELETE], &[topic(tandem)]),
            ("User:describer", &[DESCRIBE], &[topic(orders)]),
            (
                "User:reader",
                &[READ, DESCRIBE],
                &[topic(orders), group((GROUPS, PREFIXED))],
            ),
        ];
        let mut entries = Vec::new();
        for (user, operations, resources) in rights {
            for resource in resources {
                entries.extend(operations.iter().map(|operation| (*resource, user, *operation)));
            }
        }
        create_acls(&self.internal(), &entries);
    }

    fn fill(&self) {
        create_topic(&self.internal(), TOPIC, PARTITIONS);
        let producer = client(&self.internal(), &[]).create().unwrap();
        let values: Vec<String> = (0..RECORDS).map(|number| format!("order {number}")).collect();
        let records = (0..).zip(&values).map(|(number, value)| {
            let partition = (number % PARTITIONS).cast_signed();
            BaseRecord::to(TOPIC).partition(partition).payload(value.as_bytes())
        });
        send(&producer, records);
    }
}

/// Numbers of Kafka's protocol: `AclOperation`, `AclPermissionType` and `PatternType`.
const ALL: u8 = 2;
const READ: u8 = 3;
const WRITE: u8 = 4;
const CREATE: u8 = 5;
const DELETE: u8 = 6;
const DESCRIBE: u8 = 8;
const ALLOW: u8 = 3;
const LITERAL: u8 = 3;
const PREFIXED: u8 = 4;

/// A kind of resource, a name and the kind of the name.
type Resource = (u8, &'static str, u8);

fn topic((name, pattern): (&'static str, u8)) -> Resource {
    (2, name, pattern)
}

fn group((name, pattern): (&'static str, u8)) -> Resource {
    (3, name, pattern)
}

/// Allows users operations on resources from every host: the request `CreateAcls`, version 1, to a listener without TLS.
fn create_acls(address: &str, entries: &[(Resource, &str, u8)]) {
    let string = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    // Key, version, number of the request, and the client.
    let mut request = [&[0, 30, 0, 1, 0, 0, 0, 7][..], &string("tests")].concat();
    request.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
    for ((kind, name, pattern), user, operation) in entries {
        request.extend([&[*kind][..], &string(name), &[*pattern], &string(user), &string("*")].concat());
        request.extend([*operation, ALLOW]);
    }
    let mut stream = TcpStream::connect(address).unwrap();
    let length = u32::try_from(request.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], &request].concat()).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    // After the number, the throttle time and the count: an error of two bytes and no message for each.
    let results: Vec<&[u8]> = answer[12..].chunks(4).collect();
    assert!(
        results.len() == entries.len() && results.iter().all(|result| result[..2] == [0, 0]),
        "{answer:?}"
    );
}

fn properties(folder: &Path, ports: &[u16], internal: u16, controller: u16) -> String {
    certificate(folder, "well", "localhost", "127.0.0.1", -1, 30);
    certificate(folder, "expired", "localhost", "127.0.0.1", -10, 1);
    certificate(folder, "elsewhere", "kafka.example", "192.0.2.1", -1, 30);
    certificate(folder, "client", "client", "127.0.0.1", -1, 30);
    lock_key(folder);

    let mut bound = vec![
        format!("CONTROLLER://127.0.0.1:{controller}"),
        format!("INTERNAL://127.0.0.1:{internal}"),
    ];
    let mut protocols = vec!["CONTROLLER:PLAINTEXT".to_owned(), "INTERNAL:PLAINTEXT".to_owned()];
    let mut lines = Vec::new();
    for (listener, port) in LISTENERS.iter().zip(ports) {
        bound.push(format!("{}://127.0.0.1:{port}", listener.0));
        protocols.push(format!("{}:{}", listener.0, listener.1));
        lines.extend(listener_lines(folder, listener));
    }
    format!(
        "listeners={}\nadvertised.listeners={}\nlistener.security.protocol.map={}\n\
         inter.broker.listener.name=INTERNAL\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
         authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
         super.users=User:ANONYMOUS;User:admin\n{}",
        bound.join(","),
        bound[1..].join(","),
        protocols.join(","),
        lines.concat()
    )
}

/// What the broker's file says of a listener.
fn listener_lines(folder: &Path, listener: &(&str, &str, &str, &str)) -> Vec<String> {
    let (name, _, mechanism, certificate) = listener;
    let mut lines = Vec::new();
    let mut set = |key: &str, value: &str| {
        lines.push(format!("listener.name.{}.{key}={value}\n", name.to_lowercase()));
    };
    let path = |file: &str| folder.join(file).display().to_string();
    if !certificate.is_empty() {
        set("ssl.keystore.location", &path(&format!("{certificate}.p12")));
        set("ssl.keystore.password", STORE_PASSWORD);
        set("ssl.keystore.type", "PKCS12");
    }
    if *name == "MUTUAL" {
        set("ssl.truststore.location", &path("client.pem"));
        set("ssl.truststore.type", "PEM");
        set("ssl.client.auth", "required");
    }
    if !mechanism.is_empty() {
        let module = match *mechanism {
            "PLAIN" => {
                let users = USERS.map(|user| format!(" user_{user}=\"{PASSWORD}\""));
                let module = "org.apache.kafka.common.security.plain.PlainLoginModule";
                format!("{module} required{};", users.concat())
            }
            _ => "org.apache.kafka.common.security.scram.ScramLoginModule required;".to_owned(),
        };
        set("sasl.enabled.mechanisms", mechanism);
        set(&format!("{}.sasl.jaas.config", mechanism.to_lowercase()), &module);
    }
    lines
}

/// Writes the key of the client once more, with a password.
fn lock_key(folder: &Path) {
    let key = PKey::private_key_from_pem(&fs::read(folder.join("client.key")).unwrap()).unwrap();
    let locked = key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), PASSWORD.as_bytes());
    fs::write(folder.join("client-locked.key"), locked.unwrap()).unwrap();
}
