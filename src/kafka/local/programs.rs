//! The Java programs of Kafka that are run here: the command lines of broker and ZooKeeper, and the tool that formats a
//! broker's data folder.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::broker::Broker;
use super::classes::{ClassArchive, Classes};
use super::distribution::Distribution;
use super::error::LocalError;
use super::files::{last_lines, write_private};
use super::ownership::{Keeper, RUN_VARIABLE};
use super::properties;
use super::server::log_path;
use crate::scenario::Feature;

/// Pause between two looks at a tool that runs.
const PAUSE: Duration = Duration::from_millis(25);

/// The tool that formats a node's data folder; killed when dropped.
pub(super) struct Formatter {
    broker: u32,
    process: Child,
    output: PathBuf,
    keeper: Arc<dyn Keeper>,
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
        let output = folder.join("format.log");
        let file = fs::File::create(&output).map_err(LocalError::io("write", &output))?;
        let errors = file.try_clone().map_err(LocalError::io("write", &output))?;
        let process = Command::new(&distribution.java.program)
            .args(ClassArchive::classes(distribution.classes.as_ref()).argument())
            .args([
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                &class_path(distribution),
            ])
            .args(["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c"])
            .arg(folder.join("server.properties"))
            .env(RUN_VARIABLE, run_id)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(LocalError::io("run", &distribution.java.program))?;
        keeper.process_started(process.id());
        Ok(Formatter {
            broker: broker.id(),
            process,
            output,
            keeper: Arc::clone(keeper),
        })
    }

    /// Waits for its end.
    pub(super) fn wait(mut self, deadline: Instant, interrupted: &AtomicBool) -> Result<(), LocalError> {
        let failure = |problem: String, output: &Path| LocalError::Broker {
            broker: self.broker,
            problem,
            log: last_lines(output, 12, |_| true),
        };
        loop {
            let exit = self
                .process
                .try_wait()
                .map_err(LocalError::io("wait for", &self.output))?;
            match exit {
                Some(exit) if exit.success() => return Ok(()),
                Some(exit) => return Err(failure(format!("could not be formatted ({exit})"), &self.output)),
                None if interrupted.load(Ordering::Relaxed) => return Err(LocalError::Interrupted),
                None if Instant::now() > deadline => {
                    return Err(failure("was not formatted in time".to_owned(), &self.output));
                }
                None => sleep(PAUSE),
            }
        }
    }
}

impl Drop for Formatter {
    fn drop(&mut self) {
        // Both do nothing where it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.keeper.process_ended(self.process.id());
    }
}

fn class_path(distribution: &Distribution) -> String {
    format!("{}/*", distribution.libs.display())
}

/// Writes the logging configuration of a server into its folder.
pub(super) fn write_logging(distribution: &Distribution, folder: &Path) -> Result<(), LocalError> {
    let log = log_path(folder);
    let text = if distribution.version.has(Feature::Log4j2) {
        properties::log4j2(&log)
    } else {
        properties::log4j1(&log)
    };
    write_private(&logging_file(distribution, folder).1, &text)
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
