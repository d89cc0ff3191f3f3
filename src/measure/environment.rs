//! Where a run took place: everything a reader needs to judge or repeat it. Never holds a secret.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the stored form of [`Environment`].
pub const ENVIRONMENT_SCHEMA_VERSION: u32 = 1;

/// The machine, the cluster and the client of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// [`ENVIRONMENT_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Version of tandem.
    pub tandem_version: String,
    /// Host name.
    pub host: String,
    /// Operating system, such as `Debian GNU/Linux 12 (bookworm)`.
    pub system: String,
    /// Kernel release.
    pub kernel: String,
    /// Processor model.
    pub processor: String,
    /// Logical processors that tandem may use.
    pub cores: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
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
    /// Version of Java that ran the brokers, where known.
    pub java: Option<String>,
    /// Broker settings that differ from Kafka's defaults, with the reason where tandem set them.
    pub deviations: Vec<Setting>,
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
