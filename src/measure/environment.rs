//! Where a run took place: everything a reader needs to judge or repeat it. Never holds a secret.

use std::fmt;
use std::path::PathBuf;
use std::ptr;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::kept::KeptData;
use super::limits::{Limits, core_figure, cores};
use super::session_times::SessionTimes;
use super::setting::Setting;
use crate::clients::OWN_APP;

/// Version of the stored form of [`Environment`].
pub const ENVIRONMENT_SCHEMA_VERSION: u32 = 2;

/// The machine, the cluster and the clients of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// [`ENVIRONMENT_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Version of tandem.
    pub tandem_version: String,
    /// The commit that tandem was built from, with `-dirty` where files were changed; `None` where the build did not
    /// know it, as those for development do not.
    #[serde(default)]
    pub tandem_commit: Option<String>,
    /// Host name.
    pub host: String,
    /// Operating system, such as `Debian GNU/Linux 12 (bookworm)`.
    pub system: String,
    /// Kernel release.
    pub kernel: String,
    /// Processor model.
    pub processor: String,
    /// Logical processors that tandem may run on; a CPU quota may leave less ([`Environment::usable_cores`]).
    pub cores: u32,
    /// Memory in bytes that may be used: the machine's, or a memory limit.
    pub memory_bytes: u64,
    /// What tandem may use and why it is no more; `None` in runs of versions that did not look for limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Frequency governor, where the kernel shows one.
    pub governor: Option<String>,
    /// The cluster.
    pub cluster: ClusterEnvironment,
    /// The clients of the apps that the run measures, first that of this program; `client` in version 1, which had no
    /// other.
    #[serde(alias = "client", deserialize_with = "one_or_several")]
    pub clients: Vec<ClientEnvironment>,
    /// Clusters that the run compares with that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_clusters: Vec<ClusterEnvironment>,
    /// The store in which records end; `None` where none do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreEnvironment>,
    /// The builds whose workers the run compares; empty where all are of the program that describes itself here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builds: Vec<BuildEnvironment>,
    /// Data sets that outlive the run, those of each session of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_data: Vec<KeptData>,
    /// How long each step of each session took; empty in runs of versions that did not note it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<SessionTimes>,
}

/// A program whose workers a run measures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildEnvironment {
    /// How configurations name it.
    pub name: String,
    /// The program's file.
    pub path: PathBuf,
    /// What it says of itself when asked for its version, such as `tandem 0.1.0 (8b212a6)`; `None` where it does not.
    pub version: Option<String>,
    /// Name of the Kafka client in it.
    pub client: String,
    /// Version of that client.
    pub client_version: String,
    /// Size of the file.
    pub bytes: u64,
    /// When the file was last written.
    pub modified: Timestamp,
}

impl fmt::Display for BuildEnvironment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_deref().unwrap_or("of an unknown version");
        write!(
            out,
            "{}: {version}, {} {} ({}, {} bytes, written {})",
            self.name,
            self.client,
            self.client_version,
            self.path.display(),
            self.bytes,
            self.modified.strftime("%Y-%m-%d %H:%M:%S%.3f UTC")
        )
    }
}

/// The cluster of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterEnvironment {
    /// True for brokers that tandem ran itself.
    pub local: bool,
    /// Addresses used to connect; for a local cluster those of its brokers.
    pub bootstrap: String,
    /// Number of brokers.
    pub brokers: u32,
    /// Version of Apache Kafka, where known.
    pub version: Option<String>,
    /// Version of the Apache ZooKeeper that tandem ran for it; `None` for one that keeps its metadata itself (KRaft), and
    /// for one that ran before, of which this is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zookeeper: Option<String>,
    /// Version of Java that ran the brokers, where known.
    pub java: Option<String>,
    /// Broker settings that differ from Kafka's defaults, with the reason where tandem set them.
    pub deviations: Vec<Setting>,
    /// Why the settings of brokers are not known; `None` where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_unknown: Option<String>,
}

/// The store of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreEnvironment {
    /// Such as `PostgreSQL`.
    pub kind: String,
    /// Its version.
    pub version: String,
    /// True for one that tandem ran itself.
    pub local: bool,
    /// Host and port of one that somebody else runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Settings that differ from its defaults, with the reason where tandem set them.
    pub deviations: Vec<Setting>,
}

impl fmt::Display for StoreEnvironment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.place {
            Some(place) => format!("running before tandem ({place})"),
            None => "run by tandem on this machine".to_owned(),
        };
        write!(out, "{} {}, {place}", self.kind, self.version)
    }
}

