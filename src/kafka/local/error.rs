//! Why there is no local cluster.

use std::io;
use std::path::{Path, PathBuf};

use crate::scenario::KafkaVersion;
use crate::server::{FileError, NoPort};

/// Why there is no local cluster.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// No Java was found.
    #[error("no Java found (looked {looked}): Apache Kafka {version} needs Java {needed} or later")]
    NoJava {
        /// Version of Kafka.
        version: KafkaVersion,
        /// Java release that it needs.
        needed: u32,
        /// Where it was looked for.
        looked: String,
    },
    /// The Java found does not say what it is.
    #[error("{} does not work as Java: {cause}", .java.display())]
    BrokenJava {
        /// The program.
        java: PathBuf,
        /// What it answered.
        cause: String,
    },
    /// The Java found is too old.
    #[error(
        "{} is Java {found}, but Apache Kafka {version} needs Java {needed} or later; set JAVA_HOME to one",
        .java.display()
    )]
    OldJava {
        /// The program.
        java: PathBuf,
        /// Its version.
        found: String,
        /// Version of Kafka.
        version: KafkaVersion,
        /// Java release that it needs.
        needed: u32,
    },
    /// `KAFKA_HOME` cannot be used.
    #[error("KAFKA_HOME is {}, but {problem}", .home.display())]
    KafkaHome {
        /// Its value.
        home: PathBuf,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// There is no Maven to fetch Kafka with.
    #[error(
        "Apache Kafka {0} is not here yet and there is no Maven (mvn) to fetch it: install Maven, or set KAFKA_HOME \
         to an unpacked distribution of that version"
    )]
    NoMaven(KafkaVersion),
    /// Maven failed.
    #[error("Maven could not fetch Apache Kafka {version}: {cause}\n{output}")]
    Maven {
        /// Version of Kafka.
        version: KafkaVersion,
        /// The likely cause.
        cause: String,
        /// Last lines of what Maven said.
        output: String,
    },
    /// A broker did not start.
    #[error("broker {broker} {problem}; last lines of its log:\n{log}")]
    Broker {
        /// Its id.
        broker: u32,
        /// What happened.
        problem: String,
        /// Last lines of its log.
        log: String,
    },
    /// The ZooKeeper did not start.
    #[error("ZooKeeper {problem}; last lines of its log:\n{log}")]
    ZooKeeper {
        /// What happened.
        problem: String,
        /// Last lines of its log.
        log: String,
    },
    /// The distribution holds no ZooKeeper.
    #[error("there is no ZooKeeper (zookeeper-VERSION.jar) in {}, on which Apache Kafka {version} is to run", .libs.display())]
    NoZooKeeper {
        /// Version of Kafka.
        version: KafkaVersion,
        /// Where it was looked for.
        libs: PathBuf,
    },
    /// No free ports were found.
    #[error(transparent)]
    NoPort(#[from] NoPort),
    /// A port that was asked for cannot be had.
    #[error(
        "TCP port {port} on 127.0.0.1 is taken or cannot be used: choose another with --port, or none for free ones"
    )]
    PortTaken {
        /// The port.
        port: u32,
    },
    /// The caller no longer wants the cluster.
    #[error("interrupted while the brokers started")]
    Interrupted,
    /// A file or a process could not be made.
    #[error(transparent)]
    File(#[from] FileError),
}

impl LocalError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LocalError {
        let failed = FileError::new(action, path);
        move |cause| failed(cause).into()
    }
}
