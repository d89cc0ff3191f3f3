//! Where a run took place: everything a reader needs to judge or repeat it. Never holds a secret.

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
    /// tandem's own client settings that differ from the library's defaults, with the reason.
    #[serde(default)]
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