/// The Kafka client of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientEnvironment {
    /// The app, as a scenario names it, such as `tandem` or `java`; or the name of the place whose launcher names another
    /// program.
    #[serde(default = "own_app")]
    pub app: String,
    /// Such as `librdkafka`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The places where the app ran with it; empty in runs of versions that did not note them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
    /// Features it was built with, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<String>,
    /// The allocator that serves the app and its client, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocator: Option<String>,
    /// Not of a program that a launcher names: consumer settings that differ from the library's defaults, in any configuration; the values
    /// of one that differs between configurations are joined by ` | `.
    pub deviations: Vec<Setting>,
}

/// The app that has no name in what was stored before there were several.
fn own_app() -> String {
    OWN_APP.to_owned()
}

/// A client alone, as version 1 has it, or a list.
fn one_or_several<'de, D: Deserializer<'de>>(stored: D) -> Result<Vec<ClientEnvironment>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        One(Box<ClientEnvironment>),
        Several(Vec<ClientEnvironment>),
    }
    match Stored::deserialize(stored)? {
        Stored::One(client) => Ok(vec![*client]),
        Stored::Several(clients) if clients.is_empty() => Err(D::Error::custom("a run has a client")),
        Stored::Several(clients) => Ok(clients),
    }
}

impl fmt::Display for ClientEnvironment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.name, self.version)
    }
}

/// Something in which two environments differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What, such as `kernel`.
    pub what: String,
    /// Its value in the first.
    pub before: String,
    /// Its value in the second.
    pub now: String,
    /// True where trials of the two must not be mixed in one run.
    pub forbids_mixing: bool,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was {} and is {}", self.what, self.before, self.now)
    }
}

impl Environment {
    /// Version of tandem, with its commit where that is known: `0.1.0 (1b2c3d4e5f60)`.
    pub fn tandem(&self) -> String {
        match &self.tandem_commit {
            Some(commit) => format!("{} ({commit})", self.tandem_version),
            None => self.tandem_version.clone(),
        }
    }

    /// The client of this program.
    pub fn client(&self) -> &ClientEnvironment {
        &self.clients[0]
    }

    /// All clients: `librdkafka 2.12.1, kafka-clients 4.3.1`.
    pub fn clients_in_words(&self) -> String {
        let mut names: Vec<String> = self.clients.iter().map(ToString::to_string).collect();
        names.dedup();
        names.join(", ")
    }

    /// Cores that tandem may use.
    pub fn usable_cores(&self) -> f64 {
        self.limits.as_ref().map_or(f64::from(self.cores), Limits::usable_cores)
    }

    /// `2 cores`, or `1.5 of 2 cores (CPU quota of the cgroup /x)`.
    pub fn cores_in_words(&self) -> String {
        let known = self.limits.as_ref().map(Limits::cores_in_words);
        known.unwrap_or_else(|| cores(f64::from(self.cores)))
    }

    /// In what `now` differs from this environment, apart from the settings of the measured clients, which the scenario
    /// gives.
    pub fn differences(&self, now: &Environment) -> Vec<Difference> {
        let pairs = self.values().into_iter().zip(now.values());
        let mut all: Vec<Difference> = pairs
            .filter(|((_, _, before), (_, _, now))| before != now)
            .map(|((what, forbids_mixing, before), (_, _, now))| Difference {
                what: what.to_owned(),
                before,
                now,
                forbids_mixing,
            })
            .collect();
        let (before, after) = (&self.cluster.deviations, &now.cluster.deviations);
        all.extend(setting_differences("broker", before, after, false));
        if let (Some(before), Some(now)) = (&self.store, &now.store) {
            all.extend(setting_differences("store", &before.lasting(), &now.lasting(), true));
        }
        all.extend(self.variant_differences(now));
        all.extend(self.app_differences(now));
        all
    }

    /// The apps that have another client at a place than before. One that did not introduce itself is not compared; what
    /// this program has is compared elsewhere.
    fn app_differences(&self, now: &Environment) -> Vec<Difference> {
        let apps = self.clients.iter();
        let apps = apps.flat_map(|client| client.places.iter().map(move |place| (client, place)));
        let pairs = apps.filter_map(|(before, place)| {
            let is_it = |client: &&ClientEnvironment| client.app == before.app && client.places.contains(place);
            Some((before, now.clients.iter().find(is_it)?, place))
        });
        let are_own = |before, after| ptr::eq(before, self.client()) && ptr::eq(after, now.client());
        let changed = pairs.filter(|(before, after, _)| before.to_string() != after.to_string());
        changed
            .filter(|(before, after, _)| !are_own(*before, *after))
            .map(|(before, now, place)| Difference {
                what: format!("the client of {} at place {place}", before.app),
                before: before.to_string(),
                now: now.to_string(),
                forbids_mixing: true,
            })
            .collect()
    }

