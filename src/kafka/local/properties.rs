//! The property files of brokers and ZooKeeper. Broker settings that differ from Kafka's defaults carry their reason.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;

use crate::measure::Setting;
use crate::scenario::{Feature, KafkaVersion};
use crate::secret::Secret;

/// Default heap of a broker, in MiB.
pub const DEFAULT_HEAP_MIB: u32 = 400;

/// The listener that brokers use among themselves and tandem uses for its own; always there, on 127.0.0.1.
pub(super) const INTERNAL: &str = "INTERNAL";
/// The listener for workers on other hosts; there if an address is given for them.
pub const HOSTS: &str = "HOSTS";
const CONTROLLER: &str = "CONTROLLER";

/// The heartbeat of the consumer protocol with which members join at once, and the least that brokers then allow.
const FAST_HEARTBEAT_MS: u64 = 200;

/// The command for which ZooKeeper prints its settings; no other is enabled.
pub(super) const SAY_SETTINGS: &str = "conf";

/// Security of a listener, `security.protocol` in Kafka's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// `PLAINTEXT`.
    Plaintext,
    /// `SSL`.
    Tls,
    /// `SASL_PLAINTEXT`.
    SaslPlaintext,
    /// `SASL_SSL`.
    SaslTls,
}

impl Security {
    /// The name that brokers and clients use.
    pub fn as_str(self) -> &'static str {
        match self {
            Security::Plaintext => "PLAINTEXT",
            Security::Tls => "SSL",
            Security::SaslPlaintext => "SASL_PLAINTEXT",
            Security::SaslTls => "SASL_SSL",
        }
    }
}

/// A listener wanted on every broker beside the internal one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerSpec {
    /// Its name, in capitals.
    pub name: String,
    /// Address to bind, such as `127.0.0.1`; the port is chosen.
    pub bind_host: String,
    /// Advertised host; the bound one if `None`.
    pub advertised_host: Option<String>,
    /// Advertised port; the bound one if `None`.
    pub advertised_port: Option<u16>,
    /// Its security.
    pub security: Security,
    /// Broker properties of this listener, without their prefix, such as `ssl.keystore.location`.
    pub properties: BTreeMap<String, Secret>,
}

impl ListenerSpec {
    /// The listener for clients on other hosts, which reach this machine by that name or address, as open as the internal
    /// one. It is bound to that address only, unless it is one that somebody translates.
    pub fn for_hosts(address: &str) -> Self {
        ListenerSpec::at(address, HOSTS.to_owned())
    }

    /// A listener of this name for such clients.
    pub fn at(address: &str, name: String) -> Self {
        let is_of_this_machine = TcpListener::bind((address, 0)).is_ok();
        ListenerSpec {
            bind_host: if is_of_this_machine { address } else { "0.0.0.0" }.to_owned(),
            advertised_host: Some(address.to_owned()),
            ..ListenerSpec::here(name)
        }
    }

    /// A listener of this name for clients on this machine, as open as the internal one.
    pub fn here(name: String) -> Self {
        ListenerSpec {
            name,
            bind_host: "127.0.0.1".to_owned(),
            advertised_host: None,
            advertised_port: None,
            security: Security::Plaintext,
            properties: BTreeMap::new(),
        }
    }
}

/// What the brokers' settings are to be, besides what a small cluster that soon goes again needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BrokerSettings {
    /// True where groups are to have Kafka's own settings, instead of those with which members join at once.
    pub own_groups: bool,
    /// Session timeouts of classic groups that brokers are to allow, in milliseconds.
    pub sessions_ms: BTreeSet<u64>,
    /// Those of groups of the consumer protocol.
    pub group_sessions_ms: BTreeSet<u64>,
    /// Their heartbeats.
    pub group_heartbeats_ms: BTreeSet<u64>,
    /// Server properties, which win over all others.
    pub properties: BTreeMap<String, String>,
}

/// A listener of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// Address bound, `host:port`.
    pub bind: String,
    /// Advertised address, `host:port`.
    pub advertised: String,
    /// Its security.
    pub security: Security,
}

/// Where a cluster keeps its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metadata {
    /// On its controllers.
    KRaft,
    /// In the ZooKeeper at this port of 127.0.0.1.
    ZooKeeper(u16),
}

