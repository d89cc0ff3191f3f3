//! A cluster of brokers run here: laid out, formatted or given a ZooKeeper, started, seen by a client, and removed with
//! all its data.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::broker::Broker;
use super::classes::{ClassArchive, Classes};
use super::distribution::Distribution;
use super::error::LocalError;
use super::layout::{choose_nodes, random_cluster_id};
use super::options::{ClusterOptions, READY_LIMIT};
use super::programs::{FAILURE_SIGNS, Formatter, LOG, broker_arguments, write_logging};
use super::properties::{self, BrokerSettings, INTERNAL, Metadata};
use super::zookeeper::ZooKeeper;
use crate::kafka::admin::Admin;
use crate::measure::Setting;
use crate::scenario::KafkaVersion;
use crate::secret::Secret;
use crate::server::{
    Keeper, Server, ServerCommand, last_lines, make_directory, make_private, remove_owned_directory, write_private,
};
use crate::wording::plural;

/// How often a start is tried again when another program took a port in between.
const PORT_ATTEMPTS: u32 = 4;

/// Pause between two looks at something that starts.
const PAUSE: Duration = Duration::from_millis(25);

/// Brokers run here; killed and removed with their data when dropped.
pub struct LocalCluster {
    brokers: Vec<Arc<Broker>>,
    zookeeper: Option<ZooKeeper>,
    directory: PathBuf,
    run_id: String,
    keeper: Arc<dyn Keeper>,
    deviations: Vec<Setting>,
    version: KafkaVersion,
    java: String,
}