    /// In what the other clusters and the builds of runs that compare them differ.
    fn variant_differences(&self, now: &Environment) -> Vec<Difference> {
        let clusters = self.other_clusters.iter().zip(&now.other_clusters);
        let clusters = clusters.flat_map(|(before, now)| {
            let values = before.values().into_iter().zip(now.values());
            values.map(|((what, before), (_, now))| (format!("{what} of the other cluster"), before, now))
        });
        let builds = self.builds.iter().zip(&now.builds);
        let builds = builds.map(|(before, now)| ("a build".to_owned(), before.to_string(), now.to_string()));
        let changed = clusters.chain(builds).filter(|(_, before, now)| before != now);
        changed
            .map(|(what, before, now)| Difference {
                what,
                before,
                now,
                forbids_mixing: true,
            })
            .collect()
    }

    /// Each value with its name and whether a run must keep it.
    fn values(&self) -> Vec<(&'static str, bool, String)> {
        let (cluster, client) = (&self.cluster, self.client());
        // Brokers that tandem runs get free ports, which are others each time.
        let (place, bootstrap) = if cluster.local {
            ("run by tandem", String::new())
        } else {
            ("running before tandem", cluster.bootstrap.clone())
        };
        let mut values = vec![
            ("host", true, self.host.clone()),
            ("system", false, self.system.clone()),
            ("kernel", true, self.kernel.clone()),
            ("processor", true, self.processor.clone()),
            ("cores", true, core_figure(self.usable_cores())),
            ("memory", true, self.memory_bytes.to_string()),
            ("frequency governor", false, or(self.governor.as_ref(), "unknown")),
            ("tandem", true, self.tandem_version.clone()),
            ("commit of tandem", false, or(self.tandem_commit.as_ref(), "unknown")),
            ("client library", false, client.name.clone()),
            ("client", true, client.version.clone()),
            ("features of the client", false, or(client.features.as_ref(), "unknown")),
            ("allocator", true, or(client.allocator.as_ref(), "unknown")),
        ];
        values.extend(cluster.values().map(|(what, value)| (what, true, value)));
        let store = self.store.as_ref().map(ToString::to_string);
        values.push(("store", true, or(store.as_ref(), "none")));
        values.extend([("cluster", false, place.to_owned()), ("bootstrap", false, bootstrap)]);
        values
    }
}