/// One node of a cluster, before it is started.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// From 1.
    pub id: u32,
    /// The KRaft controller's port on 127.0.0.1; `None` for a node that is none.
    pub controller_port: Option<u16>,
    /// The internal listener first.
    pub listeners: Vec<Listener>,
}

/// Controllers of a cluster of this many brokers: the first one or the first three. Two would be worse than one,
/// because the death of either would leave no majority.
pub(super) fn controllers(brokers: u32) -> u32 {
    if brokers < 3 { 1 } else { 3 }
}

/// Settings of every broker that differ from Kafka's defaults, apart from addresses and identity.
pub(super) fn deviations(version: KafkaVersion, brokers: u32, settings: &BrokerSettings) -> Vec<Setting> {
    let mut deviations = if settings.own_groups {
        Vec::new()
    } else {
        fast_groups(version)
    };
    deviations.extend(bounds(version, settings));
    deviations.extend(small_cluster(version, brokers));
    deviations.retain(|deviation| !settings.properties.contains_key(&deviation.name));
    let of_file = settings.properties.iter();
    deviations.extend(of_file.map(|(name, value)| setting(name, value, "the scenario's [cluster.broker]")));
    deviations
}

fn setting(name: &str, value: &(impl ToString + ?Sized), reason: &str) -> Setting {
    Setting {
        name: name.to_owned(),
        value: value.to_string(),
        reason: reason.to_owned(),
    }
}

/// With these, members join at once.
fn fast_groups(version: KafkaVersion) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut set = |name: &str, value: &str, reason: &str| settings.push(setting(name, value, reason));
    let joins = "members that start together join at once, without waiting for more and without a second rebalance";
    set("group.initial.rebalance.delay.ms", "150", joins);
    if version.has(Feature::ConsumerProtocol) {
        let fast = &FAST_HEARTBEAT_MS.to_string();
        let heartbeat = "a member learns of its new partitions at a heartbeat: a fast join in the consumer protocol";
        set("group.consumer.heartbeat.interval.ms", fast, heartbeat);
        let lower = "lets group.consumer.heartbeat.interval.ms be 200";
        set("group.consumer.min.heartbeat.interval.ms", fast, lower);
    }
    if version.has(Feature::AssignmentInterval) {
        let now = "a new member's assignment is computed at once";
        set("group.consumer.assignment.interval.ms", "0", now);
        let lower = "lets group.consumer.assignment.interval.ms be 0";
        set("group.consumer.min.assignment.interval.ms", "0", lower);
    }
    settings
}

/// Bounds of timeouts that members and groups may ask for, where the scenario asks for one beyond Kafka's own bounds.
fn bounds(version: KafkaVersion, settings: &BrokerSettings) -> Vec<Setting> {
    const CLASSIC_MS: (u64, u64) = (6_000, 1_800_000);
    const SESSION_MS: (u64, u64) = (45_000, 60_000);
    const HEARTBEAT_MS: (u64, u64) = (5_000, 15_000);
    let consumer = version.has(Feature::ConsumerProtocol);
    let fast = consumer && !settings.own_groups;
    let mut bounds = Vec::new();
    let mut bound = |key: &str, asked: &BTreeSet<u64>, (least, most): (u64, u64)| {
        let lowest = asked.first().filter(|lowest| **lowest < least);
        let highest = asked.last().filter(|highest| **highest > most);
        let reason = |key: &str| format!("lets `{key}` be what the scenario asks for");
        let asks = if key.contains("heartbeat") {
            "heartbeat"
        } else {
            "session_timeout"
        };
        let ends = [("min", lowest), ("max", highest)];
        for (end, value) in ends.into_iter().filter_map(|(end, value)| Some((end, value?))) {
            bounds.push(setting(&key.replace("{}", end), value, &reason(asks)));
        }
    };
    bound("group.{}.session.timeout.ms", &settings.sessions_ms, CLASSIC_MS);
    if consumer {
        bound(
            "group.consumer.{}.session.timeout.ms",
            &settings.group_sessions_ms,
            SESSION_MS,
        );
        let least = if fast { FAST_HEARTBEAT_MS } else { HEARTBEAT_MS.0 };
        let heartbeats = (least, HEARTBEAT_MS.1);
        bound(
            "group.consumer.{}.heartbeat.interval.ms",
            &settings.group_heartbeats_ms,
            heartbeats,
        );
    }
    bounds
}

