//! A cluster that stays: kept by a process of its own in a session of its own, and written down where the next command
//! finds it. What its keeper leaves when it is killed, its guardian or the next command removes.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::cluster::ClusterError;
use super::guardian::Guardian;
use super::interrupt::Interrupt;
use super::leftovers::{boot, clean_leftovers, forget_cluster, host, remove_file, write_atomically};
use super::processes::ProcessIdentity;
use crate::kafka::local::{Broker, ClusterOptions, Distribution, LocalCluster};
use crate::scenario::KafkaVersion;
use crate::server::Keeper;

/// Version of the stored form of [`StandingCluster`]; a record of another version is not understood.
pub const STANDING_SCHEMA_VERSION: u32 = 1;

/// What the keeper says when the cluster answers.
pub const READY: &str = "ready";

/// How long a keeper may take to end its brokers and remove their data.
const DOWN_LIMIT: Duration = Duration::from_secs(30);

/// How long the guardian of a keeper that was killed may take after that.
const GUARDIAN_LIMIT: Duration = Duration::from_secs(5);

/// Pause between two looks at processes that end.
const PAUSE: Duration = Duration::from_millis(50);

/// The record of a cluster that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingCluster {
    /// [`STANDING_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Host it runs on.
    pub host: String,
    /// The host's boot, within which process identities hold.
    pub boot: String,
    /// The process that keeps it.
    pub keeper: ProcessIdentity,
    /// Addresses for clients.
    pub bootstrap: String,
    /// Version of Apache Kafka.
    pub version: KafkaVersion,
    /// Where it keeps its metadata, if not itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zookeeper: Option<StandingZooKeeper>,
    /// Version of the Java that runs it.
    pub java: String,
    /// Heap of each broker, MiB.
    pub heap_mib: u32,
    /// Folder of its files.
    pub directory: PathBuf,
    /// When it answered first, UTC.
    pub started_at: jiff::Timestamp,
    /// By id.
    pub brokers: Vec<StandingBroker>,
}

/// A broker of a cluster that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingBroker {
    /// Its id, from 1.
    pub id: u32,
    /// Its process.
    pub process: ProcessIdentity,
    /// Its address for clients.
    pub address: String,
}

/// The ZooKeeper of a cluster that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingZooKeeper {
    /// Version of Apache ZooKeeper.
    pub version: String,
    /// Its process.
    pub process: ProcessIdentity,
    /// Its address for brokers.
    pub address: String,
}

impl StandingCluster {
    /// True while its keeper runs.
    pub fn is_running(&self) -> bool {
        self.host == host() && self.boot == boot() && self.keeper.is_running()
    }

    /// True where no broker runs any more.
    pub fn is_dead(&self) -> bool {
        self.dead_brokers().len() == self.brokers.len()
    }

    /// True where it had a ZooKeeper that has ended: its brokers then neither make topics nor begin anew.
    pub fn has_lost_zookeeper(&self) -> bool {
        self.zookeeper
            .as_ref()
            .is_some_and(|zookeeper| !zookeeper.process.is_running())
    }

    /// Ids of brokers whose process has ended.
    pub fn dead_brokers(&self) -> Vec<u32> {
        let dead = self.brokers.iter().filter(|broker| !broker.process.is_running());
        dead.map(|broker| broker.id).collect()
    }
}

/// What is written down of a cluster that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// It is there.
    Running(StandingCluster),
    /// Its keeper is gone; its record was removed, and what it had left too.
    Dead(StandingCluster),
}

/// Why a standing cluster could not be found, kept or ended.
#[derive(Debug, thiserror::Error)]
pub enum StandingError {
    /// The brokers could not be started or ended.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Another command is at it.
    #[error("another `tandem cluster` command is at work; wait until it has ended")]
    Busy,
    /// A file cannot be used.
    #[error("cannot {action} {}: {cause}{}", .path.display(), elsewhere(cause))]
    Io {
        /// What was to be done.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The record is of another version of tandem.
    #[error("{} is not a record that this tandem understands: end the cluster with the tandem that started it", .0.display())]
    Record(PathBuf),
    /// It did not end.
    #[error("the cluster's process {0} does not end")]
    DoesNotEnd(u32),
    /// What is left of it.
    #[error("something of the cluster is left: {0}")]
    Left(String),
}

/// What helps where nothing may be written to the folder.
fn elsewhere(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; set XDG_STATE_HOME to a folder that you may write to"
        }
        _ => "",
    }
}

