//! One broker with TLS, SCRAM, PLAIN, mutual TLS and access control lists, for all tests of secured clusters.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tandem::kafka::admin::Admin;

use crate::rigged_broker::{Rig, Rigged, free_port};
use crate::scene::wait_until;

/// The topic that [`Secured::reader`] may read.
pub const TOPIC: &str = "orders";
/// Its partitions and records.
pub const PARTITIONS: u32 = 2;
pub const RECORDS: u32 = 4_000;
/// Start of the groups that [`Secured::reader`] may use.
pub const GROUPS: &str = "bench-";
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

/// A key with a certificate that it has signed itself, as a store for a broker and as PEM.
pub fn certificate(folder: &Path, name: &str, host: &str, address: &str, days: &str, start: &str) -> (String, String) {
    let store = folder.join(format!("{name}.p12")).display().to_string();
    let pem = folder.join(format!("{name}.pem")).display().to_string();
    let subject = format!("CN={host}");
    let alternative = format!("SAN=DNS:{host},IP:{address}");
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

fn keytool(arguments: &[&str]) {
    let done = Command::new("keytool").args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
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

    fn permit(&self) {
        let add = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            self.acls(&words).stdout(std::process::Stdio::null()).spawn().unwrap()
        };
        let all = "--operation Create --operation Read --operation Write --operation Describe --operation Delete";
        let children = [
            add(
                "--add --allow-principal User:runner --allow-principal User:CN=client --operation All --topic tandem- \
                 --group tandem- --resource-pattern-type prefixed",
            ),
            add(&format!(
                "--add --allow-principal User:groupless {all} --topic tandem- --resource-pattern-type prefixed"
            )),
            add(
                "--add --allow-principal User:writeless --operation Create --operation Describe --operation Delete \
                 --topic tandem- --resource-pattern-type prefixed",
            ),
            add(&format!(
                "--add --allow-principal User:describer --operation Describe --topic {TOPIC}"
            )),
            add(&format!(
                "--add --allow-principal User:reader --operation Read --operation Describe --topic {TOPIC}"
            )),
            add(&format!(
                "--add --allow-principal User:reader --operation Read --operation Describe --group {GROUPS} \
                 --resource-pattern-type prefixed"
            )),
        ];
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
    }

    fn fill(&self) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let admin = Admin::connect(&self.internal(), &BTreeMap::new()).await.unwrap();
            admin.create_topic(TOPIC, PARTITIONS, 1, &[]).await.unwrap();
        });
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.internal())
            .set("queue.buffering.max.messages", "100000");
        let producer: BaseProducer = config.create().unwrap();
        for number in 0..RECORDS {
            let value = format!("order {number}");
            let partition = (number % PARTITIONS).cast_signed();
            let record = BaseRecord::<(), str>::to(TOPIC).partition(partition).payload(&value);
            producer.send(record).unwrap();
        }
        producer.flush(std::time::Duration::from_secs(60)).unwrap();
    }
}

fn properties(folder: &Path, ports: &[u16], internal: u16, controller: u16) -> String {
    certificate(folder, "well", "localhost", "127.0.0.1", "30", "-1d");
    certificate(folder, "expired", "localhost", "127.0.0.1", "1", "-10d");
    certificate(folder, "elsewhere", "kafka.example", "192.0.2.1", "30", "-1d");
    let (client_store, client) = certificate(folder, "client", "client", "127.0.0.1", "30", "-1d");
    write_key(folder, &client_store);
    let trust = folder.join("trust.p12").display().to_string();
    let import = ["-importcert", "-noprompt", "-alias", "client", "-file", &client];
    keytool(&[&import[..], &["-keystore", &trust, "-storepass", "change-me"]].concat());

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
    let mut store = |kind: &str, file: &str| {
        set(
            &format!("ssl.{kind}.location"),
            &folder.join(file).display().to_string(),
        );
        set(&format!("ssl.{kind}.password"), "change-me");
        set(&format!("ssl.{kind}.type"), "PKCS12");
    };
    if !certificate.is_empty() {
        store("keystore", &format!("{certificate}.p12"));
    }
    if *name == "MUTUAL" {
        store("truststore", "trust.p12");
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

/// The key of the client, which keytool does not give as PEM: with a password, and without.
fn write_key(folder: &Path, store: &str) {
    let store = openssl::pkcs12::Pkcs12::from_der(&fs::read(store).unwrap()).unwrap();
    let key = store.parse2("change-me").unwrap().pkey.unwrap();
    fs::write(folder.join("client.key"), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let cipher = openssl::symm::Cipher::aes_256_cbc();
    let locked = key
        .private_key_to_pem_pkcs8_passphrase(cipher, PASSWORD.as_bytes())
        .unwrap();
    fs::write(folder.join("client-locked.key"), locked).unwrap();
}
