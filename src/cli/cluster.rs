//! `tandem cluster up | status | down`: a cluster on this machine that outlives the command and the shell.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use anyhow::{Context, Result, bail};
use nix::unistd::setsid;
use rand::RngExt;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::source::data_parent;
use super::{CANNOT, DONE, WRONG};
use crate::coordinator::leftovers::state_folder;
use crate::coordinator::standing::{self, Found, READY, StandingCluster, StandingFolder, StandingOptions};
use crate::coordinator::{Interrupt, ProcessIdentity};
use crate::kafka::admin::Admin;
use crate::kafka::local::{ClusterOptions, DEFAULT_HEAP_MIB};
use crate::report::{bytes, duration};
use crate::scenario::{DEFAULT_KAFKA_VERSION, KafkaVersion};

/// What the keeper puts before the reason why there is no cluster.
const ERROR: &str = "error: ";

/// What is to be done with the cluster.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Start it, unless it is there; use it with `tandem run --cluster local`
    Up(Up),
    /// Show where it is and what it holds; exit code 1 where there is none, or a broker or its ZooKeeper has ended
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// End it and remove all its data
    Down,
    /// Be the process that keeps it (started by tandem itself)
    #[command(hide = true)]
    Keep(Up),
}

/// How the cluster is to be.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Up {
    /// Number of brokers
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=9))]
    brokers: u32,
    /// Version of Apache Kafka, 2.8 to 4.x
    #[arg(long, value_name = "V", default_value_t = DEFAULT_KAFKA_VERSION)]
    version: KafkaVersion,
    /// Keep the cluster's metadata in a ZooKeeper, started with it, as versions below 3.3 always do; 4.x cannot
    #[arg(long)]
    zookeeper: bool,
    /// Port of the first broker; the others have the next ones [default: free ones]
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1024..))]
    port: Option<u16>,
    /// Heap of each broker, MiB
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_HEAP_MIB, value_parser = clap::value_parser!(u32).range(128..=65536))]
    heap: u32,
}

pub(super) fn run(command: &Command) -> Result<u8> {
    let folder = StandingFolder::beside(&state_folder());
    match command {
        Command::Up(up) => start(&folder, up),
        Command::Status { json } => status(&folder, *json),
        Command::Down => down(&folder),
        Command::Keep(up) => Ok(keep(&folder, up)),
    }
}

/// The cluster that stays, for a run that is to use it.
pub(super) fn standing() -> Result<StandingCluster> {
    let folder = StandingFolder::beside(&state_folder());
    match folder.find()? {
        Found::Running(cluster) if cluster.is_dead() => {
            bail!("the local cluster has died: start it anew with `tandem cluster up`")
        }
        Found::Running(cluster) if cluster.has_lost_zookeeper() => {
            bail!("the ZooKeeper of the local cluster has died: end it with `tandem cluster down`, then start it anew")
        }
        Found::Running(cluster) => Ok(cluster),
        Found::Nothing | Found::Dead(_) => {
            bail!("there is no local cluster that stays: start one with `tandem cluster up`")
        }
    }
}

/// The cluster that stays, where these are its addresses.
pub(super) fn at(bootstrap: &str) -> Result<Option<StandingCluster>> {
    let running = StandingFolder::beside(&state_folder()).running()?;
    Ok(running.filter(|cluster| cluster.bootstrap == bootstrap))
}

impl Up {
    /// Whether the cluster is to run on a ZooKeeper.
    fn on_zookeeper(&self) -> Result<bool> {
        let asked = self.zookeeper.then_some(true);
        let on = self.version.on_zookeeper(asked);
        on.map_err(|error| anyhow::anyhow!("{error}: leave --zookeeper out, or ask for an older --version"))
    }
}

fn start(folder: &StandingFolder, up: &Up) -> Result<u8> {
    let zookeeper = up.on_zookeeper()?;
    let _lock = folder.lock()?;
    match folder.find()? {
        Found::Running(cluster) if cluster.is_dead() => {
            folder.down()?;
            eprintln!("the cluster that was here has died; what it left is removed");
        }
        Found::Running(cluster) => return already(&cluster, up, zookeeper),
        Found::Dead(_) => eprintln!("the cluster that was here has died; what it left is removed"),
        Found::Nothing => {}
    }
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let log = File::create(folder.log()).with_context(|| format!("cannot write {}", folder.log().display()))?;
    let mut keeper = Process::new(program);
    keeper.args(["cluster", "keep", "--version", &up.version.to_string()]);
    keeper.args(up.zookeeper.then_some("--zookeeper"));
    keeper.args(["--brokers", &up.brokers.to_string(), "--heap", &up.heap.to_string()]);
    if let Some(port) = up.port {
        keeper.args(["--port", &port.to_string()]);
    }
    let mut keeper = keeper
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("cannot start the process that keeps the cluster")?;
    let output = keeper
        .stdout
        .take()
        .context("the process that keeps the cluster says nothing")?;
    let mut failure = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot hear the process that keeps the cluster")?;
        if line == READY {
            let cluster = standing()?;
            say!("{} at {}", what(&cluster), cluster.bootstrap);
            say!("use it with: tandem run --cluster local ...   end it with: tandem cluster down");
            return Ok(DONE);
        }
        match line.strip_prefix(ERROR) {
            Some(error) => failure.push(error.to_owned()),
            // An error may have several lines.
            None if !failure.is_empty() => failure.push(line),
            None => eprintln!("{line}"),
        }
    }
    keeper
        .wait()
        .context("cannot wait for the process that keeps the cluster")?;
    if failure.is_empty() {
        bail!(
            "the process that keeps the cluster ended without a word; see {}",
            folder.log().display()
        );
    }
    bail!("{}", failure.join("\n"))
}