/// The place where the one standing cluster of this user is written down.
#[derive(Debug, Clone)]
pub struct StandingFolder {
    folder: PathBuf,
    runs: PathBuf,
}

impl StandingFolder {
    /// Beside the records of runs (`leftovers::state_folder`).
    pub fn beside(runs: &Path) -> Self {
        StandingFolder {
            folder: runs.with_file_name("cluster"),
            runs: runs.to_owned(),
        }
    }

    fn record(&self) -> PathBuf {
        self.folder.join("record.json")
    }

    /// Where the keeper writes what goes wrong.
    pub fn log(&self) -> PathBuf {
        self.folder.join("keeper.log")
    }

    fn io(&self, action: &'static str) -> impl FnOnce(io::Error) -> StandingError {
        let path = self.folder.clone();
        move |cause| StandingError::Io { action, path, cause }
    }

    /// Keeps other commands out until the lock is dropped.
    pub fn lock(&self) -> Result<Flock<File>, StandingError> {
        fs::create_dir_all(&self.folder).map_err(self.io("make the folder"))?;
        let file = File::create(self.folder.join("lock")).map_err(self.io("write into"))?;
        Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| StandingError::Busy)
    }

    /// Looks, changing nothing: the cluster, if its keeper runs.
    pub fn running(&self) -> Result<Option<StandingCluster>, StandingError> {
        Ok(self.read()?.filter(StandingCluster::is_running))
    }

    /// Looks, and removes what a dead keeper has left.
    pub fn find(&self) -> Result<Found, StandingError> {
        let Some(record) = self.read()? else {
            return Ok(Found::Nothing);
        };
        if record.is_running() {
            return Ok(Found::Running(record));
        }
        self.clean(&record)?;
        Ok(Found::Dead(record))
    }

    fn read(&self) -> Result<Option<StandingCluster>, StandingError> {
        let path = self.record();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io("read in")(error)),
        };
        let record: StandingCluster = serde_json::from_slice(&text).map_err(|_| StandingError::Record(path.clone()))?;
        if record.schema_version != STANDING_SCHEMA_VERSION {
            return Err(StandingError::Record(path));
        }
        Ok(Some(record))
    }

    /// Removes the record and whatever a dead keeper and its guardian have left. What runs have left on the cluster is
    /// gone with it.
    fn clean(&self, record: &StandingCluster) -> Result<(), StandingError> {
        forget_cluster(&self.runs, &record.bootstrap).map_err(self.io("forget the topics of"))?;
        let problems: Vec<String> = clean_leftovers(&self.runs)
            .into_iter()
            .filter(|dead| dead.record.run_directory == self.folder)
            .flat_map(|dead| dead.problems)
            .collect();
        if !problems.is_empty() {
            return Err(StandingError::Left(problems.join("; ")));
        }
        remove_file(&self.record()).map_err(self.io("remove the record in"))
    }

    /// Ends the cluster and removes all that it has made; `false` where there is none.
    pub fn down(&self) -> Result<bool, StandingError> {
        let record = match self.find()? {
            Found::Nothing => return Ok(false),
            Found::Dead(_) => return Ok(true),
            Found::Running(record) => record,
        };
        let keeper = record.keeper;
        let signal = |signal| {
            if keeper.is_running() {
                // It may have ended in this moment.
                let _ = kill(Pid::from_raw(keeper.pid.cast_signed()), signal);
            }
        };
        signal(Signal::SIGTERM);
        if !wait(DOWN_LIMIT, || !keeper.is_running()) {
            signal(Signal::SIGKILL);
            if !wait(GUARDIAN_LIMIT, || !keeper.is_running()) {
                return Err(StandingError::DoesNotEnd(keeper.pid));
            }
        }
        let gone = || {
            let zookeeper = record.zookeeper.is_none() || record.has_lost_zookeeper();
            record.is_dead() && zookeeper && !record.directory.exists()
        };
        // Its guardian is at it where the keeper had to be killed.
        wait(GUARDIAN_LIMIT, gone);
        self.clean(&record)?;
        let _ = fs::remove_file(self.log());
        if gone() {
            Ok(true)
        } else {
            Err(StandingError::Left(record.directory.display().to_string()))
        }
    }
}