impl LocalCluster {
    /// Starts the brokers and waits until a client sees them all and groups can be formed, for at most
    /// [`READY_LIMIT`]. Setting `interrupted` ends it early. Nothing is left of a start that fails.
    pub fn start(
        distribution: &Distribution,
        options: &ClusterOptions,
        keeper: &Arc<dyn Keeper>,
        progress: &dyn Fn(&str),
        interrupted: &AtomicBool,
    ) -> Result<Self, LocalError> {
        archive_classes(distribution, options, keeper, progress, interrupted)?;
        let with = if options.zookeeper { " with ZooKeeper" } else { "" };
        progress(&format!(
            "starting {} of Apache Kafka {}{with}",
            plural(options.brokers, "broker"),
            distribution.version
        ));
        let classes = ClassArchive::classes(distribution.classes.as_ref());
        let mut attempt = 1;
        loop {
            let cluster = Self::lay_out(distribution, classes, options, Arc::clone(keeper))?;
            match cluster.begin(distribution, interrupted) {
                Ok(()) => return Ok(cluster),
                Err(error) if attempt < PORT_ATTEMPTS && options.port.is_none() && cluster.port_was_taken() => {
                    progress(&format!("a port was taken in between, trying others ({error})"));
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes the folders and files of all nodes.
    fn lay_out(
        distribution: &Distribution,
        classes: Classes<'_>,
        options: &ClusterOptions,
        keeper: Arc<dyn Keeper>,
    ) -> Result<Self, LocalError> {
        let (metadata, nodes) = choose_nodes(options)?;
        let deviations = properties::deviations(distribution.version, options.brokers, &options.settings);
        make_private(&options.data_parent).map_err(LocalError::io("use", &options.data_parent))?;
        let directory = make_directory(&options.data_parent, &options.run_id, "kafka", keeper.as_ref())?;
        // From here on dropping the cluster removes the directory.
        let mut cluster = LocalCluster {
            brokers: Vec::new(),
            zookeeper: None,
            directory,
            run_id: options.run_id.clone(),
            keeper,
            deviations,
            version: distribution.version,
            java: distribution.java.version.clone(),
        };
        if let Metadata::ZooKeeper(port) = metadata {
            let keeper = Arc::clone(&cluster.keeper);
            let (directory, run_id) = (&cluster.directory, &options.run_id);
            cluster.zookeeper = Some(ZooKeeper::lay_out(distribution, port, directory, run_id, keeper)?);
        }
        for node in &nodes {
            let folder = cluster.directory.join(format!("broker-{}", node.id));
            fs::create_dir(&folder).map_err(LocalError::io("make the folder", &folder))?;
            let text = properties::file(
                node,
                &nodes,
                metadata,
                &options.listeners,
                &cluster.deviations,
                &folder.join("data"),
            );
            write_private(&folder.join("server.properties"), &text)?;
            write_logging(distribution, &folder)?;
            let command = ServerCommand {
                program: distribution.java.program.clone(),
                arguments: broker_arguments(distribution, classes, options.heap_mib, &folder),
                run_id: options.run_id.clone(),
                account: None,
                stop: Signal::SIGTERM,
                log: LOG,
                failure_signs: FAILURE_SIGNS,
            };
            let server = Server::new(folder, command, Arc::clone(&cluster.keeper));
            cluster
                .brokers
                .push(Arc::new(Broker::new(node.id, node.listeners.clone(), server)));
        }
        Ok(cluster)
    }

    fn begin(&self, distribution: &Distribution, interrupted: &AtomicBool) -> Result<(), LocalError> {
        match &self.zookeeper {
            Some(zookeeper) => zookeeper.start(interrupted)?,
            None => self.format(distribution, interrupted)?,
        }
        for broker in &self.brokers {
            broker.start()?;
        }
        self.wait_until_ready(interrupted)
    }

    /// Formats the data folders of all nodes at once, each by a Java program of its own.
    fn format(&self, distribution: &Distribution, interrupted: &AtomicBool) -> Result<(), LocalError> {
        let cluster_id = random_cluster_id();
        let formatters: Result<Vec<_>, _> = self
            .brokers
            .iter()
            .map(|broker| Formatter::start(distribution, broker, &self.run_id, &cluster_id, &self.keeper))
            .collect();
        let deadline = Instant::now() + READY_LIMIT;
        formatters?
            .into_iter()
            .try_for_each(|formatter| formatter.wait(deadline, interrupted))
    }

    /// Waits until a client sees every broker and a group's coordinator answers, for at most [`READY_LIMIT`]; to be
    /// used after a broker was started again, too.
    pub fn wait_until_ready(&self, interrupted: &AtomicBool) -> Result<(), LocalError> {
        let deadline = Instant::now() + READY_LIMIT;
        // A client asks in vain at first; by default it would then wait ever longer between its attempts.
        let settings = [("reconnect.backoff.ms", "20"), ("reconnect.backoff.max.ms", "100")];
        let settings = settings
            .map(|(name, value)| (name.to_owned(), Secret::new(value)))
            .into();
        let admin = Admin::new(&self.bootstrap_of(INTERNAL), &settings);
        let admin = admin.map_err(|error| self.failure(0, &error.to_string()))?;
        // Each look asks any of the brokers, and one may know less than the others for a while.
        let looks_needed = if self.brokers.len() == 1 {
            1
        } else {
            4 * self.brokers.len()
        };
        let mut looks = 0;
        loop {
            if interrupted.load(Ordering::Relaxed) {
                return Err(LocalError::Interrupted);
            }
            self.zookeeper.as_ref().map_or(Ok(()), ZooKeeper::check)?;
            for (index, broker) in self.brokers.iter().enumerate() {
                if let Some(exit) = broker.exit_status() {
                    return Err(self.failure(index, &format!("ended while it started ({exit})")));
                }
            }
            let brokers = admin.brokers_now(Duration::from_millis(500)).unwrap_or_default();
            looks = if brokers.len() == self.brokers.len() {
                looks + 1
            } else {
                0
            };
            if looks >= looks_needed && admin.groups_work_now(Duration::from_secs(2)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let missing = |broker: &Arc<Broker>| !brokers.iter().any(|found| found.id == broker.id().cast_signed());
                let index = self.brokers.iter().position(missing).unwrap_or(0);
                let (seconds, count, all) = (READY_LIMIT.as_secs(), brokers.len(), self.brokers.len());
                let problem = format!("is not ready after {seconds} s (a client sees {count} of {all} brokers)");
                return Err(self.failure(index, &problem));
            }
            sleep(PAUSE);
        }
    }

    /// The brokers, by id.
    pub fn brokers(&self) -> &[Arc<Broker>] {
        &self.brokers
    }

    /// The ZooKeeper in which it keeps its metadata; `None` where it does so itself.
    pub fn zookeeper(&self) -> Option<&ZooKeeper> {
        self.zookeeper.as_ref()
    }

    /// The addresses of all brokers' listener of this name, `host:port,...`; of the internal listener if `None`.
    /// `None` where there is no such listener.
    pub fn bootstrap(&self, listener: Option<&str>) -> Option<String> {
        let name = listener.unwrap_or(INTERNAL);
        let known = self
            .brokers
            .iter()
            .all(|broker| broker.listeners().iter().any(|l| l.name == name));
        known.then(|| self.bootstrap_of(name))
    }

    /// Broker settings that differ from Kafka's defaults, with the reason.
    pub fn deviations(&self) -> &[Setting] {
        &self.deviations
    }

    /// Version of Apache Kafka.
    pub fn version(&self) -> KafkaVersion {
        self.version
    }

    /// Version of the Java that runs it.
    pub fn java_version(&self) -> &str {
        &self.java
    }

    /// The folder that holds all of the cluster's files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Kills all brokers, and the ZooKeeper, and removes their data.
    pub fn stop(mut self) -> Result<(), LocalError> {
        self.remove()
    }

    fn remove(&mut self) -> Result<(), LocalError> {
        for broker in &self.brokers {
            broker
                .kill()
                .map_err(LocalError::io("end the broker of", &self.directory))?;
        }
        if let Some(zookeeper) = &self.zookeeper {
            zookeeper
                .kill()
                .map_err(LocalError::io("end the ZooKeeper of", &self.directory))?;
        }
        self.brokers.clear();
        self.zookeeper = None;
        remove_owned_directory(&self.directory, &self.run_id).map_err(LocalError::io("remove", &self.directory))?;
        self.keeper.directory_removed(&self.directory);
        Ok(())
    }

    fn bootstrap_of(&self, name: &str) -> String {
        let listeners = self
            .brokers
            .iter()
            .flat_map(|broker| broker.listeners())
            .filter(|listener| listener.name == name);
        listeners
            .map(|listener| listener.advertised.clone())
            .collect::<Vec<_>>()
            .join(",")
    }

    fn port_was_taken(&self) -> bool {
        let signs = ["BindException", "Address already in use"];
        let logs = self.brokers.iter().map(|broker| broker.log_path());
        let mut logs = logs.chain(self.zookeeper.as_ref().map(ZooKeeper::log_path));
        logs.any(|log| {
            let lines = last_lines(&log, 200, |line| !line.starts_with(['\t', ' ']));
            signs.iter().any(|sign| lines.contains(sign))
        })
    }

    fn failure(&self, index: usize, problem: &str) -> LocalError {
        let (broker, log) = self
            .brokers
            .get(index)
            .map_or((0, String::new()), |broker| (broker.id(), broker.last_log_lines()));
        LocalError::Broker {
            broker,
            problem: problem.to_owned(),
            log,
        }
    }
}

/// Makes the archive of a broker's classes, the first time that this Kafka runs on this Java: a broker without data
/// starts, and ends in order. Brokers start without an archive that could not be made.
fn archive_classes(
    distribution: &Distribution,
    options: &ClusterOptions,
    keeper: &Arc<dyn Keeper>,
    progress: &dyn Fn(&str),
    interrupted: &AtomicBool,
) -> Result<(), LocalError> {
    let Some(archive) = &distribution.classes else {
        return Ok(());
    };
    let record = |classes: Classes<'_>| {
        progress(&format!(
            "preparing brokers of Apache Kafka {} to start faster (only the first time)",
            distribution.version
        ));
        let alone = ClusterOptions {
            brokers: 1,
            port: None,
            listeners: Vec::new(),
            settings: BrokerSettings::default(),
            ..options.clone()
        };
        let cluster = LocalCluster::lay_out(distribution, classes, &alone, Arc::clone(keeper))?;
        cluster.begin(distribution, interrupted)?;
        let stopped = cluster.brokers.iter().try_for_each(|broker| broker.stop());
        stopped.map_err(LocalError::io("end the broker of", &cluster.directory))?;
        // One that had to be killed has not finished its archive.
        let ended_itself = |broker: &Broker| broker.exit_status().is_some_and(|status| status.code().is_some());
        let killed = cluster.brokers.iter().position(|broker| !ended_itself(broker));
        killed.map_or(Ok(()), |index| Err(cluster.failure(index, "did not end in time")))
    };
    let is_interrupted = || interrupted.load(Ordering::Relaxed);
    match archive.make(record, |_| !is_interrupted()) {
        Err(error) if is_interrupted() => Err(error),
        Err(error) => {
            let path = archive.path().display();
            progress(&format!(
                "brokers start slower than they could; if {path} exists, remove it to try again: {error}"
            ));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

impl Drop for LocalCluster {
    fn drop(&mut self) {
        // Nobody reads an error here; the guardian tries again.
        let _ = self.remove();
    }
}
