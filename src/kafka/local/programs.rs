//! The Java programs of Kafka that are run here: the command lines of broker and ZooKeeper, and the tool that formats a
//! broker's data folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::broker::Broker;
use super::classes::{ClassArchive, Classes};
use super::distribution::Distribution;
use super::error::LocalError;
use super::properties;
use crate::scenario::Feature;
use crate::server::{Keeper, Tool, ToolEnd, write_private};

/// The log of a Java server, in its folder.
pub(super) const LOG: &str = "server.log";

/// What the lines of a Java server's log contain that say of a failure.
pub(super) const FAILURE_SIGNS: &[&str] = &[" ERROR ", " FATAL ", "Caused by: ", "Exception: "];

/// The tool that formats a node's data folder; killed when dropped.
pub(super) struct Formatter {
    broker: u32,
    tool: Tool,
}

impl Formatter {
    /// Starts it for this broker.
    pub(super) fn start(
        distribution: &Distribution,
        broker: &Broker,
        run_id: &str,
        cluster_id: &str,
        keeper: &Arc<dyn Keeper>,
    ) -> Result<Self, LocalError> {
        let folder = broker.folder();
        let mut command = Command::new(&distribution.java.program);
        command
            .args(ClassArchive::classes(distribution.classes.as_ref()).argument())
            .args([
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                &class_path(distribution),
            ])
            .args(["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c"])
            .arg(folder.join("server.properties"));
        let tool = Tool::start(&mut command, &folder.join("format.log"), run_id, keeper)?;
        let broker = broker.id();
        Ok(Formatter { broker, tool })
    }

    /// Waits for its end.
    pub(super) fn wait(mut self, deadline: Instant, interrupted: &AtomicBool) -> Result<(), LocalError> {
        let problem = match self.tool.wait(deadline, interrupted)? {
            ToolEnd::Exited(exit) if exit.success() => return Ok(()),
            ToolEnd::Exited(exit) => format!("could not be formatted ({exit})"),
            ToolEnd::TimedOut => "was not formatted in time".to_owned(),
            ToolEnd::Interrupted => return Err(LocalError::Interrupted),
        };
        Err(LocalError::Broker {
            broker: self.broker,
            problem,
            log: self.tool.last_lines(),
        })
    }
}

fn class_path(distribution: &Distribution) -> String {
    format!("{}/*", distribution.libs.display())
}

/// Writes the logging configuration of a server into its folder.
pub(super) fn write_logging(distribution: &Distribution, folder: &Path) -> Result<(), LocalError> {
    let log = folder.join(LOG);
    let text = if distribution.version.has(Feature::Log4j2) {
        properties::log4j2(&log)
    } else {
        properties::log4j1(&log)
    };
    Ok(write_private(&logging_file(distribution, folder).1, &text)?)
}

/// The option that names the logging configuration, and its file.
fn logging_file(distribution: &Distribution, folder: &Path) -> (&'static str, PathBuf) {
    if distribution.version.has(Feature::Log4j2) {
        ("-Dlog4j2.configurationFile=", folder.join("log4j2.xml"))
    } else {
        ("-Dlog4j.configuration=file:", folder.join("log4j.properties"))
    }
}

fn logging_argument(distribution: &Distribution, folder: &Path) -> String {
    let (option, file) = logging_file(distribution, folder);
    format!("{option}{}", file.display())
}

/// The Java command line of a ZooKeeper of its own, with a collector that takes no threads from brokers and clients.
pub(super) fn zookeeper_arguments(distribution: &Distribution, heap_mib: u32, folder: &Path) -> Vec<String> {
    vec![
        "-server".to_owned(),
        format!("-Xmx{heap_mib}m"),
        "-XX:+UseSerialGC".to_owned(),
        "-Djava.awt.headless=true".to_owned(),
        "-Dzookeeper.jmx.log4j.disable=true".to_owned(),
        "-cp".to_owned(),
        class_path(distribution),
        logging_argument(distribution, folder),
        "org.apache.zookeeper.server.quorum.QuorumPeerMain".to_owned(),
        folder.join("zookeeper.properties").display().to_string(),
    ]
}

/// The Java command line of Kafka's own start script, with a heap that fits beside the clients.
pub(super) fn broker_arguments(
    distribution: &Distribution,
    classes: Classes<'_>,
    heap_mib: u32,
    folder: &Path,
) -> Vec<String> {
    let mut arguments = vec![format!("-Xms{heap_mib}m"), format!("-Xmx{heap_mib}m")];
    arguments.extend(classes.argument());
    let flags = [
        "-server",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:InitiatingHeapOccupancyPercent=35",
        "-XX:+ExplicitGCInvokesConcurrent",
        "-Djava.awt.headless=true",
        "-cp",
    ];
    arguments.extend(flags.map(str::to_owned));
    arguments.push(class_path(distribution));
    arguments.push(logging_argument(distribution, folder));
    arguments.push("kafka.Kafka".to_owned());
    arguments.push(folder.join("server.properties").display().to_string());
    arguments
}
