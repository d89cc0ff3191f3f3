//! A real Apache Kafka run here: a distribution is found or fetched, brokers are started, and nothing of them stays.
//! Everything blocks: async callers run it on a thread that may. Knows nothing of scenarios, topics or trials.

mod broker;
mod cluster;
mod distribution;
mod java;
mod layout;
mod maven;
mod ownership;
mod private;
mod programs;
mod properties;
mod server;
mod zookeeper;

use std::io;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use crate::scenario::KafkaVersion;

pub use broker::Broker;
pub use cluster::{ClusterOptions, LocalCluster, READY_LIMIT};
pub use distribution::{Distribution, Sources};
pub use java::Java;
pub use ownership::{Keeper, NoKeeper, RUN_VARIABLE, marker_name, remove_owned_directory};
pub use private::{check_private, make_private};
pub use properties::{DEFAULT_HEAP_MIB, Listener, ListenerSpec, Security};
pub use zookeeper::{ZOOKEEPER_HEAP_MIB, ZooKeeper};

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
    #[error("no free TCP port on {0}")]
    NoPort(String),
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
    #[error("cannot {action} {}: {cause}{}", .path.display(), elsewhere(cause))]
    Io {
        /// What was to be done.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
}

/// What helps where nothing may be written to the folder: all that brokers write is in tandem's cache.
fn elsewhere(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; set XDG_CACHE_HOME to a folder that you may write to"
        }
        _ => "",
    }
}

impl LocalError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LocalError {
        let path = path.to_owned();
        move |cause| LocalError::Io { action, path, cause }
    }
}

/// Free bytes for this user on the disk that holds `path`, or would hold it where it does not exist yet.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let absolute = std::path::absolute(path)?;
    let existing = absolute
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("/"));
    let disk = statvfs(existing)?;
    Ok(disk.blocks_available() * disk.fragment_size())
}

/// The last lines of a file of those that are wanted and not blank; empty where it cannot be read.
fn last_lines(path: &Path, count: usize, wanted: impl Fn(&str) -> bool) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && wanted(line))
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::path::Path;
    use std::process::Command;

    use super::{free_bytes, last_lines};

    /// Writes a shell script that can be run. Another process writes it: were the file open for writing in this one, a
    /// program that another test starts at that moment would hold it open too, and it could not be run.
    pub(super) fn write_program(path: &Path, script: &str) {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "printf '%s\\n' '#!/bin/sh' \"$1\" > \"$0\" && chmod 755 \"$0\""])
            .arg(path)
            .arg(script);
        assert!(shell.status().unwrap().success());
    }

    #[test]
    fn free_space_is_known_for_a_path_that_does_not_exist_yet() {
        assert!(free_bytes(Path::new("/")).unwrap() > 0);
        assert!(free_bytes(Path::new("/no/such/folder/yet")).unwrap() > 0);
    }

    #[test]
    fn last_lines_are_the_end_of_the_file_without_blank_and_unwanted_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        std::fs::write(&file, "one\ntwo\n\n\tskipped\nthree\n").unwrap();
        assert_eq!(last_lines(&file, 2, |line| !line.starts_with('\t')), "two\nthree");
        assert_eq!(last_lines(&folder.path().join("none"), 2, |_| true), "");
    }
}