fn wait(limit: Duration, done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(PAUSE);
    }
    true
}

/// What cluster is to stay.
#[derive(Debug, Clone)]
pub struct StandingOptions {
    /// Version of Apache Kafka.
    pub version: KafkaVersion,
    /// How the brokers are to be run.
    pub cluster: ClusterOptions,
    /// This program, for the guardian.
    pub program: PathBuf,
}

/// Starts the cluster, writes it down, calls `ready` and keeps it until `interrupt` is set; then ends it and removes all
/// that it has made. `progress` is called with what is being done. An error of `ready` ends the cluster at once.
pub async fn keep(
    folder: &StandingFolder,
    options: StandingOptions,
    progress: impl Fn(&str) + Send + 'static,
    interrupt: &Interrupt,
    ready: impl FnOnce(&StandingCluster) -> io::Result<()>,
) -> Result<(), StandingError> {
    let run_id = options.cluster.run_id.clone();
    fs::create_dir_all(&folder.folder).map_err(folder.io("make the folder"))?;
    let guardian = Guardian::start(&options.program, &run_id, &folder.folder, &folder.runs);
    let guardian = Arc::new(guardian.map_err(folder.io("start a guardian for"))?);
    let keeper: Arc<dyn Keeper> = Arc::<Guardian>::clone(&guardian);
    let (flag, heap_mib) = (interrupt.flag(), options.cluster.heap_mib);
    let start = move || {
        let distribution = Distribution::find_or_get(options.version, &progress)?;
        LocalCluster::start(&distribution, &options.cluster, &keeper, &progress, &flag)
    };
    let started = tokio::task::spawn_blocking(start).await;
    let result = match started.map_err(|_| ClusterError::Panicked)?.map_err(ClusterError::from) {
        Ok(cluster) => stay(folder, cluster, heap_mib, interrupt, ready).await,
        Err(error) => Err(error.into()),
    };
    guardian.finish().map_err(folder.io("end the guardian of"))?;
    result
}

async fn stay(
    folder: &StandingFolder,
    cluster: LocalCluster,
    heap_mib: u32,
    interrupt: &Interrupt,
    ready: impl FnOnce(&StandingCluster) -> io::Result<()>,
) -> Result<(), StandingError> {
    let record = describe(&cluster, heap_mib).ok_or_else(|| folder.io("identify the brokers for")(gone()))?;
    let announced = serde_json::to_string_pretty(&record)
        .map_err(io::Error::from)
        .and_then(|text| write_atomically(&folder.record(), &text))
        .and_then(|()| ready(&record));
    if announced.is_ok() {
        interrupt.wait().await;
    }
    let stopped = tokio::task::spawn_blocking(move || cluster.stop()).await;
    stopped
        .map_err(|_| ClusterError::Panicked)?
        .map_err(ClusterError::from)?;
    remove_file(&folder.record()).map_err(folder.io("remove the record in"))?;
    announced.map_err(folder.io("announce the cluster in"))
}

fn gone() -> io::Error {
    io::Error::other("a broker has ended")
}

/// `None` where a broker or the ZooKeeper has ended already.
fn describe(cluster: &LocalCluster, heap_mib: u32) -> Option<StandingCluster> {
    let broker = |broker: &Broker| {
        Some(StandingBroker {
            id: broker.id(),
            process: ProcessIdentity::of(broker.pid()?)?,
            address: broker.listeners().first()?.advertised.clone(),
        })
    };
    let zookeeper = match cluster.zookeeper() {
        Some(zookeeper) => Some(StandingZooKeeper {
            version: zookeeper.version().to_owned(),
            process: ProcessIdentity::of(zookeeper.pid()?)?,
            address: zookeeper.address(),
        }),
        None => None,
    };
    Some(StandingCluster {
        schema_version: STANDING_SCHEMA_VERSION,
        host: host(),
        boot: boot(),
        keeper: ProcessIdentity::current()?,
        bootstrap: cluster.bootstrap(None)?,
        version: cluster.version(),
        zookeeper,
        java: cluster.java_version().to_owned(),
        heap_mib,
        directory: cluster.directory().to_owned(),
        started_at: jiff::Timestamp::now(),
        brokers: cluster
            .brokers()
            .iter()
            .map(|each| broker(each))
            .collect::<Option<_>>()?,
    })
}