/// A second `up` says what is there, and fails where something else was asked for or part of it has died.
fn already(cluster: &StandingCluster, up: &Up, zookeeper: bool) -> Result<u8> {
    if cluster.has_lost_zookeeper() {
        bail!(
            "a cluster is there, at {}, but its ZooKeeper has died: end it with `tandem cluster down`, then start it anew",
            cluster.bootstrap
        );
    }
    if let Some(dead) = cluster.dead_brokers().first() {
        bail!(
            "a cluster is there, at {}, but its broker {dead} has died: end it with `tandem cluster down`, then start it anew",
            cluster.bootstrap
        );
    }
    let mut different = Vec::new();
    if cluster.brokers.len() != up.brokers as usize {
        different.push(format!("{}, not {}", brokers(cluster), up.brokers));
    }
    if cluster.version != up.version {
        different.push(format!("version {}, not {}", cluster.version, up.version));
    } else if cluster.zookeeper.is_some() != zookeeper {
        let kind = |zookeeper| if zookeeper { "ZooKeeper" } else { "KRaft" };
        different.push(format!("{}, not {}", kind(!zookeeper), kind(zookeeper)));
    }
    if cluster.heap_mib != up.heap {
        different.push(format!("a heap of {} MiB, not {}", cluster.heap_mib, up.heap));
    }
    let at_port = |port: u16| {
        cluster
            .brokers
            .first()
            .is_some_and(|b| b.address.ends_with(&format!(":{port}")))
    };
    if let Some(port) = up.port.filter(|&port| !at_port(port)) {
        different.push(format!("another port than {port}"));
    }
    if !different.is_empty() {
        bail!(
            "a cluster is there already, at {}, with {}: end it first with `tandem cluster down`",
            cluster.bootstrap,
            different.join(" and ")
        );
    }
    say!("it is there already: {} at {}", heading(cluster), cluster.bootstrap);
    Ok(DONE)
}

fn brokers(cluster: &StandingCluster) -> String {
    match cluster.brokers.len() {
        1 => "1 broker".to_owned(),
        number => format!("{number} brokers"),
    }
}

/// `Apache Kafka 4.3.1, 3 brokers`, or `Apache Kafka 2.8.1 on ZooKeeper 3.5.9, 1 broker`.
fn what(cluster: &StandingCluster) -> String {
    let zookeeper = cluster.zookeeper.as_ref();
    let zookeeper = zookeeper.map_or(String::new(), |zookeeper| {
        format!(" on ZooKeeper {}", zookeeper.version)
    });
    format!("Apache Kafka {}{zookeeper}, {}", cluster.version, brokers(cluster))
}

fn heading(cluster: &StandingCluster) -> String {
    let seconds = jiff::Timestamp::now().duration_since(cluster.started_at).as_secs_f64();
    format!("{}, up for {}", what(cluster), duration(seconds))
}

/// What `status` tells.
#[derive(Debug, Serialize)]
struct Status {
    #[serde(flatten)]
    cluster: StandingCluster,
    dead_brokers: Vec<u32>,
    /// `None` where the cluster does not answer.
    topics: Option<Vec<String>>,
    disk_bytes: u64,
    memory_bytes: u64,
}

fn status(folder: &StandingFolder, json: bool) -> Result<u8> {
    let cluster = match folder.find()? {
        Found::Running(cluster) => cluster,
        Found::Nothing => return Ok(none(json, "there is no cluster; start one with `tandem cluster up`")),
        Found::Dead(_) => {
            return Ok(none(
                json,
                "the cluster that was here has died; what it left is removed",
            ));
        }
    };
    let status = Status {
        dead_brokers: cluster.dead_brokers(),
        topics: topics(&cluster)?,
        disk_bytes: disk_bytes(&cluster.directory),
        memory_bytes: processes(&cluster).map(memory_bytes).sum(),
        cluster,
    };
    if json {
        say!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        show(&status);
    }
    let well = status.dead_brokers.is_empty() && !status.cluster.has_lost_zookeeper() && status.topics.is_some();
    Ok(if well { DONE } else { WRONG })
}