/// What a cluster of few brokers that soon goes again needs.
fn small_cluster(version: KafkaVersion, brokers: u32) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut set = |name: &str, value: &str, reason: &str| settings.push(setting(name, value, reason));
    if brokers < 3 {
        let few = "fitted to the number of brokers";
        let factor = brokers.to_string();
        set("offsets.topic.replication.factor", &factor, few);
        set("transaction.state.log.replication.factor", &factor, few);
        set("transaction.state.log.min.isr", "1", few);
        if version.has(Feature::ShareGroups) {
            set("share.coordinator.state.topic.replication.factor", &factor, few);
            set("share.coordinator.state.topic.min.isr", "1", few);
        }
    }
    let few = "the first group waits for fewer partitions to be made";
    set("offsets.topic.num.partitions", "10", few);
    set("auto.create.topics.enable", "false", "a misspelt topic is an error");
    set("log.retention.ms", "-1", "the data set stays until tandem removes it");
    let soon = "the disk is free soon after a topic is deleted";
    set("log.segment.delete.delay.ms", "1000", soon);
    settings
}

/// The file of a node.
pub(super) fn file(
    node: &Node,
    nodes: &[Node],
    metadata: Metadata,
    specs: &[ListenerSpec],
    deviations: &[Setting],
    data: &Path,
) -> String {
    let mut lines = match metadata {
        Metadata::KRaft => kraft(node, nodes),
        Metadata::ZooKeeper(port) => vec![
            ("broker.id".to_owned(), node.id.to_string()),
            ("zookeeper.connect".to_owned(), zookeeper_address(port)),
        ],
    };
    let mut set = |name: &str, value: String| lines.push((name.to_owned(), value));
    set("inter.broker.listener.name", INTERNAL.to_owned());
    let of_each = |text: fn(&Listener) -> String| node.listeners.iter().map(text).collect::<Vec<_>>();
    let mut bound = of_each(|listener| format!("{}://{}", listener.name, listener.bind));
    bound.extend(
        node.controller_port
            .map(|port| format!("{CONTROLLER}://127.0.0.1:{port}")),
    );
    set("listeners", bound.join(","));
    let advertised = of_each(|listener| format!("{}://{}", listener.name, listener.advertised));
    set("advertised.listeners", advertised.join(","));
    let mut protocols = of_each(|listener| format!("{}:{}", listener.name, listener.security.as_str()));
    if metadata == Metadata::KRaft {
        protocols.insert(0, format!("{CONTROLLER}:PLAINTEXT"));
    }
    set("listener.security.protocol.map", protocols.join(","));
    set("log.dirs", data.display().to_string());
    for spec in specs {
        for (name, value) in &spec.properties {
            let name = format!("listener.name.{}.{name}", spec.name.to_lowercase());
            set(&name, value.reveal().to_owned());
        }
    }
    for setting in deviations {
        set(&setting.name, setting.value.clone());
    }
    text_of(&lines)
}

