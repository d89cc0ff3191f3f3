//! Where a run took place: everything a reader needs to judge or repeat it. Never holds a secret.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::kept::KeptData;
use super::limits::{Limits, core_figure, cores};
use super::session_times::SessionTimes;

/// Version of the stored form of [`Environment`].
pub const ENVIRONMENT_SCHEMA_VERSION: u32 = 1;

/// The machine, the cluster and the client of a run.
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
    /// The built-in client.
    pub client: ClientEnvironment,
    /// Clusters that the run compares with that one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_clusters: Vec<ClusterEnvironment>,
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

/// The built-in Kafka client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientEnvironment {
    /// `librdkafka`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Features it was built with.
    pub features: String,
    /// The allocator that serves tandem and the client library.
    pub allocator: String,
    /// Consumer settings that differ from the library's defaults, in any configuration; the values of one that
    /// differs between configurations are joined by ` | `.
    pub deviations: Vec<Setting>,
}

/// A setting that differs from the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The property.
    pub name: String,
    /// Its value; `(hidden)` for a secret.
    pub value: String,
    /// Why it differs.
    pub reason: String,
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
        all.extend(setting_differences(&self.cluster.deviations, &now.cluster.deviations));
        all.extend(self.variant_differences(now));
        all
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
        let (cluster, client) = (&self.cluster, &self.client);
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
            ("features of the client", false, client.features.clone()),
            ("allocator", true, client.allocator.clone()),
        ];
        values.extend(cluster.values().map(|(what, value)| (what, true, value)));
        values.push(("cluster", false, place.to_owned()));
        values.push(("bootstrap", false, bootstrap));
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

/// Settings of brokers that are not the same, one that only one has too.
fn setting_differences(before: &[Setting], now: &[Setting]) -> Vec<Difference> {
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
            what: format!("broker setting {}", setting.name),
            before,
            now,
            forbids_mixing: false,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
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
    fn an_environment_stored_before_commits_were_known_still_loads() {
        let mut json = serde_json::to_value(environment()).unwrap_or_default();
        json.as_object_mut().map(|fields| fields.remove("tandem_commit"));
        assert_eq!(serde_json::from_value::<Environment>(json).ok(), Some(environment()));
    }
}