impl ClusterEnvironment {
    /// Each value that a run must keep, with its name.
    fn values(&self) -> [(&'static str, String); 4] {
        [
            ("brokers", self.brokers.to_string()),
            ("Kafka", or(self.version.as_ref(), "unknown")),
            ("ZooKeeper", or(self.zookeeper.as_ref(), "none")),
            ("Java", or(self.java.as_ref(), "unknown")),
        ]
    }
}

fn or(value: Option<&String>, otherwise: &str) -> String {
    value.map_or(otherwise, String::as_str).to_owned()
}

impl StoreEnvironment {
    /// The settings that a run must keep. One that tandem runs has another free port each time.
    fn lasting(&self) -> Vec<Setting> {
        let is_lasting = |setting: &&Setting| !self.local || setting.name != "port";
        self.deviations.iter().filter(is_lasting).cloned().collect()
    }
}

/// Settings of brokers or of a store that are not the same, one that only one has too.
fn setting_differences(whose: &str, before: &[Setting], now: &[Setting], forbids_mixing: bool) -> Vec<Difference> {
    let value = |settings: &[Setting], name: &str| {
        let found = settings.iter().find(|setting| setting.name == name);
        found.map_or_else(|| "default".to_owned(), |setting| setting.value.clone())
    };
    let new = now
        .iter()
        .filter(|setting| before.iter().all(|other| other.name != setting.name));
    let all = before.iter().chain(new);
    all.filter_map(|setting| {
        let (before, now) = (value(before, &setting.name), value(now, &setting.name));
        (before != now).then(|| Difference {
            what: format!("{whose} setting {}", setting.name),
            before,
            now,
            forbids_mixing,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::environment;

    #[test]
    fn another_version_forbids_mixing_and_another_governor_is_only_reported() {
        let mut now = environment();
        now.cluster.version = Some("3.9.0".to_owned());
        now.governor = Some("powersave".to_owned());
        now.cluster.bootstrap = "127.0.0.1:2".to_owned();
        let found: Vec<(String, bool)> = environment()
            .differences(&now)
            .iter()
            .map(|d| (d.to_string(), d.forbids_mixing))
            .collect();
        let expected = [
            ("frequency governor was unknown and is powersave", false),
            ("Kafka was 4.3.1 and is 3.9.0", true),
        ];
        assert_eq!(found, expected.map(|(text, forbids)| (text.to_owned(), forbids)));
    }

    #[test]
    fn settings_of_brokers_are_reported_one_by_one() {
        let mut now = environment();
        now.cluster.deviations.remove(0);
        now.cluster.deviations[0].value = "3".to_owned();
        now.cluster.deviations.push(Setting {
            name: "c".to_owned(),
            ..now.cluster.deviations[0].clone()
        });
        let found: Vec<String> = environment()
            .differences(&now)
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected = [
            "broker setting a was 1 and is default",
            "broker setting b was 2 and is 3",
            "broker setting c was default and is 3",
        ];
        assert_eq!(found, expected);
        assert!(environment().differences(&environment()).is_empty());
    }

    #[test]
    fn other_settings_of_the_store_forbid_mixing_but_not_another_port_of_a_private_one() {
        let setting = |name: &str, value: &str| Setting {
            name: name.to_owned(),
            value: value.to_owned(),
            reason: String::new(),
        };
        let with = |local: bool, settings: &[(&str, &str)]| {
            let mut environment = environment();
            environment.store = Some(StoreEnvironment {
                kind: "PostgreSQL".to_owned(),
                version: "15.13".to_owned(),
                local,
                place: (!local).then(|| "db:5432".to_owned()),
                deviations: settings.iter().map(|(name, value)| setting(name, value)).collect(),
            });
            environment
        };
        let before = with(false, &[("synchronous_commit", "off")]);
        let found = before.differences(&with(false, &[("fsync", "off")]));
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.to_string(), found.forbids_mixing))
            .collect();
        let expected = [
            ("store setting synchronous_commit was off and is default", true),
            ("store setting fsync was default and is off", true),
        ];
        assert_eq!(found, expected.map(|(text, forbids)| (text.to_owned(), forbids)));
        let ports = [with(true, &[("port", "5001")]), with(true, &[("port", "5002")])];
        assert_eq!(ports[0].differences(&ports[1]), []);
    }

    #[test]
    fn an_environment_of_version_1_with_one_client_still_loads() {
        let mut json = serde_json::to_value(environment()).unwrap_or_default();
        let fields = json.as_object_mut().unwrap();
        let mut client = fields.remove("clients").unwrap()[0].take();
        client.as_object_mut().unwrap().remove("app");
        fields.insert("client".to_owned(), client);
        assert_eq!(serde_json::from_value::<Environment>(json).unwrap(), environment());
    }

    #[test]
    fn an_environment_without_a_client_is_refused() {
        let mut json = serde_json::to_value(environment()).unwrap_or_default();
        json["clients"] = serde_json::json!([]);
        let refused = serde_json::from_value::<Environment>(json).unwrap_err().to_string();
        assert!(refused.contains("a run has a client"), "{refused}");
    }

    /// An environment with a second app at these places.
    fn with_app(places: &[&str], version: &str) -> Environment {
        let mut environment = environment();
        environment.clients.push(ClientEnvironment {
            app: "python".to_owned(),
            name: "confluent-kafka".to_owned(),
            version: version.to_owned(),
            places: places.iter().map(|place| (*place).to_owned()).collect(),
            features: None,
            allocator: None,
            deviations: Vec::new(),
        });
        environment
    }

    #[test]
    fn an_app_with_another_client_at_a_place_forbids_mixing_and_one_that_was_not_met_does_not() {
        let before = with_app(&["box"], "2.12.1");
        assert_eq!(before.differences(&with_app(&["box"], "2.12.1")), []);
        assert_eq!(before.differences(&environment()), []);
        assert_eq!(before.differences(&with_app(&["crate"], "2.13.0")), []);
        let found = before.differences(&with_app(&["box"], "2.13.0"));
        assert_eq!(
            found.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["the client of python at place box was confluent-kafka 2.12.1 and is confluent-kafka 2.13.0"]
        );
        assert!(found[0].forbids_mixing);
        let mut elsewhere = with_app(&["box"], "2.12.1");
        elsewhere.clients[0].places.push("ssh".to_owned());
        let mut now = elsewhere.clone();
        now.clients[0].places.pop();
        (now.clients[1].app, now.clients[1].places) = ("tandem".to_owned(), vec!["ssh".to_owned()]);
        assert_eq!(
            elsewhere.differences(&now)[0].to_string(),
            "the client of tandem at place ssh was librdkafka 2.12.1 and is confluent-kafka 2.12.1"
        );
        assert_eq!(before.clients_in_words(), "librdkafka 2.12.1, confluent-kafka 2.12.1");
    }

    #[test]
    fn an_environment_stored_before_commits_were_known_still_loads() {
        let mut json = serde_json::to_value(environment()).unwrap_or_default();
        json.as_object_mut().map(|fields| fields.remove("tandem_commit"));
        assert_eq!(serde_json::from_value::<Environment>(json).ok(), Some(environment()));
    }
}
