//! `tandem cluster status`: the cluster's processes, topics, disk and memory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::describe::heading;
use crate::cli::exit::{DONE, WRONG};
use crate::cli::runtime::block_on;
use crate::coordinator::ProcessIdentity;
use crate::coordinator::standing_cluster::{Found, StandingCluster, StandingFolder};
use crate::kafka::admin::Admin;
use crate::report::bytes;

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

pub(super) fn status(folder: &StandingFolder, json: bool) -> Result<u8> {
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
        topics: topics(&cluster),
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
    const NAMES_MAX: usize = 10;
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
            let names = topics.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
            let more = topics.len().saturating_sub(NAMES_MAX);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            say!("  topics   {}: {names}{more}", topics.len());
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
fn topics(cluster: &StandingCluster) -> Option<Vec<String>> {
    let topics = block_on(async {
        let admin = Admin::connect(&cluster.bootstrap, &BTreeMap::new()).await?;
        Ok(admin.topics("").await?)
    });
    let mut topics = topics.ok()?;
    // Kafka's own, such as the offsets of groups, are not counted.
    topics.retain(|topic| !topic.starts_with("__"));
    Some(topics)
}

/// Bytes on disk of all files below a folder.
pub(in crate::cli) fn disk_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => disk_bytes(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    entries.map(size).sum()
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