fn none(json: bool, message: &str) -> u8 {
    if json {
        say!("null");
    } else {
        say!("{message}");
    }
    WRONG
}

fn show(status: &Status) {
    const NAMES_SHOWN: usize = 10;
    let cluster = &status.cluster;
    say!("{}", heading(cluster));
    say!("  address  {}", cluster.bootstrap);
    let state = |process: ProcessIdentity| {
        if process.is_running() {
            format!(
                "process {}, {} of memory",
                process.pid,
                bytes(memory_bytes(process.pid))
            )
        } else {
            "has ended".to_owned()
        }
    };
    for broker in &cluster.brokers {
        say!("  broker {} {}: {}", broker.id, broker.address, state(broker.process));
    }
    if let Some(zookeeper) = &cluster.zookeeper {
        say!("  ZooKeeper {}: {}", zookeeper.address, state(zookeeper.process));
    }
    match &status.topics {
        None => say!("  topics   the cluster does not answer"),
        Some(topics) if topics.is_empty() => say!("  topics   none"),
        Some(topics) => {
            let shown = topics.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let more = topics.len().saturating_sub(NAMES_SHOWN);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            say!("  topics   {}: {shown}{more}", topics.len());
        }
    }
    say!(
        "  disk     {} in {}",
        bytes(status.disk_bytes),
        cluster.directory.display()
    );
    say!(
        "  memory   {} (heap of each broker {} MiB)",
        bytes(status.memory_bytes),
        cluster.heap_mib
    );
    say!("  Java     {}", cluster.java);
}

/// `None` where the cluster does not answer.
fn topics(cluster: &StandingCluster) -> Result<Option<Vec<String>>> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the asynchronous runtime")?;
    let asked = runtime.block_on(async {
        let admin = Admin::connect(&cluster.bootstrap, &BTreeMap::new()).await?;
        admin.topics("").await
    });
    runtime.shutdown_background();
    Ok(asked.ok().map(|mut topics| {
        // Kafka's own, such as the offsets of groups, are nobody's topics.
        topics.retain(|topic| !topic.starts_with("__"));
        topics.sort();
        topics
    }))
}

/// Bytes on disk of all files below a folder.
pub(super) fn disk_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => disk_bytes(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    entries.map(of).sum()
}

/// The processes of brokers and ZooKeeper.
fn processes(cluster: &StandingCluster) -> impl Iterator<Item = u32> {
    let zookeeper = cluster.zookeeper.as_ref().map(|zookeeper| zookeeper.process);
    let brokers = cluster.brokers.iter().map(|broker| broker.process);
    brokers.chain(zookeeper).map(|process| process.pid)
}

/// Resident memory of a process; 0 where it has ended.
fn memory_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn down(folder: &StandingFolder) -> Result<u8> {
    let _lock = folder.lock()?;
    if folder.down()? {
        say!("the cluster has ended and its data are removed");
    } else {
        say!("there is no cluster");
    }
    Ok(DONE)
}

/// Keeps the cluster until it is told to end. Speaks to `up` on standard output: what it does, then [`READY`] or
/// [`ERROR`] and the reason.
fn keep(folder: &StandingFolder, up: &Up) -> u8 {
    // It fails only for the leader of a process group, as one started by hand in a terminal is; all else still works.
    let _ = setsid();
    match keep_until_told(folder, up) {
        Ok(()) => DONE,
        Err(error) => {
            // `up` may be gone; then nobody wants to know.
            let _ = writeln!(std::io::stdout(), "{ERROR}{error:#}");
            CANNOT
        }
    }
}

fn keep_until_told(folder: &StandingFolder, up: &Up) -> Result<()> {
    let options = StandingOptions {
        version: up.version,
        cluster: ClusterOptions {
            brokers: up.brokers,
            zookeeper: up.on_zookeeper()?,
            heap_mib: up.heap,
            port: up.port,
            listeners: Vec::new(),
            data_parent: data_parent(),
            run_id: format!("cluster-{:08x}", rand::rng().random::<u32>()),
        },
        program: std::env::current_exe().context("cannot find this program's own file")?,
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the asynchronous runtime")?;
    let interrupt = Interrupt::default();
    runtime.spawn(listen(interrupt.clone()));
    let progress = |what: &str| {
        let _ = writeln!(std::io::stdout(), "{what}");
    };
    let ready = |_: &StandingCluster| {
        let mut output = std::io::stdout();
        writeln!(output, "{READY}").and_then(|()| output.flush())
    };
    let kept = runtime.block_on(standing::keep(folder, options, progress, &interrupt, ready));
    runtime.shutdown_background();
    Ok(kept?)
}

/// Any signal that asks a process to end asks the cluster to.
async fn listen(interrupt: Interrupt) {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [Ok(mut first), Ok(mut second), Ok(mut third)] = kinds.map(signal) else {
        return;
    };
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
        _ = third.recv() => {}
    }
    interrupt.set();
}