/// The identity of a node of a cluster without ZooKeeper.
fn kraft(node: &Node, nodes: &[Node]) -> Vec<(String, String)> {
    let voters = nodes
        .iter()
        .filter_map(|node| Some(format!("{}@127.0.0.1:{}", node.id, node.controller_port?)));
    let roles = if node.controller_port.is_some() {
        "broker,controller"
    } else {
        "broker"
    };
    [
        ("node.id", node.id.to_string()),
        ("process.roles", roles.to_owned()),
        ("controller.quorum.voters", voters.collect::<Vec<_>>().join(",")),
        ("controller.listener.names", CONTROLLER.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The address of the ZooKeeper at this port.
pub(super) fn zookeeper_address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The file of a ZooKeeper: alone, for this machine only, for any number of brokers, with no server beside it.
pub(super) fn zookeeper(port: u16, data: &Path) -> String {
    let lines = [
        ("dataDir", data.display().to_string()),
        ("clientPort", port.to_string()),
        ("clientPortAddress", "127.0.0.1".to_owned()),
        ("admin.enableServer", "false".to_owned()),
        ("4lw.commands.whitelist", SAY_SETTINGS.to_owned()),
        // All brokers have one address, of which 60 connections are allowed by default.
        ("maxClientCnxns", "0".to_owned()),
    ];
    text_of(&lines.map(|(name, value)| (name.to_owned(), value)))
}

fn text_of(lines: &[(String, String)]) -> String {
    lines.iter().fold(String::new(), |file, (name, value)| {
        file + name + "=" + &value.replace('\\', "\\\\") + "\n"
    })
}

/// The logging configuration for Log4j 2 (Kafka 4), to files of bounded size.
pub(super) fn log4j2(log: &Path) -> String {
    let log = log.display();
    format!(
        r#"<Configuration status="WARN">
  <Appenders>
    <RollingFile name="file" fileName="{log}" filePattern="{log}.%i">
      <PatternLayout pattern="[%d] %p %m (%c)%n"/>
      <Policies><SizeBasedTriggeringPolicy size="20MB"/></Policies>
      <DefaultRolloverStrategy max="2"/>
    </RollingFile>
  </Appenders>
  <Loggers><Root level="INFO"><AppenderRef ref="file"/></Root></Loggers>
</Configuration>
"#
    )
}

/// The same for Log4j 1 and for reload4j, which took its place (before Kafka 4).
pub(super) fn log4j1(log: &Path) -> String {
    format!(
        "log4j.rootLogger=INFO, file\n\
         log4j.appender.file=org.apache.log4j.RollingFileAppender\n\
         log4j.appender.file.File={}\n\
         log4j.appender.file.MaxFileSize=20MB\n\
         log4j.appender.file.MaxBackupIndex=2\n\
         log4j.appender.file.layout=org.apache.log4j.PatternLayout\n\
         log4j.appender.file.layout.ConversionPattern=[%d] %p %m (%c)%n\n",
        log.display()
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::{
        BrokerSettings, INTERNAL, Listener, ListenerSpec, Metadata, Node, Security, controllers, deviations, file,
        zookeeper,
    };
    use crate::measure::Setting;
    use crate::secret::Secret;

    fn value(version: &str, brokers: u32, name: &str) -> Option<String> {
        deviations(version.parse().unwrap(), brokers, &BrokerSettings::default())
            .into_iter()
            .find(|setting| setting.name == name)
            .map(|setting| setting.value)
    }

    #[test]
    fn internal_topics_are_replicated_as_far_as_there_are_brokers() {
        assert_eq!(value("4.3.1", 1, "offsets.topic.replication.factor").unwrap(), "1");
        assert_eq!(value("4.3.1", 2, "offsets.topic.replication.factor").unwrap(), "2");
        assert_eq!(value("4.3.1", 3, "offsets.topic.replication.factor"), None);
        assert_eq!((controllers(1), controllers(2), controllers(5)), (1, 1, 3));
    }

    #[test]
    fn with_events_groups_have_kafkas_settings_and_bounds_give_way_to_what_is_asked_for() {
        let settings = BrokerSettings {
            own_groups: true,
            sessions_ms: [3_000, 10_000].into(),
            group_sessions_ms: [6_000, 90_000].into(),
            group_heartbeats_ms: [500].into(),
            properties: BTreeMap::from([("offsets.topic.num.partitions".to_owned(), "3".to_owned())]),
        };
        let deviations = deviations("4.3.1".parse().unwrap(), 3, &settings);
        let values: Vec<_> = deviations
            .iter()
            .map(|each| (each.name.as_str(), each.value.as_str()))
            .collect();
        assert_eq!(
            values,
            [
                ("group.min.session.timeout.ms", "3000"),
                ("group.consumer.min.session.timeout.ms", "6000"),
                ("group.consumer.max.session.timeout.ms", "90000"),
                ("group.consumer.min.heartbeat.interval.ms", "500"),
                ("auto.create.topics.enable", "false"),
                ("log.retention.ms", "-1"),
                ("log.segment.delete.delay.ms", "1000"),
                ("offsets.topic.num.partitions", "3"),
            ]
        );
    }

    #[test]
    fn each_version_gets_the_settings_that_it_knows() {
        assert_eq!(value("4.3.1", 1, "group.consumer.assignment.interval.ms").unwrap(), "0");
        assert_eq!(
            value("4.10.0", 1, "group.consumer.assignment.interval.ms").unwrap(),
            "0"
        );
        assert_eq!(value("4.2.0", 1, "group.consumer.assignment.interval.ms"), None);
        assert_eq!(value("3.9.2", 1, "group.consumer.assignment.interval.ms"), None);
        assert_eq!(
            value("4.0.0", 1, "group.consumer.heartbeat.interval.ms").unwrap(),
            "200"
        );
        for old in ["3.9.2", "3.1.0", "2.8.1"] {
            assert_eq!(value(old, 1, "group.consumer.heartbeat.interval.ms"), None);
            assert_eq!(value(old, 1, "share.coordinator.state.topic.min.isr"), None);
            assert_eq!(value(old, 1, "group.initial.rebalance.delay.ms").unwrap(), "150");
        }
        assert_eq!(value("4.0.0", 1, "share.coordinator.state.topic.min.isr").unwrap(), "1");
    }

    fn node(id: u32, controller_port: Option<u16>) -> Node {
        let listener = |name: &str, port: u16, security| Listener {
            name: name.into(),
            bind: format!("127.0.0.1:{port}"),
            advertised: format!("proxy:{port}"),
            security,
        };
        Node {
            id,
            controller_port,
            listeners: vec![
                listener(INTERNAL, 1, Security::Plaintext),
                listener("TLS", 2, Security::Tls),
            ],
        }
    }

    fn settings(version: &str, brokers: u32) -> Vec<Setting> {
        deviations(version.parse().unwrap(), brokers, &BrokerSettings::default())
    }

    #[track_caller]
    fn has_lines(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|there| there == *line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_node_s_file_names_its_listeners_its_voters_and_the_listener_s_properties() {
        let nodes = [node(1, Some(7)), node(2, None)];
        let spec = ListenerSpec {
            name: "TLS".into(),
            bind_host: "127.0.0.1".into(),
            advertised_host: None,
            advertised_port: None,
            security: Security::Tls,
            properties: BTreeMap::from([("ssl.keystore.location".to_owned(), Secret::new("/k"))]),
        };
        let settings = settings("4.3.1", 2);
        let text = file(
            &nodes[1],
            &nodes,
            Metadata::KRaft,
            &[spec],
            &settings,
            Path::new("/data"),
        );
        has_lines(
            &text,
            &[
                "process.roles=broker",
                "controller.quorum.voters=1@127.0.0.1:7",
                "listeners=INTERNAL://127.0.0.1:1,TLS://127.0.0.1:2",
                "advertised.listeners=INTERNAL://proxy:1,TLS://proxy:2",
                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,TLS:SSL",
                "listener.name.tls.ssl.keystore.location=/k",
                "log.dirs=/data",
            ],
        );
    }

    #[test]
    fn the_file_of_a_broker_on_zookeeper_has_its_address_and_nothing_of_kraft() {
        let nodes = [node(1, None)];
        let settings = settings("2.8.1", 1);
        let text = file(
            &nodes[0],
            &nodes,
            Metadata::ZooKeeper(9),
            &[],
            &settings,
            Path::new("/data"),
        );
        has_lines(
            &text,
            &[
                "broker.id=1",
                "zookeeper.connect=127.0.0.1:9",
                "listeners=INTERNAL://127.0.0.1:1,TLS://127.0.0.1:2",
                "listener.security.protocol.map=INTERNAL:PLAINTEXT,TLS:SSL",
                "inter.broker.listener.name=INTERNAL",
            ],
        );
        for of_kraft in ["CONTROLLER", "process.roles", "node.id", "quorum"] {
            assert!(!text.contains(of_kraft), "{of_kraft} is in\n{text}");
        }
    }

    #[test]
    fn a_zookeeper_is_for_this_machine_alone_and_has_no_server_beside_it() {
        let text = zookeeper(9, Path::new("/data"));
        let expected = "dataDir=/data\nclientPort=9\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n\
                        4lw.commands.whitelist=conf\nmaxClientCnxns=0\n";
        assert_eq!(text, expected);
    }
}
