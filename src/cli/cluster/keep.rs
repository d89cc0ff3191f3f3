//! The process that keeps the cluster.

use std::io::Write as _;

use anyhow::{Context, Result};
use nix::unistd::setsid;
use rand::RngExt;

use super::up::{ERROR, Up};
use crate::cli::disk::data_parent;
use crate::cli::exit::{CANNOT, DONE};
use crate::cli::interrupt::set_by_signal;
use crate::cli::runtime::runtime;
use crate::coordinator::Interrupt;
use crate::coordinator::standing_cluster::{self, READY, StandingCluster, StandingFolder, StandingOptions};
use crate::kafka::local::{BrokerSettings, ClusterOptions};

/// Keeps the cluster until a signal ends it. Reports to `up` on standard output: its progress, then [`READY`] or [`ERROR`]
/// and the reason.
pub(super) fn keep(folder: &StandingFolder, up: &Up) -> u8 {
    // It fails only for the leader of a process group, as one started by hand in a terminal is; all else still works.
    let _ = setsid();
    match keep_until_signal(folder, up) {
        Ok(()) => DONE,
        Err(error) => {
            // `up` may be gone; then nobody wants to know.
            let _ = writeln!(std::io::stdout(), "{ERROR}{error:#}");
            CANNOT
        }
    }
}

fn keep_until_signal(folder: &StandingFolder, up: &Up) -> Result<()> {
    let options = StandingOptions {
        version: up.version,
        cluster: ClusterOptions {
            brokers: up.brokers,
            zookeeper: up.on_zookeeper()?,
            heap_mib: up.heap,
            port: up.port,
            listeners: Vec::new(),
            settings: BrokerSettings::default(),
            data_parent: data_parent(),
            run_id: format!("cluster-{:08x}", rand::rng().random::<u32>()),
        },
        program: std::env::current_exe().context("cannot find this program's own file")?,
    };
    let runtime = runtime()?;
    let interrupt = Interrupt::default();
    runtime.spawn(set_by_signal(interrupt.clone()));
    let progress = |what: &str| {
        let _ = writeln!(std::io::stdout(), "{what}");
    };
    let ready = |_: &StandingCluster| {
        let mut output = std::io::stdout();
        writeln!(output, "{READY}").and_then(|()| output.flush())
    };
    let kept = runtime.block_on(standing_cluster::keep(folder, options, progress, &interrupt, ready));
    runtime.shutdown_background();
    Ok(kept?)
}
