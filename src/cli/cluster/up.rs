//! `tandem cluster up`: starts the process that keeps the cluster, and waits until the cluster is ready.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::describe::{brokers, heading, what};
use super::standing::standing;
use crate::cli::exit::DONE;
use crate::coordinator::standing_cluster::{Found, READY, StandingCluster, StandingFolder};
use crate::kafka::local::DEFAULT_HEAP_MIB;
use crate::scenario::{DEFAULT_KAFKA_VERSION, KafkaVersion};

/// What the keeper puts before the reason why there is no cluster.
pub(super) const ERROR: &str = "error: ";

/// How the cluster is to be.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Up {
    /// Number of brokers
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=9))]
    pub(super) brokers: u32,
    /// Version of Apache Kafka, 2.8 to 4.x
    #[arg(long, value_name = "V", default_value_t = DEFAULT_KAFKA_VERSION)]
    pub(super) version: KafkaVersion,
    /// Keep the cluster's metadata in a ZooKeeper, started with it, as versions below 3.3 always do; 4.x cannot
    #[arg(long)]
    pub(super) zookeeper: bool,
    /// Port of the first broker; the others have the next ones [default: free ones]
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1024..))]
    pub(super) port: Option<u16>,
    /// Heap of each broker, MiB
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_HEAP_MIB, value_parser = clap::value_parser!(u32).range(128..=65536))]
    pub(super) heap: u32,
}

impl Up {
    /// Whether the cluster is to run on a ZooKeeper.
    pub(super) fn on_zookeeper(&self) -> Result<bool> {
        let requested = self.zookeeper.then_some(true);
        let on = self.version.on_zookeeper(requested);
        on.map_err(|error| anyhow::anyhow!("{error}: leave --zookeeper out, or ask for an older --version"))
    }
}

pub(super) fn start(folder: &StandingFolder, up: &Up) -> Result<u8> {
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
    let mut keeper = Command::new(program);
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

/// A second `up` reports the running cluster. It fails if the flags differ or a part of the cluster has died.
fn already(cluster: &StandingCluster, up: &Up, zookeeper: bool) -> Result<u8> {
    let dead_broker = cluster.dead_brokers().first().map(|id| format!("broker {id}"));
    let dead = if cluster.has_lost_zookeeper() {
        Some("ZooKeeper".to_owned())
    } else {
        dead_broker
    };
    if let Some(dead) = dead {
        bail!(
            "a cluster is there, at {}, but its {dead} has died: end it with `tandem cluster down`, then start it anew",
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
    let first = cluster.brokers.first();
    let is_at = |port: u16| first.is_some_and(|broker| broker.address.ends_with(&format!(":{port}")));
    if let Some(port) = up.port.filter(|port| !is_at(*port)) {
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
